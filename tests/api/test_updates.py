"""Live updates: what changes is told as it changes, to those who may know, and nothing is missed."""

import asyncio
import socket
from dataclasses import replace

import httpx
from sqlalchemy import text

from tynysh.store import users
from tynysh.store.queries import changes
from tynysh.store.schema import CameraRow
from tynysh.store.users import Role


async def happens(house, camera: str = "club-door") -> int:
    return await asyncio.to_thread(house.happens, camera)


async def test_an_incident_is_told_while_the_stream_is_open(house) -> None:
    async with house.updates(house.token(house.user())) as updates:
        await updates.ready()
        number = await happens(house)
        name, incident = await updates.next()
    assert (name, incident["id"], incident["state"]) == ("incident", str(number), "new")
    assert int(updates.last_id or 0) > 0
    assert updates.response.headers["content-type"].startswith("text/event-stream")
    assert updates.response.headers["cache-control"] == "no-store"


async def test_what_people_do_is_told_to_the_others(house) -> None:
    number = await happens(house)
    async with house.updates(house.token(house.user())) as updates:
        await updates.ready()
        with house.signed_in() as browser:
            path = f"/api/v1/incidents/{number}/steps"
            await asyncio.to_thread(browser.post, path, json={"action": "acknowledge"})
        assert (await updates.next())[1]["state"] == "acknowledged"


async def test_a_camera_that_changes_is_told(house) -> None:
    async with house.updates(house.token(house.user())) as updates:
        await updates.ready()
        await asyncio.to_thread(house.set_state, "park-door", "degraded")
        name, camera = await updates.next()
    assert (name, camera["id"], camera["state"]) == ("camera", "park-door", "degraded")


async def test_nothing_is_missed_and_nothing_told_twice_over_reconnections(make_house) -> None:
    house = make_house()
    token = house.token(house.user())
    received: list[str] = []
    numbers: list[str] = []
    last_id = "0"
    for _ in range(4):
        numbers.append(str(await happens(house)))
        async with house.updates(token, headers={"Last-Event-ID": last_id}) as updates:
            numbers.append(str(await happens(house)))
            while len(received) < len(numbers):
                received.append((await updates.next())[1]["id"])
            last_id = updates.last_id or "0"
    assert received == numbers


async def test_the_header_counts_more_than_the_address(make_house) -> None:
    # A browser that reconnects repeats the address, with the id from long ago.
    house = make_house()
    await happens(house)
    with house.database.reading() as session:
        newest = changes.latest(session)
    second = await happens(house)
    stream = house.updates(
        house.token(house.user()), query="?after=0", headers={"Last-Event-ID": str(newest)}
    )
    async with stream as updates:
        assert (await updates.next())[1]["id"] == str(second)


async def test_what_changed_often_while_away_is_told_once(make_house) -> None:
    house = make_house()
    number = await happens(house)
    with house.signed_in() as browser:
        for note in ("a", "b", "c"):
            path = f"/api/v1/incidents/{number}/steps"
            await asyncio.to_thread(browser.post, path, json={"action": "note", "note": note})
    last = await happens(house)
    async with house.updates(house.token(house.user()), query="?after=0") as updates:
        assert [(await updates.next())[1]["id"] for _ in range(2)] == [str(number), str(last)]


async def test_who_was_away_too_long_is_told_to_load_anew(make_house) -> None:
    house = make_house()
    await happens(house)
    await happens(house)
    with house.database.writing() as session:
        changes.forget(session, before=house.clock.now)
    token = house.token(house.user())
    for left_off in ("0", "999999"):
        async with house.updates(token, headers={"Last-Event-ID": left_off}) as updates:
            assert await updates.next() == ("reload", {})


async def test_a_venue_is_told_of_its_own_site_only(make_house) -> None:
    house = make_house()
    token = house.token(house.user(Role.VENUE, sites=("club",)))
    await happens(house, "park-door")
    early = await happens(house, "club-door")
    async with house.updates(token, query="?after=0") as updates:
        assert (await updates.next())[1]["id"] == str(early)
        await happens(house, "park-door")
        await asyncio.to_thread(house.set_state, "park-door", "live")
        await asyncio.to_thread(house.set_state, "club-door", "live")
        late = await happens(house, "club-door")
        assert [(await updates.next())[1]["id"] for _ in range(2)] == ["club-door", str(late)]


