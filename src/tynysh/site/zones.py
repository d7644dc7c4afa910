"""The zones and lines of a camera's picture."""

from enum import StrEnum
from math import hypot
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from tynysh.scene.crowd import PICTURE
from tynysh.site.fields import Corner, GivenZoneName, People, Strict


class ZoneKind(StrEnum):
    """What a zone is for."""

    AREA = "area"
    PROTECTED = "protected"
    BENCH = "bench"
    OBJECT = "object"


def _not_the_picture(name: str) -> str:
    if name.casefold() == PICTURE:
        raise PydanticCustomError(
            "reserved", f"{name!r} stands for the whole picture already; take another name"
        )
    return name


def _simple(polygon: tuple[Corner, ...]) -> tuple[Corner, ...]:
    sides = list(zip(polygon, polygon[1:] + polygon[:1], strict=True))
    for first in range(len(sides)):
        for second in range(first + 1, len(sides)):
            neighbours = second == first + 1 or (first == 0 and second == len(sides) - 1)
            if not neighbours and _cross(*sides[first], *sides[second]):
                raise PydanticCustomError(
                    "polygon",
                    "crosses itself: the side from corner {first} and the side from corner {second} meet",
                    {"first": first + 1, "second": second + 1},
                )
    if abs(_area(polygon)) < 1e-6:
        raise PydanticCustomError("polygon", "encloses no area")
    return polygon


def _area(polygon: tuple[Corner, ...]) -> float:
    """Twice the enclosed area, signed (the shoelace formula)."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True))


def _cross(a: Corner, b: Corner, c: Corner, d: Corner) -> bool:
    """Whether the segments a-b and c-d have a point in common."""

    def side(p: Corner, q: Corner, r: Corner) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    def within(p: Corner, q: Corner, r: Corner) -> bool:
        return min(p[0], q[0]) <= r[0] <= max(p[0], q[0]) and min(p[1], q[1]) <= r[1] <= max(p[1], q[1])

    of_cd, of_ab = (side(a, b, c), side(a, b, d)), (side(c, d, a), side(c, d, b))
    if of_cd[0] * of_cd[1] < 0 and of_ab[0] * of_ab[1] < 0:
        return True
    touching = ((of_cd[0], a, b, c), (of_cd[1], a, b, d), (of_ab[0], c, d, a), (of_ab[1], c, d, b))
    return any(turn == 0 and within(p, q, r) for turn, p, q, r in touching)


class Zone(Strict):
    """A named part of the picture."""

    name: Annotated[GivenZoneName, AfterValidator(_not_the_picture)] = Field(
        title="Name", description="What people call it; unique on its camera."
    )
    kind: ZoneKind = Field(
        default=ZoneKind.AREA,
        title="Kind",
        description="`area`: where people may be; `protected`: where they may not; `bench`: where lying is usual; "
        "`object`: a thing to be protected, as a monument.",
    )
    polygon: Annotated[tuple[Corner, ...], Field(min_length=3, max_length=64), AfterValidator(_simple)] = (
        Field(
            title="Polygon",
            description="Corners `[x, y]` in order, from 0 to 1, counted from the top left of the picture.",
        )
    )
    area_m2: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        title="Area",
        description="Of its floor, square metres, where somebody measured it; else the camera's calibration tells.",
    )
    capacity: People | None = Field(
        default=None, title="Capacity", description="How many people it is meant for, at most."
    )


class Line(Strict):
    """A line across the picture, on the floor, on which people are counted in both directions. Who crosses it from
    its left to its right, looking from `from` to `to`, goes in its direction."""

    name: GivenZoneName = Field(title="Name", description="What people call it; unique on its camera.")
    begin: Corner = Field(alias="from", title="From", description="Where it begins, `[x, y]` from 0 to 1.")
    end: Corner = Field(alias="to", title="To", description="Where it ends, `[x, y]` from 0 to 1.")

    @model_validator(mode="after")
    def _long(self) -> Self:
        if hypot(self.end[0] - self.begin[0], self.end[1] - self.begin[1]) < 0.01:
            raise PydanticCustomError("line", "begins and ends at the same point")
        return self
