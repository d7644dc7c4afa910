"""What analysed frames came to, made by hand."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import Counts
from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.runtime.pipeline import Step
from tynysh.scene.motion import STILL, Motion
from tynysh.scene.scene import Feed, Scene


def event(phase: Phase, number: int = 1) -> Event:
    return Event(
        id=str(number),
        behaviour=Behaviour.INTRUSION,
        phase=phase,
        start_s=100.0,
        decided_s=101.0,
        end_s=110.0 if phase is Phase.ENDED else None,
        score=1.0,
        box=None,
        people=1,
        zone="gate",
        subject="",
        reason=None,
    )


def step(
    time_s: float,
    *events: Event,
    lost: bool = False,
    moving: bool = False,
    detected: bool = True,
    to_blur: Mapping[int, Box] | None = None,
    swept_alarms: Mapping[Behaviour, Counts] | None = None,
    **scene: Any,
) -> Step:
    """A step with a grey picture, or with none while the camera is lost."""
    return Step(
        Scene(
            time_s=time_s,
            width=64,
            height=48,
            detected=detected,
            motion=Motion(0.1, moving=True) if moving else STILL,
            feed=Feed.LOST if lost else Feed.LIVE,
            **scene,
        ),
        None if lost else Frame(np.full((48, 64, 3), 90, np.uint8), time_s=time_s, index=round(time_s * 10)),
        to_blur or {},
        signals=(),
        events=events,
        swept_alarms=swept_alarms or {},
    )
