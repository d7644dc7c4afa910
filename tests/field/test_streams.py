"""Cameras of the field, as people who run such systems reported them: what they send, and what must come of it."""

import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.field.cameras import AAC_WITHOUT_CONFIGURATION, PCMA, Film, OddCamera, Sound
from tests.field.conftest import watched
from tests.media.conftest import write_video
from tests.servers import until

from tynysh.media.camera_status import CameraState
from tynysh.media.clip import cut
from tynysh.media.reader import VideoFile
from tynysh.media.segment import segments
from tynysh.media.source import open_source
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceSpec, Timeouts

FPS = 25


def brightening(
    path: Path, *, seconds: int = 2, size: tuple[int, int] = (320, 240), first: int = 20, **how: Any
) -> Film:
    """A film each of whose pictures is lighter than the one before, so that their order shows."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(how.pop("codec", "libx264"), rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.gop_size = FPS
        stream.codec_context.max_b_frames = how.pop("b_frames", 0)
        stream.options = {"preset": "veryfast", **how}
        for number in range(seconds * FPS):
            grey = np.full((size[1], size[0], 3), first + 4 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="bgr24")))
        container.mux(stream.encode(None))
    return Film(path)


def levels_of(path: Path) -> list[float]:
    """How light each picture of a file is."""
    return [float(frame.luma.mean()) for frame in VideoFile(path).frames()]


def rising(values: Iterable[float]) -> bool:
    """Whether each is greater than the one before."""
    return all(before < after for before, after in pairwise(values))


def spans(times: Iterable[float]) -> float:
    """Seconds from the earliest to the latest."""
    known = list(times)
    return max(known) - min(known)


@pytest.mark.parametrize(
    "sound",
    [
        PCMA,
        AAC_WITHOUT_CONFIGURATION,
        Sound(
            "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MP4A-LATM/16000/1\r\na=fmtp:40 cpresent=0;config=\r\n",
            b"\1" * 60,
            97,
        ),
    ],
    ids=["pcma", "aac-without-configuration", "latm-without-configuration"],
)
def test_a_sound_that_mp4_cannot_carry_keeps_no_picture_from_being_recorded(
    sound: Sound, h264: Film, tmp_path: Path
) -> None:
    """G.711 beside the picture stopped recording into MP4: blakeblackshear/frigate#3238, roflcoopter/viseron#344,
    opensensor/lightNVR#183. AAC whose configuration the SDP does not tell: bluenviron/mediacommon#144,
    bluenviron/mediamtx#3590.
    """
    with OddCamera(h264, sound=sound, plays=1) as camera, watched(camera, tmp_path) as seen:
        assert seen.gets(50)
    assert len(seen.recorded) == 50
    assert rising(packet.decode_time_s for packet in seen.recorded)


def test_a_track_of_metadata_without_a_place_to_ask_for_it_does_no_harm(h264: Film, tmp_path: Path) -> None:
    """Its description was an error to the reader, and the camera black: AlexxIT/go2rtc#1663."""
    extra = "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n"
    extra += "a=fmtp:107 DecoderTag=h3c-v3 RTCP=0\r\na=control:\r\na=\r\n"
    with (
        OddCamera(h264, sdp=lambda text: text + extra, plays=1) as camera,
        watched(camera, tmp_path) as seen,
    ):
        assert seen.gets(50)
    assert len(seen.recorded) == 50


def test_reordered_pictures_are_seen_and_recorded_in_the_order_in_which_they_were_filmed(
    tmp_path: Path,
) -> None:
    """B-frames of cameras: "pts not monotonically increasing" in scottlamb/moonfire-nvr#36, pictures that jump to and
    fro in w3c/media-source#177 and AlexxIT/go2rtc#583.
    """
    film = brightening(tmp_path / "b.mp4", b_frames=3)
    assert not rising(picture.shown_s for picture in film.pictures), "the film must have reordered pictures"
    with OddCamera(film, plays=1) as camera, watched(camera, tmp_path / "kept") as seen:
        # The last few wait in the decoder for what no longer comes.
        assert seen.gets(45)
        frames = list(seen.frames)
    assert rising(frame.level for frame in frames)
    assert rising(frame.time_s for frame in frames)
    # FFmpeg gives the first picture of a connection no time.
    assert spans(frame.time_s for frame in frames[1:]) == pytest.approx((len(frames) - 2) / FPS, abs=0.01)
    assert frames[1].time_s - frames[0].time_s < 0.5
    (segment,) = segments(tmp_path / "kept")
    kept = levels_of(segment.path)
    assert len(kept) == 50
    assert rising(kept)


