"""What counting costs a camera, and how wrong it is: by looks a second, whole or in tiles, by size and by crowd.

    python benchmarks/counting.py VTEST.avi

VTEST.avi is OpenCV's. The square is the video itself, counted by eye on every twentieth frame
(tests/crowd/data/vtest_counts.csv); "far away" is nine times of it side by side in one picture of 2304x1728, where
people are a third as large. Costs are CPU milliseconds for a second of video, decoding left out, of a camera that
only counts. Crowds are people of the video cut out and set on the square together.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from unittest import mock

import av
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.crowd.composites import (
    EVERY,
    Cuttings,
    mosaic,
    mosaic_boxes,
    mosaic_count,
    read_counts,
)

from tynysh.crowd import counting
from tynysh.crowd.counting import COUNTED_SCORE, Counter
from tynysh.geometry import box_array, iou_matrix
from tynysh.media.frame import Frame
from tynysh.perception.detector import INPUT_LENGTH, Detector, YoloxDetector, load_detector
from tynysh.perception.schedule import ScheduleSettings
from tynysh.perception.tiling import Detection, most_across, tiled
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.meter import CpuMeter
from tynysh.runtime.networks import Networks
from tynysh.scene.crowd import PICTURE, Estimate
from tynysh.scene.person import Person
from tynysh.scene.scene import Scene
from tynysh.scene.track import Track

RATES = (1, 2, 5)
MOSAIC = 3
FAR_FRAMES = 121
BUCKETS = (0, 6, 10, 14, 18, 24, 36, 500)
CROWDS = (1, 2, 3, 4, 6, 8, 12, 16)


@dataclass
class Judged:
    """Estimates against the truth: (estimate, rough, people)."""

    pairs: list[tuple[Estimate, bool, int]] = field(default_factory=list)

    @property
    def mean_error(self) -> float:
        """Mean absolute error, people."""
        return float(np.mean([abs(estimate.value - people) for estimate, _, people in self.pairs]))

    @property
    def row(self) -> str:
        """People, found, mean absolute error, mean error, part within the band, part rough: cells of a table."""
        values = np.array([[estimate.value, people] for estimate, _, people in self.pairs])
        error = values[:, 0] - values[:, 1]
        inside = np.mean([estimate.low <= people <= estimate.high for estimate, _, people in self.pairs])
        rough = np.mean([is_rough for _, is_rough, _ in self.pairs])
        return (
            f"{values[:, 1].mean():.1f} | {values[:, 0].mean():.1f} | {self.mean_error:.2f} | "
            f"{error.mean():+.2f} | {inside:.2f} | {rough:.2f}"
        )


def square(path: Path) -> Iterator[Frame]:
    """The frames of a video."""
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for index, picture in enumerate(container.decode(video=0)):
            yield Frame(picture, time_s=index / 10, index=index)


def watched(
    frames: Iterator[Frame],
    truth: Mapping[int, int],
    detector: Detector,
    looks: ScheduleSettings | None,
    detection: Detection,
) -> tuple[Judged, CpuMeter, float]:
    """What a camera that only counts makes of `frames`, its costs, and seconds of video."""
    meter, judged, last_s = CpuMeter(), Judged(), 0.0
    networks = Networks(detector=detector, pose=None)  # type: ignore[arg-type]
    watch = CameraPlan(analysers={}, detection=detection, looks=looks)
    pipeline = build_pipeline(watch, networks, ids=Random(0), meter=meter)
    for frame in frames:
        step = pipeline.process(frame)
        last_s = frame.time_s
        if step is not None and step.scene.crowd is not None and frame.index in truth:
            place = step.scene.crowd.place(PICTURE)
            judged.pairs.append((place.count, place.rough, truth[frame.index]))
    return judged, meter, last_s


def costs(path: Path, detector: YoloxDetector) -> Iterator[str]:
    """The table by looks a second, whole or tiled."""
    counts = read_counts()
    scenes = {
        "square": (lambda: square(path), {index: counted.people for index, counted in counts.items()}),
        "far away": (
            lambda: mosaic(path, MOSAIC, FAR_FRAMES, step=2),
            {index: mosaic_count(counts, MOSAIC, index) for index in range(0, FAR_FRAMES, EVERY)},
        ),
    }
    yield (
        "| scene | looked at | looks a second | CPU-ms per s | of that detector | people | counted | mean error | "
        "signed error | in the band | rough |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for name, (make, truth) in scenes.items():
        for detection in (Detection.WHOLE, Detection.TILED, Detection.AUTO):
            rates: tuple[int | None, ...] = (None,) if detection == Detection.AUTO else (*RATES, None)
            for rate in rates:
                looks = None if rate is None else ScheduleSettings.steady(rate)
                judged, meter, length_s = watched(make(), truth, detector, looks, detection)
                cost = sum(meter.cpu_s.values()) / length_s * 1e3
                look = meter.cpu_s["detector"] / length_s * 1e3
                yield (
                    f"| {name} | {detection} | {rate or 'as needed'} | {cost:.0f} | {look:.0f} | {judged.row} |"
                )


class Remembering:
    """A detector that looks at each frame of a video once, however often it is asked."""

    def __init__(self, detector: YoloxDetector) -> None:
        self._detector = detector
        self._found: dict[int, Sequence[Person]] = {}

    def detect(self, frame: Frame) -> Sequence[Person]:
        """The people in `frame`."""
        if frame.index not in self._found:
            self._found[frame.index] = self._detector.detect(frame)
        return self._found[frame.index]


def rules(path: Path, detector: YoloxDetector) -> Iterator[str]:
    """The table of what each rule of `crowd.counting` is worth on the square."""
    remembering = Remembering(detector)
    truth = {index: counted.people for index, counted in read_counts().items()}
    without: dict[str, dict[str, object]] = {
        "nothing": {"WALK": counting.WALK},
        "counting who is no track yet": {
            "_not_among": lambda persons, tracks: [
                person for person in _known(persons, tracks) if person.score < COUNTED_SCORE
            ]
        },
        "a mean score that tracks need": {"COUNTED_SCORE": 0.0, "_not_among": _sure_only},
        "taking off who walked out": {"GONE_INSIDE": -1.0},
        "keeping who is hidden for a moment": {"GONE_INSIDE": 2.0},
        "joining who was found with who was lost near by": {"_may_be": lambda *_: False},
    }
    yield "| without | mean error, looks as needed | mean error, a look a second |"
    yield "|---|---|---|"
    for name, changes in without.items():
        cells = []
        for looks in (None, ScheduleSettings.steady(1)):
            with mock.patch.multiple(counting, **changes):
                judged, _, _ = watched(square(path), truth, remembering, looks, Detection.WHOLE)
            cells.append(f"{judged.mean_error:.2f}")
        yield f"| {name} | {' | '.join(cells)} |"


_known = counting._not_among


def _sure_only(persons: Sequence[Person], tracks: Sequence[Track]) -> list[Person]:
    """New people by the usual score, where that of tracks is none."""
    return [person for person in _known(persons, tracks) if person.score >= COUNTED_SCORE]


def sizes(path: Path, detector: YoloxDetector) -> Iterator[str]:
    """The table of people found in one look by their height in pixels of the network's input, whole and tiled."""
    found: dict[str, dict[int, list[bool]]] = {"whole": defaultdict(list), "tiled": defaultdict(list)}
    for across in (1, 2, 3, 4, 5):
        for frame in mosaic(path, across, 61 if across > 1 else 780, step=2 * EVERY):
            boxes = mosaic_boxes(across, frame.index, frame.width // across, frame.height // across)
            scale = INPUT_LENGTH / frame.width
            parts = most_across(frame.width, frame.height)
            looks = {"whole": detector.detect(frame), "tiled": tiled(detector, frame, parts)[0]}
            for name, people in looks.items():
                sure = [person.box for person in people if person.score >= COUNTED_SCORE]
                overlap = iou_matrix(box_array(boxes), box_array(sure)).max(axis=1, initial=0.0)
                for box, best in zip(boxes, overlap, strict=True):
                    bucket = int(np.digitize(box.height * scale, BUCKETS)) - 1
                    found[name][bucket].append(bool(best >= 0.4))
    yield "| height, pixels of the input for the whole | people | found, whole | found, tiled |"
    yield "|---|---|---|---|"
    for bucket in sorted(found["whole"]):
        top = BUCKETS[bucket + 1]
        label = f"{BUCKETS[bucket]} to {top}" if top < BUCKETS[-1] else f"{BUCKETS[bucket]} and more"
        yield (
            f"| {label} | {len(found['whole'][bucket])} | {np.mean(found['whole'][bucket]):.2f} | "
            f"{np.mean(found['tiled'][bucket]):.2f} |"
        )


def crowds(path: Path, detector: YoloxDetector) -> Iterator[str]:
    """The table of people counted in one look by how many are on the square, a tenth of each in detector or more."""
    cuttings = Cuttings(path)
    frames = cuttings.frames
    yield "| people in detector | counted | mean error | signed error | in the band | rough |"
    yield "|---|---|---|---|---|---|"
    for many in CROWDS:
        judged = Judged()
        for start in range(0, len(frames), 5):
            chosen = [frames[(start + n * (len(frames) // many)) % len(frames)] for n in range(many)]
            crowd = cuttings.crowd(chosen)
            frame = Frame(crowd.picture, time_s=0.0, index=0)
            scene = Scene(0.0, frame.width, frame.height)
            count, rough = Counter().observe(scene, detector.detect(frame))[PICTURE]
            judged.pairs.append((count, rough, sum(part >= 0.1 for part in crowd.shown)))
        yield f"| {judged.row} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    detector = load_detector()
    tables = {
        "By looks a second, whole and in tiles": costs(arguments.video, detector),
        "What each rule is worth on the square": rules(arguments.video, detector),
        "One look, by the size of people": sizes(arguments.video, detector),
        "One look at the whole, by how many people are on the square": crowds(arguments.video, detector),
    }
    for name, table in tables.items():
        print(f"#### {name}\n")
        for line in table:
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
