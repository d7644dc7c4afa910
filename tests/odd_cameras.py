"""Cameras that do what they should not: an RTSP camera (RTP over its TCP connection) and a web server."""

import base64
import contextlib
import hashlib
import re
import secrets
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import av
from tests.servers import SocketServer

_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
Answer = Callable[[str], bytes | None]


class OddCamera(SocketServer):
    """Plays an H.264 file without B-frames over and over, a key frame at the beginning.

    account: asked for by `logins` (values of `WWW-Authenticate`, `NONCE` in them is filled). answer: what is said
    instead, given the request, where it is not None. sets: whether the description tells the parameter sets.
    begins_at: the picture to begin with. speed: how many times as fast as it should it sends. damage: what becomes of
    a slice. path: the only one there is.
    asked: the requests so far.
    """

    def __init__(
        self,
        video: Path,
        *,
        account: tuple[str, str] | None = None,
        logins: tuple[str, ...] = (),
        answer: Answer = lambda _: None,
        sets: bool = True,
        begins_at: int = 0,
        fps: float = 25.0,
        speed: float = 1.0,
        damage: Callable[[bytes], bytes] = bytes,
        path: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.asked: list[str] = []
        self._account, self._logins, self._answer = account, logins, answer
        self._told, self._begins_at, self._fps, self._speed = sets, begins_at, fps, speed
        self._damage, self._path, self._tls = damage, path, tls
        self._nonce = secrets.token_hex(8)
        self._read(video)
        super().__init__()
        scheme = "rtsps" if tls else "rtsp"
        self.url = f"{scheme}://127.0.0.1:{self.port}{path or '/live'}"

    def _read(self, video: Path) -> None:
        with av.open(str(video)) as container:
            header = container.streams.video[0].codec_context.extradata or b""
            length = int.from_bytes(header[6:8])
            at = 8 + length + 1
            self._sets = [
                header[8 : 8 + length],
                header[at + 2 : at + 2 + int.from_bytes(header[at : at + 2])],
            ]
            self._pictures = [
                (packet.is_keyframe, _units(bytes(packet)))
                for packet in container.demux(container.streams.video[0])
                if packet.size
            ]

    def _description(self) -> bytes:
        sets = ",".join(base64.b64encode(unit).decode() for unit in self._sets)
        told = f";sprop-parameter-sets={sets}" if self._told else ""
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=odd\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
            f"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1{told}\r\na=control:track1\r\n"
        ).encode()

    def _serve(self, client: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as ends:
            ends.enter_context(client)
            if self._tls is not None:
                client = ends.enter_context(self._tls.wrap_socket(client, server_side=True))
            heard = b""
            while True:
                while b"\r\n\r\n" not in heard:
                    if not (part := client.recv(4096)):
                        return
                    heard += part
                    while heard[:1] == b"$" and len(heard) >= 4:
                        heard = heard[4 + int.from_bytes(heard[2:4]) :]
                head, _, heard = heard.partition(b"\r\n\r\n")
                request = head.decode()
                self.asked.append(request)
                said = self._answer(request)
                client.sendall(self._said(request) if said is None else said)
                if said is None and request.startswith("PLAY"):
                    threading.Thread(target=self._play, args=(client,), daemon=True).start()

    def _said(self, request: str) -> bytes:
        method, uri = request.split(" ")[:2]
        number = re.search(r"CSeq: *(\d+)", request)
        head = f"CSeq: {number[1] if number else 1}\r\nSession: 1\r\n"
        if not self._admitted(method, request):
            asks = "".join(f"WWW-Authenticate: {it}\r\n" for it in self._logins)
            return f"RTSP/1.0 401 Unauthorized\r\n{head}{asks.replace('NONCE', self._nonce)}\r\n".encode()
        if self._path is not None and self._path not in uri:
            return f"RTSP/1.0 404 Not Found\r\n{head}\r\n".encode()
        body = b""
        if method == "DESCRIBE":
            body = self._description()
            head += (
                f"Content-Base: {uri}/\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            )
        elif method == "SETUP":
            head += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        elif method == "OPTIONS":
            head += "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        return f"RTSP/1.0 200 OK\r\n{head}\r\n".encode() + body

    def _admitted(self, method: str, request: str) -> bool:
        if self._account is None:
            return True
        given = re.search(r"^Authorization: (\w+) (.*?)\r?$", request, re.MULTILINE)
        offered = {it.split(" ")[0] for it in self._logins}
        if given is None or given[1] not in offered:
            return False
        user, password = self._account
        if given[1] == "Basic":
            return given[2] == base64.b64encode(f"{user}:{password}".encode()).decode()
        return digest_fits(given[2], method, user, password, self._nonce, str(self._logins))

    def _play(self, client: socket.socket) -> None:
        began, sequence, number = time.monotonic(), 0, self._begins_at
        with contextlib.suppress(OSError):
            while not self._stopping.is_set():
                key, units = self._pictures[number % len(self._pictures)]
                stamp = int((number - self._begins_at) * 90000 / self._fps) & 0xFFFFFFFF
                units = [self._damage(unit) if unit[0] & 31 in (1, 5) else unit for unit in units]
                pieces = [piece for unit in (self._sets if key else []) + units for piece in _pieces(unit)]
                for place, piece in enumerate(pieces):
                    last = 0x80 if place == len(pieces) - 1 else 0
                    packet = struct.pack(">BBHII", 0x80, 96 | last, sequence & 0xFFFF, stamp, 7) + piece
                    client.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
                    sequence += 1
                number += 1
                due = began + (number - self._begins_at) / self._fps / self._speed
                self._stopping.wait(max(0.0, due - time.monotonic()))


def _units(data: bytes) -> list[bytes]:
    units, at = [], 0
    while at + 4 <= len(data):
        length = int.from_bytes(data[at : at + 4])
        units.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return units


def _pieces(unit: bytes, most: int = 1300) -> list[bytes]:
    """A unit as RTP carries it: whole, or in fragments (FU-A)."""
    if len(unit) <= most:
        return [unit]
    parts = [unit[at : at + most] for at in range(1, len(unit), most)]
    flags = [0x80 * (place == 0) | 0x40 * (place == len(parts) - 1) for place in range(len(parts))]
    return [
        bytes([unit[0] & 0xE0 | 28, flag | unit[0] & 31]) + part
        for flag, part in zip(flags, parts, strict=True)
    ]


def digest_fits(given: str, method: str, user: str, password: str, nonce: str, offered: str) -> bool:
    """Whether an `Authorization: Digest` is right for a server of realm `cam`."""
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', given))
    algorithm = fields.get("algorithm", "MD5")
    if algorithm not in _HASHES or (algorithm != "MD5" and algorithm not in offered):
        return False

    def digest(text: str) -> str:
        return _HASHES[algorithm](text.encode()).hexdigest()

    account, asked = digest(f"{user}:cam:{password}"), digest(f"{method}:{fields['uri']}")
    middle = f"{nonce}:{fields['nc']}:{fields['cnonce']}:{fields['qop']}" if "qop" in fields else nonce
    return fields["nonce"] == nonce and fields["response"] == digest(f"{account}:{middle}:{asked}")


class Web:
    """A web server; `pages`: what writes the whole answer (handler given), by path without query."""

    def __init__(
        self,
        pages: Mapping[str, Callable[[BaseHTTPRequestHandler], None]],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, dict(self.headers)))
                page = pages.get(self.path.partition("?")[0])
                with contextlib.suppress(OSError):
                    page(self) if page else self.send_error(404)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def page(kind: str, body: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer that is always the same."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def elsewhere(address: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """A redirect."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", address)
        handler.end_headers()

    return answer
