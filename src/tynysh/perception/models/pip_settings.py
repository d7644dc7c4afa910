"""Which package index, proxy and certificates this user's pip is set to use."""

import configparser
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PYPI = "https://pypi.org/simple"
_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class PipSettings:
    """The part of pip's configuration that says how to reach packages.

    indexes: addresses of simple indexes, in the order to ask them; may carry a user and password.
    certificates: file of certificate authorities; client_certificate: file with key and certificate.
    proxy: address of the proxy; None for what the environment says.
    trusted: hosts whose certificates are not checked.
    timeout_s: for a server to answer.
    """

    indexes: tuple[str, ...] = (PYPI,)
    certificates: str | None = None
    client_certificate: str | None = None
    proxy: str | None = None
    trusted: tuple[str, ...] = ()
    timeout_s: float = _TIMEOUT_S


def configuration_files(environ: Mapping[str, str]) -> list[Path]:
    """Where pip reads its configuration, weakest first (pip's documentation, "Configuration Files")."""
    home = Path(environ.get("HOME", "~")).expanduser()
    extra = environ.get("PIP_CONFIG_FILE")
    if extra == os.devnull:
        return []
    shared = environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep)
    return [
        *(Path(folder) / "pip" / "pip.conf" for folder in shared if folder),
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf",
        Path(sys.prefix) / "pip.conf",
        *([Path(extra)] if extra else []),
    ]


def read_pip_settings(
    environ: Mapping[str, str] = os.environ, files: Sequence[Path] | None = None
) -> PipSettings:
    """What pip would use: its configuration files, overruled by `PIP_...` variables.

    A file that cannot be read is passed over, as pip's own fallback will say what is wrong with it.
    """
    sections: dict[str, dict[str, str]] = {"global": {}, "download": {}}
    for path in configuration_files(environ) if files is None else files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
        for section, found in sections.items():
            if parser.has_section(section):
                found |= {key.replace("_", "-"): value for key, value in parser.items(section)}
    values: dict[str, str] = sections["global"] | sections["download"]
    for name, value in environ.items():
        if name.startswith("PIP_") and value:
            values[name.removeprefix("PIP_").lower().replace("_", "-")] = value

    indexes: list[str] = []
    if values.get("no-index", "").lower() not in {"1", "true", "yes", "on"}:
        indexes = [values.get("index-url", PYPI), *values.get("extra-index-url", "").split()]
    return PipSettings(
        # Folders (file://) are left to pip itself.
        indexes=tuple(dict.fromkeys(url for url in indexes if url.startswith(("http://", "https://")))),
        certificates=values.get("cert"),
        client_certificate=values.get("client-cert"),
        proxy=values.get("proxy"),
        trusted=tuple(values.get("trusted-host", "").split()),
        timeout_s=_seconds(values.get("default-timeout") or values.get("timeout")),
    )


def _seconds(text: str | None) -> float:
    try:
        return max(1.0, float(text)) if text else _TIMEOUT_S
    except ValueError:
        return _TIMEOUT_S
