"""Events of a camera whose recording stopped or loses pictures."""

import dataclasses
from collections.abc import Callable
from random import Random

from tynysh.behaviour.event import Event, Phase, fault_begun
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.media.recorder import RecorderStatus


class RecordingEvents:
    """Makes events of what a recorder reports, in the recorder's thread.

    on_event: is told of them. ids: makes their ids.
    """

    def __init__(self, on_event: Callable[[Event], None], ids: Random) -> None:
        self._on_event = on_event
        self._ids = ids
        self._open: Event | None = None

    def changed(self, status: RecorderStatus) -> None:
        """Recording stopped, loses pictures or goes on."""
        if self._open is not None and status.detail != self._open.subject:
            # It goes on, or there is nothing to record any more, or something else is the matter.
            self.close(status.since)
        if status.detail is not None and self._open is None:
            self._open = fault_begun(
                Behaviour.RECORDING_FAULT,
                status.detail,
                Reason(f"recording_fault.{status.detail.rpartition('.')[2]}"),
                start_s=status.since,
                decided_s=status.since,
                ids=self._ids,
            )
            self._on_event(self._open)

    def close(self, time_s: float) -> None:
        """What is open ends at `time_s` (Unix time)."""
        if self._open is not None:
            ended, self._open = self._open, None
            self._on_event(dataclasses.replace(ended, phase=Phase.ENDED, end_s=time_s))
