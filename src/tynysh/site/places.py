"""The parts of a site in which people are added up over its cameras."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from tynysh.site.fields import GivenZoneName, Name, People, Strict
from tynysh.site.schedule import Clock


class PlaceGate(Strict):
    """A counting line through which people come into a place and leave it."""

    camera: Name = Field(title="Camera", description="Id or name of a camera of this site.")
    line: GivenZoneName = Field(
        title="Line", description="Name of a line of that camera; its direction leads into the place."
    )
    reversed: bool = Field(
        default=False,
        title="Reversed",
        description="Whether the direction of the line leads out of the place.",
    )


class PlaceView(Strict):
    """A part of a place that a camera sees; what is seen twice is counted twice."""

    camera: Name = Field(title="Camera", description="Id or name of a camera of this site.")
    zone: GivenZoneName | None = Field(
        default=None,
        title="Zone",
        description="Name of a zone of that camera; its whole picture if left out.",
    )


class Place(Strict):
    """A part of the site in which people are added up: over its gates, over the views of its cameras, or both."""

    name: GivenZoneName = Field(title="Name", description="What people call it; unique at its site.")
    capacity: People | None = Field(
        default=None, title="Capacity", description="How many people it is meant for, at most."
    )
    area_m2: float | None = Field(
        default=None, gt=0, le=10_000_000, title="Area", description="Of its floor, square metres."
    )
    gates: Annotated[tuple[PlaceGate, ...], Field(max_length=64)] = Field(
        default=(),
        title="Gates",
        description="All lines over which people come in and go out: those inside are who came and did not leave.",
    )
    views: Annotated[tuple[PlaceView, ...], Field(max_length=64)] = Field(
        default=(), title="Views", description="Cameras, or zones of them, whose people are added up."
    )
    empty_at: Clock | None = Field(
        default=None,
        title="Empty at",
        description="Local time, HH:MM, at which nobody is inside: what was miscounted at gates is taken out then.",
    )

    @model_validator(mode="after")
    def _seen(self) -> Self:
        if not self.gates and not self.views:
            raise PydanticCustomError("place", "needs `gates` or `views`")
        return self
