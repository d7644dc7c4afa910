"""Has somebody climbed a protected object?"""

from tynysh.behaviour.posture import StandingHeights, upright
from tynysh.behaviour.scores import ramp
from tynysh.scene.places import OBJECT, base, foot, known_feet, stands
from tynysh.scene.scene import Scene
from tynysh.scene.track import Track
from tynysh.scene.zone import Zone

RAISED_LOW, RAISED_HIGH = 0.2, 0.4
"""How far above the object's base the feet must be, in standing heights: not at all up to the first, surely from the
second (0.35 m and 0.7 m for somebody of 1.75 m)."""

HIDDEN, WHOLE = 0.6, 0.8
"""Parts of the standing height that the box shows: up to the first the lower body is hidden behind the object, from the
second nothing is."""


class Climbing:
    """Judges whether people stand on the objects of one camera's zones.

    Somebody on an object shows the feet inside its outline, above its base; so does somebody behind it, whose lower
    body it hides, and who therefore looks too short. What counts is how far the feet are above the base, times how
    surely the whole body is seen: by pose, which finds both feet, or by the height of the box against that of people
    who walk there (of the same person before, where known). Where neither is known, nothing is said.
    """

    def __init__(self) -> None:
        self._heights = StandingHeights()
        self._own: dict[int, float] = {}

    def learn(self, scene: Scene) -> None:
        """Learn standing heights from those who are upright on the ground, once for each look of the detector."""
        objects = [zone for zone in scene.zones if zone.kind == OBJECT]
        own: dict[int, float] = {}
        for track in scene.tracks:
            if track.id in self._own:
                own[track.id] = self._own[track.id]
            ground = stands(scene, track)
            if upright(track.box, track.keypoints) and not any(zone.contains(ground) for zone in objects):
                own[track.id] = track.box.height
                self._heights.learn(foot(scene, track.box)[1], track.box.height)
        self._own = own

    def score(self, scene: Scene, zone: Zone, track: Track) -> float:
        """How surely a person is up on the object of `zone`, in [0, 1]."""
        x, y = stands(scene, track)
        below = base(zone.polygon, x)
        if below is None or not zone.contains((x, y)):
            return 0.0
        standing = self._own.get(track.id) or self._heights.at(below)
        raised = ramp((below - y) * scene.height / (standing or track.box.height), RAISED_LOW, RAISED_HIGH)
        if len(known_feet(track)) == 2:
            return raised
        return 0.0 if standing is None else raised * ramp(track.box.height / standing, HIDDEN, WHOLE)
