"""What must be known of a camera to make clips of it, wherever it is run?"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tynysh.bus.workers import Workers
from tynysh.evidence.timeline import PeopleTimeline
from tynysh.site.camera import Camera
from tynysh.site.site import Site


@dataclass(frozen=True, slots=True)
class ClipCamera:
    """A camera whose recordings lie in the folder `recordings`; where people were, its worker says."""

    site: Site
    camera: Camera
    recordings: Path
    workers: Workers

    @property
    def around_s(self) -> tuple[float, float]:
        """Seconds that a clip shows before and after the onset."""
        return (self.site.clip.before_s, self.site.clip.after_s)

    @property
    def analyses_what_it_records(self) -> bool:
        """Whether people are looked for in the stream that is recorded, and not in another one."""
        return self.camera.sub is None

    def people_between(self, start_s: float, end_s: float) -> PeopleTimeline:
        """Where people were, by Unix time, boxes normalised; empty where its worker does not say."""
        return PeopleTimeline.of(asyncio.run(self.workers.people(self.camera.id, start_s, end_s)) or ())
