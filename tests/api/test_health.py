"""/healthz and /metrics: whether it works, how well, and to whom that is told."""

import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event
from tests.api.conftest import PASSWORD, healthy
from tests.conftest import PostgreSql
from tests.servers import until

from tynysh.api import probe
from tynysh.store import sessions
from tynysh.store.database import Patience
from tynysh.store.schema import CameraRow
from tynysh.store.users import Role

PROXIED = {"X-Forwarded-For": "203.0.113.9"}
TOKEN = "0123456789abcdef0123456789abcdef"


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


HEALTH = ("/healthz", "/healthz/ready")


def health(house, **headers: str) -> tuple[int, dict[str, Any]]:
    """The answer, which is the same at both addresses and has the same status for HEAD."""
    answers = [httpx.get(f"{house.url}{path}", headers=headers, timeout=20) for path in HEALTH]
    heads = [httpx.head(f"{house.url}{path}", headers=headers, timeout=20) for path in HEALTH]
    assert {answer.status_code for answer in (*answers, *heads)} == {answers[0].status_code}
    assert {head.content for head in heads} == {b""}
    assert httpx.get(f"{house.url}/healthz/alive", timeout=20).json() == {"status": "ok"}
    assert httpx.head(f"{house.url}/healthz/alive", timeout=20).status_code == 200
    return answers[0].status_code, answers[0].json()


def problems(house) -> list[str]:
    """What is wrong, as told on the machine itself."""
    status, answer = health(house)
    assert (status == 200) == (answer["status"] == "ok") == (answer["problems"] == [])
    return [problem["what"] for problem in answer["problems"]]


def is_well(house) -> bool:
    return httpx.get(f"{house.url}/healthz", timeout=20).status_code == 200


def test_it_is_well(make_house) -> None:
    house = make_house()
    assert health(house, **PROXIED) == (200, {"status": "ok"})


def test_on_the_machine_itself_it_tells_of_each_camera_and_disk(make_house) -> None:
    house = make_house()
    house.workers.healths = {
        "worker-0": healthy(analysed_s_ago={"club-door": 0.25}),
        "worker-1": healthy(analysed_s_ago={"park-door": None}),
    }
    status, answer = health(house)
    assert status == 503
    assert answer["free_bytes"][str(house.data_dir)] > 0
    del answer["free_bytes"]
    assert answer == {
        "status": "degraded",
        "problems": [{"what": "cameras", "detail": "Not watched: park-door."}],
        "cameras": [
            {"camera": "club-door", "worker": "worker-0", "answers": True, "analysed_s_ago": 0.25},
            {"camera": "park-door", "worker": "worker-1", "answers": True},
        ],
    }


@pytest.mark.parametrize(
    ("workers", "problem"),
    [
        ({}, "cameras"),
        ({"worker-0": healthy(analysed_s_ago={"club-door": 0.5})}, "cameras"),
        ({"worker-0": healthy(analysed_s_ago={"club-door": 0.5, "park-door": 45.0})}, "cameras"),
        ({"worker-0": healthy(events_wait_s=11.0)}, "events"),
        ({"worker-0": healthy(journal_fault="No space left on device")}, "journal"),
    ],
)
def test_what_a_worker_does_not_do_is_told(make_house, workers, problem: str) -> None:
    house = make_house()
    house.workers.healths = workers
    assert problems(house) == [problem]
    house.workers.healths = {"worker-0": healthy()}
    assert problems(house) == []


def test_a_camera_that_is_not_to_be_watched_is_not_asked_for(make_house) -> None:
    house = make_house()
    with house.database.writing() as session:
        session.get_one(CameraRow, "park-door").settings = {"enabled": False}
    house.workers.healths = {"worker-0": healthy(analysed_s_ago={"club-door": 0.5})}
    assert problems(house) == []


