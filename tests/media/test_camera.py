"""A camera's stream lives on through everything that cameras do."""

import random
import re
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from unittest.mock import ANY

import cv2
import numpy as np
import pytest
from tests.media.conftest import draw
from tests.servers import ProxyServer, RtspCamera, SilentServer, free_port, until

from tynysh.backoff import Backoff
from tynysh.media.camera import CameraFeed, Clock, FeedStatus, FeedTick
from tynysh.media.camera_status import CameraState
from tynysh.media.encoder import PictureEncoder
from tynysh.media.frame import Frame
from tynysh.media.packet import SourcePacket
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceKind, SourceSpec, Timeouts

QUICK = Timeouts(open_s=2.0, read_s=1.5)


@contextmanager
def running(spec, **settings):
    """A started feed whose frames are taken by a thread; its states and frames as lists."""
    states = []
    items = []
    settings = {
        "timeouts": QUICK,
        "backoff": Backoff(first_s=0.1, most_s=0.3, random=random.Random(1)),
        **settings,
    }
    feed = CameraFeed(
        spec if isinstance(spec, SourceSpec) else SourceSpec.parse(spec), on_state=states.append, **settings
    )
    feed.start()
    # `extend` appends what it takes one by one.
    reader = threading.Thread(target=lambda: items.extend(feed.frames(tick_s=0.1)), daemon=True)
    reader.start()
    try:
        yield feed, states, items
    finally:
        feed.stop()
        reader.join(5)


def frames_of(items):
    return [item for item in items if isinstance(item, Frame)]


def test_a_camera_goes_live_and_its_frames_have_the_time_of_day(rtsp_camera):
    with running(rtsp_camera.url("clip.mp4")) as (feed, states, items):
        assert until(lambda: len(frames_of(items)) >= 50)
        now = time.time()
        frames = frames_of(items)
        assert feed.status.state is CameraState.LIVE
        assert [status.state for status in states] == [CameraState.LIVE]
        assert abs(now - frames[-1].time_s) < 1.5
        assert all(a.time_s < b.time_s and a.index < b.index for a, b in pairwise(frames))
        counters = feed.counters
        assert counters.frames_read >= 50
        assert counters.frames_dropped == 0
        assert counters.reconnects == 0


def test_the_first_picture_is_not_lost_on_one_who_begins_to_take_them_late(video_folder):
    feed = CameraFeed(SourceSpec.parse(str(video_folder / "clip.mp4")))
    arriving = feed.frames()
    feed.start()
    try:
        assert until(lambda: feed.counters.frames_read > 3)
        assert next(item for item in arriving if isinstance(item, Frame)).index == 0
    finally:
        feed.stop()


def test_one_connection_serves_analysis_and_everyone_else(rtsp_camera):
    with (
        ProxyServer(rtsp_camera.port) as line,
        running(f"rtsp://127.0.0.1:{line.port}/clip.mp4?play_count=0") as (feed, _, items),
    ):
        queues = [feed.subscribe(), feed.subscribe()]
        assert until(lambda: len(frames_of(items)) >= 30)
        packets = [queue.get(1) for queue in queues]
        assert all(packet is not None and packet.is_key for packet in packets)
        assert line.connections == 1


def test_the_end_of_a_live_stream_is_a_loss_and_is_followed_by_a_new_connection(video_folder):
    with (
        RtspCamera(video_folder) as camera,
        running(camera.url("short.mp4", loop=False)) as (feed, states, items),
    ):
        assert until(lambda: feed.counters.reconnects >= 1, 25)
        assert until(lambda: feed.status.state is CameraState.LIVE)
        lost = [status for status in states if status.state is CameraState.LOST]
        assert lost
        assert lost[0].detail in {"media.fault.ended", "media.fault.broken"}
        frames = frames_of(items)
        assert all(a.time_s < b.time_s for a, b in pairwise(frames))


