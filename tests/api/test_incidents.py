"""Incidents: the list, one with its history, the next step, and its evidence."""

from datetime import datetime
from uuid import uuid4

import httpx
import pytest

from tynysh.api.lookers import LOOKS_S
from tynysh.behaviour.signal import Behaviour
from tynysh.incidents.lifecycle import UNDO_S
from tynysh.store import record
from tynysh.store.users import Role

VIDEO = bytes(range(256)) * 400
LIST = "/api/v1/incidents"


def step(browser: httpx.Client, incident: int, action: str, **more: object) -> httpx.Response:
    return browser.post(f"{LIST}/{incident}/steps", json={"action": action, **more})


def viewings(house, incident: int) -> list[record.AuditEntry]:
    with house.database.reading() as session:
        return [
            entry for entry in record.entries(session, limit=1000) if entry.object == f"incident:{incident}"
        ]


def test_an_incident_says_what_the_console_needs(house) -> None:
    number = house.happens()
    with house.signed_in() as browser:
        incident = browser.get(f"{LIST}/{number}").json()
    assert incident["id"] == str(number)
    assert incident["site"]["id"] == "club"
    assert incident["camera"] == {"id": "club-door", "name": "club door", "simulated": False}
    assert (incident["behaviour"], incident["behaviours"]) == ("fight", ["fight"])
    assert (incident["state"], incident["verdict"], incident["owner"]) == ("new", None, None)
    assert incident["box"] == [0.1, 0.2, 0.3, 0.4]
    assert incident["reason"] == {"key": "reason.fight.network", "values": {"score": 0.9}}
    assert incident["position"] == {"latitude": 51.1, "longitude": 71.4}
    assert (incident["clip"], incident["still"]) == ("none", False)
    assert incident["actions"] == ["acknowledge", "verify", "dispatch", "resolve", "note"]
    started = datetime.fromisoformat(incident["started_at"])
    assert started.timestamp() == pytest.approx(house.clock.now - 5)
    assert incident["started_at"].endswith("Z")
    (event,) = incident["events"]
    assert event["curve"] == [[house.clock.now - 5, 0.2], [house.clock.now - 3, 0.9]]
    assert incident["steps"] == []


def test_the_list_is_newest_first_in_pages(make_house) -> None:
    house = make_house()
    numbers = [str(house.happens()) for _ in range(5)]
    with house.signed_in() as browser:
        seen: list[str] = []
        query: dict[str, str] = {"limit": "2"}
        while True:
            page = browser.get(LIST, params=query).json()
            assert len(page["items"]) <= 2
            seen += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            query["before"] = page["next"]
    assert seen == numbers[::-1]


