"""Who must know what changed is told so by the feed, whatever becomes of the feed."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, event, update

from tynysh.runtime.notices import FULL_S, Notices
from tynysh.store.database import Database
from tynysh.store.queries import changes
from tynysh.store.queries.changes import ChangeKind
from tynysh.store.schema import ChangeRow

SITES, THRESHOLDS = ChangeKind.SITES, ChangeKind.THRESHOLDS
BOTH = frozenset({SITES, THRESHOLDS})


def publish(database: Database, kind: ChangeKind, *, now: float = 0.0) -> None:
    with database.writing() as session:
        changes.publish(session, kind, "", now=now)


def news(notices: Notices, now: float = 1.0) -> frozenset[ChangeKind]:
    with notices.news(now) as found:
        return found


@pytest.fixture
def queries(database: Database) -> Iterator[list[str]]:
    asked: list[str] = []

    def ask(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(database.engine, "before_cursor_execute", ask)
    yield asked
    event.remove(database.engine, "before_cursor_execute", ask)


def test_at_first_everything_may_have_changed_and_then_what_is_published(database: Database) -> None:
    notices = Notices(database, BOTH)
    assert news(notices) == BOTH
    assert news(notices) == frozenset()
    publish(database, SITES)
    assert news(notices) == {SITES}
    publish(database, ChangeKind.INCIDENT)
    publish(database, THRESHOLDS)
    publish(database, ChangeKind.CAMERA)
    assert news(notices) == {THRESHOLDS}
    publish(database, ChangeKind.INCIDENT)
    assert news(notices) == frozenset()


def test_where_nothing_happens_it_takes_one_query(database: Database, queries: list[str]) -> None:
    publish(database, SITES)
    notices = Notices(database, BOTH)
    news(notices)
    queries.clear()
    news(notices)
    assert len([query for query in queries if query.startswith("SELECT")]) == 1


def test_what_could_not_be_attended_to_is_told_again(database: Database) -> None:
    notices = Notices(database, BOTH)
    news(notices)
    publish(database, SITES)
    with pytest.raises(ZeroDivisionError), notices.news(1.0):
        raise ZeroDivisionError
    assert news(notices) == {SITES}
    assert news(notices) == frozenset()


def test_a_feed_that_was_trimmed_counts_as_everything(database: Database) -> None:
    publish(database, SITES, now=1.0)
    notices = Notices(database, BOTH)
    news(notices)
    publish(database, SITES, now=2.0)
    publish(database, ChangeKind.INCIDENT, now=100.0)
    with database.writing() as session:
        assert changes.forget(session, before=50.0) == 2
    assert news(notices) == BOTH
    assert news(notices) == frozenset()


@pytest.mark.parametrize("since", [0, 1, 5])
def test_a_database_of_before_counts_as_everything(database: Database, since: int) -> None:
    """However much has happened since it was put back: numbers may stand for other changes now."""
    publish(database, SITES)
    publish(database, SITES, now=1.0)
    notices = Notices(database, BOTH)
    news(notices)
    with database.writing() as session:
        session.execute(delete(ChangeRow).where(ChangeRow.id == 2))
    for _ in range(since):
        publish(database, ChangeKind.INCIDENT, now=2.0)
    assert news(notices) == BOTH


def test_now_and_then_everything_counts_as_changed_though_nothing_was_published(database: Database) -> None:
    notices = Notices(database, BOTH)
    news(notices, now=1000.0)
    assert news(notices, now=1000.0 + FULL_S - 1) == frozenset()
    assert news(notices, now=1000.0 + FULL_S) == BOTH
    assert news(notices, now=500.0) == BOTH, "the clock was put back"


def test_what_another_version_published_is_passed_over(database: Database) -> None:
    notices = Notices(database, BOTH)
    news(notices)
    publish(database, ChangeKind.INCIDENT)
    with database.writing() as session:
        session.execute(update(ChangeRow).values(kind="weather"))
    assert news(notices) == frozenset()
