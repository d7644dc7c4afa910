"""Cameras and sites: how they are doing, pictures, and live video."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tynysh.store import record, users
from tynysh.store.schema import UserRow
from tynysh.store.users import Role

MIME = 'video/mp4; codecs="avc1.42c01e"'
JPEG = b"\xff\xd8a picture\xff\xd9"


def watch(house, token: str | None, camera: str = "club-door", **headers: str):
    given = {**house.headers(token), "Origin": house.url, **headers}
    address = f"{house.url.replace('http', 'ws')}/api/v1/cameras/{camera}/live"
    return connect(address, additional_headers=given, max_size=2**24, proxy=None)


async def refused(house, token: str | None, camera: str = "club-door", **headers: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        async with watch(house, token, camera, **headers):
            pass
    response = caught.value.response
    return response.status_code, json.loads(response.body)["error"]["code"]


async def closed_with(connection: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed):
        async with asyncio.timeout(20):
            while True:
                await connection.recv()
    assert connection.close_code is not None
    return connection.close_code


async def footage() -> AsyncIterator[bytes]:
    for item in (MIME.encode(), b"init", b"one", b"two"):
        yield item


async def endless() -> AsyncIterator[bytes]:
    yield MIME.encode()
    while True:
        yield b"fragment"
        await asyncio.sleep(0.01)


def test_a_camera_says_how_it_is_doing(house) -> None:
    house.workers.statuses["club-door"] = {
        "state": "degraded",
        "since": house.clock.now,
        "detail": "few frames arrive",
        "people": 3,
        "fps": 4.5,
        "recording": True,
        "counters": {"frames_read": 100, "frames_dropped": 7, "reconnects": 2},
        "something": "new",
    }
    with house.signed_in() as browser:
        camera = browser.get("/api/v1/cameras/club-door").json()
        listed = browser.get("/api/v1/cameras").json()
    assert camera["state"] == "degraded"
    assert (camera["people"], camera["fps"], camera["recording"]) == (3, 4.5, True)
    assert camera["counters"] == {
        "frames_read": 100,
        "frames_decoded": 0,
        "frames_dropped": 7,
        "frames_analysed": 0,
        "reconnects": 2,
        "timestamps_mended": 0,
    }
    assert camera["zones"] == [
        {"name": "Stage", "kind": "protected", "polygon": [[0, 0], [1, 0], [1, 1]], "capacity": None}
    ]
    assert camera["lines"] == []
    assert camera["site"] == {"id": "club", "name": '<script>alert("x")</script>', "kind": "nightlife"}
    assert [one["id"] for one in listed] == ["club-door", "park-door"]
    assert camera in listed


def test_a_camera_whose_worker_is_silent_is_not_called_live(make_house) -> None:
    house = make_house()
    with house.signed_in() as browser:
        assert browser.get("/api/v1/cameras/park-door").json()["state"] == "connecting"
        house.set_state("park-door", "live")
        camera = browser.get("/api/v1/cameras/park-door").json()
    assert (camera["state"], camera["detail"]) == ("lost", "worker_silent")


def test_a_worker_that_makes_no_sense_is_as_good_as_silent(make_house) -> None:
    house = make_house()
    house.workers.statuses = {
        "club-door": {"state": "on fire"},
        "park-door": {"state": "live", "since": house.clock.now},
    }
    with house.signed_in() as browser:
        states = [camera["state"] for camera in browser.get("/api/v1/cameras").json()]
    assert states == ["connecting", "live"]


def test_sites_are_told_with_their_cameras_counted(house) -> None:
    with house.signed_in() as browser:
        sites = browser.get("/api/v1/sites").json()
    assert sites[1] == {
        "id": "park",
        "name": "Park",
        "kind": "park",
        "address": "Abay 1",
        "position": {"latitude": 51.1, "longitude": 71.4},
        "time_zone": "Asia/Almaty",
        "cameras": 1,
    }


def test_a_picture_is_a_jpeg_that_is_not_kept(house) -> None:
    house.workers.pictures["club-door"] = JPEG
    with house.signed_in() as browser:
        answer = browser.get("/api/v1/cameras/club-door/picture")
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    assert answer.headers["cache-control"] == "no-store"


def test_without_a_picture_it_is_not_ready(make_house) -> None:
    house = make_house()
    with house.signed_in() as browser:
        answer = browser.get("/api/v1/cameras/club-door/picture")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_ready")


@pytest.mark.parametrize("camera", ["nowhere", "x" * 64, "..%2f..%2fsecret", "club-door'--", "%00"])
@pytest.mark.parametrize("path", ["", "/picture"])
def test_cameras_that_do_not_exist(house, camera: str, path: str) -> None:
    with house.signed_in() as browser:
        answer = browser.get(f"/api/v1/cameras/{camera}{path}")
    assert answer.status_code in {404, 422}
    assert "error" in answer.json()


class TestAVenueSeesItsOwnSiteOnly:
    def test_in_lists(self, house) -> None:
        with house.venue("club") as browser:
            assert [camera["id"] for camera in browser.get("/api/v1/cameras").json()] == ["club-door"]
            assert [site["id"] for site in browser.get("/api/v1/sites").json()] == ["club"]

    @pytest.mark.parametrize("path", ["", "/picture"])
    def test_by_id(self, house, path: str) -> None:
        house.workers.pictures = {"club-door": JPEG, "park-door": JPEG}
        with house.venue("club") as browser:
            assert browser.get(f"/api/v1/cameras/club-door{path}").status_code == 200
            assert browser.get(f"/api/v1/cameras/park-door{path}").status_code == 404

    async def test_live(self, house) -> None:
        house.workers.videos = {"club-door": footage, "park-door": footage}
        token = house.token(house.user(Role.VENUE, sites=("club",)))
        assert await refused(house, token, "park-door") == (404, "not_found")
        async with watch(house, token, "club-door") as connection:
            assert json.loads(await connection.recv()) == {"mime": MIME}


class TestLive:
    async def test_the_media_type_comes_first_then_fragments(self, house) -> None:
        house.workers.videos["club-door"] = footage
        async with watch(house, house.token(house.user())) as connection:
            assert json.loads(await connection.recv()) == {"mime": MIME}
            assert [await connection.recv() for _ in range(3)] == [b"init", b"one", b"two"]
            assert await closed_with(connection) == 1000

    async def test_without_video_it_says_so(self, make_house) -> None:
        house = make_house()
        async with watch(house, house.token(house.user())) as connection:
            assert await closed_with(connection) == 4404

    async def test_it_is_refused_as_everything_else_is(self, house) -> None:
        installer, analyst = house.token(house.user(Role.INSTALLER)), house.token(house.user(Role.ANALYST))
        house.workers.videos["club-door"] = footage
        assert await refused(house, None) == (401, "signed_out")
        assert await refused(house, "made-up") == (401, "signed_out")
        assert await refused(house, analyst) == (403, "forbidden")
        assert await refused(house, installer, "nowhere") == (404, "not_found")
        one_time = house.token(house.user(one_time=True))
        assert await refused(house, one_time) == (403, "password_change_required")

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
    async def test_other_pages_cannot_watch(self, house, origin: str) -> None:
        token = house.token(house.user())
        assert await refused(house, token, Origin=origin) == (403, "foreign_origin")

    async def test_a_browser_says_where_its_page_is_from(self, house) -> None:
        given = house.headers(house.token(house.user()))
        with pytest.raises(InvalidStatus):
            async with connect(
                f"ws://127.0.0.1:{house.served.port}/api/v1/cameras/club-door/live",
                additional_headers=given,
                proxy=None,
            ):
                pass

    async def test_watching_is_on_record_once(self, make_house) -> None:
        house = make_house()
        house.workers.videos["club-door"] = footage
        house.workers.pictures["club-door"] = JPEG
        name = house.user()
        token = house.token(name)
        for _ in range(2):
            async with watch(house, token) as connection:
                await connection.recv()
        with house.browser(token) as browser:
            browser.get("/api/v1/cameras/club-door/picture")
        with house.database.reading() as session:
            entries = [entry for entry in record.entries(session) if entry.object == "camera:club-door"]
        assert [(entry.user, entry.action) for entry in entries] == [(name, "camera.view")]

    async def test_leaving_releases_the_worker(self, make_house) -> None:
        house = make_house()
        house.workers.videos["club-door"] = endless
        async with watch(house, house.token(house.user())) as connection:
            await connection.recv()
        async with asyncio.timeout(20):
            while house.workers.released != ["club-door"]:
                await asyncio.sleep(0.02)

    @pytest.mark.parametrize("way", ["sign out", "disable", "another role"])
    async def test_it_ends_with_the_session_or_the_right(self, make_house, way: str) -> None:
        house = make_house()
        house.workers.videos["club-door"] = endless
        name = house.user()
        token = house.token(name)
        async with watch(house, token) as connection:
            await connection.recv()
            if way == "sign out":
                with house.browser(token) as browser:
                    assert await asyncio.to_thread(browser.delete, "/api/v1/session")
            else:
                with house.database.writing() as session:
                    if way == "disable":
                        users.disable(session, name, now=house.clock.now)
                    else:
                        session.get_one(UserRow, users.find(session, name).id).role = "analyst"
            assert await closed_with(connection) == 4401

    async def test_a_viewer_that_takes_nothing_is_dropped_and_not_buffered(self, make_house, quick) -> None:
        from dataclasses import replace

        house = make_house(replace(quick, live_buffer=300_000))
        sent = 0

        async def heavy() -> AsyncIterator[bytes]:
            nonlocal sent
            yield MIME.encode()
            while True:
                sent += 1
                yield bytes(100_000)
                await asyncio.sleep(0)

        house.workers.videos["club-door"] = heavy
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", house.served.port))
        lines = {
            **house.headers(house.token(house.user())),
            "Host": f"127.0.0.1:{house.served.port}",
            "Origin": house.url,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await asyncio.to_thread(
            slow.sendall, f"GET /api/v1/cameras/club-door/live HTTP/1.1\r\n{head}\r\n".encode()
        )
        async with asyncio.timeout(20):
            while not house.workers.released:
                await asyncio.sleep(0.02)
        slow.close()
        # What the kernel's buffers take, and the buffer; not what an endless source would give.
        assert sent < 200

    async def test_one_session_cannot_hold_all_streams(self, make_house, quick) -> None:
        from dataclasses import replace

        house = make_house(replace(quick, streams_per_session=2))
        house.workers.videos["club-door"] = endless
        token = house.token(house.user())
        async with watch(house, token) as first, watch(house, token) as second:
            await first.recv()
            await second.recv()
            assert await refused(house, token) == (429, "too_many_streams")
            async with watch(house, house.token(house.user())) as other:
                await other.recv()
