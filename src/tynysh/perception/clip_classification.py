"""How likely do the last seconds show a fight, as far as moving pictures tell?"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from itertools import combinations
from math import exp
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.perception.clip_window import RecentPictures, kept_picture
from tynysh.perception.engine import Network, load_network
from tynysh.scene.clip import ClipScore, Company
from tynysh.scene.nearness import gap_of_boxes, pairs_within
from tynysh.scene.scene import Scene
from tynysh.scene.trajectory import Trajectory

WEIGHTS = Path(str(files("tynysh.perception"))) / "weights" / "fight.onnx"

INTERVAL_S = 0.5
SOON_S = 0.35
SUSPICIOUS = 1.0 / (1.0 + exp(2.0))
"""Seconds between two looks of the network; after a look of a probability above SUSPICIOUS, until the next one."""

EARLY_S = 0.05
"""A picture that comes so much sooner will do: pictures do not come exactly every half second."""

TOGETHER = 1.5
STRONG_MOTION = 0.03
EVIDENCE_S = 1.0
LOOKED_FOR_S = 2.0
"""The network looks where two people were within TOGETHER body heights of each other in the last EVIDENCE_S seconds,
or where more than STRONG_MOTION of the picture moved: people who grapple are often not detected. Where nobody looked
for people in the last LOOKED_FOR_S seconds, it always does."""

PEOPLE_S = 2.0
UNKNOWN_PEOPLE = 2
"""The network is told how many people were near each other in the last PEOPLE_S seconds: one who is alone fights
nobody, however wildly they move. Where nobody looked for people, as many as it takes."""

COMPANY_S = 4.0
"""Who was near somebody in so many last seconds may still be, though nobody can tell them apart any more."""

FAINT_S = 2.0
"""So does what the detector hardly takes for two people near each other: of people who grapple little is found."""

CLEAR = 0.5
"""Score of a detection from which somebody is clearly seen."""

DARK = 40.0
"""Mean brightness (of 255) below which people may be there whom nobody finds."""


class ClipClassifier(Protocol):
    """Tells from a window of pictures, and how many people were near each other, how likely it shows a fight."""

    def probability(self, pictures: NDArray[np.uint8], people: int = UNKNOWN_PEOPLE) -> float:
        """In [0, 1], for (STEPS, SIDE, SIDE) brightness and the size of the largest group."""
        ...


class FightClassifier:
    """The network that the package carries; loaded at the first look, shared by all cameras of a process.

    I3D (Carreira & Zisserman, CVPR 2017) on brightness, pretrained on Kinetics-400, with heads fitted by
    training/fight: docs/models/fight.md.
    """

    def __init__(self, path: Path = WEIGHTS, device: str = "CPU") -> None:
        self._path = path
        self._device = device
        self._network: Network | None = None

    def probability(self, pictures: NDArray[np.uint8], people: int = UNKNOWN_PEOPLE) -> float:
        """In [0, 1], for (STEPS, SIDE, SIDE) brightness and the size of the largest group. Raises ModelError if the
        network cannot be loaded."""
        if self._network is None:
            self._network = load_network(self._path, device=self._device)
        (probability,) = self._network.infer(
            pictures[None].astype(np.float32), np.array([people], dtype=np.float32)
        )
        return float(probability.reshape(()))


class ClipClassification:
    """Lets the network look at one camera's pictures when it is worth that: every `INTERVAL_S` (`SOON_S` after a
    suspicious look) while something moves, unless people were looked for and nobody is near anybody (`TOGETHER`,
    `STRONG_MOTION`).

    It sees the last two seconds of the part of the picture that moves most or, mirrored, of all that moves, by turns
    (`clip_window`): two views of one thing err differently. Each look weighs what the pictures show with how many
    people were near each other (`largest_group`), and says whether anybody had somebody to fight with (`Company`).
    """

    def __init__(self, classifier: ClipClassifier) -> None:
        self._classifier = classifier
        self._pictures = RecentPictures()
        self._groups: deque[tuple[float, int]] = deque()
        self._detected_s = float("-inf")
        self._together_s = float("-inf")
        self._faint_s = float("-inf")
        self._turned_s = float("-inf")
        self._clear_s = float("-inf")
        self._evidence_s = float("-inf")
        self._looked_s = float("-inf")
        self._focused = False
        self._score: ClipScore | None = None

    def observe(self, scene: Scene, frame: Frame | None) -> Scene:
        """`scene` with the score of the latest look, as long as looks are worth it."""
        if frame is None:
            self._pictures.clear()
            self._groups.clear()
            self._score = None
            return scene
        self._take_people(scene)
        self._pictures.add(scene.time_s, kept_picture(frame.luma))
        if not scene.motion.moving or not self._worth_a_look(scene):
            self._score = None
        elif self._due(scene.time_s):
            self._classify(scene.time_s, frame)
        return replace(scene, clip=self._score)

    def _take_people(self, scene: Scene) -> None:
        if scene.detected:
            self._detected_s = scene.time_s
            # Who was found by a turned look is the one who was lost, and no second person beside them.
            if any(track.turned for track in scene.seen):
                self._turned_s = scene.time_s
            turned = 0.0 <= scene.time_s - self._turned_s <= PEOPLE_S
            group = 1 if turned else largest_group(scene.lately(EVIDENCE_S))
            self._groups.append((scene.time_s, group))
            while not 0.0 <= scene.time_s - self._groups[0][0] <= PEOPLE_S:
                self._groups.popleft()
            if group > 1:
                self._evidence_s = self._together_s = scene.time_s
            if not turned and _near_each_other(scene.found):
                self._faint_s = scene.time_s
            if any(track.score >= CLEAR for track in scene.seen):
                self._clear_s = scene.time_s
        if scene.motion.level > STRONG_MOTION:
            self._evidence_s = scene.time_s

    def _worth_a_look(self, scene: Scene) -> bool:
        if scene.time_s - self._detected_s > LOOKED_FOR_S:
            return True
        return 0.0 <= scene.time_s - self._evidence_s <= EVIDENCE_S

    def _due(self, time_s: float) -> bool:
        suspicious = self._score is not None and self._score.probability > SUSPICIOUS
        return not 0.0 <= time_s - self._looked_s < (SOON_S if suspicious else INTERVAL_S) - EARLY_S

    def _classify(self, time_s: float, frame: Frame) -> None:
        """Let the network look, if there are pictures enough."""
        window = self._pictures.window("all" if self._focused else "most")
        if window is None:
            return
        pictures = window.pictures[:, :, ::-1] if self._focused else window.pictures
        self._focused = not self._focused
        self._looked_s = time_s
        probability = self._classifier.probability(pictures, self._people(time_s))
        self._score = ClipScore(time_s, probability, Box(*window.moving), self._company(time_s, frame))

    def _company(self, now_s: float, frame: Frame) -> Company:
        """Whether those who were seen in the last seconds have somebody to fight with."""

        def lately(time_s: float, within_s: float) -> bool:
            return 0.0 <= now_s - time_s <= within_s

        if not lately(self._detected_s, LOOKED_FOR_S) or lately(self._together_s, COMPANY_S):
            return Company.TOGETHER
        if cv2.mean(frame.luma[::4, ::4])[0] < DARK:
            return Company.DARK
        alone = lately(self._clear_s, COMPANY_S) and not lately(self._faint_s, FAINT_S)
        return Company.ALONE if alone else Company.UNSEEN

    def _people(self, now_s: float) -> int:
        """How many people were near each other in the last `PEOPLE_S` seconds, at most."""
        known = (group for seen_s, group in self._groups if 0.0 <= now_s - seen_s <= PEOPLE_S)
        return max(known, default=UNKNOWN_PEOPLE)


def largest_group(trajectories: Mapping[int, Trajectory]) -> int:
    """How many people are in the largest group in which each is within `TOGETHER` body heights of another; 1 where
    people are alone, 0 where there are none. `trajectories` by track id."""
    groups = {one: {one} for one in trajectories}
    for one, other in pairs_within(trajectories, TOGETHER):
        if groups[one] is not groups[other]:
            groups[one] |= groups[other]
            groups.update(dict.fromkeys(groups[other], groups[one]))
    return max(map(len, groups.values()), default=0)


def _near_each_other(boxes: Sequence[Box]) -> bool:
    """Whether two of what the detector found are within `TOGETHER` of their lengths of each other."""
    return any(
        gap_of_boxes(one, other, (max(one.width, one.height) + max(other.width, other.height)) / 2)
        <= TOGETHER
        for one, other in combinations(boxes, 2)
    )
