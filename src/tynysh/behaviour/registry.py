"""The one list of analysers: behaviour → settings and factory. To add one, write it and list it here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tynysh.behaviour.aggression import AggressionAnalyser, AggressionSettings
from tynysh.behaviour.analyser import Analyser
from tynysh.behaviour.camera_fault import CameraFaultAnalyser, CameraFaultSettings
from tynysh.behaviour.crowd_run import CrowdRunAnalyser, CrowdRunSettings
from tynysh.behaviour.crowding import CrowdingAnalyser, CrowdingSettings
from tynysh.behaviour.crush_risk import CrushRiskAnalyser, CrushRiskSettings
from tynysh.behaviour.events import Rule
from tynysh.behaviour.fight import FightAnalyser, FightSettings
from tynysh.behaviour.intrusion import IntrusionAnalyser, IntrusionSettings
from tynysh.behaviour.loitering import LoiteringAnalyser, LoiteringSettings
from tynysh.behaviour.person_down import PersonDownAnalyser, PersonDownSettings
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import UsageError


@dataclass(frozen=True, slots=True)
class Entry:
    """One analyser.

    settings: its settings model. make: an analyser of one camera from an instance of `settings`.
    by_default: whether a camera has it without being told; so it needs neither zones nor limits.
    """

    settings: type[AnalyserSettings]
    make: Callable[..., Analyser]
    by_default: bool = False


ANALYSERS: Mapping[Behaviour, Entry] = MappingProxyType(
    {
        Behaviour.FIGHT: Entry(FightSettings, FightAnalyser, by_default=True),
        Behaviour.AGGRESSION: Entry(AggressionSettings, AggressionAnalyser, by_default=True),
        Behaviour.PERSON_DOWN: Entry(PersonDownSettings, PersonDownAnalyser, by_default=True),
        Behaviour.CROWDING: Entry(CrowdingSettings, CrowdingAnalyser),
        Behaviour.CRUSH_RISK: Entry(CrushRiskSettings, CrushRiskAnalyser, by_default=True),
        Behaviour.CROWD_RUN: Entry(CrowdRunSettings, CrowdRunAnalyser, by_default=True),
        Behaviour.INTRUSION: Entry(IntrusionSettings, IntrusionAnalyser),
        Behaviour.LOITERING: Entry(LoiteringSettings, LoiteringAnalyser),
        Behaviour.CAMERA_FAULT: Entry(CameraFaultSettings, CameraFaultAnalyser, by_default=True),
    }
)


def entry(behaviour: str) -> Entry:
    """The analyser of `behaviour`; UsageError if there is none."""
    try:
        return ANALYSERS[Behaviour(behaviour)]
    except (ValueError, KeyError):
        known = ", ".join(sorted(ANALYSERS))
        raise UsageError(f"there is no analyser '{behaviour}'", hint=f"Known ones: {known}.") from None


def default_settings() -> dict[Behaviour, AnalyserSettings]:
    """What a camera is watched for when nobody says anything."""
    return {behaviour: known.settings() for behaviour, known in ANALYSERS.items() if known.by_default}


def create(behaviour: str, settings: AnalyserSettings) -> Analyser:
    """A new analyser for one camera. It finds its zones in each scene, by the names in `settings`."""
    return entry(behaviour).make(settings)


def create_all(settings: Mapping[Behaviour, AnalyserSettings]) -> list[Analyser]:
    """A new analyser for each behaviour that is enabled, in the registry's order."""
    return [
        create(behaviour, settings[behaviour])
        for behaviour in ANALYSERS
        if behaviour in settings and settings[behaviour].enabled
    ]


BUDGETED = (Behaviour.FIGHT, Behaviour.AGGRESSION, Behaviour.PERSON_DOWN)
"""The behaviours whose score is how sure the analyser is, so that another threshold is another number of false alarms.
The scores of the others measure what is the case (how long, how many), and their limits are the site's to set."""


def rules(settings: Mapping[Behaviour, AnalyserSettings]) -> dict[Behaviour, Rule]:
    """How the signals of those analysers become events."""
    return {behaviour: Rule.of(chosen) for behaviour, chosen in settings.items() if chosen.enabled}
