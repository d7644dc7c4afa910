"""Footage as the fight analyser sees it: clips as one camera, people found in it, and any network's answers to it."""

import dataclasses
import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar

import av
import numpy as np
from data import Clip, Pictures

from tynysh.behaviour.aggression import AggressionSettings
from tynysh.behaviour.fight import FightAnalyser, FightSettings
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.media.frame import Frame
from tynysh.perception.clip_classification import UNKNOWN_PEOPLE, ClipClassification, ClipClassifier
from tynysh.perception.clip_window import kept_picture
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.networks import Networks
from tynysh.scene.scene import Scene

Result = TypeVar("Result")


class Glance(NamedTuple):
    """One analysed picture.

    scene: with the people in it. picture: its brightness as it is kept for the network. signals: of aggression.
    """

    scene: Scene
    picture: Pictures
    signals: tuple[Signal, ...]


class Sequence(NamedTuple):
    """Files that were played one after the other as one camera.

    begins: stream time at which each file begins, and the last one ends.
    """

    files: tuple[str, ...]
    begins: list[float]
    glances: list[Glance]


class Recorder:
    """A network that remembers what it was shown, and is never sure: so it is asked as often as it ever is."""

    def __init__(self) -> None:
        self.shown: list[tuple[Pictures, int]] = []

    def probability(self, pictures: Pictures, people: int = UNKNOWN_PEOPLE) -> float:
        """0.5."""
        self.shown.append((np.ascontiguousarray(pictures), people))
        return 0.5


def play(folder: Path, files: Iterable[str], networks: Networks) -> Sequence:
    """Run `files` of `folder` as one camera through the production pipeline, but for the fight network.

    All pictures are scaled to the size of the first.
    """
    pipeline = build_pipeline(
        CameraPlan({Behaviour.AGGRESSION: AggressionSettings()}), networks, ids=Random(0)
    )
    sequence = Sequence(tuple(files), [], [])
    for frame in _frames([folder / file for file in sequence.files], sequence.begins):
        step = pipeline.process(frame)
        if step is not None:
            sequence.glances.append(Glance(step.scene, kept_picture(frame.luma), step.signals))
    return sequence


def part(sequence: Sequence, file: str) -> Sequence:
    """One file of a sequence alone, from 0 s on. People are as they were found in the whole."""
    index = sequence.files.index(file)
    begin_s, end_s = sequence.begins[index], sequence.begins[index + 1]
    glances = [
        glance._replace(scene=dataclasses.replace(glance.scene, time_s=glance.scene.time_s - begin_s))
        for glance in sequence.glances
        if begin_s <= glance.scene.time_s < end_s
    ]
    return Sequence((file,), [0.0, end_s - begin_s], glances)


def calm_sequences(data: Path, clips: list[Clip], networks: Networks) -> dict[str, Sequence]:
    """All clips without a fight of each source, as one camera, by the source."""
    return {
        source: play(data, files, networks)
        for source in sorted({clip.source for clip in clips})
        if (files := [clip.path for clip in clips if clip.source == source and not clip.fight])
    }


def embedded_sequences(data: Path, clips: list[Clip], networks: Networks) -> dict[str, Sequence]:
    """Each clip with a fight between two calm clips of the same source, as one camera, by the clip's path."""
    sequences: dict[str, Sequence] = {}
    for source in sorted({clip.source for clip in clips}):
        quiet = [clip.path for clip in clips if clip.source == source and not clip.fight]
        for number, clip in enumerate(clip for clip in clips if clip.source == source and clip.fight):
            around = [quiet[(number + k) % len(quiet)] for k in (0, 1)] if quiet else []
            sequences[clip.path] = play(data, [*around[:1], clip.path, *around[1:]], networks)
    return sequences


def ordinary_sequence(runs: Path, path: Path, networks: Networks) -> Sequence:
    """Footage on which nothing happens; kept in `runs`."""
    return kept(runs / f"{path.stem}.pkl", lambda: play(path.parent, [path.name], networks))


def _frames(paths: list[Path], begins: list[float]) -> Iterator[Frame]:
    """Every picture, at its time; appends to `begins`."""
    now_s, index = 0.0, 0
    size: tuple[int, int] | None = None
    for path in paths:
        begins.append(now_s)
        times: list[float] = []
        with av.open(str(path)) as container:
            for decoded in container.decode(container.streams.video[0]):
                times.append(float(decoded.time or 0.0))
                size = size or (decoded.width, decoded.height)
                fits = (decoded.width, decoded.height) == size
                picture = (
                    decoded if fits else decoded.reformat(width=size[0], height=size[1], interpolation="AREA")
                )
                yield Frame(picture, time_s=now_s + times[-1] - times[0], index=index)
                index += 1
        now_s += times[-1] - times[0] + float(np.median(np.diff(times)))
    begins.append(now_s)


def answers(sequence: Sequence, network: ClipClassifier) -> Iterator[tuple[float, list[Signal]]]:
    """(time_s, signals of fight and aggression) of a sequence, with `network` in the place of the shipped one."""
    stage, analyser = ClipClassification(network), FightAnalyser(FightSettings())
    for index, (scene, picture, signals) in enumerate(sequence.glances):
        frame = Frame(np.repeat(picture[:, :, None], 3, axis=2), time_s=scene.time_s, index=index)
        yield scene.time_s, [*signals, *analyser.observe(stage.observe(scene, frame))]


def kept(path: Path, make: Callable[[], Result]) -> Result:
    """What `make` gives, from `path` if it was made before: delete the file after a change of what is shown."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(make()))
    result: Result = pickle.loads(path.read_bytes())  # noqa: S301 - a file of our own, written above
    return result
