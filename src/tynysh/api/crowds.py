"""/cameras/{id}/crowd and /places: how many people there are, how dense they stand, and how that was over time."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import StreamingResponse
from pydantic import AliasPath, AwareDatetime, Field
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from tynysh.api import models
from tynysh.api.authentication import CamerasReader
from tynysh.api.cameras import CameraId, visible
from tynysh.api.context import Context, Services
from tynysh.api.errors import ApiError, not_found
from tynysh.api.incidents import NO_ZERO
from tynysh.api.peer import peer_of
from tynysh.api.principal import Principal
from tynysh.crowd.grid import floor_grid
from tynysh.crowd.minutes import MINUTE_S, Measure, Minutes, Series, SeriesKind, by_step, trend
from tynysh.crowd.service_level import service_level
from tynysh.errors import UsageError
from tynysh.scene.crowd import PICTURE, LineCount, ServiceLevel
from tynysh.scene.ground import Ground
from tynysh.store import crowd_table, record
from tynysh.store.queries import cameras, crowd_history, places
from tynysh.store.queries.crowd_history import DAY_MIN

router = APIRouter(tags=["crowds"])

Name = Annotated[str, Query(max_length=120, pattern=NO_ZERO)]

MOST_POINTS = 1500
"""Steps that one answer holds at most; a longer time needs longer steps."""

DRAWN_POINTS = 400
"""Steps that a chart shows well: where none is asked for, the shortest is chosen that gives no more."""

LONGEST_DAYS = 4000

LATEST_S = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
"""Beyond, steps and other time zones would soon reach past the last year that Python knows."""

TREND_MIN = 15
"""The trend of a place is that of its last minutes, so many."""


class PlaceCrowd(models.Answer):
    """The crowd in a zone, or in the whole picture (`picture`)."""

    name: str
    count: float = Field(description="People; a guess from below where `rough`.")
    low: float = Field(description="The band in which the number lies in 95 of 100 cases.")
    high: float
    rough: bool = Field(description="Too many, too small or too hidden to be told apart: no precise number.")
    density: float | None = Field(description="Persons per square metre; null where the area is not known.")
    density_low: float | None
    density_high: float | None
    level: ServiceLevel | None = Field(description="Level of service, A (free) to F, after Fruin (1971).")
    area_m2: float | None
    capacity: int | None
    speed: float | None = Field(description="Typical walking speed, m/s.")
    heading: float | None = Field(description="Where most walk, degrees in the picture clockwise from up.")
    stopped: float | None = Field(description="Part of the people who stand still, 0..1.")
    counterflow: float | None = Field(description="0: all one way; 1: half against half.")
    pressure: float | None = Field(description="Crowd pressure, 1/s², after Helbing et al. (2007).")
    densest: float | None = Field(description="Local density that at least ten people bear, persons/m².")


class DensityMap(models.Answer):
    """Where people are dense: cells laid over the picture from its top left, row by row."""

    columns: int
    rows: int
    metric: bool = Field(description="Persons per square metre; else persons per cell.")
    values: list[float]


class Crowd(models.Answer):
    """What is known of the crowd on a camera now."""

    at: AwareDatetime | None = Field(description="Of the look that it rests on; null while nothing is known.")
    places: list[PlaceCrowd]
    lines: list[LineCount]
    map: DensityMap | None
    calibrated: bool = Field(description="Whether the floor is known in metres.")
    error: float | None = Field(
        default=None,
        validation_alias=AliasPath("ground", "error"),
        description="Relative standard error of lengths on the floor; 0.08 is 8 %.",
    )


class FloorGrid(models.Answer):
    """A grid of metres laid on the floor that a camera sees."""

    step_m: float = Field(description="How far apart its lines are.")
    lines: list[list[tuple[float, float]]] = Field(
        description="Polylines of points (x, y), parts of the picture (0..1); none where the floor is not known."
    )


class Gate(models.Answer):
    """A counting line through which people come into a place; since its camera was opened."""

    camera: models.CameraName
    line: str


class PlaceNow(models.Answer):
    """How many people are in a place of a site."""

    site: models.SiteName
    name: str
    capacity: int | None
    area_m2: float | None
    at: AwareDatetime | None = Field(description="When that was known; null while nothing is.")
    count: float | None = Field(None, validation_alias=AliasPath("count", "value"))
    low: float | None = Field(None, validation_alias=AliasPath("count", "low"))
    high: float | None = Field(None, validation_alias=AliasPath("count", "high"))
    rough: bool = Field(description="At least so many: they cannot be told apart.")
    trend: float | None = Field(
        None, description="People more, or fewer, a minute, over the last quarter of an hour."
    )
    gates: list[Gate]


class HistoryStep(models.Answer):
    """A step of history: means over the time seen, highest values, and sums of crossings. Null: not known."""

    at: AwareDatetime = Field(description="Beginning of the step.")
    seen_s: float = Field(
        description="Seconds of the step in which the camera looked; the rest was not zero."
    )
    count: float | None
    low: float | None
    high: float | None
    most: float | None
    rough: float | None = Field(description="Part of the time in which the number was rough, 0..1.")
    density: float | None
    densest: float | None = Field(description="The highest density.")
    level: ServiceLevel | None = Field(description="Of the mean density, for people who walk.")
    speed: float | None
    pressure: float | None
    ins: int | None
    outs: int | None


class History(models.Answer):
    """How a place was, step by step; steps in which nobody looked are left out."""

    kind: SeriesKind
    name: str
    begin: AwareDatetime
    end: AwareDatetime
    step_s: int
    capacity: int | None
    steps: list[HistoryStep]


class Names(models.Answer):
    """Of what there is history."""

    kind: SeriesKind
    name: str


@router.get("/cameras/{camera_id}/crowd")
async def get_crowd(camera_id: CameraId, principal: CamerasReader, services: Services) -> Crowd:
    """The crowd on a camera now: the same figures that history keeps and `tynysh analyze --counts` writes."""
    await run_in_threadpool(visible, camera_id, principal, services)
    crowd = await services.workers.crowd(camera_id)
    if crowd is None:
        return Crowd(at=None, places=[], lines=[], map=None, calibrated=False)
    return Crowd.model_validate({**crowd, "calibrated": crowd["ground"] is not None})


@router.get("/cameras/{camera_id}/grid")
async def get_grid(
    camera_id: CameraId,
    principal: CamerasReader,
    services: Services,
    step_m: Annotated[float, Query(ge=0.5, le=20, description="Metres between lines.")] = 1.0,
) -> FloorGrid:
    """A grid on the floor, for people to judge whether the camera's calibration is right."""
    await run_in_threadpool(visible, camera_id, principal, services)
    crowd = await services.workers.crowd(camera_id)
    known = None if crowd is None else crowd["ground"]
    if known is None:
        return FloorGrid(step_m=step_m, lines=[])
    ground = Ground(np.array(known["homography"]), known["error"])
    found = await run_in_threadpool(floor_grid, ground, step_m)
    return FloorGrid(step_m=step_m, lines=[[(round(x, 4), round(y, 4)) for x, y in line] for line in found])


