"""/healthz and /metrics: whether it works, how well, and to whom that is told."""

import time
from dataclasses import replace

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tynysh.errors import StoreError
from tynysh.store.users import Role

PROXIED = {"X-Forwarded-For": "203.0.113.9"}
TOKEN = "0123456789abcdef0123456789abcdef"


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_it_is_well(make_house) -> None:
    house = make_house()
    assert httpx.get(f"{house.url}/healthz", headers=PROXIED).json() == {"status": "ok"}


def test_on_the_machine_itself_it_tells_how_old_each_camera_is(make_house) -> None:
    house = make_house()
    house.set_state("club-door", "live")
    house.set_state("park-door", "live")
    house.workers.statuses["club-door"] = {"state": "live", "since": house.clock.now, "worker": 1}
    house.clock.now += 12
    answer = httpx.get(f"{house.url}/healthz")
    assert answer.status_code == 200, "the console itself serves"
    assert answer.json() == {
        "status": "degraded",
        "database": True,
        "cameras": [
            {"camera": "club-door", "worker": 1, "answers": True, "recorded_s_ago": 12.0},
            {"camera": "park-door", "answers": False, "recorded_s_ago": 12.0},
        ],
    }


def test_strangers_are_told_no_more_than_that(make_house) -> None:
    house = make_house()
    house.set_state("club-door", "live")
    assert httpx.get(f"{house.url}/healthz", headers=PROXIED).json() == {"status": "degraded"}
    with house.signed_in(Role.OPERATOR) as browser:
        assert browser.get("/healthz", headers=PROXIED).json() == {"status": "degraded"}
    with house.signed_in(Role.INSTALLER) as browser:
        assert "cameras" in browser.get("/healthz", headers=PROXIED).json()


def test_without_a_database_it_is_not_well(make_house, monkeypatch) -> None:
    house = make_house()

    def away(*_: object) -> None:
        raise StoreError("The database /secret/place cannot be reached.")

    monkeypatch.setattr("tynysh.store.console_queries.reported", away)
    answer = httpx.get(f"{house.url}/healthz", headers=PROXIED)
    assert (answer.status_code, answer.json()) == (503, {"status": "failing"})


def test_the_figures(make_house) -> None:
    house = make_house()
    house.workers.statuses["club-door"] = {
        "state": "live",
        "since": house.clock.now,
        "people": 4,
        "fps": 9.5,
        "counters": {
            "frames_read": 100,
            "frames_decoded": 90,
            "frames_dropped": 3,
            "frames_analysed": 40,
            "reconnects": 2,
        },
    }
    house.happens()
    house.happens("park-door")
    answer = httpx.get(f"{house.url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = samples(answer.text)
    camera = ("camera", "club-door")
    assert found["tynysh_cameras", frozenset({("state", "live")})] == 1
    assert found["tynysh_cameras", frozenset({("state", "lost")})] == 0
    for stage, number in (("read", 100), ("decoded", 90), ("dropped", 3), ("analysed", 40)):
        assert found["tynysh_frames_total", frozenset({camera, ("stage", stage)})] == number
    assert found["tynysh_reconnects_total", frozenset({camera})] == 2
    assert found["tynysh_people", frozenset({camera})] == 4
    assert found["tynysh_incidents", frozenset({("behaviour", "fight"), ("state", "new")})] == 2
    assert found["tynysh_event_record_delay_seconds_count", frozenset()] == 2
    assert found["tynysh_event_record_delay_seconds_sum", frozenset()] == pytest.approx(6.0)
    assert found["process_resident_memory_bytes", frozenset()] > 1e6


def test_a_camera_name_cannot_forge_figures(make_house) -> None:
    house = make_house()
    house.workers.statuses['x"} 1\ntynysh_forged 1\n#'] = {"state": "live", "since": 0}
    found = samples(httpx.get(f"{house.url}/metrics").text)
    assert ("tynysh_forged", frozenset()) not in found


def test_figures_are_for_the_machine_itself_and_for_who_may(make_house, quick) -> None:
    house = make_house(replace(quick, metrics_token=TOKEN))
    url = f"{house.url}/metrics"
    assert httpx.get(url).status_code == 200
    assert httpx.get(url, headers=PROXIED).status_code == 401
    assert httpx.get(url, headers={**PROXIED, "Authorization": f"Bearer {TOKEN}"}).status_code == 200
    for wrong in ("Bearer", "Bearer x", TOKEN, f"Basic {TOKEN}", "Bearer \u00e9"):
        given = {**PROXIED, "Authorization": wrong}
        assert (
            httpx.get(url, headers={name: value.encode() for name, value in given.items()}).status_code == 401
        )
    for role, status in ((Role.ADMIN, 200), (Role.INSTALLER, 200), (Role.OPERATOR, 401)):
        with house.signed_in(role) as browser:
            assert browser.get("/metrics", headers=PROXIED).status_code == status


def test_without_a_token_set_no_token_opens(make_house) -> None:
    house = make_house()
    for given in ("Bearer None", "Bearer"):
        headers = {**PROXIED, "Authorization": given}
        assert httpx.get(f"{house.url}/metrics", headers=headers).status_code == 401


def test_when_a_task_of_the_console_has_ended_it_is_not_well(make_house) -> None:
    house = make_house()
    task = house.app.state.context.tasks[0]
    assert httpx.get(f"{house.url}/healthz", headers=PROXIED).json() == {"status": "ok"}
    task.get_loop().call_soon_threadsafe(task.cancel)
    deadline = time.monotonic() + 10
    while not task.done() and time.monotonic() < deadline:
        time.sleep(0.01)
    answer = httpx.get(f"{house.url}/healthz", headers=PROXIED)
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})
