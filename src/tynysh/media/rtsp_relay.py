"""How does FFmpeg read an RTSP camera that is not trusted with its password, our network or our memory?

FFmpeg would follow a redirect to any host with the password in clear, knows no SHA-256, checks no certificate and
takes any `Content-Length` for granted. So it is given an address of this machine, and what it says and hears goes
through here: requests get the camera's own address and the answer to its challenge, answers are bounded and redirects
looked at. Packets pass as they are. Over UDP, packets go their own way; their source is the camera, whatever it says.
"""

import contextlib
import re
import secrets
import selectors
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread
from urllib.parse import urlsplit, urlunsplit

from tynysh.media.camera_line import LARGEST_UNCLAIMED, connected, own_credentials, port_of, too_much
from tynysh.media.ffmpeg_errors import explained
from tynysh.media.sign_in import SignIn
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceSpec, Timeouts

_LARGEST_HEAD = 16 * 2**10
_LARGEST_BODY = 256 * 2**10
_REDIRECTS = 3
_WAITING_ANSWERS = 32
_FRAME = b"$"[0]
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_MESSAGE = re.compile(rb"[A-Z_]{3,20}[ /]")
_BEGINNING = re.compile(rb"\$|RTSP/1")
_LEAST_HEAD = 24
_LENGTH = re.compile(rb"^Content-Length:[ \t]*(\d{0,12})", re.IGNORECASE | re.MULTILINE)
_SEQUENCE = re.compile(rb"^(CSeq:\s*)(\d{1,9})", re.IGNORECASE | re.MULTILINE)
_CHALLENGES = re.compile(r"^WWW-Authenticate:\s*(.*?)\s*$", re.IGNORECASE | re.MULTILINE)
_LOCATION = re.compile(r"^Location:\s*(.*?)\s*$", re.IGNORECASE | re.MULTILINE)
_TRANSPORT = re.compile(rb"^(Transport:\s*RTP/AVP(?:/UDP)?;.*?)\r?$", re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True)
class _Request:
    """One request: as FFmpeg numbered it, and how often the camera was asked."""

    method: str
    uri: str
    rest: bytes
    sequence: bytes
    tried: int = 0


class TooMuchError(Exception):
    """A message is larger than any camera's."""


class RtspWire:
    """Cuts one direction of an RTSP connection into messages and runs of interleaved packets (RFC 2326, 10.12)."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What is complete with `data`: a message with its body, or packets; what is neither is left out.

        Raises TooMuchError for a message beyond all measure.
        """
        self._buffer += data
        while self._buffer:
            if self._buffer[0] in b"\r\n":
                del self._buffer[0]
                continue
            length = self._packets() if self._buffer[0] == _FRAME else self._message()
            if not length:
                return
            piece = bytes(self._buffer[:length])
            del self._buffer[:length]
            yield piece

    def _packets(self) -> int:
        """The length of the whole packets that come next."""
        end, buffer = 0, self._buffer
        while len(buffer) >= end + 4 and buffer[end] == _FRAME:
            after = end + 4 + int.from_bytes(buffer[end + 2 : end + 4])
            if after > len(buffer):
                break
            end = after
        return end

    def _message(self) -> int:
        """The length of the message that comes next; 0 while it is not whole."""
        buffer = self._buffer
        if len(buffer) >= _LEAST_HEAD and not _MESSAGE.match(buffer):
            found = _BEGINNING.search(buffer, 1)
            del buffer[: found.start() if found else len(buffer)]
            return self._packets() if buffer[:1] == b"$" else self._message()
        head = _BLANK_LINE.search(buffer, 0, _LARGEST_HEAD)
        if head is None:
            if len(buffer) >= _LARGEST_HEAD:
                raise TooMuchError
            return 0
        lengths = [int(digits or -1) for digits in _LENGTH.findall(buffer, 0, head.end())]
        body = max(lengths, default=0)
        if body > _LARGEST_BODY or min(lengths, default=0) < 0:
            raise TooMuchError
        return head.end() + body if len(buffer) >= head.end() + body else 0


