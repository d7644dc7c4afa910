"""What is there to see on one camera: motion, people and their joints, and what only its pictures show?"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.media.stream_health import StreamHealth
from tynysh.perception.motion import MotionGate
from tynysh.perception.pose import UsualHeights, people_who_matter
from tynysh.perception.schedule import DetectionSchedule
from tynysh.perception.stage import PictureStage
from tynysh.perception.standstill import Standstill
from tynysh.perception.tiling import TiledDetector
from tynysh.perception.tracker import Tracker
from tynysh.perception.turned import TurnedLook
from tynysh.perception.unmatched import unmatched_detections
from tynysh.runtime.meter import Meter, NoMeter
from tynysh.scene.motion import STILL, Motion
from tynysh.scene.person import Keypoints, Person
from tynysh.scene.places import OBJECT, PROTECTED, surroundings
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.track import Track
from tynysh.scene.trajectories import Trajectories
from tynysh.scene.zone import Line, Zone

MOST_POSES = 4
"""People whose pose is estimated in one frame, at most; those who may be down and those nearest each other first."""


class PoseEstimator(Protocol):
    """Estimates the keypoints of the people in given boxes."""

    def estimate(self, frame: Frame, boxes: Sequence[Box]) -> Sequence[Keypoints]:
        """One (26, 3) array per box, in pixels of the frame."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen in one frame.

    persons: what the detector found; None where it did not look. unmatched: where it saw somebody, at its last look,
    whom the tracker is not (yet) sure of: boxes (0..1) by ids below zero.
    """

    scene: Scene
    persons: Sequence[Person] | None
    unmatched: Mapping[int, Box]


class Perception:
    """Looks at one camera's frames in order of time: motion gate, detector where one is due, tracker, pose of those
    who matter, where everybody was before, and the stages that find in pictures what the analysers need.

    zones, lines: of the picture; they are in every scene. turned: looks for those who went down, where that is wanted.
    """

    def __init__(
        self,
        detector: TiledDetector,
        schedule: DetectionSchedule,
        *,
        pose: PoseEstimator | None,
        turned: TurnedLook | None = None,
        stages: Sequence[PictureStage],
        zones: Sequence[Zone] = (),
        lines: Sequence[Line] = (),
        meter: Meter | None = None,
    ) -> None:
        self._gate = MotionGate()
        self._schedule = schedule
        self._detector = detector
        self._tracker = Tracker()
        self._pose = pose
        self._turned = turned
        self._heights = UsualHeights()
        self._standstill = Standstill()
        self._trajectories = Trajectories()
        self._stages = tuple(stages)
        self._zones = tuple(zones)
        self._lines = tuple(lines)
        self._meter = meter or NoMeter()
        self._size = (1, 1)
        self._unmatched: dict[int, Box] = {}
        self._next_unmatched = -1

    def observe(self, frame: Frame, stream: StreamHealth | None) -> Seen:
        """What is in `frame`. stream: how it arrives, where that is measured."""
        self._size = (frame.width, frame.height)
        with self._meter.stage("motion"):
            motion = self._gate.observe(frame)
        tracks, persons = self._people(frame, motion)
        if persons is not None and self._pose is not None:
            tracks = self._with_pose(self._pose, frame, tracks)
        tracks = self._standstill.observe(tracks, motion, frame.time_s, size=self._size)
        scene = Scene(
            time_s=frame.time_s,
            width=frame.width,
            height=frame.height,
            detected=persons is not None,
            tracks=tracks,
            found=tuple(person.box for person in persons or ()),
            motion=motion,
            zones=self._zones,
            lines=self._lines,
            stream=stream,
        )
        self._trajectories.observe(scene)
        scene = dataclasses.replace(scene, trajectories=self._trajectories.now(scene))
        return Seen(self._with_findings(scene, frame), persons, self._unmatched)

    def lost(self, time_s: float, stream: StreamHealth | None) -> Scene:
        """The scene of a moment at which the camera gives no pictures."""
        width, height = self._size
        scene = Scene(
            time_s=time_s,
            width=width,
            height=height,
            detected=False,
            motion=STILL,
            feed=Feed.LOST,
            stream=stream,
        )
        return self._with_findings(scene, None)

    def _people(self, frame: Frame, motion: Motion) -> tuple[tuple[Track, ...], Sequence[Person] | None]:
        """The tracks now, and what the detector found, if it looked."""
        with self._meter.stage("tracker"):
            tracks = self._tracker.predict(frame.time_s)
        if not self._schedule.due(frame.time_s, motion, tracks, self._detector.inferences):
            return tracks, None
        with self._meter.stage("detector"):
            persons = self._detector.detect(frame)
            if self._turned is not None:
                persons = self._turned.observe(frame, persons)
        with self._meter.stage("tracker"):
            tracks = self._tracker.update(persons, frame.time_s)
            if self._turned is not None:
                tracks = self._turned.marked(tracks)
            self._keep_unmatched(persons, tracks, frame)
        return tracks, persons

    def _keep_unmatched(self, persons: Sequence[Person], tracks: Sequence[Track], frame: Frame) -> None:
        """Keep where the detector saw somebody that is none of the tracks, until it looks again."""
        self._unmatched = {}
        for box in unmatched_detections(persons, tracks):
            self._unmatched[self._next_unmatched] = box.scaled(1 / frame.width, 1 / frame.height)
            self._next_unmatched -= 1

    def _with_pose(self, pose: PoseEstimator, frame: Frame, tracks: tuple[Track, ...]) -> tuple[Track, ...]:
        if not tracks:
            return tracks
        with self._meter.stage("pose"):
            chosen = people_who_matter(
                tracks,
                [surroundings(zone.polygon) for zone in self._zones if zone.kind in {PROTECTED, OBJECT}],
                width=frame.width,
                height=frame.height,
                usual_heights=self._heights.observe(tracks, frame.time_s),
                most=MOST_POSES,
            )
            # The network of joints knows people upright, too.
            wanting = [track for track in chosen if track.keypoints is None and not track.turned]
            if not wanting:
                return tracks
            found = pose.estimate(frame, [track.box for track in wanting])
        keypoints = {track.id: points for track, points in zip(wanting, found, strict=True)}
        return tuple(
            dataclasses.replace(track, keypoints=keypoints[track.id]) if track.id in keypoints else track
            for track in tracks
        )

    def _with_findings(self, scene: Scene, frame: Frame | None) -> Scene:
        """`scene` with what the stages find in its picture."""
        with self._meter.stage("pictures"):
            for stage in self._stages:
                scene = stage.observe(scene, frame)
        return scene
