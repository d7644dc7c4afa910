"""The journal gives back what was put into it, whatever became of the process and the disk in between."""

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from tests.events import an_event

from tynysh.behaviour.event import Phase
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.geometry import Box
from tynysh.runtime import event_journal
from tynysh.runtime.event_journal import EventJournal, WaitingEvent


def waiting(number: int, **more: object) -> WaitingEvent:
    usual = {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "box": Box(0.1, 0.2, 0.3, 0.4),
        "zone": "Қақпа \N{WHITE SQUARE}\0",
        "reason": Reason("fight.network", {"score": 0.8, "people": 2, "zone": "gate"}),
        "curve": ((1000.0, 0.25), (1001.0, 0.75)),
    }
    event = an_event(Behaviour("of_a_plugin"), 1000.0 + number, None, **(usual | more))
    return WaitingEvent("club/door", event, clip=number % 2 == 0)


def path_of(folder: Path, number: int = 0) -> Path:
    return folder / f"worker-{number}.journal"


def test_what_was_put_into_it_comes_out_in_order(tmp_path: Path) -> None:
    journal = EventJournal(tmp_path / "journal", 0)
    given = [waiting(number) for number in range(20)]
    journal.append(given[:1])
    journal.append(given[1:])
    journal.close()
    assert EventJournal(tmp_path / "journal", 0).load(1) == given
    assert stat.S_IMODE((tmp_path / "journal").stat().st_mode) == 0o700
    assert stat.S_IMODE(path_of(tmp_path / "journal").stat().st_mode) == 0o600


def test_what_it_is_replaced_by_is_all_that_comes_out(tmp_path: Path) -> None:
    journal = EventJournal(tmp_path, 0)
    journal.append([waiting(number) for number in range(9)])
    journal.replace([waiting(3)])
    journal.append([waiting(4)])
    assert EventJournal(tmp_path, 0).load(1) == [waiting(3), waiting(4)]
    again = EventJournal(tmp_path, 0)
    again.load(1)
    again.replace([])
    assert EventJournal(tmp_path, 0).load(1) == []


def test_wherever_the_power_goes_what_was_durable_before_comes_out(tmp_path: Path) -> None:
    """All that was appended before a torn write is there, nothing that is half, and it can be added to."""
    journal = EventJournal(tmp_path, 0)
    journal.append([waiting(1), waiting(2)])
    durable = journal.size
    journal.append([waiting(3)])
    whole = path_of(tmp_path).read_bytes()
    chance = Random(7)
    for cut in [
        durable,
        durable + 1,
        journal.size - 2,
        *(chance.randrange(durable, journal.size - 1) for _ in range(8)),
    ]:
        path_of(tmp_path).write_bytes(whole[:cut] + bytes(len(whole) - cut))
        again = EventJournal(tmp_path, 0)
        assert again.load(1) == [waiting(1), waiting(2)]
        again.append([waiting(4)])
        again.close()
        assert EventJournal(tmp_path, 0).load(1) == [waiting(1), waiting(2), waiting(4)]


def test_a_line_that_rotted_costs_no_other(tmp_path: Path) -> None:
    journal = EventJournal(tmp_path, 0)
    journal.append([waiting(number) for number in range(3)])
    lines = path_of(tmp_path).read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"0.25", b"0.95")
    path_of(tmp_path).write_bytes(b"".join(lines))
    assert EventJournal(tmp_path, 0).load(1) == [waiting(0), waiting(2)]


@pytest.mark.parametrize(
    "junk", [b"", b"\n\n", b"00000000 {}\n", Random(3).randbytes(5000).replace(b"\0", b"x")]
)
def test_any_file_can_be_loaded(tmp_path: Path, junk: bytes) -> None:
    path_of(tmp_path).write_bytes(junk)
    journal = EventJournal(tmp_path, 0)
    assert journal.load(1) == []
    journal.append([waiting(1)])
    assert EventJournal(tmp_path, 0).load(1) == [waiting(1)]


def test_of_workers_that_are_no_more_the_first_takes_over(tmp_path: Path) -> None:
    for number in range(4):
        EventJournal(tmp_path, number).append([waiting(number)])
    assert EventJournal(tmp_path, 1).load(2) == [waiting(1)]
    assert EventJournal(tmp_path, 0).load(2) == [waiting(0), waiting(2), waiting(3)]
    assert EventJournal(tmp_path, 0).load(2) == [waiting(0), waiting(2), waiting(3)]
    assert not path_of(tmp_path, 3).exists()


def test_one_that_was_deleted_or_has_grown_is_to_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_journal, "MOST_BYTES", 2000)
    journal = EventJournal(tmp_path, 0)
    journal.replace([])
    while not journal.stale:
        journal.append([waiting(1)])
    assert journal.size < 4000
    journal.replace([waiting(1)])
    assert not journal.stale
    journal.append([waiting(2)])
    path_of(tmp_path).unlink()
    assert journal.stale


def test_what_is_refused_is_kept_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_journal, "MOST_ASIDE", 2000)
    journal = EventJournal(tmp_path, 0)
    for number in range(50):
        journal.set_aside(waiting(number, phase=Phase.ENDED))
    assert 1000 < (tmp_path / "refused.journal").stat().st_size < 4000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_fills_later_leaves_it_its_room(small_disk: Path) -> None:
    journal = EventJournal(small_disk / "journal", 0)
    assert journal.load(1) == []
    with pytest.raises(OSError, match="No space"), (small_disk / "fill").open("wb", buffering=0) as fill:
        while True:
            fill.write(bytes(65536))
    given = [waiting(number) for number in range(18)]
    for one in given:
        journal.append([one])
    journal.close()
    assert EventJournal(small_disk / "journal", 0).load(1) == given
