"""The networks of one process, shared by all its cameras."""

from dataclasses import dataclass

from tynysh.perception.detector import Detector, load_detector
from tynysh.perception.pose import PoseEstimator, load_pose


@dataclass(frozen=True, slots=True)
class Networks:
    """What pipelines are built from. Shared between cameras and threads. device: where they run."""

    detector: Detector
    pose: PoseEstimator
    device: str = "CPU"

    @classmethod
    def load(cls, device: str = "CPU") -> "Networks":
        """Load the networks onto `device`, pulling models that are missing. Raises ModelError."""
        return cls(detector=load_detector(device=device), pose=load_pose(device=device), device=device)
