"""What the fight analyser raises on continuous footage of cameras that its network was not trained on.

    python training/fight/streams.py --data FOLDER

After train.py, whose features it uses. Calm: all clips of a source without a fight, one after the other, as one
camera. Embedded: each fight clip between calm clips of the same source. Each source is judged by the heads of the
fold that never saw it. Analyser, windows and events are those of production; people are not detected, so pictures
alone decide.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from data import Clip, Pictures, read_clips, read_video
from i3d import fetch_checkpoint, pretrained
from numpy.typing import NDArray
from train import Heads, Trunk, Windows, calibrated_heads, fit, folds_of, halves, load_windows
from train import joined as both

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.fight import FightAnalyser, FightSettings
from tynysh.behaviour.scene import Scene
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.media.frame import Frame
from tynysh.perception.motion import MotionGate

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
DURATIONS_S = (0.0, 0.4, 0.9)


class Judge:
    """The trunk with heads of our choice, in the place of the shipped network."""

    def __init__(self, trunk: Trunk, heads: Heads) -> None:
        self._trunk, self._heads = trunk, heads

    def probability(self, pictures: NDArray[np.uint8]) -> float:
        """In [0, 1]."""
        middle, last = self._trunk.features(pictures)
        windows = Windows({"4f": middle[None], "5c": last[None]}, np.zeros(1, np.intp))
        return float(1 / (1 + np.exp(-float(self._heads.scores(windows)[0]))))


@dataclass(frozen=True, slots=True)
class Sequence:
    """Signals over time, and when the fight was (from, to), if there was one."""

    source: str
    seconds: float
    fight: tuple[float, float] | None
    signals: list[tuple[float, float]]


def joined(clips: list[Clip]) -> tuple[list[tuple[float, Pictures]], tuple[float, float] | None]:
    """Clips of one camera one after the other, at ten pictures a second; and when the fight is."""
    pictures: list[tuple[float, Pictures]] = []
    fight = None
    now_s = 0.0
    shape = next(clip for clip in clips if clip.fight or clip is clips[0]).pictures.shape[1:]
    for clip in clips:
        if clip.pictures.shape[1:] != shape:
            continue
        for time_s in np.arange(0.0, float(clip.times[-1]) + 1e-6, 0.1):
            index = int(np.searchsorted(clip.times, time_s + 1e-6, side="right")) - 1
            pictures.append((round(now_s + float(time_s), 3), clip.pictures[max(0, index)]))
        end_s = pictures[-1][0] + 0.1
        if clip.fight:
            fight = (now_s, end_s)
        now_s = end_s
    return pictures, fight


def signals_of(pictures: list[tuple[float, Pictures]], judge: Judge) -> list[tuple[float, float]]:
    """(time_s, score) of the analyser."""
    analyser, gate = FightAnalyser(FightSettings(), network=judge), MotionGate()
    found: list[tuple[float, float]] = []
    for index, (time_s, picture) in enumerate(pictures):
        frame = Frame(np.repeat(picture[:, :, None], 3, axis=2), time_s=time_s, index=index)
        motion = gate.observe(frame)
        size = {"width": frame.width, "height": frame.height}
        scene = Scene(time_s=time_s, **size, motion=motion, frame=frame, detected=False)
        found += [(time_s, signal.score) for signal in analyser.observe(scene)]
    return found


def events_of(sequence: Sequence, settings: FightSettings) -> list[Event]:
    """Every event as it was when it ended."""
    maker = EventMaker({Behaviour.FIGHT: Rule.of(settings)}, ids=Random(0))
    told: list[Event] = []
    for time_s, score in sequence.signals:
        told += maker.observe([Signal(Behaviour.FIGHT, time_s, score)], time_s)
    told += maker.close(sequence.seconds)
    return [event for event in told if event.phase is Phase.ENDED]


def table(calm: list[Sequence], embedded: list[Sequence], ordinary: list[Sequence]) -> list[dict[str, float]]:
    """False events, recall and delay, by threshold and minimum duration."""
    rows: list[dict[str, float]] = []
    for threshold in THRESHOLDS:
        for duration_s in DURATIONS_S:
            settings = FightSettings(threshold=threshold, min_duration_s=duration_s, cooldown_s=20.0)
            delays: list[float] = []
            found = 0
            for sequence in embedded:
                assert sequence.fight is not None
                start_s, end_s = sequence.fight
                # A window still shows the fight for two seconds after its end.
                hits = [
                    event.decided_s
                    for event in events_of(sequence, settings)
                    if event.decided_s <= end_s + 1.5 and (event.end_s or 0.0) >= start_s
                ]
                found += bool(hits)
                delays += [decided_s - start_s for decided_s in hits[:1] if decided_s >= start_s]
            rows.append(
                {
                    "threshold": threshold,
                    "min_duration_s": duration_s,
                    "calm_events": sum(len(events_of(s, settings)) for s in calm),
                    "calm_sources": len(calm),
                    "calm_s": round(sum(s.seconds for s in calm), 1),
                    "ordinary_events": sum(len(events_of(s, settings)) for s in ordinary),
                    "recall": round(found / len(embedded), 3),
                    "delay_median_s": round(float(np.median(delays)), 2) if delays else float("nan"),
                    "delay_95_s": round(float(np.quantile(delays, 0.95)), 2) if delays else float("nan"),
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
    options = parser.parse_args()
    trunk = Trunk(pretrained(fetch_checkpoint(options.runs)))
    clips = read_clips(options.data)
    train, _, ordinary_looks = load_windows(options.runs / "windows.npz")
    train = both(train, halves(ordinary_looks, len(clips))[0])
    calibration = json.loads((options.runs / "results.json").read_text(encoding="utf-8"))["calibration"]
    calm: list[Sequence] = []
    embedded: list[Sequence] = []
    for outside, heads in folds_of(clips, train, seed=0):
        judge = Judge(trunk, calibrated_heads(heads, *calibration))
        for source in sorted({clips[k].source for k in outside}):
            own = [clips[k] for k in outside if clips[k].source == source]
            quiet = [clip for clip in own if not clip.fight]
            if quiet:
                pictures, _ = joined(quiet)
                calm.append(Sequence(source, pictures[-1][0], None, signals_of(pictures, judge)))
            for number, clip in enumerate(clip for clip in own if clip.fight):
                around = [quiet[(number + k) % len(quiet)] for k in (0, 1)] if quiet else []
                pictures, fight = joined([*around[:1], clip, *around[1:]])
                embedded.append(Sequence(source, pictures[-1][0], fight, signals_of(pictures, judge)))
    labels = np.array([clip.fight for clip in clips] + [False] * (int(train.clip.max()) + 1 - len(clips)))
    shipped = Judge(trunk, calibrated_heads(fit(train, labels), *calibration))
    ordinary: list[Sequence] = []
    for path in options.ordinary:
        clip = read_video(path)
        pictures = [(float(t), p) for t, p in zip(clip.times, clip.pictures, strict=True)]
        ordinary.append(Sequence(path.name, float(clip.times[-1]), None, signals_of(pictures, shipped)))
    rows = table(calm, embedded, ordinary)
    kept = {
        name: [{"source": s.source, "fight": s.fight, "signals": s.signals} for s in sequences]
        for name, sequences in (("calm", calm), ("embedded", embedded), ("ordinary", ordinary))
    }
    (options.runs / "streams.json").write_text(json.dumps({"rows": rows, **kept}) + "\n", encoding="utf-8")
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
