"""Whose head can be made out in an anonymised clip, where the stream that is recorded lags the one that is analysed?

    python benchmarks/clip_anonymity.py VTEST.avi

VTEST.avi is OpenCV's, in the part of the stream that is recorded; the people of its frames that are labelled in
tests/perception/data/vtest_labels.csv are looked for in the clip that was written. A head is clear if its pattern is
still there: more than half of the fine contrast of the original. `one clock` takes the boxes of the
analysed stream for those of the clip, as is right where one stream is both; `looking` is what is done where they are
two. `blurred` is the part of the picture that is changed. Costs are process CPU time, with what one look at the whole
picture costs to compare them by.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.perception.mot import Label, read_labels
from tynysh.runtime.assembly import Watch, build_pipeline

from tynysh.evaluation.analysis import analyse_video
from tynysh.evidence.anonymised import write_anonymised
from tynysh.evidence.timeline import PeopleTimeline
from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.media.reader import VideoFile
from tynysh.perception.detector import Detector, PartDetector
from tynysh.runtime.networks import Networks
from tynysh.scene.person import Person

LAGS_S = (0.0, 0.2, 0.5, 1.5, 5.0)
CLEAR, FINE_PX = 0.5, 1.5
"""A head is clear if so much of its contrast within so many pixels (standard deviation) is left."""

CHANGED = 24
"""Levels of 256 by which a pixel differs that was blurred, and not only encoded anew."""


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--keep", type=Path, help="a folder for the clips")
    arguments = parser.parse_args()
    networks = Networks.load()
    people = analyse_video(
        VideoFile(arguments.video), build_pipeline(Watch({}), networks, ids=Random(1))
    ).people
    detector = Remembering(networks.detector)
    print("| main lags sub by | clip by | clear heads, near | far | blurred |")
    print("|---|---|---|---|---|")
    costs: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = arguments.keep or Path(place)
        for lag_s in LAGS_S:
            for name, write in (("one clock", by_one_clock), ("looking", by_looking)):
                out = folder / f"{name.replace(' ', '_')}_{lag_s:g}.mp4"
                before = time.process_time()
                write(arguments.video, out, people, lag_s, detector)
                costs.setdefault(name, time.process_time() - before)
                print(f"| {lag_s:g} s | {name} | {judged(arguments.video, out)} |", flush=True)
    seconds = VideoFile(arguments.video).duration_s
    for name, cost in costs.items():
        print(f"\n{name}: {cost * 1e3 / seconds:.0f} CPU-ms per second of clip")
    print(f"\na look at the whole: {detector.whole_s * 1e3 / detector.whole:.1f} CPU-ms")


class Remembering:
    """A detector that is asked about each picture once: for all lags the pictures are the same."""

    def __init__(self, detector: PartDetector) -> None:
        self._detector = detector
        self._known: dict[tuple[int, tuple[Box, ...]], Sequence[Sequence[Person]]] = {}
        self.whole, self.whole_s = 0, 0.0

    def detect(self, frame: Frame) -> Sequence[Person]:
        """See `Detector`."""
        return self.detect_parts(frame, [Box(0, 0, frame.width, frame.height)])[0]

    def detect_parts(self, frame: Frame, parts: Sequence[Box]) -> Sequence[Sequence[Person]]:
        """See `PartDetector`."""
        key = (frame.index, tuple(parts))
        if key not in self._known:
            before = time.process_time()
            self._known[key] = self._detector.detect_parts(frame, parts)
            if len(parts) == 1:
                self.whole, self.whole_s = self.whole + 1, self.whole_s + time.process_time() - before
        return self._known[key]


def by_one_clock(video: Path, out: Path, people: PeopleTimeline, lag_s: float, detector: Detector) -> None:
    """Blur the boxes that the other stream had at the same time; past its end, those of its beginning."""
    end_s = VideoFile(video).frame_times[-1]
    write_anonymised(
        video, out, detector=detector, people_at=lambda time_s: people.at((time_s + lag_s) % (end_s + 1e-6))
    )


def by_looking(video: Path, out: Path, people: PeopleTimeline, lag_s: float, detector: Detector) -> None:
    """Look at the clip; the other stream adds only who must be there."""

    def ways(start_s: float, end_s: float) -> Sequence[Box]:
        return people.ways(start_s + lag_s, end_s + lag_s)

    write_anonymised(video, out, detector=detector, ways=ways)


def judged(original: Path, clip: Path) -> str:
    """The columns of the table about one clip."""
    labels = read_labels()
    clear: dict[bool, list[bool]] = {False: [], True: []}
    changed: list[float] = []
    for number, (before, after) in enumerate(
        zip(VideoFile(original).frames(), VideoFile(clip).frames(), strict=True), start=1
    ):
        if number not in labels:
            continue
        one, other = before.luma.astype(np.float32), after.luma.astype(np.float32)
        assert one.shape == other.shape
        changed.append(float((np.abs(one - other) > CHANGED).mean()))
        for label in labels[number]:
            clear[label.far].append(is_clear(one, other, label))
    near, far = (f"{sum(seen)} of {len(seen)} ({np.mean(seen):.1%})" for seen in (clear[False], clear[True]))
    return f"{near} | {far} | {np.mean(changed):.1%}"


def is_clear(original: NDArray[np.float32], clip: NDArray[np.float32], label: Label) -> bool:
    """Whether the pattern of the head of `label` is the same in both pictures."""
    box = label.box
    middle, half = box.centre[0], max(4.0, box.height / 12)
    left, right = max(0, round(middle - half)), round(middle + half)
    top, bottom = max(0, round(box.top)), round(box.top + max(8.0, box.height / 6))
    fine = [picture - cv2.GaussianBlur(picture, (0, 0), FINE_PX) for picture in (original, clip)]
    one, other = (part[top:bottom, left:right].ravel() for part in fine)
    return float(one @ other) > CLEAR * float(one @ one)


if __name__ == "__main__":
    main()
