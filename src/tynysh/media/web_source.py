"""How does FFmpeg read a camera over HTTP without being led elsewhere, into our network or out of memory?

FFmpeg asks for every address through `WebSource.open`: the camera's own, the playlists and the segments. So each is
looked at, and none is fetched by FFmpeg itself.
"""

import http.client
from collections.abc import Mapping
from io import BytesIO
from urllib.parse import urljoin, urlsplit, urlunsplit

from tynysh.media.camera_line import LARGEST_UNCLAIMED, connected, own_credentials, port_of, too_much
from tynysh.media.ffmpeg_errors import explained
from tynysh.media.sign_in import SignIn
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceSpec, Timeouts

_ANSWERS = 8
_LARGEST_PLAYLIST = 2**20
_PLAYLIST = b"#EXTM3U"
_SEEK_SET, _SEEK_CUR, _SEEK_END, _SEEK_SIZE = 0, 1, 2, 0x10000


class WebSource:
    """What a camera at an HTTP address is asked for, and what may come of it.

    address: of the camera's own answer, after redirects. format: FFmpeg's name of what it says that it sends; None
    where its content must tell. fault: why something was refused, where it was; FFmpeg passes over what it cannot
    open. unclaimed: bytes since FFmpeg last made a packet of them; who takes packets sets it to 0.

    Asks at once: raises SourceError, and OSError where the camera cannot be reached.
    """

    def __init__(self, spec: SourceSpec, timeouts: Timeouts) -> None:
        self.fault: SourceError | None = None
        self.unclaimed = 0
        self._spec = spec
        self._timeouts = timeouts
        self._sign_ins: dict[str, SignIn] = {}
        self._main = WebFile(self, spec.address)
        self._given = False
        self.address = self._main.address
        kind = self._main.kind
        self.format = "mpjpeg" if kind.startswith("multipart/") else "hls" if "mpegurl" in kind else None
        if kind.startswith("image/") or kind == "text/html":
            self.close()
            raise _web_page(spec) if kind == "text/html" else single_picture(spec)

    def open(self, address: str, _flags: int, _options: Mapping[str, str]) -> "WebFile | BytesIO":
        """What is at `address`, for FFmpeg; nothing, where it may not be asked for or is not there."""
        if not self._given:
            self._given = True
            return self._main
        try:
            if self.fault is None:
                return WebFile(self, address)
        except SourceError as error:
            # A segment that is gone is nothing special; to be led astray is.
            if error.fault not in {SourceFault.WRONG_PATH, SourceFault.BROKEN}:
                self.fault = error
        except OSError:
            pass
        return BytesIO()

    def close(self) -> None:
        """Let go of the camera's own answer, which FFmpeg leaves to us."""
        self._main.close()

    def ask(self, address: str, begin: int = 0) -> tuple[http.client.HTTPResponse, str]:
        """The answer to a request of what is at `address` from byte `begin` on, and where it was given in the end."""
        refused = 0
        for _ in range(_ANSWERS):
            answer = self._answer(address, begin)
            if answer.status in {http.client.OK, http.client.PARTIAL_CONTENT}:
                return answer, address
            answer.close()
            match answer.status:
                case 401:
                    refused += 1
                    offers = answer.headers.get_all("WWW-Authenticate", [])
                    self._sign_in(address).challenged(offers, refused)
                case 301 | 302 | 303 | 307 | 308:
                    refused = 0
                    address = urljoin(address, answer.headers.get("Location", ""))
                case status:
                    raise _refusal(self._spec, status)
        raise SourceError(
            SourceFault.REDIRECTED,
            f"{self._spec.redacted}: the camera leads from address to address without end",
            hint="Write the last of them as the camera's address.",
        )

    def _answer(self, address: str, begin: int) -> http.client.HTTPResponse:
        line = connected(self._spec, address, self._timeouts.open_s)
        try:
            line.settimeout(self._timeouts.read_s)
            parts = urlsplit(self._spec.filled(address) if self._own(address) else address)
            target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
            connection = http.client.HTTPConnection(parts.hostname or "", port_of(address))
            connection.sock = line
            connection.putrequest("GET", target, skip_accept_encoding=True)
            connection.putheader("User-Agent", "tynysh")
            connection.putheader("Accept", "*/*")
            connection.putheader("Connection", "close")
            if begin:
                connection.putheader("Range", f"bytes={begin}-")
            authorization = self._sign_in(address).header("GET", target)
            if authorization is not None:
                connection.putheader("Authorization", authorization)
            connection.endheaders()
            answer = connection.getresponse()
        except (http.client.HTTPException, UnicodeError):
            line.close()
            raise SourceError(
                SourceFault.BROKEN,
                f"{self._spec.redacted}: does not speak HTTP as it is meant to be",
                hint="Is it the port of the camera's web server?",
            ) from None
        except BaseException:
            line.close()
            raise
        # The answer's own file keeps the line open.
        line.close()
        return answer

    def _own(self, address: str) -> bool:
        return urlsplit(address).hostname == urlsplit(self._spec.address).hostname

    def _sign_in(self, address: str) -> SignIn:
        parts = urlsplit(address)
        place = f"{parts.scheme}://{parts.netloc}"
        if place not in self._sign_ins:
            clear = parts.scheme == "https" or self._spec.trust.basic_in_clear
            self._sign_ins[place] = SignIn(self._spec, own_credentials(self._spec, address), clear=clear)
        return self._sign_ins[place]

    def fits(self, data: bytes, so_far: int, *, playlist: bool) -> bool:
        """Take in what was read; whether it is no more than a camera can mean."""
        self.unclaimed += len(data)
        if self.unclaimed > LARGEST_UNCLAIMED or (playlist and so_far > _LARGEST_PLAYLIST):
            self.fault = too_much(self._spec)
        return self.fault is None

    def stalled(self) -> None:
        """Nothing came for too long."""
        self.fault = explained(self._spec, TimeoutError(), self._timeouts, reading=True)


