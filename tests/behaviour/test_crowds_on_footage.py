"""On a real square on which people only walk, nothing is said of crowds that run or are crushed."""

from dataclasses import replace
from pathlib import Path

import av
import pytest
from tests.remembered import RememberedDetector

from tynysh.behaviour import registry
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.crowd.learning import GroundLearner
from tynysh.crowd.meter import CrowdMeter
from tynysh.media.frame import Frame
from tynysh.perception.tracker import Tracker
from tynysh.scene.scene import Scene


@pytest.mark.footage
@pytest.mark.slow
def test_walkers_on_a_square_are_no_crowd_that_runs_or_is_crushed(
    vtest: Path, square_detector: RememberedDetector
) -> None:
    tracker, meter, learner = Tracker(), CrowdMeter(), GroundLearner()
    settings = registry.default_settings()
    watched = (Behaviour.CRUSH_RISK, Behaviour.CROWD_RUN)
    analysers = [registry.create(behaviour, settings[behaviour]) for behaviour in watched]
    signals: list[Signal] = []
    with av.open(str(vtest)) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index % 3 or index > 400:
                continue
            frame = Frame(picture, time_s=picture.time or 0.0, index=index)
            persons = square_detector.detect(frame)
            tracks = tracker.update(persons, frame.time_s)
            scene = Scene(frame.time_s, frame.width, frame.height, tracks=tracks)
            ground = learner.observe(scene)
            scene = replace(scene, ground=ground if ground is not None and ground.trusted else None)
            scene = replace(scene, crowd=meter.observe(scene, persons))
            for analyser in analysers:
                signals += analyser.observe(scene)
    assert {signal.behaviour for signal in signals} == set(watched)
    assert max(signal.score for signal in signals) < 0.3
