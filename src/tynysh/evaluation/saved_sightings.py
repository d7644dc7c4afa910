"""What was seen in which recording, kept between runs."""

import os
from pathlib import Path

from pydantic import TypeAdapter

from tynysh.errors import UsageError
from tynysh.evaluation.sightings import Sightings

FORMAT = 2
"""Of what is kept; what is kept in another one is made anew."""

_JSON = TypeAdapter(Sightings)


class SavedSightings:
    """What recordings came to, a file each in `folder`, so that a run that was broken off goes on where it was.

    What is kept is numbers and anonymised pictures, in files for their user only.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise UsageError(
                f"The folder {folder} cannot be used: {error.strerror}.",
                hint="Name another one with --resume.",
            ) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"The folder {folder} is not writable.", hint="Name another one with --resume.")

    def get(self, key: str) -> Sightings | None:
        """What was kept under `key`; None where it is not there, or not whole."""
        if self._folder is None:
            return None
        try:
            return _JSON.validate_json((self._folder / f"{key}.json").read_bytes())
        except (OSError, ValueError):
            return None

    def put(self, key: str, sightings: Sightings) -> None:
        """Keep `sightings` under `key`. Raises UsageError where the folder cannot be written."""
        if self._folder is None:
            return
        part = self._folder / f"{key}.part"
        part.unlink(missing_ok=True)
        try:
            part.touch(mode=0o600)
            part.write_bytes(_JSON.dump_json(sightings))
            part.replace(part.with_suffix(".json"))
        except OSError as error:
            raise UsageError(f"{part} cannot be written: {error.strerror}.") from error
