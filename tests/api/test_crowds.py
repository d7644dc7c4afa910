"""What is told of crowds: now, over time and as a table; to whom it concerns."""

import csv
import io
from datetime import UTC, datetime

import numpy as np
import pytest
from pyarrow import parquet

from tynysh.crowd.message import crowd_message
from tynysh.crowd.minutes import Measure, MinuteMeter, Minutes, Series, SeriesKind
from tynysh.scene.crowd import (
    PICTURE,
    CrowdState,
    DensityMap,
    Estimate,
    LineCount,
    PlaceCrowd,
    ServiceLevel,
)
from tynysh.scene.ground import Ground
from tynysh.store import record
from tynysh.store.crowd_table import COLUMNS
from tynysh.store.queries import crowd_history, places
from tynysh.store.queries.places import Settled
from tynysh.store.schema import SiteRow
from tynysh.store.users import Role

BEGIN = 29_000_160  # a minute at which an hour begins
BEGIN_S = 60.0 * BEGIN


def state(time_s: float, count: float = 12.0) -> CrowdState:
    return CrowdState(
        time_s,
        (
            PlaceCrowd(PICTURE, Estimate(count + 4, count, count + 9), rough=True),
            PlaceCrowd(
                "Stage",
                Estimate(count, count - 1, count + 2),
                area_m2=24.0,
                density=Estimate(count / 24, (count - 1) / 24, (count + 2) / 24),
                level=ServiceLevel.C,
                capacity=20,
                speed=1.1,
                heading=90.0,
                stopped=0.2,
                counterflow=0.1,
                pressure=0.004,
                densest=0.9,
            ),
        ),
        (LineCount("Door", 5, 2),),
        DensityMap(np.array([[0.0, 0.25], [1.5, 0.0], [0.0, 2.0]], np.float32), metric=True),
    )


def keep(house, found: dict[Series, Minutes]) -> None:
    with house.database.writing() as session:
        crowd_history.write(session, found)


def seen(house, count: float = 12.0, minutes: int = 3) -> None:
    """The camera sees one and the same crowd for some minutes, and its worker keeps it."""
    meter = MinuteMeter("club-door")
    for second in range(0, 60 * minutes + 1, 5):
        meter.observe(state(BEGIN_S + second, count), BEGIN_S + second)
    keep(house, dict(meter.take(BEGIN + minutes)))


def test_the_crowd_now_is_what_the_worker_says(house) -> None:
    ground = Ground(np.eye(3), error=0.08)
    house.workers.crowds["club-door"] = crowd_message(state(BEGIN_S), ground)
    with house.signed_in() as browser:
        crowd = browser.get("/api/v1/cameras/club-door/crowd").json()
    assert crowd["at"] == datetime.fromtimestamp(BEGIN_S, UTC).isoformat().replace("+00:00", "Z")
    picture, stage = crowd["places"]
    assert (picture["name"], picture["count"], picture["rough"], picture["density"]) == (
        PICTURE,
        16,
        True,
        None,
    )
    assert (stage["low"], stage["high"], stage["density"], stage["level"]) == (11, 14, 0.5, "C")
    assert (stage["area_m2"], stage["capacity"], stage["pressure"]) == (24, 20, 0.004)
    assert crowd["lines"] == [{"name": "Door", "ins": 5, "outs": 2}]
    assert crowd["map"] == {"columns": 2, "rows": 3, "metric": True, "values": [0, 0.25, 1.5, 0, 0, 2]}
    assert (crowd["calibrated"], crowd["error"]) == (True, 0.08)


def test_a_grid_lies_on_the_floor_where_that_is_known(house) -> None:
    # Ten metres of floor across the picture and as many down, seen from straight above.
    house.workers.crowds["club-door"] = crowd_message(
        state(BEGIN_S), Ground(np.diag([10.0, 10.0, 1.0]), error=0.1)
    )
    with house.signed_in() as browser:
        grid = browser.get("/api/v1/cameras/club-door/grid?step_m=2").json()
        unknown = browser.get("/api/v1/cameras/park-door/grid").json()
    assert grid["step_m"] == 2
    assert {round(x, 2) for line in grid["lines"] for x, y in line if 0.41 < y < 0.59} >= {0.2, 0.4, 0.6, 0.8}
    assert unknown == {"step_m": 1.0, "lines": []}


def test_of_a_silent_camera_nothing_is_said(house) -> None:
    with house.signed_in() as browser:
        crowd = browser.get("/api/v1/cameras/park-door/crowd").json()
    assert (crowd["at"], crowd["places"], crowd["map"]) == (None, [], None)