@pytest.mark.parametrize("where", ["description", "stream"])
def test_parameter_sets_of_h265_are_found_wherever_they_are(where: str, hevc: Film, tmp_path: Path) -> None:
    """Only in the stream, not in the SDP: google/ExoPlayer#11089. Only in the SDP, never in the stream:
    Apra-Labs/ONVIF-Device-Manager#20, bluenviron/mediamtx#5861.
    """
    told = {"sets_in_sdp": where == "description", "sets_in_band": where == "stream"}
    with OddCamera(hevc, plays=1, **told) as camera, watched(camera, tmp_path) as seen:
        assert seen.gets(50)
        assert seen.feed.counters.corrupt_packets == 0
    clip = cut(
        segments(tmp_path), seen.recorded[0].time_s, seen.recorded[-1].time_s + 1, tmp_path / "clip.mp4"
    )
    assert VideoFile(clip.path).frame_count == 50
    assert VideoFile(clip.path).info.codec == "h264", "browsers play that"


def test_a_camera_that_films_smaller_at_night_is_watched_and_recorded_across_the_change(
    tmp_path: Path,
) -> None:
    """2560x1440 by day, 1920x1080 by night, within one connection: blakeblackshear/frigate#542."""
    day = brightening(tmp_path / "day.mp4", size=(320, 240))
    night = brightening(tmp_path / "night.mp4", size=(160, 128))
    with OddCamera(day, night, plays=1) as camera, watched(camera, tmp_path / "kept") as seen:
        assert seen.gets(100)
        frames = list(seen.frames)
    assert [(frame.width, frame.height) for frame in frames] == [(320, 240)] * 50 + [(160, 128)] * 50
    assert rising(frame.level for frame in frames[:50])
    assert rising(frame.level for frame in frames[50:])
    began_s = seen.recorded[0].time_s
    clip = cut(segments(tmp_path / "kept"), began_s, began_s + 10, tmp_path / "clip.mp4")
    shown = levels_of(clip.path)
    assert len(shown) == 100
    assert rising(shown[:50])
    assert rising(shown[50:])


def test_parameter_sets_that_change_in_the_stream_are_taken_up(tmp_path: Path) -> None:
    """When the infra-red filter moves, the encoder begins anew with other parameter sets:
    roleoroleo/yi-hack-Allwinner-v2#1153.
    """
    day = brightening(tmp_path / "day.mp4", profile="high")
    night = brightening(tmp_path / "night.mp4", profile="baseline")
    assert day.sets != night.sets
    with OddCamera(day, night, plays=1) as camera, watched(camera, tmp_path / "kept") as seen:
        assert seen.gets(100)
        frames = list(seen.frames)
        assert seen.feed.counters.corrupt_packets == 0
    assert rising(frame.level for frame in frames[:50])
    assert rising(frame.level for frame in frames[50:])


def test_single_pictures_that_are_stamped_hours_away_move_no_other(h264: Film, tmp_path: Path) -> None:
    """Every couple of seconds one picture is stamped 9,800 s back or 37,600 s ahead: bluenviron/mediamtx#6255."""
    away = {25: -9_800, 40: 37_600}
    with (
        OddCamera(
            h264,
            loops=4,
            stamp=lambda number, shown_s: round((shown_s + away.get(number % 50, 0)) * 90_000),
            plays=1,
        ) as camera,
        watched(camera, tmp_path) as seen,
    ):
        assert seen.gets(200)
        times = [frame.time_s for frame in seen.frames]
    assert rising(times)
    assert spans(times) == pytest.approx(199 / FPS, abs=0.2)
    assert spans(packet.time_s for packet in seen.recorded) == pytest.approx(199 / FPS, abs=0.2)


