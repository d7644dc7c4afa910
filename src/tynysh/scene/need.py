"""What may an analyser need of its scenes that is too dear to be found for every camera?"""

from enum import StrEnum


class Need(StrEnum):
    """What is found only for cameras of which some analyser uses it.

    pose: keypoints of the people who matter. clip_scores: `Scene.clip`. view: `Scene.view`. steered_view: the same of
    a camera that is steered (PTZ), which may look elsewhere at any time. surfaces: `Scene.surfaces`.
    """

    POSE = "pose"
    CLIP_SCORES = "clip_scores"
    VIEW = "view"
    STEERED_VIEW = "steered_view"
    SURFACES = "surfaces"