def test_history_has_the_same_figures_as_the_crowd_now(house) -> None:
    house.workers.crowds["club-door"] = crowd_message(state(BEGIN_S), None)
    seen(house)
    with house.signed_in() as browser:
        now = browser.get("/api/v1/cameras/club-door/crowd").json()["places"][1]
        asked = {"from": stamp(0), "to": stamp(10), "place": "Stage"}
        history = browser.get("/api/v1/cameras/club-door/crowd/history", params=asked).json()
    assert (history["kind"], history["step_s"], len(history["steps"])) == ("zone", 60, 3)
    for step in history["steps"]:
        assert step["seen_s"] == 60
        for figure in ("count", "low", "high", "density", "speed", "pressure", "level"):
            assert step[figure] == now[figure], figure
        assert step["most"] == now["count"]
        assert step["ins"] is None
    assert history["steps"][0]["at"] == stamp(0)


def stamp(minute: int) -> str:
    return datetime.fromtimestamp(60 * (BEGIN + minute), UTC).isoformat().replace("+00:00", "Z")


def row(**known: float) -> np.ndarray:
    figures = np.full((1, len(Measure)), np.nan)
    for name, value in known.items():
        figures[0, Measure[name.upper()]] = value
    return figures


def test_steps_sum_up_and_leave_out_what_nobody_saw(house) -> None:
    line = Series(SeriesKind.LINE, "park-door", "Gate")
    at = BEGIN + np.array([0, 1, 2, 10, 11])
    keep(house, {line: Minutes(at, np.vstack([row(seen=60, ins=2, outs=1)] * 5))})
    with house.signed_in() as browser:
        asked = {"from": stamp(0), "to": stamp(60), "line": "Gate", "step": 5}
        history = browser.get("/api/v1/cameras/park-door/crowd/history", params=asked).json()
        names = browser.get("/api/v1/cameras/park-door/crowd/names").json()
    assert [(step["at"], step["ins"], step["outs"], step["seen_s"]) for step in history["steps"]] == [
        (stamp(0), 6, 3, 180),
        (stamp(10), 4, 2, 120),
    ]
    assert {"kind": "line", "name": "Gate"} in names


@pytest.mark.parametrize(("days", "step_s"), [(0.2, 60), (1, 300), (7, 3600), (30, 14_400), (365, 86_400)])
def test_a_chart_gets_as_many_steps_as_it_shows_well(house, days: float, step_s: int) -> None:
    with house.signed_in() as browser:
        asked = {"from": stamp(0), "to": stamp(int(1440 * days))}
        found = browser.get("/api/v1/cameras/park-door/crowd/history", params=asked).json()
    assert found["step_s"] == step_s


