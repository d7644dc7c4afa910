"""How a stream arrives is measured packet by packet."""

import pytest

from tynysh.media.stream_health import StreamMeter


def fed(meter: StreamMeter, start_s: float, seconds: float, *, rate: float = 1.0, size: int = 1000) -> float:
    """Ten packets a second, each tenth a key frame of ten times the size, on a clock that goes `rate` times as fast."""
    for number in range(int(seconds * 10)):
        came_s = start_s + number / 10
        key = number % 10 == 0
        meter.observe(came_s, 7000.0 + rate * number / 10, size * (10 if key else 1), is_key=key)
    return came_s


def test_nothing_is_known_before_the_first_packet() -> None:
    assert StreamMeter().health(1.0) is None


@pytest.mark.parametrize("rate", [1.0, 0.5, 1.5])
def test_the_rate_of_the_streams_clock_is_known_after_some_seconds(rate: float) -> None:
    meter = StreamMeter()
    last_s = fed(meter, 100.0, 2.0, rate=rate)
    early = meter.health(last_s)
    assert early is not None
    assert early.clock_rate is None
    last_s = fed(meter, 200.0, 10.0, rate=rate)
    health = meter.health(last_s)
    assert health is not None
    assert health.clock_rate == pytest.approx(rate)


def test_what_comes_between_key_frames_is_told_apart_from_them() -> None:
    meter = StreamMeter()
    last_s = fed(meter, 100.0, 20.0)
    health = meter.health(last_s + 2.5)
    assert health is not None
    assert (health.keys, health.key_bytes) == (20, 10_000)
    assert health.between_bytes_s == pytest.approx(9000, rel=0.1)
    assert health.silent_s == pytest.approx(2.5)
    assert health.connected_s == pytest.approx(19.9)


def test_a_new_connection_is_measured_from_its_beginning() -> None:
    meter = StreamMeter()
    last_s = fed(meter, 100.0, 20.0)
    meter.reconnect()
    assert meter.health(last_s) is None
