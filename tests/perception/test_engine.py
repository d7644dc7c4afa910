"""A network gives the same numbers whoever runs it, and however many ask at once."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tynysh.errors import ModelError
from tynysh.perception import engine
from tynysh.perception.detector import YOLOX_CUT
from tynysh.perception.engine import Array, Cut, Network, load_network
from tynysh.perception.models import ensure

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two inputs, two outputs, any batch: y = relu(a W), z = y + b."""
    weights = numpy_helper.from_array(RNG.normal(size=(5, 4)).astype(np.float32), "w")
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["a", "w"], ["aw"]),
            helper.make_node("Relu", ["aw"], ["y"]),
            helper.make_node("Add", ["y", "b"], ["z"]),
        ],
        "small",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", k]) for n, k in (("a", 5), ("b", 4))],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 4]) for n in ("y", "z")],
        [weights],
    )
    path = tmp_path_factory.mktemp("models") / "small.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def example(n: int = 1) -> tuple[Array, Array]:
    return RNG.normal(size=(n, 5)).astype(np.float32), RNG.normal(size=(n, 4)).astype(np.float32)


def expected(path: Path, a: Array, b: Array) -> tuple[Array, Array]:
    weights = numpy_helper.to_array(onnx.load(path).graph.initializer[0])
    y = np.maximum(a @ weights, 0)
    return y, y + b


@pytest.fixture(params=["CPU", "ORT-CPU"])
def network(small: Path, request: pytest.FixtureRequest) -> Iterator[Network]:
    network = load_network(small, device=request.param, precision="exact")
    yield network
    network.close()


def test_several_inputs_give_several_outputs(network: Network, small: Path) -> None:
    a, b = example(3)
    for got, want in zip(network.infer(a, b), expected(small, a, b), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_what_is_submitted_is_answered_later_and_each_by_its_own(network: Network, small: Path) -> None:
    examples = [example() for _ in range(40)]
    futures = [network.submit(a, b) for a, b in examples]
    for (a, b), future in zip(examples, futures, strict=True):
        np.testing.assert_allclose(future.result(10)[1], expected(small, a, b)[1], rtol=1e-5, atol=1e-6)


def test_results_outlive_the_next_request(network: Network, small: Path) -> None:
    a, b = example()
    first = network.infer(a, b)
    network.infer(*example())
    np.testing.assert_allclose(first[1], expected(small, a, b)[1], rtol=1e-5, atol=1e-6)


def test_many_threads_may_share_a_network(network: Network, small: Path) -> None:
    def ask(_: int) -> bool:
        a, b = example()
        return np.allclose(network.infer(a, b)[1], expected(small, a, b)[1], atol=1e-5)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(100)))


def test_a_wrong_input_is_an_error_and_the_network_goes_on(network: Network, small: Path) -> None:
    bad = np.zeros((1, 7), dtype=np.float32)
    a, b = example()
    for _ in range(10):  # more often than there are requests in the pool: each must come back
        with pytest.raises(ModelError, match="refused"):
            network.infer(bad, b)
        with pytest.raises(ModelError, match="refused"):
            network.submit(bad, b).result(10)
    assert np.allclose(network.infer(a, b)[1], expected(small, a, b)[1], atol=1e-5)


def test_the_same_network_is_loaded_once_and_unloaded_after_its_last_user(small: Path) -> None:
    held = engine._shelf.loaded
    before = len(held)
    one, two = load_network(small, streams=1), load_network(small, streams=1)
    assert len(held) == before + 1
    one.close()
    one.close()
    assert two.infer(*example())[0].shape == (1, 4)
    two.close()
    assert len(held) == before
    with pytest.raises(ModelError, match="closed"):
        two.infer(*example())


