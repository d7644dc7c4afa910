"""The whole way of an incident through the API on PostgreSQL, as on SQLite."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect

from tynysh.store import record
from tynysh.store.users import Role


@pytest.fixture(scope="module")
def city(make_house, postgresql, postgresql_template):
    return make_house(url=postgresql.new(postgresql_template))


async def test_an_incident_from_its_arrival_to_its_end(city) -> None:
    with city.browser() as browser:
        name = city.user(Role.LEAD)
        signed_in = browser.post("/api/v1/session", json={"name": name, "password": "correct horse battery"})
        assert signed_in.status_code == 200
        browser.headers["X-CSRF-Token"] = signed_in.json()["csrf"]
        async with city.updates(browser.cookies["tynysh_session"]) as updates:
            await updates.ready()
            number = await asyncio.to_thread(city.happens)
            kind, incident = await updates.next()
            assert (kind, incident["id"]) == ("incident", str(number))
            await asyncio.to_thread(city.has_clip, number, b"video" * 100)
            assert (await updates.next())[1]["clip"] == "ready"
            path = f"/api/v1/incidents/{number}"
            for step in (
                {"action": "verify", "verdict": "true"},
                {"action": "dispatch"},
                {"action": "resolve"},
            ):
                await asyncio.to_thread(browser.post, f"{path}/steps", json=step)
            while (await updates.next())[1]["state"] != "resolved":
                pass
        part = browser.get(f"{path}/clip", headers={"Range": "bytes=0-4"})
        assert (part.status_code, part.content) == (206, b"video")
        assert len(browser.get(path).json()["steps"]) == 3
        assert browser.get("/api/v1/incidents?open=true&behaviour=fight&site=club").json()["items"] == []
        assert browser.post(f"{path}/steps", json={"action": "dispatch"}).status_code == 409
    with city.database.reading() as session:
        actions = [entry.action for entry in record.entries(session)]
        assert record.verify(session) is None
    assert actions[0] == "clip.view"
    assert actions[-1] == "session.begin"


async def test_a_venue_sees_its_own_site_only(city) -> None:
    own, other = city.happens("club-door"), city.happens("park-door")
    token = city.token(city.user(Role.VENUE, sites=("club",)))
    with city.browser(token) as browser:
        listed = {item["id"] for item in browser.get("/api/v1/incidents").json()["items"]}
        assert str(own) in listed
        assert str(other) not in listed
        assert browser.get(f"/api/v1/incidents/{other}").status_code == 404
        assert [camera["id"] for camera in browser.get("/api/v1/cameras").json()] == ["club-door"]
    async with city.updates(token, query="?after=0") as updates:
        while (await updates.next())[1]["id"] != str(own):
            assert updates.last_id is not None
    refused = connect(
        f"ws://127.0.0.1:{city.served.port}/api/v1/cameras/park-door/live",
        additional_headers={**city.headers(token), "Origin": city.url},
        proxy=None,
    )
    with pytest.raises(Exception, match="404"):
        async with refused:
            pass


@pytest.mark.parametrize("path", ["incidents?site=%00", "cameras/%00", "incidents/9223372036854775807"])
def test_what_postgresql_cannot_hold_is_refused_before(city, path: str) -> None:
    with city.signed_in() as browser:
        answer = browser.get(f"/api/v1/{path}")
        assert answer.status_code in {404, 422}, json.dumps(answer.json())


def test_names_and_notes_with_a_zero_do_no_harm(city) -> None:
    number = city.happens()
    with city.signed_in() as browser:
        step = {"action": "note", "note": "a\0b"}
        assert browser.post(f"/api/v1/incidents/{number}/steps", json=step).status_code == 200
        body = {"name": "a\0b", "password": "c\0d"}
        assert browser.post("/api/v1/session", json=body).status_code == 401


def test_figures_are_counted_alike(city) -> None:
    with city.signed_in(Role.ADMIN) as browser:
        assert 'tynysh_incidents{behaviour="fight"' in browser.get("/metrics").text
        assert browser.get("/healthz").json()["status"] == "ok"
