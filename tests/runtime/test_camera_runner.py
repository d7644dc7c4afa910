"""A camera whose recording fails says so, is watched on, and says when recording goes on."""

import threading
from pathlib import Path
from random import Random

import pytest
from tests.odd_cameras import OddCamera
from tests.runtime.conftest import QUIET, camera, site
from tests.runtime.street import CoatDetector
from tests.servers import RtspCamera, until

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import SiteError
from tynysh.media import recorder as recording
from tynysh.media.camera import CameraFeed
from tynysh.media.source_spec import Transport, Trust
from tynysh.runtime.camera_runner import CameraRunner, source_of, start_camera
from tynysh.runtime.networks import Networks
from tynysh.translations import LANGUAGES, text


class Disk:
    """How much room there is."""

    free = 10**12

    def __call__(self, _folder: Path) -> int:
        return self.free


def started(folder: Path, video: Path | str, events: list[Event], **more: object) -> CameraRunner:
    street_site = site(camera("north", video, **more)).sites[0]
    networks = Networks(detector=CoatDetector(), pose=None)  # type: ignore[arg-type]
    lock = threading.Lock()

    def received(_: CameraRunner, event: Event) -> None:
        with lock:
            events.append(event)

    return start_camera(
        street_site, street_site.cameras[0], networks, folder, on_event=received, random=Random(1)
    )


def faults(events: list[Event]) -> list[Event]:
    return [event for event in list(events) if event.behaviour == Behaviour.RECORDING_FAULT]


