"""Putting a camera's pipeline together from what its site says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from tynysh.behaviour import registry
from tynysh.behaviour.events import EventMaker
from tynysh.behaviour.near_alarms import NearAlarms
from tynysh.behaviour.scene import Line, Zone
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.crowd.ground import Ground
from tynysh.crowd.surveying import ground_from_points
from tynysh.perception.detector import Detector
from tynysh.perception.motion import MotionGate
from tynysh.perception.schedule import DetectionSchedule, ScheduleSettings
from tynysh.perception.tiling import Detection, Sight
from tynysh.perception.tracker import Tracker
from tynysh.runtime.meter import Meter
from tynysh.runtime.networks import Networks
from tynysh.runtime.pipeline import Pipeline, all_zones_always, always
from tynysh.site.schema import Calibrated, Camera, Site


@dataclass(frozen=True, slots=True)
class Watch:
    """What one camera is watched for.

    analysers: the enabled behaviours with their settings. zones, lines: of the picture. ground: where its floor is, if
    that was measured. on_duty: whether a behaviour is watched for at a stream time. detection: how the detector looks.
    looks: how often it does; as behaviour needs if None.
    """

    analysers: Mapping[Behaviour, AnalyserSettings]
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    ground: Ground | None = None
    on_duty: Callable[[Behaviour, float], bool] = always
    detection: Detection = Detection.AUTO
    looks: ScheduleSettings | None = None

    @classmethod
    def usual(cls) -> "Watch":
        """What is watched for where no site says anything."""
        return cls(registry.default_settings())

    @classmethod
    def of(cls, site: Site, camera: Camera, *, scheduled: bool) -> "Watch":
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
            ground=_ground(camera.calibration),
            on_duty=_hours(site, analysers) if scheduled else always,
            detection=camera.detection,
            looks=ScheduleSettings.steady(camera.looks_per_second) if camera.looks_per_second else None,
        )


def build_pipeline(
    watch: Watch,
    networks: Networks,
    *,
    ids: Random,
    detector: Detector | None = None,
    meter: Meter | None = None,
) -> Pipeline:
    """A new pipeline for one camera.

    ids: makes the ids of events; seeded alike, the same video gives the same events. detector: in place of the
    networks' own, for scripted scenes.
    """
    rules = registry.rules(watch.analysers)
    return Pipeline(
        sight=Sight(detector or networks.detector, watch.detection),
        # Scripted people come with their keypoints.
        pose=networks.pose if detector is None else None,
        gate=MotionGate(),
        schedule=DetectionSchedule(watch.looks),
        tracker=Tracker(),
        analysers=registry.create_all(watch.analysers, device=networks.device),
        events=EventMaker(rules, ids=ids),
        near_alarms=NearAlarms({each: rules[each] for each in registry.BUDGETED if each in rules}),
        zones_at=all_zones_always(watch.zones),
        lines=watch.lines,
        ground=watch.ground,
        on_duty=watch.on_duty,
        meter=meter,
    )


def _ground(calibration: Calibrated) -> Ground | None:
    if isinstance(calibration, str) or calibration.points is None:
        return None
    return ground_from_points(calibration.known_points)


def _hours(site: Site, analysers: Mapping[Behaviour, AnalyserSettings]) -> Callable[[Behaviour, float], bool]:
    place = site.locality()
    hours = {
        behaviour: site.schedules[settings.schedule].hours()
        for behaviour, settings in analysers.items()
        if settings.schedule is not None
    }
    return lambda behaviour, time_s: behaviour not in hours or hours[behaviour].in_force(time_s, place)
