"""Sites and cameras as people see them, and how cameras fare."""

from tynysh.geometry import GeoPosition
from tynysh.media.camera_status import CameraStatus, Counters
from tynysh.store.database import Database
from tynysh.store.queries import cameras, changes
from tynysh.store.schema import CameraRow

LIVE = CameraStatus(
    state="live", since=10.0, people=3, fps=9.5, recording=True, counters={"frames_read": 100}
)


def test_sites_come_in_the_order_of_the_site_file_with_their_cameras_counted(city: Database) -> None:
    with city.reading() as session:
        found = cameras.sites(session)
        assert [(site.id, site.name, site.kind, site.cameras) for site in found] == [
            ("pulse", "Pulse", "nightlife", 2),
            ("park", "Park", "park", 1),
        ]
        assert found[0].position == GeoPosition(43.2, 76.9)
        assert [site.id for site in cameras.sites(session, only={"park"})] == ["park"]


def test_a_camera_out_of_force_is_not_shown(city: Database) -> None:
    with city.writing() as session:
        session.get_one(CameraRow, "floor").removed_at = 5.0
    with city.reading() as session:
        assert [camera.id for camera in cameras.cameras(session)] == ["door", "gate"]
        assert cameras.camera(session, "floor") is None
        assert cameras.sites(session)[0].cameras == 1


def test_a_camera_shows_how_it_fares_once_its_worker_has_spoken(city: Database) -> None:
    with city.reading() as session:
        assert [camera.status for camera in cameras.cameras(session)] == [None, None, None]
    with city.writing() as session:
        cameras.set_state(session, "door", LIVE, now=11.0)
    with city.reading() as session:
        found = cameras.camera(session, "door")
    assert found is not None
    assert found.status == LIVE


def test_only_another_state_is_told_in_the_feed(city: Database) -> None:
    changed = []
    for state in (
        LIVE,
        LIVE.model_copy(update={"fps": 10.0, "counters": Counters(frames_read=200)}),
        CameraStatus(state="lost", since=20.0, detail="no answer"),
        CameraStatus(state="lost", since=20.0, detail="wrong password"),
        LIVE,
    ):
        with city.writing() as session:
            changed.append(cameras.set_state(session, "door", state, now=21.0))
    assert changed == [True, False, True, True, True]
    with city.reading() as session:
        assert [(change.kind, change.ref) for change in changes.since(session, 0)] == [("camera", "door")] * 4
