"""The console hears what the workers have to say, and a dead worker harms nobody."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from tynysh.bus.link import Links, LinkServer
from tynysh.media.camera_status import CameraStatus


class Source:
    def __init__(self, *cameras: str) -> None:
        self.cameras = cameras
        self.viewers = 0

    def status(self) -> dict[str, CameraStatus]:
        return {camera: CameraStatus(state="live", since=1.0) for camera in self.cameras}

    async def picture(self, camera_id: str) -> bytes | None:
        return camera_id.encode() if camera_id in self.cameras else None

    async def live(self, camera_id: str) -> AsyncIterator[bytes]:
        self.viewers += 1
        try:
            yield b"video/mp4"
            for number in range(1_000_000):
                yield f"{camera_id} {number}".encode()
                await asyncio.sleep(0.001)
        finally:
            self.viewers -= 1


async def test_states_and_pictures_of_all_workers_are_joined(tmp_path: Path) -> None:
    servers = [
        LinkServer(tmp_path / "worker-0.sock", Source("gate", "square")),
        LinkServer(tmp_path / "worker-1.sock", Source("park")),
    ]
    for server in servers:
        await server.start()
    links = Links(tmp_path)
    assert set(await links.status()) == {"gate", "square", "park"}
    assert await links.picture("park") == b"park"
    assert await links.picture("nowhere") is None
    for server in servers:
        await server.stop()


async def test_a_dead_workers_socket_is_passed_over_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.sock"
    dead = LinkServer(path, Source("gate"))
    await dead.start()
    links = Links(tmp_path)
    assert await links.picture("gate") == b"gate"
    dead._server.close()  # type: ignore[union-attr]  # dies without removing its socket
    path.touch()
    assert await links.status() == {}
    assert await links.picture("gate") is None
    again = LinkServer(path, Source("gate"))
    await again.start()
    assert set(await links.status()) == {"gate"}
    await again.stop()


async def test_live_video_flows_and_ends_when_the_viewer_leaves(tmp_path: Path) -> None:
    source = Source("gate")
    server = LinkServer(tmp_path / "worker-0.sock", source)
    await server.start()
    received = []
    stream = Links(tmp_path).live("gate")
    async for message in stream:
        received.append(message)
        if len(received) == 5:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    assert received[0] == b"video/mp4"
    assert received[1:] == [f"gate {number}".encode() for number in range(4)]
    async with asyncio.timeout(5):
        while source.viewers:
            await asyncio.sleep(0.01)
    await server.stop()


async def test_nonsense_from_a_client_is_survived(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.sock"
    server = LinkServer(path, Source("gate"))
    await server.start()
    for nonsense in (b"\n", b"[]\n", b'{"ask": "everything"}\n', b"x" * 10_000, b"\xff\xfe\n"):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(nonsense)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
    assert set(await Links(tmp_path).status()) == {"gate"}
    await server.stop()
