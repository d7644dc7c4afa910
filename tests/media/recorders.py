"""Files as recorders export them, written by hand from an MP4: DHAV (Dahua), IMKH (Hikvision), a wrapped clock."""

import struct
from collections.abc import Iterator
from pathlib import Path

import av

_SECOND = 90_000


def _units(data: bytes) -> bytes:
    """NAL units after their lengths as NAL units after start codes."""
    out, at = b"", 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        out += b"\0\0\0\1" + data[at + 4 : at + 4 + size]
        at += 4 + size
    return out


def _parameters(avcc: bytes) -> bytes:
    """The sequence and picture parameter sets of an avcC header, after start codes."""
    size = int.from_bytes(avcc[6:8], "big")
    after = 8 + size + 1
    other = int.from_bytes(avcc[after : after + 2], "big")
    return b"\0\0\0\1" + avcc[8 : 8 + size] + b"\0\0\0\1" + avcc[after + 2 : after + 2 + other]


def _pictures(source: Path) -> Iterator[tuple[float, bool, bytes]]:
    """Time (seconds), whether it is a key frame, and the data of each picture."""
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        head = _parameters(stream.codec_context.extradata or b"")
        for packet in container.demux(stream):
            if packet.dts is not None:
                body = (head if packet.is_keyframe else b"") + _units(bytes(packet))
                yield float(packet.pts * packet.time_base), packet.is_keyframe, body


def dav(
    source: Path, target: Path, *, width: int, height: int, fps: int, hole: tuple[int, float] = (0, 0.0)
) -> Path:
    """A Dahua export: a local date and a clock of 16 bits, in milliseconds, in the head of each picture.

    hole: from which picture on times are later, and by how many seconds.
    """
    out = b""
    for number, (at_s, is_key, body) in enumerate(_pictures(source)):
        time_s = at_s + (hole[1] if number >= hole[0] else 0.0)
        more = struct.pack("<BBHHH", 0x82, 0, 0, width, height) + struct.pack("<BBBB", 0x81, 0, 0x2, fps)
        minutes, seconds = divmod(int(time_s), 60)
        date = (26 << 26) | (1 << 22) | (1 << 17) | (12 << 12) | (minutes << 6) | seconds
        size = 24 + len(more) + len(body) + 8
        out += b"DHAV" + struct.pack("<BBBB", 0xFD if is_key else 0xFC, 0, 0, 0)
        out += struct.pack("<IIIHBB", number, size, date, int(time_s * 1000) & 0xFFFF, len(more), 0)
        out += more + body + b"dhav" + struct.pack("<I", size)
    target.write_bytes(out)
    return target


def imkh(source: Path, target: Path) -> Path:
    """A Hikvision download: 40 bytes of its own, and then an MPEG program stream, whatever the file is called."""
    stream_map = b"\0\0\1\xbc" + struct.pack(">H", 14) + bytes([0xE0, 0xFF, 0, 0, 0, 4, 0x1B, 0xE0, 0, 0])
    stream_map += b"\x45\xbd\xdc\xf4"
    out = b"IMKH" + bytes([1, 1, 0, 0, 2, 0, 1, 0]) + bytes(28)
    for at_s, is_key, body in _pictures(source):
        ticks = round(at_s * _SECOND) + _SECOND
        out += _pack_header(ticks) + (stream_map if is_key else b"")
        for start in range(0, len(body), 5000):
            part = body[start : start + 5000]
            head = bytes([0x80, 0, 0]) if start else bytes([0x80, 0x80, 5]) + _stamp(ticks)
            out += b"\0\0\1\xe0" + struct.pack(">H", len(head) + len(part)) + head + part
    target.write_bytes(out)
    return target


def wrapped(source: Path, target: Path, *, before_s: float) -> Path:
    """MPEG-TS whose clock of 33 bits begins again at 0 after `before_s` seconds."""
    offset = {"output_ts_offset": str(2**33 / _SECOND - before_s)}
    with av.open(str(source)) as old, av.open(str(target), "w", format="mpegts", options=offset) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return target


def _stamp(ticks: int) -> bytes:
    return bytes([0x21 | (ticks >> 29) & 0xE]) + struct.pack(
        ">HH", (ticks >> 14) & 0xFFFE | 1, (ticks << 1) & 0xFFFE | 1
    )


def _pack_header(ticks: int) -> bytes:
    bits = (1 << 46) | ((ticks >> 30) & 7) << 43 | 1 << 42 | ((ticks >> 15) & 0x7FFF) << 27 | 1 << 26
    bits |= (ticks & 0x7FFF) << 11 | 1 << 10 | 1
    return b"\0\0\1\xba" + bits.to_bytes(6, "big") + bytes([0x01, 0x5F, 0x6B, 0xF8])
