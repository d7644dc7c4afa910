"""What was to be watched when the database last said so, for a start while it is away."""

import json
import os
from pathlib import Path

import structlog
from pydantic import ValidationError

from tynysh.site.fields import plain
from tynysh.site.site import SiteFile

log = structlog.get_logger(__name__)


class KnownSites:
    """Keeps the sites in force in a file for its owner only. It holds what the database holds and no more: passwords
    as the references that they are there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_suffix(f".{os.getpid()}.part")

    def keep(self, sites: SiteFile) -> None:
        """Keep them; where that cannot be done, what was kept before stays."""
        written = json.dumps(plain(sites), ensure_ascii=False).encode()
        try:
            if self._path.exists() and self._path.read_bytes() == written:
                return
            self._part.touch(mode=0o600)
            self._part.write_bytes(written)
            self._part.replace(self._path)
        except OSError as error:
            log.warning("known_sites.not_kept", error=error.strerror)

    def recall(self) -> SiteFile | None:
        """What was last kept; None where nothing was, or what this version does not understand."""
        try:
            return SiteFile.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            log.error("known_sites.not_read", error=type(error).__name__)
            return None
