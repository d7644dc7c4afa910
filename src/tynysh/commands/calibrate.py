"""`tynysh calibrate`: finds the floor in a video, says how well, and shows it."""

from math import atan, degrees
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from tynysh.commands.options import CameraName, Device, SiteOption
from tynysh.commands.output import report, say

if TYPE_CHECKING:
    from tynysh.crowd.camera_pose import CameraPose
    from tynysh.crowd.learning import Learnt
    from tynysh.crowd.surveying import Survey
    from tynysh.scene.ground import Ground

PICTURES = (".png", ".jpg")
_TRIED = tuple(0.98 - 0.02 * step for step in range(49))
_SIDES = (0.25, 0.75)
"""Where in the picture the floor is looked for, from below, and left and right."""


def calibrate(
    video: Annotated[Path, Argument(metavar="VIDEO", help="A file from the camera, with people walking.")],
    site: SiteOption = None,
    camera: CameraName = None,
    grid: Annotated[
        Path | None, Option("--grid", help="Write a picture with metres laid on the floor (.png, .jpg).")
    ] = None,
    device: Device = "CPU",
) -> int:
    """How the floor lies in a camera's picture, in metres, and how well that is known."""
    from dataclasses import replace
    from random import Random

    import cv2

    from tynysh.commands.output_file import check_writable, write_file
    from tynysh.crowd.learning import FEWEST_PEOPLE
    from tynysh.errors import UsageError
    from tynysh.evaluation.analysis import SEED, analyse_video
    from tynysh.evaluation.camera_choice import plan_for, sites_of
    from tynysh.evaluation.floor_picture import MostPeople, drawn
    from tynysh.media.reader import VideoFile
    from tynysh.runtime.camera_plan import build_pipeline, survey
    from tynysh.runtime.networks import Networks

    check_writable(grid)
    if grid is not None and grid.suffix.lower() not in PICTURES:
        raise UsageError(f"{grid} is no picture.", hint=f"Name a file that ends in {' or '.join(PICTURES)}.")
    # Where people walk is enough: no behaviour is looked for, and so none of the networks for it asked.
    plan = replace(plan_for(sites_of(site), camera, video), analysers={})
    if plan.calibration == "off":
        raise UsageError(
            "The site turns calibration off for this camera.", hint="Take `calibration: off` away."
        )
    opened = VideoFile(video)
    pipeline = build_pipeline(plan, Networks.load(device), ids=Random(SEED))
    shown = MostPeople()
    if isinstance(plan.calibration, str):
        analyse_video(opened, pipeline, on_step=shown.take, keep_people=False)
        learnt = pipeline.learnt
        if learnt is None:
            say(
                f"Nothing is known of the floor: fewer than {FEWEST_PEOPLE} people walked through the video whole and "
                "upright, or they fit no level floor. Measures stay in pixels, and alarms in metres off."
            )
            return 1
        ground = learnt.ground
        _say_learnt(learnt)
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
        found = survey(plan.calibration, scene.width / scene.height)
        ground = found.ground
        _say_surveyed(found)
    _say_quality(ground)
    if isinstance(plan.calibration, str):
        _suggest(ground)
    if grid is not None and shown.best is not None:
        _, picture = cv2.imencode(grid.suffix, drawn(shown.best, ground))
        write_file(grid, picture.tobytes())
    if opened.damage is not None:
        report(opened.damage)
        return opened.damage.exit_code
    return 0


def _say_pose(camera_pose: "CameraPose", aspect: float | None) -> None:
    view = "" if aspect is None else f", {degrees(2 * atan(aspect / 2 / camera_pose.focal)):.0f}° wide"
    say(
        f"Camera: {camera_pose.height:.1f} m above the floor, looking {degrees(camera_pose.tilt):.0f}° down, "
        f"leaning {degrees(camera_pose.roll):+.1f}°{view}."
    )


def _say_learnt(learnt: "Learnt") -> None:
    say(f"Learnt from {learnt.people} people who walked through.")
    _say_pose(learnt.camera_pose, learnt.aspect)


def _say_surveyed(found: "Survey") -> None:
    if found.camera_pose is None:
        say(f"Measured points: off by {found.reprojection:.2%} of the picture's height on average.")
    else:
        say(f"Measured distances: off by {found.reprojection:.1%} of their length on average.")
        _say_pose(found.camera_pose, None)


def _say_quality(ground: "Ground") -> None:
    from tynysh.scene.ground import TRUSTED_ERROR

    enough = (
        "measures are in metres, and alarms in metres on"
        if ground.trusted
        else f"more than {TRUSTED_ERROR:.0%}: measures stay in pixels, and alarms in metres off"
    )
    say(f"Standard error of lengths on the floor: {ground.error:.0%}; {enough}.")


def _suggest(ground: "Ground") -> None:
    """Print four points of the floor as a site file has them, so that what was learnt can be held fast."""
    floor = [y for y in _TRIED if all(ground.metres_at((x, y)) is not None for x in _SIDES)]
    say("calibration:\n  points:")
    # The lowest floor, and half-way from there to the horizon, or to the top of the picture.
    for y in (floor[0], (floor[0] + floor[-1]) / 2):
        for x in _SIDES:
            metres = ground.metres_at((x, y))
            if metres is not None:
                say(f"    - {{at: [{x:.3f}, {y:.3f}], metres: [{metres[0]:.2f}, {metres[1]:.2f}]}}")
