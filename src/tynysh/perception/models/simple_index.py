"""Where a package index keeps a wheel: the simple repository API (PEP 503 in HTML, PEP 691 in JSON)."""

import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import httpx

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


@dataclass(frozen=True, slots=True)
class Link:
    """A file on an index: its address, and the SHA-256 that the index names for it, if any."""

    url: str
    sha256: str | None


def find_wheel(client: httpx.Client, index: str, project: str, wheel: str) -> Link | None:
    """The file called `wheel` of `project` on the index at `index`; None if the index does not have it.

    Raises httpx.HTTPError if the index cannot be asked.
    """
    name = re.sub(r"[-_.]+", "-", project).lower()
    response = client.get(f"{index.rstrip('/')}/{name}/", headers={"Accept": ACCEPT})
    if response.status_code == httpx.codes.NOT_FOUND:
        return None
    response.raise_for_status()
    base = str(response.url)
    links = (
        _json_links(response.text, base)
        if "json" in response.headers.get("Content-Type", "")
        else _html_links(response.text, base)
    )
    return links.get(wheel)


def _json_links(text: str, base: str) -> dict[str, Link]:
    try:
        return {
            file["filename"]: Link(urljoin(base, file["url"]), file.get("hashes", {}).get("sha256"))
            for file in json.loads(text)["files"]
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _html_links(text: str, base: str) -> dict[str, Link]:
    parser = _Anchors()
    parser.feed(text)
    links = {}
    for reference in parser.references:
        url, fragment = urldefrag(urljoin(base, reference))
        kind, _, value = fragment.partition("=")
        filename = unquote(urlsplit(url).path.rpartition("/")[2])
        links[filename] = Link(url, value if kind == "sha256" else None)
    return links


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.references += [value for name, value in attrs if name == "href" and value]
