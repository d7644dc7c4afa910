"""Clocks, light and rates of the field, as people who run such systems reported them."""

import copy
import os
import time
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import numpy as np
import pytest
from tests.behaviour.test_camera_fault import Image, faults, later, learnt, spoilt
from tests.media.conftest import HEIGHT, WIDTH, draw, write_video
from tests.perception.test_motion import Camera, scene, times, with_person  # noqa: F401  the fixture `scene`

from tynysh.media.reader import VideoFile
from tynysh.media.segment import segment_path, segments
from tynysh.perception.motion import MotionGate
from tynysh.site.schedule import Locality, Schedule

ALMATY = ZoneInfo("Asia/Almaty")


@pytest.fixture(params=["UTC", "America/New_York", "Australia/Lord_Howe", '"Europe/Berlin"', ":nowhere", ""])
def machine_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A machine or container that was told another time zone than the site's, or none that there is."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_the_sites_time_zone_is_in_force_and_never_the_machines(machine_clock: str, tmp_path: Path) -> None:
    """A container without the host's zone puts recordings and hours an hour or more off: blakeblackshear/frigate#7297,
    #3991. A zone in quotes that nothing knows: FuzzyGrim/Yamtrack#325, satomic/copilot-usage-advanced-dashboard#16.
    """
    nights = Schedule.model_validate({"days": ["fri"], "from": "22:00", "to": "04:00"})
    inside = datetime(2026, 3, 6, 23, 30, tzinfo=ALMATY).timestamp()
    assert nights.in_force(inside, Locality(ALMATY))
    assert not nights.in_force(inside - 2 * 3600, Locality(ALMATY))
    path = segment_path(tmp_path, inside + 0.25)
    assert path.name == "20260306T183000.250Z.mp4"
    path.touch()
    assert [segment.start_s for segment in segments(tmp_path)] == [inside + 0.25]


def infra_red(scene: np.ndarray) -> np.ndarray:  # noqa: F811
    """The same place by its own infra-red lamp: other things are light and dark, and the corners are darker."""
    rows, columns = scene.shape
    chance = np.random.default_rng(11)
    gains = np.kron(chance.uniform(0.7, 1.5, (9, 16)), np.ones((rows // 9, columns // 16)))
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    return np.asarray(scene * gains * (1.1 - 0.35 * (x**2 + y**2)))


def test_the_switch_to_infra_red_is_over_in_seconds_and_people_are_seen_after_it(scene: np.ndarray) -> None:  # noqa: F811
    """Motion for minutes, or for the whole night: blakeblackshear/frigate#7017, motioneye-project/motioneyeos#2329
    and #1800, seydx/homebridge-camera-ui#587.
    """
    gate, camera = MotionGate(), Camera(noise=3.0)
    night = infra_red(scene)
    for t in times(20):
        gate.observe(camera.frame(scene, t))
    moving = [gate.observe(camera.frame(night, t)).moving for t in times(20, start_s=20)]
    assert not any(moving[60:]), "six seconds later all is quiet"
    walking = [
        gate.observe(camera.frame(with_person(night, 200 + 60 * (t - 40)), t)) for t in times(1, start_s=40)
    ]
    assert walking[-1].moving


@pytest.mark.parametrize(
    "part",
    [
        0.03,
        pytest.param(
            0.12,
            marks=pytest.mark.xfail(
                strict=True,
                reason="the gate stays open, which costs the detector's time and tells nothing wrong",
            ),
        ),
    ],
)
def test_infra_red_lamps_whose_light_varies_keep_no_gate_open(scene: np.ndarray, part: float) -> None:  # noqa: F811
    """Lamps that are not steady, and a camera that sees motion all night: roleoroleo/yi-hack-Allwinner-v2#480,
    billw2/pikrellcam#29, silvanmelchior/RPi_Cam_Web_Interface#271.
    """
    gate, camera = MotionGate(), Camera(noise=5.0)
    night = infra_red(scene)
    motions = [gate.observe(camera.frame(night * (1 + part * np.sin(2.1 * t)), t)) for t in times(25)]
    assert not any(motion.moving for motion in motions[100:])
    walking = [
        gate.observe(camera.frame(with_person(night * (1 + part * np.sin(2.1 * t)), 200 + 60 * (t - 25)), t))
        for t in times(1, start_s=25)
    ]
    assert walking[-1].moving


def test_the_switch_to_infra_red_is_no_fault_of_the_camera() -> None:
    """The picture loses its colours and gets another light, and no camera has moved: blakeblackshear/frigate#7017."""

    def switched(image: Image, t: float, _: np.random.Generator) -> Image:
        if t < 4:
            return image
        grey = infra_red(image.mean(axis=2))
        return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)

    assert faults(copy.deepcopy(learnt()), spoilt(later(40.0), switched)) == []


def test_pictures_of_a_varying_rate_have_the_times_that_their_file_gives_them(tmp_path: Path) -> None:
    """Phones and body cameras film at a varying rate; times reckoned from a mean rate are seconds off:
    opencv/opencv#12112, #8834 and #15749.
    """
    random = np.random.default_rng(3)
    given = np.concatenate([[0.0], np.cumsum(random.choice([1 / 30, 1 / 24, 1 / 8, 0.9], 60))])
    with av.open(str(tmp_path / "phone.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 90000)
        stream.options = {"preset": "ultrafast"}
        for number, time_s in enumerate(given):
            picture = av.VideoFrame.from_ndarray(draw(number, 30), format="bgr24")
            picture.pts, picture.time_base = round(time_s * 90000), Fraction(1, 90000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    video = VideoFile(tmp_path / "phone.mp4")
    assert [frame.time_s for frame in video.frames()] == pytest.approx(given.tolist(), abs=0.002)
    assert video.counters.timestamps_mended == 0


@pytest.mark.parametrize(
    "name",
    ["100 %03d.mp4", "a&b #3 [1] (copy).mp4", "-y.mp4", "двор \u0438\u0306.mp4", "two\nlines.mp4", " .mp4"],
)
def test_a_file_is_read_whatever_sign_its_name_holds(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`%` taken for a number of pictures, `[` for a choice of frames, blanks and other letters for no file at all:
    MediaArea/MediaInfoLib#1955, ImageMagick/ImageMagick#8823, yt-dlp/yt-dlp#5231, bytedeco/javacv#1489.
    """
    whole = write_video(tmp_path / "whole.mp4", seconds=0.4)
    (tmp_path / "apart").mkdir()
    os.link(whole, tmp_path / "apart" / name)
    monkeypatch.chdir(tmp_path / "apart")
    for path in (Path(name), tmp_path / "apart" / name, tmp_path / "apart"):
        video = VideoFile(path)
        assert sum(1 for _ in video.frames()) == video.frame_count == 10