async def test_a_silent_stream_shows_that_it_lives_and_where_it_is(make_house) -> None:
    house = make_house()
    token = house.token(house.user(Role.VENUE, sites=("club",)))
    async with house.updates(token) as updates:
        await updates.ready()
        await happens(house, "park-door")
        with house.database.reading() as session:
            newest = changes.latest(session)
        async with asyncio.timeout(20):
            async for line in updates._lines:
                if line == f"id: {newest}":
                    break
                assert not line.startswith("data"), "it concerns another site"


async def test_many_browsers_are_told_alike(make_house) -> None:
    house = make_house()
    tokens = [house.token(house.user()) for _ in range(25)]

    async def listen(token: str, ready: asyncio.Barrier) -> list[str]:
        async with house.updates(token) as updates:
            await updates.ready()
            await ready.wait()
            return [(await updates.next())[1]["id"] for _ in range(10)]

    barrier = asyncio.Barrier(len(tokens) + 1)
    listening = [asyncio.create_task(listen(token, barrier)) for token in tokens]
    await barrier.wait()
    numbers = [str(await happens(house)) for _ in range(10)]
    assert await asyncio.gather(*listening) == [numbers] * len(tokens)


async def test_a_browser_that_reads_too_slowly_is_cut_off_and_can_resume(make_house, quick) -> None:
    house = make_house(replace(quick, updates_queue=4))
    with house.database.writing() as session:
        # Large, so that it takes few to fill what the kernel holds.
        session.get_one(CameraRow, "park-door").name = "x" * 500_000
    token = house.token(house.user())
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    slow.connect(("127.0.0.1", house.served.port))
    head = f"GET /api/v1/updates HTTP/1.1\r\nHost: localhost\r\nCookie: tynysh_session={token}\r\n\r\n"
    await asyncio.to_thread(slow.sendall, head.encode())
    watch = house.app.state.context.streams
    number = await happens(house)
    state = "live"
    async with asyncio.timeout(60):
        while watch.open("updates") != 1:
            await asyncio.sleep(0.02)
        while watch.open("updates"):
            state = "lost" if state == "live" else "live"
            await asyncio.to_thread(house.set_state, "park-door", state)
            await asyncio.sleep(0.03)
    slow.close()
    async with house.updates(token, query="?after=0") as updates:
        seen = [(await updates.next())[1] for _ in range(2)]
    assert [one["id"] for one in seen] == [str(number), "park-door"]
    assert seen[1]["state"] == state


async def test_a_stream_ends_when_its_user_signs_out(house) -> None:
    token = house.token(house.user())
    async with house.updates(token) as updates:
        await updates.ready()
        with house.browser(token) as browser:
            await asyncio.to_thread(browser.delete, "/api/v1/session")
        await updates.end()
    with house.browser(token) as browser:
        assert browser.get("/api/v1/updates").status_code == 401


async def test_a_stream_ends_when_its_user_is_disabled(house) -> None:
    name = house.user()
    async with house.updates(house.token(name)) as updates:
        await updates.ready()
        with house.database.writing() as session:
            users.disable(session, name, now=house.clock.now)
        await updates.end()


async def test_a_stream_ends_when_its_session_has_lasted_too_long(make_house) -> None:
    house = make_house()
    async with house.updates(house.token(house.user())) as updates:
        await updates.ready()
        house.clock.now += 15 * 3600
        await updates.end()


async def test_who_listens_is_not_idle(make_house) -> None:
    house = make_house()
    token = house.token(house.user())
    async with house.updates(token) as updates:
        await updates.ready()
        for _ in range(4):
            house.clock.now += 1500
            number = await happens(house)
            # The watch has looked at least once at each of these times.
            assert (await updates.next())[1]["id"] == str(number)
            await asyncio.sleep(0.3)
    with house.browser(token) as browser:
        assert browser.get("/api/v1/session").status_code == 200


