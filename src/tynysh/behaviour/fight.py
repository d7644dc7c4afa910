"""Do people fight each other?"""

from collections import deque
from collections.abc import Collection, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from tynysh.behaviour.encounters import Encounter, encounters
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration, Threshold
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Severity, shipped
from tynysh.geometry import Box
from tynysh.scene.clip import ClipScore, Company
from tynysh.scene.need import Need
from tynysh.scene.places import watched
from tynysh.scene.scene import Feed, Scene

PAIR_S = 0.5
"""Who was seen in so many last seconds may be fighting."""

SMOOTHED = 2
"""Looks whose mean log-odds is the score."""

NOT_YET_SEEN = -2.0
"""Log-odds that stand for a look that was not made yet: one look alone must be very sure."""

CERTAIN = 0.99
"""Scores of one look are held below this, lest one look outweigh the rest."""

UNSEEN = 0.5
"""Log-odds by which a look must be surer where nobody can make out who moves there."""

REASONS = {Company.UNSEEN: "fight.unseen", Company.DARK: "fight.dark"}


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


class FightAnalyser:
    """Scores mutual violence, from the pictures and from how people move toward each other.

    Pictures: the logistic function of the mean log-odds of the last `SMOOTHED` looks of the network
    (`perception.clip_classification`), which is calibrated on cameras that it was not trained on.

    Nobody fights alone: a look at somebody who is clearly seen with nobody near them in the last seconds counts as
    surely calm; where it cannot be made out who moves, the look must be surer by `UNSEEN`, and where it is too dark for
    that it need not, but then that is said.

    Movements: `encounters.mutual_violence` of the most violent pair.

    The higher of the two counts.
    """

    behaviour = Behaviour.FIGHT

    def __init__(self, settings: FightSettings) -> None:
        self._settings = settings
        self._looks: deque[ClipScore] = deque(maxlen=SMOOTHED)
        self._pair: Encounter | None = None

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal for the picture; between looks, what it last was."""
        if scene.feed is Feed.LOST:
            self._looks.clear()
            self._pair = None
            return ()
        if scene.detected:
            self._pair = next(iter(encounters(scene.lately(PAIR_S))), None)
        if scene.clip is None or not self._settings.pictures:
            self._looks.clear()
        elif scene.clip not in self._looks:
            self._looks.append(scene.clip)
        return (self._signal(scene),)

    def _signal(self, scene: Scene) -> Signal:
        seen = _mean_probability(self._looks) if self._looks else 0.0
        moved = self._pair.violence if self._pair is not None else 0.0
        if self._looks and seen >= moved:
            box = self._looks[-1].box
            people = sum(box.intersection(scene.normalised_box(track.box)) > 0.0 for track in scene.tracks)
            score = round(100 * seen)
            # Of people who grapple, often fewer than two are detected: then no number is told.
            reason = (
                Reason("fight.people", {"people": people, "score": score})
                if people >= 2
                else Reason(REASONS.get(self._looks[-1].company, "fight.network"), {"score": score})
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


def _mean_probability(looks: Collection[ClipScore]) -> float:
    """The probability at the mean of log-odds, those of looks not made yet included."""
    missing = SMOOTHED - len(looks)
    mean = (sum(_log_odds(look) for look in looks) + NOT_YET_SEEN * missing) / SMOOTHED
    return float(1.0 / (1.0 + np.exp(-mean)))


def _log_odds(look: ClipScore) -> float:
    probability = 0.0 if look.company is Company.ALONE else look.probability
    held = min(CERTAIN, max(1.0 - CERTAIN, probability))
    return float(np.log(held / (1.0 - held))) - (UNSEEN if look.company is Company.UNSEEN else 0.0)


def _needs(settings: FightSettings) -> frozenset[Need]:
    """Pose, and what the network says unless the site does without."""
    return frozenset({Need.POSE, Need.CLIP_SCORES} if settings.pictures else {Need.POSE})


SPEC = AnalyserSpec(
    id=Behaviour.FIGHT,
    settings=FightSettings,
    factory=FightAnalyser,
    family="violence",
    rank=20,
    severity=Severity(3, long_s=30.0, many=5),
    needs=_needs,
    words=shipped("fight"),
    by_default=True,
    budgeted=True,
    violent=True,
)
