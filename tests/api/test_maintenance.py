"""Ended sessions and old changes are forgotten, the living and the new are not."""

import asyncio
import contextlib

import structlog

from tynysh.api.maintenance import FEED_KEPT_S, keep_tidy, tell_audit_head
from tynysh.errors import StoreError
from tynysh.store import record, sessions
from tynysh.store.queries import changes
from tynysh.store.schema import SessionRow


async def tidied(house, until) -> None:
    use = house.app.state.context.session_use
    await during(keep_tidy(house.database, house.clock, use, every_s=0.01), until)


async def during(work, until) -> None:
    task = asyncio.create_task(work)
    try:
        async with asyncio.timeout(20):
            while not until():
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_what_is_over_is_forgotten(make_house) -> None:
    house = make_house()
    house.happens()
    ended = sessions.token_hash(house.token(house.user()))
    house.clock.now += FEED_KEPT_S + 1
    house.happens("park-door")
    standing = sessions.token_hash(house.token(house.user()))

    def gone() -> bool:
        with house.database.reading() as session:
            return session.get(SessionRow, ended) is None and changes.oldest(session) > 1

    await tidied(house, gone)
    with house.database.reading() as session:
        assert session.get(SessionRow, standing) is not None
        assert changes.latest(session) == changes.oldest(session), "the newest stays, to count on from"


async def test_a_database_that_is_away_is_asked_again(make_house, monkeypatch) -> None:
    house = make_house()
    asked = 0
    forget = changes.forget

    def away(*given, **named):
        nonlocal asked
        asked += 1
        if asked < 3:
            raise StoreError("away")
        return forget(*given, **named)

    monkeypatch.setattr(changes, "forget", away)
    await tidied(house, lambda: asked >= 3)


async def test_a_fault_does_not_end_it(make_house, monkeypatch) -> None:
    house = make_house()
    asked = 0

    def failing(*_given, **_named):
        nonlocal asked
        asked += 1
        raise ValueError("nobody thought of this")

    monkeypatch.setattr(changes, "forget", failing)
    await tidied(house, lambda: asked >= 2)


async def test_the_log_is_told_again_and_again_how_long_the_audit_record_is(make_house, monkeypatch) -> None:
    house = make_house()
    for _ in range(2):
        with house.database.writing() as session:
            sealed = record.append(
                session, now=house.clock.now, user="a", action="clip.view", object="incident:1"
            )
        with structlog.testing.capture_logs() as lines:
            monkeypatch.setattr("tynysh.api.maintenance.log", structlog.get_logger())
            await during(tell_audit_head(house.database, every_s=0.01), lambda: len(lines) > 1)
        assert {
            "event": "audit.head",
            "log_level": "info",
            "entries": sealed.id,
            "seal": sealed.hash,
        } in lines
