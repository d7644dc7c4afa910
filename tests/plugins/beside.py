"""Tynysh in a process of its own, where another package may be installed: `python -m tests.plugins.beside WHAT ...`.

`command ARGUMENTS`: the command line on drawn videos. `console FOLDER`: the console over a house in which somebody is
at the edge; the next time over the same house as it was left. It says in one line of JSON where it is and who may sign
in, and ends with its input.
"""

import json
import sys
from pathlib import Path

from tests.console.conftest import PASSWORD, House
from tests.runtime.street import CoatDetector

from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.cli import run_command
from tynysh.runtime import logs
from tynysh.runtime.networks import Networks
from tynysh.store import users
from tynysh.translations import LANGUAGES


class AsItWasLeft(House):
    """The same house again."""

    def _build(self) -> None:
        """It stands."""


def command(arguments: list[str]) -> int:
    networks = Networks(detector=CoatDetector(), pose=None)  # type: ignore[arg-type]
    Networks.load = classmethod(lambda *_: networks)  # type: ignore[method-assign]
    return run_command(arguments)


def console(folder: Path) -> int:
    # The standard output is for what is said here.
    logs.configure()
    note = folder / "note.json"
    if note.exists():
        house, state = AsItWasLeft(folder, users.hashed(PASSWORD)), json.loads(note.read_text())
    else:
        house = House(folder, users.hashed(PASSWORD))
        reason = Reason("platform_edge.beyond", {"line": "yellow"})
        incident = house.happens("club-door", Behaviour("platform_edge"), reason=reason)
        assert house.happens("club-door", Behaviour.INTRUSION) == incident, "they are not of one family"
        state = {"incident": incident, "users": {one: house.user(language=one) for one in LANGUAGES}}
        note.write_text(json.dumps(state))
    print(json.dumps(state | {"url": house.url}), flush=True)
    sys.stdin.read()
    house.close()
    return 0


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    sys.exit(command(arguments) if what == "command" else console(Path(arguments[0])))
