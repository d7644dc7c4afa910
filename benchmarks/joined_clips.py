"""Ordinary clips of each source joined into one video, as one camera would have sent them.

    python benchmarks/joined_clips.py FOLDER/clips.csv OUT
    tynysh analyze --json OUT/*.mp4

clips.csv as for `tynysh evaluate fights`: path, fight, source_video. What is raised on these videos is a false alarm.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tynysh.media.reader import VideoFile

GAP_S = 0.04
"""Seconds between the last picture of a clip and the first of the next."""


def ordinary(listing: Path) -> dict[str, list[Path]]:
    """Source → its clips without a fight, in the order of the list."""
    found: dict[str, list[Path]] = defaultdict(list)
    with listing.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["fight"] == "0":
                found[row["source_video"]].append(listing.parent / row["path"])
    return found


def join(clips: Sequence[Path], out: Path) -> None:
    """Write `clips` one after the other to `out`, in the size of the first."""
    size: tuple[int, int] | None = None
    begun_s = 0.0
    with av.open(str(out), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "16", "preset": "veryfast"}
        stream.codec_context.time_base = Fraction(1, 1000)
        for clip in clips:
            ended_s = 0.0
            for frame in VideoFile(clip).frames():
                if size is None:
                    size = frame.width // 2 * 2, frame.height // 2 * 2
                    stream.width, stream.height = size
                picture = np.ascontiguousarray(cv2.resize(frame.bgr, size))
                video = av.VideoFrame.from_ndarray(picture, format="bgr24")
                video.pts, video.time_base = round(1000 * (begun_s + frame.time_s)), Fraction(1, 1000)
                container.mux(stream.encode(video))
                ended_s = frame.time_s
            begun_s += ended_s + GAP_S
        container.mux(stream.encode())


def main() -> None:
    """Read the arguments and write one video for each source."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("listing", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for source, clips in ordinary(options.listing).items():
        join(clips, options.out / f"{source}.mp4")


if __name__ == "__main__":
    main()
