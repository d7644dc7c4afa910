"""An event's way from its camera into the database, with the picture of what happened."""

import threading
import time
from collections.abc import Collection
from random import Random

import structlog
from sqlalchemy.orm import Session

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import TynyshError
from tynysh.evidence.clip_maker import ClipMaker
from tynysh.runtime.camera_runner import CameraRunner
from tynysh.runtime.event_journal import EventJournal
from tynysh.runtime.event_writer import EventWriter
from tynysh.store.database import Database
from tynysh.store.queries import events
from tynysh.store.queries.events import RecordedEvent

log = structlog.get_logger(__name__)

MOST_STILLS = 200
"""Stills that may wait for their events to be durable; past that the oldest is let go."""


class EventDelivery:
    """Hands the events of a worker's cameras to its writer, and keeps stills of those that open incidents."""

    def __init__(
        self, database: Database, journal: EventJournal, clips: ClipMaker, random: Random, of: int
    ) -> None:
        self._clips = clips
        self._stills: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._begun: set[str] | None = set()
        self.writer = EventWriter(database, journal, self._recorded, random=random, of=of)

    def put(self, runner: CameraRunner, event: Event) -> None:
        """An event of a camera; in the camera's own thread."""
        if event.phase is Phase.BEGUN:
            with self._lock:
                if self._begun is not None:
                    self._begun.add(event.id)
            # Taken now, while it shows what happened; kept only if the event opens an incident.
            still = runner.picture()
            if still is not None:
                with self._lock:
                    self._stills[event.id] = still
                    if len(self._stills) > MOST_STILLS:
                        self._stills.pop(next(iter(self._stills)))
        clip = runner.recorded and event.behaviour != Behaviour.RECORDING_FAULT
        self.writer.put(runner.camera.id, event, clip=clip)

    def close_orphans(self, session: Session, cameras: Collection[str], *, now: float) -> None:
        """Once: end what others than this process left open on these cameras."""
        with self._lock:
            if self._begun is not None:
                events.close_orphans(session, cameras, now=now, but=self._begun)

    def orphans_closed(self) -> None:
        """That is durable, and what has begun since the process did need not be known any more."""
        with self._lock:
            self._begun = None

    def _recorded(self, camera_id: str, event: Event, recorded: RecordedEvent) -> None:
        """An event is durable; in the writer's thread."""
        with self._lock:
            still = self._stills.pop(event.id, None)
        if not recorded.opened:
            return
        log.info(
            "incident.opened",
            incident=recorded.incident_id,
            camera=camera_id,
            behaviour=str(event.behaviour),
            delay_s=round(time.time() - event.start_s, 2),
        )
        if still is not None:
            try:
                self._clips.keep_still(recorded.incident_id, still)
            except TynyshError as error:
                log.warning("still.not_kept", incident=recorded.incident_id, error=error.message)
