"""/incidents: the list, one with its history, the next step, its clip and still."""

import re
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from tynysh.api import models
from tynysh.api.authentication import requires
from tynysh.api.context import Context, Services
from tynysh.api.errors import ApiError, not_found
from tynysh.api.peer import peer_of
from tynysh.api.permissions import Permission
from tynysh.api.principal import Principal
from tynysh.behaviour.signal import Behaviour
from tynysh.incidents.lifecycle import NOTE_LIMIT, Action, State, StepError, Verdict
from tynysh.store import record
from tynysh.store.queries import clips, incidents

router = APIRouter(prefix="/incidents", tags=["incidents"])

LARGEST_ID = 2**63 - 1
NO_ZERO = r"^[^\x00]*$"
"""PostgreSQL knows no text with a zero in it."""

IncidentId = Annotated[int, PathParameter(ge=1, le=LARGEST_ID)]
Reader = Annotated[Principal, Depends(requires(Permission.INCIDENTS_READ))]
Handler = Annotated[Principal, Depends(requires(Permission.INCIDENTS_HANDLE))]
Viewer = Annotated[Principal, Depends(requires(Permission.EVIDENCE_VIEW))]


class StepRequest(BaseModel):
    """What to do to an incident."""

    model_config = ConfigDict(extra="forbid")

    action: Action
    verdict: Verdict | None = Field(None, description="Needed by `verify`; allowed with `resolve`.")
    note: str | None = Field(None, max_length=NOTE_LIMIT)
    version: int | None = Field(None, ge=0, le=LARGEST_ID, description="Of the incident as it was seen.")
    key: UUID | None = Field(None, description="Of this step: sent twice, it is taken once.")