def test_requests_that_wait_together_share_a_batch_and_keep_their_answers(small: Path) -> None:
    network = load_network(small, precision="exact", batch=4)
    try:
        examples = [example(1 + n % 3) for n in range(30)]
        futures = [network.submit(a, b) for a, b in examples]
        for (a, b), future in zip(examples, futures, strict=True):
            np.testing.assert_allclose(future.result(10)[1], expected(small, a, b)[1], rtol=1e-5, atol=1e-6)
        bad = network.submit(np.zeros((1, 7), dtype=np.float32), np.zeros((1, 4), dtype=np.float32))
        good = network.submit(*example())
        with pytest.raises(ModelError, match="refused"):
            bad.result(10)
        assert good.result(10)[0].shape == (1, 4)
    finally:
        network.close()


def test_closing_waits_for_what_is_under_way(small: Path) -> None:
    network = load_network(small, batch=2)
    futures = [network.submit(*example()) for _ in range(8)]
    closing = threading.Thread(target=network.close)
    closing.start()
    closing.join(10)
    assert not closing.is_alive()
    assert all(future.result(1)[0].shape == (1, 4) for future in futures)


@pytest.mark.parametrize("device", ["CPU", "ORT-CPU"])
def test_a_part_of_a_network_can_be_run(small: Path, device: str) -> None:
    network = load_network(
        small, device=device, precision="exact", cut=Cut(("aw", "b"), ("z",)), shapes=[(2, 4)] * 2
    )
    try:
        negative, b = np.full((2, 4), -1, dtype=np.float32), example(2)[1]
        (z,) = network.infer(negative, b)
        np.testing.assert_allclose(z, b)
    finally:
        network.close()


def test_what_cannot_be_loaded_is_one_clear_error(small: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no network at"):
        load_network(tmp_path / "none.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"this is no network")
    for device in ("CPU", "ORT-CPU"):
        with pytest.raises(ModelError, match="cannot load"):
            load_network(broken, device=device)
    with pytest.raises(ModelError, match="Unknown device TPU"):
        load_network(small, device="TPU")
    with pytest.raises(ModelError, match="no tensor missing"):
        load_network(small, cut=Cut(("missing",), ("z",)))


def test_a_device_that_is_not_here_is_one_clear_error(small: Path) -> None:
    import onnxruntime
    import openvino

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(ModelError, match="CUDAExecutionProvider"):
            load_network(small, device="cuda:0")
    if not any(name.startswith("NPU") for name in openvino.Core().available_devices):
        with pytest.raises(ModelError, match="sees no NPU"):
            load_network(small, device="NPU")


@pytest.fixture(scope="module")
def yolox() -> Path:
    try:
        return ensure("yolox-tiny-person")
    except ModelError as error:
        pytest.skip(f"the model cannot be had here: {error.message.splitlines()[-1]}")


def test_both_back_ends_agree_on_the_real_detector(yolox: Path) -> None:
    picture = RNG.uniform(0, 255, (1, 12, 80, 96)).astype(np.float32)
    answers = []
    for device in ("CPU", "ORT-CPU"):
        network = load_network(yolox, device=device, cut=YOLOX_CUT, shapes=[picture.shape], precision="exact")
        answers.append(network.infer(picture))
        network.close()
    for one, other in zip(*answers, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=2e-3)


def test_a_picture_gives_the_same_numbers_whatever_else_is_running(yolox: Path) -> None:
    pictures = RNG.uniform(0, 255, (6, 1, 12, 64, 64)).astype(np.float32)
    network = load_network(yolox, cut=YOLOX_CUT, shapes=[pictures[0].shape], streams=3)
    try:
        alone = [network.infer(picture) for picture in pictures]
        together = [network.submit(picture) for picture in pictures]
        for one, other in zip(alone, together, strict=True):
            for a, b in zip(one, other.result(30), strict=True):
                np.testing.assert_array_equal(a, b)
    finally:
        network.close()


def test_nothing_is_told_to_outside_hosts_when_a_network_is_loaded(small: Path) -> None:
    # In a process of its own: what one test imported would hide what another does.
    finished = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import sys, pathlib; from tynysh.perception.engine import load_network;"
                f"load_network(pathlib.Path({str(small)!r}));"
                "print(sorted(name for name, module in sys.modules.items() if 'openvino_telemetry' in name and module))"
            ),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert finished.stdout.strip() == "[]"
