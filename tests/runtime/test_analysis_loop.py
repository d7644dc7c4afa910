"""What a frame came to reaches all who listen, whatever becomes of one of them."""

import threading
from collections.abc import Iterator, Mapping

import pytest
from structlog.testing import capture_logs
from tests.runtime.steps import event, step
from tests.servers import until

from tynysh.behaviour.event import Event, Phase
from tynysh.media.camera import FeedStatus, FeedTick
from tynysh.media.camera_status import CameraState
from tynysh.media.frame import Frame
from tynysh.runtime.analysis_loop import STALLED, AnalysisLoop
from tynysh.runtime.pipeline import Step


class Pipeline:
    """Stands for a pipeline that begins an event at each frame, and of which the last one ends with the stream."""

    def __init__(self) -> None:
        self.rules: list[Mapping[object, object]] = []

    def process(self, frame: Frame, _stream: object) -> Step | None:
        return None if frame.time_s == 0.05 else step(frame.time_s, event(Phase.BEGUN, round(frame.time_s)))

    def lost(self, time_s: float, _stream: object) -> Step:
        return step(time_s, lost=True)

    def close(self, time_s: float) -> tuple[Event, ...]:
        return (event(Phase.ENDED, round(time_s)),)

    def retune(self, rules: Mapping[object, object]) -> None:
        self.rules.append(rules)


class Listener:
    """Keeps the steps that it is handed, and breaks at some."""

    def __init__(self, *breaks_at: float) -> None:
        self.steps: list[Step] = []
        self.breaks_at = breaks_at

    def take(self, given: Step) -> None:
        if given.scene.time_s in self.breaks_at:
            raise ZeroDivisionError
        self.steps.append(given)


def frames(*times: float) -> list[Frame]:
    found = [step(time_s).frame for time_s in times]
    return [frame for frame in found if frame is not None]


def loop(*listeners: Listener, events: list[Event] | None = None) -> tuple[AnalysisLoop, Pipeline]:
    pipeline = Pipeline()
    received = [] if events is None else events
    return AnalysisLoop("north", pipeline, listeners, received.append), pipeline  # type: ignore[arg-type]


def test_each_step_goes_to_all_and_then_its_events_are_reported() -> None:
    events: list[Event] = []
    one, other = Listener(), Listener()
    made, _ = loop(one, other, events=events)
    made.run(frames(0.0, 0.05, 1.0), lambda: None)
    assert [each.scene.time_s for each in one.steps] == [0.0, 1.0], "what is not analysed is no step"
    assert one.steps == other.steps
    assert made.analysed == 2
    assert [(each.phase, each.id) for each in events] == [
        (Phase.BEGUN, "0"),
        (Phase.BEGUN, "1"),
        (Phase.ENDED, "1"),
    ]


def test_a_listener_that_breaks_keeps_nothing_from_the_others_and_is_logged_once_until_it_works() -> None:
    events: list[Event] = []
    breaking, sound = Listener(1.0, 2.0, 4.0), Listener()
    made, _ = loop(breaking, sound, events=events)
    with capture_logs() as logged:
        made.run(frames(0.0, 1.0, 2.0, 3.0, 4.0), lambda: None)
    assert [each.scene.time_s for each in breaking.steps] == [0.0, 3.0]
    assert len(sound.steps) == 5
    assert len(events) == 6
    assert [(entry["event"], entry["camera"], entry["listener"]) for entry in logged] == [
        ("camera.listener_broke", "north", "Listener.take")
    ] * 2


def test_who_cannot_take_an_event_does_not_end_the_analysis() -> None:
    def refuse(_: Event) -> None:
        raise ZeroDivisionError

    listener = Listener()
    AnalysisLoop("north", Pipeline(), (listener,), refuse).run(frames(0.0, 1.0), lambda: None)  # type: ignore[arg-type]
    assert len(listener.steps) == 2


def test_a_pipeline_that_breaks_ends_the_loop_and_its_events() -> None:
    events: list[Event] = []
    made, pipeline = loop(events=events)

    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    pipeline.process = breaks  # type: ignore[method-assign,assignment]
    with pytest.raises(ZeroDivisionError):
        made.run(frames(1.0), lambda: None)
    assert [each.phase for each in events] == [Phase.ENDED]


def test_what_hangs_ends_its_events_when_it_is_given_up_and_reaches_nobody_should_it_go_on() -> None:
    events: list[Event] = []
    listener = Listener()
    made, pipeline = loop(listener, events=events)
    hangs, goes_on = threading.Event(), threading.Event()
    process = pipeline.process

    def hang(frame: Frame, stream: object) -> Step | None:
        if frame.time_s == 1.0:
            hangs.set()
            goes_on.wait()
        return process(frame, stream)

    pipeline.process = hang  # type: ignore[method-assign]
    thread = threading.Thread(target=made.run, args=(frames(0.0, 1.0, 2.0), lambda: None))
    thread.start()
    assert hangs.wait(10)
    made.abandon(200.0)
    goes_on.set()
    assert until(lambda: not thread.is_alive(), 10)
    assert [(each.phase, each.id, each.end_s) for each in events] == [
        (Phase.BEGUN, "0", None),
        (Phase.ENDED, "0", 200.0),
    ]
    assert [each.scene.time_s for each in listener.steps] == [0.0]


@pytest.mark.parametrize(
    ("status", "steps"),
    [
        (FeedStatus(CameraState.LOST, 0.0), 1),
        (FeedStatus(CameraState.DEGRADED, 0.0, STALLED), 1),
        (FeedStatus(CameraState.LIVE, 0.0), 0),
    ],
)
def test_a_camera_that_sends_nothing_is_lost_to_those_who_listen(status: FeedStatus, steps: int) -> None:
    listener = Listener()
    made, _ = loop(listener)
    made.run([FeedTick(5.0, status)], lambda: None)
    assert [each.frame for each in listener.steps] == [None] * steps
    assert made.analysed == 0


def test_other_rules_are_taken_up_once_with_the_next_frame() -> None:
    made, pipeline = loop()
    rules: dict[object, object] = {}

    def arriving() -> Iterator[Frame]:
        yield from frames(0.0)
        made.retune(rules)  # type: ignore[arg-type]
        assert pipeline.rules == []
        yield from frames(1.0, 2.0)

    made.run(arriving(), lambda: None)
    assert pipeline.rules == [rules]
