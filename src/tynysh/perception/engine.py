"""Running a network: arrays in, arrays out, on OpenVINO or ONNX Runtime."""

import abc
import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tynysh.errors import ModelError
from tynysh.perception.models.cache import cache_folder

Array = NDArray[np.float32]
Outputs = tuple[NDArray[Any], ...]
Precision = Literal["fast", "exact"]

OPENVINO_DEVICES = ("CPU", "GPU", "NPU", "AUTO")
ONNXRUNTIME_DEVICES = ("ORT-CPU", "CUDA", "TENSORRT")
_PROVIDERS = {
    "ORT-CPU": ("CPUExecutionProvider",),
    "CUDA": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "TENSORRT": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
}
BATCHING_DEVICES = ("GPU", "CUDA", "TENSORRT")
_MAX_STREAMS = 4
_WAITING_PER_STREAM = 4


class Network(Protocol):
    """A loaded network. It may be called from any thread, and is shared by all who loaded the same thing.

    Arrays are float32; the first axis is the batch. How many requests may wait is bounded: past that, callers
    wait in `submit` or `infer`.
    """

    def infer(self, *inputs: Array) -> Outputs:
        """The outputs for one array per input of the network; blocks until they are there."""
        ...

    def submit(self, *inputs: Array) -> Future[Outputs]:
        """As `infer`, later: the arrays must not be changed until the future is done."""
        ...

    def close(self) -> None:
        """Give the network back; it is unloaded when all who loaded it have done so. Twice is harmless."""
        ...


@dataclass(frozen=True, slots=True)
class Cut:
    """The part of a network between named tensors, in place of the whole.

    Exported detectors carry their pre- and post-processing for one picture size in the graph; without those
    the same weights take any size and any batch.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Key:
    """What makes two loaded networks the same."""

    path: Path
    device: str
    shapes: tuple[tuple[int, ...], ...] | None
    cut: Cut | None
    precision: Precision
    streams: int
    batch: int


@dataclass(slots=True)
class _Loaded:
    backend: "_Backend"
    users: int = 0


@dataclass(slots=True)
class _Shelf:
    """The networks of this process."""

    loaded: dict[_Key, _Loaded] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


_shelf = _Shelf()


def load_network(
    path: Path,
    *,
    device: str = "CPU",
    shapes: Sequence[Sequence[int]] | None = None,
    cut: Cut | None = None,
    precision: Precision = "fast",
    streams: int | None = None,
    batch: int = 1,
) -> Network:
    """The network in the file at `path` (ONNX; with OpenVINO also its own format), ready to run.

    device: `CPU`, `GPU`, `NPU` or `AUTO` (OpenVINO), optionally numbered as in `GPU.1`; `ORT-CPU`, `CUDA` or
        `TENSORRT` (ONNX Runtime), optionally numbered as in `CUDA:1`.
    shapes: of the inputs, where they differ from those in the file; -1 where a length may vary. Fixed shapes
        are faster on a CPU.
    cut: the part of the network to run.
    precision: `fast` computes in bfloat16 where the CPU has instructions for it (about half the time),
        `exact` in float32. On a CPU either gives the same numbers for the same picture on the same machine,
        whatever else is running: each request is computed by one thread, and requests are not mixed.
    streams: requests computed at once, one thread each; by default the processor's cores, at most 4.
    batch: the most pictures that are put into one batch when several callers wait at once. It pays on a GPU;
        on a CPU a batch of four costs what four single pictures cost, so 1 is the default. The network's
        first axis must be free (-1).

    Raises ModelError if the file, the device or the back end cannot be used.
    """
    streams = streams or min(len(os.sched_getaffinity(0)), _MAX_STREAMS)
    key = _Key(
        path.resolve(),
        device.upper(),
        tuple(tuple(shape) for shape in shapes) if shapes is not None else None,
        cut,
        precision,
        streams,
        batch,
    )
    with _shelf.lock:
        entry = _shelf.loaded.get(key)
        if entry is None:
            entry = _shelf.loaded[key] = _Loaded(_open(key))
        entry.users += 1
        return _Lease(key, entry)


def batch_for(device: str, most: int) -> int:
    """How many pictures to put into one batch on `device`: up to `most` where that pays, else 1."""
    return most if _kind(device) in BATCHING_DEVICES else 1


class _Lease:
    """One user's share of a loaded network."""

    def __init__(self, key: _Key, entry: _Loaded) -> None:
        self._key = key
        self._entry = entry
        self._open = True

    def infer(self, *inputs: Array) -> Outputs:
        return self._backend().infer(*inputs)

    def submit(self, *inputs: Array) -> Future[Outputs]:
        return self._backend().submit(*inputs)

    def _backend(self) -> "_Backend":
        if not self._open:
            raise ModelError(f"{self._key.path.name} was closed and cannot be run any more.")
        return self._entry.backend

    def close(self) -> None:
        with _shelf.lock:
            if not self._open:
                return
            self._open = False
            self._entry.users -= 1
            if self._entry.users:
                return
            del _shelf.loaded[self._key]
        self._entry.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Backend(Protocol):
    def infer(self, *inputs: Array) -> Outputs: ...

    def submit(self, *inputs: Array) -> Future[Outputs]: ...

    def close(self) -> None: ...