def test_a_camera_that_dies_and_comes_back(video_folder):
    port = free_port()
    with RtspCamera(video_folder, port) as camera:
        url = camera.url("clip.mp4")
        with running(url) as (feed, _, items):
            assert until(lambda: len(frames_of(items)) >= 10)
            camera.close()
            assert until(lambda: feed.status.state is CameraState.LOST)
            before = len(frames_of(items))
            assert until(lambda: isinstance(items[-1], FeedTick))
            assert items[-1].status.state is CameraState.LOST
            with RtspCamera(video_folder, port):
                assert until(lambda: feed.status.state is CameraState.LIVE)
                assert until(lambda: len(frames_of(items)) > before)
                frames = frames_of(items)
                assert all(a.time_s < b.time_s for a, b in pairwise(frames))


def test_silence_is_first_degraded_then_lost(rtsp_camera):
    with (
        ProxyServer(rtsp_camera.port) as line,
        running(
            f"rtsp://127.0.0.1:{line.port}/clip.mp4?play_count=0",
            stall_s=0.8,
            timeouts=Timeouts(open_s=2, read_s=3),
        ) as (feed, states, items),
    ):
        assert until(lambda: len(frames_of(items)) >= 10)
        line.silence()
        assert until(lambda: feed.status.state is CameraState.LOST)
        assert [status.state for status in states[-2:]] == [CameraState.DEGRADED, CameraState.LOST]
        assert states[-1].detail == states[-2].detail == "media.fault.stalled"
        line.speak()
        assert until(lambda: feed.status.state is CameraState.LIVE)


@pytest.mark.parametrize("hangs", ["connecting", "reading"])
def test_a_feed_stops_within_two_seconds_even_when_its_peer_hangs(rtsp_camera, hangs):
    slow = Timeouts(open_s=8, read_s=8)
    with SilentServer() as server, ProxyServer(rtsp_camera.port) as line:
        port = server.port if hangs == "connecting" else line.port
        with running(f"rtsp://127.0.0.1:{port}/clip.mp4?play_count=0", timeouts=slow) as (
            feed,
            states,
            items,
        ):
            if hangs == "reading":
                assert until(lambda: len(frames_of(items)) >= 5)
                line.silence()
            time.sleep(0.3)
            reported = len(states)
            began = time.monotonic()
            feed.stop()
            assert time.monotonic() - began < 2.6
            line.cut()
            time.sleep(0.2)
            assert len(states) == reported


def test_a_wrong_password_is_a_state_of_its_own(rtsp_camera):
    with (
        ProxyServer(rtsp_camera.port, account=("a", "b")) as line,
        running(f"rtsp://a:c@127.0.0.1:{line.port}/clip.mp4") as (feed, _, _items),
    ):
        assert until(lambda: feed.status.state is CameraState.LOST)
        assert feed.status.detail == "media.fault.wrong_password"
        time.sleep(1.0)
        assert line.connections <= 2


def test_a_file_plays_at_its_own_speed_and_over_again(video):
    path = video("clip.mp4", seconds=1, keyint=5)
    began = time.monotonic()
    with running(path) as (_feed, states, items):
        assert until(lambda: len(frames_of(items)) >= 60)
        assert time.monotonic() - began > 1.2
        assert [status.state for status in states] == [CameraState.LIVE]
        frames = frames_of(items)
        assert all(a.time_s < b.time_s for a, b in pairwise(frames))
        assert frames[-1].time_s - frames[0].time_s == pytest.approx(59 / 25, abs=0.3)


class Scripted:
    """A source in this process that does what a test tells it to."""

    def __init__(self, script):
        self._encoder = PictureEncoder(320, 240, 25)
        self.info = self._encoder.info
        self._script = script

    def packets(self):
        yield from self._script(self._encoder)

    def close(self):
        self._encoder.close()


PLUGGED = SourceSpec("test:", SourceKind.PLUGGED)