From = Annotated[AwareDatetime | None, Query(alias="from", description="A day before `to` if left out.")]
To = Annotated[AwareDatetime | None, Query(alias="to", description="Now if left out.")]
Step = Annotated[int | None, Query(ge=1, le=DAY_MIN, description="Minutes; chosen by the time if left out.")]
Format = Annotated[
    crowd_table.Format | None, Query(description="Download every minute as a table, in place of steps.")
]


@router.get("/cameras/{camera_id}/crowd/names")
def list_names(camera_id: CameraId, principal: CamerasReader, services: Services) -> list[Names]:
    """The zones and lines of a camera of which there is history, those of former settings too."""
    visible(camera_id, principal, services)
    with services.database.reading() as session:
        return [Names.model_validate(each) for each in crowd_history.series_of(session, [camera_id])]


@router.get(
    "/cameras/{camera_id}/crowd/history",
    response_model=History,
    responses={200: {"content": {media: {} for media in crowd_table.MEDIA_TYPES.values()}}},
)
def get_history(
    camera_id: CameraId,
    principal: CamerasReader,
    services: Services,
    request: Request,
    begin: From = None,
    end: To = None,
    place: Annotated[
        Name | None, Query(description="A zone, or `picture`, which is meant by default.")
    ] = None,
    line: Annotated[Name | None, Query(description="A line, in place of a zone.")] = None,
    step: Step = None,
    form: Annotated[Format, Query(alias="format")] = None,
) -> History | StreamingResponse:
    """How a place of a camera was over time, in steps; or, with `format`, all minutes as CSV or Parquet.

    Without `place` and `line` a table holds all of the camera's. A download is put on the audit record.
    """
    found = visible(camera_id, principal, services)
    first, last = _span(begin, end, services)
    series = (
        Series(SeriesKind.ZONE, camera_id, place or PICTURE)
        if line is None
        else Series(SeriesKind.LINE, camera_id, line)
    )
    if form is None:
        capacity = next((zone.get("capacity") for zone in found.zones if zone["name"] == series.name), None)
        return _history(series, first, last, step, capacity, found.site.id, services)
    with services.database.reading() as session:
        wanted = [series] if place or line else crowd_history.series_of(session, [camera_id])
    return _download(
        [(found.site.id, each) for each in wanted],
        first,
        last,
        form,
        f"camera:{camera_id}",
        principal,
        services,
        request,
    )


@router.get("/places")
def list_places(principal: CamerasReader, services: Services) -> list[PlaceNow]:
    """The places of the sites that the user may see, in the order of the site file: who is inside, and how many may
    be.
    """
    now = services.clock()
    with services.database.reading() as session:
        return [_place(session, found, now) for found in places.places(session, only=principal.sites)]


