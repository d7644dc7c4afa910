"""Is every picture of a camera worth decoding now?"""

from collections.abc import Callable

from tynysh.behaviour.event import Phase
from tynysh.runtime.pipeline import Step


class DecoderActivity:
    """Tells the decoder to be active while something moves, an event holds or somebody watches.

    set_active: of the feed. watched: whether somebody watches live.
    """

    def __init__(self, set_active: Callable[[bool], None], watched: Callable[[], bool]) -> None:
        self._set_active = set_active
        self._watched = watched
        self._open_events: set[str] = set()

    def take(self, step: Step) -> None:
        """Take in what moves and what events hold."""
        for event in step.events:
            if event.phase is Phase.ENDED:
                self._open_events.discard(event.id)
            else:
                self._open_events.add(event.id)
        if step.frame is not None:
            self._set_active(step.scene.motion.moving or bool(self._open_events) or self._watched())
