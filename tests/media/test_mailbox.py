"""Readers that are slow lose pictures, counted, and never hold up the camera."""

import threading
from collections.abc import Iterator

import pytest
from tests.media.conftest import write_video

from tynysh.media.mailbox import FrameMailbox
from tynysh.media.packet import Packet
from tynysh.media.reader import VideoFile
from tynysh.media.subscription import PacketQueue


@pytest.fixture(scope="module")
def packets(tmp_path_factory) -> list[Packet]:
    path = write_video(tmp_path_factory.mktemp("mailbox") / "clip.mp4", seconds=12, walks_from_s=0)
    return list(VideoFile(path).packets())


def taken(queue: PacketQueue) -> Iterator[Packet]:
    while (packet := queue.get(0)) is not None:
        yield packet


def test_a_queue_hands_on_everything_in_order(packets):
    queue = PacketQueue()
    for packet in packets[:100]:
        queue.put(packet)
    assert list(taken(queue)) == packets[:100]
    assert queue.dropped == 0


def test_a_queue_begins_at_a_key_frame(packets):
    queue = PacketQueue()
    for packet in packets[10:60]:
        queue.put(packet)
    first = next(taken(queue))
    assert first.is_key
    assert first.ordinal == 25
    assert queue.dropped == 0


def test_a_full_queue_goes_on_from_its_latest_key_frame(packets):
    queue = PacketQueue(capacity_s=2.0)
    for packet in packets[:130]:
        queue.put(packet)
    left = list(taken(queue))
    assert left[0].is_key
    assert left[-1] is packets[129]
    assert queue.dropped == 130 - len(left)


def test_a_queue_is_bounded_in_bytes_too(packets):
    limit = 60_000
    queue = PacketQueue(capacity_s=1000, capacity_bytes=limit)
    for packet in packets:
        queue.put(packet)
    assert sum(packet.size for packet in taken(queue)) <= limit
    assert queue.dropped > 0


def test_a_closed_queue_wakes_its_reader():
    queue = PacketQueue()
    threading.Timer(0.05, queue.close).start()
    assert queue.get(10) is None
    assert queue.closed


def test_a_mailbox_gives_every_frame_to_who_keeps_up(packets):
    mailbox = FrameMailbox()
    seen = []
    for packet in packets:
        mailbox.put(packet)
        while (frame := mailbox.get(0)) is not None:
            seen.append(frame.index)
    assert seen == list(range(300))
    assert mailbox.dropped == 0
    assert mailbox.counters.pictures == 300


def test_who_falls_behind_gets_fewer_frames_and_the_loss_is_counted(packets):
    clock = [0.0]
    mailbox = FrameMailbox(max_lag_s=1.0, monotonic=lambda: clock[0])
    seen = []
    for number, packet in enumerate(packets):
        clock[0] = packet.time_s
        mailbox.put(packet)
        if number % 4 == 0 and (frame := mailbox.get(0)) is not None:
            seen.append(frame.time_s)
            assert packet.time_s - frame.time_s < 1.2
    assert seen == sorted(seen)
    assert mailbox.dropped > 100


def test_what_comes_in_a_burst_is_not_late(packets):
    clock = [0.0]
    mailbox = FrameMailbox(max_lag_s=1.0, monotonic=lambda: clock[0])
    for packet in packets[:100]:
        mailbox.put(packet)
    seen = []
    while (frame := mailbox.get(0)) is not None:
        clock[0] += 0.005
        seen.append(frame.index)
    assert seen == list(range(100))
    assert mailbox.dropped == 0


def test_an_empty_mailbox_says_so_in_time():
    assert FrameMailbox().get(0.01) is None
