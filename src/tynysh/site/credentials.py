"""What are the name and the password of a camera?"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tynysh.errors import SiteError
from tynysh.site.schema import Credentials, Reference

_LARGEST_BYTES = 4096


class Account(NamedTuple):
    """Name and password themselves: for the connection only, never for a log, a message or the database."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Account(***)"


def resolved(credentials: Credentials, environment: Mapping[str, str] = os.environ) -> Account:
    """The name and password that `credentials` refer to; raises SiteError where one of them is not to be found."""
    name = credentials.username
    user = name if isinstance(name, str) else secret(name, environment)
    return Account(user, secret(credentials.password, environment))


def secret(reference: Reference, environment: Mapping[str, str] = os.environ) -> str:
    """What `reference` refers to, without the line break at the end of a file.

    Raises SiteError where it is missing or empty; the message holds nothing of what was found.
    """
    if reference.env is not None:
        value = environment.get(reference.env, "")
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
        value = content.decode().strip("\r\n")
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
