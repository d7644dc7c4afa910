"""The page on how well recordings were seen: for those who decide, to be read on a screen or on paper."""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from math import ceil
from pathlib import Path

from tynysh import __version__
from tynysh.behaviour import wording
from tynysh.behaviour.signal import Behaviour
from tynysh.evaluation.footage import (
    Alert,
    Figures,
    FootageReport,
    Missed,
    figures,
    picture_of,
    worst_alerts,
    worst_missed,
)
from tynysh.evaluation.labels import Recording
from tynysh.evaluation.matching import EARLY_S
from tynysh.evaluation.page import bars, document, dot, line, plot
from tynysh.evaluation.sightings import Sightings, Still
from tynysh.geometry import Box
from tynysh.translations import Language, text

MOST_SHOWN = 12
"""Misses and false alerts that are shown with a picture, each; the worst first."""

MOST_LISTED = 200
LEAST_HOURS = 0.1
"""Of less footage no rate of false alerts is shown: its interval would say nothing."""

MOST_STRIPS = 60
_AROUND_S = 10.0
_BINS = 12
_STRIP, _ROW = 800, 13

_STYLE = """
body{max-width:68rem}h1{margin:0}h2{border-bottom:2px solid var(--ink);padding-bottom:.2rem;margin-top:2.6rem}
h3{font-size:1rem;margin:1.6rem 0 .4rem}
.soft,.sub{color:var(--soft)}.sub{font-size:.87rem;line-height:1.35}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.8rem;margin:1.4rem 0}
.card{background:var(--faint);border-radius:.5rem;padding:.8rem 1rem;break-inside:avoid}
.card b{display:block;font-size:2rem;line-height:1.2;font-variant-numeric:tabular-nums}
.card .what{font-weight:600}
.wide{overflow-x:auto}table{min-width:100%}th{font-size:.87rem;vertical-align:bottom}th.n{text-align:right}
td{vertical-align:top}td.n small{display:block;color:var(--soft);font-size:.8rem;white-space:nowrap}
tr.all td{font-weight:600}tr.all small,tr.all .sub{font-weight:400}
tr.sum td{border-top:2px solid var(--line)}td.in{padding-left:1.2rem}
.cases{display:grid;grid-template-columns:repeat(auto-fill,minmax(19rem,1fr));gap:1rem}
.case{border:1px solid var(--line);border-radius:.5rem;overflow:hidden;break-inside:avoid}
.case .told{padding:.5rem .8rem .7rem}.case .none{background:var(--faint);color:var(--soft);padding:2rem .8rem}
.case svg{width:100%}.name{overflow-wrap:anywhere}
.box{fill:none;stroke:#ffd400;stroke-width:3}.hit{fill:var(--mark)}.miss{fill:var(--warn)}.again{fill:var(--soft)}
.base{fill:var(--faint)}.area{fill:var(--mark);opacity:.25}.then{fill:var(--soft);opacity:.18}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;font-size:.87rem}.legend svg{display:inline;margin-right:.35rem}
.second{stroke:var(--good);stroke-width:2;fill:none;stroke-dasharray:7 3}
.strips td{padding-top:.4rem;padding-bottom:.1rem;border:0}.strips td:first-child{width:13rem;font-size:.87rem}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--faint:#f1f3f5;--paper:#fff;--mark:#0b6e99;
--warn:#b3401e;--good:#2c7a4b}body{max-width:none;margin:0;font-size:10.5pt;print-color-adjust:exact;
-webkit-print-color-adjust:exact}h2{break-after:avoid}tr,figure{break-inside:avoid}.wide{overflow:visible}}
"""

_Interval = tuple[float, float]


def page(report: FootageReport, *, language: Language, now: datetime) -> str:
    """The whole page as HTML. now: the date that it shows."""
    return _Page(report, language).html(now)