class RtspRelay:
    """One connection between FFmpeg and the camera of `spec`; ends with either side.

    url: for FFmpeg; whoever does not know it gets nothing. fault: why the relay ended it, where it did.
    unclaimed: bytes since FFmpeg last made a packet of them; who takes packets sets it to 0.

    Connects at once: raises SourceError, and OSError where the camera cannot be reached.
    """

    def __init__(self, spec: SourceSpec, timeouts: Timeouts) -> None:
        self.fault: SourceError | None = None
        self.unclaimed = 0
        self._spec = spec
        self._timeouts = timeouts
        self._sequence = 0
        self._redirects = 0
        self._waiting: dict[int, _Request] = {}
        self._turn_to(spec.filled(spec.address))
        self._token = secrets.token_urlsafe(16)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(timeouts.open_s)
        self.url = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/{self._token}"
        Thread(target=self._run, name=f"relay {spec.redacted}", daemon=True).start()

    def _turn_to(self, address: str) -> None:
        parts = urlsplit(address)
        self._camera = connected(self._spec, address, self._timeouts.open_s)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self._base = urlunsplit((parts.scheme, f"{host}:{port_of(address)}", parts.path, parts.query, ""))
        encrypted = isinstance(self._camera, ssl.SSLSocket)
        self._sign_in = SignIn(
            self._spec,
            own_credentials(self._spec, address),
            clear=encrypted or self._spec.trust.basic_in_clear,
        )

    def _run(self) -> None:
        try:
            with self._listener:
                player, first = self._claimed()
            with player:
                # Known before FFmpeg finds the end of the stream.
                self.fault = self._ended(player, first)
        except OSError:
            # Nobody came.
            return
        finally:
            self._camera.close()

    def _ended(self, player: socket.socket, first: bytes) -> SourceError | None:
        """Pass on what is said until either side goes; why we ended it, if we did."""
        try:
            self._pass_on(player, first)
        except SourceError as error:
            return error
        except TooMuchError:
            return too_much(self._spec)
        except TimeoutError as error:
            return explained(self._spec, error, self._timeouts, reading=True)
        except (OSError, ValueError):
            return None
        return None

    def _claimed(self) -> tuple[socket.socket, bytes]:
        """The connection of the one who knows the address, and its first request."""
        while True:
            player, _ = self._listener.accept()
            player.settimeout(self._timeouts.open_s)
            with contextlib.suppress(OSError):
                first = player.recv(65536)
                if self._token.encode() in first:
                    player.settimeout(None)
                    return player, first
            player.close()

    def _pass_on(self, player: socket.socket, first: bytes) -> None:
        up, down = RtspWire(), RtspWire()
        self._ask(up, first)
        with selectors.DefaultSelector() as selector:
            selector.register(player, selectors.EVENT_READ)
            watched = self._camera
            selector.register(watched, selectors.EVENT_READ)
            while True:
                if watched is not self._camera:
                    # It was closed when we were led elsewhere; what it had begun to say is void.
                    selector.unregister(watched)
                    watched, down = self._camera, RtspWire()
                    selector.register(watched, selectors.EVENT_READ)
                for key, _ in selector.select():
                    if key.fileobj is player:
                        if not (data := player.recv(65536)):
                            return
                        self._ask(up, data)
                    elif not self._hear(down, player):
                        return

    def _hear(self, down: RtspWire, player: socket.socket) -> bool:
        """Pass on what the camera has said; whether it may go on."""
        camera = self._camera
        while True:
            if not (data := camera.recv(65536)):
                return False
            self.unclaimed += len(data)
            if self.unclaimed > LARGEST_UNCLAIMED:
                raise TooMuchError
            for piece in down.pieces(data):
                heard = piece if piece[0] == _FRAME else self._answered(piece)
                if heard:
                    player.sendall(heard)
                if camera is not self._camera:
                    return True
            # Decrypted bytes that wait are seen by no selector.
            if not (isinstance(camera, ssl.SSLSocket) and camera.pending()):
                return True

    def _ask(self, up: RtspWire, data: bytes) -> None:
        for piece in up.pieces(data):
            line, _, rest = piece.partition(b"\r\n")
            words = line.split(b" ")
            sequence = _SEQUENCE.search(piece)
            if piece[0] == _FRAME or line.startswith(b"RTSP/") or len(words) != 3 or sequence is None:
                self._camera.sendall(piece)
                continue
            uri = words[1].decode().replace(self.url, self._base)
            self._send(_Request(words[0].decode(), uri, rest, sequence[2]))

    def _send(self, request: _Request) -> None:
        request.tried += 1
        self._sequence += 1
        self._waiting[self._sequence] = request
        if len(self._waiting) > _WAITING_ANSWERS:
            del self._waiting[next(iter(self._waiting))]
        answer = self._sign_in.header(request.method, request.uri)
        head = f"{request.method} {request.uri} RTSP/1.0\r\n"
        if answer is not None:
            head += f"Authorization: {answer}\r\n"
        rest = _SEQUENCE.sub(rf"\g<1>{self._sequence}".encode(), request.rest, count=1)
        self._camera.sendall(head.encode() + rest)

    def _answered(self, message: bytes) -> bytes:
        """What FFmpeg hears of a message of the camera; nothing, where the request is sent anew."""
        message = _plain(message)
        sequence = _SEQUENCE.search(message)
        if sequence is None or not message.startswith(b"RTSP/"):
            return message
        request = self._waiting.pop(int(sequence[2]), None)
        if request is None:
            return message
        status = message.partition(b" ")[2][:3]
        text = message[:_LARGEST_HEAD].decode("latin-1")
        if status == b"401":
            self._sign_in.challenged(_CHALLENGES.findall(text), request.tried)
            self._send(request)
            return b""
        if status[:1] == b"3" and (led := _LOCATION.search(text)):
            self._redirects += 1
            if self._redirects > _REDIRECTS:
                raise SourceError(
                    SourceFault.REDIRECTED,
                    f"{self._spec.redacted}: the camera leads from address to address without end",
                    hint="Write the last of them as the camera's address.",
                )
            left, before = self._base, self._camera
            self._turn_to(led[1])
            before.close()
            self._send(
                _Request(
                    request.method, request.uri.replace(left, self._base), request.rest, request.sequence
                )
            )
            return b""
        message = _SEQUENCE.sub(rb"\g<1>" + request.sequence, message, count=1)
        if request.method == "SETUP":
            source = str(self._camera.getpeername()[0])
            message = _TRANSPORT.sub(lambda found: _from(found[1].decode("latin-1"), source), message)
        return message


def _plain(message: bytes) -> bytes:
    """`message` in one way of writing it: readers differ about stray line ends and about two lengths."""
    head, body = message[: (end := _end_of_head(message))], message[end:]
    lines = [line for line in head.replace(b"\r", b"").split(b"\n") if line]
    kept = [line for line in lines if not line.lower().startswith(b"content-length:")]
    if body:
        kept.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(kept) + b"\r\n\r\n" + body


def _end_of_head(message: bytes) -> int:
    found = _BLANK_LINE.search(message)
    return found.end() if found else len(message)


def _from(transport: str, source: str) -> bytes:
    """The transport that an answer names, with packets from `source` and nobody else."""
    parts = [
        part for part in transport.split(";") if not part.lower().startswith(("source=", "destination="))
    ]
    return ";".join([*parts, f"source={source}"]).encode("latin-1")