def test_a_full_disk_is_an_event_that_ends_when_there_is_room_again(
    tmp_path: Path, streets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk()
    monkeypatch.setitem(recording.Recorder.__init__.__kwdefaults__, "free_bytes", disk)
    monkeypatch.setattr(recording, "_RETRY_S", 0.3)
    monkeypatch.setattr(recording, "_CHECK_S", 0.1)
    events: list[Event] = []
    runner = started(tmp_path, streets / "street.mp4", events)
    try:
        assert until(lambda: runner.status().recording, 20)
        disk.free = 0
        assert until(lambda: len(faults(events)) == 1, 10)
        (begun,) = faults(events)
        assert (begun.phase, begun.end_s) == (Phase.BEGUN, None)
        assert begun.reason is not None
        assert all(text(language, f"reason.{begun.reason.key}") for language in LANGUAGES)
        assert not runner.status().recording

        analysed = runner.analysed
        assert until(lambda: runner.analysed > analysed + 5, 10), "the analysis goes on"
        assert until(lambda: any(event.behaviour == Behaviour.INTRUSION for event in list(events)), 10)

        disk.free = 10**12
        assert until(lambda: len(faults(events)) == 2, 15)
        ended = faults(events)[1]
        assert (ended.id, ended.phase) == (begun.id, Phase.ENDED)
        assert ended.end_s is not None
        assert ended.end_s > begun.start_s
        assert until(lambda: runner.status().recording, 5)
    finally:
        runner.stop()
    assert len(faults(events)) == 2


def test_a_recording_fault_ends_with_its_camera(
    tmp_path: Path, streets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk()
    disk.free = 0
    monkeypatch.setitem(recording.Recorder.__init__.__kwdefaults__, "free_bytes", disk)
    events: list[Event] = []
    runner = started(tmp_path, streets / "empty.mp4", events)
    assert until(lambda: len(faults(events)) == 1, 20)
    runner.stop()
    assert [event.phase for event in faults(events)] == [Phase.BEGUN, Phase.ENDED]


@pytest.mark.parametrize("broken", ["record", "_hand_on"])
def test_a_camera_whose_recording_or_stream_breaks_counts_as_broken(
    tmp_path: Path, streets: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    runner = started(tmp_path, streets / "empty.mp4", [])
    try:
        assert until(lambda: runner.status().recording, 20)
        assert not runner.broken

        def breaks(*_: object) -> None:
            raise SystemExit

        monkeypatch.setattr(recording.Recorder if broken == "record" else CameraFeed, broken, breaks)
        assert until(lambda: runner.broken, 10)
    finally:
        runner.stop()
    assert not runner.broken


def test_the_full_stream_is_recorded_where_a_smaller_one_is_analysed(tmp_path: Path, streets: Path) -> None:
    events: list[Event] = []
    runner = started(tmp_path, streets / "empty.mp4", events, sub=str(streets / "street.mp4"))
    try:
        assert until(lambda: runner.status().recording, 20)
        assert until(lambda: any(event.behaviour == Behaviour.INTRUSION for event in events), 20)
        assert runner.feed.spec.address.endswith("street.mp4")
    finally:
        runner.stop()
    assert not runner.broken
    assert any((tmp_path / "north").iterdir())


def test_a_camera_that_is_lost_is_an_event_that_ends_when_it_is_back(tmp_path: Path, streets: Path) -> None:
    watched = {**QUIET, "camera_fault": {"lost_s": 1, "cooldown_s": 0}}
    events: list[Event] = []
    server = RtspCamera(streets)
    runner = started(tmp_path, server.url("empty.mp4"), events, analysers=watched)
    try:
        assert until(lambda: runner.analysed > 3, 20)
        assert runner.picture() is not None
        server.close()
        assert until(lambda: bool(events), 20)
        (begun,) = [event for event in list(events) if event.phase is Phase.BEGUN]
        assert (begun.behaviour, begun.subject) == (Behaviour.CAMERA_FAULT, "lost")
        assert runner.status().state == "lost"
        assert runner.picture() is None, "what was is not shown as what is"
        assert not runner.status().recording, "nothing comes that could be recorded"

        server = RtspCamera(streets, port=server.port)
        assert until(lambda: list(events)[-1].phase is Phase.ENDED, 40)
        assert list(events)[-1].id == begun.id
        assert until(lambda: runner.picture() is not None, 10)
        assert runner.status().counters.reconnects == 1
    finally:
        runner.stop()
        server.close()


def test_a_camera_whose_pictures_cannot_be_decoded_is_an_event(
    tmp_path: Path, streets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tynysh.media.camera._BARREN_S", 0.5)
    watched = {**QUIET, "camera_fault": {"lost_s": 1, "cooldown_s": 0}}
    noise = Random(1)
    events: list[Event] = []
    with OddCamera(
        streets / "street.mp4", damage=lambda slice_: slice_[:1] + noise.randbytes(len(slice_) - 1)
    ) as scrambled:
        runner = started(tmp_path, scrambled.url, events, analysers=watched)
        try:
            assert until(lambda: bool(events), 20)
            assert (events[0].behaviour, events[0].subject) == (Behaviour.CAMERA_FAULT, "lost")
            assert (runner.status().state, runner.status().detail) == ("lost", "media.fault.undecodable")
            assert runner.picture() is None
        finally:
            runner.stop()


def test_what_a_site_says_of_a_stream_is_how_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMERA_PASSWORD", "hunter2")
    street_site = site(
        camera("north", "rtsp://10.0.0.7/main", transport="udp"),
        defaults={
            "credentials": {"username": "operator", "password": {"env": "CAMERA_PASSWORD"}},
            "trust": {"basic_in_clear": True, "hosts": ["10.0.0.0/8"]},
        },
    ).sites[0]
    spec = source_of(street_site, street_site.cameras[0], street_site.cameras[0].main)
    assert spec.transport is Transport.UDP
    assert spec.credentials is not None
    assert (spec.credentials.user, spec.credentials.password) == ("operator", "hunter2")
    assert "hunter2" not in repr(spec)
    assert spec.trust == Trust(basic_in_clear=True, hosts=("10.0.0.0/8",))


def test_an_address_with_places_needs_something_to_fill_them() -> None:
    street_site = site(camera("north", "rtsp://10.0.0.7/user={user}")).sites[0]
    with pytest.raises(SiteError, match="has places for a name and a password, and there are none"):
        source_of(street_site, street_site.cameras[0], street_site.cameras[0].main)


def test_a_stream_whose_reading_hangs_is_lost_and_its_camera_counts_as_broken(
    tmp_path: Path, streets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a driver may, which knows no time-outs."""
    monkeypatch.setattr("tynysh.runtime.camera_runner.FEED_HANG_S", 2.0)
    goes_on = threading.Event()
    monkeypatch.setattr(CameraFeed, "_target", lambda *_: goes_on.wait())
    runner = started(tmp_path, streets / "empty.mp4", [])
    try:
        assert until(lambda: runner.feed_hangs, 20)
        assert runner.broken
    finally:
        goes_on.set()
        runner.stop()
    assert not runner.broken
