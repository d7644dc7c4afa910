"""What looks like violence or a fall and is neither: none of the three analysers raises an event for it.

The scenes are drawn, so they test geometry and time; what networks see in pictures is told in the model cards.
"""

from collections.abc import Callable
from math import pi, sin
from random import Random

import pytest
from tests.behaviour.scenes import LEFT_HALF, drawn, followed, posed, scene, times

from tynysh.behaviour import registry
from tynysh.behaviour.aggression import AggressionSettings
from tynysh.behaviour.event import Event
from tynysh.behaviour.events import EventMaker
from tynysh.behaviour.fight import FightSettings
from tynysh.behaviour.person_down import PersonDownSettings
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.demo.figure import BodyAction, BodyPose
from tynysh.scene.track import Track
from tynysh.scene.zone import Zone

Cast = Callable[[float], list[Track]]

SETTINGS: dict[Behaviour, AnalyserSettings] = {
    Behaviour.FIGHT: FightSettings(pictures=False),
    Behaviour.AGGRESSION: AggressionSettings(pictures=False),
    Behaviour.PERSON_DOWN: PersonDownSettings(),
}
BENCH = Zone("bench", ((0.2, 0.5), (0.45, 0.5), (0.45, 0.8), (0.2, 0.8)), kind="bench")


def play(cast: Cast, end_s: float = 8.0, step_s: float = 0.2, zone: Zone = LEFT_HALF) -> dict[str, Event]:
    """Every event, by its id, that a cast leads to at five looks a second."""
    analysers = registry.create_all(SETTINGS)
    maker = EventMaker(registry.rules(SETTINGS), ids=Random(1))
    events: dict[str, Event] = {}
    for now in followed(scene(t, cast(t), [zone]) for t in times(0, end_s, step_s)):
        signals = [signal for analyser in analysers for signal in analyser.observe(now)]
        events |= {event.id: event for event in maker.observe(signals, now.time_s)}
    return events


def ease(t: float, start_s: float, end_s: float) -> float:
    share = min(1.0, max(0.0, (t - start_s) / (end_s - start_s)))
    return (1.0 - sin(pi / 2 + pi * share)) / 2


def hugging(t: float) -> list[Track]:
    arms = BodyPose(
        left_arm=(0.1 + 1.2 * ease(t, 2, 3), 0.3 + 1.3 * ease(t, 2, 3)), right_arm=(1.2 * ease(t, 2, 3), 1.5)
    )
    apart = 160 - 130 * ease(t, 0, 2.5)
    return [drawn(1, arms, 300, t), drawn(2, arms, 300 + apart, t, facing=-1)]


def shaking_hands(t: float) -> list[Track]:
    hand = BodyPose(right_arm=(0.5 + 0.1 * sin(9 * t), 1.2 + 0.1 * sin(9 * t)))
    return [drawn(1, hand, 300, t), drawn(2, hand, 345, t, facing=-1)]


def dancing(t: float) -> list[Track]:
    def one(phase: float) -> BodyPose:
        beat = sin(2 * pi * t + phase)
        return BodyPose(lean=0.08 * beat, left_arm=(1.6 + 0.3 * beat, 2.4), right_arm=(1.4 - 0.3 * beat, 2.2))

    return [
        drawn(1, one(0.0), 300 + 4 * sin(2 * pi * t), t),
        drawn(2, one(0.4), 352 + 4 * sin(2 * pi * t + 0.4), t, facing=-1),
    ]


def jumping(t: float) -> list[Track]:
    def hop(number: int) -> float:
        return 0.08 * abs(sin(2.2 * pi * t + 0.3 * number))

    raised = BodyPose(left_arm=(2.6, 2.8), right_arm=(2.5, 2.7))
    return [drawn(number, raised, 200 + 45 * number, t, lift=hop(number)) for number in range(5)]


def running_for_a_bus(t: float) -> list[Track]:
    gone = 150 * max(0.0, t - 1)
    action = BodyAction.RUN if t > 1 else BodyAction.STAND
    return [posed(n, action, 50 + 50 * n + gone, t, travelled=gone / 100 + 0.2 * n) for n in range(4)]


def jogging(t: float) -> list[Track]:
    return [posed(n, BodyAction.RUN, 60 + 70 * n + 140 * t, t, travelled=1.4 * t + 0.3 * n) for n in range(2)]


def passing_a_ball(t: float) -> list[Track]:
    kick = BodyAction.KICK if 2.0 < t < 2.8 else BodyAction.STAND
    return [posed(1, kick, 300, t, begun_s=2.0), posed(2, BodyAction.STAND, 460, t, facing=-1)]


