"""Clips are made when what they show has been filmed, later if need be, and given up where they never can be."""

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.street import BLURRED, FPS, HEIGHT, WIDTH, CoatDetector, draw, heads, write_street

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import MediaError, StoreError
from tynysh.evidence import clip_maker
from tynysh.evidence.clip_maker import ABANDONED_S, AGAIN_S, GIVE_UP_S, TAIL_S, ClipMaker, longer
from tynysh.evidence.timeline import PeopleTimeline
from tynysh.incidents.fusion import GAP_S
from tynysh.media.frame import Frame
from tynysh.media.reader import VideoFile
from tynysh.media.recorder import Recorder
from tynysh.scene.person import Person
from tynysh.site.apply import apply
from tynysh.site.site import SiteFile
from tynysh.store.database import Database, RefusedError
from tynysh.store.queries import clips, events, incidents

ONSET = 1_790_000_005.0
"""The camera's recording begins five seconds before."""


@dataclass
class Camera:
    recordings: Path
    around_s: tuple[float, float] = (3.0, 4.0)
    analyses_what_it_records: bool = True

    people: PeopleTimeline = field(default_factory=PeopleTimeline)

    def people_between(self, start_s: float, end_s: float) -> PeopleTimeline:
        return self.people


class Maker:
    """A clip maker with a clock of its own, and one incident of camera `north` that wants a clip."""

    def __init__(self, root: Path, url: str) -> None:
        self.database = Database.open(url)
        self.evidence = root / "evidence"
        self.now = ONSET
        self.camera = Camera(root / "recordings")
        site = {
            "name": "Street",
            "kind": "street",
            "time_zone": "Asia/Almaty",
            "cameras": [{"name": "north", "id": "north", "main": "rtsp://127.0.0.1/1"}],
        }
        apply(SiteFile.model_validate({"sites": [site]}), self.database, now=1.0, user="installer")
        self.incident = self.happens(1)
        self.made = ClipMaker(
            self.database, self.evidence, CoatDetector(), {"north": self.camera}, clock=lambda: self.now
        )

    def happens(self, number: int, behaviour: Behaviour = Behaviour.INTRUSION) -> int:
        """Something happens that wants a clip; the incident."""
        event = Event(
            id=f"00000000-0000-4000-8000-{number:012d}",
            behaviour=behaviour,
            phase=Phase.BEGUN,
            start_s=ONSET,
            decided_s=ONSET + 1,
            end_s=None,
            score=0.9,
            box=None,
            people=1,
            zone=None,
            subject="",
            reason=None,
        )
        return events.record(self.database, event, "north", now=ONSET, clip=True).incident_id

    def goes_on(
        self,
        start_s: float,
        end_s: float | None,
        number: int = 1,
        behaviour: Behaviour = Behaviour.INTRUSION,
    ) -> int:
        """What is known of an event, in seconds after the onset; its incident."""
        event = Event(
            id=f"00000000-0000-4000-8000-{number:012d}",
            behaviour=behaviour,
            phase=Phase.UPDATED if end_s is None else Phase.ENDED,
            start_s=ONSET + start_s,
            decided_s=ONSET + start_s + 1,
            end_s=None if end_s is None else ONSET + end_s,
            score=0.9,
            box=None,
            people=1,
            zone=None,
            subject="",
            reason=None,
        )
        return events.record(self.database, event, "north", now=self.now, clip=True).incident_id

    def record(self, street: Path, *, without: tuple[float, float] = (0.0, 0.0)) -> None:
        """All of `street` but a stretch, from five seconds before the onset."""
        recorder = Recorder(self.camera.recordings, reserve_bytes=0)
        for packet in VideoFile(street).packets():
            if without[0] <= packet.time_s < without[1]:
                continue
            moved = replace(
                packet,
                time_s=packet.time_s + ONSET - 5,
                decode_time_s=packet.decode_time_s + ONSET - 5,
                index=None,
            )
            recorder.record(moved)
        recorder.close()

    def analyse(self, lag_s: float, seconds: float = 10.0) -> None:
        """The walker, as the stream that is analysed shows them: `lag_s` before the one that is recorded."""
        for number in range(round(seconds * FPS)):
            frame = Frame(draw(number / FPS + lag_s), time_s=0.0, index=number)
            (walker,) = CoatDetector().detect(frame)
            box = walker.box.scaled(1 / WIDTH, 1 / HEIGHT)
            self.camera.people.add(ONSET - 5 + number / FPS, {1: box})

    def clip(self, incident: int | None = None) -> clips.StoredClip:
        with self.database.reading() as session:
            found = clips.get(session, incident or self.incident)
        assert found is not None
        return found


