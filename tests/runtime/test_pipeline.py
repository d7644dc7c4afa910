"""The same frames give the same events, at the hours that a site asks for, and a lost camera is an event."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from tests.runtime.conftest import QUIET

from tynysh.behaviour import registry
from tynysh.behaviour.camera_fault import CameraFaultSettings
from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.intrusion import IntrusionSettings
from tynysh.behaviour.loitering import LoiteringSettings
from tynysh.behaviour.person_down import PersonDownSettings
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.behaviour.threshold_sweep import no_alarms
from tynysh.demo.drawing import draw
from tynysh.demo.script import FPS, SQUARE
from tynysh.demo.simulated import ScriptedDetector, camera_settings
from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.networks import Networks
from tynysh.runtime.pipeline import Pipeline, Step
from tynysh.scene.ground import Ground
from tynysh.scene.person import Person
from tynysh.scene.scene import Scene
from tynysh.scene.zone import Zone
from tynysh.site.site import SiteFile

GATE = Zone("gate", ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)), kind="protected")


class Somebody:
    """A detector that sees one person standing at the same place, from some moment on."""

    def __init__(self, *, from_s: float = float("-inf")) -> None:
        self.from_s = from_s
        self.looked_at: list[float] = []

    def detect(self, frame: Frame) -> Sequence[Person]:
        self.looked_at.append(frame.time_s)
        return [Person(Box(220, 100, 240, 160), 0.9)] if frame.time_s >= self.from_s else []


@cache
def noisy(number: int) -> np.ndarray:
    return np.random.default_rng(number % 16).integers(90, 130, (240, 320, 3)).astype(np.uint8)


def frames(start_s: float, seconds: float, fps: float = 10.0) -> Iterable[Frame]:
    for number in range(round(seconds * fps)):
        yield Frame(noisy(number), time_s=start_s + number / fps, index=number)


def pipeline(watch: CameraPlan, detector: object, seed: int = 1) -> Pipeline:
    networks = Networks(detector=detector, pose=None)  # type: ignore[arg-type]
    return build_pipeline(watch, networks, ids=Random(seed), detector=detector)


def watching(*settings: tuple[Behaviour, AnalyserSettings], **more: object) -> CameraPlan:
    return CameraPlan(dict(settings), **more)  # type: ignore[arg-type]


def events_of(steps: Iterable[Step | None]) -> list[Event]:
    return [event for step in steps if step is not None for event in step.events]


@pytest.fixture(scope="module")
def square() -> list[np.ndarray]:
    """The simulated square while somebody climbs through the gate and two begin to fight."""
    return [draw(SQUARE, number / FPS) for number in range(25 * FPS)]


def play(pictures: Sequence[np.ndarray], seed: int = 1) -> list[Step]:
    site = SiteFile.model_validate(
        {
            "sites": [
                {
                    "name": "Square",
                    "kind": "street",
                    "time_zone": "Asia/Almaty",
                    "cameras": [camera_settings()],
                }
            ]
        }
    ).sites[0]
    run = pipeline(CameraPlan.of(site, site.cameras[0], scheduled=False), ScriptedDetector(), seed)
    steps = [
        run.process(Frame(picture, time_s=number / FPS, index=number))
        for number, picture in enumerate(pictures)
    ]
    return [step for step in steps if step is not None]


def test_the_same_frames_give_the_same_signals_and_events_ids_and_all(square: list[np.ndarray]) -> None:
    once, again = play(square), play(square)
    assert events_of(once) == events_of(again)
    assert {event.behaviour for event in events_of(once)} >= {Behaviour.INTRUSION}
    assert [step.signals for step in once] == [step.signals for step in again]
    assert [step.to_blur for step in once] == [step.to_blur for step in again]


def test_ids_of_events_come_from_the_randomness_that_was_passed_in(square: list[np.ndarray]) -> None:
    until_the_first = square[: 12 * FPS]
    one, other = events_of(play(until_the_first, seed=1)), events_of(play(until_the_first, seed=2))
    assert one[0].id != other[0].id
    assert [event.start_s for event in one] == [event.start_s for event in other]


def test_frames_faster_than_behaviour_needs_are_skipped() -> None:
    run = pipeline(watching(), Somebody())
    times = [step.scene.time_s for frame in frames(0, 4, fps=50) if (step := run.process(frame)) is not None]
    assert len(times) == pytest.approx(40, abs=5)
    assert min(b - a for a, b in pairwise(times)) >= 0.09 - 1e-9


def test_each_frame_of_a_camera_that_is_as_fast_as_needed_is_analysed_despite_jitter() -> None:
    run = pipeline(watching(), Somebody())
    random = Random(3)
    jittered = [
        Frame(noisy(number), time_s=number / 10 + random.uniform(-0.004, 0.004), index=number)
        for number in range(60)
    ]
    assert all(run.process(frame) is not None for frame in jittered)


def test_the_detector_rests_while_nothing_moves_and_nobody_is_there() -> None:
    nobody = Somebody(from_s=float("inf"))
    run = pipeline(watching(), nobody)
    for frame in frames(0, 30):
        run.process(frame)
    assert 1 <= len([at for at in nobody.looked_at if at > 5.0]) <= 4


def test_whom_the_tracker_is_not_sure_of_yet_is_blurred_already() -> None:
    run = pipeline(watching(), Somebody())
    step = run.process(next(iter(frames(0, 1))))
    assert step is not None
    (box,) = step.to_blur.values()
    assert tuple(box) == pytest.approx((220 / 320, 100 / 240, 240 / 320, 160 / 240))


def test_a_camera_that_gives_no_pictures_is_a_fault_that_ends_when_it_is_back() -> None:
    run = pipeline(watching((Behaviour.CAMERA_FAULT, CameraFaultSettings(lost_s=3.0))), Somebody())
    events = events_of(run.process(frame) for frame in frames(100, 5))
    assert not events
    for half in range(20):
        events += events_of([run.lost(105.0 + half / 2)])
    begun = [event for event in events if event.phase is Phase.BEGUN]
    assert [(event.behaviour, event.subject) for event in begun] == [(Behaviour.CAMERA_FAULT, "lost")]
    assert begun[0].start_s == pytest.approx(104.9)
    assert begun[0].decided_s == pytest.approx(108.0)
    events = events_of(run.process(frame) for frame in frames(115, 5))
    (ended,) = [event for event in events if event.phase is Phase.ENDED]
    assert ended.id == begun[0].id
    assert ended.end_s is not None
    assert 114.0 <= ended.end_s <= 116.0


def test_what_a_lower_threshold_would_have_raised_is_counted_though_nothing_is() -> None:
    class Lying:
        def detect(self, frame: Frame) -> Sequence[Person]:
            return [Person(Box(150, 180, 250, 220), 0.9)]

    run = pipeline(watching((Behaviour.PERSON_DOWN, PersonDownSettings(threshold=0.99))), Lying())
    steps = [step for frame in frames(0, 25) if (step := run.process(frame)) is not None]
    assert events_of(steps) == []
    counted = sum(step.swept_alarms.get(Behaviour.PERSON_DOWN, no_alarms()) for step in steps)
    assert (counted[0], counted[-1]) == (1, 0)


def test_what_still_holds_at_the_end_ends_with_the_stream() -> None:
    run = pipeline(
        watching((Behaviour.INTRUSION, IntrusionSettings(zones=("gate",))), zones=(GATE,)), Somebody()
    )
    begun = events_of(run.process(frame) for frame in frames(0, 6))
    assert [event.behaviour for event in begun if event.phase is Phase.BEGUN] == [Behaviour.INTRUSION]
    (ended,) = run.close(6.0)
    assert (ended.id, ended.phase, ended.end_s) == (begun[0].id, Phase.ENDED, 6.0)


def at_night(*, begin: str, end: str, **analysers: dict[str, object]) -> CameraPlan:
    """What a site in Almaty (UTC+5) says that watches only at some hours."""
    site = SiteFile.model_validate(
        {
            "sites": [
                {
                    "name": "Flame",
                    "kind": "monument",
                    "time_zone": "Asia/Almaty",
                    "schedules": {"night": {"from": begin, "to": end}},
                    "cameras": [
                        {
                            "name": "north",
                            "main": "rtsp://127.0.0.1/north",
                            "zones": [{"name": "gate", "kind": "protected", "polygon": GATE.polygon}],
                            "analysers": {
                                **QUIET,
                                **analysers,
                            },
                        }
                    ],
                }
            ]
        }
    ).sites[0]
    return CameraPlan.of(site, site.cameras[0], scheduled=True)


@pytest.fixture
def local() -> Callable[[str], float]:
    """Unix time of a time of day in Almaty."""

    def at(clock: str) -> float:
        hours, minutes = map(int, clock.split(":"))
        moment = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=hours - 5, minutes=minutes)
        return moment.timestamp()

    return at


@pytest.mark.parametrize(("clock", "seen"), [("21:00", False), ("23:00", True), ("05:59", True)])
def test_a_behaviour_is_watched_for_at_its_hours_only(
    clock: str, seen: bool, local: Callable[[str], float]
) -> None:
    watch = at_night(begin="22:00", end="06:00", intrusion={"schedule": "night", "zones": ["gate"]})
    run = pipeline(watch, Somebody())
    events = events_of(run.process(frame) for frame in frames(local(clock), 6))
    assert bool(events) is seen


def test_what_holds_when_its_hours_end_ends_with_them(local: Callable[[str], float]) -> None:
    watch = at_night(begin="22:00", end="06:00", intrusion={"schedule": "night", "zones": ["gate"]})
    run = pipeline(watch, Somebody())
    six = local("06:00")
    events = events_of(run.process(frame) for frame in frames(six - 6, 12))
    assert [event.phase for event in events if event.phase is not Phase.UPDATED] == [
        Phase.BEGUN,
        Phase.ENDED,
    ]
    assert events[-1].end_s == pytest.approx(six, abs=1.0)


def test_nothing_is_said_to_have_begun_before_its_hours(local: Callable[[str], float]) -> None:
    watch = at_night(
        begin="22:00", end="06:00", loitering={"schedule": "night", "zones": ["gate"], "limit_s": 5}
    )
    assert isinstance(watch.analysers[Behaviour.LOITERING], LoiteringSettings)
    ten = local("22:00")
    run = pipeline(watch, Somebody())
    events = events_of(run.process(frame) for frame in frames(ten - 10, 20))
    assert events[0].start_s == pytest.approx(ten, abs=0.2)


class TestGround:
    class FixedGround:
        """A source of ground that is told of turns."""

        learnt = None

        def __init__(self, error: float) -> None:
            self.ground = Ground(np.eye(3), error)
            self.turns: list[bool] = []

        def observe(self, scene: Scene) -> Ground:
            return self.ground

        def moved(self, away: bool) -> None:
            self.turns.append(away)

    class Turned:
        """An analyser that says for four seconds that the camera was turned away."""

        behaviour = Behaviour.CAMERA_FAULT

        def observe(self, scene: Scene) -> list[Signal]:
            away = 102.0 <= scene.time_s < 106.0
            return [Signal(self.behaviour, scene.time_s, 1.0, subject="moved")] if away else []

    def run(self, source: FixedGround) -> list[Step]:
        watch = watching((Behaviour.CAMERA_FAULT, CameraFaultSettings()))
        networks = Networks(detector=Somebody(), pose=None)  # type: ignore[arg-type]
        made = build_pipeline(watch, networks, ids=Random(1), detector=Somebody(), ground=source)
        return [step for frame in frames(100, 15) if (step := made.process(frame)) is not None]

    @pytest.mark.parametrize(("error", "shown"), [(0.1, True), (0.2, False)])
    def test_scenes_have_it_only_where_it_is_trusted(self, error: float, shown: bool) -> None:
        source = self.FixedGround(error)
        assert {step.scene.ground is source.ground for step in self.run(source)} == {shown}

    def test_its_source_hears_when_the_camera_is_turned_away_and_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(registry, "create_all", lambda *_, **__: [self.Turned()])
        source = self.FixedGround(0.1)
        self.run(source)
        assert source.turns == [True, False]
