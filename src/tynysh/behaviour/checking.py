"""Does an analyser keep what Tynysh relies on? For authors of analysers: `check_analyser(SPEC)` in a test.

After `check_estimator` of scikit-learn (Buitinck et al., API design for machine learning software, 2013).
"""

import gc
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import zip_longest
from math import isfinite
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import numpy as np

from tynysh.behaviour.analyser import Analyser
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Signal
from tynysh.behaviour.spec import AnalyserSpec, places
from tynysh.crowd.meter import CrowdMeter
from tynysh.geometry import Box
from tynysh.media.stream_health import StreamHealth
from tynysh.scene.clip import ClipScore
from tynysh.scene.fault import CameraFault
from tynysh.scene.ground import Ground
from tynysh.scene.motion import Motion
from tynysh.scene.need import Need
from tynysh.scene.person import Joint, Keypoints, Person
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.surface import SurfaceChange
from tynysh.scene.track import Track
from tynysh.scene.trajectories import Trajectories
from tynysh.scene.view import View
from tynysh.scene.zone import Line, Zone

WIDTH, HEIGHT = 1280, 720

SQUARE = ((0.1, 0.3), (0.6, 0.3), (0.6, 0.95), (0.1, 0.95))
ZONES = (
    Zone("area", SQUARE, capacity=4),
    Zone("protected", SQUARE, kind="protected"),
    Zone("object", ((0.6, 0.2), (0.8, 0.2), (0.8, 0.7), (0.6, 0.7)), kind="object"),
    Zone("bench", ((0.8, 0.5), (0.95, 0.5), (0.95, 0.7), (0.8, 0.7)), kind="bench"),
)
LINES = (Line("line", (0.5, 0.2), (0.5, 1.0)),)
GROUND = Ground(np.diag([16.0, 9.0, 1.0]), error=0.05)

FORGET_S, LONG_S = 300.0, 900.0
"""Seconds after which an analyser may have filled what it keeps, and until which it may not keep more."""

SLACK = 1.1
SLACK_BYTES = 32 * 1024
"""By how much it may then still grow, for what it watches differs from minute to minute."""

_CODE = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


class AnalyserFaultError(AssertionError):
    """An analyser does not keep what it must; says what, and in which situation."""


def check_analyser(spec: AnalyserSpec, *settings: AnalyserSettings) -> None:
    """Raise AnalyserFaultError for the first thing that the analyser of `spec` does not keep.

    settings: with which it is tried, those by default if none are given. For each, in scenes with people, without any
    and with a crowd, over gaps, while the camera is lost and after its clock was set back:

    - the declaration is right (`AnalyserSpec.faults`), words in all languages included;
    - its signals are of its own behaviour and of the scene's time, with scores in [0, 1] and reasons that have words;
    - the same scenes give the same signals, whatever other cameras show, and scenes are left as they are;
    - of what only some cameras' scenes carry it uses nothing but what it says that it needs;
    - of people it raises nothing while the camera is lost;
    - what it keeps in memory is bounded.

    >>> from tynysh.behaviour.crowding import SPEC
    >>> check_analyser(SPEC)
    """
    faults = list(spec.faults())
    if faults:
        raise AnalyserFaultError(f"{spec.id}: {'; '.join(faults)}")
    factory = spec.factory
    if factory is None:
        return
    for chosen in settings or (spec.settings(),):

        def make(chosen: AnalyserSettings = chosen) -> Analyser:
            return factory(chosen)

        for situation, scenes in _situations():
            try:
                _check_signals(spec, make, scenes, spec.needed(chosen))
            except AnalyserFaultError as fault:
                raise AnalyserFaultError(f"{spec.id}, {situation}: {fault}") from None
        _check_memory(spec, make())


@cache
def _situations() -> Sequence[tuple[str, Sequence[Scene]]]:
    people = _film(_times(0.0, 40.0), people=6)
    lost = [Scene(time_s, WIDTH, HEIGHT, detected=False, feed=Feed.LOST) for time_s in _times(10.0, 20.0)]
    situations = (
        ("people who walk about", people),
        ("an empty scene", _film(_times(0.0, 10.0), people=0)),
        ("a crowd", _film(_times(0.0, 6.0, rate_hz=2.0), people=60)),
        ("a gap in time", _film([*_times(0.0, 10.0), *_times(300.0, 310.0)], people=6)),
        ("a clock set back", _film([*_times(9000.0, 9010.0), *_times(20.0, 30.0)], people=6)),
        ("a camera that is lost", [*people[:50], *lost, *people[100:]]),
        ("a camera that never comes", lost),
    )
    return tuple((situation, _followed(scenes)) for situation, scenes in situations)


