"""How long is a reader tried: some fixed examples in `make test`, ever other ones in `make torture`."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy

SECONDS = float(os.environ.get("TYNYSH_TORTURE_S", "0"))
SEED = int(os.environ.get("TYNYSH_TORTURE_SEED", "1"))
LONGEST_S = 20
"""What one input may take on a busy machine; a hang takes longer."""


def try_all(check: Callable[[Any], None], inputs: SearchStrategy[Any], *, examples: int) -> None:
    """Give `check` that many inputs, always the same; in torture, other ones until its time is over."""
    ends_s = time.monotonic() + SECONDS
    limits = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=not SECONDS,
        suppress_health_check=list(HealthCheck),
    )

    def one(given_input: Any) -> None:
        with in_time():
            check(given_input)

    for turn in _turns(ends_s):
        tried = limits(given(inputs)(one))
        (seed(SEED * 1_000_003 + turn)(tried) if SECONDS else tried)()


def randoms(examples: int) -> Iterator[Random]:
    """A source of chance for each of so many inputs; in torture, of other ones until its time is over."""
    ends_s = time.monotonic() + SECONDS
    for turn in _turns(ends_s):
        for number in range(examples):
            yield Random(f"{SEED if SECONDS else 0} {turn} {number}")


def _turns(ends_s: float) -> Iterator[int]:
    turn = 0
    while True:
        yield turn
        turn += 1
        if time.monotonic() >= ends_s:
            return


@contextmanager
def in_time(seconds: int = LONGEST_S) -> Iterator[None]:
    """A context that fails where it takes longer."""

    def too_long(_: int, __: FrameType | None) -> None:
        raise AssertionError(f"an input took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
