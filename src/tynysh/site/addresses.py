"""What is wrong with the address of a stream, or a path, that somebody wrote into a site file?"""

import re
from ipaddress import AddressValueError, IPv4Address
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from tynysh.media.video_files import VIDEO_SUFFIXES

NETWORK_SCHEMES = ("rtsp", "rtsps", "http", "https")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_UNFILLED = re.compile(r"\$\{|\$\(|\{\{|^\$[A-Za-z_]\w*$|\$[A-Z_][A-Z0-9_]*\b|^~?[^/]*%[A-Za-z_]{3,}%")
_PORT = re.compile(r":\d+$")
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_WRITE = "write rtsp://HOST:PORT/PATH, or the path of a file with ./ before it"


def unfilled(text: str) -> str | None:
    """What is wrong with a text that waits for a variable's value, as shells and templates fill it in."""
    if _UNFILLED.search(text):
        return (
            "holds a variable as `${NAME}`, which is not filled in; write what it stands for, and secrets under "
            "`credentials` as `{env: NAME}`"
        )
    return None


def mistake(text: str) -> str | None:
    """What is wrong with the address or path of a stream; None where nothing can be seen without opening it.

    Nothing of `text` is repeated: it may hold a password.

    >>> mistake("rtsp://10.0.0.1:554/main"), mistake("films/gate.mp4"), mistake("10.0.0.1:554/main")[:25]
    (None, None, 'has no scheme; write rtsp')
    """
    waiting = unfilled(text)
    if waiting is not None:
        return waiting
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _of_path(text)
    rest = text[scheme.end() :]
    if re.match(r"\d+(/|$)", rest) or (not rest.startswith("//") and "@" in rest):
        return f"has no scheme; {_WRITE}"
    kind = scheme[1].lower()
    if kind == "file":
        host = urlsplit(text).netloc
        return None if host in {"", "localhost"} else "names a host before the path; write file:///PATH"
    return _of_url(text) if kind in NETWORK_SCHEMES else None


def _of_path(text: str) -> str | None:
    if "://" in text:
        return "has something before its scheme; it must begin with it, as rtsp://"
    first, slash, _ = text.partition("/")
    if text.startswith("//") or (
        first.rstrip(":;.,").lower() in NETWORK_SCHEMES and text[len(first) :].startswith("//")
    ):
        return f"has no scheme, or no colon after it; {_WRITE}"
    if first in {"", ".", "..", "~"} or PurePosixPath(text).suffix.lower() in VIDEO_SUFFIXES:
        return None
    if "@" in first or first.startswith("[") or _PORT.search(first) or _is_address(first):
        return f"has no scheme; {_WRITE}"
    # A folder may have a dot in its name, too, but seldom one with something below it that is no video.
    if first.lower() == "localhost" or (slash and "." in first.strip(".")):
        return f"has no scheme; {_WRITE}"
    return None


def _of_url(text: str) -> str | None:
    if re.search(r"\s", text):
        return "holds a space; write it as %20"
    if "\\" in text:
        return "holds a backslash; write /"
    parts = urlsplit(text)
    if (
        re.match(r"/+[A-Za-z0-9.-]+:?/|/*[a-z]+://", parts.path)
        and parts.netloc.rstrip(":").lower() in NETWORK_SCHEMES
    ):
        return "has two schemes"
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        given = re.search(r":(\d+)$", parts.netloc)
        return "has a port that there is not; they go from 1 to 65535" if given else None
    if port == 0:
        return "has a port that there is not; they go from 1 to 65535"
    if host is None or ":" in host:
        return None
    if re.fullmatch(r"[\d.]+", host):
        return None if _is_address(host) else "has no IPv4 address for a host: four numbers from 0 to 255"
    if not all(map(_HOST.fullmatch, host.removesuffix(".").split("."))):
        return "has a host name with characters that names cannot have"
    return None


def _is_address(host: str) -> bool:
    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True