class _Page:
    """Writes one report in one language."""

    def __init__(self, report: FootageReport, language: Language) -> None:
        self._report = report
        self._language: Language = language

    def html(self, now: datetime) -> str:
        """All of it."""
        report, say = self._report, self._say
        everything = figures(report.judged)
        body = (
            f"<h1>{say('title')}</h1>"
            f'<p class="soft">{self._about(now)}</p>'
            f"{self._cards(everything)}<p>{self._caution(everything)}</p>"
            f"{self._left_out()}"
            f"<h2>{say('by_behaviour')}</h2>{self._behaviours()}"
            f"<h2>{say('by_camera')}</h2>{self._cameras()}"
            f"{self._plots(everything)}"
            f"<h2>{say('recordings')}</h2>{self._strips()}"
            f"<h2>{say('misses')}</h2>{self._misses()}"
            f"<h2>{say('false_alerts')}</h2>{self._false_alerts()}"
            f"<h2>{say('rules')}</h2>{self._rules()}"
        )
        return document(
            text(self._language, "evaluation.footage.title"), body, language=self._language, style=_STYLE
        )

    def _say(self, key: str, **values: object) -> str:
        return escape(text(self._language, f"evaluation.footage.{key}", **values))

    def _behaviour(self, behaviour: Behaviour) -> str:
        return escape(wording.name(self._language, behaviour))

    def _number(self, value: float, digits: int = 2) -> str:
        told = f"{value:.{digits}f}"
        return told if self._language == "en" else told.replace(".", ",")

    def _percent(self, value: float) -> str:
        return f"{100 * value:.0f}\N{NO-BREAK SPACE}%"

    def _of(self, value: float | None, form: Callable[[float], str]) -> str:
        return "–" if value is None else form(value)

    def _between(self, interval: _Interval | None, form: Callable[[float], str]) -> str:
        return "" if interval is None else f"{form(interval[0])} – {form(interval[1])}"

    def _about(self, now: datetime) -> str:
        report = self._report
        return self._say(
            "about",
            files=len(report.seen),
            cameras=len(report.cameras),
            hours=self._number(sum(report.judged.footage_hours.values())),
            date=now.strftime("%Y-%m-%d"),
            version=__version__,
        )

    def _cards(self, of: Figures) -> str:
        say, number, percent = self._say, self._number, self._percent
        median, most = of.delay_s(0.5), of.delay_s(0.95)
        enough = of.hours >= LEAST_HOURS
        cards = [
            (
                say("recall"),
                self._of(of.recall, percent),
                say("recall_sub", found=of.found, labelled=of.labelled),
                self._between(of.recall_interval, percent),
            ),
            (
                say("precision"),
                self._of(of.precision, percent),
                say("precision_sub", true=of.true, raised=of.true + of.false),
                self._between(of.precision_interval, percent),
            ),
            (
                say("per_hour"),
                self._of(of.false_per_hour if enough else None, number),
                say("per_hour_sub", false=of.false, hours=number(of.hours)),
                self._between(of.false_per_hour_interval, number) if enough else "",
            ),
            (
                say("delay"),
                "–" if median is None else f"{number(median, 1)} {say('second')}",
                "–" if most is None else say("delay_sub", most=number(most, 1)),
                "",
            ),
        ]
        return (
            '<div class="cards">'
            + "".join(
                f'<div class="card"><div class="what">{what}</div><b>{value}</b><div class="sub">{sub}'
                + (f"<br>{say('interval')}: {interval}" if interval else "")
                + "</div></div>"
                for what, value, sub, interval in cards
            )
            + "</div>"
        )

    def _caution(self, of: Figures) -> str:
        """What so much footage can show, and what not."""
        said = []
        recall, rate = of.recall_interval, of.false_per_hour_interval
        if recall is not None:
            bounds = [self._percent(side) for side in recall]
            said.append(self._say("caution_recall", labelled=of.labelled, low=bounds[0], high=bounds[1]))
        if of.hours < LEAST_HOURS:
            said.append(self._say("caution_short", hours=self._number(of.hours)))
        elif rate is not None:
            said.append(
                self._say(
                    "caution_rate",
                    hours=self._number(of.hours),
                    false=of.false,
                    high=self._number(rate[1]),
                    day=self._number(24 * rate[1], 0),
                )
            )
        return " ".join(said)

    def _left_out(self) -> str:
        report = self._report
        notes = [f"{escape(recording.path)}: {escape(why)}" for recording, why in report.unread] + [
            f"{escape(label.where)} ({self._behaviour(label.behaviour)}): {self._say(why)}"
            for _, label, why in report.judged.set_aside
        ]
        if report.judged.not_judged:
            notes.append(self._say("not_judged", n=len(report.judged.not_judged)))
        if not notes:
            return ""
        return (
            f"<h3>{self._say('left_out')}</h3><ul>" + "".join(f"<li>{note}</li>" for note in notes) + "</ul>"
        )

    def _behaviours(self) -> str:
        judged = self._report.judged
        rows = [self._row(self._say("in_all"), figures(judged), "all")]
        rows += [
            self._row(self._behaviour(behaviour), figures(judged, behaviour=behaviour))
            for behaviour in self._report.behaviours
        ]
        return self._table(rows)

    def _cameras(self) -> str:
        judged, rows = self._report.judged, []
        for camera in self._report.cameras:
            inside = {
                behaviour: of
                for behaviour in self._report.behaviours
                if (of := figures(judged, camera=camera, behaviour=behaviour)).speaks
            }
            name = escape(camera)
            if len(inside) == 1:
                (behaviour,) = inside
                name += f'<div class="sub">{self._behaviour(behaviour)}</div>'
            rows.append(self._row(name, figures(judged, camera=camera), "all sum"))
            if len(inside) > 1:
                rows += [
                    self._row(self._behaviour(behaviour), of, inside=True) for behaviour, of in inside.items()
                ]
        return self._table(rows)

    def _table(self, rows: Sequence[str]) -> str:
        keys = ("labelled", "found", "recall", "precision", "false_alerts", "per_hour", "delay")
        heads = "".join(f'<th class="n">{self._say(key)}</th>' for key in keys)
        head = f"<thead><tr><th></th>{heads}</tr></thead>"
        return f'<div class="wide"><table>{head}<tbody>{"".join(rows)}</tbody></table></div>'

    def _row(self, name: str, of: Figures, kind: str = "", *, inside: bool = False) -> str:
        number, percent = self._number, self._percent
        median, most = of.delay_s(0.5), of.delay_s(0.95)
        enough = of.hours >= LEAST_HOURS
        cells = [
            (str(of.labelled), ""),
            (str(of.found), self._say("as_other", n=of.as_other) if of.as_other else ""),
            (self._of(of.recall, percent), self._between(of.recall_interval, percent)),
            (self._of(of.precision, percent), self._between(of.precision_interval, percent)),
            (str(of.false), self._say("and_repeats", n=of.repeats) if of.repeats else ""),
            (
                self._of(of.false_per_hour if enough else None, number),
                self._between(of.false_per_hour_interval, number) if enough else "",
            ),
            (
                "–" if median is None else f"{number(median, 1)} {self._say('second')}",
                "" if most is None else self._say("delay_sub", most=number(most, 1)),
            ),
        ]
        told = "".join(
            f'<td class="n">{value}' + (f"<small>{small}</small>" if small else "") + "</td>"
            for value, small in cells
        )
        return f'<tr class="{kind}"><td{" class=in" if inside else ""}>{name}</td>{told}</tr>'

    def _plots(self, of: Figures) -> str:
        drawn = []
        if of.delays_s:
            drawn.append(
                f"<h2>{self._say('delays')}</h2><p>{self._say('delays_sub')}</p>"
                f'<div class="plots"><figure>{self._histogram(of.delays_s)}</figure></div>'
            )
        if self._report.labelled:
            drawn.append(f"<h2>{self._say('thresholds')}</h2><p>{self._say('thresholds_sub')}</p>")
            drawn += [self._thresholds(behaviour) for behaviour in self._report.labelled]
        return "".join(drawn)

    def _histogram(self, delays_s: Sequence[float]) -> str:
        low, high = min(0.0, delays_s[0]), max(1.0, delays_s[-1])
        width = _round_up((high - low) / _BINS)
        first = int(low // width)
        counts = [0] * max(_BINS, int(high // width) - first + 1)
        for delay in delays_s:
            counts[int(delay // width) - first] += 1
        most = max(counts)
        ends = (first * width, (first + len(counts) / 2) * width, (first + len(counts)) * width)
        return plot(
            self._say("delay_axis"),
            self._say("happenings_axis"),
            bars([count / most for count in counts], "dot"),
            across_ticks=[self._number(end, 1) for end in ends],
            up_ticks=["0", str(most)],
        )

    def _thresholds(self, behaviour: Behaviour) -> str:
        report = self._report
        levels = report.at_levels(behaviour)
        own, now = report.own_threshold(behaviour), figures(report.judged, behaviour=behaviour)
        recalls = [(level, at.recall) for level, at in levels if at.recall is not None]
        precisions = [(level, at.precision) for level, at in levels if at.precision is not None]
        inside = line(recalls, "curve") + line(precisions, "second")
        if own is not None:
            inside += line([(own, 0.0), (own, 1.0)], "guide")
        inside += "".join(dot(point, "dot", 3) for point in recalls)
        # An even number, so that its half may stand at the axis.
        most = 2 * ceil(max(2, now.false, *(at.false for _, at in levels)) / 2)
        curve = [(at.false / most, at.recall) for _, at in levels if at.recall is not None]
        trade = line(curve, "curve") + "".join(dot(point, "dot", 3) for point in curve)
        if now.recall is not None:
            trade += dot((now.false / most, now.recall), "here", 6)
        legend = _legend([("curve", self._say("recall")), ("second", self._say("precision"))])
        return (
            f'<h3>{self._behaviour(behaviour)}</h3><div class="plots">'
            f"<figure>{plot(self._say('threshold_axis'), self._say('share_axis'), inside)}{legend}</figure>"
            "<figure>"
            + plot(
                self._say("false_alerts"),
                self._say("recall"),
                trade,
                across_ticks=["0", str(most // 2), str(most)],
            )
            + f"{_legend([('here', self._say('in_force'))])}</figure></div>"
        )

    def _strips(self) -> str:
        report = self._report
        judged = report.judged
        marks: dict[str, list[tuple[float, float, str, int]]] = {
            recording.path: [] for recording, _ in report.seen
        }
        for found in judged.found:
            path = found.recording.path
            marks[path].append((found.label.start_s, found.label.end_s, "hit", 0))
            marks[path].append((found.event.start_s, found.event.end_s, "hit", 1))
        for missed in judged.missed:
            marks[missed.recording.path].append((missed.label.start_s, missed.label.end_s, "miss", 0))
        for alert in judged.false:
            marks[alert.recording.path].append((alert.event.start_s, alert.event.end_s, "miss", 1))
        for alert in judged.repeats:
            marks[alert.recording.path].append((alert.event.start_s, alert.event.end_s, "again", 1))
        # What went wrong first.
        order = sorted(
            (one for one in report.seen if marks[one[0].path]),
            key=lambda one: -sum(mark[2] == "miss" for mark in marks[one[0].path]),
        )
        rows = "".join(
            f'<tr><td class="name">{_short(recording)}<div class="sub">{_clock(sightings.duration_s)}</div></td>'
            f"<td>{_strip(marks[recording.path], sightings.duration_s)}</td></tr>"
            for recording, sightings in order[:MOST_STRIPS]
        )
        hidden = len(order) - MOST_STRIPS
        more = f"<p>{self._say('more', n=hidden)}</p>" if hidden > 0 else ""
        legend = _legend(
            [
                ("hit", self._say("legend_hit")),
                ("miss", self._say("legend_miss")),
                ("again", self._say("legend_again")),
            ]
        )
        table = f'<div class="wide"><table class="strips"><tbody>{rows}</tbody></table></div>'
        calm = len(report.seen) - len(order)
        rest = f"<p>{self._say('calm', n=calm)}</p>" if calm else ""
        return f"<p>{self._say('recordings_sub')}</p>{legend}{table}{more}{rest}" if order else rest

    def _misses(self) -> str:
        missed = worst_missed(self._report.judged)
        if not missed:
            return f"<p>{self._say('no_misses')}</p>"
        cases = "".join(self._miss(one) for one in missed[:MOST_SHOWN])
        rest = [
            (one.recording, one.label.behaviour, one.label.start_s, one.label.end_s, one.highest)
            for one in missed[MOST_SHOWN:]
        ]
        return f'<p>{self._say("misses_sub")}</p><div class="cases">{cases}</div>{self._rest(rest)}'

    def _miss(self, missed: Missed) -> str:
        label, sightings = missed.label, self._sightings(missed.recording)
        still = picture_of(missed, sightings)
        own = sightings.thresholds[label.behaviour]
        told = [self._say("highest", score=self._number(missed.highest), threshold=self._number(own))]
        if missed.standing:
            told.append(self._say("standing"))
        return self._case(missed.recording, label.behaviour, label.start_s, label.end_s, still, None, told)

    def _false_alerts(self) -> str:
        false = worst_alerts(self._report.judged.false)
        if not false:
            return f"<p>{self._say('no_false')}</p>"
        cases = "".join(self._false(one) for one in false[:MOST_SHOWN])
        rest = [
            (one.recording, one.event.behaviour, one.event.start_s, one.event.end_s, one.event.score)
            for one in false[MOST_SHOWN:]
        ]
        return f'<p>{self._say("false_sub")}</p><div class="cases">{cases}</div>{self._rest(rest)}'

    def _false(self, alert: Alert) -> str:
        event, sightings = alert.event, self._sightings(alert.recording)
        still = picture_of(alert, sightings)
        own = sightings.thresholds[event.behaviour]
        told = [self._say("highest", score=self._number(event.score), threshold=self._number(own))]
        return self._case(
            alert.recording, event.behaviour, event.start_s, event.end_s, still, event.box, told
        )

    def _sightings(self, recording: Recording) -> Sightings:
        return next(sightings for one, sightings in self._report.seen if one is recording)

    def _case(
        self,
        recording: Recording,
        behaviour: Behaviour,
        start_s: float,
        end_s: float,
        still: Still | None,
        box: Box | None,
        told: Sequence[str],
    ) -> str:
        name = f"{self._behaviour(behaviour)}, {_clock(start_s)} – {_clock(end_s)}"
        picture = (
            f'<div class="none">{self._say("no_picture")}</div>'
            if still is None
            else _picture(still, box, name)
        )
        camera = f"{escape(recording.camera)} · "
        return (
            f'<div class="case">{picture}<div class="told"><b>{name}</b>'
            f'<div class="sub name">{camera}{_short(recording)}</div>'
            f'<div class="sub">{"<br>".join(told)}</div>'
            f"{self._curve(self._sightings(recording), behaviour, start_s, end_s)}</div></div>"
        )

    def _curve(self, sightings: Sightings, behaviour: Behaviour, start_s: float, end_s: float) -> str:
        """The scores around a stretch of time, which is shaded, with the threshold as a dashed line."""
        first = max(0, int(start_s - _AROUND_S))
        last = min(ceil(sightings.duration_s), int(end_s + _AROUND_S) + 1)
        scores = list(sightings.scores.get(behaviour, ()))[first:last]
        scores += [0.0] * (last - first - len(scores))
        # One column a second at least; of a long stretch the highest of each column.
        step = max(1, -(-len(scores) // 150))
        columns = [max(scores[place : place + step]) for place in range(0, len(scores), step)]
        across = 300 / max(1, len(columns))
        path = " ".join(
            f"{place * across:.1f},{60 - 56 * score:.1f} {(place + 1) * across:.1f},{60 - 56 * score:.1f}"
            for place, score in enumerate(columns)
        )
        scale = 300 / max(1, last - first)
        own = 60 - 56 * sightings.thresholds.get(behaviour, 1.0)
        left, right = ((at - first) * scale for at in (start_s, min(end_s, last)))
        return (
            f'<svg viewBox="0 0 300 78" role="img" aria-label="{self._say("score_curve")}">'
            f'<rect class="then" x="{left:.1f}" y="0" width="{max(1.0, right - left):.1f}" height="60"/>'
            f'<polygon class="area" points="0,60 {path} 300,60"/><polyline class="curve" points="{path}"/>'
            f'<line class="guide" x1="0" x2="300" y1="{own:.1f}" y2="{own:.1f}"/>'
            f'<text x="0" y="75">{_clock(first)}</text>'
            f'<text x="300" y="75" text-anchor="end">{_clock(last)}</text></svg>'
        )

    def _rest(self, rows: Sequence[tuple[Recording, Behaviour, float, float, float]]) -> str:
        """The others, without pictures."""
        if not rows:
            return ""
        told = "".join(
            f'<tr><td class="name">{_short(recording)}</td><td>{self._behaviour(behaviour)}</td>'
            f'<td class="n">{_clock(start_s)} – {_clock(end_s)}</td><td class="n">{self._number(score)}</td></tr>'
            for recording, behaviour, start_s, end_s, score in rows[:MOST_LISTED]
        )
        hidden = len(rows) - MOST_LISTED
        more = f"<p>{self._say('more', n=hidden)}</p>" if hidden > 0 else ""
        return f"<h3>{self._say('further')}</h3><table><tbody>{told}</tbody></table>{more}"

    def _rules(self) -> str:
        values = {
            "tolerance": self._number(self._report.tolerance_s, 1),
            "early": f"{EARLY_S:.0f}",
        }
        keys = [
            f"rule_{name}"
            for name in ("pairs", "related", "repeat", "judged", "hours", "intervals", "delay", "blur")
        ]
        return "<ul>" + "".join(f"<li>{self._say(key, **values)}</li>" for key in keys) + "</ul>"


def _short(recording: Recording) -> str:
    """The file's name with its folder: all that tells it apart in most lists."""
    return escape("/".join(Path(recording.path).parts[-2:]))


def _picture(still: Still, box: Box | None, name: str) -> str:
    data = base64.b64encode(still.jpeg).decode()
    frame = ""
    if box is not None:
        left, top, right, bottom = box.clipped(1.0, 1.0).scaled(still.width, still.height)
        place = f'x="{left:.0f}" y="{top:.0f}" width="{right - left:.0f}" height="{bottom - top:.0f}"'
        frame = f'<rect class="box" {place}/>'
    return (
        f'<svg viewBox="0 0 {still.width} {still.height}" role="img" aria-label="{name}">'
        f'<image href="data:image/jpeg;base64,{data}" width="{still.width}" height="{still.height}"/>{frame}</svg>'
    )


def _strip(marks: Sequence[tuple[float, float, str, int]], duration_s: float) -> str:
    """A recording from its beginning to its end: above what was labelled, below what was noticed."""
    scale = _STRIP / max(duration_s, 1e-6)
    drawn = "".join(
        f'<rect class="base" x="0" y="{row * (_ROW + 1)}" width="{_STRIP}" height="{_ROW}"/>'
        for row in range(2)
    )
    # Wrong ones last, so that they are seen.
    for start_s, end_s, name, row in sorted(marks, key=lambda mark: mark[2] == "miss"):
        left, right = (min(max(at, 0.0), duration_s) * scale for at in (start_s, end_s))
        drawn += (
            f'<rect class="{name}" x="{left:.1f}" y="{row * (_ROW + 1)}" '
            f'width="{max(2.0, right - left):.1f}" height="{_ROW}"/>'
        )
    return (
        f'<svg viewBox="0 0 {_STRIP} {2 * _ROW + 1}" width="{_STRIP}" height="{2 * _ROW + 1}">{drawn}</svg>'
    )


def _legend(entries: Sequence[tuple[str, str]]) -> str:
    """What colours and lines mean. entries: (class, meaning)."""
    lines = {"curve", "second"}
    return (
        '<div class="legend">'
        + "".join(
            '<span><svg width="22" height="12">'
            + (
                f'<line class="{name}" x1="0" x2="22" y1="6" y2="6"/>'
                if name in lines
                else f'<rect class="{name}" width="12" height="12" x="5"/>'
            )
            + f"</svg>{meaning}</span>"
            for name, meaning in entries
        )
        + "</div>"
    )


def _round_up(width: float) -> float:
    """The least of 0.1, 0.2, 0.5, 1, 2, 5, ... that is not below `width`."""
    size = 0.1
    while True:
        for step in (1, 2, 5):
            if size * step >= width:
                return size * step
        size *= 10


def _clock(time_s: float) -> str:
    hours, rest = divmod(time_s, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{int(hours)}:{int(minutes):02}:{int(seconds):02}" if hours else f"{int(minutes)}:{seconds:04.1f}"
