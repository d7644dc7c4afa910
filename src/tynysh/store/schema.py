"""The tables: what is kept, and how it hangs together.

Times are Unix seconds (UTC) in columns named `*_at`. JSON columns carry what is only carried, never what is
searched for. Rows that others point to are never deleted: a site or a camera that is gone has `removed_at`.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from tynysh.incidents.incident import ClipState

# SQLite gives numbers of its own only to a primary key declared INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")
Carried = JSON(none_as_null=True)
Time: Double[float] = Double(53)


class Base(DeclarativeBase):
    """All tables, with names for their constraints, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class SiteRow(Base):
    """A place with cameras. settings: as in the site schema, without its cameras."""

    __tablename__ = "site"

    id: Mapped[str] = mapped_column(String(63), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(20))
    ordinal: Mapped[int] = mapped_column(Integer)
    settings: Mapped[dict[str, Any]] = mapped_column(Carried)
    removed_at: Mapped[float | None] = mapped_column(Time)


class CameraRow(Base):
    """A video source at a site. settings: as in the site schema; secrets are references, never values."""

    __tablename__ = "camera"

    id: Mapped[str] = mapped_column(String(63), primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    ordinal: Mapped[int] = mapped_column(Integer)
    simulated: Mapped[bool] = mapped_column(default=False)
    settings: Mapped[dict[str, Any]] = mapped_column(Carried)
    removed_at: Mapped[float | None] = mapped_column(Time)

    site: Mapped[SiteRow] = relationship()


class IncidentRow(Base):
    """What people handle: the sum of its events, its state and who has it.

    behaviour: the gravest of `behaviours`. owner: a user's name. ended_at: None while one of its events
    holds. version: how many steps but notes it has seen.
    """

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_state_id", "state", "id"),
        Index("ix_incident_camera_id_ended_at", "camera_id", "ended_at"),
        CheckConstraint(
            "state IN ('new', 'acknowledged', 'verified', 'dispatched', 'resolved')", name="state"
        ),
        CheckConstraint("verdict IN ('true', 'false', 'unclear')", name="verdict"),
        CheckConstraint("severity BETWEEN 1 AND 4", name="severity"),
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"), index=True)
    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id"))
    behaviour: Mapped[str] = mapped_column(String(30), index=True)
    behaviours: Mapped[list[str]] = mapped_column(Carried)
    severity: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(20), default="new")
    verdict: Mapped[str | None] = mapped_column(String(10))
    owner: Mapped[str | None] = mapped_column(String(80))
    opened_at: Mapped[float] = mapped_column(Time)
    started_at: Mapped[float] = mapped_column(Time)
    ended_at: Mapped[float | None] = mapped_column(Time)
    resolved_at: Mapped[float | None] = mapped_column(Time)
    people: Mapped[int] = mapped_column(Integer, default=0)
    score: Mapped[float] = mapped_column(Double(53))
    box: Mapped[list[float] | None] = mapped_column(Carried)
    zone: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[dict[str, Any] | None] = mapped_column(Carried)
    version: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    renewed_at: Mapped[float | None] = mapped_column(Time)

    site: Mapped[SiteRow] = relationship()
    camera: Mapped[CameraRow] = relationship()
    clip: Mapped["ClipRow | None"] = relationship(back_populates="incident", uselist=False)
    events: Mapped[list["EventRow"]] = relationship(
        back_populates="incident", order_by="EventRow.started_at, EventRow.id"
    )
    steps: Mapped[list["IncidentStepRow"]] = relationship(order_by="IncidentStepRow.id")


