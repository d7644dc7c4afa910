"""When the power goes, what was said to be there is there: of each file only what was synced, nothing else.

A library that is loaded before all others copies a file whenever it is synced; the copies are what a disk would hold to
which nothing came by itself. That is the worst of the honest disks, but for two things: the names of files that were
synced are taken to be there, and what is copied may hold a little that another process has written and not synced.
"""

import shutil
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import av
import pytest
from sqlalchemy import select
from tests.runtime.conftest import Installation, camera, site
from tests.servers import until

from tynysh.store.database import Database
from tynysh.store.schema import ClipRow, EventRow, IncidentRow

SYNCED = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void keep(int synced) {
    const char *from = getenv("POWER_FROM"), *to = getenv("POWER_TO");
    char name[64], path[PATH_MAX], out[2 * PATH_MAX], part[2 * PATH_MAX + 32], block[65536];
    struct stat about;
    ssize_t length, got;
    off_t at = 0;
    if (!from || !to || fstat(synced, &about) || !S_ISREG(about.st_mode)) return;
    snprintf(name, sizeof name, "/proc/self/fd/%d", synced);
    if ((length = readlink(name, path, sizeof path - 1)) < 0) return;
    path[length] = 0;
    if (strncmp(path, from, strlen(from))) return;
    snprintf(out, sizeof out, "%s%s", to, path + strlen(from));
    for (char *slash = out + strlen(to) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = 0;
        mkdir(out, 0700);
    }
    snprintf(part, sizeof part, "%s.%d.%d", out, getpid(), synced);
    int in = open(name, O_RDONLY), kept = open(part, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    while ((got = pread(in, block, sizeof block, at)) > 0 && write(kept, block, got) == got) at += got;
    close(in);
    close(kept);
    rename(part, out);
}

int fsync(int file) {
    int result = ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
    keep(file);
    return result;
}

int fdatasync(int file) {
    int result = ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(file);
    keep(file);
    return result;
}
"""

CARELESS = """
    import sqlite3, sys
    database = sqlite3.connect(sys.argv[1], isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("CREATE TABLE event (id INTEGER)")
    for number in range(50):
        database.execute("INSERT INTO event VALUES (?)", (number,))
    print("reported", flush=True)
    sys.stdin.read()
"""


class Disk:
    """What of the files under `root` would be there after a power cut, and what a process needs to write so."""

    def __init__(self, root: Path, survives: Path, library: Path) -> None:
        self.survives = survives
        self.environment = {
            "LD_PRELOAD": str(library),
            "POWER_FROM": str(root),
            "POWER_TO": str(survives),
        }


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    compiler = shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("needs a C compiler on Linux")
    source, library, survives = tmp_path / "synced.c", tmp_path / "synced.so", tmp_path / "survives"
    source.write_text(SYNCED)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    survives.mkdir()
    return Disk(tmp_path / "data", survives, library)


def test_a_power_cut_takes_from_who_does_not_sync(disk: Disk, tmp_path: Path) -> None:
    """Else the test below would show nothing."""
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "careless.db"
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CARELESS), path],
        env=disk.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"reported\n"
        writer.kill()
    with (
        sqlite3.connect(disk.survives / "careless.db") as database,
        pytest.raises(sqlite3.OperationalError, match="no such table"),
    ):
        database.execute("SELECT count(*) FROM event")


def test_after_a_power_cut_what_was_reported_is_there_and_its_clip_plays(
    disk: Disk, tmp_path: Path, streets: Path, sqlite_template: Path
) -> None:
    root = tmp_path / "data"
    root.mkdir()
    for folder in (root, disk.survives):
        shutil.copy(sqlite_template, folder / "tynysh.db")
    installation = Installation(root, f"sqlite:///{root / 'tynysh.db'}")
    installation.apply(site(camera("north", streets / "street.mp4")))
    # Applied with a disk that works; from here on only what is synced survives.
    installation.database.close()
    shutil.copy(root / "tynysh.db", disk.survives / "tynysh.db")

    def reported(path: Path, table: type) -> set[Any]:
        database = Database.open(path)
        with database.reading() as session:
            found = set(session.scalars(select(table)).all())
        database.close()
        return {(row.incident_id, row.state) if table is ClipRow else row.id for row in found}  # type: ignore[attr-defined]

    with installation.worker_process(**disk.environment):
        path = root / "tynysh.db"
        assert until(lambda: any(state == "ready" for _, state in reported(path, ClipRow)), 60)
        seen = {table: reported(path, table) for table in (EventRow, IncidentRow, ClipRow)}
    survived = disk.survives / "tynysh.db"
    with sqlite3.connect(survived) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for table in (EventRow, IncidentRow):
        assert seen[table] <= reported(survived, table)
    ready = {number for number, state in seen[ClipRow] if state == "ready"}
    assert ready <= {number for number, state in reported(survived, ClipRow) if state == "ready"}
    for number in ready:
        for name in ("original.mp4", "clip.mp4"):
            with av.open(str(disk.survives / "evidence" / str(number) / name)) as clip:
                assert sum(1 for _ in clip.decode(video=0)) > 20
        assert (disk.survives / "evidence" / str(number) / "still.jpg").stat().st_size > 1000
