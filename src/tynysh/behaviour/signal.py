"""A signal: an analyser's score for one behaviour, at a time and place in the picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tynysh.geometry import Box


class Behaviour(StrEnum):
    """What Tynysh notices: acts and conditions, never identities."""

    FIGHT = "fight"
    AGGRESSION = "aggression"
    PERSON_DOWN = "person_down"
    CROWDING = "crowding"
    CRUSH_RISK = "crush_risk"
    CROWD_RUN = "crowd_run"
    INTRUSION = "intrusion"
    LOITERING = "loitering"
    CAMERA_FAULT = "camera_fault"
    RECORDING_FAULT = "recording_fault"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a key of the translation catalogue with values: `Reason("fight.network", {"score": 0.93})`."""

    key: str
    values: Mapping[str, float | int | str] = field(default_factory=dict)

    def lasting(self, seconds: float) -> "Reason":
        """The same with how long it has lasted, as the place `lasted_s`.

        >>> Reason("loitering.dwell", {"zone": "gate"}).lasting(90.0).values
        {'zone': 'gate', 'lasted_s': 90.0}
        """
        return Reason(self.key, {**self.values, "lasted_s": seconds})


@dataclass(frozen=True, slots=True)
class Signal:
    """A score in [0, 1] for one behaviour at one instant.

    box: where, in normalised coordinates (0..1); None for the whole picture.
    people: how many are involved, as far as known.
    zone: the zone that it concerns.
    subject: tells apart happenings of one behaviour on one camera at one time (a zone's name, a kind of
        fault, a track); signals of the same subject make one event.
    since_s: stream time at which what is scored began, where the analyser knows it better than the score's
        rise does (a dwell, a fall); None otherwise.
    """

    behaviour: Behaviour
    time_s: float
    score: float
    box: Box | None = None
    people: int = 0
    zone: str | None = None
    subject: str = ""
    reason: Reason | None = None
    since_s: float | None = None
