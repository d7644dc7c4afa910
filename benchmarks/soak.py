"""Does an installation stay as it is, hour after hour: memory, descriptors, threads, database?

    python benchmarks/soak.py [--minutes 1440] [--settle 60] [--cameras 4] [--every 30] [--csv samples.csv]

Four simulated cameras, drawn and scripted, each of which shows an incident at least every minute, under `tynysh run`
with one worker, at their own speed. All processes are sampled; the verdict compares the middle of the first quarter
after `--settle` minutes with that of the last: memory and threads flat within 5 %, descriptors within 8. The database
grows by what is kept, which is told per hour and per event.
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml
from live import free_port, memory_mb, tree
from sqlalchemy import func, select

from tynysh.demo.simulated import SCHEME, camera_settings
from tynysh.store.database import Database
from tynysh.store.migrate import migrate
from tynysh.store.schema import EventRow, IncidentRow

FLAT = {"memory_mb": (0.05, 0.0), "threads": (0.05, 0.0), "descriptors": (0.0, 8.0)}
"""How much each may grow: a share of what it was, and a number."""


def site(cameras: int) -> dict[str, Any]:
    """One site with so many simulated cameras, each event an incident of its own."""
    shown = [
        {**camera_settings(), "name": f"camera {number}", "main": f"{SCHEME}:square"}
        for number in range(cameras)
    ]
    return {
        "sites": [
            {"name": "Soak", "kind": "street", "time_zone": "UTC", "joining": {"gap_s": 0}, "cameras": shown}
        ]
    }


def sample(pid: int, data: Path, began_s: float) -> dict[str, float]:
    """Of all processes together, and of the database's files."""
    processes = list(tree(pid))
    with closing(Database.open(data / "tynysh.db")) as database, database.reading() as session:
        events = session.scalar(select(func.count()).select_from(EventRow)) or 0
        incidents = session.scalar(select(func.count()).select_from(IncidentRow)) or 0
    return {
        "minutes": (time.monotonic() - began_s) / 60,
        "processes": len(processes),
        "memory_mb": memory_mb(pid),
        "descriptors": sum(counted(process, "fd") for process in processes),
        "threads": sum(counted(process, "task") for process in processes),
        "database_mb": sum(path.stat().st_size for path in data.glob("tynysh.db*")) / 2**20,
        "events": events,
        "incidents": incidents,
    }


def counted(process: int, what: str) -> int:
    """How many entries a process has in a folder of /proc; none where it has just ended."""
    try:
        return sum(1 for _ in Path(f"/proc/{process}/{what}").iterdir())
    except OSError:
        return 0


def verdict(samples: Sequence[dict[str, float]], settle_min: float) -> dict[str, Any]:
    """What grew after `settle_min`, and whether all is flat."""
    settled = [one for one in samples if one["minutes"] >= settle_min]
    if len(settled) < 8:
        return {"flat": None, "why": f"only {len(settled)} samples after {settle_min:.0f} minutes"}
    quarter = len(settled) // 4
    found: dict[str, Any] = {
        "minutes": round(settled[-1]["minutes"], 1),
        "samples": len(samples),
        "flat": True,
    }
    for what, (share, number) in FLAT.items():
        first = statistics.median(one[what] for one in settled[:quarter])
        last = statistics.median(one[what] for one in settled[-quarter:])
        flat = last - first <= max(first * share, number)
        found[what] = {"first quarter": round(first, 1), "last quarter": round(last, 1), "flat": flat}
        found["flat"] = found["flat"] and flat
    hours = (settled[-1]["minutes"] - settled[0]["minutes"]) / 60
    grown_mb = settled[-1]["database_mb"] - settled[0]["database_mb"]
    events = settled[-1]["events"] - settled[0]["events"]
    found["database"] = {
        "mb": round(settled[-1]["database_mb"], 2),
        "mb an hour": round(grown_mb / hours, 2),
        "kb an event": round(grown_mb * 1024 / events, 1) if events else None,
        "events": samples[-1]["events"],
        "incidents": samples[-1]["incidents"],
    }
    return found


def main() -> None:
    """Run it and print the verdict; exit code 1 where something grows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=1440)
    parser.add_argument("--settle", type=float, default=60)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--every", type=float, default=30, help="seconds between samples")
    parser.add_argument("--csv", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        samples = soak(Path(place), given.cameras, given.minutes, given.every)
    if given.csv:
        with given.csv.open("w", newline="") as out:
            writer = csv.DictWriter(out, samples[0].keys())
            writer.writeheader()
            writer.writerows(samples)
    found = verdict(samples, given.settle)
    print(json.dumps(found, indent=2))
    sys.exit(0 if found["flat"] else 1)


def soak(folder: Path, cameras: int, minutes: float, every_s: float) -> list[dict[str, float]]:
    """Samples of an installation that runs for so long."""
    site_file, data = folder / "site.yaml", folder / "data"
    site_file.write_text(yaml.safe_dump(site(cameras)))
    data.mkdir(mode=0o700)
    with closing(Database.open(data / "tynysh.db")) as database:
        migrate(database)
    command = [
        sys.executable,
        "-m",
        "tynysh",
        "run",
        str(site_file),
        f"--data={data}",
        f"--port={free_port()}",
    ]
    with (folder / "log").open("w") as log:
        service = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    began_s, samples = time.monotonic(), []
    try:
        while time.monotonic() - began_s < minutes * 60:
            time.sleep(every_s)
            if service.poll() is not None:
                raise SystemExit(f"It ended:\n{(folder / 'log').read_text()[-4000:]}")
            samples.append(sample(service.pid, data, began_s))
    finally:
        service.terminate()
        service.wait(30)
    return samples


if __name__ == "__main__":
    main()