@pytest.fixture
def maker(tmp_path: Path, sqlite_url: str) -> Iterator[Maker]:
    made = Maker(tmp_path, sqlite_url)
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_street(tmp_path_factory.mktemp("street") / "street.mp4", seconds=10)


def test_a_clip_is_made_when_its_end_has_been_filmed_and_not_before(maker: Maker, street: Path) -> None:
    maker.record(street)
    maker.now = ONSET + 4.0
    maker.made.make_due()
    assert maker.clip().state == "pending"
    maker.now = ONSET + 7.0
    maker.made.make_due()
    clip = maker.clip()
    assert clip.state == "ready"
    assert clip.started_at == pytest.approx(ONSET - 3.0, abs=1.0)
    assert clip.ended_at == pytest.approx(ONSET + 4.0, abs=0.2)
    files = {path.name: path.stat().st_size for path in (maker.evidence / str(maker.incident)).iterdir()}
    assert set(files) == {"original.mp4", "clip.mp4"}
    assert clip.bytes == sum(files.values())


@pytest.mark.parametrize("lag_s", [-1.5, -0.2, 0.0, 0.2, 0.5, 1.5, 5.0])
def test_whoever_is_in_a_clip_is_blurred_however_much_it_lags_the_stream_analysed(
    maker: Maker, street: Path, lag_s: float
) -> None:
    maker.camera.analyses_what_it_records = False
    maker.analyse(lag_s)
    maker.record(street)
    maker.now = ONSET + 7.0
    maker.made.make_due()
    shown = heads(maker.evidence / str(maker.incident) / "clip.mp4")
    assert len(shown) >= 60
    assert max(shown) < BLURRED


def test_people_are_blurred_after_a_hole_that_the_clip_s_own_clock_does_not_know(
    maker: Maker, tmp_path: Path
) -> None:
    maker.camera.around_s = (3.0, 20.0)
    maker.analyse(0.0, seconds=25)
    maker.record(write_street(tmp_path / "long.mp4", seconds=25), without=(5.0, 18.0))
    maker.now = ONSET + 25.0
    maker.made.make_due()
    shown = heads(maker.evidence / str(maker.incident) / "clip.mp4")
    assert len(shown) >= 80
    assert max(shown) < BLURRED


def test_a_clip_of_the_stream_that_is_analysed_needs_no_looking(maker: Maker, street: Path) -> None:
    class Blind:
        def detect(self, frame: Frame) -> Sequence[Person]:
            raise AssertionError("somebody asked")

    maker.analyse(0.0)
    maker.record(street)
    maker.now = ONSET + 7.0
    made = ClipMaker(
        maker.database, maker.evidence, Blind(), {"north": maker.camera}, clock=lambda: maker.now
    )
    made.make_due()
    assert maker.clip().state == "ready"
    assert max(heads(maker.evidence / str(maker.incident) / "clip.mp4")) < BLURRED


