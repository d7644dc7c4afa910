"""Waiting doubles up to a bound, and no two wait in step."""

from random import Random

import pytest

from tynysh.backoff import Backoff


def test_the_wait_doubles_up_to_its_bound() -> None:
    backoff = Backoff(first_s=1, most_s=30, random=Random(5))
    waits = [backoff.next_s() for _ in range(12)]
    ceilings = [min(30.0, 2.0**failures) for failures in range(12)]
    assert all(ceiling / 2 <= wait <= ceiling for wait, ceiling in zip(waits, ceilings, strict=True))
    assert backoff.failures == 12


def test_after_a_success_it_begins_anew() -> None:
    backoff = Backoff(first_s=1, most_s=30, random=Random(5))
    for _ in range(6):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 1


def test_days_of_failures_are_waited_out() -> None:
    backoff = Backoff(first_s=0.2, most_s=10, random=Random(5))
    assert all(backoff.next_s() <= 10 for _ in range(5000))


def test_a_wait_may_be_made_longer_for_a_reason() -> None:
    backoff = Backoff(first_s=1, most_s=30, random=Random(5))
    assert 30 <= backoff.next_s(ceiling_s=60) <= 60
    assert backoff.next_s() <= 2


def test_the_jitter_is_what_was_passed_in() -> None:
    one, other, another = (Backoff(random=Random(seed)) for seed in (9, 9, 10))
    waits = [[backoff.next_s() for _ in range(6)] for backoff in (one, other, another)]
    assert waits[0] == waits[1]
    assert waits[0] != pytest.approx(waits[2])
