"""What is done now and then for the whole installation: what is over its time, clips nobody will make, history."""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

import structlog

from tynysh.behaviour.event import Event
from tynysh.errors import StoreError
from tynysh.evidence import retention, retention_time
from tynysh.evidence.clip_maker import ClipMaker
from tynysh.evidence.retention import Deleted
from tynysh.evidence.retention_time import Clocks, Reckoned, reckoned
from tynysh.media.recorder import RecorderState, RecorderStatus, reserve_of
from tynysh.periodic import PeriodicThread, attempt
from tynysh.runtime.clocks import read_clocks
from tynysh.runtime.data_folder import DataFolder
from tynysh.runtime.recording_events import RecordingEvents
from tynysh.runtime.thresholds import learn_all
from tynysh.site.apply import stored
from tynysh.store.database import Database
from tynysh.store.queries import clips, crowd_history

log = structlog.get_logger(__name__)

INTERVAL_S = 600.0

FREE_S = 2.0
"""How often it is looked whether the disk is about to be full: a recorder stops when only its reserve is left."""

_LOW, _WANTED = 2.5, 3.5
"""Below so many reserves of free space the oldest recordings give way, until there is so much. Recorders that stopped
go on at two.
"""

_OVER_S = 3600.0
"""The disk counts as full until no recording had to give way for so long."""

ROOM_S = 60.0
"""How often recordings are kept within the gigabytes that a site allows: as long as a segment is."""


class Housekeeping:
    """Keeps house every ten minutes, recordings within their room every minute, and room on the disk every two seconds,
    in threads of its own. One worker does so for all, as bounds are a site's.

    on_event: is told once, by a camera's id, that recordings give way before their time, and when that is over. ids:
    makes the ids of such events.
    """

    def __init__(
        self,
        database: Database,
        folder: DataFolder,
        clip_maker: ClipMaker,
        on_event: Callable[[str, Event], None],
        ids: Random,
        *,
        clocks: Callable[[], Clocks] = read_clocks,
    ) -> None:
        self._database = database
        self._folder = folder
        self._clips = clip_maker
        self._clocks = clocks
        self._recycled: tuple[float, RecordingEvents] | None = None
        self._on_event = on_event
        self._ids = ids
        self._threads = (
            PeriodicThread("housekeeping", self.keep_house, every_s=INTERVAL_S, at_once=True),
            PeriodicThread("room", self.keep_within_room, every_s=ROOM_S),
            PeriodicThread("free space", self.keep_free, every_s=FREE_S, at_once=True),
        )

    @property
    def threads(self) -> Sequence[PeriodicThread]:
        """In which it works."""
        return self._threads

    def start(self) -> None:
        """Begin, with what fell due while nothing ran."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; what is not done yet is done the next time."""
        for thread in self._threads:
            thread.stop()

    def keep_house(self) -> None:
        """Do once what is to be done; what fails is put off, and keeps the rest from nothing. Raises StoreError,
        SiteError where it cannot be told what that is.
        """
        with self._database.reading() as session:
            sites = stored(session)
        enabled = {
            camera.id for site in (sites.sites if sites else ()) for camera in site.cameras if camera.enabled
        }
        clocks = self._clocks()
        now = clocks.now
        with attempt("clock"):
            retention_time.keep(self._database, clocks)
        time = self._reckoned(clocks)
        with attempt("clips"):
            self._clips.give_up_all_but(enabled)
        with attempt("footage"):
            self._delete_due(now, time)
        with attempt("old history"):
            self._forget_history(time.counted_to)
        # Once an hour has gone, so that blocks are not written anew at each round.
        hour_began = int(now // 3600) * 60
        with attempt("history"):
            crowd_history.pack_all(self._database, before=hour_began)
        if sites is not None:
            with attempt("thresholds"):
                learn_all(self._database, sites, now=now)

    def keep_within_room(self) -> None:
        """Delete the oldest recordings of sites whose room is bounded. Raises StoreError."""
        time = self._reckoned(self._clocks())
        retention.delete_beyond_room(
            self._database, recordings=self._folder.recordings, counted_to=time.counted_to, dated=time.dated
        )

    def keep_free(self) -> None:
        """Have the oldest recordings give way where the disk is about to be full, rather than what is to come."""
        recordings = self._folder.recordings
        if not recordings.is_dir():
            return
        clocks = self._clocks()
        free, reserve = shutil.disk_usage(recordings).free, reserve_of(recordings)
        if free < _LOW * reserve:
            self._recycle(clocks, int(_WANTED * reserve) - free)
        elif self._recycled is not None and not 0 <= clocks.now - self._recycled[0] < _OVER_S:
            self._recycled[1].close(clocks.now)
            self._recycled = None

    def _recycle(self, clocks: Clocks, bytes_wanted: int) -> None:
        try:
            time = self._reckoned(clocks)
            with self._database.reading() as session:
                needed = clips.needed_recordings(session)
        except StoreError:
            # The database may lie on the same disk. Nothing is known of clips then, and what they need is seldom old.
            time, needed = reckoned(None, clocks), {}
        deleted = retention.recycle(
            self._folder.recordings,
            bytes_wanted=bytes_wanted,
            counted_to=time.counted_to,
            needed=needed,
            dated=time.dated,
        )
        if not deleted.segments:
            return
        events = self._recycled[1] if self._recycled else self._told_recycling(clocks.now, deleted)
        if events is not None:
            self._recycled = (clocks.now, events)

    def _told_recycling(self, now: float, deleted: Deleted) -> RecordingEvents | None:
        """Tell that recordings give way, on the record and as an event of one of the cameras, if there are any."""
        log.warning("retention.recycling", segments=deleted.segments, megabytes=deleted.bytes // 10**6)
        with self._database.reading() as session:
            sites = stored(session)
        cameras = [camera.id for site in (sites.sites if sites else ()) for camera in site.cameras]
        if not cameras:
            return None
        events = RecordingEvents(partial(self._on_event, min(cameras)), self._ids)
        events.changed(RecorderStatus(RecorderState.RECORDING, now, "media.recording.recycled"))
        return events

    def _reckoned(self, clocks: Clocks) -> Reckoned:
        with self._database.reading() as session:
            return retention_time.known(session, clocks)

    def _delete_due(self, now: float, time: Reckoned) -> None:
        retention.delete_due(
            self._database,
            recordings=self._folder.recordings,
            evidence=self._folder.evidence,
            now=now,
            counted_to=time.counted_to,
            dated=time.dated,
        )

    def _forget_history(self, counted_to: float) -> None:
        with self._database.writing() as session:
            retention.forget_history(session, counted_to=counted_to)
