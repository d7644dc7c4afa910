"""What is raised on continuous footage of cameras that the fight network was not trained on.

    python training/fight/streams.py --data FOLDER

After train.py, whose features it uses. Calm: all clips of a source without a fight, one after the other, as one
camera. Embedded: each fight clip between calm clips of the same source. Detector, tracker, analysers and events are
those of `tynysh analyze`; the network has the heads of the fold that never saw the source. A fight begins where
marks.csv says so, or with its clip.
"""

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from data import Pictures, fight_of, read_clips, read_marks
from footage import Sequence, answers, calm_sequences, embedded_sequences, kept, ordinary_sequence
from i3d import fetch_checkpoint, pretrained
from train import Heads, Trunk, Windows, fit, folds_of, halves, joined, load_windows, weighed_heads

from tynysh.behaviour.aggression import AggressionSettings
from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.fight import FightSettings
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.perception.clip_classification import UNKNOWN_PEOPLE
from tynysh.runtime.networks import Networks

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
DURATIONS_S = (0.0, 0.4)
TAIL_S = 1.5
"""A window still shows a fight for so long after its end."""


class Judge:
    """The trunk with heads of our choice, in the place of the shipped network."""

    def __init__(self, trunk: Trunk, heads: Heads) -> None:
        self._trunk, self._heads = trunk, heads

    def probability(self, pictures: Pictures, people: int = UNKNOWN_PEOPLE) -> float:
        """In [0, 1]."""
        middle, last = self._trunk.features(pictures)
        layers = {"4f": middle[None], "5c": last[None]}
        windows = Windows(layers, np.zeros(1, np.intp), np.array([people]))
        return float(1 / (1 + np.exp(-float(self._heads.scores(windows)[0]))))


@dataclass(frozen=True, slots=True)
class Scored:
    """One camera: every signal over time, and when the fight was (from, to), if there was one."""

    source: str
    seconds: float
    fight: tuple[float, float] | None
    signals: list[tuple[float, list[Signal]]]


def scored(source: str, sequence: Sequence, judge: Judge, fight: tuple[float, float] | None = None) -> Scored:
    """What is said of `sequence`."""
    return Scored(source, sequence.begins[-1], fight, list(answers(sequence, judge)))


def events_of(one: Scored, settings: FightSettings) -> list[Event]:
    """Every event of a fight or of aggression, as it was when it ended."""
    rules = {Behaviour.FIGHT: Rule.of(settings), Behaviour.AGGRESSION: Rule.of(AggressionSettings())}
    maker = EventMaker(rules, ids=Random(0))
    made: list[Event] = []
    for time_s, signals in one.signals:
        made += maker.observe(signals, time_s)
    made += maker.close(one.seconds)
    return [event for event in made if event.phase is Phase.ENDED]


def delays_of(embedded: Iterable[Scored], settings: FightSettings) -> list[float | None]:
    """Seconds from the onset of each fight to its event, below 0 if that came before; None where there was none."""
    delays: list[float | None] = []
    for one in embedded:
        assert one.fight is not None
        begin_s, end_s = one.fight
        hits = [
            event.decided_s - begin_s
            for event in events_of(one, settings)
            if event.decided_s <= end_s + TAIL_S and (event.end_s or 0.0) >= begin_s
        ]
        delays.append(min(hits, default=None))
    return delays


def table(calm: list[Scored], embedded: list[Scored], ordinary: list[Scored]) -> list[dict[str, float]]:
    """False events, recall and delay, by threshold and minimum duration."""
    rows: list[dict[str, float]] = []
    for threshold in THRESHOLDS:
        for duration_s in DURATIONS_S:
            settings = FightSettings(threshold=threshold, min_duration_s=duration_s)
            delays = delays_of(embedded, settings)
            found = [delay for delay in delays if delay is not None]
            late = [delay for delay in found if delay >= 0.0]
            rows.append(
                {
                    "threshold": threshold,
                    "min_duration_s": duration_s,
                    "calm_events": sum(len(events_of(one, settings)) for one in calm),
                    "calm_sources": len(calm),
                    "calm_s": round(sum(one.seconds for one in calm), 1),
                    "ordinary_events": sum(len(events_of(one, settings)) for one in ordinary),
                    "recall": round(len(found) / len(delays), 3),
                    "before_onset": len(found) - len(late),
                    "delay_median_s": round(float(np.median(late)), 2) if late else float("nan"),
                    "delay_95_s": round(float(np.quantile(late, 0.95)), 2) if late else float("nan"),
                }
            )
    return rows


def main() -> None:
    """Build the sequences, judge them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with clips.csv")
    parser.add_argument(
        "--ordinary", type=Path, nargs="*", default=[], help="footage on which nothing happens"
    )
    parser.add_argument(
        "--runs", type=Path, default=Path("training/runs/fight"), help="where train.py left its run"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the folds")
    options = parser.parse_args()
    trunk = Trunk(pretrained(fetch_checkpoint(options.runs)))
    networks = Networks.load()
    clips = kept(options.runs / "clips.pkl", lambda: read_clips(options.data))
    calm_footage = kept(options.runs / "calm.pkl", lambda: calm_sequences(options.data, clips, networks))
    embedded_footage = kept(
        options.runs / "embedded.pkl", lambda: embedded_sequences(options.data, clips, networks)
    )
    train, _, ordinary_looks = load_windows(options.runs / "windows.npz")
    train = joined(train, halves(ordinary_looks, len(clips))[0])
    results = json.loads((options.runs / "results.json").read_text(encoding="utf-8"))
    marks = read_marks()
    calm: list[Scored] = []
    embedded: list[Scored] = []
    for outside, heads in folds_of(clips, train, seed=options.seed):
        judge = Judge(trunk, weighed_heads(heads, results["weigh"], results["calibration"]))
        inside = {clips[k].source for k in outside}
        calm += [
            scored(source, sequence, judge) for source, sequence in calm_footage.items() if source in inside
        ]
        for clip in (clips[k] for k in outside if clips[k].fight):
            sequence = embedded_footage[clip.path]
            at_s = sequence.begins[sequence.files.index(clip.path)]
            begin_s, end_s = fight_of(clip.path, marks, float(clip.times[-1]))
            embedded.append(scored(clip.path, sequence, judge, (at_s + begin_s, at_s + end_s)))
    labels = np.array([clip.fight for clip in clips] + [False] * (int(train.clip.max()) + 1 - len(clips)))
    shipped = Judge(trunk, weighed_heads(fit(train, labels), results["weigh"], results["calibration"]))
    ordinary = [
        scored(path.name, ordinary_sequence(options.runs, path, networks), shipped)
        for path in options.ordinary
    ]
    rows = table(calm, embedded, ordinary)
    (options.runs / "streams.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        print(row)
    settings = FightSettings()
    for one in calm:
        for event in events_of(one, settings):
            print("false:", one.source, event.behaviour, round(event.decided_s, 1), round(event.score, 2))
    missed = [
        one for one, delay in zip(embedded, delays_of(embedded, settings), strict=True) if delay is None
    ]
    print("missed:", *(one.source for one in missed))


if __name__ == "__main__":
    main()
