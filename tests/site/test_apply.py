"""The database says what the site file says, and an export of it is the same file."""

import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import SiteError
from tynysh.site import apply as applying
from tynysh.site.site import SiteFile, SiteKind
from tynysh.site.yaml import parse
from tynysh.site.zones import ZoneKind
from tynysh.store import record
from tynysh.store.database import Database
from tynysh.store.queries import cameras, changes, events, incidents
from tynysh.store.schema import AuditEntryRow, CameraRow

BASE = {
    "name": "Pulse",
    "kind": "nightlife",
    "time_zone": "Asia/Almaty",
    "cameras": [
        {
            "name": "Door",
            "main": "rtsp://10.0.0.1/main",
            "zones": [{"name": "queue", "polygon": [[0, 0], [1, 0], [1, 1]]}],
            "credentials": {"username": "viewer", "password": {"env": "DOOR"}},
        },
        {"name": "Drawn", "main": "simulated:square"},
    ],
}


def made(*sites: dict) -> SiteFile:
    return SiteFile.model_validate({"sites": list(sites)})


def apply(database: Database, site: SiteFile, now: float = 1.0) -> list[str]:
    return [change.words() for change in applying.apply(site, database, now=now, user="engineer").items]


def exported(database: Database) -> str:
    with database.reading() as session:
        return applying.export(session)


def test_applying_twice_changes_nothing_the_second_time(database: Database) -> None:
    assert apply(database, made(BASE)) == [
        "added site pulse (Pulse)",
        "added camera pulse-door (Door)",
        "added camera pulse-drawn (Drawn)",
    ]
    with database.reading() as session:
        published = changes.latest(session)
    assert apply(database, made(BASE)) == []
    with database.reading() as session:
        assert changes.latest(session) == published
        assert [(camera.id, camera.simulated) for camera in cameras.cameras(session)] == [
            ("pulse-door", False),
            ("pulse-drawn", True),
        ]


def test_what_lets_somebody_in_is_neither_recorded_nor_exported(database: Database) -> None:
    def camera_at(address: str) -> SiteFile:
        return made(BASE | {"cameras": [{"name": "Door", "main": address}]})

    apply(database, camera_at("https://10.0.0.1/8d9Kx02mQ7Lp55Tz/live"))
    (changed,) = apply(database, camera_at("https://10.0.0.1/1aB2c3D4e5F6g7H8/live"))
    assert changed.startswith("camera pulse-door: main from ")
    assert "8d9Kx02mQ7Lp55Tz" not in changed
    assert "1aB2c3D4e5F6g7H8" not in changed
    # An address that an older version let be stored goes on, and is shown nowhere.
    with database.writing() as session:
        row = session.get(CameraRow, "pulse-door")
        assert row is not None
        row.settings = row.settings | {"main": "https://10.0.0.1/live?token=hunter2"}
    with database.reading() as session:
        found = applying.stored(session)
        assert found is not None
        assert found.sites[0].cameras[0].main.endswith("token=hunter2")
        assert "hunter2" not in applying.export(session)
    told = apply(database, camera_at("https://10.0.0.1/live?token={password}"))
    assert "hunter2" not in "".join(told)
    with database.reading() as session:
        assert "hunter2" not in str([entry.detail for entry in session.scalars(select(AuditEntryRow))])


def test_changes_are_told_setting_by_setting(database: Database) -> None:
    apply(database, made(BASE))
    door, drawn = BASE["cameras"]
    changed = BASE | {
        "id": "pulse",
        "name": "Pulse Club",
        "address": "Abay 44",
        "cameras": [
            drawn,
            door
            | {
                "zones": [{"name": "queue", "polygon": [[0, 0], [1, 0], [1, 0.5]]}],
                "credentials": {"username": "viewer", "password": {"file": "/run/door"}},
                "analysers": {"crowding": {"limit": 9}},
            },
            {"name": "Bar", "main": "/srv/bar.mp4"},
        ],
    }
    shown = "{{name: queue, polygon: [[0.0, 0.0], [1.0, 0.0], [1.0, {}]]}}"
    assert sorted(apply(database, made(changed))) == [
        "added camera pulse-bar (Bar)",
        "camera pulse-door: analysers.crowding.limit added (9)",
        "camera pulse-door: credentials.password from environment variable DOOR to file /run/door",
        "camera pulse-door: place in the file from 1 of pulse to 2 of pulse",
        f"camera pulse-door: zones.queue from {shown.format(1.0)} to {shown.format(0.5)}",
        "camera pulse-drawn: place in the file from 2 of pulse to 1 of pulse",
        "site pulse: address added ('Abay 44')",
        "site pulse: name from 'Pulse' to 'Pulse Club'",
    ]


