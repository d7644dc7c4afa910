"""Events with what matters to a test, and something for the rest."""

import uuid

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour


def an_event(
    behaviour: Behaviour = Behaviour.FIGHT,
    start_s: float = 1000.0,
    end_s: float | None = None,
    **more: object,
) -> Event:
    """An event that holds, or with `end_s` has ended."""
    usual: dict[str, object] = {
        "id": str(uuid.uuid4()),
        "phase": Phase.BEGUN if end_s is None else Phase.ENDED,
        "decided_s": start_s + 1.0,
        "score": 0.9,
        "box": None,
        "people": 2,
        "zone": None,
        "subject": "",
        "reason": None,
    }
    return Event(behaviour=behaviour, start_s=start_s, end_s=end_s, **(usual | more))  # type: ignore[arg-type]