@cache
def _elsewhere() -> Sequence[Scene]:
    return _followed(_film(_times(0.0, 5.0), people=3, seed=2))


@cache
def _strangers() -> Sequence[Scene]:
    """Three people at a time, who are others every two seconds."""
    return _followed(_film(_times(0.0, LONG_S, rate_hz=2.0), people=3, stay_s=2.0))


def _times(start_s: float, end_s: float, *, rate_hz: float = 5.0) -> list[float]:
    return [start_s + step / rate_hz for step in range(round((end_s - start_s) * rate_hz))]


def _check_signals(
    spec: AnalyserSpec, make: Callable[[], Analyser], scenes: Sequence[Scene], needs: frozenset[Need]
) -> None:
    first = make()
    if first.behaviour != spec.id:
        raise AnalyserFaultError(f"its analyser says that it scores {first.behaviour!r}")
    seen = [tuple(first.observe(scene)) for scene in scenes]
    for scene, signals in zip(scenes, seen, strict=True):
        for signal in signals:
            _check_signal(spec, scene, signal)
    again, elsewhere = make(), make()
    repeated = []
    for scene, other in zip_longest(scenes, _elsewhere()):
        if other is not None:
            elsewhere.observe(other)
        if scene is not None:
            repeated.append(tuple(again.observe(scene)))
    if repeated != seen:
        raise AnalyserFaultError("the same scenes gave other signals beside another camera")
    confined = make()
    if [tuple(confined.observe(scene)) for scene in _only(needs, scenes)] != seen:
        raise AnalyserFaultError(
            f"it uses more of a scene than it says that it needs ({', '.join(sorted(needs)) or 'nothing'})"
        )


def _check_signal(spec: AnalyserSpec, scene: Scene, signal: Signal) -> None:
    if signal.behaviour != spec.id:
        raise AnalyserFaultError(f"a signal is of {signal.behaviour!r}")
    if not (isfinite(signal.score) and 0.0 <= signal.score <= 1.0):
        raise AnalyserFaultError(f"a score is {signal.score}, not in [0, 1]")
    if signal.time_s != scene.time_s:
        raise AnalyserFaultError(f"a signal is of {signal.time_s} s, its scene of {scene.time_s} s")
    if signal.since_s is not None and not signal.since_s <= signal.time_s:
        raise AnalyserFaultError(f"a signal of {signal.time_s} s began later, at {signal.since_s} s")
    if signal.people < 0 or (signal.box is not None and not all(map(isfinite, signal.box))):
        raise AnalyserFaultError(f"a signal is of {signal.people} people at {signal.box}")
    if scene.feed is Feed.LOST and signal.score > 0.0 and not spec.technical:
        raise AnalyserFaultError("it raises something of people whom nobody sees")
    if signal.reason is not None:
        behaviour, _, key = signal.reason.key.partition(".")
        if behaviour != spec.id or key not in spec.words["en"].reasons:
            raise AnalyserFaultError(f"there are no words for the reason {signal.reason.key!r}")
        missing = places(spec.words["en"].reasons[key]) - {*signal.reason.values, "lasted_s"}
        if missing:
            raise AnalyserFaultError(f"the reason {signal.reason.key!r} has no {', '.join(sorted(missing))}")


def _check_memory(spec: AnalyserSpec, analyser: Analyser) -> None:
    kept = 0
    for scene in _strangers():
        analyser.observe(scene)
        if scene.time_s == FORGET_S:
            kept = _footprint(analyser)
    keeps = _footprint(analyser)
    if keeps > SLACK * kept + SLACK_BYTES:
        raise AnalyserFaultError(
            f"{spec.id}: it keeps {keeps} bytes after {LONG_S:.0f} s of people who come and go, and kept {kept} "
            f"after {FORGET_S:.0f} s: its memory has no bound"
        )


def _footprint(thing: object) -> int:
    """Bytes of an object and all that it holds, code left out."""
    seen, waiting, total = {id(thing)}, [thing], 0
    while waiting:
        item = waiting.pop()
        total += sys.getsizeof(item)
        held = [item.base] if isinstance(item, np.ndarray) else gc.get_referents(item)
        for child in held:
            if id(child) not in seen and not isinstance(child, _CODE):
                seen.add(id(child))
                waiting.append(child)
    return total


