"""A database that is away takes no camera with it, no event, and no worker."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.conftest import PostgreSql
from tests.runtime.conftest import Installation, camera, site
from tests.servers import until

from tynysh.runtime.known_sites import KnownSites
from tynysh.store.schema import EventRow


@pytest.fixture
def away(
    postgresql: PostgreSql, postgresql_template: str, tmp_path: Path
) -> Iterator[tuple[Installation, Callable[[], AbstractContextManager[None]]]]:
    """An installation, and a way to have its database accept and not answer for a while."""
    url = postgresql.new(postgresql_template)
    made = Installation(tmp_path / "data", url)
    yield made, postgresql.frozen
    made.database.close()
    postgresql.drop(url)


def told(installation: Installation) -> int:
    with installation.database.reading() as session:
        return len(session.scalars(select(EventRow.id)).all())


def journaled(installation: Installation) -> int:
    journal = installation.folder.journal / "worker-0.journal"
    return journal.read_bytes().partition(b"\0")[0].count(b"\n") if journal.exists() else 0


def test_cameras_are_watched_all_the_same_and_what_they_see_is_told_when_it_is_back(
    away: tuple[Installation, Callable[[], AbstractContextManager[None]]], streets: Path
) -> None:
    installation, gone = away
    installation.apply(site(camera("north", streets / "street.mp4")))
    with ExitStack() as until_back:
        with installation.worker() as worker:
            assert until(lambda: told(installation) > 0, 40)
            before = told(installation)
            until_back.enter_context(gone())
            already = worker.runners["north"].analysed
            assert until(lambda: worker.runners["north"].analysed > already + 20, 40)
        kept = journaled(installation)
        assert kept > 0, "at the latest, what held when it was stopped has ended"
        with installation.worker() as worker:
            assert until(lambda: "north" in worker.runners and worker.runners["north"].analysed > 0, 40)
            assert until(lambda: journaled(installation) > kept, 60)
    assert installation.folder.known_sites.stat().st_mode & 0o077 == 0
    with installation.worker():
        assert until(lambda: told(installation) > before and journaled(installation) == 0, 60)


def test_what_is_known_of_sites_is_what_the_database_said_or_nothing(tmp_path: Path) -> None:
    sites = KnownSites(tmp_path / "known-sites.json")
    assert sites.recall() is None
    account = {"username": "operator", "password": {"env": "CAMERA_PASSWORD"}}
    said = site(camera("north", "rtsp://10.0.0.1/1", credentials=account), name="Алаң")
    sites.keep(said)
    assert sites.recall() == said
    for rubbish in (b"", b"{}", b"[1, 2", b"\xff" * 100):
        (tmp_path / "known-sites.json").write_bytes(rubbish)
        assert sites.recall() is None
    sites.keep(said)
    assert sites.recall() == said
    (tmp_path / "known-sites.json").unlink()
    (tmp_path / "known-sites.json").mkdir()
    sites.keep(said)
    assert sites.recall() is None
