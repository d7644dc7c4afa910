"""Does somebody stand beyond a line for long, as at the edge of a platform?"""

from pydantic import Field

from tynysh.behaviour.settings import AnalyserSettings, ZoneName
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Severity, Words
from tynysh.scene.places import foot
from tynysh.scene.scene import Scene


class PlatformEdgeSettings(AnalyserSettings):
    """Settings of `platform_edge`."""

    min_duration_s: float = Field(
        0.0, ge=0, le=3600, title="Minimum duration", description="Seconds after the limit."
    )
    limit_s: float = Field(
        5.0, ge=1, le=600, title="Limit", description="Seconds that one may stand beyond the line."
    )
    lines: tuple[ZoneName, ...] = Field(
        (), title="Lines", description="Names of lines; all if empty. Right is beyond."
    )


class PlatformEdgeAnalyser:
    """Scores each person by the time beyond the line: 0.6 when it reaches the limit, 1 from five thirds of it on."""

    behaviour = Behaviour("platform_edge")

    def __init__(self, settings: PlatformEdgeSettings) -> None:
        self._settings = settings
        self._since_s: dict[tuple[str, int], float] = {}

    def observe(self, scene: Scene) -> list[Signal]:
        """One signal for each person beyond each line."""
        before, self._since_s, signals = self._since_s, {}, []
        for line in scene.lines:
            for track in scene.tracks if line.name in (self._settings.lines or (line.name,)) else ():
                (x, y), (begin_x, begin_y), (end_x, end_y) = foot(scene, track.box), line.begin, line.end
                if (end_x - begin_x) * (y - begin_y) > (end_y - begin_y) * (x - begin_x):
                    since_s = min(before.get((line.name, track.id), scene.time_s), scene.time_s)
                    self._since_s[line.name, track.id] = since_s
                    score = min(1.0, 0.6 * (scene.time_s - since_s) / self._settings.limit_s)
                    box, why = (
                        scene.normalised_box(track.box),
                        Reason("platform_edge.beyond", {"line": line.name}),
                    )
                    who = f"{line.name} {track.id}"
                    signals.append(Signal(SPEC.id, scene.time_s, score, box, 1, None, who, why, since_s))
        return signals


SPEC = AnalyserSpec(
    id=PlatformEdgeAnalyser.behaviour,
    settings=PlatformEdgeSettings,
    factory=PlatformEdgeAnalyser,
    family="trespass",
    rank=45,
    severity=Severity(3, long_s=30.0, many=3),
    words={
        "en": Words("At the edge", "Warn the train driver.", {"beyond": "Beyond “{line}” for {lasted_s} s"}),
        "ru": Words("На краю", "Предупредите машиниста.", {"beyond": "За линией «{line}» {lasted_s} с"}),
        "kk": Words("Шетінде", "Машинистке ескертіңіз.", {"beyond": "«{line}» сызығынан әрі {lasted_s} с"}),
    },
)
