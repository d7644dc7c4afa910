"""Whose head can be made out in an anonymised clip, where the stream that is recorded lags the one that is analysed?

    python benchmarks/clip_anonymity.py VTEST.avi

VTEST.avi is OpenCV's, in the part of the stream that is recorded; the people of its frames that are labelled in
tests/perception/data/vtest_labels.csv are looked for in the clip that was written. A head is clear if its pattern is
still there: more than half of the fine contrast of the original. `one clock` takes the boxes of the
analysed stream for those of the clip, as is right where one stream is both; `looking` is what is done where they are
two. `blurred` is the part of the picture that is changed. Costs are process CPU time.
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

from tynysh.evidence.anonymised import write_anonymised
from tynysh.evidence.timeline import PeopleTimeline
from tynysh.geometry import Box
from tynysh.insight.analysis import analyse_video
from tynysh.media.reader import VideoFile
from tynysh.perception.detector import Detector
from tynysh.runtime.assembly import Watch, build_pipeline
from tynysh.runtime.networks import Networks

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
    print("| main lags sub by | clip by | clear heads, near | far | blurred | CPU-ms per second of clip |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        folder = arguments.keep or Path(place)
        for lag_s in LAGS_S:
            for name, write in (("one clock", by_one_clock), ("looking", by_looking)):
                out = folder / f"{name.replace(' ', '_')}_{lag_s:g}.mp4"
                before = time.process_time()
                write(arguments.video, out, people, lag_s, networks.detector)
                cost = (time.process_time() - before) * 1e3 / VideoFile(arguments.video).duration_s
                print(f"| {lag_s:g} s | {name} | {judged(arguments.video, out)} | {cost:.0f} |", flush=True)


def by_one_clock(video: Path, out: Path, people: PeopleTimeline, lag_s: float, detector: Detector) -> None:
    """Blur the boxes that the other stream had at the same time."""
    write_anonymised(video, out, detector=detector, people_at=lambda time_s: people.at(time_s + lag_s))


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
