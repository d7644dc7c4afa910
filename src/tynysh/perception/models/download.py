"""Bytes over HTTP, whole or in part, taken up again where a connection broke off."""

import io
import re
import ssl
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx

from tynysh.perception.models.pip_settings import PipSettings

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and the bytes in all (None: not known)."""

_CHUNK = 1 << 18
_ATTEMPTS = 4
_CONNECT_S = 10.0
_LOCAL_HEADER = struct.Struct("<4s22xHH")


class DownloadError(Exception):
    """Why something could not be downloaded, in words for a user."""


def without_secrets(url: str) -> str:
    """`url` without user, password, query and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def http_client(settings: PipSettings, host: str) -> httpx.Client:
    """A client that reaches `host` the way that pip would."""
    verify: ssl.SSLContext | bool
    if host in {trusted.partition(":")[0] for trusted in settings.trusted}:
        verify = False
    else:
        try:
            if settings.certificates is None:
                verify = httpx.create_ssl_context()
            else:
                verify = ssl.create_default_context(cafile=settings.certificates)
            if settings.client_certificate:
                verify.load_cert_chain(settings.client_certificate)
        except OSError as error:
            raise DownloadError(f"pip's certificate file cannot be read: {error}") from error
    return httpx.Client(
        verify=verify,
        proxy=settings.proxy,
        timeout=httpx.Timeout(settings.timeout_s, connect=min(_CONNECT_S, settings.timeout_s)),
        follow_redirects=True,
        headers={"User-Agent": "tynysh"},
    )


@contextmanager
def explained() -> Iterator[None]:
    """Turns what httpx raises into a DownloadError that a user understands."""
    try:
        yield
    except httpx.HTTPStatusError as error:
        raise DownloadError(
            f"the server answered {error.response.status_code} {error.response.reason_phrase}".rstrip()
        ) from error
    except httpx.TimeoutException as error:
        raise DownloadError("no answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadError(_reason(error)) from error


def _reason(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return f"its certificate is not trusted ({text.rpartition(': ')[2].strip('()')})"
    return re.sub(r"^\[Errno -?\d+\] ", "", text)


def fetch(
    client: httpx.Client,
    url: str,
    part: Path,
    *,
    start: int = 0,
    length: int | None = None,
    progress: Progress,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Bring the bytes of `url` from `start` on, `length` of them or all, into the file `part`.

    What `part` already holds is kept and the rest fetched, as often as the connection breaks and the server
    can continue; given up after four attempts in a row that brought nothing. A server that cannot continue
    starts over. Raises DownloadError.
    """
    failures = 0
    while True:
        have = part.stat().st_size if part.exists() else 0
        if length is not None and have >= length:
            return
        try:
            with explained():
                _fetch_once(client, url, part, start, length, progress)
        except DownloadError as error:
            refused = isinstance(error.__cause__, httpx.HTTPStatusError)
            failures = 0 if part.exists() and part.stat().st_size > have else failures + 1
            if refused or failures >= _ATTEMPTS:
                raise
            wait(min(0.2 * 2**failures, 3.0))
        else:
            return


def _fetch_once(
    client: httpx.Client, url: str, part: Path, start: int, length: int | None, progress: Progress
) -> None:
    have = part.stat().st_size if part.exists() else 0
    first = start + have
    last = "" if length is None else str(start + length - 1)
    # Compressed transfer would make positions in the stream differ from positions in the file.
    headers = {"Accept-Encoding": "identity"}
    if first or last:
        headers["Range"] = f"bytes={first}-{last}"
    with client.stream("GET", url, headers=headers) as response:
        if have and response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it was here already
        response.raise_for_status()
        skip = 0
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            skip, have = start, 0
        announced = response.headers.get("Content-Length")
        total = length if length is not None else (have + int(announced) if announced else None)
        with part.open("ab" if have else "wb") as file:
            for (
                received
            ) in response.iter_raw():  # as it comes: what waits for more is lost with the connection
                chunk = received
                if skip:
                    chunk, skip = chunk[skip:], max(0, skip - len(chunk))
                if length is not None:
                    chunk = chunk[: length - have]
                file.write(chunk)
                have += len(chunk)
                progress(have, total)
                if have == length:
                    return
        if length is not None and have < length:
            raise httpx.RemoteProtocolError("the server sent less than it has")


@dataclass(frozen=True, slots=True)
class Packed:
    """A member of a ZIP archive on a server.

    start, length: where its packed bytes are; stored: whether they are packed at all.
    """

    start: int
    length: int
    stored: bool


def locate_member(client: httpx.Client, url: str, member: str) -> Packed | None:
    """Where `member` (how its path ends) is in the archive at `url`.

    Read from the archive's directory, some kilobytes, without fetching the archive. None if the server does
    not serve parts of files. Raises DownloadError, also if there is no such member.
    """
    with explained():
        with client.stream("GET", url, headers=_range(0, 0)) as response:
            if response.status_code == httpx.codes.OK:
                return None
            response.raise_for_status()
            total = response.headers.get("Content-Range", "").rpartition("/")[2]
        if not total.isdigit():
            return None
        remote = _RemoteFile(client, url, int(total))
        try:
            with zipfile.ZipFile(remote) as archive:
                info = find_member(archive, member)
        except zipfile.BadZipFile as error:
            raise DownloadError("what the server sent is not a ZIP archive") from error
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            return None
        remote.seek(info.header_offset)
        _, name_length, extra_length = _LOCAL_HEADER.unpack(remote.read(_LOCAL_HEADER.size))
        start = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        return Packed(start, info.compress_size, info.compress_type == zipfile.ZIP_STORED)


def find_member(archive: zipfile.ZipFile, member: str) -> zipfile.ZipInfo:
    """The entry of `archive` whose path is `member` or ends in it; raises DownloadError if there is none."""
    for info in archive.infolist():
        if info.filename == member or info.filename.endswith(f"/{member}"):
            return info
    raise DownloadError(f"there is no {member} in the archive")


def unpack(part: Path, packed: Packed, target: Path) -> None:
    """Unpack the packed bytes in `part` into `target`; raises DownloadError if they are damaged."""
    unpacker = None if packed.stored else zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        with part.open("rb") as source, target.open("wb") as file:
            while chunk := source.read(_CHUNK):
                file.write(unpacker.decompress(chunk) if unpacker else chunk)
            if unpacker:
                file.write(unpacker.flush())
    except zlib.error as error:
        raise DownloadError("what the server sent is damaged") from error


def _range(first: int, last: int) -> dict[str, str]:
    return {"Range": f"bytes={first}-{last}", "Accept-Encoding": "identity"}


class _RemoteFile(io.RawIOBase):
    """A file on a server that is read in parts."""

    def __init__(self, client: httpx.Client, url: str, size: int) -> None:
        self._client = client
        self._url = url
        self._size = size
        self._position = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        last = self._size - 1 if size < 0 else min(self._position + size, self._size) - 1
        if last < self._position:
            return b""
        response = self._client.get(self._url, headers=_range(self._position, last))
        response.raise_for_status()
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            raise httpx.RemoteProtocolError("the server stopped serving parts of the file")
        self._position += len(response.content)
        return response.content
