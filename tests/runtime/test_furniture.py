"""A statue that is taken for a person is told once, and hides nobody who comes later."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.runtime.test_pipeline import pipeline, watching

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.intrusion import IntrusionSettings
from tynysh.behaviour.loitering import LoiteringSettings
from tynysh.behaviour.person_down import PersonDownSettings
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.geometry import Box
from tynysh.incidents.lifecycle import Action, Verdict
from tynysh.media.frame import Frame
from tynysh.runtime.pipeline import UNCOUNTED_S, Step
from tynysh.scene.person import Person
from tynysh.scene.zone import Zone
from tynysh.store.database import Database
from tynysh.store.queries import incidents
from tynysh.store.queries.events import record

WIDTH, HEIGHT, FPS = 320, 240, 2
YARD = Zone("yard", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)), kind="protected")
STATUE = Box(40, 100, 64, 160)
MANNEQUIN_ON_THE_FLOOR = Box(40, 140, 100, 160)

People = Callable[[float], Sequence[Box]]


@cache
def noise(number: int) -> NDArray[np.int16]:
    return np.random.default_rng(number).normal(0, 2, (HEIGHT, WIDTH, 1)).astype(np.int16)


def walker(from_s: float, *, speed: float = 20.0) -> People:
    """Somebody who comes in from the right and leaves on the left, beside the statue."""

    def people(time_s: float) -> Sequence[Box]:
        left = WIDTH - speed * (time_s - from_s)
        return [Box(left, 150, left + 24, 210)] if time_s >= from_s and left > 100 else []

    return people


def both(*groups: People) -> People:
    return lambda time_s: [box for group in groups for box in group(time_s)]


def statue(_time_s: float) -> Sequence[Box]:
    return [STATUE]


class Seen:
    """A detector that sees all that was drawn, when it is not blind."""

    def __init__(self, people: People, blind: Callable[[float], bool]) -> None:
        self._people = people
        self._blind = blind

    def detect(self, frame: Frame) -> Sequence[Person]:
        if self._blind(frame.time_s):
            return []
        shake = float(np.sin(7 * frame.time_s))
        return [
            Person(box._replace(left=box.left + shake, bottom=box.bottom - shake), 0.9)
            for box in self._people(frame.time_s)
        ]


def drawn(people: People, end_s: float) -> Iterator[Frame]:
    for number in range(round(end_s * FPS)):
        picture = np.full((HEIGHT, WIDTH, 1), 110, np.int16) + noise(number % 8)
        for box in people(number / FPS):
            left, top, right, bottom = (max(0, round(edge)) for edge in box)
            picture[top:bottom, left:right] -= 70
        yield Frame(
            cv2.cvtColor(picture.clip(0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR).astype(np.uint8),
            time_s=number / FPS,
            index=number,
        )


def run(
    people: People,
    end_s: float,
    *watched: tuple[Behaviour, AnalyserSettings],
    blind: Callable[[float], bool] = lambda _time_s: False,
    **more: object,
) -> list[Step]:
    camera = pipeline(watching(*watched, zones=(YARD,), **more), Seen(people, blind))
    steps = [camera.process(frame) for frame in drawn(people, end_s)]
    return [step for step in steps if step is not None]


def begun(steps: Sequence[Step]) -> list[Event]:
    return [event for step in steps for event in step.events if event.phase is Phase.BEGUN]


def ended(steps: Sequence[Step]) -> list[Event]:
    return [event for step in steps for event in step.events if event.phase is Phase.ENDED]


INTRUSION = (Behaviour.INTRUSION, IntrusionSettings())
LOITERING = (Behaviour.LOITERING, LoiteringSettings(limit_s=10.0))


@pytest.mark.parametrize("from_s", [20.0, 45.0, 120.0])
def test_who_comes_after_a_statue_is_an_event_of_their_own(from_s: float) -> None:
    steps = run(both(statue, walker(from_s)), from_s + 12, INTRUSION)
    first, second = begun(steps)
    assert first.decided_s < 3.0
    assert from_s < second.decided_s < from_s + 3.0


@pytest.mark.parametrize("closing", [Action.VERIFY, Action.RESOLVE])
def test_who_comes_after_a_statue_was_judged_false_is_an_incident_of_their_own(
    city: Database, closing: Action
) -> None:
    """While the statue's own event still holds."""
    statues, walkers = begun(run(both(statue, walker(30.0)), 36.0, INTRUSION))
    first = record(city, statues, "door", now=2.0)
    with city.writing() as session:
        incidents.take_step(
            session, first.incident_id, closing, user="aigerim", now=20.0, verdict=Verdict.FALSE
        )
    second = record(city, walkers, "door", now=32.0)
    assert second.opened
    assert second.incident_id != first.incident_id


