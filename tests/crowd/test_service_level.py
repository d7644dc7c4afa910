"""Levels of service as Fruin set them."""

import pytest

from tynysh.crowd.service_level import service_level


@pytest.mark.parametrize(
    ("area_m2", "walking", "waiting"),
    [
        (4.0, "A", "A"),
        (2.8, "B", "A"),
        (1.8, "C", "A"),
        (1.3, "D", "A"),
        (1.0, "D", "B"),
        (0.8, "E", "C"),
        (0.5, "E", "D"),
        (0.3, "F", "D"),
        (0.25, "F", "E"),
        (0.15, "F", "F"),
    ],
)
def test_a_person_with_so_much_floor_walks_or_waits_at_this_level(
    area_m2: float, walking: str, waiting: str
) -> None:
    assert service_level(1 / area_m2, stopped=0.2) == walking
    assert service_level(1 / area_m2, stopped=0.8) == waiting


def test_an_empty_place_is_free_and_where_nobody_knows_people_walk() -> None:
    assert service_level(0.0, stopped=None) == "A"
    assert service_level(1.0, stopped=None) == service_level(1.0, stopped=0.0) == "D"
