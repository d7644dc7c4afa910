"""Cameras for tests: a real RTSP server, and what goes wrong between it and us."""

import asyncio
import base64
import contextlib
import re
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Self

import aio_sockets
import av
from aio_rtsp_toolkit import server as rtsp_server


def free_port() -> int:
    """A TCP port that nobody listens on, and that Linux gives to nobody who does not name it: until it is used, many
    other connections begin.
    """
    while True:
        port = secrets.randbelow(20_000) + 12_000
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


class RtspCamera:
    """aio-rtsp-toolkit's server on a folder of videos, RTP over TCP, in a thread of its own."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        rtsp_server.logger = aio_sockets.NullLogger() if hasattr(aio_sockets, "NullLogger") else _Silent()
        self.folder = folder
        self.port = port or free_port()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def url(self, name: str, *, loop: bool = True) -> str:
        """The address of one of the videos, for ever or once."""
        return f"rtsp://127.0.0.1:{self.port}/{name}?play_count={0 if loop else 1}"

    def close(self) -> None:
        """Stop serving; every connection ends."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = rtsp_server.RtspServer(str(self.folder), host="127.0.0.1", port=self.port)
        self._loop.run_until_complete(server.start())
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        with contextlib.suppress(Exception):
            self._loop.run_until_complete(asyncio.wait_for(server.close(), 2))
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Silent:
    def __getattr__(self, name: str) -> object:
        return lambda *args, **kwargs: None


class SocketServer:
    """Serves each connection in a thread of its own, until it is closed.

    To be begun when all is there that `_serve` needs. connections: how many there were.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self._stopping = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End everything."""
        self._stopping.set()
        # Closing alone does not wake who waits for a connection.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._stopping.is_set():
                client.close()
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client, self.connections), daemon=True).start()

    def _serve(self, client: socket.socket, number: int) -> None:
        """Speak to the client of connection `number`, counted from 1."""
        raise NotImplementedError


class ProxyServer(SocketServer):
    """A TCP line to a server that can fall silent, be cut, be encrypted, or ask for a password (Basic)."""

    def __init__(
        self,
        target_port: int,
        *,
        tls: ssl.SSLContext | None = None,
        account: tuple[str, str] | None = None,
    ) -> None:
        self._target_port = target_port
        self._tls = tls
        self._token = base64.b64encode(":".join(account).encode()).decode() if account else None
        self._silent = threading.Event()
        self._sockets: set[socket.socket] = set()
        super().__init__()

    def silence(self) -> None:
        """Let nothing through any more, and keep the connections."""
        self._silent.set()

    def speak(self) -> None:
        """End the silence for new connections; old ones are cut."""
        self.cut()
        self._silent.clear()

    def cut(self) -> None:
        """End all connections."""
        for end in list(self._sockets):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._sockets.clear()

    def close(self) -> None:
        """End everything."""
        super().close()
        self.cut()

    def _serve(self, client: socket.socket, number: int) -> None:
        try:
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
            self._sockets.add(client)
            if self._token is not None and not self._authorised(client):
                client.close()
                return
            server = socket.create_connection(("127.0.0.1", self._target_port))
        except OSError:
            client.close()
            return
        self._sockets.add(server)
        if self._token is not None:
            server.sendall(self._pending)
        threading.Thread(target=self._pump, args=(server, client), daemon=True).start()
        self._pump(client, server)

    def _authorised(self, client: socket.socket) -> bool:
        """Answer 401 until a request brings the right token; that request goes on to the server."""
        while True:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                part = client.recv(4096)
                if not part:
                    return False
                request += part
            if f"Authorization: Basic {self._token}".encode() in request:
                self._pending = request
                return True
            number = re.search(rb"CSeq: (\d+)", request)
            client.sendall(
                b"RTSP/1.0 401 Unauthorized\r\nCSeq: "
                + (number.group(1) if number else b"1")
                + b'\r\nWWW-Authenticate: Basic realm="camera"\r\n\r\n'
            )

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                while self._silent.is_set():
                    time.sleep(0.02)
                    if source.fileno() < 0:
                        return
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
                self._sockets.discard(end)


class SilentServer:
    """Accepts connections and never says anything."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._kept: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self._kept.append(self._listener.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        """End everything."""
        self._listener.close()
        for connection in self._kept:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class UdpCamera(SocketServer):
    """A small RTSP server that sends one H.264 file by RTP over UDP, over and over."""

    def __init__(self, video: Path) -> None:
        self._video = video
        super().__init__()
        self.url = f"rtsp://127.0.0.1:{self.port}/stream"

    def _sdp(self) -> bytes:
        with av.open(str(self._video)) as container:
            context = container.streams.video[0].codec_context
            header = context.extradata or b""
        # avcC: one sequence and one picture parameter set.
        length = int.from_bytes(header[6:8])
        sequence = header[8 : 8 + length]
        at = 8 + length + 1
        picture = header[at + 2 : at + 2 + int.from_bytes(header[at : at + 2])]
        sets = ",".join(base64.b64encode(unit).decode() for unit in (sequence, picture))
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:track1\r\n"
        ).encode()

    def _serve(self, client: socket.socket, number: int) -> None:
        client_port = 0
        with contextlib.suppress(OSError), client:
            while True:
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    part = client.recv(4096)
                    if not part:
                        return
                    request += part
                text = request.decode()
                cseq = re.search(r"CSeq: (\d+)", text)
                head = f"RTSP/1.0 200 OK\r\nCSeq: {cseq.group(1) if cseq else 1}\r\nSession: 1\r\n"
                body = b""
                if text.startswith("DESCRIBE"):
                    body = self._sdp()
                    head += f"Content-Base: {self.url}/\r\nContent-Type: application/sdp\r\n"
                    head += f"Content-Length: {len(body)}\r\n"
                elif text.startswith("OPTIONS"):
                    head += "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
                elif text.startswith("SETUP"):
                    ports = re.search(r"RTP/AVP(?:/UDP)?;unicast;client_port=(\d+)-(\d+)", text)
                    if ports is None:
                        client.sendall(f"RTSP/1.0 461 Unsupported Transport\r\n{head[17:]}\r\n".encode())
                        continue
                    client_port = int(ports.group(1))
                    head += f"Transport: RTP/AVP/UDP;unicast;client_port={ports.group(1)}-{ports.group(2)}"
                    head += f";server_port={free_port()}-{free_port()}\r\n"
                client.sendall(f"{head}\r\n".encode() + body)
                if text.startswith("PLAY"):
                    threading.Thread(target=self._send, args=(client_port,), daemon=True).start()

    def _send(self, port: int) -> None:
        with contextlib.suppress(OSError), av.open(f"rtp://127.0.0.1:{port}", "w", format="rtp") as out:
            stream = None
            offset = 0
            while not self._stopping.is_set():
                with av.open(str(self._video)) as source:
                    video = source.streams.video[0]
                    stream = stream or out.add_stream_from_template(video, opaque=True)
                    step = round(1 / video.average_rate / video.time_base)
                    for packet in source.demux(video):
                        if packet.size == 0:
                            continue
                        packet.stream = stream
                        packet.pts = packet.dts = offset
                        offset += step
                        packet.time_base = video.time_base
                        out.mux(packet)
                        time.sleep(float(Fraction(1) / video.average_rate))
                        if self._stopping.is_set():
                            return


def until(condition: Callable[[], bool], timeout_s: float = 15.0) -> bool:
    """Wait for `condition()` to hold; whether it did in time."""
    ends = time.monotonic() + timeout_s
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.02)
    return False
