"""Can the camera be relied on: do pictures come, are they live, and do they show what they should?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from pydantic import Field

from tynysh.behaviour.scores import AT_LIMIT
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Severity, shipped
from tynysh.behaviour.stream_habits import StreamHabits
from tynysh.scene.fault import CameraFault
from tynysh.scene.need import Need
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.view import View

LAPSE_S = 1.2
"""What is not seen for so long is over; a single look that says otherwise is not enough."""

UNKNOWN_FACTOR = 180.0
"""A camera that never showed noise must stand still for so many times as long: at night an encoder may drop what noise
there is from an empty corridor, for minutes."""

NAME_FADES = 0.8
"""What is left, from one comparison of the view to the next, of how often a fault was called by a name."""

IN_THE_PICTURE = (
    CameraFault.COVERED,
    CameraFault.MOVED,
    CameraFault.DEFOCUSED,
    CameraFault.DARK,
    CameraFault.GLARE,
    CameraFault.WRONG_PICTURE,
)


REASONS = {fault: Reason(f"camera_fault.{fault}") for fault in CameraFault}
OTHER_SCENE = Reason("camera_fault.other_scene")

IN_THE_STREAM = (CameraFault.TIMESTAMPS, CameraFault.BIT_RATE)


class CameraFaultSettings(AnalyserSettings):
    """Settings of `camera_fault`."""

    release_s: ClassVar[float] = 1.0

    min_duration_s: MinDuration = 0.0
    cooldown_s: Cooldown = 10.0
    lost_s: Annotated[
        float,
        Field(
            ge=1.0,
            le=3600.0,
            title="Lost after",
            description="Seconds without pictures that are a fault. Shorter drops of the line are none.",
        ),
    ] = 4.0
    frozen_s: Annotated[
        float,
        Field(
            ge=1.0,
            le=3600.0,
            title="Frozen after",
            description="Seconds of the same picture that are a fault; 180 times as many where pictures show no noise.",
        ),
    ] = 3.5
    dark_s: Annotated[
        float,
        Field(ge=1.0, le=3600.0, title="Dark after", description="Seconds of darkness that are a fault."),
    ] = 3.0
    view_s: Annotated[
        float,
        Field(
            ge=1.0,
            le=3600.0,
            title="View gone after",
            description="Seconds for which the picture must be covered, moved, defocused, glaring or wrong.",
        ),
    ] = 3.0
    stream_s: Annotated[
        float,
        Field(
            ge=0.5,
            le=3600.0,
            title="Stream wrong after",
            description="Seconds for which the stream's times or its bit rate must be wrong.",
        ),
    ] = 1.5
    ptz: Annotated[
        bool,
        Field(
            title="Steered",
            description="Whether the camera is steered (PTZ), so that it may look elsewhere at any time.",
        ),
    ] = False


@dataclass(slots=True)
class _Since:
    """Since when a fault has been seen, if it has, and when it last was."""

    since_s: float | None = None
    seen_s: float = 0.0

    def observe(
        self, present: bool, time_s: float, *, since_s: float | None = None, lapse_s: float = LAPSE_S
    ) -> None:
        """Take whether it is `present` at `time_s`; `since_s` where it is known to have begun earlier. It is over when
        it was not seen for `lapse_s`, and when the clock was set back.
        """
        if time_s < self.seen_s:
            self.since_s = None
        if present:
            if self.since_s is None:
                self.since_s = time_s if since_s is None else min(since_s, time_s)
            self.seen_s = time_s
        elif self.since_s is not None and time_s - self.seen_s >= lapse_s:
            self.since_s = None

    def score(self, time_s: float, limit_s: float) -> float:
        """`AT_LIMIT` when it has lasted for `limit_s`."""
        if self.since_s is None:
            return 0.0
        return min(1.0, AT_LIMIT * (time_s - self.since_s) / limit_s)


class CameraFaultAnalyser:
    """Scores a camera's faults, each a subject of its own: score = min(1, 0.6 t / limit), with t the seconds that it
    has lasted; a fault that is not seen for 1.2 s is over, and glare, until it counts, at the first look
    without it, as between the cars of a queue.

    - lost: no pictures arrive. It began with the last one.
    - frozen: the same picture comes over and over (`perception.view.stillness`).
    - timestamps, bit rate: the stream does not keep time, or the camera's own clock, where it tells, is another than
      ours; far less arrives than usual (`StreamHabits`); only where somebody measures the stream.
    - covered, moved, defocused, dark, glare, wrong picture: the view is not what it was (`perception.view.health`).
      They share one clock, for a cloth may look like darkness first; the fault is called what it was called most of
      late.
    """

    behaviour = Behaviour.CAMERA_FAULT

    def __init__(self, settings: CameraFaultSettings) -> None:
        self._settings = settings
        self._lost = _Since()
        self._picture_s: float | None = None
        self._view = View()
        self._gone = _Since()
        self._names = dict.fromkeys(IN_THE_PICTURE, 0.0)
        self._other_scene = False
        self._habits = StreamHabits()
        self._clock_off_s: float | None = None
        self._stream = {fault: _Since() for fault in IN_THE_STREAM}

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal per fault; none on the picture for scenes that tell nothing of it."""
        time_s = scene.time_s
        if scene.feed is Feed.LOST:
            self._lost.observe(True, time_s, since_s=self._last_sign_s(scene))
            self._view = replace(self._view, same_since_s=None)
            self._gone.observe(False, time_s)
        else:
            self._lost.since_s = None
            self._picture_s = time_s
        lost = self._signal(
            scene, CameraFault.LOST, self._lost.score(time_s, self._settings.lost_s), self._lost.since_s
        )
        if scene.view is not None:
            self._view = scene.view
            if scene.view.compared:
                self._name(scene.view)
                self._gone.observe(scene.view.fault is not None, time_s, lapse_s=self._view_lapse_s())
        elif scene.feed is Feed.LIVE:
            return [lost]
        return [lost, self._frozen(scene), *self._viewed(scene), *self._streamed(scene)]

    def _last_sign_s(self, scene: Scene) -> float | None:
        """When the last packet came, or the last picture where nobody measures the stream."""
        if scene.stream is not None:
            return scene.time_s - scene.stream.silent_s
        return self._picture_s

    def _name(self, view: View) -> None:
        """Count what the fault is called, and forget what it was called long ago."""
        for fault in self._names:
            self._names[fault] *= NAME_FADES
        if view.fault is not None:
            self._names[view.fault] += 1.0
            self._other_scene = view.other_scene

    def _named(self) -> CameraFault:
        """What the fault of the view was called most of late."""
        return max(IN_THE_PICTURE, key=self._names.__getitem__)

    def _view_lapse_s(self) -> float:
        """For how long the view must be seen again until its fault is over. Behind a car's headlights a single look
        does it, unless glare lasted for long enough before.
        """
        lasted = self._gone.score(self._gone.seen_s, self._settings.view_s) >= AT_LIMIT
        return 0.0 if self._named() is CameraFault.GLARE and not lasted else LAPSE_S

    def _frozen(self, scene: Scene) -> Signal:
        since_s = self._view.same_since_s
        limit_s = self._settings.frozen_s * (1.0 if self._view.noisy else UNKNOWN_FACTOR)
        score = 0.0 if since_s is None else min(1.0, AT_LIMIT * (scene.time_s - since_s) / limit_s)
        if self._view.fault is not None:
            # A slate stands still, and so does what light drowns or a cloth covers: that is what it is called.
            score = 0.0
        return self._signal(scene, CameraFault.FROZEN, score, since_s)

    def _streamed(self, scene: Scene) -> list[Signal]:
        if scene.stream is None:
            return []
        live = scene.feed is Feed.LIVE
        fault = self._view.fault
        # What is covered or dark is said in few bytes, and so it is for a moment after that: no habit to compare with.
        dimmed = self._view.dimmed or fault not in {None, CameraFault.DEFOCUSED}
        clock_wrong = live and self._habits.clock_wrong(scene.stream)
        jumping = live and self._habits.timestamps_wrong(scene.stream, scene.time_s)
        if jumping or not clock_wrong:
            self._clock_off_s = None
        elif scene.stream.clock_ahead_s is not None:
            self._clock_off_s = abs(scene.stream.clock_ahead_s)
        wrong = {
            CameraFault.TIMESTAMPS: jumping or clock_wrong,
            CameraFault.BIT_RATE: live
            and self._habits.collapsed(scene.stream, scene.time_s, moving=scene.motion.moving, dimmed=dimmed)
            and fault is None,
        }
        for kind, since in self._stream.items():
            since.observe(wrong[kind], scene.time_s)
        limit_s = self._settings.stream_s
        return [
            self._signal(scene, kind, since.score(scene.time_s, limit_s), since.since_s)
            for kind, since in self._stream.items()
        ]

    def _viewed(self, scene: Scene) -> list[Signal]:
        settings = self._settings
        named = self._named()
        limit_s = settings.dark_s if named is CameraFault.DARK else settings.view_s
        score = self._gone.score(scene.time_s, limit_s)
        return [
            self._signal(scene, fault, score if fault is named else 0.0, self._gone.since_s)
            for fault in IN_THE_PICTURE
        ]

    def _signal(self, scene: Scene, fault: CameraFault, score: float, since_s: float | None) -> Signal:
        reason = REASONS[fault]
        if fault is CameraFault.WRONG_PICTURE and self._other_scene:
            reason = OTHER_SCENE
        elif fault is CameraFault.TIMESTAMPS and self._clock_off_s is not None:
            reason = Reason("camera_fault.clock", {"hours": round(self._clock_off_s / 3600.0, 1)})
        return Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=max(0.0, score),
            subject=fault,
            reason=reason,
            since_s=since_s if score > 0.0 else None,
        )


def _needs(settings: CameraFaultSettings) -> frozenset[Need]:
    """What is the matter with the picture."""
    return frozenset({Need.STEERED_VIEW if settings.ptz else Need.VIEW})


SPEC = AnalyserSpec(
    id=Behaviour.CAMERA_FAULT,
    settings=CameraFaultSettings,
    factory=CameraFaultAnalyser,
    family="camera",
    rank=90,
    severity=Severity(2, long_s=600.0),
    needs=_needs,
    words=shipped("camera_fault"),
    by_default=True,
    technical=True,
)
