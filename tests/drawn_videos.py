"""Videos of drawn scenes, and stand-ins for the networks, which would take no drawing for a person."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import pytest
from tests.runtime.street import CoatDetector, write_street

from tynysh.cli import run_command
from tynysh.demo.drawing import draw
from tynysh.demo.script import FPS, HEIGHT, SQUARE, WIDTH
from tynysh.demo.simulated import ScriptedDetector
from tynysh.perception.detector import Detector
from tynysh.runtime.networks import Networks

STREET_SITE = """
sites:
  - name: Street
    kind: street
    time_zone: Asia/Almaty
    schedules:
      never: {days: [mon], from: "03:00", to: "03:01"}
    defaults:
      analysers:
        intrusion: {zones: [gate], schedule: never}
    cameras:
      - name: north
        id: street-north
        main: rtsp://127.0.0.1:9/north
        zones: [{name: gate, kind: protected, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}]
      - name: south
        id: street-south
        main: south.mp4
        zones: [{name: gate, kind: protected, polygon: [[0, 0], [0.1, 0], [0.1, 0.1]]}]
"""


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds at 10 fps in which somebody walks."""
    return write_street(tmp_path_factory.mktemp("street") / "street.mp4", seconds=8)


@pytest.fixture(scope="session")
def square(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first twelve seconds of the simulated square."""
    return write_square(tmp_path_factory.mktemp("square") / "square.mp4", 0.0, 12.0)


def write_square(path: Path, start_s: float, end_s: float) -> Path:
    """A video of the simulated square between two moments of its turn."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = FPS
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "20"}
        for number in range(round(start_s * FPS), round(end_s * FPS)):
            picture = av.VideoFrame.from_ndarray(draw(SQUARE, number / FPS), format="bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def street_site(tmp_path: Path) -> Path:
    """A site file with two cameras of the street: on `north` nobody may be anywhere, ever."""
    path = tmp_path / "site.yaml"
    path.write_text(STREET_SITE)
    return path


@pytest.fixture
def seen_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Detector], None]:
    """Have the networks of commands see what a stand-in sees."""

    def see(detector: Detector) -> None:
        networks = Networks(detector=detector, pose=None)  # type: ignore[arg-type]
        monkeypatch.setattr(Networks, "load", classmethod(lambda *_: networks))

    return see


@dataclass(frozen=True)
class Finished:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


Tynysh = Callable[..., Finished]


@pytest.fixture
def tynysh(
    capsys: pytest.CaptureFixture[str], seen_by: Callable[[Detector], None], monkeypatch: pytest.MonkeyPatch
) -> Tynysh:
    """Run a command on the drawn street, or on the square where a video's name says so."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Finished:
        square = any("square" in str(argument) for argument in arguments)
        seen_by(ScriptedDetector() if square else CoatDetector())
        code = run_command([str(argument) for argument in arguments])
        output = capsys.readouterr()
        assert "Traceback" not in output.out + output.err
        return Finished(code, output.out, output.err)

    return run