def test_what_the_file_no_longer_names_is_out_of_force_and_its_incidents_stay(database: Database) -> None:
    apply(database, made(BASE))
    event = Event(
        id="0" * 36,
        behaviour=Behaviour.FIGHT,
        phase=Phase.BEGUN,
        start_s=10.0,
        decided_s=11.0,
        end_s=None,
        score=0.9,
        box=None,
        people=2,
        zone=None,
        subject="",
        reason=None,
    )
    number = events.record(database, event, "pulse-door", now=12.0).incident_id
    without = made(BASE | {"cameras": BASE["cameras"][1:]})
    assert "removed camera pulse-door (Door)" in apply(database, without, now=20.0)
    with database.reading() as session:
        assert [camera.id for camera in cameras.cameras(session)] == ["pulse-drawn"]
        kept = incidents.get(session, number)
        published = changes.since(session, 0)
    assert kept is not None
    assert (kept.camera.name, kept.ended_at) == ("Door", 11.0), "nobody else will end what it began"
    assert {(change.kind, change.ref) for change in published[-2:]} == {
        ("camera", "pulse-door"),
        ("incident", str(number)),
    }
    apply(database, made(BASE), now=30.0)
    with database.reading() as session:
        assert session.get_one(CameraRow, "pulse-door").removed_at is None


def test_a_camera_may_move_to_another_site(database: Database) -> None:
    door = BASE["cameras"][0] | {"id": "door"}
    apply(database, made(BASE | {"cameras": [door]}, {"name": "B", "kind": "park", "time_zone": "UTC"}))
    applied = apply(
        database,
        made(BASE | {"cameras": []}, {"name": "B", "kind": "park", "time_zone": "UTC", "cameras": [door]}),
    )
    assert applied == ["camera door: place in the file from 1 of pulse to 1 of b"]
    with database.reading() as session:
        found = cameras.camera(session, "door")
    assert found is not None
    assert found.site.id == "b"


def test_applying_that_fails_changes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(database, made(BASE))
    before = exported(database)

    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(record, "append", fail)
    with pytest.raises(RuntimeError):
        apply(database, made(BASE | {"id": "pulse", "name": "Other"}))
    assert exported(database) == before


def test_a_database_without_a_site_has_nothing_to_export(database: Database) -> None:
    with pytest.raises(SiteError, match="no site in the database"):
        exported(database)


def test_what_an_older_version_stored_and_this_one_does_not_know_can_be_replaced(database: Database) -> None:
    apply(database, made(BASE))
    with database.writing() as session:
        row = session.get_one(CameraRow, "pulse-door")
        row.settings = row.settings | {"iris": 3}
    with pytest.raises(
        SiteError, match=r"not understood by this version of Tynysh, at sites\.0\.cameras\.0\.iris"
    ):
        exported(database)
    assert apply(database, made(BASE)) == ["camera pulse-door: iris removed (3)"]
    assert exported(database)


# Texts that YAML likes to take for something else are among them.
words = st.one_of(
    st.sampled_from(
        ["no", "Yes", "null", "~", "1e3", "0o17", "0x1F", "22:00", "1.5", ".inf", "2026-01-01", "- a", "a: b"]
    ),
    st.sampled_from(
        ["# x", "*a", "&a", "!!x", "'", '"', "{a}", "[a]", "%", "@", "Мәңгілік алау", "a\u2028b", "<<", "="]
    ),
    st.text(
        st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="\x7f"),
        min_size=1,
        max_size=12,
    ).filter(lambda text: text.strip()),
)
shares = st.floats(0, 1, allow_subnormal=False)
triangles = st.tuples(shares, shares, st.floats(0.05, 0.5)).map(
    lambda t: [[t[0] * 0.5, t[1] * 0.5], [t[0] * 0.5 + t[2], t[1] * 0.5], [t[0] * 0.5, t[1] * 0.5 + t[2]]]
)
variables = st.text(string.ascii_uppercase, min_size=1, max_size=5)
references = st.one_of(
    st.builds(lambda name: {"env": name}, variables),
    st.builds(lambda name: {"file": f"/run/{name}"}, variables),
)
credentials = st.fixed_dictionaries({"username": st.one_of(words, references), "password": references})
trust = st.fixed_dictionaries(
    {},
    optional={
        "basic_in_clear": st.booleans(),
        "fingerprint": st.just("ab" * 32),
        "authority": st.just("/etc/ca.pem"),
        "hosts": st.lists(st.sampled_from(["cdn.kz", "10.0.0.0/8"]), max_size=2),
    },
)
addresses = st.sampled_from(
    [
        "rtsp://h/x",
        "rtsps://h:322/a?b=c",
        "http://h/{user}?token={password}",
        "/srv/no.mp4",
        "/dev/video0",
        "simulated:square",
    ]
)
clock = st.builds(lambda h, m: f"{h:02}:{m:02}", st.integers(0, 23), st.integers(0, 59))

