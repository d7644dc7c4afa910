"""When should the detector look? As often as the scene needs, and no more."""

import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tynysh.geometry import box_array
from tynysh.scene.motion import Motion
from tynysh.scene.track import Track

EARLY, BEHIND = 0.9, 0.5
"""Parts of an interval: after the first a frame is taken rather than the next; by the second the beat falls behind at
most."""


class Urgency(StrEnum):
    """Why the detector looks as often as it does, the most urgent first."""

    CLOSE = "close"
    PEOPLE = "people"
    ALERT = "alert"
    MOTION = "motion"
    STILL_PEOPLE = "still_people"
    EMPTY = "empty"


class ScheduleSettings(BaseModel):
    """Seconds between two looks of the detector, by urgency.

    A look costs far more than everything else that is done with a frame, so these intervals are what a camera
    costs: CPU-ms per second of video are the CPU-ms of a look (`tynysh bench` measures it) divided by the
    interval.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    close_s: float = Field(default=0.2, gt=0, description="People near each other, while something moves.")
    people_s: float = Field(default=0.25, gt=0, description="People, while something moves.")
    alert_s: float = Field(
        default=0.25, gt=0, description="Nobody known, and something began to move just now."
    )
    motion_s: float = Field(
        default=1.0, gt=0, description="Nobody known, although something has moved for long."
    )
    still_people_s: float = Field(default=4.0, gt=0, description="People, and nothing moves.")
    empty_s: float = Field(default=10.0, gt=0, description="Nobody known, and nothing moves.")
    alert_for_s: float = Field(
        default=3.0,
        ge=0,
        description="How long it counts as new that something moves, or that the camera began.",
    )
    settle_s: float = Field(
        default=1.0, ge=0, description="How long to look for somebody just lost as if something moved."
    )
    close_heights: float = Field(
        default=0.75, gt=0, description="People are near each other within so many of their heights."
    )

    most_views_per_s: float | None = Field(
        default=10.0,
        gt=0,
        description="Where the picture is looked at in tiles: how many pictures the network sees a second, at most. "
        "Looks are then rarer, so that they cost no more.",
    )

    @classmethod
    def steady(cls, looks_per_s: float) -> "ScheduleSettings":
        """So many looks a second while anybody is there or something begins to move, in tiles or not: for cameras
        that only count.
        """
        interval_s = 1.0 / looks_per_s
        return cls(
            close_s=interval_s,
            people_s=interval_s,
            alert_s=interval_s,
            motion_s=max(1.0, interval_s),
            still_people_s=max(4.0, interval_s),
            empty_s=max(10.0, interval_s),
            most_views_per_s=None,
        )

    def interval_s(self, need: Urgency, inferences: int = 1) -> float:
        """Seconds between two looks for `need`, each of so many `inferences` of the network."""
        least_s = (
            0.0 if self.most_views_per_s is None or inferences == 1 else inferences / self.most_views_per_s
        )
        return max(least_s, self._wanted_s(need))

    def _wanted_s(self, need: Urgency) -> float:
        return {
            Urgency.CLOSE: self.close_s,
            Urgency.PEOPLE: self.people_s,
            Urgency.ALERT: self.alert_s,
            Urgency.MOTION: self.motion_s,
            Urgency.STILL_PEOPLE: self.still_people_s,
            Urgency.EMPTY: self.empty_s,
        }[need]


class DetectionSchedule:
    """Decides at each frame of one camera whether the detector looks; depends on its arguments alone.

    The first frame is looked at, and so is the one at which something begins to move, however recent the last
    look. Intervals hold on average: looks that come late because frames come when they come are made up for.
    """

    def __init__(self, settings: ScheduleSettings | None = None) -> None:
        self._settings = settings or ScheduleSettings()
        self._looked_s = -math.inf
        self._beat_s = -math.inf
        self._was_moving = False
        self._alert_until_s: float | None = None
        self._missing: dict[int, float] = {}

    def due(self, time_s: float, motion: Motion, tracks: Sequence[Track], inferences: int = 1) -> bool:
        """Whether the detector should look at `time_s`; the caller then does.

        tracks: carried forward to `time_s`. inferences: how often the network runs at a look.
        Called once for each frame, in order of time.
        """
        settings = self._settings
        if time_s < self._looked_s:
            # The camera's clock was set back: what was planned is void.
            self._looked_s = self._beat_s = -math.inf
            self._alert_until_s = None
            self._missing = {}
        self._missing = {
            track.id: self._missing.get(track.id, time_s) for track in tracks if track.seen_s < self._looked_s
        }
        begins = motion.moving and not self._was_moving
        self._was_moving = motion.moving
        if begins or self._alert_until_s is None:
            self._alert_until_s = time_s + settings.alert_for_s
        interval_s = settings.interval_s(self.need(time_s, motion, tracks), inferences)
        # Frames jitter: one that comes a little early is taken rather than the next.
        due_s = self._beat_s + EARLY * interval_s
        if not begins and time_s < due_s:
            return False
        # The beat goes on in steps of the interval, unless it has fallen behind by more than one.
        self._beat_s = max(self._beat_s + interval_s, time_s - BEHIND * interval_s) if not begins else time_s
        self._looked_s = time_s
        return True

    def need(self, time_s: float, motion: Motion, tracks: Sequence[Track]) -> Urgency:
        """What the scene at `time_s` needs."""
        settings = self._settings
        alert = self._alert_until_s is not None and time_s < self._alert_until_s
        lost = any(time_s - since_s < settings.settle_s for since_s in self._missing.values())
        if motion.moving or lost:
            if tracks:
                return Urgency.CLOSE if _near_each_other(tracks, settings.close_heights) else Urgency.PEOPLE
            return Urgency.ALERT if alert else Urgency.MOTION
        if alert:
            return Urgency.ALERT
        return Urgency.STILL_PEOPLE if tracks else Urgency.EMPTY


def _near_each_other(tracks: Sequence[Track], heights: float) -> bool:
    """Whether the feet of any two people are within `heights` of the taller one's height."""
    if len(tracks) < 2:
        return False
    left, top, right, bottom = box_array([track.box for track in tracks]).T
    middle, tall = (left + right) / 2, bottom - top
    apart = np.hypot(middle[:, None] - middle, bottom[:, None] - bottom)
    np.fill_diagonal(apart, np.inf)
    return bool((apart <= heights * np.maximum(tall[:, None], tall)).any())
