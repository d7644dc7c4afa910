"""What is installed: every analyser that this process can run, Tynysh's own and others' by the same door."""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from tynysh.behaviour.analyser import Analyser
from tynysh.behaviour.events import Rule
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.spec import AnalyserSpec, Severity
from tynysh.errors import AnalyserError, UsageError
from tynysh.scene.need import Need

GROUP = "tynysh.analysers"
"""The group of entry points, each named as the behaviour and leading to its `AnalyserSpec`."""


def load(found: Iterable[EntryPoint]) -> Mapping[Behaviour, AnalyserSpec]:
    """The declarations behind entry points, the gravest behaviour first. Raises AnalyserError, naming the package, for
    the first that cannot be used: a camera that is silently not watched for something would be worse.
    """
    specs: dict[Behaviour, AnalyserSpec] = {}
    packages: dict[Behaviour, str] = {}
    for point in found:
        package = "unknown" if point.dist is None else f"{point.dist.name} {point.dist.version}"
        spec = _load(point, package)
        if spec.id in specs:
            raise _unusable(point, package, f"{packages[spec.id]} has one of the same id")
        specs[spec.id], packages[spec.id] = spec, package
    if Behaviour.CAMERA_FAULT not in specs:
        raise AnalyserError(
            "Tynysh's own analysers are not registered: its source is newer than its installation.",
            hint="Install it again: pip install -e .",
        )
    return MappingProxyType(
        {spec.id: spec for spec in sorted(specs.values(), key=lambda spec: (spec.rank, spec.id))}
    )


def _load(point: EntryPoint, package: str) -> AnalyserSpec:
    try:
        spec = point.load()
    except Exception as error:
        raise _unusable(point, package, f"{type(error).__name__}: {error}") from error
    if not isinstance(spec, AnalyserSpec):
        raise _unusable(point, package, f"{point.value} is no AnalyserSpec but of type {type(spec).__name__}")
    faults = list(spec.faults())
    if spec.id != point.name:
        faults.append(f"its id is {spec.id!r}, and its entry point must be named the same")
    if faults:
        raise _unusable(point, package, "; ".join(faults))
    return spec


def _unusable(point: EntryPoint, package: str, why: str) -> AnalyserError:
    return AnalyserError(
        f"The analyser {point.name!r} of the package {package} cannot be used: {why}.",
        hint="Correct the package, or remove it with pip uninstall.",
    )


BEHAVIOURS = load(entry_points(group=GROUP))
"""Every behaviour that may be noticed here, the gravest first."""

ANALYSERS: Mapping[Behaviour, AnalyserSpec] = MappingProxyType(
    {behaviour: spec for behaviour, spec in BEHAVIOURS.items() if spec.factory is not None}
)
"""Those of them that an analyser notices, and a camera can be watched for."""

BUDGETED = tuple(behaviour for behaviour, spec in ANALYSERS.items() if spec.budgeted)
"""The behaviours of which thresholds are learnt within an alarm budget."""


def spec_of(behaviour: Behaviour) -> AnalyserSpec:
    """The declaration of `behaviour`; of one that is not installed any more what must be assumed of it: a moderate
    happening of its own kind, that names an incident where nothing else does.
    """
    return BEHAVIOURS.get(behaviour) or AnalyserSpec(
        id=behaviour,
        settings=AnalyserSettings,
        factory=None,
        family=behaviour,
        rank=1000,
        severity=Severity(2),
        words={},
    )


def ranked(behaviours: Iterable[Behaviour]) -> tuple[Behaviour, ...]:
    """Each of the behaviours once, the gravest first."""
    return tuple(sorted(set(behaviours), key=lambda behaviour: (spec_of(behaviour).rank, behaviour)))


def default_settings() -> dict[Behaviour, AnalyserSettings]:
    """What a camera is watched for when nobody says anything."""
    return {behaviour: known.settings() for behaviour, known in ANALYSERS.items() if known.by_default}


def create(behaviour: Behaviour, settings: AnalyserSettings) -> Analyser:
    """A new analyser for one camera. It finds its zones in each scene, by the names in `settings`.

    Raises UsageError where there is no such analyser.
    """
    spec = spec_of(behaviour)
    if spec.factory is None:
        raise UsageError(
            f"there is no analyser '{behaviour}'", hint=f"Known ones: {', '.join(sorted(ANALYSERS))}."
        )
    return spec.factory(settings)


def create_all(settings: Mapping[Behaviour, AnalyserSettings]) -> list[Analyser]:
    """A new analyser for each behaviour that is enabled, the gravest first."""
    return [create(behaviour, settings[behaviour]) for behaviour in enabled(settings)]


def enabled(settings: Mapping[Behaviour, AnalyserSettings]) -> list[Behaviour]:
    """The behaviours that are watched for, the gravest first."""
    return [each for each in ANALYSERS if each in settings and settings[each].enabled]


def needs(settings: Mapping[Behaviour, AnalyserSettings]) -> frozenset[Need]:
    """What one or another of the analysers that are enabled needs of its scenes."""
    return frozenset().union(*(ANALYSERS[each].needed(settings[each]) for each in enabled(settings)))


def rules(settings: Mapping[Behaviour, AnalyserSettings]) -> dict[Behaviour, Rule]:
    """How the signals of those analysers become events."""
    return {behaviour: Rule.of(settings[behaviour]) for behaviour in enabled(settings)}
