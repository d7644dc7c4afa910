"""Streams end with their sessions, also while nobody can say whether the sessions stand."""

import asyncio
import contextlib

import pytest

from tynysh.api import stream_registry as watch
from tynysh.api.errors import ApiError
from tynysh.api.principal import Principal
from tynysh.api.stream_registry import StreamRegistry
from tynysh.errors import StoreError
from tynysh.store.users import Role, User


def user(role: Role = Role.OPERATOR, sites: frozenset[str] | None = None, language: str = "en") -> User:
    return User(
        id=1,
        name="a",
        role=role,
        sites=sites,
        language=language,  # type: ignore[arg-type]
        must_change_password=False,
        created_at=0.0,
        disabled=False,
    )


@contextlib.asynccontextmanager
async def running(watching: StreamRegistry):
    task = asyncio.create_task(watching.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_venue_that_loses_a_site_loses_its_streams() -> None:
    valid_users = {"t": user(Role.VENUE, frozenset({"club", "park"}))}
    watching = StreamRegistry(lambda hashes: valid_users, every_s=0.01, per_session=9)
    async with running(watching), watching.streaming(Principal(valid_users["t"], "t"), "live") as stream:
        valid_users["t"] = user(Role.VENUE, frozenset({"club"}))
        async with asyncio.timeout(10):
            await stream.ended.wait()


async def test_what_does_not_concern_rights_does_not_end_streams() -> None:
    looked = 0
    valid_users = {"t": user()}

    def valid_users_of(hashes):
        nonlocal looked
        looked += 1
        return valid_users

    watching = StreamRegistry(valid_users_of, every_s=0.01, per_session=9)
    async with running(watching), watching.streaming(Principal(valid_users["t"], "t"), "live") as stream:
        valid_users["t"] = user(language="kk")
        async with asyncio.timeout(10):
            while looked < 3:
                await asyncio.sleep(0.01)
        assert not stream.ended.is_set()


async def test_while_the_database_is_away_streams_last_a_moment_and_not_for_ever(monkeypatch) -> None:
    looked = 0

    def away(hashes):
        nonlocal looked
        looked += 1
        raise StoreError("away")

    watching = StreamRegistry(away, every_s=0.01, per_session=9)
    async with running(watching), watching.streaming(Principal(user(), "t"), "live") as stream:
        async with asyncio.timeout(10):
            while looked < 3:
                await asyncio.sleep(0.01)
            assert not stream.ended.is_set()
            monkeypatch.setattr(watch, "UNSURE_S", 0.05)
            await stream.ended.wait()


async def test_after_closing_no_stream_begins() -> None:
    watching = StreamRegistry(lambda hashes: {}, every_s=1, per_session=9)
    async with watching.streaming(Principal(user(), "t"), "live") as stream:
        watching.close()
        assert stream.ended.is_set()
        assert stream.stopping
        with pytest.raises(ApiError):
            async with watching.streaming(Principal(user(), "t"), "live"):
                pass


async def test_a_fault_does_not_end_the_watch() -> None:
    looked = 0

    def valid_users_of(hashes):
        nonlocal looked
        looked += 1
        if looked == 1:
            raise ValueError("a role that is not known here")
        return {}

    watching = StreamRegistry(valid_users_of, every_s=0.01, per_session=9)
    async with running(watching), watching.streaming(Principal(user(), "t"), "live") as stream:
        async with asyncio.timeout(10):
            await stream.ended.wait()
    assert looked >= 2