def test_strangers_are_told_no_more_than_that(make_house, quick) -> None:
    house = make_house(replace(quick, metrics_token=TOKEN))
    house.workers.healths = {}
    assert health(house, **PROXIED) == (503, {"status": "degraded"})
    assert "cameras" in health(house, **PROXIED, Authorization=f"Bearer {TOKEN}")[1]
    with house.signed_in(Role.OPERATOR) as browser:
        assert browser.get("/healthz", headers=PROXIED).json() == {"status": "degraded"}
    with house.signed_in(Role.INSTALLER) as browser:
        assert "cameras" in browser.get("/healthz", headers=PROXIED).json()


def test_a_database_that_is_held_by_another_program_is_read_and_not_well(
    make_house, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "PATIENCE_S", 0.2)
    house = make_house()
    house.happens()
    with house.signed_in() as browser, closing(sqlite3.connect(house.data_dir / "tynysh.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert problems(house) == ["database"]
        assert len(browser.get("/api/v1/incidents").json()["items"]) == 1
        other.rollback()
    assert until(lambda: is_well(house), 40)


def test_a_database_that_cannot_be_written_is_read_and_says_why_nobody_can_sign_in(make_house) -> None:
    house = make_house()
    house.happens()
    name = house.user()

    def protect(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA query_only = ON")

    with house.signed_in() as browser:
        event.listen(house.database.engine, "checkout", protect)
        assert problems(house) == ["database"]
        # For long: no request writes when the session was last used.
        for _ in range(3):
            house.clock.now += sessions.IDLE_S - 60
            assert len(browser.get("/api/v1/incidents").json()["items"]) == 1
            assert browser.get("/api/v1/session").status_code == 200
        refused = browser.post("/api/v1/session", json={"name": name, "password": PASSWORD})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_not_writable")
        assert "nobody can sign in" in refused.json()["error"]["message"]


def test_a_database_file_that_was_deleted_is_noticed_at_once(make_house) -> None:
    house = make_house()
    assert problems(house) == []
    for one in house.data_dir.glob("tynysh.db*"):
        one.unlink()
    assert until(lambda: not is_well(house), 20)
    assert problems(house) == ["database"]
    assert house.database.file.put_back()
    assert until(lambda: is_well(house), 20)


def test_a_database_file_that_is_broken_is_noticed(make_house, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "CHECK_S", 0.0)
    house = make_house()
    for _ in range(50):
        house.happens()
    with closing(sqlite3.connect(house.data_dir / "tynysh.db")) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert problems(house) == []
    size = (house.data_dir / "tynysh.db").stat().st_size
    with (house.data_dir / "tynysh.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    assert until(lambda: not is_well(house), 20)
    assert problems(house) == ["database"]


def test_a_disk_that_is_full_is_told(make_house, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house()
    monkeypatch.setattr("tynysh.api.health.LOW_DISK", 10**18)
    assert problems(house) == ["disk"]


def test_while_the_database_does_not_answer_it_does(
    make_house, postgresql: PostgreSql, postgresql_template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many others wait for the database, and though nobody knows who asks."""
    monkeypatch.setattr(probe, "PATIENCE_S", 0.5)
    url = postgresql.new(postgresql_template)
    house = make_house(url=url, patience=Patience(reach_s=0.5, turn_s=1.0, answer_s=1.5))
    assert problems(house) == []
    with house.signed_in(Role.INSTALLER) as browser:
        with postgresql.frozen():
            over = Event()
            waiting = [Thread(target=ask, args=(browser, over), daemon=True) for _ in range(50)]
            for thread in waiting:
                thread.start()
            assert until(lambda: not is_well(house), 20)
            assert problems(house) == ["database"]
            assert browser.get("/healthz", headers=PROXIED, timeout=20).json() == {"status": "failing"}
            over.set()
        for thread in waiting:
            thread.join()
    assert until(lambda: is_well(house), 60)
    house.database.close()


def ask(browser: httpx.Client, over: Event) -> None:
    while not over.wait(0.2):
        with suppress(httpx.HTTPError):
            browser.get("/api/v1/session", timeout=60)


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
    assert problems(house) == []
    task.get_loop().call_soon_threadsafe(task.cancel)
    assert until(task.done, 20)
    assert problems(house) == ["console"]
    assert health(house, **PROXIED) == (503, {"status": "failing"})
