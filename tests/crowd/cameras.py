"""Cameras of known camera_pose over a level floor, and people who walk before them."""

import numpy as np

from tynysh.crowd.camera_pose import CameraPose
from tynysh.geometry import Box
from tynysh.scene.scene import Scene
from tynysh.scene.track import Track

WIDTH, HEIGHT = 1280, 720
ASPECT = WIDTH / HEIGHT


def seen(camera_pose: CameraPose, x, y, z) -> np.ndarray:
    """Where in the picture, normalised, points (x, y, z) of the room are; written apart from the code under test."""
    down = np.cos(camera_pose.tilt), np.sin(camera_pose.tilt)
    depth = y * down[0] + (camera_pose.height - z) * down[1]
    up = y * down[1] - (camera_pose.height - z) * down[0]
    u, v = camera_pose.focal * x / depth, -camera_pose.focal * up / depth
    turn = np.cos(camera_pose.roll), np.sin(camera_pose.roll)
    return np.stack([(u * turn[0] - v * turn[1]) / ASPECT + 0.5, u * turn[1] + v * turn[0] + 0.5], axis=-1)


def some_camera_pose(rng: np.random.Generator) -> CameraPose:
    """As surveillance cameras hang."""
    return CameraPose(
        focal=rng.uniform(0.8, 2.5),
        tilt=np.radians(rng.uniform(8, 45)),
        roll=np.radians(rng.normal(0, 1.5)),
        height=rng.uniform(2.6, 9),
    )


def walking(
    camera_pose: CameraPose,
    rng: np.random.Generator,
    people: int,
    *,
    rate_hz: float = 5.0,
    noise: float = 0.02,
    missed: float = 0.1,
    sitting: float = 0.0,
) -> list[Scene]:
    """Scenes of `people` who cross the floor one after the other, as a detector gives them: boxes that jitter by
    `noise` of their height, and are `missed` at times. sitting: the part of them who are 1.1 m tall. A camera that
    hangs so that hardly anybody is seen whole gives fewer.
    """
    scenes: list[Scene] = []
    began, track_id = 0.0, 0
    for _ in range(20 * people):
        if track_id == people:
            break
        tall = 1.1 if rng.random() < sitting else rng.normal(1.70, 0.10)
        speed, heading = max(0.4, rng.normal(1.34, 0.26)), rng.uniform(0, 2 * np.pi)
        middle = np.array([rng.uniform(-8, 8), rng.uniform(1, 25)])
        times = np.arange(0, 12, 1 / rate_hz)
        way = middle + np.outer(times - 6, speed * np.array([np.cos(heading), np.sin(heading)]))
        depth = way[:, 1] * np.cos(camera_pose.tilt) + (camera_pose.height - tall) * np.sin(camera_pose.tilt)
        way, times = way[depth > 0.5], times[depth > 0.5]
        feet, heads = (
            seen(camera_pose, way[:, 0], way[:, 1], 0.0),
            seen(camera_pose, way[:, 0], way[:, 1], tall),
        )
        in_view = ((feet > 0.01) & (feet < 0.99) & (heads > 0.01) & (heads < 0.99)).all(axis=1)
        if in_view.sum() < 10:
            continue
        track_id += 1
        for at, foot, head in zip(times[in_view], feet[in_view], heads[in_view], strict=True):
            size = (foot[1] - head[1]) * HEIGHT
            jitter = rng.normal(0, noise * size, 4)
            middle_x = (foot[0] + head[0]) / 2 * WIDTH
            box = Box(
                middle_x - 0.18 * size + jitter[0] / 2,
                head[1] * HEIGHT + jitter[1],
                middle_x + 0.18 * size + jitter[2] / 2,
                foot[1] * HEIGHT + jitter[3],
            )
            time_s = began + float(at)
            seen_s = time_s if rng.random() >= missed else time_s - 1 / rate_hz
            track = Track(track_id, box, 0.9, (0.0, 0.0), began, seen_s)
            scenes.append(Scene(time_s, WIDTH, HEIGHT, tracks=(track,)))
        began += 13.0
    return scenes


def length_errors(found, camera_pose: CameraPose, spots: np.ndarray) -> np.ndarray:
    """Logarithms of lengths on the floor over the true ones, between all of `spots` (N, 2), normalised."""
    first, second = np.triu_indices(len(spots), 1)
    true = camera_pose.ground(ASPECT, 0.0)

    def lengths(ground) -> np.ndarray:
        floor = ground.metres(spots)
        return np.hypot(*(floor[first] - floor[second]).T)

    return np.log(lengths(found) / lengths(true))
