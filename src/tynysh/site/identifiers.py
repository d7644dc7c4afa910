"""How sites and cameras get their ids where none is given."""

import re
import unicodedata
from typing import Any

LONGEST = 63
"""Characters of an id: it names folders and parts of addresses."""

# Kazakh and Russian letters as they are usually written in addresses.
_LATIN = str.maketrans(
    {
        "а": "a", "ә": "a", "б": "b", "в": "v", "г": "g", "ғ": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh",
        "з": "z", "и": "i", "й": "i", "к": "k", "қ": "q", "л": "l", "м": "m", "н": "n", "ң": "n", "о": "o",
        "ө": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ұ": "u", "ү": "u", "ф": "f", "х": "kh",
        "һ": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "і": "i", "ь": "", "э": "e",
        "ю": "yu", "я": "ya",
    }
)  # fmt: skip


def derived(name: str) -> str:
    """The id that a name suggests: `Парк Панфилова` gives `park-panfilova`; empty where nothing can be used.

    >>> derived("Парк Панфилова"), derived("Мәңгілік Ел, 5")
    ('park-panfilova', 'mangilik-el-5')
    """
    latin = unicodedata.normalize("NFKD", name.casefold().translate(_LATIN)).casefold()
    return "-".join(re.findall(r"[a-z0-9]+", "".join(c for c in latin if not unicodedata.combining(c))))


def with_identifiers(data: Any) -> Any:
    """`data`, as read of YAML and of any shape, with the ids added that it leaves out; the given is not changed."""
    if not isinstance(data, dict) or not isinstance(data.get("sites"), list | tuple):
        return data
    return {**data, "sites": [_site(site) for site in data["sites"]]}


def _site(site: Any) -> Any:
    if not isinstance(site, dict):
        return site
    site_id = _id(site, prefix="")
    site = {**site, **site_id}
    if isinstance(site.get("cameras"), list | tuple):
        prefix = f"{site['id']}-" if isinstance(site.get("id"), str) else ""
        site["cameras"] = [
            {**camera, **_id(camera, prefix=prefix)} if isinstance(camera, dict) else camera
            for camera in site["cameras"]
        ]
    return site


def _id(thing: dict[Any, Any], *, prefix: str) -> dict[str, str]:
    name = thing.get("name")
    if "id" in thing or not isinstance(name, str):
        return {}
    suggested = derived(name)
    return {"id": f"{prefix}{suggested}" if suggested else ""}