@router.get(
    "/places/{site_id}/{name:path}/history",
    response_model=History,
    responses={200: {"content": {media: {} for media in crowd_table.MEDIA_TYPES.values()}}},
)
def get_place_history(
    site_id: Annotated[str, PathParameter(max_length=63, pattern=NO_ZERO)],
    name: Annotated[str, PathParameter(max_length=120, pattern=NO_ZERO)],
    principal: CamerasReader,
    services: Services,
    request: Request,
    begin: From = None,
    end: To = None,
    step: Step = None,
    form: Annotated[Format, Query(alias="format")] = None,
) -> History | StreamingResponse:
    """How a place of a site was over time, as of a camera's."""
    with services.database.reading() as session:
        found = next((one for one in places.places(session, only={site_id}) if one.name == name), None)
    if found is None or not principal.sees(site_id):
        raise not_found("place")
    first, last = _span(begin, end, services)
    series = Series(SeriesKind.PLACE, site_id, name)
    if form is None:
        return _history(series, first, last, step, found.capacity, site_id, services)
    return _download([(site_id, series)], first, last, form, f"site:{site_id}", principal, services, request)


def _place(session: Session, found: places.PlaceOccupancy, now: float) -> PlaceNow:
    minute = int(now // MINUTE_S)
    series = Series(SeriesKind.PLACE, found.site.id, found.name)
    of_late = trend(crowd_history.read(session, series, minute - TREND_MIN, minute + 1))
    return PlaceNow.model_validate(found).model_copy(update={"trend": of_late})


def _span(begin: datetime | None, end: datetime | None, services: Context) -> tuple[int, int]:
    """From and to in Unix minutes, the first minute begun and the last one ended."""
    last = services.clock() if end is None else end.timestamp()
    first = last - DAY_MIN * MINUTE_S if begin is None else begin.timestamp()
    if not 0 <= first < last:
        raise ApiError(422, "invalid", field="from")
    if last > LATEST_S or last - first > LONGEST_DAYS * DAY_MIN * MINUTE_S:
        raise ApiError(422, "invalid", field="to")
    return int(first // MINUTE_S), int(-(-last // MINUTE_S))


def _history(
    series: Series,
    first: int,
    last: int,
    step: int | None,
    capacity: int | None,
    site_id: str,
    services: Context,
) -> History:
    if step is None:
        step = next(each for each in _STEPS if (last - first) / each <= DRAWN_POINTS or each == DAY_MIN)
    if (last - first) / step > MOST_POINTS:
        raise ApiError(422, "invalid", field="step")
    with services.database.reading() as session:
        origin = _midnight(session, site_id, first)
        found = by_step(crowd_history.read(session, series, first, last), step, origin)
    return History(
        kind=series.kind,
        name=series.name,
        begin=_moment(first),
        end=_moment(last),
        step_s=step * MINUTE_S,
        capacity=capacity,
        steps=_steps(found),
    )


_STEPS = (1, 5, 15, 60, 240, DAY_MIN)


def _steps(found: Minutes) -> list[HistoryStep]:
    steps = []
    for at, row in zip(found.at.tolist(), found.figures, strict=True):
        figures = {
            figure.name.lower(): None if np.isnan(value) else round(float(value), 3)
            for figure, value in zip(Measure, row, strict=True)
        }
        density = figures["density"]
        steps.append(
            HistoryStep.model_validate(
                {
                    **figures,
                    "at": at * MINUTE_S,
                    "seen_s": figures["seen"] or 0.0,
                    "level": None if density is None else service_level(density, None),
                }
            )
        )
    return steps


def _midnight(session: Session, site_id: str, at: int) -> int:
    """A minute at which a day begins at the site, as its clock stands at `at`."""
    (site,) = cameras.sites(session, only={site_id})
    offset = datetime.fromtimestamp(at * MINUTE_S, ZoneInfo(site.time_zone)).utcoffset()
    return 0 if offset is None else -int(offset.total_seconds() // MINUTE_S)


def _download(
    wanted: list[tuple[str, Series]],
    first: int,
    last: int,
    form: crowd_table.Format,
    of: str,
    principal: Principal,
    services: Context,
    request: Request,
) -> StreamingResponse:
    try:
        crowd_table.check(form)
    except UsageError as error:
        raise ApiError(501, "not_installed", field="format") from error
    with services.database.writing() as session:
        record.append(
            session,
            now=services.clock(),
            user=principal.name,
            action="crowd.export",
            object=of,
            address=peer_of(request).address or None,
            detail={"from": _day(first), "to": _day(last), "format": form, "series": len(wanted)},
        )
    name = f"crowd-{of.rpartition(':')[2]}-{_day(first)}.{form}"
    return StreamingResponse(
        crowd_table.table_bytes(crowd_table.chunks(services.database, wanted, first, last), form),
        media_type=crowd_table.MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * MINUTE_S, UTC)


def _day(minute: int) -> str:
    return _moment(minute).date().isoformat()
