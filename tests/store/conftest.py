"""Cameras to record events of, and events."""

from collections.abc import Callable

import pytest
from tests.events import an_event

from tynysh.behaviour.event import Event
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.geometry import Box
from tynysh.store.database import Database
from tynysh.store.schema import CameraRow, SiteRow


@pytest.fixture
def city(database: Database) -> Database:
    """A database with two sites: `pulse` with cameras `door` and `floor`, and `park` with camera `gate`."""
    with database.writing() as session:
        for ordinal, (site, kind) in enumerate([("pulse", "nightlife"), ("park", "park")]):
            settings = {"time_zone": "Asia/Almaty", "position": {"latitude": 43.2, "longitude": 76.9}}
            session.add(SiteRow(id=site, name=site.title(), kind=kind, ordinal=ordinal, settings=settings))
        session.flush()
        for ordinal, (camera, site) in enumerate([("door", "pulse"), ("floor", "pulse"), ("gate", "park")]):
            settings = {"main": f"rtsp://10.0.0.{ordinal + 1}/main"}
            session.add(
                CameraRow(id=camera, site_id=site, name=camera.title(), ordinal=ordinal, settings=settings)
            )
    return database


@pytest.fixture
def make_event() -> Callable[..., Event]:
    """Events with what matters to the test, and something for the rest."""

    def make(
        behaviour: Behaviour = Behaviour.FIGHT, start_s: float = 1000.0, end_s: float | None = None, **more
    ) -> Event:
        usual = {
            "score": 0.8,
            "box": Box(0.1, 0.2, 0.3, 0.4),
            "reason": Reason("fight.network", {"score": 0.8}),
            "curve": ((start_s, 0.5), (start_s + 1.0, 0.8)),
        }
        return an_event(behaviour, start_s, end_s, **(usual | more))

    return make
