"""How many events a second the database takes, each durable before the next: python benchmarks/store.py [URL]."""

import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.store.database import Database
from tynysh.store.migrate import migrate
from tynysh.store.queries import events
from tynysh.store.schema import CameraRow, SiteRow

CAMERAS = 50
EVENTS = 500


def event(number: int) -> Event:
    """One of many fights, a minute apart, with a curve of four seconds."""
    start_s = 1e9 + 60.0 * number
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


def main(url: str | Path) -> None:
    """Write events one by one, as a worker does, and print how long it took."""
    database = Database.open(url)
    migrate(database)
    with database.writing() as session:
        session.add(SiteRow(id="site", name="Site", kind="park", ordinal=0, settings={"time_zone": "UTC"}))
        session.flush()
        session.add_all(
            CameraRow(id=f"camera-{number}", site_id="site", name=str(number), ordinal=number, settings={})
            for number in range(CAMERAS)
        )
    waits_ms: list[float] = []
    cpu = time.process_time()
    for number in range(EVENTS):
        began = time.perf_counter()
        events.record(database, event(number), f"camera-{number % CAMERAS}", now=time.time(), clip=True)
        waits_ms.append(1000 * (time.perf_counter() - began))
    cpu_ms = 1000 * (time.process_time() - cpu) / EVENTS
    waits_ms.sort()
    print(
        f"{database.engine.dialect.name}: {1000 * EVENTS / sum(waits_ms):.0f} events/s, {cpu_ms:.1f} CPU-ms each, "
        f"median {waits_ms[EVENTS // 2]:.1f} ms, 95 % within {waits_ms[EVENTS * 95 // 100]:.1f} ms"
    )
    database.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder) / "tynysh.db")
