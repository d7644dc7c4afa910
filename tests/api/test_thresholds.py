"""What a camera has learnt within its alarm budget is told to who may see the camera."""

import pytest

from tynysh.behaviour.signal import Behaviour
from tynysh.incidents.alarm_budget import AlarmRate, Choice, Standing
from tynysh.store.queries import alarm_budgets
from tynysh.store.queries.alarm_budgets import LearntThreshold
from tynysh.store.users import Role

PATH = "/api/v1/cameras/club-door/thresholds"


def learnt(behaviour: Behaviour, rate: AlarmRate, recall: float | None) -> LearntThreshold:
    choice = Choice(0.62, Standing.KEPT, rate, recall, recall_floor=0.6)
    return LearntThreshold(
        "club-door", behaviour, choice, 0.5, 0.33, 4.5, verified=3, refound=2, updated_at=1e9
    )


def test_thresholds_are_told_with_what_they_cost(house) -> None:
    with house.signed_in(Role.OPERATOR) as browser:
        assert browser.get(PATH).json() == []
        with house.database.writing() as session:
            alarm_budgets.keep(session, learnt(Behaviour.FIGHT, AlarmRate(0.2, 0.1, 0.3), 0.86))
            alarm_budgets.keep(session, learnt(Behaviour.AGGRESSION, AlarmRate(0.0, 0.0, float("inf")), None))
        aggression, fight = browser.get(PATH).json()
    assert fight == {
        "behaviour": "fight",
        "threshold": 0.62,
        "usual": 0.5,
        "standing": "kept",
        "budget": 0.33,
        "false_per_day": 0.2,
        "low": 0.1,
        "high": 0.3,
        "quiet_days": 4.5,
        "recall": 0.86,
        "recall_floor": 0.6,
        "verified": 3,
        "refound": 2,
        "updated_at": "2001-09-09T01:46:40Z",
    }
    assert (aggression["high"], aggression["recall"]) == (None, None)


@pytest.mark.parametrize("camera", ["nowhere", "park-door"])
def test_other_sites_cameras_are_not_there(house, camera: str) -> None:
    with house.venue("club") as browser:
        assert browser.get(f"/api/v1/cameras/{camera}/thresholds").status_code == 404
    with house.browser() as stranger:
        assert stranger.get(PATH).status_code == 401
