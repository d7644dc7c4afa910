"""Crowds that are too dense or turbulent are found; throngs that only stand or walk are not."""

from dataclasses import replace

import pytest
from tests.behaviour.crowds import LENS, filmed, judged
from tests.crowd import scenarios

from tynysh.behaviour.crush_risk import CrushRiskAnalyser, CrushRiskSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.scene.crowd import PICTURE, CrowdState, Estimate, PlaceCrowd
from tynysh.scene.ground import Ground
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.zone import Zone

GROUND = LENS.ground(0.05)


@pytest.mark.parametrize("scenario", scenarios.CRUSHES, ids=lambda scenario: scenario.__name__)
def test_every_crush_is_found_within_three_seconds(scenario) -> None:
    film = filmed(scenario)
    events = judged(film, Behaviour.CRUSH_RISK).events
    assert film.dense_s is not None
    assert [4.0 <= event.decided_s <= film.dense_s + 3.0 for event in events] == [True]
    event = events[0]
    assert event.reason is not None and event.reason.values["density"] >= 4.0
    assert event.box is not None and event.people > 70


@pytest.mark.parametrize("scenario", scenarios.CALM, ids=lambda scenario: scenario.__name__)
def test_calm_crowds_raise_no_alarm(scenario) -> None:
    assert judged(filmed(scenario), Behaviour.CRUSH_RISK).events == ()


@pytest.mark.parametrize("ground", [None, LENS.ground(0.3)])
def test_without_a_ground_or_with_a_bad_one_nothing_is_said(ground: Ground | None) -> None:
    film = filmed(scenarios.turbulence)
    rough = replace(film, scenes=tuple(replace(scene, ground=ground) for scene in film.scenes))
    assert judged(rough, Behaviour.CRUSH_RISK).signals == ()


def state(time_s: float, density: float, pressure: float) -> Scene:
    place = PlaceCrowd(PICTURE, Estimate(60, 55, 70), densest=density, pressure=pressure)
    return Scene(time_s, 1280, 720, ground=GROUND, crowd=CrowdState(time_s, (place,)))


@pytest.mark.parametrize(
    ("density", "pressure", "alarm", "key"),
    [
        (5.0, 0.0, True, "crush_risk.density"),
        (4.9, 0.0, False, "crush_risk.density"),
        (4.1, 0.041, True, "crush_risk.pressure"),
        (4.1, 0.03, False, "crush_risk.density"),
        (2.0, 0.5, False, "crush_risk.density"),
    ],
)
def test_density_alone_or_pressure_in_a_dense_crowd(
    density: float, pressure: float, alarm: bool, key: str
) -> None:
    settings = CrushRiskSettings()
    analyser = CrushRiskAnalyser(settings)
    (signal,) = analyser.observe(state(1.0, density, pressure))
    assert (signal.score >= settings.threshold) is alarm
    assert signal.reason is not None and signal.reason.key == key


def test_one_look_that_is_wrong_does_not_matter() -> None:
    settings = CrushRiskSettings()
    analyser = CrushRiskAnalyser(settings)
    scores = [analyser.observe(state(step / 5, 9.0 if step == 4 else 2.0, 0.0))[0].score for step in range(8)]
    assert max(scores) < settings.threshold


def test_a_zone_whose_hours_have_ended_says_nothing_though_nobody_has_looked_since() -> None:
    square = Zone("square", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)))
    seen = state(1.0, 6.0, 0.0)
    assert seen.crowd is not None
    (place,) = seen.crowd.places
    seen = replace(
        seen, zones=(square,), crowd=replace(seen.crowd, places=(replace(place, name=square.name),))
    )
    analyser = CrushRiskAnalyser(CrushRiskSettings(zones=("square",)))
    assert [signal.zone for signal in analyser.observe(seen)] == ["square"]
    assert analyser.observe(replace(seen, time_s=1.1, zones=())) == []


def test_when_the_camera_is_lost_nothing_is_said() -> None:
    analyser = CrushRiskAnalyser(CrushRiskSettings())
    assert analyser.observe(state(1.0, 6.0, 0.0))
    assert list(analyser.observe(Scene(2.0, 1280, 720, feed=Feed.LOST))) == []
