"""What is done again and again goes on whatever becomes of one round."""

import asyncio
import contextlib
import threading

import pytest
from structlog.testing import capture_logs

from tynysh.errors import StoreError
from tynysh.periodic import MOST_S, PeriodicThread, Rounds, repeat


class Failing:
    """Fails as told, round by round, and says when all those were done and one more."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.done = threading.Event()

    def __call__(self) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self.done.set()


def test_a_thread_goes_on_after_failures_and_says_which_are_ours() -> None:
    rounds = Failing(StoreError("The database is away."), ZeroDivisionError())
    thread = PeriodicThread("clips", rounds, every_s=0.01)
    with capture_logs() as logs:
        thread.start()
        assert rounds.done.wait(10)
        thread.stop(10)
    assert not thread.is_alive()
    assert [(one["event"], one["what"], one["log_level"]) for one in logs] == [
        ("periodic.put_off", "clips", "warning"),
        ("periodic.broke", "clips", "error"),
    ]


async def test_a_task_goes_on_after_failures_until_it_is_cancelled() -> None:
    rounds = Failing(StoreError("The database is away."), ZeroDivisionError())
    task = asyncio.create_task(repeat("feed", lambda: asyncio.to_thread(rounds), every_s=0.01))
    assert await asyncio.to_thread(rounds.done.wait, 10)
    assert not task.done()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_the_first_round_waits_unless_it_is_due_at_once() -> None:
    for at_once in (False, True):
        rounds = Failing()
        thread = PeriodicThread("house", rounds, every_s=600, at_once=at_once)
        thread.start()
        if at_once:
            assert rounds.done.wait(10)
        thread.stop(10)
        assert not thread.is_alive()
        assert rounds.done.is_set() == at_once


def test_waits_grow_with_failures_in_a_row_and_no_further_than_a_few_seconds() -> None:
    rounds = Rounds("feed", 0.2, at_once=False)
    waits = [rounds.wait_s]
    for _ in range(10):
        with rounds.one():
            raise StoreError("The database is away.")
        waits.append(rounds.wait_s)
    assert min(waits) == pytest.approx(0.2)
    assert waits[3] > waits[1]
    assert MOST_S / 2 <= waits[-1] <= MOST_S
    with rounds.one():
        pass
    assert rounds.wait_s == pytest.approx(0.2)


def test_what_is_done_seldom_is_not_done_oftener_after_a_failure() -> None:
    rounds = Rounds("house", 600.0, at_once=True)
    with rounds.one():
        raise ZeroDivisionError
    assert rounds.wait_s == 600.0
