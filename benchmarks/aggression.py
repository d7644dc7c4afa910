"""What `aggression` costs, and whether another version says the same.

    python benchmarks/aggression.py [OTHER/src]

CPU milliseconds for a second of video of drawn people with skeletons, ten looks a second for few and five for many,
detector and pose left out. OTHER/src: the sources of another version, measured by turns with this one in one run; the
largest difference between any two scores is told, so that it must be 0 where only the cost was to change.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import numpy as np

ROUNDS = 3
HEIGHT = 100.0
"""Of a person, pixels."""

CASTS = {
    "14": (14, 10.0, 12.0, 400.0, True),
    "300": (300, 5.0, 5.0, 3000.0, True),
    "300 without joints": (300, 5.0, 5.0, 3000.0, False),
}
"""People, looks a second, seconds, the side of the square that they share in pixels, and whether joints are known."""


def people(number: int, side: float) -> list[tuple[str, float, float, float, float, int]]:
    """What each one does, from where, how fast, since when, and which way."""
    random = Random(number)
    acts = ("STAND", "WALK", "WALK", "STRIKE", "KICK", "RUN")
    return [
        (
            random.choice(acts),
            random.uniform(100, side),
            random.uniform(200, side),
            random.uniform(40, 150),
            random.uniform(0, 2),
            random.choice((-1, 1)),
        )
        for _ in range(number)
    ]


def scenes(number: int, rate_hz: float, seconds: float, side: float, *, posed: bool) -> Iterator[Any]:
    """Scenes of people who stand, walk, run and strike, close together."""
    from tynysh.demo.figure import BodyAction, joints, pose
    from tynysh.geometry import Box
    from tynysh.scene.scene import Scene
    from tynysh.scene.track import Track

    jitter = np.random.default_rng(number)
    cast = people(number, side)
    for step in range(round(seconds * rate_hz)):
        time_s = step / rate_hz
        tracks = []
        for track_id, (act, x, y, speed, begun_s, facing) in enumerate(cast, 1):
            way = speed * time_s if act in {"WALK", "RUN"} else 0.0
            skeleton = joints(pose(BodyAction[act], time_s + begun_s, way / HEIGHT))
            keypoints = np.full((26, 3), 0.8, dtype=np.float32)
            keypoints[:, 0] = x + facing * (way + HEIGHT * skeleton[:, 0])
            keypoints[:, 1] = y - HEIGHT * skeleton[:, 1]
            keypoints[:, :2] += jitter.normal(0.0, 0.8, (26, 2))
            left, top = keypoints[:, :2].min(axis=0).tolist()
            right, bottom = keypoints[:, :2].max(axis=0).tolist()
            box = Box(left - 6, top - 3, right + 6, bottom)
            tracks.append(Track(track_id, box, 0.9, (0.0, 0.0), 0.0, time_s, keypoints if posed else None))
        yield Scene(time_s=time_s, width=round(side) + 200, height=round(side) + 200, tracks=tuple(tracks))


def measure(name: str) -> dict[str, Any]:
    """CPU-ms per second of video, and the scores."""
    from tynysh.behaviour.aggression import AggressionAnalyser, AggressionSettings
    from tynysh.scene.scene import Scene

    number, rate_hz, seconds, side, posed = CASTS[name]
    shown = list(scenes(number, rate_hz, seconds, side, posed=posed))
    analyser = AggressionAnalyser(AggressionSettings())
    signals = []
    if any(field.name == "trajectories" for field in fields(Scene)):
        from tynysh.scene.trajectories import Trajectories

        trajectories = Trajectories()
        before = time.process_time()
        for scene in shown:
            trajectories.observe(scene)
            signals += analyser.observe(replace(scene, trajectories=trajectories.now(scene)))
    else:
        before = time.process_time()
        for scene in shown:
            signals += analyser.observe(scene)
    cost = 1000.0 * (time.process_time() - before) / seconds
    return {
        "cost": cost,
        "scores": [signal.score for signal in signals],
        "reasons": [str(s.reason) for s in signals],
    }


def by_turns(sources: list[Path], name: str) -> list[list[dict[str, Any]]]:
    """What each of `sources` measures, ROUNDS times, by turns."""
    found: list[list[dict[str, Any]]] = [[] for _ in sources]
    for _ in range(ROUNDS):
        for measured, source in zip(found, sources, strict=True):
            environment = os.environ | {"PYTHONPATH": str(source), "OPENBLAS_NUM_THREADS": "1"}
            done = subprocess.run(
                [sys.executable, __file__, "--measure", name],
                env=environment,
                check=True,
                capture_output=True,
            )
            measured.append(json.loads(done.stdout))
    return found


def main() -> None:
    """Print a table in Markdown."""
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2])))
        return
    sources = [Path(__file__).parents[1] / "src", *map(Path, sys.argv[1:])]
    print("| people | CPU-ms per second of video | a look | other version | ratio | largest difference |")
    print("|---|---|---|---|---|---|")
    for name, (_, rate_hz, *_) in CASTS.items():
        found = by_turns(sources, name)
        here, *other = [median(one["cost"] for one in measured) for measured in found]
        row = f"| {name} | {here:.1f} | {here / rate_hz:.2f} |"
        if other:
            one, another = found[0][0], found[1][0]
            apart = max(abs(a - b) for a, b in zip(one["scores"], another["scores"], strict=True))
            same = one["reasons"] == another["reasons"]
            row += f" {other[0]:.1f} | {other[0] / here:.1f} | {apart:g}{'' if same else ', other reasons'} |"
        else:
            row += " | | |"
        print(row)


if __name__ == "__main__":
    main()
