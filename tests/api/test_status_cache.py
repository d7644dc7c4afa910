"""What the workers say is asked for rarely, and never waited for too long."""

import asyncio
from collections.abc import Mapping

from tynysh.api.status_cache import StatusCache
from tynysh.bus.workers import Workers
from tynysh.media.camera_status import CameraStatus


class Slow(Workers):
    """Stands for the workers; they take their time."""

    def __init__(self, slow_s: float = 0.0) -> None:
        self.asked = 0
        self.slow_s = slow_s

    async def status(self) -> Mapping[str, CameraStatus]:
        self.asked += 1
        await asyncio.sleep(self.slow_s)
        return {"door": CameraStatus(state="live", since=1.0)}


async def test_many_who_want_to_know_ask_once() -> None:
    workers = Slow()
    cache = StatusCache(workers, fresh_s=60)
    answers = await asyncio.gather(*(cache.latest() for _ in range(50)))
    assert workers.asked == 1
    assert all(answer == answers[0] for answer in answers)


async def test_what_is_old_is_asked_for_again() -> None:
    workers = Slow()
    cache = StatusCache(workers, fresh_s=0)
    await cache.latest()
    await asyncio.sleep(0.01)
    await cache.latest()
    assert workers.asked == 2


async def test_workers_that_hang_are_not_waited_for() -> None:
    async with asyncio.timeout(10):
        assert await StatusCache(Slow(slow_s=60), patience_s=0.05).latest() == {}
