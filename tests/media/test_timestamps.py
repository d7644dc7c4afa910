"""Timestamps that lie are mended; those that do not are left alone."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tynysh.media.timestamps import TimestampMender


def mended(stamps, **settings):
    mender = TimestampMender(**settings)
    times = [mender.mend(pts, dts) for pts, dts in stamps]
    return [stamp.time_s for stamp in times], [stamp.decode_time_s for stamp in times], mender.mended


def plain(*times):
    return [(time, time) for time in times]


def test_good_stamps_are_kept_and_begin_at_the_start():
    times, _, count = mended(plain(5.0, 5.04, 5.08, 5.12))
    assert times == pytest.approx([0, 0.04, 0.08, 0.12])
    assert count == 0


def test_reordered_pictures_keep_their_own_times():
    times, decode, count = mended([(0.08, 0.0), (0.2, 0.04), (0.12, 0.08), (0.16, 0.12), (0.24, 0.16)])
    assert times == pytest.approx([0, 0.12, 0.04, 0.08, 0.16])
    assert decode == sorted(decode)
    assert count == 0


def test_a_repeated_stamp_moves_between_its_neighbours():
    times, _, count = mended(plain(0.0, 0.04, 0.04, 0.12, 0.16))
    assert times[:2] == pytest.approx([0, 0.04])
    assert 0.04 < times[2] < 0.12
    assert times[3:] == pytest.approx([0.12, 0.16])
    assert count == 1


@pytest.mark.parametrize("origin", [3600.0, -3600.0], ids=["forwards", "backwards"])
def test_a_jump_to_another_origin_goes_on_where_it_was(origin):
    times, _, count = mended(plain(0.0, 0.04, 0.08, origin + 0.12, origin + 0.16))
    assert times == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    assert count == 1


def test_a_stream_that_falls_back_a_little_soon_runs_at_its_own_pace_again():
    stamps = [0.04 * n for n in range(10)] + [0.04 * n - 0.5 for n in range(10, 40)]
    times, _, count = mended(plain(*stamps))
    assert times == sorted(set(times))
    assert times[-1] - times[-11] == pytest.approx(0.4)
    assert 1 <= count <= 4


def test_missing_stamps_follow_the_interval():
    times, _, count = mended([(0.0, 0.0), (0.1, 0.1), (None, None), (None, None), (0.4, 0.4)], interval_s=0.1)
    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert count == 2


def test_a_missing_first_stamp_does_not_disturb_the_second():
    times, _, count = mended([(None, None), (0.0, 0.0), (0.04, 0.04)])
    assert times == pytest.approx([0, 0.04, 0.08])
    assert count == 1


def test_without_any_stamps_time_runs_at_the_nominal_rate():
    times, _, count = mended([(None, None)] * 5, interval_s=0.1)
    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert count == 5


def test_a_slow_stream_is_not_taken_for_a_jump():
    times, _, count = mended(plain(0.0, 9.0, 18.0, 27.0, 60.0), interval_s=1.0)
    assert times == pytest.approx([0, 9, 18, 27, 60])
    assert count == 0


def test_a_pause_that_the_clock_confirms_stays_a_pause():
    mender = TimestampMender(start_s=1000.0)
    mender.mend(0.0, 0.0, 1000.0)
    mender.mend(0.04, 0.04, 1000.04)
    assert mender.mend(30.04, 30.04, 1030.04).time_s == pytest.approx(1030.04, abs=0.01)
    assert mender.mended == 0


def test_a_gap_in_the_stamps_that_nobody_waited_for_is_a_jump():
    mender = TimestampMender(start_s=1000.0)
    mender.mend(0.0, 0.0, 1000.0)
    mender.mend(0.04, 0.04, 1000.04)
    assert mender.mend(30.04, 30.04, 1000.08).time_s == pytest.approx(1000.08, abs=0.01)
    assert mender.mended == 1


def test_the_drift_of_a_cameras_clock_is_followed():
    mender = TimestampMender(start_s=0.0)
    rate = 1.001  # a clock that loses 3.6 s an hour
    stamp = None
    for number in range(25 * 3600):
        stamp = mender.mend(number * 0.04, number * 0.04, number * 0.04 * rate)
    assert stamp is not None
    assert stamp.time_s == pytest.approx(3600 * rate, abs=0.3)


def test_time_never_goes_back_when_a_camera_reconnects():
    mender = TimestampMender()
    mender.reconnect(1000.0, 0.04)
    last = [mender.mend(n * 0.04, n * 0.04).time_s for n in range(50)][-1]
    mender.reconnect(990.0, 0.04)
    assert mender.mend(0.0, 0.0).time_s > last


DAY_S = 86_400.0
CAMERAS = {
    "keeps time": lambda n, t: t,
    "stamps 25, sends 21": lambda n, t: t * 21 / 25,
    "sends 30, stamps 25": lambda n, t: t * 1.2,
    "twice as fast": lambda n, t: t * 2,
    "always zero": lambda n, t: 0.0,
    "never changes": lambda n, t: 77.0,
    "none": lambda n, t: None,
    "every other missing": lambda n, t: t if n % 2 else None,
    "an hour forward": lambda n, t: t + (3600 if t > 10 else 0),
    "an hour back": lambda n, t: t - (3600 if t > 10 else 0),
    "400 days forward": lambda n, t: t + (400 * DAY_S if t > 10 else 0),
    "400 days back": lambda n, t: t - (400 * DAY_S if t > 10 else 0),
    "back and forth each second": lambda n, t: t + (3600 if int(t) % 2 else 0),
    "back and forth each picture": lambda n, t: t + (100 if n % 2 else 0),
    "backwards": lambda n, t: -t,
    "whole seconds": lambda n, t: float(int(t)),
    "jitter": lambda n, t: t + 0.3 * math.sin(n * n),
    "wraps": lambda n, t: t % 13.0,
    "stops": lambda n, t: min(t, 20.0),
    "begins late": lambda n, t: max(t, 20.0),
    "leaps": lambda n, t: t + 2 * int(t / 5),
    "any": lambda n, t: 1e5 * math.sin(n * n),
}
LINES = {
    "prompt": lambda t: t,
    "in bunches": lambda t: math.ceil(t / 0.4) * 0.4,
    "a stall": lambda t: t if not 30 < t < 36 else 36 + (t - 30) / 1000,
}


@pytest.mark.parametrize("fps", [3, 25])
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_whatever_a_camera_stamps_its_pictures_are_shown_within_two_seconds_of_their_arrival(
    camera, line, fps
) -> None:
    mender = TimestampMender()
    mender.reconnect(1000.0, 0.04)
    before = None
    for number in range(60 * fps):
        time_s = number / fps
        stamp, arrival_s = camera(number, time_s), 1000.0 + line(time_s)
        mended_now = mender.mend(stamp, stamp, arrival_s)
        sent_s = 1000.0 + time_s
        assert sent_s - 2.0 < mended_now.time_s < arrival_s + 2.0
        assert before is None or mended_now.decode_time_s > before
        before = mended_now.decode_time_s


def test_stamps_are_believed_again_when_they_keep_time() -> None:
    mender = TimestampMender(start_s=0.0)
    for number in range(250):
        mender.mend(0.0, 0.0, number * 0.04)
    count = mender.mended
    assert count > 200
    for number in range(250, 1000):
        late_s = 0.1 if number % 3 else 0.0
        stamp = mender.mend(number * 0.04, number * 0.04, number * 0.04 + late_s)
    assert mender.mended <= count + 2
    assert stamp.time_s == pytest.approx(999 * 0.04, abs=0.01)


stamps = st.one_of(st.none(), st.floats(-1e5, 1e5, allow_nan=False))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(stamps, stamps), min_size=1, max_size=60))
def test_whatever_comes_decode_times_rise_and_no_two_pictures_share_a_time(raw):
    times, decode, _ = mended(raw)
    assert all(a < b for a, b in itertools.pairwise(decode))
    assert len(set(times)) == len(times)
