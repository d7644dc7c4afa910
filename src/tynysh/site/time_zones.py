"""Which rules of time zones hold: those of this machine, or those of the package tzdata?"""

import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

_PACKAGE = Path(str(files("tzdata.zoneinfo")))


@cache
def use_newest() -> Mapping[Path, bool]:
    """Have `zoneinfo` pass over the machine's folders of time zones that are older than the package, or do not say how
    old they are, in this process; of each folder, whether it is used.
    """
    folders = [Path(folder) for folder in zoneinfo.TZPATH]
    newest = version_of(_PACKAGE) or ""
    used = {folder: (version_of(folder) or "") >= newest for folder in folders}
    zoneinfo.reset_tzpath(to=[folder for folder in folders if used[folder]])
    ZoneInfo.clear_cache()
    return used


def version_of(folder: Path) -> str | None:
    """The version (`2025b`) of the time zones in `folder`; None where they do not say."""
    try:
        with (folder / "tzdata.zi").open(encoding="utf-8") as file:
            return file.readline().removeprefix("# version ").strip()
    except (OSError, UnicodeDecodeError):
        return None


def differing(names: Iterable[str], now: datetime) -> Iterator[str]:
    """What this machine says otherwise than the rules that are used, of the time zones `names`, today or in half a
    year, each as a sentence.
    """
    for name in sorted(set(names)):
        folder = next((folder for folder in use_newest() if (folder / name).is_file()), None)
        if folder is None or use_newest()[folder]:
            continue
        with (folder / name).open("rb") as file:
            here = ZoneInfo.from_file(file)
        for at in (now, now + timedelta(days=182)):
            said, used = (at.astimezone(zone).strftime("%z") for zone in (here, ZoneInfo(name)))
            if said != used:
                yield (
                    f"{name} is UTC{used} by tzdata {version_of(_PACKAGE)}, which is used, and UTC{said} by the time "
                    f"zones of this machine ({folder}, {version_of(folder) or 'of unknown age'})."
                )
                break
