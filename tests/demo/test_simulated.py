"""The simulated camera is a camera like any other, and shows every behaviour once a loop."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from random import Random

import numpy as np
import pytest
from tests.behaviour.scenes import with_trajectories

from tynysh.behaviour import registry
from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.events import EventMaker
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.signals import SignalMaker
from tynysh.crowd.meter import CrowdMeter
from tynysh.demo.drawing import draw
from tynysh.demo.script import DARK_FROM_S, FPS, HEIGHT, LOOP_S, SQUARE, WIDTH, ZONES
from tynysh.demo.simulated import ScriptedDetector, SimulatedSource, camera_settings
from tynysh.media.decoder import AdaptiveDecoder
from tynysh.media.frame import Frame
from tynysh.media.packet import Packet
from tynysh.media.source import open_source
from tynysh.media.source_fault import SourceError
from tynysh.media.source_spec import SourceSpec
from tynysh.perception.clip_classification import FightClassifier
from tynysh.perception.detector import own_detector
from tynysh.perception.schedule import DetectionSchedule
from tynysh.perception.stage import PictureStage, picture_stages
from tynysh.perception.tiling import TiledDetector
from tynysh.perception.tracker import Tracker
from tynysh.runtime.perception import Perception
from tynysh.runtime.pipeline import Pipeline
from tynysh.scene.motion import Motion
from tynysh.scene.scene import Scene
from tynysh.scene.trajectories import Trajectories


@pytest.fixture(scope="module")
def loop() -> list[np.ndarray]:
    """The pictures of one turn."""
    return [draw(SQUARE, number / FPS) for number in range(round(LOOP_S * FPS))]


def chosen_settings() -> dict[Behaviour, AnalyserSettings]:
    return {
        Behaviour(name): registry.spec_of(Behaviour(name)).settings.model_validate(chosen)
        for name, chosen in camera_settings()["analysers"].items()
    }


def stages_for(settings: Mapping[Behaviour, AnalyserSettings]) -> Sequence[PictureStage]:
    return picture_stages(registry.needs(settings), FightClassifier())


def events_of(loop: list[np.ndarray], *, every: int) -> list[Event]:
    """Real tracker, analysers and events on the loop, with a look of the detector at each `every`-th picture."""
    settings = chosen_settings()
    analysers = registry.create_all(settings)
    stages = stages_for(settings)
    events = EventMaker(registry.rules(settings), ids=Random(1))
    tracker, detector, crowd, trajectories = Tracker(), ScriptedDetector(), CrowdMeter(), Trajectories()
    loop_events: list[Event] = []
    for number in range(len(loop)):
        time_s = number / FPS
        frame = Frame(loop[number], time_s=time_s, index=number)
        persons = detector.detect(frame) if number % every == 0 else None
        looks = persons is not None
        scene = Scene(
            time_s=time_s,
            width=WIDTH,
            height=HEIGHT,
            detected=looks,
            tracks=tracker.predict(time_s) if persons is None else tracker.update(persons, time_s),
            motion=Motion(level=0.05, moving=True),
            zones=ZONES,
        )
        scene = with_trajectories(replace(scene, crowd=crowd.observe(scene, persons)), trajectories)
        for stage in stages:
            scene = stage.observe(scene, frame)
        loop_events += events.observe(
            [signal for each in analysers for signal in each.observe(scene)], time_s
        )
    return loop_events + events.close(LOOP_S)


def begun(loop_events: Sequence[Event]) -> list[Event]:
    return [event for event in loop_events if event.phase is Phase.BEGUN]


@pytest.fixture(scope="module")
def loop_events(loop: list[np.ndarray]) -> list[Event]:
    """The events of one turn at five looks a second, as people near each other get."""
    return events_of(loop, every=2)


def test_each_episode_raises_its_event_and_nothing_else_does(loop_events: list[Event]) -> None:
    for episode in SQUARE.episodes:
        assert [
            event
            for event in begun(loop_events)
            if event.behaviour == episode.behaviour and episode.start_s <= event.decided_s <= episode.end_s
        ], episode
    for event in begun(loop_events):
        assert any(
            event.behaviour == episode.behaviour and episode.start_s <= event.start_s <= episode.end_s
            for episode in SQUARE.episodes
        ), f"nothing of the kind was played at {event.start_s}: {event}"


def test_the_first_event_comes_within_fifteen_seconds(loop: list[np.ndarray]) -> None:
    assert begun(events_of(loop[: 15 * FPS], every=1))


def test_the_pipeline_of_a_worker_shows_everything_in_each_turn(loop: list[np.ndarray]) -> None:
    """With its motion gate and its own mind about when to look."""
    settings = chosen_settings()
    pipeline = Pipeline(
        Perception(
            TiledDetector(ScriptedDetector()),
            DetectionSchedule(),
            pose=None,
            stages=stages_for(settings),
            zones=ZONES,
        ),
        SignalMaker(registry.create_all(settings)),
        EventMaker(registry.rules(settings), ids=Random(1)),
    )
    loop_events = [
        event
        for number in range(2 * len(loop))
        if (step := pipeline.process(Frame(loop[number % len(loop)], time_s=number / FPS, index=number)))
        for event in begun(step.events)
    ]
    first = [event.behaviour for event in loop_events if event.start_s < LOOP_S]
    second = [event.behaviour for event in loop_events if event.start_s >= LOOP_S]
    assert set(first) == {episode.behaviour for episode in SQUARE.episodes}
    assert sorted(first) == sorted(second)


def test_events_say_where_and_why(loop_events: list[Event]) -> None:
    ended = {event.behaviour: event for event in loop_events if event.phase is Phase.ENDED}
    assert ended[Behaviour.CROWDING].people == 8
    assert ended[Behaviour.CROWDING].zone == "door"
    assert ended[Behaviour.INTRUSION].zone == "gate"
    assert ended[Behaviour.LOITERING].zone == "monument"
    assert ended[Behaviour.CAMERA_FAULT].subject == "dark"
    fight = ended[Behaviour.FIGHT]
    assert fight.reason is not None
    assert fight.reason.key == "fight.interaction"
    assert fight.box is not None
    assert 0.35 < fight.box.centre[0] < 0.65


class Clock:
    """A clock that goes on only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.slept_s += seconds


