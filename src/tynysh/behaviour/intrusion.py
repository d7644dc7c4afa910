"""Is somebody in a zone where nobody may be?"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from tynysh.behaviour.interaction import ramp
from tynysh.behaviour.places import PROTECTED, foot, watched
from tynysh.behaviour.scene import Feed, Scene, Zone
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.geometry import Box, enclosing
from tynysh.perception.track import Track

WINDOW_S = 1.0
YOUNG_S = 0.3
"""A track younger than this may be a mistake of the detector."""


class IntrusionSettings(AnalyserSettings):
    """Settings of `intrusion`. When a zone is forbidden only at some hours, its schedule says so."""

    min_duration_s: MinDuration = 0.8
    cooldown_s: Cooldown = 30.0


class IntrusionAnalyser:
    """Notices people whose feet are in a zone: the named ones, or else those of kind `protected`.

    A person's score is the share of the last second's looks at which the feet were inside, where a look
    counts half if only one side of the feet was, times the certainty of the detection (0 below 0.2, 1 from
    0.5). The zone's score is that of the most certain person. Feet, because a body that covers a zone from
    the camera's view may stand before it.
    """

    behaviour = Behaviour.INTRUSION
    wants_pose = False

    def __init__(self, settings: IntrusionSettings) -> None:
        self._settings = settings
        self._looks: dict[tuple[str, int], deque[tuple[float, float]]] = {}
        self._last: tuple[Signal, ...] = ()

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal per zone in force."""
        if scene.feed is Feed.LOST:
            self._looks.clear()
            self._last = ()
            return ()
        zones = watched(scene, self._settings.zones, PROTECTED)
        if scene.detected:
            self._forget(scene)
            self._last = tuple(self._score(scene, zone) for zone in zones)
        in_force = {zone.name for zone in zones}
        return [replace(signal, time_s=scene.time_s) for signal in self._last if signal.zone in in_force]

    def _score(self, scene: Scene, zone: Zone) -> Signal:
        score, boxes = 0.0, list[Box]()
        for track in scene.tracks:
            certainty = self._inside(scene, zone, track) * ramp(track.score, 0.2, 0.5)
            if certainty > 0.0 and scene.time_s - track.born_s >= YOUNG_S:
                score = max(score, certainty)
                boxes.append(track.box)
        return Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=score,
            box=scene.normalised_box(enclosing(boxes)) if boxes else None,
            people=len(boxes),
            zone=zone.name,
            subject=zone.name,
            reason=Reason("intrusion.zone", {"people": len(boxes), "zone": zone.name}),
        )

    def _inside(self, scene: Scene, zone: Zone, track: Track) -> float:
        """The share of the last second at which the person was inside."""
        looks = self._looks.setdefault((zone.name, track.id), deque())
        box = track.box
        sides = (box._replace(right=box.centre[0]), box._replace(left=box.centre[0]))
        looks.append((scene.time_s, sum(zone.contains(foot(scene, side)) for side in sides) / len(sides)))
        return sum(share for _, share in looks) / len(looks)

    def _forget(self, scene: Scene) -> None:
        for key, looks in list(self._looks.items()):
            while looks and looks[0][0] < scene.time_s - WINDOW_S:
                looks.popleft()
            if not looks:
                del self._looks[key]