def test_a_clip_waits_for_its_recording_and_is_given_up_when_none_comes(maker: Maker, street: Path) -> None:
    maker.now = ONSET + 10.0
    maker.made.make_due()
    assert maker.clip().state == "pending"
    maker.now = ONSET + 4.0 + GIVE_UP_S + 1.0
    maker.made.make_due()
    clip = maker.clip()
    assert clip.state == "failed"
    assert "no recording" in str(clip.detail)


def test_a_disk_that_is_full_for_a_while_costs_no_clip_and_harms_nothing_else(
    maker: Maker, street: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker.record(street)
    maker.now = ONSET + 10.0

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", full)
        maker.made.make_due()
        with pytest.raises(MediaError, match="No space left"):
            maker.made.keep_still(maker.incident, b"\xff\xd8")
    assert maker.clip().state == "pending"
    maker.made.make_due()
    maker.made.keep_still(maker.incident, b"\xff\xd8")
    assert (maker.clip().state, maker.clip().still_path) == ("ready", f"{maker.incident}/still.jpg")


@pytest.mark.parametrize(
    ("run", "after_s", "state"),
    [
        ([], ABANDONED_S + 1, "failed"),
        ([], ABANDONED_S - 60, "pending"),
        (["north"], ABANDONED_S + 1, "pending"),
    ],
)
def test_clips_of_cameras_that_nobody_runs_are_given_up_after_a_while(
    maker: Maker, run: Sequence[str], after_s: float, state: str
) -> None:
    maker.now = ONSET + after_s
    maker.made.give_up_all_but(run)
    assert maker.clip().state == state


@pytest.mark.parametrize(
    ("module", "name", "error"),
    [
        (clip_maker, "write_anonymised", ZeroDivisionError("a fault of ours")),
        (clips, "set_ready", RefusedError("The database does not take this.")),
        (clips, "set_ready", StoreError("The database is away.")),
    ],
)
def test_a_clip_that_cannot_be_made_holds_up_no_other_and_is_tried_again(
    maker: Maker, street: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, error: Exception
) -> None:
    maker.record(street)
    other = maker.happens(2, Behaviour.FIGHT)
    assert other != maker.incident
    maker.goes_on(0.0, 0.5)
    maker.goes_on(0.0, 0.5, 2, Behaviour.FIGHT)
    tried: list[int] = []
    good = getattr(module, name)

    def breaks_once(*arguments: Any, **named: Any) -> Any:
        tried.append(1)
        if len(tried) == 1:
            raise error
        return good(*arguments, **named)

    monkeypatch.setattr(module, name, breaks_once)
    maker.now = ONSET + 10.0
    maker.made.make_due()
    assert (maker.clip().state, maker.clip(other).state) == ("pending", "ready")
    maker.now += AGAIN_S - 1
    maker.made.make_due()
    assert len(tried) == 2, "it waits a while"
    maker.now += 2
    maker.made.make_due()
    assert maker.clip().state == "ready"


def test_a_clip_that_always_breaks_is_given_up_and_leaves_no_footage(
    maker: Maker, street: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker.record(street)

    def breaks(original: Path, out: Path, **_: object) -> None:
        assert original.stat().st_size > 0
        out.write_bytes(b"half")
        out.with_name("clip.mp4.part").write_bytes(b"half")
        raise ZeroDivisionError

    monkeypatch.setattr(clip_maker, "write_anonymised", breaks)
    maker.made.keep_still(maker.incident, b"\xff\xd8")
    maker.now = ONSET + 4.0 + GIVE_UP_S + 1.0
    maker.made.make_due()
    assert maker.clip().state == "failed"
    assert [path.name for path in (maker.evidence / str(maker.incident)).iterdir()] == ["still.jpg"]


def test_a_clip_grows_until_it_shows_all_that_happened(maker: Maker, tmp_path: Path) -> None:
    maker.record(write_street(tmp_path / "long.mp4", seconds=60))
    maker.goes_on(0.0, 2.0)
    maker.now = ONSET + 7.0
    maker.made.make_due()
    assert maker.clip().ended_at == pytest.approx(ONSET + 4.0, abs=0.5)
    # Later violence is the same incident's, and has to be seen as well.
    assert maker.goes_on(20.0, None, number=2) == maker.incident
    maker.now = ONSET + 24.0
    maker.made.make_due()
    assert maker.clip().ended_at == pytest.approx(ONSET + 22.0, abs=0.5), "while it goes on, too"
    maker.goes_on(20.0, 30.0, number=2)
    maker.now = ONSET + 30.0 + GAP_S
    maker.made.make_due()
    clip = maker.clip()
    assert (clip.state, clip.ended_at) == ("ready", pytest.approx(ONSET + 30.0 + TAIL_S, abs=0.5))
    with maker.database.reading() as session:
        told = incidents.detail(session, maker.incident)
    assert told is not None
    assert told.clip_ended_at == clip.ended_at
    assert clip.started_at == pytest.approx(ONSET - 3.0, abs=1.0)
    shown = heads(maker.evidence / str(maker.incident) / "clip.mp4")
    assert len(shown) >= 350
    assert max(shown) < BLURRED


def test_a_clip_without_more_recordings_is_not_made_again_and_again(
    maker: Maker, street: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker.record(street)
    maker.goes_on(0.0, 60.0)
    maker.now = ONSET + 100.0
    maker.made.make_due()
    made: list[int] = []
    monkeypatch.setattr(clip_maker, "write_anonymised", lambda *_, **__: made.append(1))
    for _ in range(5):
        maker.now += 60.0
        maker.made.make_due()
    assert len(made) <= 1
    assert maker.clip().state == "ready"


def test_a_clip_that_only_grows_makes_way_for_one_that_nobody_has_seen(maker: Maker, tmp_path: Path) -> None:
    maker.record(write_street(tmp_path / "long.mp4", seconds=40))
    maker.goes_on(0.0, 2.0)
    maker.now = ONSET + 7.0
    maker.made.make_due()
    assert maker.goes_on(10.0, 12.0, number=2) == maker.incident
    maker.now = ONSET + 12.0 + GAP_S
    before = maker.clip().ended_at
    looks: list[int] = []
    detect = CoatDetector.detect

    class Busy(CoatDetector):
        def detect(self, frame: Frame) -> Sequence[Person]:
            if not looks:
                looks.append(maker.happens(3, Behaviour.FIGHT))
            return detect(self, frame)

    made = ClipMaker(maker.database, maker.evidence, Busy(), {"north": maker.camera}, clock=lambda: maker.now)
    made.make_due()
    assert maker.clip().ended_at == before, "it was left"
    made.make_due()
    assert maker.clip(looks[0]).state == "ready"
    made.make_due()
    assert maker.clip().ended_at > before
    assert max(heads(maker.evidence / str(maker.incident) / "clip.mp4")) < BLURRED


@pytest.mark.parametrize(
    ("ended_at", "shown_to", "now", "expected"),
    [
        (5.0, 20.0, 60.0, None),
        (30.0, 20.0, 40.0, None),
        (30.0, 20.0, 30.0 + GAP_S, 40.0),
        (None, 20.0, 40.0, None),
        (None, 20.0, 52.0, 50.0),
        (None, 290.0, 9000.0, 300.0),
        (None, 297.0, 9000.0, None),
    ],
)
def test_how_long_a_clip_becomes(
    maker: Maker, ended_at: float | None, shown_to: float, now: float, expected: float | None
) -> None:
    """Seconds after the onset; the clip begins ten seconds before."""
    with maker.database.reading() as session:
        incident = incidents.get(session, maker.incident)
    assert incident is not None
    known = replace(incident, ended_at=None if ended_at is None else ONSET + ended_at)
    until = longer(known, ONSET - 10.0, ONSET + shown_to, now=ONSET + now)
    assert (None if until is None else until - ONSET) == expected
