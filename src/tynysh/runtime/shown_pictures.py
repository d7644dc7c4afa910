"""The latest picture of a camera that may be shown, and its live view."""

import time
from collections.abc import Callable

from tynysh.behaviour.event import Phase
from tynysh.runtime.blur_gate import BlurGate, Released, Shown
from tynysh.runtime.live_view import LiveView
from tynysh.runtime.pipeline import Step

UNASKED_S = 1.0
"""Pictures that nobody asked for of late are made ready to be shown this far apart, seconds of the stream."""

ASKED_S = 10.0
"""Who asked for a picture is expected to ask again within so many seconds."""


class ShownPictures:
    """Makes pictures ready to be shown as they are released by the blur gate: all while somebody looks, one a second
    otherwise, and the latest when an event begins.

    people: how many are in the latest picture that may be shown. monotonic: seconds that never go back.
    """

    def __init__(self, live: LiveView, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.people = 0
        self._live = live
        self._monotonic = monotonic
        self._gate = BlurGate()
        self._asked_at = -float("inf")
        self._shown: Shown | None = None
        self._not_yet_shown: Released | None = None

    def latest(self) -> Shown | None:
        """The latest picture, for any thread; None before the first. The first that is asked for in a while may be
        `UNASKED_S` behind.
        """
        self._asked_at = self._monotonic()
        return self._shown

    def take(self, step: Step) -> None:
        """Take in a frame with who is in it."""
        scene = step.scene
        looked_at = self._live.watched or self._monotonic() - self._asked_at < ASKED_S
        released = (
            []
            if step.frame is None
            else self._gate.add(
                step.frame,
                step.to_blur,
                sure=scene.detected or not scene.motion.moving,
                all_frames=self._live.watched,
            )
        )
        for one in released:
            self.people = len(scene.tracks)
            self._not_yet_shown = one
            if looked_at or self._shown is None or abs(one[0].time_s - self._shown.time_s) >= UNASKED_S:
                self._show()
        if any(event.phase is Phase.BEGUN for event in step.events):
            self._show()

    def _show(self) -> None:
        """Convert the latest picture that may be shown, in the analysis thread alone, for all who want to see it."""
        if self._not_yet_shown is not None:
            self._shown, self._not_yet_shown = Shown.of(*self._not_yet_shown), None
            self._live.show(self._shown)
