"""Ids that are made of names."""

import pytest

from tynysh.site.identifiers import derived, with_identifiers


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Pulse", "pulse"),
        ("Gate 1 / north", "gate-1-north"),
        ("Парк Панфилова", "park-panfilova"),
        ("Мәңгілік алау", "mangilik-alau"),
        ("Қызылорда, Ұлы дала", "qyzylorda-uly-dala"),
        ("Café Ünïcode", "cafe-unicode"),
        ("№ 5", "no-5"),
        ("!!!", ""),
    ],
)
def test_names_become_what_an_address_can_hold(name: str, expected: str) -> None:
    assert derived(name) == expected


def test_an_id_that_is_given_stays_and_a_camera_is_named_after_its_site() -> None:
    data = {
        "sites": [{"id": "a1", "name": "Park", "cameras": [{"name": "Gate"}, {"name": "X", "id": "mine"}]}]
    }
    site = with_identifiers(data)["sites"][0]
    assert site["id"] == "a1"
    assert [camera["id"] for camera in site["cameras"]] == ["a1-gate", "mine"]
    assert "id" not in data["sites"][0]["cameras"][0], "what was given is not changed"


@pytest.mark.parametrize(
    "data", [None, 5, [], {}, {"sites": 3}, {"sites": [4, {"cameras": 7}, {"cameras": [1]}]}]
)
def test_misshapen_data_is_left_for_others_to_refuse(data) -> None:
    assert with_identifiers(data) == data
