"""What was measured on the floor that a camera sees."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from tynysh.crowd import calibration
from tynysh.site.fields import Corner, Strict

Metres = Annotated[float, Field(ge=-10_000, le=10_000)]


class KnownPoint(Strict):
    """A point of the floor whose place is known."""

    at: Corner = Field(title="At", description="Where it is in the picture, `[x, y]` from 0 to 1.")
    metres: tuple[Metres, Metres] = Field(
        title="Metres", description="Where it is on the floor, `[x, y]` from any corner, along any two sides."
    )


class KnownDistance(Strict):
    """A length on the floor that was measured."""

    begin: Corner = Field(
        alias="from", title="From", description="One end in the picture, `[x, y]` from 0 to 1."
    )
    end: Corner = Field(
        alias="to", title="To", description="The other end in the picture, `[x, y]` from 0 to 1."
    )
    metres: float = Field(gt=0, le=10_000, title="Metres", description="How far apart they are on the floor.")


class Calibration(Strict):
    """What was measured on the floor that the camera sees: `points` or `distances`, one of them."""

    points: Annotated[tuple[KnownPoint, ...], Field(min_length=4, max_length=16)] | None = Field(
        default=None,
        title="Points",
        description="Four or more points of the floor with their place in metres.",
    )
    distances: Annotated[tuple[KnownDistance, ...], Field(min_length=4, max_length=64)] | None = Field(
        default=None,
        title="Distances",
        description="Four or more measured lengths on the floor, near and far, along and across.",
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if (self.points is None) == (self.distances is None):
            raise PydanticCustomError("calibration", "needs either `points` or `distances`")
        try:
            if self.points is not None:
                calibration.check_points(self.known_points)
            else:
                calibration.check_distances(self.known_distances)
        except calibration.CalibrationError as error:
            raise PydanticCustomError(
                "calibration", "{what}", {"what": f"{error.message} {error.hint}"}
            ) from None
        return self

    @property
    def known_points(self) -> tuple[calibration.KnownPoint, ...]:
        """The points, for finding the floor."""
        return tuple(calibration.KnownPoint(point.at, point.metres) for point in self.points or ())

    @property
    def known_distances(self) -> tuple[calibration.KnownDistance, ...]:
        """The distances, for finding the floor."""
        return tuple(
            calibration.KnownDistance(one.begin, one.end, one.metres) for one in self.distances or ()
        )


Calibrated = Annotated[
    Annotated[Literal["automatic", "off"], Tag("word")] | Annotated[Calibration, Tag("measured")],
    Discriminator(lambda value: "measured" if isinstance(value, Mapping | Calibration) else "word"),
]
