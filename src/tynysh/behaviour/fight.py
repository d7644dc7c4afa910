"""Do people fight each other?"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tynysh.behaviour.fight_window import RecentPictures, Window, kept_picture
from tynysh.behaviour.interaction import Encounter, encounters, pairs_within
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration, Threshold
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Need, Severity, shipped
from tynysh.behaviour.trajectory import Trajectories, Trajectory
from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.perception.engine import Network, load_network
from tynysh.scene.places import watched
from tynysh.scene.scene import Feed, Scene

WEIGHTS = Path(str(files("tynysh.behaviour"))) / "weights" / "fight.onnx"

INTERVAL_S = 0.5
SOON_S = 0.35
SUSPICIOUS = -2.0
"""Seconds between two looks of the network; after a look of log-odds above SUSPICIOUS, until the next one."""

EARLY_S = 0.05
"""A picture that comes so much sooner will do: pictures do not come exactly every half second."""

TOGETHER = 1.5
STRONG_MOTION = 0.03
EVIDENCE_S = 1.0
LOOKED_FOR_S = 2.0
"""The network looks where two people were within TOGETHER body_heights of each other in the last EVIDENCE_S seconds, or
where more than STRONG_MOTION of the picture moved: people who grapple are often not detected. Where nobody looked
for people in the last LOOKED_FOR_S seconds, it always does."""

PEOPLE_S = 2.0
UNKNOWN_PEOPLE = 2
"""The network is told how many people were near each other in the last PEOPLE_S seconds: one who is alone fights
nobody, however wildly they move. Where nobody looked for people, as many as it takes."""

SMOOTHED = 2
"""Looks whose mean log-odds is the score."""

NOT_YET_SEEN = -2.0
"""Log-odds that stand for a look that was not made yet: one look alone must be very sure."""

CERTAIN = 0.99
"""Scores of one look are held below this, lest one look outweigh the rest."""


class FightSettings(AnalyserSettings):
    """Settings of `fight`."""

    recall_at = ((0.3, 0.93), (0.4, 0.92), (0.5, 0.91), (0.6, 0.90), (0.7, 0.89), (0.8, 0.84), (0.9, 0.74))

    threshold: Threshold = 0.5
    min_duration_s: MinDuration = 0.0
    cooldown_s: Cooldown = 20.0
    pictures: Annotated[
        bool,
        Field(
            title="Pictures",
            description="Whether the network looks at the pictures; if not, people's movements alone decide.",
        ),
    ] = True


class FightNetwork(Protocol):
    """Tells from a window of pictures, and how many people were near each other, how likely it shows a fight."""

    def probability(self, pictures: NDArray[np.uint8], people: int = UNKNOWN_PEOPLE) -> float:
        """In [0, 1], for (STEPS, SIDE, SIDE) brightness and the size of the largest group."""
        ...


class ShippedNetwork:
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


class FightAnalyser:
    """Scores mutual violence, from the pictures and from how people move toward each other.

    Pictures: every `INTERVAL_S` (`SOON_S` after a suspicious look) while something moves, unless people were looked
    for and nobody is near anybody (`TOGETHER`, `STRONG_MOTION`), the network sees the last two seconds of the part of
    the picture that moves most or, mirrored, of all that moves, by turns (`fight_window`). The score is the logistic
    function of the mean log-odds of the last `SMOOTHED` looks, calibrated on cameras that it was not trained on.
    Each look weighs what the pictures show with how many people were near each other (`largest_group`).

    Movements: `interaction.mutual_violence` of the most violent pair.

    The higher of the two counts.
    """

    behaviour = Behaviour.FIGHT

    def __init__(
        self, settings: FightSettings, *, network: FightNetwork | None = None, device: str = "CPU"
    ) -> None:
        self._settings = settings
        self._network = network or ShippedNetwork(device=device)
        self._pictures = RecentPictures()
        self._trajectories = Trajectories()
        self._looks: deque[float] = deque(maxlen=SMOOTHED)
        self._looked_s = float("-inf")
        self._evidence_s = float("-inf")
        self._groups: deque[tuple[float, int]] = deque()
        self._detected_s = float("-inf")
        self._focused = False
        self._window: Window | None = None
        self._pair: Encounter | None = None

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal for the picture; between looks, what it last was."""
        if scene.feed is Feed.LOST:
            self._forget()
            return ()
        self._trajectories.observe(scene)
        if scene.detected:
            self._detected_s = scene.time_s
            self._pair = next(iter(encounters(self._trajectories.now(scene, within_s=0.5))), None)
            group = largest_group(self._trajectories.now(scene, within_s=EVIDENCE_S))
            self._groups.append((scene.time_s, group))
            while not 0.0 <= scene.time_s - self._groups[0][0] <= PEOPLE_S:
                self._groups.popleft()
            if group > 1:
                self._evidence_s = scene.time_s
        if scene.motion.level > STRONG_MOTION:
            self._evidence_s = scene.time_s
        if self._settings.pictures and scene.frame is not None:
            self._look(scene, scene.frame)
        return (self._signal(scene),)

    def _forget(self) -> None:
        self._pictures.clear()
        self._looks.clear()
        self._groups.clear()
        self._window = None
        self._pair = None

    def _look(self, scene: Scene, frame: Frame) -> None:
        """Keep the picture, and let the network look when it is time."""
        self._pictures.add(scene.time_s, kept_picture(frame.luma))
        if not scene.motion.moving or not self._worth_a_look(scene):
            self._looks.clear()
            self._window = None
            return
        suspicious = bool(self._looks) and self._looks[-1] > SUSPICIOUS
        if 0.0 <= scene.time_s - self._looked_s < (SOON_S if suspicious else INTERVAL_S) - EARLY_S:
            return
        # By turns the part that moves most and, mirrored, all that moves: two views of one thing err differently.
        window = self._pictures.window("all" if self._focused else "most")
        if window is None:
            return
        self._looked_s = scene.time_s
        self._window = window
        pictures = window.pictures[:, :, ::-1] if self._focused else window.pictures
        self._focused = not self._focused
        self._looks.append(_log_odds(self._network.probability(pictures, self._people(scene.time_s))))

    def _people(self, now_s: float) -> int:
        """How many people were near each other in the last `PEOPLE_S` seconds, at most."""
        known = (group for seen_s, group in self._groups if 0.0 <= now_s - seen_s <= PEOPLE_S)
        return max(known, default=UNKNOWN_PEOPLE)

    def _worth_a_look(self, scene: Scene) -> bool:
        if scene.time_s - self._detected_s > LOOKED_FOR_S:
            return True
        return 0.0 <= scene.time_s - self._evidence_s <= EVIDENCE_S

    def _signal(self, scene: Scene) -> Signal:
        seen = _mean_probability(self._looks) if self._looks else 0.0
        moved = self._pair.violence if self._pair is not None else 0.0
        if self._window is not None and seen >= moved:
            box = Box(*self._window.moving)
            people = sum(box.intersection(scene.normalised_box(track.box)) > 0.0 for track in scene.tracks)
            score = round(100 * seen)
            # Of people who grapple, often fewer than two are detected: then no number is told.
            reason = (
                Reason("fight.people", {"people": people, "score": score})
                if people >= 2
                else Reason("fight.network", {"score": score})
            )
        elif self._pair is not None and moved > 0.0:
            box, people = scene.normalised_box(self._pair.box), 2
            reason = Reason("fight.interaction", {"people": 2})
        else:
            return Signal(self.behaviour, scene.time_s, 0.0)
        if self._settings.zones and not self._watched(scene, box):
            return Signal(self.behaviour, scene.time_s, 0.0)
        return Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=max(seen, moved),
            box=box,
            people=people,
            reason=reason,
        )

    def _watched(self, scene: Scene, box: Box) -> bool:
        return any(
            zone.contains(box.centre) or zone.contains(box.foot)
            for zone in watched(scene, self._settings.zones)
        )


