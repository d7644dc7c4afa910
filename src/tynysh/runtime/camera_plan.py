"""Putting a camera's pipeline together from what its site says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import radians
from random import Random

from tynysh.behaviour import registry
from tynysh.behaviour.events import EventMaker
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.signals import SignalMaker, always
from tynysh.behaviour.threshold_sweep import ThresholdSweep
from tynysh.crowd.grounding import GroundSource, NoGround, SurveyedGround
from tynysh.crowd.learning import GroundLearner, Hints, Learnt
from tynysh.crowd.surveying import Survey, from_distances, from_points
from tynysh.perception.detector import Detector, PartDetector
from tynysh.perception.schedule import DetectionSchedule, ScheduleSettings
from tynysh.perception.stage import picture_stages
from tynysh.perception.tiling import Detection, TiledDetector
from tynysh.perception.turned import TurnedLook
from tynysh.runtime.meter import Meter
from tynysh.runtime.networks import Networks
from tynysh.runtime.perception import Perception
from tynysh.runtime.pipeline import Pipeline
from tynysh.scene.need import Need
from tynysh.scene.zone import Line, Zone
from tynysh.site.calibration import Calibrated, Calibration
from tynysh.site.camera import Camera
from tynysh.site.incidents import AlarmBudget
from tynysh.site.positions import CameraPosition
from tynysh.site.site import Site

WIDEST_VIEW = 130
"""Degrees. Wider lenses bend straight lines so much that their angle says little of a focal length."""


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """What one camera is watched for.

    analysers: the enabled behaviours with their settings. zones, lines: of the picture. calibration: how its floor
    is found. hints: what is said of the camera, for learning. on_duty: whether a behaviour is watched for at a stream
    time. detection: how the detector looks.
    looks: how often it does; as behaviour needs if None. alarm_budget: how many false alarms it may raise.
    """

    analysers: Mapping[Behaviour, AnalyserSettings]
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    calibration: Calibrated = "automatic"
    hints: Hints = field(default_factory=Hints)
    on_duty: Callable[[Behaviour, float], bool] = always
    detection: Detection = Detection.AUTO
    looks: ScheduleSettings | None = None
    alarm_budget: AlarmBudget = field(default_factory=AlarmBudget)

    @classmethod
    def usual(cls) -> "CameraPlan":
        """What is watched for where no site says anything."""
        return cls(registry.default_settings())

    @classmethod
    def of(cls, site: Site, camera: Camera, *, scheduled: bool) -> "CameraPlan":
        """What `site` says of its `camera`.

        scheduled: whether schedules are kept to; a file's clock does not tell the time of day, so everything is
        watched for on files.
        """
        analysers = site.effective(camera).analysers
        return cls(
            analysers,
            zones=tuple(
                Zone(zone.name, zone.polygon, zone.kind.value, zone.area_m2, zone.capacity)
                for zone in camera.zones
            ),
            lines=tuple(Line(line.name, line.begin, line.end) for line in camera.lines),
            calibration=camera.calibration,
            hints=_hints(camera.position),
            on_duty=_hours(site, analysers) if scheduled else always,
            detection=camera.detection,
            looks=ScheduleSettings.steady(camera.looks_per_second) if camera.looks_per_second else None,
            alarm_budget=site.effective(camera).alarm_budget,
        )

    def ground_source(self, known: Learnt | None = None) -> GroundSource:
        """Where the camera's ground comes from. known: what was learnt of it before."""
        if self.calibration == "automatic":
            return GroundLearner(known, self.hints)
        if self.calibration == "off":
            return NoGround()
        calibration = self.calibration
        return SurveyedGround(lambda aspect: survey(calibration, aspect).ground)


def survey(calibration: Calibration, aspect: float) -> Survey:
    """The ground by what was measured; `aspect` of the picture. Raises CalibrationError."""
    if calibration.points is not None:
        return from_points(calibration.known_points, aspect)
    return from_distances(calibration.known_distances, aspect)


def build_pipeline(
    plan: CameraPlan,
    networks: Networks,
    *,
    ids: Random,
    detector: Detector | None = None,
    ground: GroundSource | None = None,
    meter: Meter | None = None,
) -> Pipeline:
    """A new pipeline for one camera.

    ids: makes the ids of events; seeded alike, the same video gives the same events. detector: in place of the
    networks' own; it finds keypoints too. ground: where the ground comes from, in place of what the plan says.
    """
    rules = registry.rules(plan.analysers)
    analysers = registry.create_all(plan.analysers)
    needs = registry.needs(plan.analysers)
    looking = detector or networks.detector
    perception = Perception(
        TiledDetector(looking, plan.detection),
        DetectionSchedule(plan.looks),
        turned=TurnedLook(looking)
        if isinstance(looking, PartDetector) and Behaviour.PERSON_DOWN in plan.analysers
        else None,
        pose=networks.pose if detector is None and Need.POSE in needs else None,
        stages=picture_stages(needs, networks.fight),
        zones=plan.zones,
        lines=plan.lines,
        meter=meter,
    )
    return Pipeline(
        perception,
        SignalMaker(analysers, plan.on_duty),
        EventMaker(rules, ids=ids),
        threshold_sweep=ThresholdSweep({each: rules[each] for each in registry.BUDGETED if each in rules}),
        ground=ground or plan.ground_source(),
        meter=meter,
    )


def _hints(position: CameraPosition | None) -> Hints:
    if position is None:
        return Hints()
    view = position.field_of_view
    return Hints(
        view=radians(view) if view is not None and view < WIDEST_VIEW else None, height=position.height
    )


def _hours(site: Site, analysers: Mapping[Behaviour, AnalyserSettings]) -> Callable[[Behaviour, float], bool]:
    place = site.locality()
    hours = {
        behaviour: site.schedules[settings.schedule]
        for behaviour, settings in analysers.items()
        if settings.schedule is not None
    }
    return lambda behaviour, time_s: behaviour not in hours or hours[behaviour].in_force(time_s, place)
