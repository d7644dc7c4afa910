"""Live video is for those who watch, costs nothing while nobody does, and a slow viewer holds up no other."""

import asyncio
import contextlib
import io
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import av
import numpy as np
import pytest
from tests.runtime.street import BLURRED, HEIGHT, WIDTH, CoatDetector, draw, patterns

from tynysh.geometry import Box
from tynysh.media.encoder import FragmentedEncoder
from tynysh.media.frame import Frame
from tynysh.runtime import live_view
from tynysh.runtime.blur_gate import Shown
from tynysh.runtime.live_view import LiveView


class Camera:
    """Shows the street at forty pictures a second until the test ends."""

    def __init__(self, view: LiveView) -> None:
        self.view = view
        self.number = 0

    async def run(self) -> None:
        while True:
            picture = draw(self.number / 10)
            frame = Frame(picture, time_s=100.0 + self.number / 40, index=self.number)
            people = [person.box.scaled(1 / WIDTH, 1 / HEIGHT) for person in CoatDetector().detect(frame)]
            self.view.show(Shown.of(frame, people))
            self.number += 1
            await asyncio.sleep(0.025)


@pytest.fixture
async def camera() -> AsyncIterator[Camera]:
    shown = Camera(LiveView("north"))
    running = asyncio.create_task(shown.run())
    yield shown
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    shown.view.close()


async def taken(stream: AsyncGenerator[bytes, None], count: int) -> list[bytes]:
    received: list[bytes] = []
    async with asyncio.timeout(20):
        async for message in stream:
            received.append(message)
            if len(received) == count:
                return received
    raise AssertionError(f"the stream ended after {len(received)}")


def decoded(header: bytes, fragments: list[bytes]) -> list[np.ndarray]:
    with av.open(io.BytesIO(header + b"".join(fragments))) as container:
        return [picture.to_ndarray(format="bgr24") for picture in container.decode(video=0)]


async def test_a_viewer_gets_the_mime_type_the_header_and_video_that_decodes_blurred(camera: Camera) -> None:
    mime, header, *fragments = await taken(camera.view.watch(), 22)
    assert mime.decode().startswith('video/mp4; codecs="avc1.')
    pictures = decoded(header, fragments)
    assert len(pictures) == 20
    assert pictures[0].shape == (HEIGHT, WIDTH, 3)
    street = draw(0.0, empty=True)
    assert np.abs(pictures[-1][180:].astype(int) - street[180:]).mean() < 8.0, "the street is shown"
    shown = patterns(pictures)
    assert len(shown) >= 10
    assert max(shown) < BLURRED, "the walker's head is not"


async def test_one_who_joins_later_begins_with_a_key_frame(camera: Camera) -> None:
    first = camera.view.watch()
    await taken(first, 15)
    second = await taken(camera.view.watch(), 8)
    pictures = decoded(second[1], second[2:])
    assert len(pictures) == 6, "each can be decoded without what came before"
    await first.aclose()


async def test_a_slow_viewer_is_dropped_and_others_go_on(camera: Camera) -> None:
    slow, quick = camera.view.watch(), camera.view.watch()
    await taken(slow, 3)
    await taken(quick, live_view.WAITING_FRAGMENTS + 30)
    rest = 0
    async with asyncio.timeout(10):
        async for _ in slow:
            rest += 1
    assert rest <= live_view.WAITING_FRAGMENTS
    assert camera.view.watched
    await taken(quick, 5)
    await quick.aclose()


async def test_nothing_is_encoded_while_nobody_watches(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    encoder = FragmentedEncoder

    def making(*arguments: Any, **options: Any) -> Any:
        made.append(arguments)
        return encoder(*arguments, **options)

    monkeypatch.setattr(live_view, "FragmentedEncoder", making)
    await asyncio.sleep(0.3)
    assert not camera.view.watched
    assert made == []
    stream = camera.view.watch()
    await taken(stream, 4)
    assert len(made) == 1
    await stream.aclose()
    assert not camera.view.watched
    await asyncio.sleep(0.7)
    await taken(camera.view.watch(), 4)
    assert len(made) == 2, "who comes back gets a stream of their own"


async def test_the_end_of_the_camera_is_the_end_for_its_viewers(camera: Camera) -> None:
    stream = camera.view.watch()
    await taken(stream, 3)
    camera.view.close()
    async with asyncio.timeout(5):
        async for _ in stream:
            pass
    async with asyncio.timeout(5):
        assert [message async for message in camera.view.watch()] == []


async def test_a_picture_of_another_size_is_another_stream(camera: Camera) -> None:
    stream = camera.view.watch()
    await taken(stream, 3)
    large = Frame(np.zeros((480, 640, 3), np.uint8), time_s=1e6, index=0)
    async with asyncio.timeout(10):
        async for _ in stream:
            camera.view.show(Shown.of(large, [Box(0, 0, 0.1, 0.1)]))


async def test_a_viewer_whose_loop_has_ended_harms_nobody(camera: Camera) -> None:
    def watch_briefly() -> None:
        loop = asyncio.new_event_loop()
        stream = camera.view.watch()
        loop.run_until_complete(taken(stream, 3))
        # The loop ends without the stream being closed, as when a process is torn down.
        loop.close()

    await asyncio.to_thread(watch_briefly)
    await taken(camera.view.watch(), 10)