def test_the_list_can_be_narrowed(make_house) -> None:
    house = make_house()
    fight, down = house.happens(), house.happens("park-door", Behaviour.PERSON_DOWN)
    with house.signed_in() as browser:
        assert step(browser, fight, "resolve").status_code == 200

        def found(**query: str) -> set[str]:
            return {item["id"] for item in browser.get(LIST, params=query).json()["items"]}

        assert found() == {str(fight), str(down)}
        assert found(open="true") == {str(down)}
        assert found(state="resolved") == {str(fight)}
        assert found(site="park") == {str(down)}
        assert found(behaviour="fight") == {str(fight)}
        assert found(site="nowhere") == set()


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=many",
        "before=0",
        "before=-1",
        "before=99999999999999999999",
        "state=' OR 1=1 --",
        "behaviour=Fight!",
        "open=perhaps",
        "site=" + "x" * 64,
    ],
)
def test_filters_that_make_no_sense_name_their_field(house, query: str) -> None:
    with house.signed_in() as browser:
        answer = browser.get(f"{LIST}?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid"
    assert answer.json()["error"]["field"] == query.partition("=")[0]


@pytest.mark.parametrize(
    "site", ["' OR '1'='1", "club'; DROP TABLE incident; --", "%", "_", "club\x00", "\\"]
)
def test_sql_in_a_filter_is_a_name_that_nothing_has(house, site: str) -> None:
    house.happens()
    with house.signed_in() as browser:
        answer = browser.get(LIST, params={"site": site})
        assert answer.status_code == (422 if "\0" in site else 200)
        assert answer.json().get("items", []) == []
        assert browser.get(LIST).json()["items"], "the table is still there"


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999999999999", "1e3", "1;DROP", "%2e%2e"])
def test_numbers_that_are_none(house, number: str) -> None:
    with house.signed_in() as browser:
        assert browser.get(f"{LIST}/{number}").status_code in {404, 422}


def test_a_step_that_was_sent_twice_is_taken_once(house) -> None:
    number, key = house.happens(), str(uuid4())
    with house.signed_in() as browser, house.signed_in() as other:
        first = step(browser, number, "verify", verdict="true", version=0, key=key)
        again = step(browser, number, "verify", verdict="true", version=0, key=key)
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.json() == first.json()
        assert first.json()["version"] == 1
        assert len(first.json()["steps"]) == 1
        assert step(other, number, "note", note="mine", key=key).status_code == 422
        assert step(browser, house.happens("park-door"), "acknowledge", key=key).status_code == 422
        assert step(browser, number, "note", note="x", key="not a key").status_code == 422
    assert [entry.action for entry in viewings(house, number)] == ["incident.verify"]


def test_a_step_on_what_others_have_changed_is_refused(house) -> None:
    number = house.happens()
    with house.signed_in(Role.LEAD) as lead, house.signed_in() as browser:
        seen = browser.get(f"{LIST}/{number}").json()["version"]
        assert step(browser, number, "note", note="a note disturbs nobody").json()["version"] == seen
        assert step(lead, number, "verify", verdict="false", version=seen).status_code == 200
        late = step(browser, number, "verify", verdict="true", version=seen)
        assert (late.status_code, late.json()["error"]["code"]) == (409, "changed")
        now = browser.get(f"{LIST}/{number}").json()
        assert (now["verdict"], now["version"]) == ("false", seen + 1)
        assert step(browser, number, "note", note="seen too", version=seen).status_code == 200


def test_only_who_has_an_incident_or_a_lead_decides(house) -> None:
    number = house.happens()
    with house.signed_in() as owner, house.signed_in() as other, house.signed_in(Role.LEAD) as lead:
        assert step(owner, number, "acknowledge").status_code == 200
        refused = step(other, number, "verify", verdict="false")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
        assert step(lead, number, "verify", verdict="unclear").status_code == 200
        taken = step(other, number, "take_over").json()
        assert taken["owner"] == other.get("/api/v1/session").json()["user"]["name"]
        assert step(owner, number, "resolve").status_code == 409
        assert step(other, number, "resolve", verdict="false").status_code == 200


def test_ones_last_step_is_taken_back_for_some_seconds(make_house) -> None:
    house = make_house()
    number = house.happens()
    with house.signed_in() as browser, house.signed_in() as other:
        assert step(browser, number, "undo").status_code == 409
        step(browser, number, "resolve", verdict="false")
        assert step(other, number, "undo").status_code == 409
        back = step(browser, number, "undo").json()
        assert (back["state"], back["verdict"], back["owner"]) == ("new", None, None)
        assert [one["action"] for one in back["steps"]] == ["resolve", "undo"], "the history hides nothing"
        step(browser, number, "acknowledge")
        house.clock.now += UNDO_S + 1
        assert step(browser, number, "undo").status_code == 409


def test_those_who_look_at_an_incident_are_told_of_each_other(make_house) -> None:
    house = make_house()
    number, other = house.happens(), house.happens("park-door")

    def look(browser: httpx.Client, incident: int) -> list[str]:
        return browser.post(f"{LIST}/{incident}/looking").json()["others"]

    with house.signed_in() as one, house.signed_in() as two, house.venue("club") as venue:
        names = [each.get("/api/v1/session").json()["user"]["name"] for each in (one, two)]
        assert look(one, number) == []
        assert look(one, number) == [], "nobody is told of themselves"
        assert look(two, number) == [names[0]]
        assert look(two, other) == []
        assert venue.post(f"{LIST}/{other}/looking").status_code == 404
        house.clock.now += LOOKS_S - 1
        assert look(two, number) == [names[0]]
        house.clock.now += 1
        assert look(one, number) == [names[1]]
        house.clock.now += LOOKS_S
        assert look(two, number) == []


def test_the_steps_of_an_incident(house) -> None:
    number = house.happens()
    with house.signed_in() as browser:
        name = browser.get("/api/v1/session").json()["user"]["name"]
        assert step(browser, number, "acknowledge").json()["owner"] == name
        verified = step(browser, number, "verify", verdict="true", note="Two men at the door")
        assert (verified.json()["state"], verified.json()["verdict"]) == ("verified", "true")
        assert step(browser, number, "dispatch").json()["state"] == "dispatched"
        assert step(browser, number, "resolve").json()["state"] == "resolved"
        assert step(browser, number, "reopen").json()["state"] == "acknowledged"
        history = browser.get(f"{LIST}/{number}").json()["steps"]
    assert [(one["action"], one["from_state"], one["to_state"]) for one in history] == [
        ("acknowledge", "new", "acknowledged"),
        ("verify", "acknowledged", "verified"),
        ("dispatch", "verified", "dispatched"),
        ("resolve", "dispatched", "resolved"),
        ("reopen", "resolved", "acknowledged"),
    ]
    assert {one["user"] for one in history} == {name}
    assert history[1]["note"] == "Two men at the door"
    actions = [entry.action for entry in viewings(house, number)]
    assert "incident.verify" in actions
    assert "incident.dispatch" in actions


def test_a_step_that_the_state_forbids_changes_nothing(house) -> None:
    number = house.happens()
    with house.signed_in() as browser:
        answer = step(browser, number, "reopen")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
        assert browser.get(f"{LIST}/{number}").json()["state"] == "new"
    assert viewings(house, number) == [], "what did not happen is not on record"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "verify"}, "verdict"),
        ({"action": "verify", "verdict": "maybe"}, "verdict"),
        ({"action": "note"}, "note"),
        ({"action": "note", "note": "x" * 3000}, "note"),
        ({"action": "burn"}, "action"),
        ({}, "action"),
        ({"action": "note", "note": "x", "user": "somebody else"}, "user"),
    ],
)
def test_steps_that_make_no_sense_name_their_field(house, body: dict[str, str], field: str) -> None:
    number = house.happens()
    with house.signed_in() as browser:
        answer = browser.post(f"{LIST}/{number}/steps", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


def test_names_and_notes_with_markup_are_only_ever_json(house) -> None:
    number = house.happens()
    note = "<img src=x onerror=alert(1)>\u2028</script>"
    with house.signed_in() as browser:
        answer = step(browser, number, "note", note=note)
        listed = browser.get(f"{LIST}/{number}")
    for one in (answer, listed):
        assert one.headers["content-type"] == "application/json"
        assert one.headers["x-content-type-options"] == "nosniff"
        assert one.json()["steps"][0]["note"] == note
        assert one.json()["site"]["name"] == '<script>alert("x")</script>'


class TestAVenueSeesItsOwnSiteOnly:
    def test_in_the_list(self, house) -> None:
        own, other = house.happens("club-door"), house.happens("park-door")
        with house.venue("club") as browser:
            seen = {item["id"] for item in browser.get(LIST, params={"limit": 200}).json()["items"]}
            assert str(own) in seen
            assert str(other) not in seen
            assert browser.get(LIST, params={"site": "park"}).json()["items"] == []

    @pytest.mark.parametrize("path", ["", "/clip", "/still"])
    def test_by_number(self, house, path: str) -> None:
        own, other = house.happens("club-door"), house.happens("park-door")
        house.has_clip(own, VIDEO)
        house.has_clip(other, VIDEO)
        with house.venue("club") as browser:
            assert browser.get(f"{LIST}/{own}{path}").status_code == 200
            refused = browser.get(f"{LIST}/{other}{path}")
            missing = browser.get(f"{LIST}/99999{path}")
        assert refused.status_code == 404
        assert refused.json() == missing.json(), "nor is it told that there is one"
        assert viewings(house, other) == []

    def test_when_it_acts(self, house) -> None:
        own, other = house.happens("club-door"), house.happens("park-door")
        with house.venue("club") as browser:
            assert step(browser, own, "acknowledge").status_code == 200
            assert step(browser, other, "acknowledge").status_code == 404
        with house.signed_in() as browser:
            assert browser.get(f"{LIST}/{other}").json()["state"] == "new"


class TestEvidence:
    def test_until_it_is_there_it_is_not_ready(self, house) -> None:
        number = house.happens(clip=True)
        with house.signed_in() as browser:
            assert browser.get(f"{LIST}/{number}").json()["clip"] == "pending"
            for what in ("clip", "still"):
                answer = browser.get(f"{LIST}/{number}/{what}")
                assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_ready")

    def test_it_is_the_anonymised_one(self, house) -> None:
        number = house.happens()
        house.has_clip(number, VIDEO)
        with house.signed_in() as browser:
            clip = browser.get(f"{LIST}/{number}/clip")
            still = browser.get(f"{LIST}/{number}/still")
        assert (clip.content, clip.headers["content-type"]) == (VIDEO, "video/mp4")
        assert still.headers["content-type"] == "image/jpeg"
        assert "no-store" in clip.headers["cache-control"]
        assert clip.headers["accept-ranges"] == "bytes"

    @pytest.mark.parametrize(
        ("wanted", "part"),
        [
            ("bytes=0-99", VIDEO[:100]),
            ("bytes=100-", VIDEO[100:]),
            ("bytes=-10", VIDEO[-10:]),
            ("bytes=5-5", VIDEO[5:6]),
            ("bytes=102390-200000", VIDEO[102390:]),
        ],
    )
    def test_parts_of_it(self, house, wanted: str, part: bytes) -> None:
        number = house.happens()
        house.has_clip(number, VIDEO)
        with house.signed_in() as browser:
            answer = browser.get(f"{LIST}/{number}/clip", headers={"Range": wanted})
        assert (answer.status_code, answer.content) == (206, part)
        assert answer.headers["content-range"].endswith(f"/{len(VIDEO)}")

    @pytest.mark.parametrize(
        "wanted", ["bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=", "x", "bytes=" + "0-," * 50]
    )
    def test_odd_ranges_are_answered_with_all_of_it(self, house, wanted: str) -> None:
        number = house.happens()
        house.has_clip(number, VIDEO)
        with house.signed_in() as browser:
            answer = browser.get(f"{LIST}/{number}/clip", headers={"Range": wanted})
        assert (answer.status_code, answer.content) == (200, VIDEO)

    def test_a_part_behind_the_end(self, house) -> None:
        number = house.happens()
        house.has_clip(number, VIDEO)
        with house.signed_in() as browser:
            answer = browser.get(f"{LIST}/{number}/clip", headers={"Range": "bytes=999999-"})
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{len(VIDEO)}"

    def test_a_viewing_is_on_record_once_however_many_parts_are_fetched(self, house) -> None:
        number = house.happens()
        house.has_clip(number, VIDEO)
        with house.signed_in(Role.AUDITOR) as browser:
            name = browser.get("/api/v1/session").json()["user"]["name"]
            for first in (500, 0, 1000):
                browser.get(f"{LIST}/{number}/clip", headers={"Range": f"bytes={first}-{first + 9}"})
            (entry,) = viewings(house, number)
            assert (entry.user, entry.action, entry.address) == (name, "clip.view", "127.0.0.1")
            assert entry.at == house.clock.now
            house.clock.now += 3000
            browser.get(f"{LIST}/{number}/clip")
            assert len(viewings(house, number)) == 2, "another viewing"
        with house.signed_in() as browser:
            browser.get(f"{LIST}/{number}/clip")
        assert len(viewings(house, number)) == 3, "another viewer"

    def test_what_cannot_be_put_on_record_is_not_shown(self, house, monkeypatch) -> None:
        from tynysh.errors import StoreError

        def full(*_: object, **__: object) -> None:
            raise StoreError("The database refuses: disk full.")

        number = house.happens()
        house.has_clip(number, VIDEO)
        monkeypatch.setattr("tynysh.store.record.append", full)
        with house.signed_in() as browser:
            answer = browser.get(f"{LIST}/{number}/clip")
        assert answer.status_code == 503
        assert VIDEO[:50] not in answer.content

    @pytest.mark.parametrize(
        "path", ["../secret.txt", "/etc/hostname", "x/../../secret.txt", "", "missing.mp4", "."]
    )
    def test_a_path_in_the_database_leads_nowhere_else(self, house, path: str) -> None:
        from tynysh.store.schema import ClipRow

        number = house.happens(clip=True)
        with house.database.writing() as session:
            row = session.get_one(ClipRow, number)
            row.state, row.anonymised_path = "ready", path
        with house.signed_in() as browser:
            answer = browser.get(f"{LIST}/{number}/clip")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_ready")
