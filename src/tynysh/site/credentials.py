"""What are the name and the password of a camera, and where in a site is it said where to find them?"""

import codecs
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BeforeValidator, Discriminator, Field, StringConstraints, Tag, model_validator
from pydantic_core import PydanticCustomError

from tynysh.errors import SiteError
from tynysh.site.fields import PlainName, Strict

_LARGEST_BYTES = 4096
_MARK = "\ufeff"
# Latin, Greek and Cyrillic: what two bytes of anything else would come to is nobody's password.
_LAST_EUROPEAN = 0x052F


class Reference(Strict):
    """Where a secret is found: `env` or `file`, one of them. The secret itself never stands in a site."""

    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = Field(
        default=None,
        title="Environment variable",
        description="Name of the environment variable that holds it.",
    )
    file: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = Field(
        default=None,
        title="File",
        description="Path of a file that holds nothing else; relative to the site file.",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise PydanticCustomError("reference", "needs either `env` or `file`")
        return self

    def __str__(self) -> str:
        return f"from environment variable {self.env}" if self.env else f"from file {self.file}"


def _referenced(value: Any) -> Any:
    if isinstance(value, Mapping | Reference):
        return value
    # Without the value: it may well be a password.
    raise PydanticCustomError(
        "secret_written",
        "must not be written here; name where to find it: `{env: VARIABLE}` or `{file: PATH}`",
    )


Secret = Annotated[Reference, BeforeValidator(_referenced)]

AccountName = Annotated[
    Annotated[PlainName, Tag("plain")] | Annotated[Reference, Tag("reference")],
    Discriminator(lambda value: "plain" if isinstance(value, str) else "reference"),
]


class CredentialSource(Strict):
    """The name and password that a camera asks for."""

    username: AccountName | None = Field(
        default=None,
        title="User name",
        description="The name itself, or where to find it: `{env: VARIABLE}`, `{file: PATH}`; left out where an "
        "address takes a token alone, as in `?token={password}`.",
    )
    password: Secret = Field(
        title="Password", description="Where to find the password: `{env: VARIABLE}` or `{file: PATH}`."
    )


class Account(NamedTuple):
    """Name and password themselves: for the connection only, never for a log, a message or the database."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Account(***)"


def resolved(credentials: CredentialSource, environment: Mapping[str, str] = os.environ) -> Account:
    """The name and password that `credentials` refer to; raises SiteError where one of them is not to be found."""
    name = credentials.username
    user = secret(name, environment) if isinstance(name, Reference) else name or ""
    return Account(user, secret(credentials.password, environment))


PRIVATE = 0o027
"""What a secret must not permit: a group may be there to read it, and nobody else has any use for it."""
COMMON = 0o002
"""What a file that is no secret must not permit."""


def exposed(path: Path, forbidden: int = PRIVATE) -> str | None:
    """What others than its owner may do with `path` though they must not: a sentence; None if nothing."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if not mode & forbidden:
        return None
    what = "change" if mode & forbidden & 0o022 else "read"
    remedy = "go-rwx" if forbidden == PRIVATE else "o-w"
    return f"Others than its owner may {what} {path} (mode {mode & 0o777:04o}): run `chmod {remedy} {path}`."


def secret(reference: Reference, environment: Mapping[str, str] = os.environ) -> str:
    """What `reference` refers to, without the line break at its end and the byte order mark of Windows' editors.

    Raises SiteError where it is missing or empty; the message holds nothing of what was found.
    """
    if reference.env is not None:
        value = environment.get(reference.env, "").removeprefix(_MARK).rstrip("\r\n")
        if not value:
            raise SiteError(
                f"The environment variable {reference.env} is not set.",
                hint="Set it before starting Tynysh, or name another place under `credentials` in the site file.",
            )
        return value
    path = Path(reference.file or "")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
        value = _decoded(content).removeprefix(_MARK).strip("\r\n")
    except OSError as error:
        raise SiteError(
            f"The secrets file {path} cannot be read: {(error.strerror or 'error').lower()}.",
            hint="Is the path right, and may the user who runs Tynysh read it?",
        ) from None
    except UnicodeDecodeError:
        raise SiteError(
            f"The secrets file {path} does not hold text.", hint="It must hold the secret alone."
        ) from None
    if not value or len(content) > _LARGEST_BYTES or "\n" in value:
        raise SiteError(
            f"The secrets file {path} does not hold one line of text.",
            hint="It must hold the secret, nothing else.",
        )
    return value


def _decoded(content: bytes) -> str:
    """Text in UTF-8, or in UTF-16 as Windows' editors write it; raises UnicodeDecodeError for anything else."""
    if not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode()
    text = content.decode("utf-16")
    if any(ord(character) > _LAST_EUROPEAN for character in text):
        raise UnicodeDecodeError("utf-16", content, 0, len(content), "is not of any European script")
    return text