def largest_group(trajectories: Mapping[int, Trajectory]) -> int:
    """How many people are in the largest group in which each is within `TOGETHER` body_heights of another; 1 where
    people are alone, 0 where there are none. `trajectories` by track id."""
    groups = {one: {one} for one in trajectories}
    for one, other in pairs_within(trajectories, TOGETHER):
        if groups[one] is not groups[other]:
            groups[one] |= groups[other]
            groups.update(dict.fromkeys(groups[other], groups[one]))
    return max(map(len, groups.values()), default=0)


def _mean_probability(looks: Collection[float]) -> float:
    """The probability at the mean of log-odds, those of looks not made yet included."""
    missing = SMOOTHED - len(looks)
    mean = (sum(looks) + NOT_YET_SEEN * missing) / SMOOTHED
    return float(1.0 / (1.0 + np.exp(-mean)))


def _log_odds(probability: float) -> float:
    held = min(CERTAIN, max(1.0 - CERTAIN, probability))
    return float(np.log(held / (1.0 - held)))


SPEC = AnalyserSpec(
    id=Behaviour.FIGHT,
    settings=FightSettings,
    factory=FightAnalyser,
    family="violence",
    rank=20,
    severity=Severity(3, long_s=30.0, many=5),
    needs=frozenset({Need.TRACKS, Need.POSE, Need.MOTION, Need.CLIP_SCORES}),
    words=shipped("fight"),
    by_default=True,
    budgeted=True,
    violent=True,
)
