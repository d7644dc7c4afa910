"""What it costs to keep a camera's stream away from what it could harm: by the relay, and by decoding elsewhere.

    python benchmarks/isolation.py VIDEO.mp4 [--rounds 3]

relay: an RTSP camera that sends VIDEO (H.264) as fast as it is read, read by FFmpeg directly and through the relay.
elsewhere: VIDEO decoded in this process, and by a process of its own that hands over brightness and colour (I420) in
shared memory, picture by picture; the process that takes them makes an array of each. CPU time is of both processes
together, without their start. Both ways in turns, the best of the rounds.
"""

import argparse
import os
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import av
import numpy as np
from tests.odd_cameras import OddCamera

from tynysh.media.container_source import ContainerSource
from tynysh.media.packet import compressed
from tynysh.media.source_spec import SourceSpec, Timeouts


def _serve(video: Path, tell: Connection) -> None:
    with OddCamera(video, fps=1e9) as camera:
        tell.send(camera.url)
        tell.recv()


def _read(video: Path, *, relayed: bool, packets: int) -> tuple[float, float]:
    """CPU seconds of this process for `packets` pictures, and their megabytes."""
    ours, theirs = get_context("spawn").Pipe()
    server = get_context("spawn").Process(target=_serve, args=(video, theirs))
    server.start()
    address, size = ours.recv(), 0
    began = time.process_time()
    if relayed:
        source = ContainerSource(SourceSpec.parse(address), Timeouts())
        for packet, _ in zip(source.packets(), range(packets), strict=False):
            size += len(packet.data)
        source.close()
    else:
        with av.open(address, options={"rtsp_transport": "tcp", "analyzeduration": "1500000"}) as container:
            for raw, _ in zip(container.demux(), range(packets), strict=False):
                size += len(bytes(raw))
    spent = time.process_time() - began
    ours.send(None)
    server.join()
    return spent, size / 1e6


def _packets(video: Path) -> tuple[ContainerSource, list[bytes]]:
    source = ContainerSource(SourceSpec.parse(video), Timeouts())
    return source, [packet.data for packet in source.packets()]


def _decode(video: Path, take: Callable[[av.VideoFrame], None]) -> int:
    source, packets = _packets(video)
    decoder, count = source.info.decoder(), 0
    for data in packets:
        for picture in decoder.decode(compressed(data)):
            take(picture)
            count += 1
    return count


def _decode_for(video: Path, name: str, talk: Connection) -> None:
    memory = SharedMemory(name)

    def give(picture: av.VideoFrame) -> None:
        array = picture.to_ndarray()
        memory.buf[: array.nbytes] = array.tobytes()
        talk.send(array.shape)
        talk.recv()

    began = time.process_time()
    _decode(video, give)
    talk.send(time.process_time() - began)
    talk.recv()
    memory.close()


def _elsewhere(video: Path) -> tuple[float, int, int]:
    """CPU seconds of both processes, pictures, and what the second one holds, KiB."""
    ours, theirs = get_context("spawn").Pipe()
    memory = SharedMemory(create=True, size=2**26)
    count = 0
    process = get_context("spawn").Process(target=_decode_for, args=(video, memory.name, theirs))
    process.start()
    began = time.process_time()
    while isinstance(told := ours.recv(), tuple):
        np.ndarray(told, np.uint8, memory.buf).copy()
        count += 1
        ours.send(True)
    spent = time.process_time() - began + told
    held = int(Path(f"/proc/{process.pid}/status").read_text().partition("VmHWM:")[2].split()[0])
    ours.send(True)
    process.join()
    memory.close()
    memory.unlink()
    return spent, count, held


def _here(video: Path) -> tuple[float, int, int]:
    began = time.process_time()
    count = _decode(video, lambda picture: picture.to_ndarray().copy())
    return time.process_time() - began, count, 0


def main() -> None:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("video", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--packets", type=int, default=3000)
    given = parser.parse_args()
    direct, relayed, here, elsewhere = [], [], [], []
    for _ in range(given.rounds):
        direct.append(_read(given.video, relayed=False, packets=given.packets))
        relayed.append(_read(given.video, relayed=True, packets=given.packets))
        here.append(_here(given.video))
        elsewhere.append(_elsewhere(given.video))
    megabytes = relayed[0][1]
    print(f"load {os.getloadavg()[0]:.1f}; {given.packets} pictures, {megabytes:.1f} MB")
    for name, runs in (("FFmpeg directly", direct), ("through the relay", relayed)):
        print(f"{name}: {1000 * min(runs)[0] / megabytes:.2f} CPU-ms a megabyte")
    for name, found in (("decoded here", here), ("decoded elsewhere", elsewhere)):
        spent, count, held = min(found)
        print(f"{name}: {1000 * spent / count:.2f} CPU-ms a picture, {held / 1024:.0f} MiB more")


if __name__ == "__main__":
    main()