CORNERS = {
    "points": [
        {"at": [0.2, 0.8], "metres": [0, 0]},
        {"at": [0.8, 0.8], "metres": [4.5, 0]},
        {"at": [0.7, 0.5], "metres": [4.5, 8]},
        {"at": [0.3, 0.5], "metres": [0, 8]},
    ]
}
LENGTHS = {
    "distances": [
        {"from": [0.2, 0.8], "to": [0.8, 0.8], "metres": 4.5},
        {"from": [0.3, 0.5], "to": [0.7, 0.5], "metres": 4.5},
        {"from": [0.2, 0.8], "to": [0.3, 0.5], "metres": 8},
        {"from": [0.8, 0.8], "to": [0.7, 0.5], "metres": 8},
    ]
}


@st.composite
def camera(draw: st.DrawFn, number: int, schedules: list[str]) -> dict:
    zone_names = draw(st.lists(words, max_size=3, unique_by=lambda name: name.strip().casefold()))
    zones = [
        {
            "name": name,
            "kind": draw(st.sampled_from(ZoneKind)).value,
            "polygon": draw(triangles),
            "capacity": 40,
        }
        for name in zone_names
    ]
    crowding: dict = {"limit": draw(st.integers(1, 500)), "threshold": draw(st.floats(0.1, 0.9))}
    if zone_names:
        crowding["zones"] = draw(st.lists(st.sampled_from(zone_names), max_size=2))
    if schedules:
        crowding["schedule"] = draw(st.sampled_from(schedules))
    optional = {
        "lines": st.just([{"name": "gate", "from": [0.1, 0.5], "to": [0.9, 0.5]}]),
        "calibration": st.sampled_from(["off", CORNERS, LENGTHS]),
        "sub": addresses,
        "transport": st.sampled_from(["tcp", "udp"]),
        "recording": st.booleans(),
        "enabled": st.booleans(),
        "credentials": credentials,
        "trust": trust,
        "position": st.fixed_dictionaries(
            {"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)}
        ),
        "analysers": st.just({"crowding": crowding, "camera_fault": {"enabled": False}}),
    }
    made = draw(st.fixed_dictionaries({"main": addresses}, optional=optional))
    return made | {"id": f"camera-{number}", "name": f"{draw(words)} {number}", "zones": zones}


@st.composite
def site_files(draw: st.DrawFn) -> SiteFile:
    sites, number = [], 0
    for index in range(draw(st.integers(1, 3))):
        schedules = draw(
            st.dictionaries(
                words.map(str.strip), st.fixed_dictionaries({"from": clock, "to": clock}), max_size=2
            )
        )
        chosen = []
        for _ in range(draw(st.integers(0, 3))):
            chosen.append(draw(camera(number, sorted(schedules))))
            number += 1
        optional = {
            "address": words,
            "position": st.fixed_dictionaries(
                {"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)}
            ),
            "holidays": st.just(["2026-12-16", "2027-01-01"]),
            "country_holidays": st.sampled_from(["KZ", "DE-BY"]),
            "retention": st.just({"recordings": {"days": 3, "gigabytes": 2.5}}),
            "clip": st.fixed_dictionaries({"before_s": st.floats(0, 120)}),
            "joining": st.fixed_dictionaries({"gap_s": st.floats(0, 3600)}),
            "defaults": st.fixed_dictionaries(
                {}, optional={"credentials": credentials, "recording": st.booleans()}
            ),
        }
        extra = draw(st.fixed_dictionaries({}, optional=optional))
        if "position" in extra:
            schedules["by the sun"] = {"days": ["fri", "sun"], "from": "sunset-00:30", "to": "dawn"}
        if "holidays" in extra:
            schedules["holidays"] = {"days": ["holiday"], "from": "10:00", "to": "22:00"}
        if chosen:
            views = [{"camera": one["id"]} for one in chosen]
            extra["places"] = [{"name": "Hall", "capacity": 90, "empty_at": "05:00", "views": views}]
        sites.append(
            extra
            | {
                "id": f"site-{index}",
                "name": f"{draw(words)} {index}",
                "kind": draw(st.sampled_from(SiteKind)).value,
                "time_zone": "Asia/Almaty",
                "schedules": schedules,
                "cameras": chosen,
            }
        )
    return made(*sites)


@given(site_files(), site_files())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_applying_an_export_changes_nothing(
    tmp_path_factory, sqlite_template: Path, first: SiteFile, second: SiteFile
) -> None:
    database = Database.open(_copied(tmp_path_factory, sqlite_template))
    for site in (first, second):
        apply(database, site)
        with database.reading() as session:
            assert applying.stored(session) == site
        text = exported(database)
        again = parse(text.encode(), Path("/somewhere/site.yaml"))
        assert again == site
        assert apply(database, again) == []
        assert exported(database) == text
    database.close()


def _copied(tmp_path_factory, template: Path) -> Path:
    import shutil

    path = tmp_path_factory.mktemp("site") / "tynysh.db"
    shutil.copy(template, path)
    return path
