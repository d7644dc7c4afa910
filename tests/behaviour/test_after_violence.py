"""Who goes down right after violence, in the same place, is told apart from who goes down."""

from tynysh.behaviour.after_violence import AfterViolence
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.geometry import Box

AFTER_VIOLENCE = "person_down.after_violence"
HERE, THERE = Box(0.2, 0.4, 0.4, 0.7), Box(0.7, 0.4, 0.9, 0.7)
DOWN = Box(0.3, 0.6, 0.45, 0.7)


def violence(
    time_s: float, box: Box = HERE, score: float = 0.8, behaviour: Behaviour = Behaviour.FIGHT
) -> Signal:
    return Signal(behaviour, time_s, score, box=box)


def down(time_s: float, since_s: float, box: Box = DOWN, subject: str = "1") -> Signal:
    return Signal(
        Behaviour.PERSON_DOWN,
        time_s,
        0.9,
        box=box,
        subject=subject,
        reason=Reason("person_down.fell"),
        since_s=since_s,
    )


def reason_after(after_violence: AfterViolence, signal: Signal) -> str:
    (judged,) = after_violence.observe([signal], signal.time_s)
    assert judged.reason is not None
    assert (judged.score, judged.since_s, judged.box) == (signal.score, signal.since_s, signal.box)
    return judged.reason.key


def after(before: Signal, fell: Signal) -> str:
    after_violence = AfterViolence()
    after_violence.observe([before], before.time_s)
    return reason_after(after_violence, fell)


def test_going_down_seconds_after_a_fight_or_a_blow_is_told() -> None:
    assert after(violence(100.0), down(104.0, 103.0)) == AFTER_VIOLENCE
    assert after(violence(100.0, behaviour=Behaviour.AGGRESSION), down(104.0, 103.0)) == AFTER_VIOLENCE


def test_long_before_elsewhere_or_hardly_likely_violence_is_not() -> None:
    assert after(violence(80.0), down(104.0, 103.0)) == "person_down.fell"
    assert after(violence(100.0, THERE), down(104.0, 103.0)) == "person_down.fell"
    assert after(violence(100.0, score=0.3), down(104.0, 103.0)) == "person_down.fell"


def test_violence_that_begins_long_after_the_fall_is_not_what_went_before() -> None:
    assert after(violence(110.0), down(111.0, 100.0)) == "person_down.fell"


def test_once_told_it_stays_for_that_person_and_for_no_other() -> None:
    after_violence = AfterViolence()
    after_violence.observe([violence(100.0)], 100.0)
    assert reason_after(after_violence, down(103.0, 102.0)) == AFTER_VIOLENCE
    for second in range(104, 200, 5):
        assert reason_after(after_violence, down(float(second), 102.0)) == AFTER_VIOLENCE
    assert reason_after(after_violence, down(200.0, 199.0, subject="2")) == "person_down.fell"


def test_other_signals_pass_through_as_they_are() -> None:
    signals = (violence(1.0), Signal(Behaviour.CROWDING, 1.0, 0.4))
    assert AfterViolence().observe(signals, 1.0) == signals