@router.get("")
def list_incidents(
    principal: Reader,
    services: Services,
    state: State | None = None,
    site: Annotated[str | None, Query(max_length=63, pattern=NO_ZERO)] = None,
    behaviour: Behaviour | None = None,
    open: Annotated[bool, Query(description="Only those that are not resolved.")] = False,  # noqa: A002  the API's word
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> models.IncidentPage:
    """Incidents of the sites that the user may see, newest first."""
    only = incidents.Filter(state=state, site=site, behaviour=behaviour, open=open, sites=principal.sites)
    with services.database.reading() as session:
        page = incidents.page(session, only, before=before, limit=limit)
    return models.IncidentPage.model_validate(page)


@router.get("/{incident_id}")
def get_incident(incident_id: IncidentId, principal: Reader, services: Services) -> models.IncidentDetail:
    """One incident with its events and history."""
    with services.database.reading() as session:
        found = incidents.detail(session, incident_id)
    if found is None or not principal.sees(found.site.id):
        raise not_found("incident")
    return models.IncidentDetail.model_validate(found)


@router.post("/{incident_id}/looking")
def look(incident_id: IncidentId, principal: Handler, services: Services) -> models.Lookers:
    """Says that the user has the incident open, for some seconds; who else has. Kept in memory alone."""
    with services.database.reading() as session:
        _must_be_seen(session, incident_id, principal)
    return models.Lookers(others=services.lookers.look(incident_id, principal.name))


@router.post("/{incident_id}/steps")
def take_step(
    incident_id: IncidentId, wanted: StepRequest, principal: Handler, services: Services, request: Request
) -> models.IncidentDetail:
    """The next step of an incident's life. 409 where its state does not allow it, or others were quicker.

    Only who has the incident verifies, dispatches and resolves; others `take_over` first, but for the lead of a
    shift. `undo` takes back one's own last step within some seconds.
    """
    now = services.clock()
    key = None if wanted.key is None else str(wanted.key)
    with services.database.writing() as session:
        _must_be_seen(session, incident_id, principal)
        try:
            if key is not None and incidents.is_taken(session, key, incident_id, principal.name):
                return models.IncidentDetail.model_validate(incidents.detail(session, incident_id))
            after = incidents.take_step(
                session,
                incident_id,
                wanted.action,
                user=principal.name,
                now=now,
                verdict=wanted.verdict,
                note=wanted.note,
                lead=principal.may(Permission.INCIDENTS_LEAD),
                version=wanted.version,
                key=key,
            )
        except incidents.StaleError as error:
            raise ApiError(409, "changed", text_key=error.key) from None
        except StepError as error:
            if error.field is None:
                raise ApiError(409, "conflict", text_key=error.key) from None
            raise ApiError(422, "invalid", field=error.field, text_key=error.key) from None
        record.append(
            session,
            now=now,
            user=principal.name,
            action=f"incident.{wanted.action}",
            object=f"incident:{incident_id}",
            address=peer_of(request).address or None,
            detail={} if wanted.verdict is None else {"verdict": wanted.verdict},
        )
    if after is None:
        raise not_found("incident")
    return models.IncidentDetail.model_validate(after)


@router.get(
    "/{incident_id}/clip",
    response_class=FileResponse,
    responses={
        200: {"content": {"video/mp4": {}}},
        206: {"description": "A part, as the `Range` header asked."},
    },
)
def get_clip(
    incident_id: IncidentId, principal: Viewer, services: Services, request: Request
) -> FileResponse:
    """The anonymised clip. Viewing it is put on the audit record."""
    path = _evidence(incident_id, "clip", principal, services)
    services.viewings.note(
        principal, "clip.view", f"incident:{incident_id}", address=peer_of(request).address
    )
    _drop_odd_range(request)
    return _file(path, "video/mp4")


@router.get(
    "/{incident_id}/still", response_class=FileResponse, responses={200: {"content": {"image/jpeg": {}}}}
)
def get_still(
    incident_id: IncidentId, principal: Viewer, services: Services, request: Request
) -> FileResponse:
    """The anonymised still picture. Viewing it is put on the audit record."""
    path = _evidence(incident_id, "still", principal, services)
    services.viewings.note(
        principal, "still.view", f"incident:{incident_id}", address=peer_of(request).address
    )
    _drop_odd_range(request)
    return _file(path, "image/jpeg")


def _must_be_seen(session: Session, incident_id: int, principal: Principal) -> None:
    """Raises 404 where there is no such incident, or none that the user may see."""
    found = incidents.get(session, incident_id)
    if found is None or not principal.sees(found.site.id):
        raise not_found("incident")


def _evidence(
    incident_id: int, what: Literal["clip", "still"], principal: Principal, services: Context
) -> Path:
    """The anonymised file; never the original. Raises 404 where there is none, or none yet."""
    with services.database.reading() as session:
        _must_be_seen(session, incident_id, principal)
        clip = clips.get(session, incident_id)
    if clip is None:
        raise ApiError(404, "not_ready")
    relative = clip.still_path if what == "still" else clip.anonymised_path if clip.state == "ready" else None
    if not relative:
        raise ApiError(404, "not_ready")
    folder = (services.data_dir / "evidence").resolve()
    path = (folder / relative).resolve()
    # A loss of power may leave a file of which nothing was written.
    if not path.is_relative_to(folder) or not path.is_file() or not path.stat().st_size:
        raise ApiError(404, "not_ready")
    return path


def _file(path: Path, media_type: str) -> FileResponse:
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": "inline"}
    return FileResponse(path, media_type=media_type, headers=headers, stat_result=path.stat())


_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")


def _drop_odd_range(request: Request) -> None:
    """Takes away a `Range` that is malformed or asks for many parts: RFC 9110, 14.2, lets a server ignore it."""
    wanted = request.headers.get("range")
    if wanted is None:
        return
    found = _RANGE.fullmatch(wanted)
    backwards = found is not None and found[1] and found[2] and int(found[1]) > int(found[2])
    if found is None or backwards:
        request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"range"]