def decoded(source: SimulatedSource, count: int) -> Iterator[Frame]:
    decoder = AdaptiveDecoder(source.info)
    for number, raw in enumerate(islice(source.packets(), count)):
        time_s = float(raw.pts * source.info.time_base) if raw.pts is not None else 0.0
        yield from decoder.decode(
            Packet(
                info=source.info,
                data=raw.data,
                time_s=time_s,
                decode_time_s=time_s,
                is_key=raw.is_key,
                ordinal=number,
            )
        )


def test_the_stream_is_paced_like_a_camera() -> None:
    clock = Clock()
    source = SimulatedSource(clock=clock, sleep=clock.sleep)
    packets = list(islice(source.packets(), 31))
    times = [float(packet.pts * source.info.time_base) for packet in packets if packet.pts is not None]
    assert times == pytest.approx([number / FPS for number in range(31)])
    assert clock.slept_s == pytest.approx(3.0)
    assert [number for number, packet in enumerate(packets) if packet.is_key] == [0, 10, 20, 30]
    assert (source.info.codec, source.info.width, source.info.height) == ("h264", WIDTH, HEIGHT)
    source.close()


def test_what_is_decoded_is_what_was_drawn_and_the_detector_reads_it() -> None:
    clock = Clock()
    source = SimulatedSource(clock=clock, sleep=clock.sleep)
    detector = ScriptedDetector()
    frames = list(decoded(source, 40))
    assert len(frames) >= 38
    for frame in frames:
        number = round(frame.time_s * FPS)
        assert np.abs(frame.bgr.astype(int) - draw(SQUARE, number / FPS)).mean() < 6
        found, expected = detector.detect(frame), SQUARE.people_at(number / FPS)
        assert [person.box for person in found] == [person.box for person in expected]
    source.close()


def test_a_turn_follows_itself_without_a_seam() -> None:
    clock = Clock()
    source = SimulatedSource(clock=clock, sleep=clock.sleep)
    count = round(LOOP_S * FPS)
    packets = list(islice(source.packets(), count + 20))
    assert packets[count].is_key
    assert [packet.data for packet in packets[count:]] == [packet.data for packet in packets[:20]]
    assert packets[count].pts is not None
    assert packets[count].pts * source.info.time_base == LOOP_S
    source.close()


def test_it_brings_its_detector_in_place_of_a_network() -> None:
    own = own_detector(SourceSpec.parse("simulated:square"))
    picture = Frame(draw(SQUARE, 3.0), time_s=0, index=0)
    assert own is not None
    assert [person.box for person in own.detect(picture)] == [person.box for person in SQUARE.people_at(3.0)]
    assert own_detector(SourceSpec.parse("square.mp4")) is None


def test_a_covered_lens_shows_nobody() -> None:
    dark = Frame(draw(SQUARE, DARK_FROM_S + 2), time_s=0, index=0)
    assert ScriptedDetector().detect(dark) == []
    assert dark.luma.mean() < 20


def test_media_opens_the_address() -> None:
    source = open_source(SourceSpec.parse("simulated:square"))
    assert next(iter(source.packets())).is_key
    source.close()


def test_an_unknown_scene_is_named() -> None:
    with pytest.raises(SourceError, match="circle"):
        open_source(SourceSpec.parse("simulated:circle"))