def test_lying_stamps_are_mended_and_counted():
    def script(encoder):
        for number in range(36):
            for packet in encoder.encode(draw(number, 25), number / 25):
                stamp = (
                    None if number in {14, 15} else (packet.pts or 0) + (90000 * 900 if number > 26 else 0)
                )
                yield SourcePacket(packet.data, stamp, stamp, packet.is_key)
            time.sleep(0.01)
        time.sleep(1)

    with running(PLUGGED, opener=lambda spec, timeouts: Scripted(script)) as (feed, _, items):
        assert until(lambda: len(frames_of(items)) >= 36)
        frames = frames_of(items)
        assert all(0 < b.time_s - a.time_s < 0.2 for a, b in pairwise(frames))
        assert feed.counters.timestamps_mended >= 3


def test_damaged_packets_degrade_the_camera_and_are_counted():
    def script(encoder):
        for number in range(600):
            for packet in encoder.encode(draw(number, 25), number / 25):
                data = b"\x00\x00\x01\x65" + b"\xff" * 20 if number % 5 == 4 else packet.data
                yield SourcePacket(data, packet.pts, packet.dts, packet.is_key, is_corrupt=number % 5 == 4)
            time.sleep(0.001)
        time.sleep(5)

    with running(
        PLUGGED,
        opener=lambda spec, timeouts: Scripted(script),
        clock=Clock(monotonic=lambda: time.monotonic() * 20),
        stall_s=1000,
    ) as (feed, states, _items):
        assert until(lambda: any(status.detail == "media.degraded.corrupt percent=20" for status in states))
        assert feed.counters.corrupt_packets > 0


def scrambled(data):
    """An H.264 picture as a camera with stream encryption on sends it: headers in clear, slices not."""
    rng = np.random.default_rng(len(data))
    units = re.split(rb"(\x00\x00\x00?\x01)", data)
    for at, unit in enumerate(units):
        if unit and unit[0] & 31 in (1, 5):
            noise = rng.integers(1, 256, len(unit) - 1, dtype=np.uint8).tobytes()
            units[at] = unit[:1] + noise
    return b"".join(units)


@pytest.mark.parametrize("pictures_before", [0, 60])
def test_a_stream_that_shows_nothing_is_not_live_until_it_shows_something(pictures_before):
    readable = threading.Event()

    def script(encoder):
        for number in range(100_000):
            clear = number < pictures_before or readable.is_set()
            for packet in encoder.encode(draw(number, 25), number / 25):
                yield SourcePacket(
                    packet.data if clear else scrambled(packet.data), packet.pts, packet.dts, packet.is_key
                )
            time.sleep(0.002)

    with running(
        PLUGGED,
        opener=lambda spec, timeouts: Scripted(script),
        clock=Clock(monotonic=lambda: time.monotonic() * 20),
        stall_s=1000,
    ) as (feed, _states, items):
        assert until(lambda: feed.status == FeedStatus(CameraState.LOST, ANY, "media.fault.undecodable"))
        seen = len(items)
        assert until(lambda: len(items) > seen + 2)
        assert all(isinstance(item, FeedTick) for item in items[seen:]), "nothing is judged by such pictures"
        readable.set()
        assert until(lambda: feed.status.state is CameraState.LIVE)
        seen = len(frames_of(items))
        assert until(lambda: len(frames_of(items)) > seen + 10)


def test_an_unexpected_end_of_the_opener_is_not_the_end_of_the_feed():
    attempts = []

    def opener(spec, timeouts):
        attempts.append(1)
        raise SourceError(SourceFault.REFUSED, "no")

    with running(PLUGGED, opener=opener) as (_feed, states, items):
        assert until(lambda: len(attempts) >= 4)
        assert [status.state for status in states] == [CameraState.LOST]
        assert until(lambda: bool(items))
        assert all(isinstance(item, FeedTick) for item in items)


def test_a_camera_that_refuses_the_password_is_asked_rarely_for_many_lock_the_account():
    attempts = []

    def opener(spec, timeouts):
        attempts.append(1)
        raise SourceError(SourceFault.WRONG_PASSWORD, "no")

    with running(PLUGGED, opener=opener) as (feed, _states, items):
        assert until(
            lambda: len(items) >= 12
        )  # more than a second, in which others are asked again and again
        assert feed.status.detail == "media.fault.wrong_password"
        assert len(attempts) == 1