def _open(key: _Key) -> _Backend:
    if not key.path.is_file():
        raise ModelError(
            f"There is no network at {key.path}.", hint="`tynysh models pull` fetches what is missing."
        )
    kind = _kind(key.device)
    backend: _Backend
    if kind in OPENVINO_DEVICES:
        backend = _OpenVino(key)
    elif kind in ONNXRUNTIME_DEVICES:
        backend = _OnnxRuntime(key)
    else:
        raise ModelError(
            f"Unknown device {key.device}.",
            hint=f"One of {', '.join(OPENVINO_DEVICES + ONNXRUNTIME_DEVICES)}.",
        )
    return _Batching(backend, key.batch) if key.batch > 1 else backend


class _Threaded(abc.ABC):
    """Answers what is submitted from as many threads as the network has streams; what may wait is bounded."""

    def __init__(self, streams: int) -> None:
        self._threads = ThreadPoolExecutor(streams, thread_name_prefix="network")
        self._room = threading.BoundedSemaphore(streams * _WAITING_PER_STREAM)

    @abc.abstractmethod
    def infer(self, *inputs: Array) -> Outputs: ...

    def submit(self, *inputs: Array) -> Future[Outputs]:
        self._room.acquire()
        future = self._threads.submit(self.infer, *inputs)
        future.add_done_callback(lambda _: self._room.release())
        return future

    def close(self) -> None:
        self._threads.shutdown(wait=True)


class _OpenVino(_Threaded):
    """A network compiled by OpenVINO, with a fixed set of requests that callers take turns with."""

    def __init__(self, key: _Key) -> None:
        openvino = _openvino()
        core = openvino.Core()
        kind = _kind(key.device)
        if kind != "AUTO" and not any(have.split(".")[0] == kind for have in core.available_devices):
            raise ModelError(
                f"OpenVINO sees no {kind} on this machine (it sees {', '.join(core.available_devices)}).",
                hint="Use `--device CPU`, or install the device's driver.",
            )
        try:
            model = core.read_model(key.path)
            if key.cut is not None:
                model = _cut_openvino(model, key.cut)
            if key.shapes is not None:
                model.reshape(dict(zip(range(len(key.shapes)), map(list, key.shapes), strict=True)))
            compiled = core.compile_model(model, key.device, _openvino_options(core, key, kind))
        except (RuntimeError, ValueError, KeyError) as error:
            raise ModelError(f"OpenVINO cannot load {key.path}: {_first_line(error)}") from error
        super().__init__(key.streams)
        self._compiled = compiled
        self._outputs = len(compiled.outputs)
        self._free: Queue[Any] = Queue()
        self._count = key.streams
        for _ in range(self._count):
            self._free.put(compiled.create_infer_request())

    def infer(self, *inputs: Array) -> Outputs:
        request = self._free.get()
        try:
            request.infer(list(inputs), share_inputs=True)
            # Copies, as the next request writes its results to the same memory.
            return tuple(np.array(request.get_output_tensor(n).data) for n in range(self._outputs))
        except RuntimeError as error:
            raise ModelError(f"The network refused its input: {_first_line(error)}") from error
        finally:
            self._free.put(request)

    def close(self) -> None:
        super().close()
        for _ in range(self._count):
            self._free.get()
        del self._compiled


