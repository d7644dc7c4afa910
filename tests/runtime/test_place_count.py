"""People in a place: who came in at its gates and did not leave, over restarts of whatever restarts."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tynysh.runtime.place_count import PlaceCount
from tynysh.scene.crowd import PICTURE
from tynysh.site.site import Site, SiteFile
from tynysh.store.queries.places import Settled

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()


def hall(**place: Any) -> Site:
    camera = {"main": "rtsp://10.0.0.1/main", "lines": [{"name": "Door", "from": [0, 0.5], "to": [1, 0.5]}]}
    values = {
        "name": "Club",
        "kind": "nightlife",
        "time_zone": "Asia/Almaty",
        "places": [{"name": "Hall", "gates": [{"camera": "Gate", "line": "Door"}], **place}],
        "cameras": [{"name": "Gate", **camera}, {"name": "Yard", **camera}],
    }
    return SiteFile.model_validate({"sites": [values]}).sites[0]


def counting(site: Site, before: Settled | None = None, now: float = NOW) -> PlaceCount:
    return PlaceCount(site, site.places[0], before, now)


def crowds(
    ins: int, outs: int, *, opened_at: float = 1.0, inside: float = 0.0, camera: str = "gate"
) -> dict[str, Any]:
    picture = {"name": PICTURE, "count": inside, "low": inside - 1, "high": inside + 1, "rough": False}
    lines = [{"name": "Door", "ins": ins, "outs": outs}]
    return {f"club-{camera}": {"places": [picture], "lines": lines, "opened_at": opened_at}}


def inside(settled: Settled) -> float:
    assert settled.count is not None
    assert settled.count.low <= settled.count.value <= settled.count.high
    return settled.count.value


def test_who_came_in_and_did_not_leave_is_inside() -> None:
    count = counting(hall())
    count.observe(NOW, crowds(0, 0))
    assert inside(count.observe(NOW + 2, crowds(12, 2))) == pytest.approx(10, abs=0.5)
    assert inside(count.observe(NOW + 4, crowds(12, 9))) == pytest.approx(3, abs=0.5)


def test_a_gate_may_lead_the_other_way() -> None:
    count = counting(hall(gates=[{"camera": "Gate", "line": "Door", "reversed": True}]))
    count.observe(NOW, crowds(0, 0))
    assert inside(count.observe(NOW + 2, crowds(2, 12))) == pytest.approx(10, abs=0.5)


def test_after_a_restart_of_the_counting_nobody_is_forgotten() -> None:
    site = hall()
    first = counting(site)
    first.observe(NOW, crowds(0, 0))
    before = first.observe(NOW + 2, crowds(20, 0))
    # Five more came in while nobody added it up.
    again = counting(site, before, NOW + 60)
    assert inside(again.observe(NOW + 60, crowds(25, 0))) == pytest.approx(25, abs=1)


def test_what_passed_a_gate_that_was_turned_round_or_taken_out_is_not_made_up_for() -> None:
    first = counting(hall())
    first.observe(NOW, crowds(500, 10))
    before = first.observe(NOW + 2, crowds(520, 10))
    turned = counting(hall(gates=[{"camera": "Gate", "line": "Door", "reversed": True}]), before, NOW + 4)
    assert inside(turned.observe(NOW + 4, crowds(520, 10))) == pytest.approx(20, abs=1)

    yard = {"camera": "Yard", "line": "Door"}
    without = counting(hall(gates=[yard]), before, NOW + 4)
    later = without.observe(NOW + 3600, crowds(0, 0, camera="yard"))
    again = counting(hall(gates=[yard, {"camera": "Gate", "line": "Door"}]), later, NOW + 3602)
    both = crowds(900, 10) | crowds(0, 0, camera="yard")
    assert inside(again.observe(NOW + 3602, both)) == pytest.approx(20, abs=1)


def test_after_a_restart_of_the_camera_those_since_then_are_counted() -> None:
    site = hall()
    count = counting(site)
    count.observe(NOW, crowds(0, 0))
    before = count.observe(NOW + 2, crowds(20, 0, opened_at=1))
    # More than before the restart: only the time of opening tells that these are all new.
    assert inside(count.observe(NOW + 60, crowds(30, 0, opened_at=NOW + 10))) == pytest.approx(50, abs=2)
    again = counting(site, before, NOW + 60)
    assert inside(again.observe(NOW + 60, crowds(30, 0, opened_at=NOW + 10))) == pytest.approx(50, abs=2)


def test_a_blind_gate_makes_the_number_less_sure_and_not_zero() -> None:
    count = counting(hall())
    for second in range(0, 600, 2):
        settled = count.observe(NOW + second, crowds(second // 2, 0))
    sure = settled.count.high - settled.count.low
    for second in range(600, 900, 2):
        settled = count.observe(NOW + second, {})
    assert inside(settled) > 250
    assert settled.count.high - settled.count.low > 1.5 * sure


def test_at_its_hour_the_place_is_empty_whatever_was_miscounted() -> None:
    # 17:01 in Almaty, UTC+5.
    count = counting(hall(empty_at="17:01"))
    count.observe(NOW, crowds(0, 0))
    assert inside(count.observe(NOW + 50, crowds(30, 0))) > 25
    assert inside(count.observe(NOW + 61, crowds(30, 0))) < 2
    assert inside(count.observe(NOW + 70, crowds(34, 0))) == pytest.approx(4, abs=1)


def test_a_place_holds_at_least_those_who_are_seen_in_it() -> None:
    count = counting(hall(views=[{"camera": "Yard"}]))
    count.observe(NOW, crowds(0, 0) | crowds(0, 0, camera="yard", inside=0))
    for second in range(2, 30, 2):
        seen = count.observe(NOW + second, crowds(3, 0) | crowds(0, 0, camera="yard", inside=40))
    assert inside(seen) > 30
    fewer = count.observe(NOW + 32, crowds(3, 0) | crowds(0, 0, camera="yard", inside=1))
    assert inside(fewer) > 30, "a view need not show all of the place"


def test_without_gates_it_is_the_sum_of_the_views_if_all_of_them_see() -> None:
    site = hall(gates=[], views=[{"camera": "Gate"}, {"camera": "Yard"}])
    count = counting(site)
    both = crowds(0, 0, inside=3) | crowds(0, 0, camera="yard", inside=4)
    assert inside(count.observe(NOW, both)) == 7
    assert count.observe(NOW + 2, crowds(0, 0, inside=3)).count is None


def test_views_in_which_people_cannot_be_told_apart_make_no_precise_number() -> None:
    def settled(rough: bool, **place: Any) -> Settled:
        seen = crowds(0, 0, inside=30)
        seen["club-gate"]["places"][0]["rough"] = rough
        return counting(hall(**place)).observe(NOW + 2, seen)

    views = {"views": [{"camera": "Gate"}]}
    assert settled(True, gates=[], **views).memory["rough"] is True
    assert settled(False, gates=[], **views).memory["rough"] is False
    assert settled(True).memory["rough"] is False
