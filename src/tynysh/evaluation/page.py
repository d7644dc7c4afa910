"""What the report pages are made of: one file each, no scripts, nothing loaded from elsewhere, fit to be printed."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape

from tynysh.translations import Language

Point = tuple[float, float]
"""(across, up), each in [0, 1] of a plot's square."""

SIDE = 260
"""Width and height of a plot's square, pixels."""

_LEFT, _TOP, _EDGE = 44, 12, 40

_STYLE = """
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5b6877;--line:#c9d1da;--faint:#eef2f6;--paper:#fff;--mark:#0b6e99;
--warn:#b3401e;--good:#2c7a4b}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf1;--soft:#9aa7b5;--line:#3a4653;--faint:#1b232c;--paper:#12181f;
--mark:#5cc0ea;--warn:#f0906c;--good:#6cc892}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:62rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}p{max-width:46rem}
table{border-collapse:collapse}td,th{padding:.25rem .9rem .25rem 0;text-align:left;border-bottom:1px solid var(--line)}
td.n{text-align:right;font-variant-numeric:tabular-nums}
.plots{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}figcaption{font-weight:600}
svg{display:block;max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--soft)}
.axis{stroke:var(--line);fill:none}.guide{stroke:var(--soft);stroke-dasharray:4 4;fill:none}
.curve{stroke:var(--mark);stroke-width:2;fill:none}.dot{fill:var(--mark)}.here{fill:var(--warn)}
.bar{stroke:var(--mark);stroke-width:1.5}
"""


def document(title: str, body: str, *, language: Language, style: str = "") -> str:
    """The whole page as HTML. title: as text; body: as HTML; style: further rules of CSS.

    The page's own policy lets it load and run nothing: its one style sheet is named by its hash, and pictures must be
    in the page itself (`data:`).
    """
    sheet = _STYLE + style
    seal = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{seal}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{sheet}</style></head><body>{body}</body></html>\n"
    )


def line(points: Sequence[Point], name: str) -> str:
    """A line through `points` of a plot, of class `name`."""
    path = " ".join("{:.1f},{:.1f}".format(*_place(point)) for point in points)
    return f'<polyline class="{name}" points="{path}"/>'


def dot(point: Point, name: str, radius: int) -> str:
    """A dot in a plot, of class `name`; radius in pixels."""
    x, y = _place(point)
    return f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'


def bars(shares: Sequence[float], name: str) -> str:
    """Upright bars of equal width next to each other over the whole of a plot, as high as `shares` in [0, 1]."""
    width = SIDE / max(1, len(shares))
    return "".join(
        f'<rect class="{name}" x="{_LEFT + place * width + 1:.1f}" y="{_TOP + SIDE * (1 - share):.1f}" '
        f'width="{max(1.0, width - 2):.1f}" height="{SIDE * share:.1f}"/>'
        for place, share in enumerate(shares)
    )


def plot(
    across: str,
    up: str,
    inside: str,
    *,
    across_ticks: Sequence[str] = ("0", "0.5", "1"),
    up_ticks: Sequence[str] = ("0", "0.5", "1"),
) -> str:
    """A square with its axes; `inside` is drawn in it.

    across, up: what the axes show, as HTML; their ticks stand evenly from end to end.
    """
    width, height = _LEFT + SIDE + 14, _TOP + SIDE + _EDGE
    ticks = "".join(
        f'<text x="{_place((at, 0.0))[0]:.0f}" y="{_TOP + SIDE + 16}" text-anchor="middle">{escape(tick)}</text>'
        for at, tick in _spread(across_ticks)
    ) + "".join(
        f'<text x="{_LEFT - 6}" y="{_place((0.0, at))[1] + 4:.0f}" text-anchor="end">{escape(tick)}</text>'
        for at, tick in _spread(up_ticks)
    )
    middle = _TOP + SIDE / 2
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{up} / {across}"><rect class="axis" x="{_LEFT}" y="{_TOP}" width="{SIDE}" height="{SIDE}"/>'
        f'{ticks}{inside}<text x="{_LEFT + SIDE / 2}" y="{height - 6}" text-anchor="middle">{across}</text>'
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{up}</text></svg>'
    )


def _place(point: Point) -> Point:
    return _LEFT + SIDE * point[0], _TOP + SIDE * (1 - point[1])


def _spread(ticks: Sequence[str]) -> list[tuple[float, str]]:
    return [(place / max(1, len(ticks) - 1), tick) for place, tick in enumerate(ticks)]