async def test_the_feed_outlives_a_database_that_is_away_for_a_moment(make_house, monkeypatch) -> None:
    from tynysh.errors import StoreError

    house = make_house()
    since = changes.since
    failures = 0

    def fails(*given, **named):
        nonlocal failures
        failures += 1
        if failures < 3:
            raise StoreError("away")
        return since(*given, **named)

    async with house.updates(house.token(house.user())) as updates:
        await updates.ready()
        monkeypatch.setattr(changes, "since", fails)
        number = await happens(house)
        assert (await updates.next())[1]["id"] == str(number)
    assert failures >= 3


def test_ids_that_are_none_are_refused(house) -> None:
    with house.signed_in() as browser:
        for answer in (
            browser.get("/api/v1/updates?after=x"),
            browser.get("/api/v1/updates?after=-1"),
            browser.get("/api/v1/updates", headers={"Last-Event-ID": "' OR 1=1"}),
        ):
            assert answer.status_code == 422


def test_without_a_session_there_are_no_updates(house) -> None:
    assert httpx.get(f"{house.url}/api/v1/updates").status_code == 401


async def test_a_row_that_cannot_be_told_holds_up_nothing(make_house) -> None:
    house = make_house()
    bad, good = await happens(house), await happens(house)
    with house.database.writing() as session:
        session.execute(text("UPDATE incident SET behaviours = '7' WHERE id = :id"), {"id": bad})
        session.execute(text("UPDATE camera SET settings = '[]' WHERE id = 'park-door'"))
        changes.publish(session, changes.ChangeKind.INCIDENT, bad, now=house.clock.now)
        changes.publish(session, changes.ChangeKind.INCIDENT, "no number", now=house.clock.now)
        changes.publish(session, changes.ChangeKind.CAMERA, "park-door", now=house.clock.now)
    async with house.updates(house.token(house.user()), query="?after=0") as updates:
        assert (await updates.next())[1]["id"] == str(good)
        with house.database.writing() as session:
            changes.publish(session, changes.ChangeKind.INCIDENT, bad, now=house.clock.now)
            changes.publish(session, changes.ChangeKind.CAMERA, "park-door", now=house.clock.now)
        later = await happens(house)
        assert (await updates.next())[1]["id"] == str(later)
        with house.database.reading() as session:
            assert house.app.state.context.feed.last_sent == changes.latest(session)


async def test_the_feed_goes_on_after_any_fault(make_house, monkeypatch) -> None:
    house = make_house()
    since, failures = changes.since, 0

    def failing(*given, **named):
        nonlocal failures
        failures += 1
        if failures < 3:
            raise ValueError("what a row holds is not known here")
        return since(*given, **named)

    async with house.updates(house.token(house.user())) as updates:
        await updates.ready()
        monkeypatch.setattr(changes, "since", failing)
        number = await happens(house)
        assert (await updates.next())[1]["id"] == str(number)
    assert failures >= 3


async def test_cameras_whose_worker_falls_silent_are_told_at_once_and_when_it_answers_again(house) -> None:
    """Nobody writes that down: who would is the worker."""
    await asyncio.to_thread(house.set_state, "park-door", "live")
    async with house.updates(house.token(house.user())) as updates:
        await updates.ready()
        await asked(house)
        before = updates.last_id
        answering = {"state": "live", "since": house.clock.now, "recording": True}
        house.workers.statuses["park-door"] = answering
        name, camera = await updates.next()
        assert (name, camera["id"], camera["state"]) == ("camera", "park-door", "live")
        del house.workers.statuses["park-door"]
        name, camera = await updates.next()
        assert (name, camera["id"], camera["state"]) == ("camera", "park-door", "lost")
        assert (camera["detail"], camera["recording"]) == ("worker_silent", False)
        assert updates.last_id == before, "there is nothing to resume from"


async def asked(house) -> None:
    """Wait until the console has asked the workers how the cameras are, and taken in what they said."""
    before = house.workers.asked
    async with asyncio.timeout(20):
        while house.workers.asked < before + 2:
            await asyncio.sleep(0.05)
