"""What holds for a camera, and that every key is explained."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel, ValidationError

from tynysh.behaviour.fight import FightSettings
from tynysh.behaviour.registry import default_settings
from tynysh.behaviour.signal import Behaviour
from tynysh.site.analysers import Analysers
from tynysh.site.camera import Effective
from tynysh.site.fields import Strict
from tynysh.site.site import Site, SiteFile


def make(**more) -> Site:
    data = {
        "name": "Pulse",
        "kind": "nightlife",
        "time_zone": "Asia/Almaty",
        "cameras": [{"name": "Door", "main": "rtsp://h/x"}],
    }
    return SiteFile.model_validate({"sites": [data | more]}).sites[0]


def with_camera(site: dict, **camera) -> Effective:
    made = make(**site, cameras=[{"name": "Door", "main": "rtsp://h/x"} | camera])
    return made.effective(made.cameras[0])


def test_every_key_has_a_title_and_a_description() -> None:
    def subclasses(part: type[BaseModel]) -> Iterator[type[BaseModel]]:
        for child in part.__subclasses__():
            yield child
            yield from subclasses(child)

    parts: list[type[BaseModel]] = [*subclasses(Strict), Analysers]
    assert {Site, SiteFile} < set(parts)
    for part in parts:
        assert part.__doc__
        assert part.model_config.get("extra") == "forbid"
        for name, field in part.model_fields.items():
            assert field.title, f"{part.__name__}.{name}"
            assert field.description, f"{part.__name__}.{name}"


def test_a_camera_is_watched_for_the_usual_unless_told() -> None:
    assert with_camera({}).analysers == default_settings()


def test_a_camera_adds_to_the_defaults_and_takes_away() -> None:
    found = with_camera({}, analysers={"crowding": {"limit": 5}, "fight": {"enabled": False}})
    assert Behaviour.FIGHT not in found.analysers
    assert found.analysers[Behaviour.CROWDING].model_dump()["limit"] == 5
    assert Behaviour.PERSON_DOWN in found.analysers


def test_the_sites_defaults_take_the_place_of_the_usual() -> None:
    site = {"defaults": {"analysers": {"fight": {"threshold": 0.9}}, "transport": "udp", "recording": False}}
    found = with_camera(site)
    assert list(found.analysers) == [Behaviour.FIGHT]
    assert (found.analysers[Behaviour.FIGHT].threshold, found.transport, found.recording) == (
        0.9,
        "udp",
        False,
    )
    own = with_camera(site, transport="tcp", recording=True, analysers={"fight": {}})
    assert (own.analysers[Behaviour.FIGHT], own.transport, own.recording) == (FightSettings(), "tcp", True)


def test_credentials_of_the_site_serve_cameras_without_their_own() -> None:
    site = {"defaults": {"credentials": {"username": "a", "password": {"env": "SITE"}}}}
    found = with_camera(site)
    assert found.credentials is not None
    assert found.credentials.password.env == "SITE"
    found = with_camera(site, credentials={"username": {"env": "NAME"}, "password": {"env": "OWN"}})
    assert found.credentials is not None
    assert found.credentials.password.env == "OWN"


def test_references_hold_however_a_site_is_made() -> None:
    with pytest.raises(ValidationError, match="no zone 'x'"):
        with_camera({}, analysers={"intrusion": {"zones": ["x"]}})


@pytest.mark.parametrize(
    "polygon",
    [
        [[0, 0], [1, 0], [1, 1], [0, 1]],
        [[0.5, 0], [0.6, 0.4], [1, 0.5], [0.6, 0.6], [0.5, 1], [0.4, 0.6], [0, 0.5], [0.4, 0.4]],
    ],
)
def test_convex_and_hollow_zones_are_taken_both_ways_round(polygon: list) -> None:
    for corners in (polygon, polygon[::-1]):
        with_camera({}, zones=[{"name": "z", "polygon": corners}])


@pytest.mark.parametrize(
    "polygon",
    [
        [[0, 0], [1, 1], [1, 0], [0, 1]],
        [[0, 0], [1, 0], [1, 1], [0.5, 0], [0, 1]],
        [[0, 0], [0.5, 0.5], [1, 0], [0.5, 0.5], [0.5, 1]],
        [[0.1, 0.1], [0.1, 0.1], [0.1, 0.1]],
        [[0, 0], [1, 0], [0.5, 0]],
    ],
)
def test_zones_that_cross_touch_or_collapse_are_refused(polygon: list) -> None:
    with pytest.raises(ValidationError, match=r"polygon|crosses|area"):
        with_camera({}, zones=[{"name": "z", "polygon": polygon}])
