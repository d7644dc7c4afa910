"""One camera's analysis: its frames go through the pipeline, and what each came to goes to all who listen."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

import structlog

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.events import Rule
from tynysh.behaviour.signal import Behaviour
from tynysh.media.camera import FeedTick
from tynysh.media.camera_status import CameraState
from tynysh.media.frame import Frame
from tynysh.media.source_fault import SourceFault
from tynysh.media.stream_health import StreamHealth
from tynysh.runtime.pipeline import Pipeline, Step

log = structlog.get_logger(__name__)

STALLED = f"media.fault.{SourceFault.STALLED}"
"""What is the matter with a camera that is connected and sends nothing."""

Given = TypeVar("Given")


class StepListener(Protocol):
    """Is handed what each analysed frame of a camera came to, in order of time, in the analysis thread."""

    def take(self, step: Step) -> None:
        """Take in a step; its frame is None while the camera gives no pictures."""
        ...


class AnalysisLoop:
    """Analyses what arrives of one camera until nothing more does.

    listeners: each is handed every step, in this order. on_event: is told of every event after that. What is raised in
    one of them is logged, once until it works again, and keeps neither the others nor the analysis from going on; what
    is raised in the pipeline ends it.
    """

    def __init__(
        self,
        name: str,
        pipeline: Pipeline,
        listeners: Sequence[StepListener],
        on_event: Callable[[Event], None],
    ) -> None:
        self.analysed = 0
        self.analysed_at_s: float | None = None
        self._name = name
        self._pipeline = pipeline
        self._takers = tuple(listener.take for listener in listeners)
        self._on_event = on_event
        self._failing: set[Callable[..., None]] = set()
        self._open: dict[str, Event] = {}
        self._abandoned = False
        self._rules: Mapping[Behaviour, Rule] | None = None
        self._rules_in_force: Mapping[Behaviour, Rule] | None = None

    def retune(self, rules: Mapping[Behaviour, Rule]) -> None:
        """Make events of these behaviours by other rules, from the next frame on; from any thread."""
        self._rules = rules

    def run(self, arriving: Iterable[Frame | FeedTick], health: Callable[[], StreamHealth | None]) -> None:
        """Analyse what is `arriving` to its end, and end the events that hold then. health: of the stream, now."""
        time_s = 0.0
        try:
            for arrived in arriving:
                time_s = arrived.time_s
                step = self._step(arrived, health())
                if step is not None:
                    self._hand_out(step)
        finally:
            for event in self._pipeline.close(time_s):
                self._tell(event)

    def abandon(self, time_s: float) -> None:
        """It hangs, and nobody waits for it: end the events that hold at `time_s` and hand out nothing more, should it
        ever go on; from any thread.
        """
        self._abandoned = True
        for event in list(self._open.values()):
            end_s = max(time_s, event.known_until_s)
            self._on_event(dataclasses.replace(event, phase=Phase.ENDED, end_s=end_s))

    def _step(self, arrived: Frame | FeedTick, stream: StreamHealth | None) -> Step | None:
        if isinstance(arrived, FeedTick):
            status = arrived.status
            if status.state is CameraState.LOST or status.detail == STALLED:
                return self._pipeline.lost(arrived.time_s, stream)
            return None
        rules = self._rules
        if rules is not None and rules is not self._rules_in_force:
            self._pipeline.retune(rules)
            self._rules_in_force = rules
        step = self._pipeline.process(arrived, stream)
        if step is not None:
            self.analysed += 1
            self.analysed_at_s = time.monotonic()
        return step

    def _hand_out(self, step: Step) -> None:
        for take in self._takers:
            self._hand(take, step)
        for event in step.events:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        if event.phase is Phase.ENDED:
            self._open.pop(event.id, None)
        else:
            self._open[event.id] = event
        self._hand(self._on_event, event)

    def _hand(self, taker: Callable[[Given], None], given: Given) -> None:
        if self._abandoned:
            return
        try:
            taker(given)
        except Exception:
            if taker not in self._failing:
                log.exception("camera.listener_broke", camera=self._name, listener=taker.__qualname__)
            self._failing.add(taker)
        else:
            self._failing.discard(taker)
