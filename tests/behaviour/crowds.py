"""What the crowd's analysers say of simulated crowds, filmed and measured by the real parts."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from tests.crowd.filming import Faults, Film, Lens, Watching, looks
from tests.crowd.scenarios import Scenario

from tynysh.behaviour import registry
from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.crowd.density import kernel
from tynysh.scene.scene import Scene

RATE_HZ = 5.0
RUNS_M_S = 2.2
LENS = Lens(height_m=7.0, tilt=35.0)


@dataclass(frozen=True, slots=True)
class Filmed:
    """A scenario as the camera sees it. ran_s: when eight people and two fifths of all ran in truth; dense_s: when ten
    bore five persons/m²; None if never.
    """

    scenes: tuple[Scene, ...]
    ran_s: float | None
    dense_s: float | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What an analyser makes of a film: all its signals, and the events that begin."""

    signals: tuple[Signal, ...]
    events: tuple[Event, ...]


@cache
def filmed(scenario: Callable[[], Scenario], *, metric: bool = True) -> Filmed:
    """The scenario, through an imperfect detector and the real tracker and meter."""
    script = scenario()
    crowd = script.crowd()
    film = Film(LENS, Faults(), np.random.default_rng(3))
    watching = Watching(film, ground=LENS.ground(0.05) if metric else None)
    scenes: list[Scene] = []
    ran_s, dense_s = None, None
    for time_s in looks(script.seconds, RATE_HZ):
        script.steer(time_s, crowd)
        crowd.walk(1 / RATE_HZ)
        scenes.append(watching.look(time_s, crowd.places, crowd.heights_m))
        running = np.hypot(*crowd.velocity.T) >= RUNS_M_S
        if ran_s is None and running.sum() >= 8 and running.mean() >= 0.4:
            ran_s = time_s
        borne = np.sort(kernel(crowd.places, crowd.places, 1.0).sum(axis=1))
        if dense_s is None and len(borne) >= 10 and borne[-10] >= 5.0:
            dense_s = time_s
    return Filmed(tuple(scenes), ran_s, dense_s)


def judged(film: Filmed, behaviour: Behaviour, settings: AnalyserSettings | None = None) -> Judged:
    """What the analyser of that behaviour says of the film; with its usual settings if none are given."""
    settings = settings or registry.spec_of(Behaviour(behaviour)).settings()
    analyser = registry.create(behaviour, settings)
    events = EventMaker({behaviour: Rule.of(settings)}, ids=random.Random(1))
    signals: list[Signal] = []
    begun: list[Event] = []
    for scene in film.scenes:
        observed = analyser.observe(scene)
        signals += observed
        begun += [event for event in events.observe(observed, scene.time_s) if event.phase is Phase.BEGUN]
    return Judged(tuple(signals), tuple(begun))
