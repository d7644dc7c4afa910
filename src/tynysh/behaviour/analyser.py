"""The protocol of an analyser: scenes in, signals out, and nothing else; no pictures of people."""

from collections.abc import Sequence
from typing import Protocol

from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.scene.scene import Scene


class Analyser(Protocol):
    """Looks at one camera's scenes in order of time and scores one behaviour.

    An analyser keeps what it needs of the recent past, and depends on nothing but the scenes handed to it:
    the same scenes give the same signals, live, on a file and in evaluation.
    """

    @property
    def behaviour(self) -> Behaviour:
        """The behaviour that it scores."""
        ...

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """The signals at this instant: none where there is nothing to say, one of score 0 for calm."""
        ...