def _openvino() -> Any:
    """OpenVINO without its telemetry, which would fork the process to tell an outside host of each model read."""
    # None in place of a module makes its import fail, and OpenVINO falls back on a telemetry that does nothing.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _openvino_options(core: Any, key: _Key, kind: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if kind == "CPU":
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        fast = "bf16" if key.precision == "fast" and "BF16" in able else "f32"
        options |= {
            "INFERENCE_PRECISION_HINT": fast,
            "NUM_STREAMS": key.streams,
            "INFERENCE_NUM_THREADS": key.streams,
            # Several workers share a machine: threads tied to the same first cores would wait for each other.
            "ENABLE_CPU_PINNING": False,
        }
    else:
        # Compiling for a GPU or NPU takes seconds to minutes; for a CPU it takes no longer than reading a copy.
        options["CACHE_DIR"] = str(cache_folder() / "compiled")
        if kind == "GPU":
            options["INFERENCE_PRECISION_HINT"] = "f16" if key.precision == "fast" else "f32"
    return options


def _cut_openvino(model: Any, cut: Cut) -> Any:
    openvino = _openvino()
    from openvino import opset13

    tensors = {
        name: output for op in model.get_ops() for output in op.outputs() for name in output.get_names()
    }
    missing = [name for name in cut.inputs + cut.outputs if name not in tensors]
    if missing:
        raise ModelError(f"The network has no tensor {', '.join(missing)}.")
    parameters = []
    for name in cut.inputs:
        rank = len(tensors[name].get_partial_shape())
        parameter = opset13.parameter([-1] * rank, np.float32, name=name)
        for target in tensors[name].get_target_inputs():
            target.replace_source_output(parameter.output(0))
        parameters.append(parameter)
    return openvino.Model([tensors[name] for name in cut.outputs], parameters)


