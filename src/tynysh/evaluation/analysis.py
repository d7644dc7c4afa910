"""What happens in a video file: the live pipeline, as fast as the machine allows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np

from tynysh.behaviour.event import Event, Phase
from tynysh.evaluation.camera_choice import plan_for, sites_of
from tynysh.evidence.timeline import PeopleTimeline
from tynysh.media.reader import VideoFile
from tynysh.perception.track_log import TrackLog
from tynysh.runtime.camera_plan import build_pipeline
from tynysh.runtime.meter import Meter, NoMeter
from tynysh.runtime.networks import Networks
from tynysh.runtime.pipeline import Pipeline, Step

SEED = 20260101
"""Of the ids of events: the same file gives the same events, ids and all."""


def analyze(
    video: str | Path, *, site: str | Path | None = None, camera: str | None = None, device: str = "CPU"
) -> tuple[Event, ...]:
    """The events of a video file, as they were when they ended, in order of onset; times in seconds of the video.

    site, camera: a site file and which of its cameras the video is of, for its zones, limits and analysers; the usual
    without. device: where networks run. The same file gives the same events. Raises TynyshError: MediaError where the
    video cannot be read to its end, SiteError, UsageError, ModelError.
    """
    path = Path(video)
    plan = plan_for(sites_of(None if site is None else Path(site)), camera, path)
    opened = VideoFile(path)
    found = analyse_video(
        opened, build_pipeline(plan, Networks.load(device), ids=Random(SEED)), keep_people=False
    )
    if opened.damage is not None:
        raise opened.damage
    return found.events


@dataclass(frozen=True, slots=True)
class VideoAnalysis:
    """What was found in one video.

    events: as they were when they ended, in order of onset.
    frame_times: seconds of every picture, also of those not decoded, in order of display.
    people: where people were or may have been, to be blurred. tracks: the tracks, frame by frame; None where no
    frame could be analysed.
    """

    path: Path
    events: tuple[Event, ...]
    duration_s: float
    frame_times: tuple[float, ...] = field(repr=False)
    people: PeopleTimeline = field(repr=False)
    tracks: TrackLog | None = field(repr=False)

    @property
    def rate_hz(self) -> float | None:
        """Pictures a second (median); None of fewer than two pictures."""
        steps = np.diff(self.frame_times)
        return float(1.0 / np.median(steps)) if len(steps) and np.median(steps) > 0 else None


def analyse_video(
    video: VideoFile,
    pipeline: Pipeline,
    *,
    on_step: Callable[[Step], None] | None = None,
    meter: Meter | None = None,
    keep_people: bool = True,
) -> VideoAnalysis:
    """Run `pipeline` over the whole of `video`.

    `on_step` sees each analysed frame; `meter` is told of decoding. keep_people: whether to keep where people were and
    their tracks, which grow with the video; else `people` and `tracks` are empty. Raises MediaError if the video
    cannot be read; what was found before a truncated file's end is kept.
    """
    events: dict[str, Event] = {}
    people = PeopleTimeline(keep_s=float("inf"))
    tracks: TrackLog | None = None
    meter = meter or NoMeter()
    frames = video.frames()
    while True:
        with meter.stage("decode"):
            frame = next(frames, None)
        if frame is None:
            break
        step = pipeline.process(frame, video.health(frame.time_s))
        if step is None:
            continue
        events.update((event.id, event) for event in step.events)
        holding = any(event.phase is not Phase.ENDED for event in events.values())
        video.set_active(step.scene.motion.moving or holding)
        if keep_people:
            people.add(
                frame.time_s,
                step.to_blur,
                still=not step.scene.motion.moving,
                looked=step.scene.detected,
            )
            tracks = tracks or TrackLog(frame.width, frame.height)
            tracks.observe(frame.index, frame.time_s, step.scene.tracks, looked=step.scene.detected)
        if on_step is not None:
            on_step(step)
    events.update((event.id, event) for event in pipeline.close(video.duration_s))
    return VideoAnalysis(
        path=video.path,
        events=tuple(sorted(events.values(), key=lambda event: (event.start_s, event.behaviour, event.id))),
        duration_s=video.duration_s,
        frame_times=tuple(video.frame_times),
        people=people,
        tracks=tracks,
    )
