"""What is done now and then for the whole installation: what is over its time, clips nobody will make, history."""

from collections.abc import Callable

from tynysh.evidence import retention, retention_time
from tynysh.evidence.clip_maker import ClipMaker
from tynysh.evidence.retention_time import Clocks
from tynysh.periodic import PeriodicThread, attempt
from tynysh.runtime.clocks import read_clocks
from tynysh.runtime.data_folder import DataFolder
from tynysh.runtime.thresholds import learn_all
from tynysh.site.apply import stored
from tynysh.store.database import Database
from tynysh.store.queries import crowd_history

INTERVAL_S = 600.0

ROOM_S = 60.0
"""How often recordings are kept within the gigabytes that a site allows: as long as a segment is."""


class Housekeeping:
    """Keeps house every ten minutes, and recordings within their room every minute, in threads of its own. One worker
    does so for all, as bounds are a site's.
    """

    def __init__(
        self,
        database: Database,
        folder: DataFolder,
        clips: ClipMaker,
        *,
        clocks: Callable[[], Clocks] = read_clocks,
    ) -> None:
        self._database = database
        self._folder = folder
        self._clips = clips
        self._clocks = clocks
        self._threads = (
            PeriodicThread("housekeeping", self.keep_house, every_s=INTERVAL_S, at_once=True),
            PeriodicThread("room", self.keep_within_room, every_s=ROOM_S),
        )

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
        counted_to = self._counted_to(clocks)
        with attempt("clips"):
            self._clips.give_up_all_but(enabled)
        with attempt("footage"):
            self._delete_due(now, counted_to)
        with attempt("old history"):
            self._forget_history(counted_to)
        # Once an hour has gone, so that blocks are not written anew at each round.
        hour_began = int(now // 3600) * 60
        with attempt("history"):
            crowd_history.pack_all(self._database, before=hour_began)
        if sites is not None:
            with attempt("thresholds"):
                learn_all(self._database, sites, now=now)

    def keep_within_room(self) -> None:
        """Delete the oldest recordings of sites whose room is bounded. Raises StoreError."""
        counted_to = self._counted_to(self._clocks())
        retention.delete_beyond_room(
            self._database, recordings=self._folder.recordings, counted_to=counted_to
        )

    def _counted_to(self, clocks: Clocks) -> float:
        with self._database.reading() as session:
            return retention_time.counted_to(session, clocks)

    def _delete_due(self, now: float, counted_to: float) -> None:
        retention.delete_due(
            self._database,
            recordings=self._folder.recordings,
            evidence=self._folder.evidence,
            now=now,
            counted_to=counted_to,
        )

    def _forget_history(self, counted_to: float) -> None:
        with self._database.writing() as session:
            retention.forget_history(session, counted_to=counted_to)
