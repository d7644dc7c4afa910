"""What `tynysh calibrate` does: finds the floor in a video, says how well, and shows it."""

from math import degrees
from pathlib import Path
from random import Random

import cv2
import numpy as np
import typer
from rich.console import Console

from tynysh.commands.analyze import SEED, watch_for
from tynysh.crowd.camera_pose import CameraPose
from tynysh.crowd.grid import floor_grid
from tynysh.crowd.learning import FEWEST_PEOPLE, Learnt
from tynysh.crowd.surveying import Survey
from tynysh.errors import UsageError
from tynysh.evaluation.analysis import analyse_video
from tynysh.evaluation.output_file import check_writable
from tynysh.evidence.anonymised import blurred, scaled_size
from tynysh.geometry import Point
from tynysh.media.frame import Image
from tynysh.media.reader import VideoFile
from tynysh.runtime.camera_plan import build_pipeline, survey
from tynysh.runtime.networks import Networks
from tynysh.runtime.pipeline import Step
from tynysh.scene.ground import TRUSTED_ERROR, Ground
from tynysh.site.yaml import load

MOST_WIDTH = 1280
FINE_M, COARSE_M = 1.0, 5.0
"""Between the thin lines of the grid, and between the thick ones."""

PICTURES = (".png", ".jpg")

# Bits of OpenCV's coordinates that are parts of pixels.
_SHIFT = 4
_FINE, _COARSE = (255, 220, 120), (60, 200, 255)
_TRIED = np.linspace(0.98, 0.02, 49)


def run_calibrate(
    video: Path, site: Path | None, camera: str | None, grid: Path | None, device: str, console: Console
) -> int:
    """Print how the floor lies in `video`, write a picture of it to `grid`; exit code 1 where nothing is known.

    What the site measured is checked; else the floor is learnt from the people in the video. Raises TynyshError.
    """
    check_writable(grid)
    if grid is not None and grid.suffix.lower() not in PICTURES:
        raise UsageError(f"{grid} is no picture.", hint=f"Name a file that ends in {' or '.join(PICTURES)}.")
    watch = watch_for(load(site).sites if site is not None else (), camera, video)
    if watch.calibration == "off":
        raise UsageError(
            "The site turns calibration off for this camera.", hint="Take `calibration: off` away."
        )
    opened = VideoFile(video)
    pipeline = build_pipeline(watch, Networks.load(device), ids=Random(SEED))
    shown = _MostPeople()
    if isinstance(watch.calibration, str):
        analyse_video(opened, pipeline, on_step=shown.take, trails=False)
        learnt = pipeline.learnt
        if learnt is None:
            console.print(
                f"Nothing is known of the floor: fewer than {FEWEST_PEOPLE} people walked through the video whole and "
                "upright, or they fit no level floor. Measures stay in pixels, and alarms in metres off.",
                soft_wrap=True,
            )
            return 1
        ground = learnt.ground
        _say_learnt(console, learnt)
    else:
        for frame in opened.frames():
            step = pipeline.process(frame)
            if step is not None:
                shown.take(step)
            if shown.best is not None:
                break
        if shown.best is None:
            raise UsageError(f"{video} holds no picture.", hint="Name a file that plays.")
        scene = shown.best.scene
        found = survey(watch.calibration, scene.width / scene.height)
        ground = found.ground
        _say_surveyed(console, found)
    _say_quality(console, ground)
    if isinstance(watch.calibration, str):
        _suggest(ground)
    if grid is not None and shown.best is not None:
        _write(grid, drawn(shown.best, ground))
    return 0


def drawn(step: Step, ground: Ground) -> Image:
    """The picture of `step` with people blurred and the grid of metres on its floor."""
    frame = step.frame
    if frame is None:
        raise ValueError("the step has no picture")
    size = scaled_size(frame, MOST_WIDTH)
    picture = blurred(frame, list(step.to_blur.values()), size)
    for step_m, colour, thickness in ((FINE_M, _FINE, 1), (COARSE_M, _COARSE, 2)):
        lines = [
            np.round(np.array(line) * size * 2**_SHIFT).astype(np.int32)
            for line in floor_grid(ground, step_m)
        ]
        cv2.polylines(picture, lines, False, colour, thickness, cv2.LINE_AA, _SHIFT)
    return picture


class _MostPeople:
    """Keeps the step at which the detector saw most people."""

    def __init__(self) -> None:
        self.best: Step | None = None

    def take(self, step: Step) -> None:
        """Look at the next step. Only where the detector looked is it known who has to be blurred."""
        if not step.scene.detected:
            return
        if self.best is None or len(step.scene.tracks) > len(self.best.scene.tracks):
            self.best = step


def _say_mounting(console: Console, camera_pose: CameraPose, aspect: float | None) -> None:
    view = "" if aspect is None else f", {degrees(2 * np.arctan(aspect / 2 / camera_pose.focal)):.0f}° wide"
    console.print(
        f"Camera: {camera_pose.height:.1f} m above the floor, looking {degrees(camera_pose.tilt):.0f}° down, "
        f"leaning {degrees(camera_pose.roll):+.1f}°{view}.",
        soft_wrap=True,
    )


def _say_learnt(console: Console, learnt: Learnt) -> None:
    console.print(f"Learnt from {learnt.people} people who walked through.", soft_wrap=True)
    _say_mounting(console, learnt.camera_pose, learnt.aspect)


def _say_surveyed(console: Console, found: Survey) -> None:
    if found.camera_pose is None:
        console.print(
            f"Measured points: off by {found.reprojection:.2%} of the picture's height on average.",
            soft_wrap=True,
        )
    else:
        console.print(
            f"Measured distances: off by {found.reprojection:.1%} of their length on average.", soft_wrap=True
        )
        _say_mounting(console, found.camera_pose, None)


def _say_quality(console: Console, ground: Ground) -> None:
    enough = (
        "measures are in metres, and alarms in metres on"
        if ground.trusted
        else f"more than {TRUSTED_ERROR:.0%}: measures stay in pixels, and alarms in metres off"
    )
    console.print(f"Standard error of lengths on the floor: {ground.error:.0%}; {enough}.", soft_wrap=True)


def _suggest(ground: Ground) -> None:
    """Print four points of the floor as a site file has them, so that what was learnt can be held fast."""
    corners = [corner for y in (_lowest(ground), _middle(ground)) for corner in ((0.25, y), (0.75, y))]
    typer.echo("calibration:\n  points:")
    for corner in corners:
        metres = ground.metres_at(corner)
        if metres is not None:
            at = ", ".join(f"{part:.3f}" for part in corner)
            typer.echo(f"    - {{at: [{at}], metres: [{metres[0]:.2f}, {metres[1]:.2f}]}}")


def _lowest(ground: Ground) -> float:
    return next(float(y) for y in _TRIED if _on_floor(ground, float(y)))


def _middle(ground: Ground) -> float:
    """Half-way between the lowest floor and the horizon, or the top of the picture."""
    seen = [float(y) for y in _TRIED if _on_floor(ground, float(y))]
    return (seen[0] + seen[-1]) / 2


def _on_floor(ground: Ground, y: float) -> bool:
    ends: tuple[Point, Point] = ((0.25, y), (0.75, y))
    return all(ground.metres_at(end) is not None for end in ends)


def _write(out: Path, picture: Image) -> None:
    _, data = cv2.imencode(out.suffix, picture)
    try:
        out.write_bytes(data.tobytes())
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}.") from None
