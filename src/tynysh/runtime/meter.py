"""What each stage of the pipeline costs."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol


class Meter(Protocol):
    """Told which stage is at work; sums up what it costs, or does nothing."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """A context in which the work belongs to stage `name`; stages do not nest."""
        ...


class NoMeter:
    """Measures nothing, at no cost."""

    _nothing = nullcontext()

    def stage(self, name: str) -> AbstractContextManager[None]:  # noqa: ARG002 - the protocol's signature
        """A context that does nothing."""
        return self._nothing


class CpuMeter:
    """Sums the CPU time of the whole process, all its threads, by stage.

    Right only where stages run one after the other, as in offline analysis.
    """

    def __init__(self) -> None:
        self.cpu_s: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A context whose CPU time is added to stage `name`."""
        before = time.process_time()
        try:
            yield
        finally:
            self.cpu_s[name] += time.process_time() - before
            self.calls[name] += 1
