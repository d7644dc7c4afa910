"""What the networks cost, and what the detector finds at which input size and precision.

    python benchmarks/networks.py VTEST.avi [--every N]

Cost is process CPU time for a frame or a person, on one stream. What the detector finds is compared with a consensus:
boxes that at least three of five views (four input sizes, and 416 pixels in float32) of the same frame share at
intersection over union 0.5. That is no ground truth: people whom no size finds are not counted.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tynysh.geometry import box_array, iou_matrix
from tynysh.media.frame import Frame
from tynysh.perception.anonymiser import anonymise, anonymise_whole
from tynysh.perception.detector import load_detector
from tynysh.perception.engine import Precision
from tynysh.perception.pose import load_pose
from tynysh.scene.person import Person

VIEWS: tuple[tuple[int, Precision], ...] = (
    (416, "exact"),
    (512, "fast"),
    (640, "fast"),
    (768, "fast"),
    (960, "fast"),
)
SIZES: tuple[tuple[int, Precision], ...] = (
    (320, "fast"),
    (416, "fast"),
    (416, "exact"),
    (512, "fast"),
    (640, "fast"),
)
COUNTED = 0.4


def cpu_ms(work: Callable[[], object], times: int) -> float:
    work()
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times * 1e3


def boxes(people: Sequence[Person], least: float) -> NDArray[np.float32]:
    return box_array([person.box for person in people if person.score >= least])


def consensus(views: Sequence[Sequence[Person]]) -> NDArray[np.float32]:
    everybody = [
        (person, view) for view, people in enumerate(views) for person in people if person.score >= 0.3
    ]
    everybody.sort(key=lambda found: -found[0].score)
    array = box_array([person.box for person, _ in everybody])
    alike = iou_matrix(array, array) > 0.5
    gone = np.zeros(len(array), dtype=bool)
    agreed = []
    for n in range(len(array)):
        group = np.nonzero(alike[n] & ~gone)[0] if not gone[n] else []
        gone[group] = True
        if len({everybody[m][1] for m in group}) >= 3:
            agreed.append(array[group].mean(axis=0))
    return np.array(agreed, dtype=np.float32).reshape(-1, 4)


def matched(one: NDArray[np.float32], other: NDArray[np.float32]) -> int:
    ious = iou_matrix(one, other)
    return int((ious[linear_sum_assignment(-ious)] >= 0.5).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--every", type=int, default=5, help="look at every Nth frame (5)")
    options = parser.parse_args()
    with av.open(str(options.video)) as video:
        frames = [
            Frame(picture, time_s=float(n), index=n)
            for n, picture in enumerate(video.decode(video=0))
            if n % options.every == 0
        ]

    found: dict[tuple[int, Precision], list[Sequence[Person]]] = {}
    cost: dict[tuple[int, Precision], float] = {}
    for size in dict.fromkeys(VIEWS + SIZES):
        detector = load_detector(length=size[0], precision=size[1])
        cost[size] = cpu_ms(lambda d=detector: d.detect(frames[0]), 20)
        found[size] = [detector.detect(frame) for frame in frames]
        detector.close()

    truth = [consensus([found[view][n] for view in VIEWS]) for n in range(len(frames))]
    print(
        f"{len(frames)} frames of {options.video.name}, {sum(map(len, truth)) / len(frames):.2f} persons each\n"
    )
    print("| detector input, longer side | precision of arithmetic | CPU-ms a frame | precision | recall |")
    print("|---|---|---|---|---|")
    for size in SIZES:
        mine = [boxes(people, COUNTED) for people in found[size]]
        right = sum(matched(one, other) for one, other in zip(mine, truth, strict=True))
        print(
            f"| {size[0]} | {'bfloat16' if size[1] == 'fast' else 'float32'} | {cost[size]:.1f} "
            f"| {right / sum(map(len, mine)):.3f} | {right / sum(map(len, truth)):.3f} |"
        )

    crowded = max(range(len(frames)), key=lambda n: len(boxes(found[416, "fast"][n], COUNTED)))
    frame, people = frames[crowded], [p for p in found[416, "fast"][crowded] if p.score >= COUNTED]
    print("\n| step | CPU-ms |\n|---|---|")
    for precision in ("fast", "exact"):
        pose = load_pose(precision=precision)
        each = cpu_ms(lambda p=pose: p.estimate(frame, [person.box for person in people]), 10) / len(people)
        print(f"| pose, a person, {'bfloat16' if precision == 'fast' else 'float32'} | {each:.1f} |")
        pose.close()
    rng = np.random.default_rng(0)
    for width, height in ((640, 480), (1920, 1080)):
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        scaled = [person.box.scaled(width / frame.width, height / frame.height) for person in people]
        heads, bodies = (
            cpu_ms(lambda p=picture, s=scaled, w=whole: anonymise(p, s, whole_body=w), 50)
            for whole in (False, True)
        )
        print(f"| heads of {len(people)} people, {width}x{height} | {heads:.2f} |")
        print(f"| bodies of {len(people)} people, {width}x{height} | {bodies:.2f} |")
        print(f"| whole picture, {width}x{height} | {cpu_ms(lambda p=picture: anonymise_whole(p), 20):.2f} |")


if __name__ == "__main__":
    main()
