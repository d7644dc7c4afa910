"""A site: a place with cameras, as it is written in YAML."""

from collections.abc import Container
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

import holidays
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from tynysh.behaviour.registry import default_settings
from tynysh.site import references
from tynysh.site.camera import Camera, Defaults, Effective
from tynysh.site.fields import GivenZoneName, Identifier, Name, Strict, plain
from tynysh.site.identifiers import with_identifiers
from tynysh.site.incidents import ClipLength, Joining
from tynysh.site.places import Place
from tynysh.site.positions import GeoPosition
from tynysh.site.retention import Retention
from tynysh.site.schedule import CalendarDay, Locality, Schedule
from tynysh.site.trust import Trust


class SiteKind(StrEnum):
    """What sort of place a site is."""

    NIGHTLIFE = "nightlife"
    PARK = "park"
    MARKET = "market"
    MALL = "mall"
    CULTURE = "culture"
    SPORT = "sport"
    STREET = "street"
    MONUMENT = "monument"


def _time_zone(name: str) -> str:
    known = available_timezones()
    if name not in known:
        raise PydanticCustomError(
            "time_zone",
            "is not a time zone",
            {"given": name, "names": sorted(known), "example": "Asia/Almaty"},
        )
    return name


def _country(code: str) -> str:
    country, _, part = code.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        names = sorted(known)
        raise PydanticCustomError(
            "country", "is not a country whose holidays are known", {"given": code, "names": names}
        )
    if part and part not in known[country]:
        raise PydanticCustomError(
            "country",
            "is no part of that country",
            {"given": code, "names": [f"{country}-{n}" for n in known[country]]},
        )
    return code


class Site(Strict):
    """A place with cameras."""

    id: Identifier = Field(
        title="Id", description="Never changes, unique: a-z, 0-9 and `-`. Made from the name if left out."
    )
    name: Name = Field(title="Name", description="What people call it; unique.")
    kind: SiteKind = Field(title="Kind", description="What sort of place it is.")
    address: Name | None = Field(
        default=None, title="Address", description="Street address, for those who are sent."
    )
    position: GeoPosition | None = Field(
        default=None, title="GeoPosition", description="Where it is on the map."
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        title="Time zone", description="IANA name, as `Asia/Almaty`; schedules are in its local time."
    )
    schedules: dict[GivenZoneName, Schedule] = Field(
        default={},
        title="Schedules",
        description='Named hours, of which analysers speak: `night: {from: "22:00", to: "06:00"}`.',
    )
    holidays: Annotated[tuple[CalendarDay, ...], Field(max_length=1000)] = Field(
        default=(), title="Holidays", description="Days that schedules take as holidays: `[2026-12-16]`."
    )
    country_holidays: Annotated[str, AfterValidator(_country)] | None = Field(
        default=None,
        title="Country holidays",
        description="Country whose public holidays are holidays here too: ISO 3166 code as `KZ`, with its part where "
        "parts differ, as `DE-BY`.",
    )
    places: Annotated[tuple[Place, ...], Field(max_length=100)] = Field(
        default=(),
        title="Places",
        description="Parts of the site in which people are added up over its cameras.",
    )
    retention: Retention = Field(
        default=Retention(), title="Retention", description="How long footage and figures are kept."
    )
    clip: ClipLength = Field(
        default=ClipLength(), title="Clip", description="What the clip of an incident shows."
    )
    joining: Joining = Field(default=Joining(), title="Joining", description="When events are one incident.")
    defaults: Defaults = Field(
        default=Defaults(),
        title="Defaults",
        description="What holds for all cameras that do not say otherwise.",
    )
    cameras: Annotated[tuple[Camera, ...], Field(max_length=2000)] = Field(
        default=(), title="Cameras", description="The site's cameras."
    )

    def effective(self, camera: Camera) -> Effective:
        """What holds for `camera`, one of this site's."""
        chosen = default_settings() if self.defaults.analysers is None else self.defaults.analysers.chosen()
        if camera.analysers is not None:
            chosen |= camera.analysers.chosen()
        return Effective(
            camera=camera,
            transport=camera.transport or self.defaults.transport,
            credentials=camera.credentials or self.defaults.credentials,
            trust=camera.trust or self.defaults.trust or Trust(),
            recording=self.defaults.recording if camera.recording is None else camera.recording,
            analysers={behaviour: settings for behaviour, settings in chosen.items() if settings.enabled},
            alarm_budget=camera.alarm_budget or self.defaults.alarm_budget,
        )

    def camera(self, key: str) -> Camera:
        """The camera of that id or name, as gates and views speak of it; raises KeyError if there is none."""
        for camera in self.cameras:
            if key in (camera.id, camera.name):
                return camera
        raise KeyError(key)

    def locality(self) -> Locality:
        """Where its schedules are read."""
        days: Container[date] = frozenset(self.holidays)
        if self.country_holidays is not None:
            country, _, part = self.country_holidays.partition("-")
            public = holidays.country_holidays(country, subdiv=part or None)
            public.update(dict.fromkeys(self.holidays, ""))
            days = public
        position = None if self.position is None else (self.position.latitude, self.position.longitude)
        return Locality(ZoneInfo(self.time_zone), position, days)


class SiteFile(Strict):
    """All sites of an installation."""

    sites: Annotated[tuple[Site, ...], Field(min_length=1, max_length=1000)] = Field(
        title="Sites", description="The places that are watched."
    )

    @model_validator(mode="before")
    @classmethod
    def _identified(cls, data: Any) -> Any:
        return with_identifiers(data)

    @model_validator(mode="after")
    def _referenced(self) -> Self:
        for fault in references.faults(plain(self)):
            raise PydanticCustomError("references", "{what}", {"what": fault.what})
        return self

    def camera(self, camera_id: str) -> tuple[Site, Camera]:
        """The camera of that id, with its site; raises KeyError if there is none."""
        for site in self.sites:
            for camera in site.cameras:
                if camera.id == camera_id:
                    return site, camera
        raise KeyError(camera_id)
