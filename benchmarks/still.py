"""A still scene with sensor noise, as a camera sees a quiet place: the first picture of a video, over and over.

    python benchmarks/still.py VIDEO.avi OUT.mp4 [--seconds 60] [--sigma 3] [--keyint 50]

The noise is Gaussian, independent from picture to picture, with standard deviation `sigma` of 256 levels.
"""

import argparse
from pathlib import Path

import av
import numpy as np

SEED = 7


def make_still(video: Path, out: Path, *, seconds: float, sigma: float, keyint: int, fps: int = 25) -> None:
    """Write the noisy still scene to `out` in H.264."""
    with av.open(str(video)) as source:
        picture = next(source.decode(video=0)).to_ndarray(format="bgr24").astype(np.int16)
    random = np.random.default_rng(SEED)
    # A bank of noise pictures drawn from at random: drawing each pixel anew would take longer than encoding.
    noise = [random.normal(0, sigma, picture.shape).round().astype(np.int16) for _ in range(16)]
    with av.open(str(out), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "23", "g": str(keyint)}
        for _ in range(round(seconds * fps)):
            shift = tuple(int(step) for step in random.integers(0, 500, 2))
            grain = np.roll(noise[int(random.integers(len(noise)))], shift, axis=(0, 1))
            noisy = np.clip(picture + grain, 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, format="bgr24")))
        container.mux(stream.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("video", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--sigma", type=float, default=3)
    parser.add_argument("--keyint", type=int, default=50)
    given = parser.parse_args()
    make_still(given.video, given.out, seconds=given.seconds, sigma=given.sigma, keyint=given.keyint)


if __name__ == "__main__":
    main()