class EventRow(Base):
    """A stretch of time in which a signal held. id: the UUID that the worker gave it.

    box: left, top, right, bottom, normalised. curve: [Unix seconds, score] pairs, thinned. known_until_at: the
    latest moment that it is known to have held. orphaned: its worker died before it told of the end.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_open", "camera_id", "ended_at"),
        CheckConstraint("score BETWEEN 0 AND 1", name="score"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    behaviour: Mapped[str] = mapped_column(String(30))
    subject: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[float] = mapped_column(Time)
    decided_at: Mapped[float] = mapped_column(Time)
    ended_at: Mapped[float | None] = mapped_column(Time)
    known_until_at: Mapped[float] = mapped_column(Time)
    recorded_at: Mapped[float] = mapped_column(Time)
    updated_at: Mapped[float] = mapped_column(Time)
    score: Mapped[float] = mapped_column(Double(53))
    people: Mapped[int] = mapped_column(Integer, default=0)
    box: Mapped[list[float] | None] = mapped_column(Carried)
    zone: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[dict[str, Any] | None] = mapped_column(Carried)
    curve: Mapped[list[list[float]]] = mapped_column(Carried, default=list)
    orphaned: Mapped[bool] = mapped_column(default=False)

    incident: Mapped[IncidentRow] = relationship(back_populates="events")


class IncidentStepRow(Base):
    """Who did what to an incident, and when. key: chosen by who sends it, so that it is taken once."""

    __tablename__ = "incident_step"

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    at: Mapped[float] = mapped_column(Time)
    user: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(20))
    from_state: Mapped[str] = mapped_column(String(20))
    to_state: Mapped[str] = mapped_column(String(20))
    verdict: Mapped[str | None] = mapped_column(String(10))
    note: Mapped[str | None] = mapped_column(Text)
    key: Mapped[str | None] = mapped_column(String(36), index=True, unique=True)


class ClipRow(Base):
    """The clip and the still of an incident. Paths are relative to the evidence folder.

    state: `none` where there is a still, but no clip to come, as of a camera that is not recorded.
    """

    __tablename__ = "clip"
    __table_args__ = (CheckConstraint("state IN ('none', 'pending', 'ready', 'failed')", name="state"),)

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True, autoincrement=False)
    state: Mapped[ClipState] = mapped_column(String(10), index=True)
    original_path: Mapped[str | None] = mapped_column(Text)
    anonymised_path: Mapped[str | None] = mapped_column(Text)
    still_path: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[float | None] = mapped_column(Time)
    ended_at: Mapped[float | None] = mapped_column(Time)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    detail: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[float] = mapped_column(Time)

    incident: Mapped[IncidentRow] = relationship(back_populates="clip")


class CameraStateRow(Base):
    """How a camera is doing, as its worker last said. since: when the state began."""

    __tablename__ = "camera_state"

    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    since: Mapped[float] = mapped_column(Time)
    detail: Mapped[str | None] = mapped_column(Text)
    people: Mapped[int] = mapped_column(Integer, default=0)
    fps: Mapped[float] = mapped_column(Double(53), default=0.0)
    recording: Mapped[bool] = mapped_column(default=False)
    counters: Mapped[dict[str, int]] = mapped_column(Carried, default=dict)
    updated_at: Mapped[float] = mapped_column(Time)


class ChangeRow(Base):
    """The feed that live updates and browsers resume from: numbered without gaps, in the order of commits.

    kind: `incident`, `camera`, `sites` or `thresholds` (of a camera); ref: its id, empty for `sites`.
    """

    __tablename__ = "change"

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=False)
    at: Mapped[float] = mapped_column(Time, index=True)
    kind: Mapped[str] = mapped_column(String(20))
    ref: Mapped[str] = mapped_column(String(63))


class UserRow(Base):
    """An account. name: normalised. sites: the ids that a `venue` user is confined to."""

    __tablename__ = "user"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(20))
    sites: Mapped[list[str]] = mapped_column(Carried, default=list)
    language: Mapped[str] = mapped_column(String(5), default="en")
    password_hash: Mapped[str] = mapped_column(Text)
    must_change_password: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[float] = mapped_column(Time)
    disabled_at: Mapped[float | None] = mapped_column(Time)


class SessionRow(Base):
    """A signed-in browser. Only the hash of its token is kept."""

    __tablename__ = "session"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    created_at: Mapped[float] = mapped_column(Time)
    seen_at: Mapped[float] = mapped_column(Time)
    expires_at: Mapped[float] = mapped_column(Time)
    address: Mapped[str | None] = mapped_column(String(80))

    user: Mapped[UserRow] = relationship()


class LoginFailureRow(Base):
    """Failed sign-ins of late. key: `name:… from:…`, by which an account is locked; `name:…`, from wherever;
    `address:…`, for whatever name.
    """

    __tablename__ = "login_failure"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[float] = mapped_column(Time)
    blocked_until: Mapped[float] = mapped_column(Time)


class AuditEntryRow(Base):
    """Who looked at or changed what. Each hash covers the entry and the hash before it."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=False)
    at: Mapped[float] = mapped_column(Time, index=True)
    user: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(60))
    object: Mapped[str] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(String(80))
    detail: Mapped[str] = mapped_column(Text, default="{}")
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class SettingRow(Base):
    """A value that the installation remembers, by name."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[Any] = mapped_column(Carried)


class CrowdSeriesRow(Base):
    """A series of crowd figures by minute. kind: `zone`, `line` or `place`. owner: the id of a camera, of a site for a
    place. name: of the zone, line or place.
    """

    __tablename__ = "crowd_series"
    __table_args__ = (
        UniqueConstraint("kind", "owner", "name"),
        CheckConstraint("kind IN ('zone', 'line', 'place')", name="kind"),
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    owner: Mapped[str] = mapped_column(String(63), index=True)
    name: Mapped[str] = mapped_column(Text)


class CrowdBlockRow(Base):
    """Some minutes of a series in few bytes (`store.packing`): one minute while it is new, later a day.

    begin: Unix time in minutes, no later than the first of them; all lie in one UTC day.
    """

    __tablename__ = "crowd_block"

    series_id: Mapped[int] = mapped_column(
        ForeignKey("crowd_series.id"), primary_key=True, autoincrement=False
    )
    begin: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    packed: Mapped[bytes] = mapped_column(LargeBinary)


class PlaceOccupancyRow(Base):
    """How many people are in a place of a site, as its gates tell. settled: what counting goes on from."""

    __tablename__ = "place_occupancy"

    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    at: Mapped[float] = mapped_column(Time)
    settled: Mapped[dict[str, Any]] = mapped_column(Carried)


class WatchHourRow(Base):
    """An hour of a camera: how much of it was watched, and what other thresholds would have raised.

    hour: Unix time in hours. near_alarms: behaviour → alarms at each of `behaviour.threshold_sweep.LEVELS`; behaviours
    without any are left out.
    """

    __tablename__ = "watch_hour"

    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id"), primary_key=True)
    hour: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    watched_s: Mapped[float] = mapped_column(Double(53))
    near_alarms: Mapped[dict[str, list[int]]] = mapped_column(Carried, default=dict)


class LearntThresholdRow(Base):
    """The threshold that keeps a camera within its alarm budget, and how sure that is (`incidents.alarm_budget`).

    budget: false alarms a day that are borne. days: watched in quiet hours. per_day, low, high: false alarms a day at
    the threshold; high is None where nothing is known. recall: None where it is not known. verified: happenings that
    operators verified on this camera, and of these `refound` would be found.
    """

    __tablename__ = "learnt_threshold"

    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id"), primary_key=True)
    behaviour: Mapped[str] = mapped_column(String(30), primary_key=True)
    threshold: Mapped[float] = mapped_column(Double(53))
    usual: Mapped[float] = mapped_column(Double(53))
    standing: Mapped[str] = mapped_column(String(10))
    budget: Mapped[float] = mapped_column(Double(53))
    days: Mapped[float] = mapped_column(Double(53))
    per_day: Mapped[float] = mapped_column(Double(53))
    low: Mapped[float] = mapped_column(Double(53))
    high: Mapped[float | None] = mapped_column(Double(53))
    recall: Mapped[float | None] = mapped_column(Double(53))
    recall_floor: Mapped[float] = mapped_column(Double(53))
    verified: Mapped[int] = mapped_column(Integer, default=0)
    refound: Mapped[int] = mapped_column(Integer, default=0)
    updated_at: Mapped[float] = mapped_column(Time)