def children_playing(t: float) -> list[Track]:
    def child(number: int) -> Track:
        stance = BodyPose(lean=0.1, left_arm=(0.6 * sin(3 * t + number), 0.9))
        x = 300 + 70 * number + 15 * sin(0.9 * t + 2.1 * number)
        return drawn(number, stance, x, t, tall=65.0, lift=0.05 * abs(sin(5 * t + number)))

    return [child(number) for number in range(3)]


def sitting_down(t: float) -> list[Track]:
    down = ease(t, 2, 3.2)
    seat = BodyPose(lean=0.25 * sin(pi * down), left_leg=(1.5 * down, 0.05), right_leg=(1.45 * down, 0.0))
    return [drawn(1, seat, 300, t), posed(2, BodyAction.STAND, 420, t)]


def tying_a_shoe(t: float) -> list[Track]:
    down = ease(t, 2, 3) - ease(t, 15, 16)
    crouch = BodyPose(
        lean=1.0 * down,
        left_arm=(0.6 * down, 0.3 * down),
        right_arm=(0.7 * down, 0.3 * down),
        left_leg=(1.7 * down, -0.5 * down),
        right_leg=(0.3 * down, -1.6 * down),
    )
    return [drawn(1, crouch, 300, t)]


def picking_up(t: float) -> list[Track]:
    bent = ease(t, 2, 3) - ease(t, 4, 5)
    return [
        drawn(1, BodyPose(lean=1.6 * bent, left_arm=(1.0 * bent, 0.3), right_arm=(0.9 * bent, 0.2)), 300, t)
    ]


@pytest.mark.parametrize(
    "cast",
    [
        hugging,
        shaking_hands,
        dancing,
        jumping,
        running_for_a_bus,
        jogging,
        passing_a_ball,
        children_playing,
        sitting_down,
        tying_a_shoe,
        picking_up,
    ],
)
def test_a_look_alike_raises_nothing(cast: Cast) -> None:
    assert [(event.behaviour, event.reason) for event in play(cast, 18.0).values()] == []


def tackling(t: float) -> list[Track]:
    """A ball kicked at the moment at which an opponent runs past."""
    kicker = posed(1, BodyAction.KICK if 2.0 < t < 2.8 else BodyAction.STAND, 300, t, begun_s=2.0)
    return [kicker, posed(2, BodyAction.RUN, 620 - 120 * t, t, facing=-1, travelled=1.2 * t)]


def playing_tag(t: float) -> list[Track]:
    """One child runs up to another, who waits to be touched."""
    gone = 170 * min(1.2, max(0.0, t - 2.0))
    runner = posed(
        1, BodyAction.RUN if 2.0 < t < 3.2 else BodyAction.STAND, 100 + gone, t, travelled=gone / 100
    )
    return [runner, posed(2, BodyAction.STAND, 330, t, facing=-1)]


@pytest.mark.parametrize(
    ("cast", "taken_for"), [(tackling, "aggression.kick"), (playing_tag, "aggression.charge")]
)
def test_what_moves_like_an_attack_is_taken_for_one(cast: Cast, taken_for: str) -> None:
    """Known limits: nothing but what it leads to tells these apart, and the model card says so."""
    reasons = [event.reason.key for event in play(cast).values() if event.reason is not None]
    assert reasons == [taken_for]


def lying(t: float) -> list[Track]:
    return [posed(1, BodyAction.STAND if t < 2 else BodyAction.LIE, 300, t, begun_s=2.0)]


def test_lying_on_a_bench_raises_nothing_and_lying_elsewhere_does() -> None:
    assert play(lying, 18.0, zone=BENCH) == {}
    (event,) = play(lying, 18.0).values()
    assert event.behaviour == Behaviour.PERSON_DOWN
    # Somebody who was up before: the short time after a fall, and not that of who lay there from the start.
    assert 1.5 <= event.decided_s - event.start_s <= 3.5


def test_a_blow_in_the_same_scenery_is_seen() -> None:
    """The counterpart: what keeps the look-alikes quiet is not that nothing is ever seen."""

    def attack(t: float) -> list[Track]:
        return [posed(1, BodyAction.STRIKE, 300, t), posed(2, BodyAction.STAND, 340, t, facing=-1)]

    assert Behaviour.AGGRESSION in {event.behaviour for event in play(attack, step_s=0.1).values()}
