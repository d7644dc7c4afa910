"""Whatever befalls an installation, what was reported stays, what happens is seen, and it comes back to work.

`TYNYSH_TORTURE_REPORT` names a file to which the figures are written, as the table of docs/developer/torture.md.
"""

import contextlib
import math
import os
import shutil
import statistics
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from tests.conftest import PostgreSql
from tests.torture import faults
from tests.torture.faults import Fault
from tests.torture.installation import Desk, Installation, Told, visits_between, wall_s

SECONDS = float(os.environ.get("TYNYSH_TORTURE_S", "6"))
SEED = int(os.environ.get("TYNYSH_TORTURE_SEED", "1"))
LONG = "TYNYSH_TORTURE_S" in os.environ
REPORT = os.environ.get("TYNYSH_TORTURE_REPORT")
CAMERAS = ("north", "east", "south", "west") if LONG else ("north", "east")
WELL_S = 120.0
"""The longest that an installation may take to be well again, on a machine that does other things as well."""
START_S = 180.0
SEEN_S = 1.5
"""Somebody who walks in is an event within this time, and pictures are this late at most."""


@dataclass
class Injured:
    """One fault that was put in. began_s, ended_s, well_s: monotonic; began_wall_s: Unix time."""

    fault: Fault
    began_s: float
    began_wall_s: float
    ended_s: float
    well_s: float
    told: tuple[float, str] | None


@dataclass
class Ordeal:
    """Faults put into an installation, one after another or one for each of some cameras, and what became of it.

    quiet: for each camera the times (Unix seconds) during which nothing kept it from being watched.
    """

    installation: Installation
    desk: Desk
    chance: Random
    injured: list[Injured] = field(default_factory=list)
    quiet: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    reported: dict[str, Told] = field(default_factory=dict)

    def run(self, kinds: Sequence[Fault], seconds: float) -> None:
        """Draw faults for so long, with a rest after each."""
        ends_s = time.monotonic() + seconds
        shares = [fault.share for fault in kinds]
        well_s = dict.fromkeys(self.installation.cameras, wall_s())
        while time.monotonic() < ends_s:
            time.sleep(self.chance.uniform(0.0, 2.0))
            self.reported |= self.installation.events()
            blinded, began_s = self._befall(self._drawn(kinds, shares)), wall_s()
            for camera in blinded:
                self.quiet[camera].append((well_s[camera], self.injured[-1].began_wall_s))
                well_s[camera] = began_s
        time.sleep(2 * SEEN_S)
        for camera, since_s in well_s.items():
            self.quiet[camera].append((since_s, wall_s()))

    def _drawn(self, kinds: Sequence[Fault], shares: Sequence[float]) -> dict[str, Fault]:
        """A fault, or faults of some cameras, by camera."""
        first = self.chance.choices(kinds, shares)[0]
        cameras = self.chance.sample(self.installation.cameras, len(self.installation.cameras))
        drawn = {cameras[0]: first}
        of_cameras = [fault for fault in kinds if fault in faults.CAMERA_FAULTS]
        if first in of_cameras:
            also = cameras[1 : self.chance.randint(2, len(cameras))]
            drawn |= {camera: self.chance.choice(of_cameras) for camera in also}
        return drawn

    def _befall(self, drawn: Mapping[str, Fault]) -> set[str]:
        """Put them in; the cameras that were blind."""
        began_s, began_wall_s = time.monotonic(), wall_s()
        with contextlib.ExitStack() as held:
            for camera, fault in drawn.items():
                held.enter_context(fault.inject(self.installation, self.chance, camera))
            time.sleep(max(self.chance.uniform(*fault.hold_s) for fault in drawn.values()))
        ended_s = time.monotonic()
        names = ", ".join(fault.name for fault in drawn.values())
        try:
            self.installation.wait_until_well(WELL_S)
        except TimeoutError as error:
            raise AssertionError(f"after '{names}': {error}") from None
        well_s = time.monotonic()
        for camera, fault in drawn.items():
            told = self.desk.first_word(began_s, camera if fault.blinds == "one" else None)
            self.injured.append(Injured(fault, began_s, began_wall_s, ended_s, well_s, told))
        if any(fault.blinds == "all" for fault in drawn.values()):
            return set(self.installation.cameras)
        return {camera for camera, fault in drawn.items() if fault.blinds == "one"}

    def lost(self) -> list[str]:
        """The events that had been written down and are there no more."""
        return sorted(set(self.reported) - set(self.installation.events()))

    def visits(self) -> list[tuple[str, float]]:
        """Camera and Unix time of the visits during which nothing kept a camera from being watched."""
        return [
            (camera, visit)
            for camera, times in self.quiet.items()
            for start_s, end_s in times
            for visit in visits_between(start_s + SEEN_S, end_s - SEEN_S)
        ]

    def unseen(self) -> list[tuple[str, float]]:
        """Visits, camera and Unix time, that fell into times at which all was well and are no event."""
        told = self.installation.events().values()
        return [visit for visit in self.visits() if not any(event.covers(*visit) for event in told)]


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.skipif(not LONG, reason="long"))]
)
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """One at work, on a small disk of its own where this may be mounted; nothing of it is left at the end."""
    root = tmp_path / "installation"
    root.mkdir()
    mounted = LONG and request.param == "sqlite" and _mount(root / "data")
    made = Installation(root, CAMERAS)
    made.small_disk = mounted
    if request.param == "postgresql":
        server: PostgreSql = request.getfixturevalue("postgresql")
        made.url, made.server_folder = server.new(), server.folder
    made.start()
    try:
        made.wait_until_well(START_S)
        yield made
    finally:
        made.close()
        left = made.processes()
        if mounted:
            # For whoever looks what happened.
            shutil.copytree(root / "data", root / "left", symlinks=True)
            subprocess.run(["umount", "--lazy", str(root / "data")], check=False)
        assert not left, f"processes are left: {left}"