def _only(needs: frozenset[Need], scenes: Iterable[Scene]) -> Sequence[Scene]:
    """The scenes with nothing in them that is there only for who needs it, but what is needed."""
    return _followed(
        replace(
            scene,
            tracks=scene.tracks
            if Need.POSE in needs
            else tuple(replace(track, keypoints=None) for track in scene.tracks),
            clip=scene.clip if Need.CLIP_SCORES in needs else None,
            view=scene.view if needs & {Need.VIEW, Need.STEERED_VIEW} else None,
            surfaces=scene.surfaces if Need.SURFACES in needs else {},
        )
        for scene in scenes
    )


def _followed(scenes: Iterable[Scene]) -> Sequence[Scene]:
    """The scenes, with where people were before, as a pipeline gives them to analysers."""
    trajectories = Trajectories()
    followed: list[Scene] = []
    for scene in scenes:
        trajectories.observe(scene)
        followed.append(replace(scene, trajectories=trajectories.now(scene)))
    return followed


def _film(times: Iterable[float], *, people: int, stay_s: float = 1e9, seed: int = 1) -> list[Scene]:
    """Scenes with so many people who walk to and fro, some of them fast, and lie down now and then.

    stay_s: seconds after which each is somebody else. The detector looks at every other scene.
    """
    random = np.random.default_rng(seed)
    starts = random.uniform((0.05, 0.4), (0.95, 0.95), (people, 2))
    speeds = random.uniform(-0.25, 0.25, (people, 2)) * (1.0, 0.3)
    meter = CrowdMeter()
    scenes: list[Scene] = []
    for number, time_s in enumerate(times):
        shift = 10_000 * int(time_s // stay_s)
        feet = 1.0 - np.abs(1.0 - (starts + speeds * time_s) % 2.0)
        tracks = tuple(
            _track(shift + person + 1, foot, speed, time_s, random)
            for person, (foot, speed) in enumerate(zip(feet, speeds, strict=True))
        )
        scene = Scene(
            time_s,
            WIDTH,
            HEIGHT,
            detected=number % 2 == 0,
            tracks=tracks,
            motion=Motion(level=0.05 if people else 0.0, moving=people > 0),
            zones=ZONES,
            lines=LINES,
            ground=GROUND,
            stream=StreamHealth(time_s, 0.1, 0, 1.0, int(time_s), 20_000, 50_000.0),
            clip=ClipScore(float(int(time_s)), 0.7, Box(0.1, 0.3, 0.6, 0.9)) if people else None,
            view=View(CameraFault.COVERED if 5.0 <= time_s % 20.0 < 15.0 else None),
            surfaces={"object": SurfaceChange(2.0, Box(0.6, 0.3, 0.7, 0.5))} if time_s >= 2.0 else {},
        )
        persons = [Person(track.box, track.score) for track in tracks] if scene.detected else None
        scenes.append(replace(scene, crowd=meter.observe(scene, persons)))
    return scenes


def _track(
    number: int, foot: np.ndarray, speed: np.ndarray, time_s: float, random: np.random.Generator
) -> Track:
    """Somebody whose feet are at `foot` (0..1); every seventh of them lies for half of each twenty seconds."""
    x, y = foot[0] * WIDTH, foot[1] * HEIGHT
    tall = 60.0 + 120.0 * foot[1]
    lies = number % 7 == 3 and time_s % 20.0 > 10.0
    width, height = (tall, 0.4 * tall) if lies else (0.4 * tall, tall)
    box = Box(float(x - width / 2), float(y - height), float(x + width / 2), float(y))
    keypoints: Keypoints = np.empty((len(Joint), 3), dtype=np.float32)
    keypoints[:, 0] = random.uniform(box.left, box.right, len(Joint))
    keypoints[:, 1] = random.uniform(box.top, box.bottom, len(Joint))
    keypoints[:, 2] = random.uniform(0.2, 1.0, len(Joint))
    # Whoever writes into a scene changes what the others see.
    keypoints.flags.writeable = False
    velocity = (float(speed[0] * WIDTH), float(speed[1] * HEIGHT))
    return Track(number, box, 0.9, velocity, born_s=0.0, seen_s=time_s, keypoints=keypoints)
