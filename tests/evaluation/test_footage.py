"""The figures of labelled footage are those of its rules, and its page can be written of any of them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import LEVELS
from tynysh.evaluation.figures import Figures, figures
from tynysh.evaluation.footage import FootageReport
from tynysh.evaluation.footage_report import MOST_SHOWN, page
from tynysh.evaluation.judging import to_be_shown
from tynysh.evaluation.labels import Label, Recording
from tynysh.evaluation.sightings import SeenEvent, Sightings
from tynysh.evaluation.stills import Still
from tynysh.translations import LANGUAGES, Language

FIGHT, AGGRESSION, DOWN = Behaviour.FIGHT, Behaviour.AGGRESSION, Behaviour.PERSON_DOWN
FAULT = Behaviour.CAMERA_FAULT
HOUR = 3600.0


def event(
    behaviour: Behaviour, start_s: float, end_s: float, score: float = 0.9, delay_s: float = 1.0
) -> SeenEvent:
    return SeenEvent(behaviour, start_s, end_s, start_s + delay_s, score)


def fight(start_s: float, end_s: float) -> Label:
    return Label(FIGHT, start_s, end_s)


def recording(
    *labels: Label, seen: tuple[SeenEvent, ...] = (), camera: str = "door", hours: float = 1.0
) -> tuple[Recording, Sightings]:
    thresholds = dict.fromkeys((FIGHT, AGGRESSION, DOWN, FAULT), 0.5)
    levels = {level: tuple(one for one in seen if one.score >= level) for level in LEVELS.tolist()}
    name = f"{camera}.mp4"
    return (
        Recording(name, Path(name), camera, labels, "LABELS.csv:2"),
        Sightings(hours * HOUR, thresholds, seen, levels, {FIGHT: [0.2] * 100}, ()),
    )


def report(*seen: tuple[Recording, Sightings]) -> FootageReport:
    return FootageReport.of(seen, tolerance_s=2.0)


def of(*seen: tuple[Recording, Sightings], **group: object) -> Figures:
    return figures(report(*seen).judged, **group)  # type: ignore[arg-type]


def test_precision_recall_and_rate_with_their_intervals() -> None:
    labels = [fight(100 * k, 100 * k + 10) for k in range(10)]
    found = tuple(event(FIGHT, 100 * k + 1, 100 * k + 9) for k in range(8))
    false = tuple(event(FIGHT, 2000 + 100 * k, 2010 + 100 * k) for k in range(2))
    got = of(recording(*labels, seen=found + false, hours=10.0))
    assert (got.labelled, got.found, got.true, got.false) == (10, 8, 8, 2)
    assert got.recall == got.precision == 0.8
    assert got.recall_interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert got.false_per_hour == pytest.approx(0.2)
    assert got.false_per_hour_interval == pytest.approx((0.0242, 0.7225), abs=1e-4)
    assert (got.delay_s(0.5), got.delay_s(1.0)) == (2.0, 2.0)


def test_a_related_event_counts_for_the_labels_recall_and_the_events_precision() -> None:
    seen = recording(fight(10, 20), seen=(event(AGGRESSION, 11, 15),))
    assert (of(seen).found, of(seen).as_other) == (1, 1)
    assert of(seen, behaviour=FIGHT).recall == 1.0
    assert of(seen, behaviour=FIGHT).precision is None
    assert of(seen, behaviour=AGGRESSION).precision == 1.0
    assert of(seen, behaviour=AGGRESSION).recall is None


def test_repeats_are_neither_true_nor_false() -> None:
    got = of(
        recording(
            fight(10, 100), seen=(event(FIGHT, 11, 30), event(FIGHT, 60, 90), event(AGGRESSION, 70, 72))
        )
    )
    assert (got.true, got.false, got.repeats) == (1, 0, 2)


def test_where_nothing_happens_every_alert_is_false_but_one_about_the_camera() -> None:
    quiet = recording(
        seen=(event(DOWN, 5, 9), event(AGGRESSION, 50, 51), event(FAULT, 60, 70)), camera="yard"
    )
    judged = report(quiet, recording(fight(0, 5), seen=(event(DOWN, 1, 3),))).judged
    assert [(one.recording.camera, one.event.behaviour) for one in judged.false] == [
        ("yard", DOWN),
        ("yard", AGGRESSION),
    ]
    assert [(one.recording.camera, one.event.behaviour) for one in judged.not_judged] == [
        ("yard", FAULT),
        ("door", DOWN),
    ]


def test_camera_hours_are_those_in_which_a_behaviour_is_judged() -> None:
    seen = (recording(fight(0, 5), hours=2.0), recording(camera="yard", hours=3.0), recording(camera="yard"))
    assert of(*seen).hours == pytest.approx(6.0)
    assert of(*seen, behaviour=FIGHT).hours == pytest.approx(6.0)
    assert of(*seen, behaviour=DOWN).hours == pytest.approx(4.0), "nobody labelled who lies at the door"
    assert of(*seen, camera="yard", behaviour=FIGHT).hours == pytest.approx(4.0)


def test_a_missed_happening_under_a_standing_alert_is_told_so() -> None:
    got = of(recording(fight(10, 20), fight(25, 40), seen=(event(FIGHT, 9, 41),)))
    assert (got.found, got.labelled, got.standing) == (1, 2, 1)


def test_higher_thresholds_find_less_and_err_less() -> None:
    seen = (event(FIGHT, 11, 15, 0.95), event(FIGHT, 111, 115, 0.55), event(FIGHT, 511, 515, 0.75))
    at = dict(report(recording(fight(10, 20), fight(110, 120), seen=seen)).at_levels(FIGHT))
    assert [(at[level].found, at[level].false) for level in (0.3, 0.6, 0.8)] == [(2, 1), (1, 1), (1, 0)]


def test_only_pictures_of_what_went_wrong_are_held() -> None:
    labels = (fight(100, 110), fight(200, 210), fight(300, 310))
    one, sightings = recording(
        *labels, seen=(event(FIGHT, 101, 105), event(FIGHT, 400, 405), event(FIGHT, 500, 505))
    )
    stills = tuple(Still(time_s, 2, 2, b"") for time_s in (103.0, 205.0, 305.0, 401.0, 501.0))
    small = to_be_shown(one, replace(sightings, stills=stills), tolerance_s=2.0, most=1)
    assert [still.time_s for still in small.stills] == [205.0, 401.0], (
        "the worst miss, the surest false alert"
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", ["calm", "early", "many", "long"])
def test_the_page_can_be_written_of(case: str, language: Language) -> None:
    cases = {
        "calm": [recording(camera="yard")],
        "early": [recording(fight(20, 30), seen=(event(FIGHT, 1, 25, delay_s=0.5),))],
        "many": [recording(*(fight(10 * k, 10 * k + 5) for k in range(300)), camera="<b>")],
        "long": [recording(fight(0, 7200), seen=(event(FIGHT, 7000, 7100), event(DOWN, 1, 2)), hours=3.0)],
    }
    html = page(report(*cases[case]), language=language, now=datetime(2026, 11, 22, tzinfo=UTC))
    assert "2026-11-22" in html
    assert "<b>.mp4" not in html
    assert html.count('<div class="case">') == {"calm": 0, "early": 0, "many": MOST_SHOWN, "long": 0}[case]