def _mount(root: Path) -> bool:
    """A disk of 3 GiB, for recording stops where there is less than one left."""
    root.mkdir(mode=0o700)
    return (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3g", "tmpfs", str(root)], check=False).returncode
        == 0
    )


@pytest.mark.torture
def test_whatever_befalls_an_installation_nothing_reported_is_lost_and_it_comes_back(
    installation: Installation, request: pytest.FixtureRequest
) -> None:
    kinds = [*faults.CAMERA_FAULTS, *faults.PROCESS_FAULTS]
    kinds += faults.POSTGRESQL_FAULTS if installation.server_folder else faults.SQLITE_FAULTS
    kinds += faults.DISK_FAULTS if installation.small_disk else ()
    if not LONG:
        short = {"worker killed", "console killed", "camera: gone", "camera: garbage", "database locked"}
        kinds = [fault for fault in kinds if fault.name in short]
    desk = Desk(installation)
    ordeal = Ordeal(installation, desk, Random(SEED))
    try:
        ordeal.run(kinds, SECONDS)
    finally:
        desk.close()
        if REPORT:
            _report(Path(REPORT), request.node.callspec.id, ordeal)
    assert not ordeal.lost()
    assert not ordeal.unseen(), sorted(installation.events().values())
    assert installation.clips()["broken"] == 0
    assert not [one for one in ordeal.injured if one.fault.told and one.told is None]


@pytest.mark.torture
@pytest.mark.skipif(not LONG, reason="long")
@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_clock_that_jumps_costs_nothing_that_was_reported_or_recorded(
    installation: Installation, request: pytest.FixtureRequest
) -> None:
    """What is seen meanwhile may have wrong dates."""
    desk = Desk(installation)
    ordeal = Ordeal(installation, desk, Random(SEED))
    recorded = set(installation.folder.recordings.rglob("*.mp4"))
    try:
        ordeal.run(faults.CLOCK_FAULTS, SECONDS / 5)
    finally:
        desk.close()
        if REPORT:
            _report(Path(REPORT), f"clocks, {request.node.callspec.id}", ordeal)
    assert not ordeal.lost()
    assert recorded <= set(installation.folder.recordings.rglob("*.mp4"))
    assert installation.clips()["broken"] == 0


def _report(path: Path, name: str, ordeal: Ordeal) -> None:
    """Add what became of it to a report."""
    seconds = ordeal.injured[-1].well_s - ordeal.injured[0].began_s if ordeal.injured else 0.0
    clips = ordeal.installation.clips()
    lines = [
        f"## {name}: {len(ordeal.injured)} faults in {seconds / 60:.0f} min, seed {SEED}",
        "",
        f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f} at the end; {len(CAMERAS)} cameras.",
        "",
        "| | |",
        "|---|---|",
        f"| events written down | {len(ordeal.installation.events())} |",
        f"| of those reported, lost | {len(ordeal.lost())} |",
        f"| visits to a camera that nothing kept from being watched | {len(ordeal.visits())} |",
        f"| of these, no event | {len(ordeal.unseen())} |",
        f"| clips | {', '.join(f'{count} {state}' for state, count in sorted(clips.items()))} |",
        f"| processes left by a killed supervisor | {_left(ordeal)} |",
        "",
        "| fault | times | back after, median | 95 % | most | told after, median | to whom | what may be lost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by_name: dict[str, list[Injured]] = defaultdict(list)
    for one in ordeal.injured:
        by_name[one.fault.name].append(one)
    for fault, cases in sorted(by_name.items()):
        back = sorted(one.well_s - one.ended_s for one in cases)
        told = sorted(one.told[0] for one in cases if one.told)
        most = back[math.ceil(0.95 * len(back)) - 1]
        whom = Counter(one.told[1] for one in cases if one.told).most_common(2)
        lines.append(
            f"| {fault} | {len(cases)} | {statistics.median(back):.1f} s | {most:.1f} s"
            f" | {back[-1]:.1f} s | {f'{statistics.median(told):.1f} s' if told else '-'}"
            f" ({len(told)} of {len(cases)}) | {', '.join(what for what, _ in whom)} | {cases[0].fault.may_lose} |"
        )
    with path.open("a") as report:
        report.write("\n".join(lines) + "\n\n")


def _left(ordeal: Ordeal) -> int:
    return len(ordeal.installation.processes()) - len(EXPECTED)


EXPECTED = ("run", "serve-console", "serve-cameras")