def test_days_begin_at_midnight_of_the_site(house) -> None:
    # The sites are in Almaty, UTC+6 at that time: 18:00 UTC is midnight there.
    midnight = int(datetime(2025, 2, 20, 19, tzinfo=UTC).timestamp()) // 60
    place = Series(SeriesKind.ZONE, "park-door", "Lawn")
    at = np.array([midnight - 1, midnight, midnight + 1439])
    keep(house, {place: Minutes(at, np.vstack([row(seen=60, count=count) for count in (1, 2, 4)]))})
    with house.signed_in() as browser:
        asked = {"from": "2025-02-18T00:00Z", "to": "2025-02-23T00:00Z", "place": "Lawn", "step": 1440}
        found = browser.get("/api/v1/cameras/park-door/crowd/history", params=asked).json()["steps"]
    assert [(step["at"], step["count"]) for step in found] == [
        ("2025-02-19T19:00:00Z", 1),
        ("2025-02-20T19:00:00Z", 3),
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2025-01-02T00:00Z&to=2025-01-01T00:00Z", "from"),
        ("from=2025-01-01T00:00Z&to=2025-02-01T00:00Z&step=1", "step"),
        ("from=1975-01-01T00:00Z&to=2025-02-01T00:00Z", "to"),
        ("from=9999-12-31T00:00-23:00&to=9999-12-31T23:59-23:00", "to"),
        ("from=9999-12-01T00:00Z&to=9999-12-31T23:59Z&format=csv", "to"),
        ("step=0", "step"),
        ("from=yesterday", "from"),
        ("from=9999-12-31T23:00Z&to=9999-12-31T23:59:59.999999Z", "to"),
        ("from=9999-12-31T20:00Z&to=9999-12-31T23:58-14:00", "to"),
        ("to=9999-12-31T23:59:59Z", "to"),
        ("from=0001-01-01T00:00%2B14:00&to=0001-01-01T00:01%2B14:00", "from"),
        ("from=9999-12-31T23:59:59-14:00", "from"),
        ("format=exe", "format"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_field(house, query: str, field: str) -> None:
    with house.signed_in() as browser:
        answer = browser.get(f"/api/v1/cameras/club-door/crowd/history?{query}")
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


def test_all_minutes_leave_as_csv_and_as_parquet_and_that_is_on_record(house) -> None:
    seen(house, count=7.0, minutes=2)
    asked = {"from": stamp(0), "to": stamp(2), "format": "csv"}
    with house.signed_in(Role.ANALYST) as browser:
        answer = browser.get("/api/v1/cameras/club-door/crowd/history", params=asked)
        packed = browser.get("/api/v1/cameras/club-door/crowd/history", params=asked | {"format": "parquet"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == list(COLUMNS)
    assert {(row["site"], row["owner"], row["kind"]) for row in rows} == {
        ("club", "club-door", "zone"),
        ("club", "club-door", "line"),
    }
    stage = [row for row in rows if row["name"] == "Stage"]
    assert len(stage) == 2
    assert stage[0]["at"] == stamp(0).replace(":00Z", "Z")
    assert float(stage[0]["most"]) >= 7
    table = parquet.read_table(io.BytesIO(packed.content)).to_pylist()
    assert [(row["kind"], row["name"], row["at"]) for row in table] == [
        (row["kind"], row["name"], datetime.fromisoformat(row["at"])) for row in rows
    ]
    for ours, theirs in zip(rows, table, strict=True):
        for column in ("seen_s", "count", "density", "ins"):
            assert (theirs[column] is None) == (ours[column] == "")
            assert ours[column] == "" or float(ours[column]) == pytest.approx(theirs[column], abs=1e-3)
    with house.database.reading() as session:
        noted = [entry for entry in record.entries(session) if entry.action == "crowd.export"]
    assert [(entry.object, entry.detail["format"]) for entry in noted] == [
        ("camera:club-door", "parquet"),
        ("camera:club-door", "csv"),
    ]


def test_parquet_without_its_package_is_refused_and_not_on_record(
    house, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exports() -> int:
        with house.database.reading() as session:
            return sum(entry.action == "crowd.export" for entry in record.entries(session))

    before = exports()
    monkeypatch.setattr("tynysh.extras.find_spec", lambda module: None)
    asked = {"from": stamp(0), "to": stamp(2), "format": "parquet"}
    with house.signed_in(Role.ANALYST) as browser:
        answer = browser.get("/api/v1/cameras/club-door/crowd/history", params=asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "not_installed")
    assert exports() == before


def test_places_tell_who_is_inside_and_whether_it_rises(house) -> None:
    with house.database.writing() as session:
        site = session.get(SiteRow, "club")
        gate = {"camera": "club door", "line": "Door"}
        hall = {"name": "Hall", "capacity": 400, "gates": [gate]}
        site.settings = {
            **site.settings,
            "places": [hall, {"name": "Yard", "views": [{"camera": "club door"}]}],
        }
        places.settle(session, "club", "Hall", Settled(house.clock.now, Estimate(212, 205, 220), {"ins": 1}))
    minute = int(house.clock.now // 60)
    rising = np.vstack([row(seen=60, count=200 + 2 * step, low=190, high=220) for step in range(15)])
    keep(house, {Series(SeriesKind.PLACE, "club", "Hall"): Minutes(minute - 15 + np.arange(15), rising)})
    with house.signed_in() as browser:
        hall, yard = browser.get("/api/v1/places").json()
        history = browser.get("/api/v1/places/club/Hall/history?step=1").json()
        assert browser.get("/api/v1/places/club/Cellar/history").status_code == 404
    assert (hall["site"]["id"], hall["name"], hall["capacity"]) == ("club", "Hall", 400)
    assert (hall["count"], hall["low"], hall["high"]) == (212, 205, 220)
    assert hall["trend"] == pytest.approx(2.0)
    assert hall["gates"] == [
        {"camera": {"id": "club-door", "name": "club door", "simulated": False}, "line": "Door"}
    ]
    assert (yard["count"], yard["at"], yard["trend"]) == (None, None, None)
    assert (history["capacity"], len(history["steps"])) == (400, 15)


def test_a_place_whose_name_has_a_slash_has_its_history(house) -> None:
    with house.database.writing() as session:
        site = session.get(SiteRow, "club")
        place = {"name": "Hall A/B", "views": [{"camera": "club door"}]}
        site.settings = {**site.settings, "places": [place]}
    with house.signed_in() as browser:
        assert browser.get("/api/v1/places/club/Hall%20A%2FB/history").json()["name"] == "Hall A/B"


def test_a_venue_is_told_of_its_own_site_only(house) -> None:
    with house.venue("park") as browser:
        assert browser.get("/api/v1/places").json() == []
        for path in (
            "cameras/club-door/crowd",
            "cameras/club-door/crowd/history",
            "places/club/Hall/history",
        ):
            assert browser.get(f"/api/v1/{path}").status_code == 404
