"""A signal: an analyser's score for one behaviour, at a time and place in the picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from tynysh.geometry import Box


class Behaviour(str):
    """The id of what an analyser notices, such as `fight`: an act or a condition, never an identity.

    Any id is one, so that what was noticed stays readable where its analyser is no longer installed. The constants are
    those that Tynysh brings; what is installed is listed in `behaviour.registry`.
    """

    __slots__ = ()

    PATTERN: ClassVar[str] = r"^[a-z][a-z0-9_]{1,29}$"

    FIGHT: ClassVar["Behaviour"]
    AGGRESSION: ClassVar["Behaviour"]
    PERSON_DOWN: ClassVar["Behaviour"]
    CROWDING: ClassVar["Behaviour"]
    CRUSH_RISK: ClassVar["Behaviour"]
    CROWD_RUN: ClassVar["Behaviour"]
    INTRUSION: ClassVar["Behaviour"]
    LOITERING: ClassVar["Behaviour"]
    CAMERA_FAULT: ClassVar["Behaviour"]
    RECORDING_FAULT: ClassVar["Behaviour"]

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """In models: text of this pattern."""
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema(pattern=cls.PATTERN))


Behaviour.FIGHT = Behaviour("fight")
Behaviour.AGGRESSION = Behaviour("aggression")
Behaviour.PERSON_DOWN = Behaviour("person_down")
Behaviour.CROWDING = Behaviour("crowding")
Behaviour.CRUSH_RISK = Behaviour("crush_risk")
Behaviour.CROWD_RUN = Behaviour("crowd_run")
Behaviour.INTRUSION = Behaviour("intrusion")
Behaviour.LOITERING = Behaviour("loitering")
Behaviour.CAMERA_FAULT = Behaviour("camera_fault")
Behaviour.RECORDING_FAULT = Behaviour("recording_fault")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a key of the translation catalogue with values: `Reason("fight.network", {"score": 0.93})`."""

    key: str
    values: Mapping[str, float | int | str] = field(default_factory=dict)

    def lasting(self, seconds: float) -> "Reason":
        """The same with how long it has lasted, as the place `lasted_s`.

        >>> Reason("loitering.stay", {"zone": "gate"}).lasting(90.0).values
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
    hold_s: seconds that it must hold before it is an event, where that is shorter than the settings say.
    fixed_since_s: since when each of those that it rests on has not moved (`Track.fixed_since_s`); empty where any of
        them has, and where it rests on no person.
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
    hold_s: float | None = None
    fixed_since_s: frozenset[float] = frozenset()

    def must_hold_s(self, usual_s: float) -> float:
        """Seconds that it must hold before it is an event; `usual_s` as the settings say."""
        return usual_s if self.hold_s is None else min(usual_s, self.hold_s)
