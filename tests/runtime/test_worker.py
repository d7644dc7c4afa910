"""A worker watches its cameras, keeps what it saw, and goes on whatever happens to one of them."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select
from tests.runtime.conftest import Installation, camera, site
from tests.runtime.street import BLURRED, SEEN, CoatDetector, heads, write_street
from tests.servers import ProxyServer, RtspCamera, until

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.bus.workers import Workers
from tynysh.errors import StoreError
from tynysh.incidents.incident import Incident
from tynysh.media.camera_status import CameraStatus
from tynysh.media.frame import Frame
from tynysh.media.reader import VideoFile
from tynysh.media.segment import segment_path, segments
from tynysh.runtime.camera_runner import CameraRunner, start_camera
from tynysh.runtime.camera_set import share
from tynysh.runtime.networks import Networks
from tynysh.runtime.state_record import StateRecord
from tynysh.runtime.thresholds import Thresholds
from tynysh.runtime.worker import Rhythm, Worker
from tynysh.scene.person import Person
from tynysh.site.apply import stored
from tynysh.site.camera import Camera
from tynysh.site.site import Site
from tynysh.store.queries import cameras, clips, incidents
from tynysh.store.queries.events import record
from tynysh.store.queries.incidents import Filter
from tynysh.store.schema import EventRow
from tynysh.translations import LANGUAGES, text


@pytest.fixture(scope="module")
def rtsp(streets: Path) -> Iterator[RtspCamera]:
    with RtspCamera(streets) as server:
        yield server


def listed(installation: Installation) -> Sequence[Incident]:
    with installation.database.reading() as session:
        return incidents.page(session, Filter()).items


def state(installation: Installation, camera_id: str) -> CameraStatus | None:
    with installation.database.reading() as session:
        found = cameras.camera(session, camera_id)
    return None if found is None else found.status


def is_live(installation: Installation, camera_id: str) -> bool:
    status = state(installation, camera_id)
    return status is not None and status.state == "live"


def is_lost(installation: Installation, camera_id: str) -> bool:
    status = state(installation, camera_id)
    return status is not None and status.state == "lost"


def still_open(installation: Installation) -> list[str]:
    with installation.database.reading() as session:
        return list(session.scalars(select(EventRow.id).where(EventRow.ended_at.is_(None))))


def clip_of(installation: Installation, incident_id: int) -> clips.StoredClip:
    with installation.database.reading() as session:
        found = clips.get(session, incident_id)
    assert found is not None
    return found


def test_from_a_camera_over_rtsp_to_an_incident_with_a_blurred_clip(
    installation: Installation,
    rtsp: RtspCamera,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("CAMERA_PASSWORD", "hunter2")
    with ProxyServer(rtsp.port, account=("operator", "another")) as line:
        closed = f"rtsp://127.0.0.1:{line.port}/street.mp4?play_count=0"
        account = {"username": "operator", "password": {"env": "CAMERA_PASSWORD"}}
        installation.apply(
            site(
                camera("north", rtsp.url("street.mp4")),
                camera("closed", closed, credentials=account, trust={"basic_in_clear": True}),
            )
        )
        with installation.worker():
            # A camera that does not take our password says so, and harms nobody.
            assert until(lambda: bool(listed(installation)), 30)
            assert until(lambda: is_lost(installation, "closed"), 20)
            refused = state(installation, "closed")
            assert refused is not None
            assert refused.detail == "media.fault.wrong_password"

            (incident,) = listed(installation)
            assert (incident.behaviour, incident.camera.id, incident.zone) == ("intrusion", "north", "gate")
            assert until(lambda: listed(installation)[0].still, 10)
            assert until(lambda: listed(installation)[0].clip == "ready", 40), clip_of(
                installation, incident.id
            )
            live = state(installation, "north")
            assert live is not None
            assert (live.state, live.recording, live.people) == ("live", True, 1)
            assert live.counters.frames_analysed > 20
    assert "hunter2" not in caplog.text

    clip = clip_of(installation, incident.id)
    assert clip.started_at is not None
    assert clip.ended_at is not None
    assert clip.ended_at >= incident.started_at + 2.5, "it shows what followed"
    evidence = installation.folder.evidence
    assert clip.anonymised_path == f"{incident.id}/clip.mp4"
    shown, original = evidence / str(clip.anonymised_path), evidence / str(clip.original_path)
    assert VideoFile(shown).duration_s == pytest.approx(clip.ended_at - clip.started_at, abs=0.5)
    seen = heads(original)
    assert len(seen) > 20
    assert min(seen) > SEEN, "the walker's head can be told in what was filmed"
    blurred = heads(shown)
    assert len(blurred) > 20
    assert max(blurred) < BLURRED, "and in nothing that is shown"
    still = (evidence / str(incident.id) / "still.jpg").read_bytes()
    assert still[:2] == b"\xff\xd8"
    for path in (shown, original, evidence / str(incident.id) / "still.jpg"):
        assert path.stat().st_mode & 0o077 == 0, "nobody else on the machine may look"


@pytest.mark.parametrize("lag_s", [0.5, 1.5])
def test_a_clip_of_a_stream_that_lags_the_one_analysed_shows_nobody(
    installation: Installation, tmp_path: Path, lag_s: float
) -> None:
    """Nor where it shows another part of the street than the stream that is analysed."""
    folder = tmp_path / "cameras"
    folder.mkdir()
    write_street(folder / "sub.mp4", seconds=20)
    write_street(folder / "main.mp4", seconds=20, lag_s=lag_s, rows=(40, 220))
    with RtspCamera(folder) as server:
        installation.apply(site(camera("north", server.url("main.mp4"), sub=server.url("sub.mp4"))))
        with installation.worker():
            assert until(lambda: bool(listed(installation)) and listed(installation)[0].clip == "ready", 40)
            (incident,) = listed(installation)
    folder = installation.folder.evidence / str(incident.id)
    seen, shown = heads(folder / "original.mp4"), heads(folder / "clip.mp4")
    assert len(shown) == len(seen) > 20
    assert min(seen) > SEEN
    assert max(shown) < BLURRED


def test_a_clip_begins_before_what_it_shows(installation: Installation, streets: Path) -> None:
    """Somebody who is there only from the third second on."""

    class Later(CoatDetector):
        began_s: float | None = None

        def detect(self, frame: Frame) -> Sequence[Person]:
            Later.began_s = Later.began_s or frame.time_s
            return super().detect(frame) if frame.time_s - Later.began_s > 2.5 else []

    street_site = site(camera("north", streets / "street.mp4"), clip={"before_s": 2, "after_s": 1})
    installation.apply(street_site)
    with installation.worker(detector=Later()):
        assert until(lambda: bool(listed(installation)), 30)
        assert until(lambda: listed(installation)[0].clip == "ready", 40)
    (incident,) = listed(installation)
    clip = clip_of(installation, incident.id)
    assert clip.started_at is not None
    assert 1.9 <= incident.started_at - clip.started_at <= 3.3, "two seconds, and back to a key frame"


def test_cameras_come_go_and_change_with_the_database_while_others_go_on(
    installation: Installation, streets: Path
) -> None:
    empty = streets / "empty.mp4"
    installation.apply(site(camera("north", empty), camera("south", empty)))
    with installation.worker() as worker:
        assert until(lambda: is_live(installation, "north") and is_live(installation, "south"), 20)
        steady, changing = worker.runners["north"], worker.runners["south"]

        installation.apply(site(camera("north", empty), camera("south", streets / "street.mp4")))
        assert until(lambda: worker.runners.get("south") not in {None, changing}, 10)
        assert until(lambda: bool(listed(installation)), 20)
        assert {incident.camera.id for incident in listed(installation)} == {"south"}

        installation.apply(site(camera("north", empty), camera("east", empty)))
        assert until(lambda: set(worker.runners) == {"north", "east"}, 10)
        assert until(lambda: not still_open(installation), 10), "what held on it ended with it"

        hall = {"name": "Hall", "views": [{"camera": "north"}]}
        installation.apply(site(camera("north", empty), camera("east", empty, enabled=False), places=[hall]))
        assert until(lambda: set(worker.runners) == {"north"}, 10)
        assert worker.runners["north"] is steady
        assert not steady.broken


def test_sites_are_read_when_they_were_applied_and_not_again_and_again(
    installation: Installation, streets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    monkeypatch.setattr(
        "tynysh.runtime.worker.stored", lambda session: reads.append("sites") or stored(session)
    )
    rounds: list[float] = []
    monkeypatch.setattr(Thresholds, "keep", lambda _self, _runners, *, now: rounds.append(now))
    installation.apply(site(camera("north", streets / "empty.mp4", enabled=False)))
    with installation.worker() as worker:
        assert until(lambda: len(rounds) > 3, 20)
        assert len(reads) == 1
        installation.apply(site(camera("north", streets / "empty.mp4")))
        assert until(lambda: set(worker.runners) == {"north"}, 10)
        assert len(reads) == 2


def test_a_worker_ends_when_it_is_told_so_over_the_bus(installation: Installation, streets: Path) -> None:
    installation.apply(site(camera("north", streets / "empty.mp4")))
    bus = installation.folder.bus
    with installation.worker() as worker:
        assert until(lambda: "north" in worker.runners, 20)
        assert asyncio.run(Workers(bus).stop(["worker-0"])) == {"worker-0"}
        assert until(lambda: not asyncio.run(bus.names()), 20)
        assert not worker.runners


def test_a_camera_whose_analysis_breaks_is_started_again_and_others_go_on(
    installation: Installation, streets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    class BreaksOnce(CoatDetector):
        broke = 0

        def detect(self, frame: Frame) -> Sequence[Person]:
            if self.broke < 1:
                self.broke += 1
                raise ZeroDivisionError
            return super().detect(frame)

    installation.apply(site(camera("north", streets / "street.mp4")))
    detector = BreaksOnce()
    with installation.worker(detector=detector):
        assert until(lambda: bool(listed(installation)), 30)
    assert detector.broke == 1


def test_a_camera_whose_analysis_hangs_is_told_as_not_watched_and_started_again(
    installation: Installation, streets: Path
) -> None:
    goes_on = threading.Event()

    class HangsOnce(CoatDetector):
        hung = 0

        def detect(self, frame: Frame) -> Sequence[Person]:
            if self.hung < 1:
                self.hung += 1
                goes_on.wait()
            return super().detect(frame)

    def hangs() -> list[Incident]:
        return [incident for incident in listed(installation) if incident.behaviour == Behaviour.CAMERA_FAULT]

    installation.apply(site(camera("north", streets / "street.mp4")))
    with installation.worker(detector=HangsOnce(), hang_s=2.0):
        try:
            assert until(lambda: bool(hangs()), 30)
            assert until(lambda: hangs()[0].ended_at is not None, 30)
            assert until(lambda: is_live(installation, "north"), 10)
            assert until(lambda: len(listed(installation)) > 1, 30), "it is watched as before"
        finally:
            goes_on.set()
    assert len(hangs()) == 1


@pytest.mark.parametrize(
    ("thread", "hangs"),
    [("clips", "tynysh.store.queries.clips.pending"), ("places", "tynysh.runtime.place_keeper.stored")],
)
def test_a_worker_of_which_a_thread_hangs_ends_to_be_started_anew(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, thread: str, hangs: str
) -> None:
    goes_on, stop = threading.Event(), threading.Event()
    monkeypatch.setattr(hangs, lambda *_, **__: goes_on.wait())
    networks = Networks(detector=CoatDetector(), pose=None)  # type: ignore[arg-type]
    rhythm = Rhythm(round_s=0.1, patience_s=1.0)
    worker = Worker(0, 1, installation.folder, installation.database, networks, Random(7), rhythm)
    giving_up = threading.Timer(40, stop.set)
    giving_up.start()
    try:
        with pytest.raises(RuntimeError, match=f"the thread {thread} hangs"):
            worker.run(stop)
    finally:
        giving_up.cancel()
        goes_on.set()


async def test_a_worker_whose_rounds_hang_gives_no_sign_of_life(
    installation: Installation, streets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    installation.apply(site(camera("north", streets / "street.mp4")))
    workers = Workers(installation.folder.bus)
    with installation.worker(patience_s=1.0):
        try:
            assert await asyncio.to_thread(until, lambda: is_live(installation, "north"), 30)
            assert await workers.answers("worker-0")
            monkeypatch.setattr(StateRecord, "keep", lambda *_, **__: goes_on.wait())
            async with asyncio.timeout(30):
                while await workers.answers("worker-0"):
                    await asyncio.sleep(0.1)
            assert not await workers.status(), "the console takes it for silent, too"
        finally:
            goes_on.set()


def test_a_camera_whose_password_is_not_to_be_found_says_so_until_it_is(
    installation: Installation, streets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "password"
    account = {"username": "operator", "password": {"file": str(secret)}}
    empty = streets / "empty.mp4"
    installation.apply(site(camera("north", empty), camera("closed", empty, credentials=account)))
    with installation.worker() as worker:
        assert until(lambda: is_live(installation, "north"), 20)
        assert until(lambda: is_lost(installation, "closed"), 10)
        status = state(installation, "closed")
        assert status is not None
        assert status.detail == "not_configured", "places on the server are for the log alone"
        assert all(text(language, f"console.camera.detail.{status.detail}") for language in LANGUAGES)
        assert set(worker.runners) == {"north"}
        secret.write_text("hunter2\n")
        assert until(lambda: is_live(installation, "closed"), 20)


def test_a_camera_that_fails_in_a_way_nobody_thought_of_does_not_keep_others_from_being_watched(
    installation: Installation, streets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def fails_once(site: Site, camera: Camera, *more: object, **named: object) -> CameraRunner:
        tried.append(camera.id)
        if tried.count("broken") == 1 and camera.id == "broken":
            raise ZeroDivisionError
        return start_camera(site, camera, *more, **named)

    monkeypatch.setattr("tynysh.runtime.worker.start_camera", fails_once)
    empty = streets / "empty.mp4"
    installation.apply(site(camera("broken", empty), camera("north", empty)))
    with installation.worker():
        assert until(lambda: is_live(installation, "north"), 20)
        assert until(lambda: is_live(installation, "broken"), 20)
    assert tried.count("broken") == 2


def test_a_camera_that_is_not_recorded_has_stills_and_no_clips(
    installation: Installation, streets: Path
) -> None:
    installation.apply(site(camera("north", streets / "street.mp4", recording=False)))
    with installation.worker():
        assert until(lambda: any(incident.still for incident in listed(installation)), 30)
    (incident,) = listed(installation)
    assert incident.clip == "none"
    assert not segments(installation.folder.recordings / "north")


async def test_the_bus_tells_states_pictures_and_live_video(
    installation: Installation, streets: Path
) -> None:
    installation.apply(site(camera("north", streets / "street.mp4")))
    workers = Workers(installation.folder.bus)
    with installation.worker() as worker:
        assert until(lambda: is_live(installation, "north") and worker.runners["north"].analysed > 0, 20)
        status = await workers.status()
        assert status["north"].state == "live"
        assert status["north"].worker == 0
        picture = await workers.picture("north")
        assert picture is not None
        assert picture[:2] == b"\xff\xd8"
        assert await workers.picture("nowhere") is None
        received = []
        async for message in workers.live("north"):
            received.append(message)
            if len(received) == 4:
                break
        assert received[0].startswith(b"video/mp4; codecs=")
        assert received[1][4:8] == b"ftyp"
        assert received[2][4:8] == b"moof"


def test_after_a_kill_events_left_open_are_closed_and_the_clip_is_made(
    installation: Installation, streets: Path
) -> None:
    installation.apply(site(camera("north", streets / "street.mp4"), clip={"before_s": 1, "after_s": 5}))
    with installation.worker_process():
        assert until(lambda: bool(listed(installation)), 60)
        (incident,) = listed(installation)
        # Long enough for the disk to have what the clip is to show, and too short for the clip.
        assert until(lambda: bool(segments(installation.folder.recordings / "north")), 10)
        until(lambda: False, 1.2)
    assert len(still_open(installation)) == 1
    assert clip_of(installation, incident.id).state == "pending"
    (left_open,) = still_open(installation)

    installation.apply(site(camera("north", streets / "empty.mp4"), clip={"before_s": 1, "after_s": 5}))
    with installation.worker():
        assert until(lambda: left_open not in still_open(installation), 20)
        assert until(lambda: clip_of(installation, incident.id).state == "ready", 40)
    kept = {known.id: known for known in listed(installation)}[incident.id]
    assert kept.ended_at is not None
    clip = clip_of(installation, incident.id)
    blurred = heads(installation.folder.evidence / str(clip.anonymised_path))
    assert blurred
    assert max(blurred) < BLURRED, "nobody knows any more where people were, so they were looked for anew"


def test_what_begins_while_the_database_goes_away_is_not_taken_for_left_open(
    installation: Installation, streets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.apply(site(camera("north", streets / "empty.mp4", enabled=False)))
    looks: list[float] = []

    def keep(self: Thresholds, runners: object, *, now: float) -> None:
        looks.append(now)
        if len(looks) == 1:
            record(installation.database, begun(time.time()), "north", now=time.time())
            raise StoreError("The database is away.")

    monkeypatch.setattr(Thresholds, "keep", keep)
    with installation.worker():
        assert until(lambda: len(looks) > 2, 10)
        assert still_open(installation) == [begun(0.0).id]


def begun(start_s: float) -> Event:
    return Event(
        id="00000000-0000-4000-8000-000000000001",
        behaviour=Behaviour.INTRUSION,
        phase=Phase.BEGUN,
        start_s=start_s,
        decided_s=start_s,
        end_s=None,
        score=0.9,
        box=None,
        people=1,
        zone=None,
        subject="",
        reason=None,
    )


def test_the_first_worker_deletes_what_is_due_and_gives_up_what_nobody_will_make(
    installation: Installation, streets: Path
) -> None:
    """Of a camera that was taken out: a recording of long ago, an event left open, and a clip never made."""
    empty = streets / "empty.mp4"
    installation.apply(site(camera("north", empty), camera("gone", empty)))
    recorded = record(installation.database, begun(time.time() - 7200), "gone", now=time.time(), clip=True)
    installation.apply(site(camera("north", empty)))
    old = segment_path(installation.folder.recordings / "gone", time.time() - 30 * 86400)
    old.parent.mkdir()
    old.write_bytes(b"pictures")
    os.utime(old, (time.time() - 30 * 86400,) * 2)
    with installation.worker(number=1, of=2):
        until(lambda: False, 1.0)
    assert old.exists(), "one worker keeps house for all"
    with installation.worker(number=0, of=2):
        assert until(lambda: not old.exists(), 10)
        assert until(lambda: clip_of(installation, recorded.incident_id).state == "failed", 10)
        assert until(lambda: not still_open(installation), 10)


def test_cameras_are_shared_evenly_and_one_that_comes_moves_few() -> None:
    def shares(count: int, of: int) -> list[set[str]]:
        street_site = site(
            *(camera(f"camera-{number:02}", "rtsp://127.0.0.1/1") for number in range(count))
        ).sites
        return [set(share(street_site, number, of)) for number in range(of)]

    for count, of in ((1, 1), (3, 4), (21, 4), (40, 3)):
        parts = shares(count, of)
        assert sum(map(len, parts)) == count
        assert set.union(*parts) == {f"camera-{number:02}" for number in range(count)}
        assert max(map(len, parts)) <= -(-count // of)
    before, after = shares(21, 4), shares(22, 4)
    assert sum(len(part - other) for part, other in zip(before, after, strict=True)) <= 5
