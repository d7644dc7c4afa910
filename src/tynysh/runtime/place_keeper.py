"""How many people are in each place: added up over the cameras of all workers, and kept."""

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog

from tynysh.bus.workers import Workers
from tynysh.crowd.minutes import MinuteMeter, Minutes, Series, SeriesKind
from tynysh.errors import TynyshError
from tynysh.periodic import PeriodicThread
from tynysh.runtime.crowd_history import CrowdHistory
from tynysh.runtime.notices import Notices
from tynysh.runtime.place_count import Crowds, PlaceCount
from tynysh.scene.crowd import CrowdState, PlaceCrowd
from tynysh.site.apply import stored
from tynysh.site.fields import plain
from tynysh.site.places import Place
from tynysh.site.site import Site
from tynysh.store.database import Database
from tynysh.store.queries import places
from tynysh.store.queries.changes import ChangeKind
from tynysh.store.queries.places import Settled

log = structlog.get_logger(__name__)

COUNT_S = 2.0
"""How often people are added up."""

UNCHANGED_S = 30.0
"""What has not changed is written down again after so long, to say that it still holds."""


class PlaceKeeper:
    """Adds up every two seconds, in a thread of its own. One worker does so for all, as places span workers.

    Whatever it knows is in the database each time, so the console needs to ask nobody, and after a
    restart, or when the first worker is another process, counting goes on from there.
    """

    def __init__(
        self, database: Database, workers: Workers, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._workers = workers
        self._clock = clock
        self._history = CrowdHistory(database)
        self._counted_places: dict[tuple[str, str], _CountedPlace] = {}
        self._meters: dict[str, MinuteMeter] = {}
        self._notices = Notices(database, {ChangeKind.SITES})
        self.thread = PeriodicThread("places", self.add_up, every_s=COUNT_S)

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def stop(self) -> None:
        """End; what was counted up to the last time is kept."""
        self.thread.stop(COUNT_S)
        try:
            self._history.gather(self)
            self._history.write()
        except TynyshError as error:
            log.error("places.lost", error=error.message)

    def add_up(self) -> None:
        """Add up once. Raises StoreError, SiteError; the next time makes up for it."""
        now = self._clock()
        with self._notices.news(now) as news:
            if news:
                self._read_sites(now)
        if self._counted_places:
            self._count(now, asyncio.run(self._workers.crowds()))
            self._history.keep([self], now=now)

    def minutes(self, before: int) -> Mapping[Series, Minutes]:
        """The minutes of all places before `before`; each is given once."""
        return {
            series: found for meter in self._meters.values() for series, found in meter.take(before).items()
        }

    def _read_sites(self, now: float) -> None:
        with self._database.reading() as session:
            found = stored(session)
            wanted = {
                (site.id, place.name): (site, place)
                for site in (found.sites if found else ())
                for place in site.places
            }
            before = {site_id: places.settled(session, site_id) for site_id in {key[0] for key in wanted}}
        for key in [key for key in self._counted_places if key not in wanted]:
            del self._counted_places[key]
        of_sites = {
            site.id: (site.time_zone, [(camera.id, camera.name) for camera in site.cameras])
            for site in (found.sites if found else ())
        }
        for key, (site, place) in wanted.items():
            settings = (of_sites[site.id], plain(place))
            if key not in self._counted_places or self._counted_places[key].settings != settings:
                self._counted_places[key] = _CountedPlace(
                    site, place, settings, before[site.id].get(place.name), now
                )
        self._meters = {
            site_id: self._meters.get(site_id) or MinuteMeter(site_id, SeriesKind.PLACE) for site_id in before
        }

    def _count(self, now: float, crowds: Crowds) -> None:
        found = {key: counted.count.observe(now, crowds) for key, counted in self._counted_places.items()}
        for site_id, meter in self._meters.items():
            known = tuple(
                PlaceCrowd(name, settled.count)
                for (owner, name), settled in found.items()
                if owner == site_id and settled.count is not None
            )
            meter.observe(CrowdState(now, known), now)
        new = {key: settled for key, settled in found.items() if self._counted_places[key].is_news(settled)}
        if new:
            with self._database.writing() as session:
                for (site_id, name), settled in new.items():
                    places.settle(session, site_id, name, settled)
            for key, settled in new.items():
                self._counted_places[key].written = settled


class _CountedPlace:
    """A place with its settings when counting began, how it is counted, and what was last written down."""

    def __init__(
        self, site: Site, place: Place, settings: object, before: Settled | None, now: float
    ) -> None:
        self.settings = settings
        self.count = PlaceCount(site, place, before, now)
        self.written: Settled | None = None

    def is_news(self, settled: Settled) -> bool:
        """Whether `settled` is to be written down."""
        before = self.written
        return (
            before is None
            or (before.count, before.memory) != (settled.count, settled.memory)
            or not 0.0 <= settled.at - before.at < UNCHANGED_S
        )
