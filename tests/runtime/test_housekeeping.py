"""What cannot be done now and then keeps nothing else from being done."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from tests.runtime.conftest import Installation, camera, site

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import StoreError
from tynysh.evidence import retention
from tynysh.evidence.retention_time import Clocks
from tynysh.media.camera import Clock
from tynysh.media.reader import VideoFile
from tynysh.media.recorder import Recorder, RecorderState
from tynysh.media.segment import segment_path
from tynysh.runtime import housekeeping
from tynysh.runtime.clocks import read_clocks
from tynysh.runtime.housekeeping import Housekeeping
from tynysh.store.database import Database
from tynysh.store.queries import alarm_budgets
from tynysh.store.schema import CrowdBlockRow, CrowdSeriesRow
from tynysh.translations import LANGUAGES, text

NOW = 2_000_000_000.0
DAY = 86_400.0
RIGHT = Clocks(NOW, "first", 100.0, synchronised=False)


class NoClips:
    """Stands for the maker of clips."""

    def give_up_all_but(self, cameras: object) -> None:
        pass


def keeper(installation: Installation, clocks: Clocks = RIGHT) -> Housekeeping:
    return keeper_that_tells(installation, [], lambda: clocks)


def keeper_that_tells(
    installation: Installation, told: list[tuple[str, Event]], clocks: Callable[[], Clocks]
) -> Housekeeping:
    clips: Any = NoClips()
    return Housekeeping(
        installation.database,
        installation.folder,
        clips,
        lambda camera_id, event: told.append((camera_id, event)),
        Random(1),
        clocks=clocks,
    )


def test_a_damaged_block_of_history_keeps_no_threshold_from_being_learnt(installation: Installation) -> None:
    installation.apply(site(camera("north", Path("north.mp4"), analysers={"fight": {}})))
    with installation.database.writing() as session:
        session.add(CrowdSeriesRow(id=1, kind="zone", owner="north", name="picture"))
        session.flush()
        begin = int(NOW // 60) - 1000
        session.add(CrowdBlockRow(series_id=1, begin=begin, packed=b"damaged"))
    keeper(installation).keep_house()
    with installation.database.reading() as session:
        assert alarm_budgets.learnt(session, ["north"])


def test_a_fault_of_ours_keeps_no_footage_that_is_due(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.apply(site(camera("north", Path("north.mp4"))))
    old = segment_path(installation.folder.recordings / "north", NOW - 90 * 86400)
    old.parent.mkdir(parents=True)
    old.write_bytes(b"pictures")
    os.utime(old, (NOW - 90 * 86400,) * 2)

    def broken(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr(housekeeping, "learn_all", broken)
    monkeypatch.setattr(retention, "forget_history", broken)
    keeper(installation).keep_house()
    assert not old.exists()


def recorded(installation: Installation, *days_ago: float) -> list[Path]:
    """Segments of the camera north that began so long ago, each followed by another."""
    folder = installation.folder.recordings / "north"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [segment_path(folder, NOW - ago * DAY) for ago in days_ago]
    for path, ago in zip(paths, days_ago, strict=True):
        path.write_bytes(bytes(10**6))
        os.utime(path, (NOW - ago * DAY,) * 2)
    return paths


def test_a_clock_that_jumps_200_days_deletes_no_recording_that_is_not_due(installation: Installation) -> None:
    bounded = {"recordings": {"days": 7, "gigabytes": 1}}
    installation.apply(site(camera("north", Path("north.mp4")), retention=bounded))
    old, *kept = recorded(installation, 9, 7.5, 6.9, 1)
    jumped = replace(RIGHT, now=NOW + 200 * DAY, up_s=RIGHT.up_s + 600)
    keeper(installation).keep_house()
    assert not old.exists()
    keeper(installation, jumped).keep_within_room()
    keeper(installation, jumped).keep_house()
    restarted = replace(jumped, boot="second")
    keeper(installation, restarted).keep_within_room()
    keeper(installation, restarted).keep_house()
    assert all(path.exists() for path in kept)
    keeper(installation, replace(restarted, synchronised=True)).keep_house()
    assert not any(path.exists() for path in kept)


def test_what_was_recorded_before_the_clock_was_set_is_not_deleted_for_its_wrong_date(
    installation: Installation,
) -> None:
    bounded = {"recordings": {"days": 7, "gigabytes": 1}}
    installation.apply(site(camera("north", Path("north.mp4")), retention=bounded))
    wrong = Clocks(NOW - 400 * DAY, "first", 100.0, synchronised=False)
    keeper(installation, wrong).keep_house()
    of_old, _, *made_now = recorded(
        installation, 431, 430, *(400 - minutes / 1440 for minutes in range(1, 4))
    )
    right = Clocks(NOW + 300, "first", 400.0, synchronised=True)
    made_now += recorded(installation, -4 / 1440)
    keeper(installation, right).keep_within_room()
    keeper(installation, right).keep_house()
    assert all(path.exists() for path in made_now)
    assert not of_old.exists()
    week_later = replace(right, now=NOW + 8 * DAY, up_s=8 * DAY)
    keeper(installation, week_later).keep_house()
    assert not any(path.exists() for path in made_now)


def test_room_is_kept_while_the_clock_is_doubted(installation: Installation) -> None:
    bounded = {"recordings": {"days": 7, "gigabytes": 0.0025}}
    installation.apply(site(camera("north", Path("north.mp4")), retention=bounded))
    oldest, *kept = recorded(installation, 3, 2, 1)
    keeper(installation).keep_house()
    more = recorded(installation, 0.5)
    keeper(installation, replace(RIGHT, now=NOW + 200 * DAY)).keep_within_room()
    assert [path.exists() for path in (oldest, *kept, *more)] == [False, False, True, True]


def test_what_is_due_goes_while_the_database_cannot_be_written(installation: Installation) -> None:
    installation.apply(site(camera("north", Path("north.mp4"))))
    keeper(installation).keep_house()
    old, kept, _ = recorded(installation, 9, 7.5, 1)

    def full(_: Database) -> None:
        raise StoreError("full")

    with patch.object(Database, "writing", full):
        keeper(installation).keep_house()
    assert not old.exists()
    assert kept.exists()


@pytest.fixture
def small_disk(installation: Installation) -> Iterator[Path]:
    """Recordings on a disk of 20 MB of their own."""
    folder = installation.folder.recordings
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_on_a_full_disk_the_oldest_recordings_give_way_and_that_is_told_once(
    installation: Installation, small_disk: Path
) -> None:
    installation.apply(site(camera("north", Path("north.mp4")), camera("south", Path("south.mp4"))))
    evidence = installation.folder.evidence / "7" / "original.mp4"
    evidence.parent.mkdir(parents=True)
    evidence.write_bytes(b"evidence")
    told: list[tuple[str, Event]] = []
    at = [RIGHT]
    keeping = keeper_that_tells(installation, told, lambda: at[0])
    oldest, second, *kept = recorded(installation, *(6 - number / 4 for number in range(16)))
    keeping.keep_free()
    assert oldest.exists()
    assert told == []

    recorded(installation, 1.9, 1.8, 1.7)
    keeping.keep_free()
    assert not oldest.exists()
    assert not second.exists()
    assert kept[-1].exists()
    assert shutil.disk_usage(small_disk).free > 3 * 10**6
    recorded(installation, 1.6, 1.5, 1.4)
    keeping.keep_free()
    assert evidence.exists()
    ((camera_id, begun),) = told
    assert (camera_id, begun.behaviour, begun.phase) == ("north", Behaviour.RECORDING_FAULT, Phase.BEGUN)
    assert begun.reason is not None
    assert all(text(language, f"reason.{begun.reason.key}") for language in LANGUAGES)

    at[0] = replace(RIGHT, now=NOW + 3700)
    keeping.keep_free()
    assert [(camera_id, event.id, event.phase) for camera_id, event in told[1:]] == [
        ("north", begun.id, Phase.ENDED)
    ]


def test_recordings_that_a_clip_still_needs_do_not_give_way(installation: Installation) -> None:
    oldest, newer, _ = recorded(installation, 3, 2, 1)
    deleted = retention.recycle(
        installation.folder.recordings, bytes_wanted=1, counted_to=NOW, needed={"north": [NOW - 2 * DAY]}
    )
    assert deleted.segments == 1
    assert oldest.exists()
    assert not newer.exists()


def test_a_recorder_on_a_full_disk_goes_on_without_a_gap(
    installation: Installation, small_disk: Path, streets: Path
) -> None:
    installation.apply(site(camera("north", Path("north.mp4"))))
    recorded(installation, *(6 - number / 4 for number in range(17)))
    keeping = keeper(installation)
    recorder = Recorder(small_disk / "south", segment_s=1.0, clock=Clock(monotonic=lambda: recorder_s[0]))
    recorder_s = [0.0]
    packets = list(VideoFile(streets / "street.mp4").packets())
    statuses = set()
    for turn in range(12):
        (small_disk / f"other {turn}").write_bytes(bytes(5 * 10**5))
        for packet in packets:
            recorder_s[0] = turn * 10.0 + packet.time_s
            began_s = NOW + turn * 10.0
            recorder.record(
                replace(packet, time_s=began_s + packet.time_s, decode_time_s=began_s + packet.decode_time_s)
            )
            statuses.add(recorder.status.state)
        keeping.keep_free()
    recorder.close()
    assert statuses == {RecorderState.RECORDING}
    assert len(list((small_disk / "north").iterdir())) < 14


def test_this_machine_tells_when_it_was_started_and_how_long_it_has_run() -> None:
    first, second = read_clocks(), read_clocks()
    assert first.boot == second.boot
    assert 0 <= second.up_s - first.up_s < 60