def test_a_clock_that_falls_back_by_seconds_again_and_again_loses_nothing(h264: Film, tmp_path: Path) -> None:
    """Backward jumps of the video's time by seconds, while the camera films on: gtxaspec/raptor#43."""
    with (
        OddCamera(
            h264, loops=5, stamp=lambda _, shown_s: round((shown_s - 4 * (shown_s // 3)) * 90_000), plays=1
        ) as camera,
        watched(camera, tmp_path) as seen,
    ):
        assert seen.gets(250)
        times = [frame.time_s for frame in seen.frames]
    assert rising(times)
    assert spans(times) == pytest.approx(249 / FPS, abs=0.2)
    assert len(seen.recorded) == 250


def test_a_time_of_zero_in_the_answer_to_play_does_not_move_the_stream(h264: Film, tmp_path: Path) -> None:
    """`rtptime=0` in the answer to PLAY, and then stamps that begin anywhere: scottlamb/retina#64."""

    def answer(method: str, _: int, text: str) -> str:
        info = "RTP-Info: url=track1;seq=0;rtptime=0\r\n\r\n"
        return text[:-2] + info if method == "PLAY" else text

    with (
        OddCamera(
            h264, answer=answer, stamp=lambda _, shown_s: 3_123_456_789 + round(shown_s * 90_000), plays=1
        ) as camera,
        watched(camera, tmp_path) as seen,
    ):
        assert seen.gets(50)
        times = [frame.time_s for frame in seen.frames]
    assert spans(times) == pytest.approx(49 / FPS, abs=0.01)
    assert abs(times[-1] - seen.states[0].since) < 30


def test_the_wrap_of_a_cameras_time_after_thirteen_hours_is_none_of_ours(h264: Film, tmp_path: Path) -> None:
    """At 90 kHz 32 bits last 13.25 hours: ultravideo/uvgRTP#31, insight-platform/savant-rs#293."""
    with (
        OddCamera(
            h264, loops=2, stamp=lambda _, shown_s: 2**32 - 90_000 + round(shown_s * 90_000), plays=1
        ) as camera,
        watched(camera, tmp_path) as seen,
    ):
        assert seen.gets(100)
        times = [frame.time_s for frame in seen.frames]
    assert rising(times)
    assert spans(times) == pytest.approx(99 / FPS, abs=0.01)


def test_a_camera_whose_own_clock_is_stepped_goes_on_at_its_own_pace(h264: Film, tmp_path: Path) -> None:
    """Cameras step their clocks by SNTP, and say so in RTCP reports, which moved the picture's time:
    scottlamb/moonfire-nvr#36.
    """

    def report(number: int) -> float | None:
        return None if number % 10 else 1_700_000_000 + number / FPS + (3600 if number >= 50 else 0)

    with (
        OddCamera(h264, loops=2, report=report, sound=PCMA, plays=1) as camera,
        watched(camera, tmp_path) as seen,
    ):
        assert seen.gets(100)
        times = [frame.time_s for frame in seen.frames]
    assert rising(times)
    assert spans(times) == pytest.approx(99 / FPS, abs=0.1)


def test_a_camera_that_films_slower_at_night_plays_at_the_right_speed(h264: Film, tmp_path: Path) -> None:
    """By day 20 pictures a second, by night 10 or so, and recordings that play twice too fast:
    mrlt8/docker-wyze-bridge#749.
    """

    def stamp(number: int, _: float) -> int:
        if number >= 20:
            time.sleep(0.1)
        return round(90_000 * (number / 20 if number < 20 else 1 + (number - 20) / 10))

    with OddCamera(h264, stamp=stamp, pace=1.0, plays=1) as camera, watched(camera, tmp_path) as seen:
        assert seen.gets(50)
    (segment,) = segments(tmp_path)
    times = VideoFile(segment.path).frame_times
    assert times[19] - times[0] == pytest.approx(19 / 20, abs=0.3)
    assert times[-1] - times[20] == pytest.approx(29 / 10, abs=0.3)


@pytest.mark.parametrize("refused", ["400 Bad Request", "501 Not Implemented"])
def test_a_camera_that_refuses_the_sign_of_life_is_watched_on(
    refused: str, h264: Film, tmp_path: Path
) -> None:
    """GET_PARAMETER or SET_PARAMETER answered by an error, or by none, ends a session: bluenviron/mediamtx#842,
    AlexxIT/go2rtc#2409, ngraziano/SharpRTSP#63.
    """
    asked: list[str] = []

    def answer(method: str, _: int, text: str) -> str:
        if method == "SETUP":
            return text.replace("timeout=60", "timeout=1")
        if method in {"GET_PARAMETER", "SET_PARAMETER"}:
            asked.append(method)
            return text.replace("200 OK", refused)
        return text

    with (
        OddCamera(h264, loops=50, pace=1.0, answer=answer) as camera,
        watched(camera, tmp_path) as seen,
    ):
        assert until(lambda: len(asked) >= 2, 30)
        before = seen.feed.counters.frames_read
        assert until(lambda: seen.feed.counters.frames_read > before + FPS, 30)
        assert seen.feed.counters.reconnects == 0
        assert camera.connections == 1


def test_a_camera_that_knows_only_options_gets_its_sign_of_life_in_time(h264: Film, tmp_path: Path) -> None:
    """Without `GET_PARAMETER` in `Public`, a session of few seconds ends unless OPTIONS come:
    bluenviron/mediamtx#1066, AxisCommunications/media-stream-library-js#235.
    """

    def answer(method: str, _: int, text: str) -> str:
        return text.replace(", GET_PARAMETER", "").replace("timeout=60", "timeout=1")

    with OddCamera(h264, loops=50, pace=1.0, answer=answer) as camera, watched(camera, tmp_path) as seen:
        assert seen.gets(1)
        assert until(lambda: sum(method == "OPTIONS" for method, _ in camera.requests) >= 3, 30)
        assert not [method for method, _ in camera.requests if method == "GET_PARAMETER"]
        assert camera.connections == 1


@pytest.mark.parametrize(
    "refusal", ["453 Not Enough Bandwidth", "454 Session Not Found", "503 Service Unavailable"]
)
def test_a_camera_that_still_holds_the_last_session_is_waited_for(
    refusal: str, h264: Film, tmp_path: Path
) -> None:
    """One that allows few sessions, and turns the next away until the last is over: CarGuo/GSYVideoPlayer#3338,
    bluenviron/gortsplib#1031, mpromonet/webrtc-streamer#713.
    """

    def answer(method: str, connection: int, text: str) -> str:
        return text.replace("200 OK", refusal) if method == "SETUP" and connection <= 2 else text

    with OddCamera(h264, answer=answer, plays=3) as camera, watched(camera, tmp_path) as seen:
        assert seen.gets(50)
        lost = [status.detail for status in seen.states if status.state is CameraState.LOST]
    assert lost[0] == "media.fault.busy"
    assert len(seen.recorded) == 50


def test_a_camera_that_turns_us_away_is_not_said_to_send_no_video(h264: Film) -> None:
    """A camera with too many viewers, told as one that is broken: mpromonet/webrtc-streamer#713."""
    with (
        OddCamera(h264, plays=0) as camera,
        pytest.raises(SourceError, match="turns us away") as caught,
    ):
        open_source(SourceSpec.parse(camera.url), Timeouts(4.0, 4.0))
    assert caught.value.fault is SourceFault.BUSY
    assert caught.value.hint is not None
    assert "too many viewers" in caught.value.hint


def test_a_session_is_named_as_the_camera_named_it_and_given_back(h264: Film, tmp_path: Path) -> None:
    """`Session: X;timeout=65` sent back whole is unknown to the camera: EasyDarwin/EasyDarwin#140. One that is not torn
    down counts against its limit: bluenviron/mediamtx#63, AxisCommunications/media-stream-library-js#687.
    """
    with OddCamera(h264, loops=50, pace=1.0) as camera:
        with watched(camera, tmp_path) as seen:
            assert seen.gets(5)
        assert until(lambda: "TEARDOWN" in dict(camera.requests))
        asked = dict(camera.requests)
    assert "\r\nSession: 7\r\n" in asked["PLAY"] + "\r\n"
    assert "\r\nSession: 7\r\n" in asked["TEARDOWN"] + "\r\n"


def test_lost_packets_cost_the_pictures_that_they_belong_to_and_no_more(tmp_path: Path) -> None:
    """Packets missed on the way: grey or smeared pictures until the next key frame, not a camera that is given up:
    bluenviron/mediamtx#1328, bluecherrydvr/bluecherry-client#40, Motion-Project/motion#1329.
    """
    film = Film(write_video(tmp_path / "a.mp4", seconds=2, walks_from_s=0))

    def lossy(number: int, given: Iterable[tuple[bytes, bool]]) -> Iterable[tuple[bytes, bool]]:
        return [] if number in {7, 8, 31} else given

    with OddCamera(film, loops=2, alter=lossy, plays=1) as camera, watched(camera, tmp_path / "kept") as seen:
        assert seen.gets(97)
        times = [frame.time_s for frame in seen.frames]
        assert seen.feed.counters.reconnects == 0
    assert rising(times)
    assert spans(times) == pytest.approx(99 / FPS, abs=0.1)
    assert len(seen.recorded) == 97


def test_an_address_of_the_cameras_inner_network_is_not_followed(h264: Film, tmp_path: Path) -> None:
    """`Content-Base` and `a=control` with the address behind the router: mpromonet/webrtc-streamer#215,
    bluenviron/mediamtx#683, ZoneMinder/zoneminder#685.
    """

    def answer(method: str, _: int, text: str) -> str:
        return text.replace("Content-Base: rtsp://127.0.0.1", "Content-Base: rtsp://192.0.2.77")

    with (
        OddCamera(
            h264,
            answer=answer,
            sdp=lambda text: text.replace("a=control:*", "a=control:rtsp://192.0.2.77/live"),
            plays=1,
        ) as camera,
        watched(camera, tmp_path) as seen,
    ):
        assert seen.gets(50)
