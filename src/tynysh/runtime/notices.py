"""Has anything changed of which a process must take notice?"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from tynysh.store.database import Database
from tynysh.store.queries import changes
from tynysh.store.queries.changes import Change, ChangeKind

FULL_S = 300.0
"""Everything counts as changed so long after it last did, whatever the notices say."""


class Notices:
    """Tells from the feed of changes which of `kinds` may have changed since it was last asked.

    Everything may have where the last change that was seen is not there any more: the feed was trimmed, or the
    database is one of before.
    """

    def __init__(self, database: Database, kinds: Collection[ChangeKind]) -> None:
        self._database = database
        self._kinds = frozenset(kinds)
        self._full_at = -float("inf")
        self._seen: Change | None = None

    @contextmanager
    def news(self, now: float) -> Iterator[frozenset[ChangeKind]]:
        """What may have changed by `now` (Unix seconds), to be attended to in the block; where that raises, it is told
        of again. Raises StoreError.
        """
        with self._database.reading() as session:
            newest = changes.newest(session)
            if not 0.0 <= now - self._full_at < FULL_S:
                news: frozenset[ChangeKind] = self._kinds
            elif newest == self._seen:
                news = frozenset()
            elif self._seen is not None and changes.get(session, self._seen.id) != self._seen:
                news = self._kinds
            else:
                news = self._kinds & changes.kinds_since(session, self._seen.id if self._seen else 0)
        yield news
        self._seen = newest
        if news == self._kinds:
            self._full_at = now
