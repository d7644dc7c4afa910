"""What is known of the crowd on one camera, look by look?"""

from collections.abc import Sequence

from tynysh.behaviour.places import foot
from tynysh.behaviour.scene import Scene
from tynysh.crowd.state import PICTURE, CrowdState, Estimate, PlaceCrowd
from tynysh.perception.person import Person


class CrowdMeter:
    """Measures one camera's crowd from its scenes, in order of time; depends on its arguments alone."""

    def __init__(self) -> None:
        self._state: CrowdState | None = None

    def observe(self, scene: Scene, persons: Sequence[Person] | None) -> CrowdState | None:
        """The crowd at `scene` (whose own `crowd` is not set yet); between looks of the detector the last one.

        persons: what the detector found at this instant, None if it did not look. None while nothing is known.
        """
        if persons is None:
            return self._state
        feet = [foot(scene, track.box) for track in scene.tracks]
        places = [(PICTURE, len(feet))]
        places += [(zone.name, sum(zone.contains(point) for point in feet)) for zone in scene.zones]
        self._state = CrowdState(
            scene.time_s,
            tuple(PlaceCrowd(name, Estimate(number, number, number)) for name, number in places),
        )
        return self._state