def test_a_folder_plays_as_one_camera_file_after_file(video, tmp_path):
    for name in ("part1.mp4", "part2.mp4"):
        video(name, seconds=1, keyint=5)
    with running(tmp_path) as (feed, states, items):
        assert until(lambda: feed.counters.frames_read >= 60)
        assert [status.state for status in states] == [CameraState.LIVE]
        frames = frames_of(items)
        assert all(0 < b.time_s - a.time_s < 0.2 for a, b in pairwise(frames))


class MultipartCamera(BaseHTTPRequestHandler):
    """A camera that sends JPEG after JPEG, five a second, as cheap ones do."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        began = time.monotonic()
        try:
            for number in range(200):
                jpeg = cv2.imencode(".jpg", draw(number, 5))[1].tobytes()
                head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
                self.wfile.flush()
                time.sleep(max(0.0, began + (number + 1) / 5 - time.monotonic()))
        except OSError:
            pass

    def log_message(self, *args):
        pass


@contextmanager
def http_server(handler):
    """The address of a web server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_the_time_of_a_live_stream_over_http_goes_as_time_does():
    with (
        http_server(MultipartCamera) as base,
        running(f"{base}/video.mjpg", timeouts=Timeouts(open_s=10, read_s=5)) as (feed, _, items),
    ):
        assert until(lambda: len(frames_of(items)) >= 5)
        before, began = frames_of(items)[-1], time.monotonic()
        assert until(lambda: len(frames_of(items)) >= 30)
        frames = frames_of(items)
        assert frames[29].time_s - before.time_s == pytest.approx(time.monotonic() - began, rel=0.25)
        assert abs(time.time() - frames[-1].time_s) < 1.5
        assert all(a.time_s < b.time_s for a, b in pairwise(frames))
        assert feed.counters.reconnects == 0


def test_a_file_over_http_plays_at_its_own_speed(video, tmp_path):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    video("clip.mp4", seconds=3, keyint=5)
    with (
        http_server(partial(Quiet, directory=str(tmp_path))) as base,
        running(f"{base}/clip.mp4") as (_feed, _states, items),
    ):
        assert until(lambda: len(frames_of(items)) >= 10)
        began = time.monotonic()
        assert until(lambda: len(frames_of(items)) >= 70)
        assert time.monotonic() - began > 1.2


@pytest.mark.parametrize("fails", ["opening", "reading"])
@pytest.mark.parametrize("error", [ValueError, OSError, RuntimeError])
def test_no_error_whatever_ends_a_feed(fails, error, caplog):
    attempts = []

    def script(encoder):
        if len(attempts) < 3:
            raise error("rtsp://admin:hunter2@camera")
        for number in range(100):
            yield from encoder.encode(draw(number, 25), number / 25)
            time.sleep(0.02)

    def opener(spec, timeouts):
        attempts.append(1)
        if fails == "opening" and len(attempts) < 3:
            raise error("rtsp://admin:hunter2@camera")
        return Scripted(script)

    with running(PLUGGED, opener=opener) as (feed, states, _items):
        assert until(lambda: feed.status.state is CameraState.LIVE)
        assert [status.state for status in states] == [CameraState.LOST, CameraState.LIVE]
        assert states[0].detail == "media.fault.broken"
    assert error.__name__ in caplog.text
    assert "hunter2" not in caplog.text


def test_a_folder_that_vanishes_is_waited_for(video, tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    clip = video("clip.mp4", seconds=1, keyint=5)
    clip.rename(folder / "clip.mp4")
    spec = SourceSpec.parse(folder)
    folder.rename(tmp_path / "away")
    with running(spec) as (feed, _states, _items):
        assert until(lambda: feed.status.state is CameraState.LOST)
        (tmp_path / "away").rename(folder)
        assert until(lambda: feed.status.state is CameraState.LIVE)
