"""A site's blind places: since when, and what goes unseen."""

from tynysh.behaviour.registry import default_settings
from tynysh.behaviour.signal import Behaviour
from tynysh.media.camera_status import CameraStatus
from tynysh.store.database import Database
from tynysh.store.queries import blindness, cameras, events
from tynysh.store.queries.blindness import Blindness
from tynysh.store.schema import CameraRow, SiteRow

CORNERS = [[0, 0], [1, 0], [1, 1]]


def set_status(city: Database, camera: str, state: str, since: float = 10.0) -> None:
    with city.writing() as session:
        cameras.set_state(session, camera, CameraStatus(state=state, since=since), now=since)


def faulty(city: Database, make_event, camera: str, subject: str, start_s: float, **more) -> int:
    event = make_event(Behaviour.CAMERA_FAULT, start_s, subject=subject, **more)
    return events.record(city, event, camera, now=start_s).incident_id


def zoned(city: Database, camera: str, *names: str) -> None:
    with city.writing() as session:
        row = session.get_one(CameraRow, camera)
        row.settings = row.settings | {"zones": [{"name": name, "polygon": CORNERS} for name in names]}


def blind_places(city: Database, **more) -> list[Blindness]:
    with city.reading() as session:
        return list(blindness.sites(session, **more))


def test_where_every_camera_sees_nothing_is_blind(city: Database) -> None:
    for camera in ("door", "floor", "gate"):
        set_status(city, camera, "live")
    pulse, park = blind_places(city)
    assert (pulse.cameras, pulse.blind, pulse.since, pulse.faulty) == (2, 0, None, ())
    assert [camera.id for camera in pulse.seeing] == ["door", "floor"]
    assert [one.site.id for one in blind_places(city, only={"park"})] == [park.site.id]


def test_a_covered_camera_hides_its_zones_and_what_is_watched_for(city: Database, make_event) -> None:
    set_status(city, "door", "live")
    set_status(city, "floor", "live")
    zoned(city, "door", "Entrance", "Queue")
    zoned(city, "floor", "Entrance")
    incident = faulty(city, make_event, "door", "covered", 500.0)
    pulse = blind_places(city)[0]
    blind = pulse.faulty[0]
    assert (pulse.blind, pulse.since, [camera.id for camera in pulse.seeing]) == (1, None, ["floor"])
    assert (blind.camera.id, blind.blind, blind.since) == ("door", True, 500.0)
    assert [(fault.kind, fault.incident) for fault in blind.faults] == [("covered", incident)]
    assert [(zone.name, [camera.id for camera in zone.seen_by]) for zone in blind.zones] == [
        ("Entrance", ["floor"]),
        ("Queue", []),
    ]
    assert set(blind.behaviours) == set(default_settings()) - {Behaviour.CAMERA_FAULT}


def test_what_is_mended_hides_nothing(city: Database, make_event) -> None:
    set_status(city, "door", "live")
    faulty(city, make_event, "door", "covered", 500.0, end_s=600.0)
    assert blind_places(city)[0].faulty == ()


def test_a_doubtful_clock_does_not_blind(city: Database, make_event) -> None:
    set_status(city, "gate", "live")
    faulty(city, make_event, "gate", "timestamps", 500.0)
    park = blind_places(city)[1]
    assert (park.blind, [camera.id for camera in park.seeing]) == (0, ["gate"])
    only = park.faulty[0]
    assert (only.blind, only.since, only.faults[0].kind, only.behaviours) == (False, None, "timestamps", ())


def test_a_lost_camera_is_blind_with_or_without_an_event(city: Database, make_event) -> None:
    set_status(city, "door", "lost", since=700.0)
    set_status(city, "gate", "lost", since=800.0)
    faulty(city, make_event, "gate", "lost", 790.0)
    pulse, park = blind_places(city)
    assert [(fault.kind, fault.since) for fault in pulse.faulty[0].faults] == [("lost", 700.0)]
    assert [(fault.kind, fault.since) for fault in park.faulty[0].faults] == [("lost", 790.0)]
    assert park.since == 790.0


def test_a_site_is_wholly_blind_since_its_last_camera_was(city: Database, make_event) -> None:
    set_status(city, "door", "live")
    set_status(city, "floor", "live")
    faulty(city, make_event, "floor", "dark", 300.0)
    faulty(city, make_event, "door", "frozen", 900.0)
    pulse = blind_places(city)[0]
    assert (pulse.blind, pulse.since) == (2, 900.0)
    assert [one.camera.id for one in pulse.faulty] == ["floor", "door"]


def test_what_the_site_says_is_watched_for_is_what_is_hidden(city: Database, make_event) -> None:
    with city.writing() as session:
        site = session.get_one(SiteRow, "park")
        site.settings = site.settings | {
            "defaults": {"analysers": {"fight": {}, "crowding": {"limit": 3}, "camera_fault": {}}}
        }
        camera = session.get_one(CameraRow, "gate")
        camera.settings = camera.settings | {"analysers": {"fight": {"enabled": False}, "intrusion": {}}}
    faulty(city, make_event, "gate", "moved", 300.0)
    assert blind_places(city)[1].faulty[0].behaviours == (Behaviour.INTRUSION, Behaviour.CROWDING)


def test_a_camera_that_is_switched_off_is_not_counted(city: Database) -> None:
    with city.writing() as session:
        camera = session.get_one(CameraRow, "gate")
        camera.settings = camera.settings | {"enabled": False}
    set_status(city, "gate", "lost")
    park = blind_places(city)[1]
    assert (park.cameras, park.faulty, park.since) == (0, (), None)


def test_how_a_camera_fares_now_counts_more_than_what_was_written_down(city: Database) -> None:
    set_status(city, "gate", "live")
    park = blind_places(city, status=lambda _: CameraStatus(state="lost", since=50.0))[1]
    assert park.faulty[0].since == 50.0
