"""Drawn video for the console's tests: stick figures, nobody real."""

import io
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 640, 360, 10


def picture(time_s: float) -> NDArray[np.uint8]:
    """A square with a few figures, two of whom meet in the middle at about five seconds."""
    image = np.full((HEIGHT, WIDTH, 3), (74, 66, 60), np.uint8)
    cv2.rectangle(image, (0, 0), (WIDTH, 130), (58, 50, 44), -1)
    for x in range(0, WIDTH, 80):
        cv2.line(image, (x, 130), (x * 2 - WIDTH // 2, HEIGHT), (86, 78, 70), 1)
    meeting = min(time_s, 5.0) / 5.0
    shake = 6 * np.sin(time_s * 19) if 5 < time_s < 9 else 0.0
    _figure(image, 120 + 170 * meeting + shake, 250, (120, 170, 210), time_s)
    _figure(image, 510 - 170 * meeting - shake, 252, (150, 190, 130), time_s + 0.4)
    _figure(image, (time_s * 37) % (WIDTH + 60) - 30, 175, (190, 160, 140), time_s)
    cv2.putText(
        image, f"{time_s:05.1f}", (10, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (220, 220, 220), 1, cv2.LINE_AA
    )
    return image


def _figure(image: NDArray[np.uint8], x: float, y: float, colour: tuple[int, int, int], phase: float) -> None:
    swing = 12 * np.sin(phase * 6)
    hip, neck = (int(x), int(y)), (int(x), int(y - 42))
    cv2.line(image, hip, neck, colour, 9, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.line(image, hip, (int(x + side * swing), int(y + 42)), colour, 7, cv2.LINE_AA)
        cv2.line(image, neck, (int(x + side * (swing + 8)), int(y - 8)), colour, 6, cv2.LINE_AA)
    cv2.circle(image, (int(x), int(y - 56)), 12, (120, 120, 120), -1, cv2.LINE_AA)


def jpeg(time_s: float) -> bytes:
    """One picture as JPEG."""
    return cv2.imencode(".jpg", picture(time_s))[1].tobytes()


def clip(path: Path, seconds: float) -> None:
    """An MP4 as browsers play it, its index in front."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        _encode(container, seconds)


def live(seconds: float) -> tuple[str, bytes, list[bytes]]:
    """Live video: its media type, the initialisation segment, and a fragment per picture."""
    sink = io.BytesIO()
    flags = "empty_moov+default_base_moof+frag_every_frame"
    with av.open(sink, "w", format="mp4", options={"movflags": flags}) as container:
        _encode(container, seconds)
    head, fragments = b"", []
    for kind, box in _boxes(sink.getvalue()):
        if kind in {b"ftyp", b"moov"}:
            head += box
        elif kind == b"moof":
            fragments.append(box)
        elif kind == b"mdat":
            fragments[-1] += box
    at = head.index(b"avcC") + 5
    return f'video/mp4; codecs="avc1.{head[at : at + 3].hex()}"', head, fragments


def _encode(container: av.container.OutputContainer, seconds: float) -> None:
    stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "tune": "zerolatency"})
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    stream.gop_size = FPS
    stream.time_base = Fraction(1, FPS)
    for index in range(int(seconds * FPS)):
        frame = av.VideoFrame.from_ndarray(picture(index / FPS), format="bgr24")
        frame.pts = index
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        yield kind, data[at : at + size]
        at += size