class _OnnxRuntime(_Threaded):
    """A network run by ONNX Runtime, one thread for each request."""

    def __init__(self, key: _Key) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelError(
                f"Device {key.device} needs ONNX Runtime, which is not installed.",
                hint="pip install 'tynysh[cuda]'",
            ) from error
        kind = _kind(key.device)
        number = key.device.partition(":")[2]
        wanted = _PROVIDERS[kind]
        have = onnxruntime.get_available_providers()
        if wanted[0] not in have:
            raise ModelError(
                f"This ONNX Runtime has no {wanted[0]} (it has {', '.join(have)}).",
                hint="pip install 'tynysh[cuda]' on a machine with an NVIDIA GPU and its CUDA libraries.",
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        chosen = [
            (name, {"device_id": int(number)} if number and not name.startswith("CPU") else {})
            for name in wanted
        ]
        try:
            self._session = onnxruntime.InferenceSession(_cut_onnx(key), options, providers=chosen)
        except Exception as error:
            raise ModelError(f"ONNX Runtime cannot load {key.path}: {_first_line(error)}") from error
        if wanted[0] not in self._session.get_providers():
            self._session = None
            raise ModelError(
                f"{kind} could not be started, although this ONNX Runtime was built for it.",
                hint="Check that the NVIDIA driver, CUDA and cuDNN are those that it was built for.",
            )
        self._names = [tensor.name for tensor in self._session.get_inputs()]
        super().__init__(key.streams)

    def infer(self, *inputs: Array) -> Outputs:
        try:
            results = self._session.run(None, dict(zip(self._names, inputs, strict=True)))
        except Exception as error:
            raise ModelError(f"The network refused its input: {_first_line(error)}") from error
        return tuple(np.asarray(result) for result in results)


def _cut_onnx(key: _Key) -> str | bytes:
    """What ONNX Runtime is to load: the file, or a rewritten copy in memory where shapes or ends differ."""
    if key.cut is None and key.shapes is None:
        return str(key.path)
    try:
        import onnx
        from onnx.utils import Extractor
    except ImportError as error:
        raise ModelError(
            f"Device {key.device} needs the onnx package for {key.path.name}.",
            hint="pip install 'tynysh[cuda]'",
        ) from error
    model = onnx.load(key.path)
    if key.cut is not None:
        model = Extractor(onnx.shape_inference.infer_shapes(model)).extract_model(
            list(key.cut.inputs), list(key.cut.outputs)
        )
    if key.shapes is not None:
        for tensor, shape in zip(model.graph.input, key.shapes, strict=True):
            for axis, (dimension, length) in enumerate(
                zip(tensor.type.tensor_type.shape.dim, shape, strict=True)
            ):
                if length < 0:
                    dimension.dim_param = f"{tensor.name}_{axis}"
                else:
                    dimension.dim_value = length
    # What the file says about the shapes inside was true of its own input only.
    del model.graph.value_info[:]
    for tensor in model.graph.output:
        tensor.type.tensor_type.ClearField("shape")
    return bytes(model.SerializeToString())


class _Batching:
    """Puts what several callers wait for into one batch."""

    def __init__(self, inner: _Backend, most: int) -> None:
        self._inner = inner
        self._most = most
        self._waiting: Queue[tuple[tuple[Array, ...], Future[Outputs]] | None] = Queue(
            most * _WAITING_PER_STREAM
        )
        self._thread = threading.Thread(target=self._run, name="batching", daemon=True)
        self._thread.start()

    def infer(self, *inputs: Array) -> Outputs:
        return self.submit(*inputs).result()

    def submit(self, *inputs: Array) -> Future[Outputs]:
        future: Future[Outputs] = Future()
        self._waiting.put((inputs, future))
        return future

    def _run(self) -> None:
        held: tuple[tuple[Array, ...], Future[Outputs]] | None = None
        while True:
            first = held or self._waiting.get()
            held = None
            if first is None:
                return
            group = [first]
            pictures = len(first[0][0])
            while pictures < self._most:
                try:
                    following = self._waiting.get_nowait()
                except Empty:
                    break
                if following is None:
                    self._waiting.put(None)
                    break
                alike = all(a.shape[1:] == b.shape[1:] for a, b in zip(following[0], first[0], strict=True))
                if not alike or pictures + len(following[0][0]) > self._most:
                    held = following
                    break
                group.append(following)
                pictures += len(following[0][0])
            self._answer(group)

    def _answer(self, group: list[tuple[tuple[Array, ...], Future[Outputs]]]) -> None:
        try:
            results = self._inner.infer(
                *(np.concatenate(arrays) for arrays in zip(*(inputs for inputs, _ in group), strict=True))
            )
        except Exception as error:  # noqa: BLE001  (whatever it is, it belongs to those who wait)
            for _, future in group:
                future.set_exception(error)
            return
        start = 0
        for inputs, future in group:
            end = start + len(inputs[0])
            future.set_result(tuple(result[start:end] for result in results))
            start = end

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join()
        self._inner.close()


def _kind(device: str) -> str:
    """`GPU` of `GPU.1`, `CUDA` of `cuda:1`."""
    return device.upper().replace(":", ".").partition(".")[0]


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
