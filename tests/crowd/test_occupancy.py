"""The occupancy of a place follows its gates, and says how sure it is."""

import numpy as np
import pytest

from tynysh.crowd.occupancy import Occupancy
from tynysh.scene.crowd import Estimate, LineCount


def opened() -> Occupancy:
    place = Occupancy(0.0)
    place.observe(0.0, {"door": LineCount("door", 0, 0), "gate": LineCount("gate", 5, 5)})
    return place


def width(band: Estimate) -> float:
    return band.high - band.low


def test_who_went_in_and_not_out_is_inside() -> None:
    place = opened()
    inside = place.observe(60.0, {"door": LineCount("door", 30, 4), "gate": LineCount("gate", 5, 11)})
    assert inside.value == 20.0
    assert inside.low < 20.0 < inside.high


def test_the_first_count_of_a_gate_tells_nothing() -> None:
    assert Occupancy(0.0).observe(1.0, {"door": LineCount("door", 400, 90)}).value == 0.0


def test_a_gate_whose_camera_was_opened_anew_goes_on() -> None:
    place = opened()
    place.observe(60.0, {"door": LineCount("door", 30, 0)})
    assert place.observe(90.0, {"door": LineCount("door", 7, 2)}).value == 35.0


def test_everybody_who_passes_makes_it_less_sure() -> None:
    place = opened()
    few = place.observe(60.0, {"door": LineCount("door", 20, 20)})
    many = place.observe(600.0, {"door": LineCount("door", 400, 400)})
    assert width(many) > 3 * width(few)


def test_a_blind_gate_makes_it_less_sure_the_longer_it_is_blind() -> None:
    place = opened()
    for minute in range(1, 20):
        known = place.observe(60.0 * minute, {"door": LineCount("door", 10 * minute, 5 * minute)})
    blind = [place.observe(60.0 * minute, {"door": None}) for minute in range(20, 50)]
    assert blind[0].value == known.value
    assert width(blind[29]) > 1.5 * width(blind[0]) > width(known)


def test_nobody_is_inside_when_it_is_closed_and_the_band_closes_too() -> None:
    place = opened()
    place.observe(3600.0, {"door": LineCount("door", 900, 880)})
    assert place.empty().value == pytest.approx(0.0, abs=0.5)
    assert place.now.high < 2.0


def test_it_never_holds_less_than_nobody() -> None:
    assert opened().observe(60.0, {"door": LineCount("door", 2, 40)}).value == 0.0


def test_a_count_by_cameras_pulls_it_as_far_as_either_is_sure() -> None:
    place = opened()
    place.observe(60.0, {"door": LineCount("door", 500, 300)})
    before = place.now
    rough = place.anchor(Estimate(150, 60, 240)).value
    assert 150 < rough < before.value
    assert place.anchor(Estimate(150, 148, 152)).value == pytest.approx(150, abs=2)


@pytest.mark.parametrize(("misses_in", "misses_out"), [(0.05, 0.0), (0.0, 0.05)])
def test_a_gate_that_always_errs_to_one_side_is_made_up_for_after_some_days(
    misses_in: float, misses_out: float
) -> None:
    random = np.random.default_rng(4)
    place, ins, outs, time_s = Occupancy(0.0), 0, 0, 0.0
    place.observe(0.0, {"door": LineCount("door", 0, 0)})
    errors, plain, covered = [], [], 0
    for day in range(6):
        inside, counted = 0, 0
        for minute in range(12 * 60):
            time_s += 60.0
            coming = int(random.poisson(4.0 if minute < 500 else 0.5))
            going = min(inside, int(random.poisson(4.0 if minute >= 200 else 0.5)))
            inside += coming - going
            seen_in = int(random.binomial(coming, 1 - misses_in))
            seen_out = int(random.binomial(going, 1 - misses_out))
            ins, outs, counted = ins + seen_in, outs + seen_out, counted + seen_in - seen_out
            now = place.observe(time_s, {"door": LineCount("door", ins, outs)})
            covered += now.low <= inside <= now.high
            if day >= 2:
                errors.append(abs(now.value - inside))
                plain.append(abs(max(0, counted) - inside))
        time_s += 12 * 3600.0
        place.observe(time_s, {"door": LineCount("door", ins, outs)})
        place.empty()
    assert np.mean(errors) < 0.5 * np.mean(plain)
    assert covered / (6 * 12 * 60) > 0.9
