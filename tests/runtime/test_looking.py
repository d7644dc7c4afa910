"""However many look at a camera, in whatever way and at whatever moment, it goes on, and they see it."""

import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from random import Random

import av
import cv2
import numpy as np
import pytest
from sqlalchemy import select
from tests.runtime.conftest import QUIET, Installation, camera, site
from tests.runtime.street import FPS, HEIGHT, WIDTH, draw

from tynysh.bus.protocol import Bus
from tynysh.bus.workers import Workers
from tynysh.store.queries import incidents
from tynysh.store.queries.incidents import Filter
from tynysh.store.schema import EventRow

CONSOLES, VIEWERS = 4, 2
ROUND_S, WALK_S = 6, 2
LONGEST_PAUSE_S = 5.0
START_S = 30.0
SECONDS = float(os.environ.get("TYNYSH_TORTURE_S", "12"))
SEED = int(os.environ.get("TYNYSH_TORTURE_SEED", "1"))


def write_visits(path: Path) -> Path:
    """A street through which somebody walks for two seconds of each round, at twice the usual size."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 2 * WIDTH, 2 * HEIGHT, "yuv420p"
        stream.codec_context.gop_size = FPS
        stream.options = {"preset": "ultrafast", "crf": "16"}
        for number in range(ROUND_S * FPS):
            picture = draw(number / FPS, empty=number >= WALK_S * FPS).repeat(2, axis=0).repeat(2, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return path


class Lookers:
    """People at consoles who ask for pictures, and others who watch live and come and go."""

    def __init__(self, bus: Bus, random: Random) -> None:
        self.seen: Counter[str] = Counter()
        self._bus = bus
        self._random = random

    async def ask(self) -> None:
        """Ask for one picture after another, now at once, now after a while."""
        workers = Workers(self._bus)
        while True:
            data = await workers.picture("north")
            if data is not None:
                picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
                assert picture is not None
                assert picture.shape == (2 * HEIGHT, 2 * WIDTH, 3)
                self.seen["pictures"] += 1
            await asyncio.sleep(self._random.choice([0.0, 0.0, 0.0, self._random.uniform(0.0, 0.3)]))

    async def watch(self) -> None:
        """Watch live for a while, leave, and come back."""
        workers = Workers(self._bus)
        while True:
            stay_s = self._random.uniform(0.5, 4.0)
            began_s = time.monotonic()
            async for _ in workers.live("north"):
                self.seen["fragments"] += 1
                if time.monotonic() - began_s > stay_s:
                    break
            await asyncio.sleep(self._random.uniform(0.0, 0.5))


@pytest.mark.torture
async def test_pictures_live_view_and_events_neither_end_nor_hold_up_a_camera(
    installation: Installation, tmp_path: Path
) -> None:
    watched = {**QUIET, "intrusion": {"zones": ["gate"], "cooldown_s": 0}}
    installation.apply(site(camera("north", write_visits(tmp_path / "visits.mp4"), analysers=watched)))
    random = Random(SEED)
    lookers = Lookers(installation.folder.bus, random)
    workers = Workers(installation.folder.bus)
    with installation.worker_process() as worker:

        async def analysed() -> int:
            assert worker.poll() is None, (installation.folder.root / "worker.log").read_text()[:3000]
            north = (await workers.status()).get("north")
            return 0 if north is None else north.counters.frames_analysed

        async with asyncio.timeout(START_S):
            while not await analysed():
                await asyncio.sleep(0.1)
        looking = [asyncio.create_task(lookers.ask()) for _ in range(CONSOLES)]
        looking += [asyncio.create_task(lookers.watch()) for _ in range(VIEWERS)]
        began_s = moved_s = time.monotonic()
        before = await analysed()
        while (now_s := time.monotonic()) - began_s < SECONDS:
            now = await analysed()
            if now != before:
                before, moved_s = now, now_s
            assert now_s - moved_s < LONGEST_PAUSE_S, f"no picture was analysed for {LONGEST_PAUSE_S} s"
            assert not any(task.done() for task in looking)
            await asyncio.sleep(0.2)
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
    assert lookers.seen["pictures"] >= 5 * SECONDS
    assert lookers.seen["fragments"] >= 5 * SECONDS
    with installation.database.reading() as session:
        happened = incidents.page(session, Filter()).items
        began = session.scalars(select(EventRow.id)).all()
    assert len(began) >= SECONDS // (2 * ROUND_S)
    assert any(incident.still for incident in happened)
