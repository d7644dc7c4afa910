"""What is a network camera trusted with, beyond being asked for pictures at its own address?"""

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from tynysh.site.fields import Strict, one_line

_HOST = re.compile(r"^(?!-)[A-Za-z0-9_.-]{1,253}$")


def _fingerprint(text: str) -> str:
    plain = text.replace(":", "").replace(" ", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise PydanticCustomError("fingerprint", "is not a SHA-256 fingerprint: 64 hexadecimal digits")
    return plain


def _host(text: str) -> str:
    """A host's name, address or network, as addresses write it."""
    try:
        return (
            str(ipaddress.ip_network(text, strict=False)) if "/" in text else str(ipaddress.ip_address(text))
        )
    except ValueError:
        if not _HOST.match(text) or "/" in text:
            raise PydanticCustomError(
                "host", "is neither a host name, nor an address, nor a network as 10.0.0.0/24"
            ) from None
        return text.lower()


class Trust(Strict):
    """What a network camera is trusted with, beyond being asked for pictures at its own address."""

    basic_in_clear: bool = Field(
        default=False,
        title="Basic in clear",
        description="Whether it may get the password in clear (Basic without TLS), for all on the way to read, where "
        "it knows no Digest.",
    )
    fingerprint: Annotated[str, AfterValidator(_fingerprint)] | None = Field(
        default=None,
        title="Fingerprint",
        description="SHA-256 of its certificate, for `rtsps://` and `https://`; no other certificate is taken then.",
    )
    authority: (
        Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(one_line)] | None
    ) = Field(
        default=None,
        title="Authority",
        description="File of the certificates (PEM) of those who vouch for it, relative to the site file; the "
        "system's if left out.",
    )
    hosts: Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], Field(max_length=100)] = Field(
        default=(),
        title="Hosts",
        description="Where its redirects and playlists may lead beside its own host: names, addresses, networks as "
        "`10.0.0.0/24`. They never get its password.",
    )