def test_a_statue_is_told_once_and_then_learnt() -> None:
    steps = run(statue, 300.0, INTRUSION)
    (told,) = begun(steps)
    (over,) = ended(steps)
    assert told.decided_s < 3.0
    assert 59.0 < (over.end_s or 0.0) < 75.0


def test_a_statue_is_learnt_over_breaks_of_its_track() -> None:
    steps = run(statue, 250.0, INTRUSION, blind=lambda time_s: time_s % 40 > 20)
    assert not [event for event in begun(steps) if event.start_s > 100.0]
    assert len(begun(steps)) == len(ended(steps))


def test_what_was_carried_off_and_comes_back_is_told_again() -> None:
    steps = run(lambda time_s: [] if 100 < time_s < 130 else [STATUE], 140.0, INTRUSION)
    assert [round(event.decided_s, -1) for event in begun(steps)] == [0.0, 130.0]


def test_a_statue_in_a_zone_of_some_hours_is_told_when_they_begin_and_not_at_each() -> None:
    """Nobody could have been told before; afterwards it has been."""

    def at_night(_behaviour: Behaviour, time_s: float) -> bool:
        return time_s % 200 >= 100

    steps = run(statue, 500.0, INTRUSION, on_duty=at_night)
    (told,) = begun(steps)
    assert told.decided_s == pytest.approx(101.0, abs=2.0)


def test_who_stands_still_as_a_statue_and_then_moves_is_told_again() -> None:
    def guard(time_s: float) -> Sequence[Box]:
        return (
            [STATUE]
            if time_s < 120
            else [STATUE._replace(left=40 + 20 * (time_s - 120), right=64 + 20 * (time_s - 120))]
        )

    steps = run(guard, 126.0, INTRUSION)
    assert [round(event.decided_s, -1) for event in begun(steps)] == [0.0, 120.0]


def test_who_walks_in_and_stands_still_is_not_taken_for_a_thing_for_minutes() -> None:
    def comes(time_s: float) -> Sequence[Box]:
        left = max(120.0, 300.0 - 20 * time_s)
        return [Box(left, 150, left + 24, 210)]

    steps = run(comes, 240.0, INTRUSION)
    assert len(begun(steps)) == 1
    assert not ended(steps)


def test_loiterers_who_come_later_are_told_beside_a_statue() -> None:
    def stays(time_s: float) -> Sequence[Box]:
        if time_s < 40:
            return []
        left = max(180.0, 300.0 - 20 * (time_s - 40))
        return [Box(left, 150, left + 24, 210 + 4 * (int(time_s) % 2))]

    steps = run(both(statue, stays), 70.0, LOITERING)
    first, second = begun(steps)
    assert first.decided_s < 12.0
    assert 50.0 < second.decided_s < 60.0


def test_a_mannequin_on_the_floor_is_told_once_and_then_learnt() -> None:
    settings = PersonDownSettings()
    steps = run(lambda _t: [MANNEQUIN_ON_THE_FLOOR], 200.0, (Behaviour.PERSON_DOWN, settings))
    assert len(begun(steps)) == len(ended(steps)) == 1


def test_what_has_not_moved_for_minutes_is_not_counted() -> None:
    steps = run(both(statue, walker(UNCOUNTED_S + 20)), UNCOUNTED_S + 25, INTRUSION)

    def people(step: Step) -> float:
        assert step.scene.crowd is not None
        return step.scene.crowd.places[0].count.value

    assert people(steps[round(100 * FPS)]) == pytest.approx(1.0, abs=0.3)
    assert people(steps[round((UNCOUNTED_S + 18) * FPS)]) == pytest.approx(0.0, abs=0.3)
    assert people(steps[-1]) == pytest.approx(1.0, abs=0.3)
