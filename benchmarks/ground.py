"""How well is a camera's ground learnt from people who walk through? Simulated cameras of known camera_pose.

python benchmarks/ground.py [CAMERAS]
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.crowd.cameras import length_errors, some_camera_pose, walking

from tynysh.crowd.learning import GroundLearner

PEOPLE = (10, 20, 40, 80)


def main(cameras: int) -> None:
    """Print, for each number of people: how often it was enough, and how far off lengths are then."""
    print(
        "| people | enough | error told, median | true error, median | 90 % below | worst | beyond twice the told |"
    )
    print("|---|---|---|---|---|---|---|")
    for people in PEOPLE:
        rows = np.array([row for seed in range(cameras) if (row := _one(seed, people)) is not None])
        estimated, true = rows[rows[:, 0] <= 0.15].T
        print(
            f"| {people} | {len(estimated) / cameras:.0%} | {np.median(estimated):.1%} | {np.median(true):.1%} "
            f"| {np.quantile(true, 0.9):.1%} | {true.max():.1%} | {np.mean(true > 2 * estimated):.0%} |"
        )


def _one(seed: int, people: int) -> tuple[float, float] | None:
    """The error that is told and the true one, of lengths where people walk; None where nothing is known."""
    rng = np.random.default_rng(seed)
    camera = some_camera_pose(rng)
    scenes = walking(camera, rng, people)
    learner = GroundLearner()
    for scene in scenes:
        learner.observe(scene)
    if learner.learnt is None:
        return None
    feet = np.array(
        [scene.normalised(scene.tracks[0].box.foot) for scene in scenes[:: max(1, len(scenes) // 40)]]
    )
    errors = length_errors(learner.learnt.ground, camera, feet)
    return learner.learnt.error, float(np.sqrt(np.nanmean(errors**2)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
