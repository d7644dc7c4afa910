"""A blind camera is noticed, and noticed to see again."""

import numpy as np
import pytest
from tests.behaviour.scenes import scene, times

from tynysh.behaviour.camera_fault import CameraFaultAnalyser, CameraFaultSettings
from tynysh.behaviour.scene import Feed, Scene
from tynysh.media.frame import Frame

SETTINGS = CameraFaultSettings(lost_s=5, frozen_s=10, dark_s=5)


def picture(seed: int, level: float = 110.0, noise: float = 3.0) -> np.ndarray:
    """A grey scene with sensor noise."""
    base = np.linspace(0.5, 1.3, 160)[None, :, None] * np.full((90, 160, 3), level)
    return np.clip(base + np.random.default_rng(seed).normal(0, noise, base.shape), 0, 255).astype(np.uint8)


def seen(time_s: float, image: np.ndarray) -> Scene:
    return scene(time_s, frame=Frame(image, time_s=time_s, index=0))


def highest(analyser: CameraFaultAnalyser, scenes: list[Scene]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in scenes:
        for signal in analyser.observe(one):
            found[signal.subject] = max(found.get(signal.subject, 0.0), signal.score)
    return found


def test_a_noisy_picture_of_anything_is_no_fault() -> None:
    found = highest(
        CameraFaultAnalyser(SETTINGS), [seen(t, picture(i)) for i, t in enumerate(times(0, 30, 0.2))]
    )
    assert found == {"lost": 0.0, "frozen": 0.0, "dark": 0.0}


def test_no_pictures_for_the_limit_is_a_lost_camera_until_they_come_back() -> None:
    analyser = CameraFaultAnalyser(SETTINGS)
    lost = [scene(t, feed=Feed.LOST, detected=False) for t in times(0, 8, 0.5)]
    assert highest(analyser, lost[:9])["lost"] < 0.6
    assert highest(analyser, lost[9:])["lost"] >= 0.6
    back = analyser.observe(seen(8.0, picture(1)))
    assert {signal.subject: signal.score for signal in back}["lost"] == 0.0


def test_the_same_picture_again_and_again_is_a_frozen_camera() -> None:
    analyser = CameraFaultAnalyser(SETTINGS)
    alive = [seen(t, picture(i)) for i, t in enumerate(times(0, 10, 0.2))]
    frozen = [seen(t, picture(7)) for t in times(10, 25, 0.2)]
    assert highest(analyser, alive)["frozen"] == 0.0
    found = highest(analyser, frozen)
    assert found["frozen"] >= 0.6
    assert found["dark"] == 0.0


def test_a_still_scene_with_little_noise_is_not_frozen() -> None:
    scenes = [seen(t, picture(i, noise=0.7)) for i, t in enumerate(times(0, 40, 0.2))]
    assert highest(CameraFaultAnalyser(SETTINGS), scenes)["frozen"] == 0.0


def test_a_camera_that_never_showed_noise_must_stand_still_for_longer() -> None:
    still = [seen(t, picture(7)) for t in times(0, 70, 0.5)]
    analyser = CameraFaultAnalyser(SETTINGS)
    assert highest(analyser, still[:100])["frozen"] < 0.6
    assert highest(analyser, still[100:])["frozen"] >= 0.6


@pytest.mark.parametrize(("level", "dark"), [(8.0, True), (60.0, False)])
def test_a_covered_lens_is_dark_and_a_dim_scene_is_not(level: float, dark: bool) -> None:
    scenes = [seen(t, picture(i, level)) for i, t in enumerate(times(0, 8, 0.2))]
    assert (highest(CameraFaultAnalyser(SETTINGS), scenes)["dark"] >= 0.6) is dark


def test_a_night_scene_with_one_lamp_is_not_dark() -> None:
    night = picture(1, 8.0)
    night[10:30, 10:30] = 230
    scenes = [seen(t, night) for t in times(0, 8, 0.2)]
    assert highest(CameraFaultAnalyser(SETTINGS), scenes)["dark"] == 0.0