class WebFile:
    """One answer as a file to read from, and to seek in where its size is known: see `io.RawIOBase`.

    address: where it was given in the end. kind: its media type. Raises nothing but at the beginning: what PyAV is
    told by an exception, FFmpeg may pass over.
    """

    def __init__(self, source: WebSource, address: str) -> None:
        self._source = source
        self._answer, self.address = source.ask(address)
        self._at = 0
        self._playlist: bool | None = None
        self.kind = self._answer.headers.get_content_type()
        self._size = self._answer.length

    def read(self, size: int) -> bytes:
        """The next bytes, at least one; none at the end."""
        try:
            data = self._answer.read1(size if self._size is None else min(size, self._size - self._at))
        except TimeoutError:
            self._source.stalled()
            return b""
        except (OSError, ValueError, http.client.HTTPException):
            return b""
        if self._playlist is None:
            self._playlist = data.lstrip().startswith(_PLAYLIST)
        self._at += len(data)
        return data if self._source.fits(data, self._at, playlist=self._playlist) else b""

    def seekable(self) -> bool:
        """Whether it has an end that is known."""
        return self._size is not None

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = _SEEK_SET) -> int:
        """Go elsewhere, by asking for the rest anew; -1 where that cannot be had."""
        size = self._size or 0
        if whence == _SEEK_SIZE:
            return size
        to = offset + {_SEEK_SET: 0, _SEEK_CUR: self._at, _SEEK_END: size}[whence]
        if to == self._at:
            return to
        self._answer.close()
        try:
            self._answer, self.address = self._source.ask(self.address, to)
        except (SourceError, OSError):
            return -1
        # Who gives the whole is read up to there.
        self._at = to if self._answer.status == http.client.PARTIAL_CONTENT else 0
        while self._at < to and self.read(min(65536, to - self._at)):
            self._source.unclaimed = 0
        return self._at

    def close(self) -> None:
        """End the connection."""
        self._answer.close()


def _refusal(spec: SourceSpec, status: int) -> SourceError:
    if status == http.client.FORBIDDEN:
        return SourceError(
            SourceFault.WRONG_PASSWORD,
            f"{spec.redacted}: the camera does not let this account see it",
            hint="Check the camera's credentials in the site, and what its account may do.",
        )
    if status in {http.client.NOT_FOUND, http.client.GONE}:
        return SourceError(
            SourceFault.WRONG_PATH,
            f"{spec.redacted}: the camera has no stream of that path",
            hint="Look up the stream's path in the camera's manual.",
        )
    return SourceError(
        SourceFault.BROKEN,
        f"{spec.redacted}: answers with HTTP status {status}",
        hint="Check the stream's path; too many viewers, perhaps.",
    )


def single_picture(spec: SourceSpec) -> SourceError:
    """What is told of the address of a snapshot."""
    return SourceError(
        SourceFault.SINGLE_PICTURE,
        f"{spec.redacted} is one picture, not a stream",
        hint="Give the address of the camera's stream: RTSP, or MJPEG over HTTP.",
    )


def _web_page(spec: SourceSpec) -> SourceError:
    return SourceError(
        SourceFault.NOT_VIDEO,
        f"{spec.redacted} is a web page, not a video",
        hint="Look up the stream's path in the camera's manual.",
    )
