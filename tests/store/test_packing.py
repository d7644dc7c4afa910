"""Minutes come back from their packs as they went in, to the last step, and quiet ones take next to nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tynysh.crowd.minutes import Measure, Minutes
from tynysh.errors import StoreError
from tynysh.store.packing import pack, unpack

STEPS = [1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.01, 0.01, 0.05, 0.001, 1, 1]


def drawn(number: int, seed: int, *, unknown: float = 0.2, most: float = 50.0) -> Minutes:
    random = np.random.default_rng(seed)
    figures = random.uniform(0, most, (number, len(Measure)))
    figures[random.random(figures.shape) < unknown] = np.nan
    at = 29_000_000 + np.sort(random.choice(3 * number, number, replace=False))
    return Minutes(at, figures)


@given(
    st.integers(1, 80),
    st.integers(0, 1000),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([0.5, 90.0, 9e4]),
)
def test_minutes_come_back_to_within_half_a_step(number: int, seed: int, unknown: float, most: float) -> None:
    minutes = drawn(number, seed, unknown=unknown, most=most)
    back = unpack(pack(minutes))
    assert back.at.tolist() == minutes.at.tolist()
    assert (np.isnan(back.figures) == np.isnan(minutes.figures)).all()
    assert (np.nan_to_num(np.abs(back.figures - minutes.figures)) <= 0.501 * np.array(STEPS)).all()


def test_packing_again_changes_nothing_more() -> None:
    once = unpack(pack(drawn(100, 3)))
    again = unpack(pack(once))
    np.testing.assert_allclose(again.figures, once.figures, atol=1e-9)


def test_a_quiet_day_takes_a_few_bytes() -> None:
    figures = np.full((1440, len(Measure)), np.nan)
    figures[:, Measure.SEEN] = 60
    figures[:, Measure.COUNT : Measure.ROUGH + 1] = 0
    assert len(pack(Minutes(np.arange(1440), figures))) < 150


def test_damage_is_said_to_be_damage() -> None:
    packed = pack(drawn(100, 1))
    with pytest.raises(StoreError, match="damaged"):
        unpack(packed[: len(packed) // 2])
    with pytest.raises(StoreError, match="damaged"):
        unpack(b"")


def test_what_a_later_version_wrote_is_not_guessed_at() -> None:
    with pytest.raises(StoreError, match="version 9"):
        unpack(b"\x09" + pack(drawn(3, 1))[1:])
