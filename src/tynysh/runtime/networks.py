"""The networks of one process, shared by all its cameras."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.perception.clip_classification import FightClassifier
from tynysh.perception.clip_window import SIDE, STEPS
from tynysh.perception.detector import Detector, load_detector
from tynysh.perception.pose import PoseEstimator, load_pose

USUAL_SIZES = ((1280, 720), (768, 576))
"""Pictures of these shapes (16:9 and 4:3) are what most cameras send; a network is compiled for each shape."""


@dataclass(frozen=True, slots=True)
class Networks:
    """What pipelines are built from. Shared between cameras and threads."""

    detector: Detector
    pose: PoseEstimator
    fight: FightClassifier = field(default_factory=FightClassifier)

    @classmethod
    def load(cls, device: str = "CPU") -> "Networks":
        """Load the networks onto `device`, pulling models that are missing. Raises ModelError."""
        return cls(
            detector=load_detector(device=device),
            pose=load_pose(device=device),
            fight=FightClassifier(device=device),
        )

    def warm_up(self, sizes: Sequence[tuple[int, int]] = USUAL_SIZES) -> None:
        """Compile the networks for pictures of `sizes` (width, height), so that no camera waits for it later."""
        for width, height in sizes:
            blank = Frame(np.zeros((height, width, 3), np.uint8), time_s=0.0, index=0)
            self.detector.detect(blank)
            self.pose.estimate(blank, [Box(0, 0, width / 8, height / 2)])
        self.fight.probability(np.zeros((STEPS, SIDE, SIDE), np.uint8))
