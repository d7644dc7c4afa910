"""/blindness tells which places are blind, to those who may know of them."""

from tynysh.behaviour.signal import Behaviour
from tynysh.store.users import Role


def test_a_silent_camera_is_a_blind_place_and_says_what_it_hides(make_house) -> None:
    house = make_house()
    now = house.clock.now
    house.workers.statuses = {
        "club-door": {"state": "lost", "since": now},
        "park-door": {"state": "live", "since": now},
    }
    with house.signed_in() as browser:
        club, park = browser.get("/api/v1/blindness").json()
    assert (club["site"]["id"], club["cameras"], club["blind"]) == ("club", 1, 1)
    assert club["since"] == "2027-01-15T08:00:00Z"
    faulty = club["faulty"][0]
    assert faulty["camera"] == {"id": "club-door", "name": "club door", "simulated": False}
    assert faulty["faults"] == [
        {
            "kind": "lost",
            "blinds": True,
            "since": "2027-01-15T08:00:00Z",
            "incident": None,
            "reason": {"key": "camera_fault.lost", "values": {}},
        }
    ]
    assert faulty["zones"] == [{"name": "Stage", "kind": "protected", "seen_by": []}]
    assert faulty["behaviours"] == ["crush_risk", "fight", "person_down", "crowd_run", "aggression"]
    assert (park["blind"], park["faulty"]) == (0, [])
    assert park["seeing"] == [{"id": "park-door", "name": "park door", "simulated": False}]


def test_a_venue_knows_of_its_own_site_only(house) -> None:
    house.happens("park-door", Behaviour.CAMERA_FAULT)
    with house.venue("club") as browser:
        assert [one["site"]["id"] for one in browser.get("/api/v1/blindness").json()] == ["club"]
        assert browser.get("/api/v1/blindness", params={"site": "park"}).json() == []
    with house.signed_in(Role.INSTALLER) as browser:
        found = browser.get("/api/v1/blindness", params={"site": "park"}).json()
    assert [one["site"]["id"] for one in found] == ["park"]
