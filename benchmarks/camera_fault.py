"""What it costs to know that a camera can be relied on.

    python benchmarks/camera_fault.py VTEST.avi

Process CPU time of `camera_fault` and what looks at pictures for it alone, on one thread, milliseconds for a second of
video: decoding and everything else left out. The same pictures are given at several sizes, ten a second as the pipeline
takes them.
"""

import argparse
import time
from itertools import islice
from pathlib import Path

import cv2

from tynysh.behaviour.camera_fault import CameraFaultAnalyser, CameraFaultSettings
from tynysh.media.frame import Frame
from tynysh.media.reader import VideoFile
from tynysh.perception.view.inspection import ViewInspection
from tynysh.scene.scene import Scene

SIZES = ((352, 288), (640, 360), (768, 576), (1280, 720), (1920, 1080))
RATE = 10.0
SECONDS = 40


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    video: Path = parser.parse_args().video
    cv2.setNumThreads(1)
    print("| picture | CPU-ms per second of video | while the view is gone |")
    print("|---|---|---|")
    for width, height in SIZES:
        stage, analyser = ViewInspection(), CameraFaultAnalyser(CameraFaultSettings())
        usual = cost(stage, analyser, video, width, height, 0.0, spoil=False)
        spoilt = cost(stage, analyser, video, width, height, float(SECONDS), spoil=True)
        print(f"| {width}x{height} | {usual:.1f} | {spoilt:.1f} |")


def cost(
    stage: ViewInspection,
    analyser: CameraFaultAnalyser,
    video: Path,
    width: int,
    height: int,
    start_s: float,
    *,
    spoil: bool,
) -> float:
    """CPU-ms per second of video, while `stage` looks at `video` in one size; moved aside if it is to `spoil`."""
    spent = 0.0
    count = 0
    for frame in islice(VideoFile(video).frames(), int(SECONDS * RATE)):
        luma = cv2.resize(frame.luma, (width, height), interpolation=cv2.INTER_LINEAR)
        if spoil:
            luma = luma[:, ::-1].copy()
        time_s = start_s + count / RATE
        shown = Frame(frame.bgr_resized(16, 16), time_s=time_s, index=count)
        shown.width, shown.height = width, height
        # As a decoder gives it: brightness needs no conversion.
        shown.__dict__["luma"] = luma
        scene = Scene(time_s=time_s, width=width, height=height)
        before = time.process_time()
        analyser.observe(stage.observe(scene, shown))
        spent += time.process_time() - before
        count += 1
    return 1000.0 * spent / (count / RATE)


if __name__ == "__main__":
    main()
