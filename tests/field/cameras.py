"""An RTSP camera (RTP over its TCP connection) with the habits that a test gives it."""

import base64
import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from tests.servers import SocketServer

MTU = 1400


@dataclass(frozen=True, slots=True)
class Picture:
    """One coded picture. shown_s: when it is shown, seconds from the beginning. units: its NAL units."""

    is_key: bool
    shown_s: float
    units: tuple[bytes, ...]


class Film:
    """What a camera films: the pictures of an MP4 of H.264 or H.265, with their parameter sets."""

    def __init__(self, path: Path) -> None:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            self.codec = context.name
            self.fps = float(stream.average_rate or 25)
            self.width, self.height = context.width, context.height
            self.sets = _sets_of(self.codec, context.extradata or b"")
            packets = [packet for packet in container.demux(stream) if packet.size]
        first = min(packet.pts or 0 for packet in packets)
        self.pictures = [
            Picture(
                packet.is_keyframe,
                float((packet.pts - first) * packet.time_base),
                tuple(_units(bytes(packet))),
            )
            for packet in packets
        ]

    def sdp(self, *, sets: bool = True) -> str:
        """The media description. sets: whether the parameter sets stand in it."""
        coded = [base64.b64encode(unit).decode() for unit in self.sets]
        if self.codec == "hevc":
            given = [f"sprop-{name}={unit}" for name, unit in zip(("vps", "sps", "pps"), coded, strict=False)]
            name = "H265"
        else:
            given = ["packetization-mode=1", f"sprop-parameter-sets={','.join(coded)}"]
            name = "H264"
        kept = given if sets else given[:1] if name == "H264" else []
        format_ = f"a=fmtp:96 {';'.join(kept)}\r\n" if kept else ""
        return f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 {name}/90000\r\n{format_}a=control:track1\r\n"


@dataclass(frozen=True, slots=True)
class Sound:
    """What a camera hears: SDP lines of a media of payload type 8 or 97, and the bytes of one RTP packet."""

    sdp: str
    payload: bytes
    type: int


PCMA = Sound("m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:track2\r\n", b"\xd5" * 160, 8)
AAC_WITHOUT_CONFIGURATION = Sound(
    "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=control:track2\r\n",
    b"\0\x10\x01\0" + bytes(32),
    97,
)
ODD_SOUND = Sound(
    "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 X-UNHEARD-OF/8000\r\na=control:track2\r\n", b"\x55" * 80, 97
)

Stamp = Callable[[int, float], int]
Packets = Iterator[tuple[bytes, bool]]


class OddCamera(SocketServer):
    """A camera that plays its films one after the other, each from a key frame.

    pace: how many times faster than life; 0 sends as fast as it goes. loops: how often the films are played.
    sets_in_band: whether parameter sets go before each key frame. sdp, answer: what is made of the description and
    of each answer (given the method and the number of the connection; None for no answer at all).
    stamp: the RTP time of a picture, by its number and the second in which it is shown.
    alter: what is made of the RTP packets of one picture (payload and mark), given the picture's number.
    report: what the camera's own clock says (Unix seconds) in the RTCP report before a picture; none where None.
    stays: whether the connection is kept after the last picture. plays: for how many connections it does; all if None.
    """

    def __init__(
        self,
        *films: Film,
        pace: float = 0.0,
        loops: int = 1,
        sets_in_sdp: bool = True,
        sets_in_band: bool = True,
        sound: Sound | None = None,
        sdp: Callable[[str], str] = lambda text: text,
        answer: Callable[[str, int, str], str | None] = lambda _method, _connection, text: text,
        stamp: Stamp = lambda _number, shown_s: round(shown_s * 90000),
        alter: Callable[
            [int, Iterable[tuple[bytes, bool]]], Iterable[tuple[bytes, bool]]
        ] = lambda _number, given: given,
        report: Callable[[int], float | None] = lambda _number: None,
        host: str = "127.0.0.1",
        stays: bool = False,
        plays: int | None = None,
    ) -> None:
        self.films = films
        self.pace, self.loops, self.stays, self.plays = pace, loops, stays, plays
        self.sets_in_sdp, self.sets_in_band, self.sound = sets_in_sdp, sets_in_band, sound
        self._sdp, self._answer, self._stamp, self._alter, self._report = sdp, answer, stamp, alter, report
        self.requests: list[tuple[str, str]] = []
        self._clients: list[socket.socket] = []
        super().__init__(host)
        self.url = f"rtsp://{f'[{host}]' if ':' in host else host}:{self.port}/live"

    def close(self) -> None:
        """End everything."""
        super().close()
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _serve(self, client: socket.socket, number: int) -> None:
        self._clients.append(client)
        received, lock = b"", threading.Lock()
        with contextlib.suppress(OSError), client:
            while True:
                while b"\r\n\r\n" not in received:
                    part = client.recv(4096)
                    if not part:
                        return
                    received += part
                    received = _without_rtcp(received)
                head, _, received = received.partition(b"\r\n\r\n")
                text = head.decode("latin-1")
                method = text.split(" ", 1)[0]
                self.requests.append((method, text))
                usual = self._usual(method, text)
                if self.plays is not None and number > self.plays:
                    usual = "RTSP/1.0 503 Service Unavailable\r\n\r\n"
                answer = self._answer(method, number, usual)
                if answer is None:
                    continue
                with lock:
                    client.sendall(answer.encode("latin-1", "replace"))
                if method == "PLAY" and answer.startswith("RTSP/1.0 200"):
                    threading.Thread(target=self._play, args=(client, lock), daemon=True).start()
                if method == "TEARDOWN":
                    return

    def _usual(self, method: str, request: str) -> str:
        number = re.search(r"CSeq: *(\d+)", request)
        head = f"RTSP/1.0 200 OK\r\nCSeq: {number[1] if number else 1}\r\n"
        match method:
            case "OPTIONS":
                return f"{head}Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n\r\n"
            case "DESCRIBE":
                body = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=camera\r\nt=0 0\r\na=control:*\r\n"
                body += self.films[0].sdp(sets=self.sets_in_sdp) + (self.sound.sdp if self.sound else "")
                body = self._sdp(body)
                size = len(body.encode("latin-1", "replace"))
                return (
                    f"{head}Content-Base: {self.url}/\r\nContent-Type: application/sdp\r\n"
                    f"Content-Length: {size}\r\n\r\n{body}"
                )
            case "SETUP":
                channels = re.search(r"interleaved=(\d+-\d+)", request)
                if channels is None:
                    return head.replace("200 OK", "461 Unsupported Transport") + "\r\n"
                transport = f"Transport: RTP/AVP/TCP;unicast;interleaved={channels[1]}"
                return f"{head}{transport}\r\nSession: 7;timeout=60\r\n\r\n"
            case _:
                return f"{head}Session: 7\r\n\r\n"

    def _play(self, client: socket.socket, lock: threading.Lock) -> None:
        began_s = time.monotonic()
        number, offset_s, sequence = 0, 0.0, 1
        with contextlib.suppress(OSError):
            for _ in range(self.loops):
                for film in self.films:
                    for picture in film.pictures:
                        shown_s = offset_s + picture.shown_s
                        if self.pace and self._stopping.wait(
                            max(0.0, began_s + shown_s / self.pace - time.monotonic())
                        ):
                            return
                        stamp = self._stamp(number, shown_s) & 0xFFFFFFFF
                        clock_s = self._report(number)
                        if clock_s is not None:
                            since_1900 = round((clock_s + 2_208_988_800) * 2**32)
                            sender = struct.pack(
                                ">BBHIQIII", 0x80, 200, 6, 42, since_1900, stamp, number, number
                            )
                            self._send(client, lock, 1, sender)
                        for payload, last in self._alter(number, self._packets(film, picture)):
                            header = struct.pack(
                                ">BBHII", 0x80, 96 | (0x80 if last else 0), sequence & 0xFFFF, stamp, 42
                            )
                            self._send(client, lock, 0, header + payload)
                            sequence += 1
                        number += 1
                        if self.sound is not None:
                            self._hear(client, lock, number)
                    offset_s += len(film.pictures) / film.fps
            if self.stays:
                self._stopping.wait()
            with lock:
                client.shutdown(socket.SHUT_RDWR)

    def _hear(self, client: socket.socket, lock: threading.Lock, number: int) -> None:
        assert self.sound is not None
        head = struct.pack(">BBHII", 0x80, 0x80 | self.sound.type, number & 0xFFFF, number * 160, 43)
        self._send(client, lock, 2, head + self.sound.payload)

    @staticmethod
    def _send(client: socket.socket, lock: threading.Lock, channel: int, packet: bytes) -> None:
        with lock:
            client.sendall(struct.pack(">cBH", b"$", channel, len(packet)) + packet)

    def _packets(self, film: Film, picture: Picture) -> Packets:
        """The payloads of one picture, and whether each is its last (RFC 6184 and RFC 7798)."""
        units = [*(film.sets if picture.is_key and self.sets_in_band else ()), *picture.units]
        for place, unit in enumerate(units):
            last = place == len(units) - 1
            if len(unit) <= MTU:
                yield unit, last
                continue
            if film.codec == "hevc":
                kind = (unit[0] >> 1) & 63
                head, rest = bytes([(unit[0] & 0x81) | (49 << 1), unit[1]]), unit[2:]
            else:
                kind = unit[0] & 31
                head, rest = bytes([(unit[0] & 0xE0) | 28]), unit[1:]
            parts = [rest[at : at + MTU] for at in range(0, len(rest), MTU)]
            for number, part in enumerate(parts):
                ends = number == len(parts) - 1
                flags = (0x80 if number == 0 else 0) | (0x40 if ends else 0) | kind
                yield head + bytes([flags]) + part, last and ends


def _without_rtcp(received: bytes) -> bytes:
    while received[:1] == b"$" and len(received) >= 4:
        size = 4 + int.from_bytes(received[2:4])
        if len(received) < size:
            return received
        received = received[size:]
    return received


def _units(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def _sets_of(codec: str, header: bytes) -> tuple[bytes, ...]:
    """The parameter sets of an avcC or hvcC header."""
    if codec == "h264":
        size = int.from_bytes(header[6:8])
        at = 8 + size + 1
        return header[8 : 8 + size], header[at + 2 : at + 2 + int.from_bytes(header[at : at + 2])]
    sets, at = [], 23
    for _ in range(header[22]):
        count = int.from_bytes(header[at + 1 : at + 3])
        at += 3
        for _ in range(count):
            size = int.from_bytes(header[at : at + 2])
            sets.append(header[at + 2 : at + 2 + size])
            at += 2 + size
    return tuple(sets)
