"""Who may do what: every route says so, and every role is held to it."""

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute

from tynysh.api.authentication import Requires, everyone, signed_in
from tynysh.api.metrics import may_scrape
from tynysh.api.permissions import PERMISSIONS, Permission
from tynysh.store.users import Role

# Any of these says who may ask: a permission, being signed in, a rule of its own, or that it is for everyone.
DECLARATIONS = (everyone, signed_in, may_scrape)


def calls(dependant: Dependant) -> Iterator[object]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from calls(dependency)


def leaves(routes) -> Iterator[APIRoute | APIWebSocketRoute]:
    """All routes, those of routers within routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if isinstance(route, APIRoute | APIWebSocketRoute):
            yield route
        elif inner is not None:
            yield from leaves(inner.routes)
        else:
            pytest.fail(f"{route!r} is a kind of route that this test does not know")


def declared(route: APIRoute | APIWebSocketRoute) -> list[object]:
    return [call for call in calls(route.dependant) if isinstance(call, Requires) or call in DECLARATIONS]


def test_every_route_declares_who_may_ask(house) -> None:
    routes = list(leaves(house.app.routes))
    assert len(routes) > 18
    assert [route.path for route in routes if not declared(route)] == []


def test_only_these_routes_are_for_everyone(house) -> None:
    free = {
        (route.path, *sorted(getattr(route, "methods", ())))
        for route in leaves(house.app.routes)
        if everyone in calls(route.dependant)
    }
    assert {path for path, *_ in free} == {
        "/session",
        "/healthz",
        "/healthz/alive",
        "/healthz/ready",
        "/api/v1/openapi.json",
        "/api/{path:path}",
        "/{path:path}",
    }
    assert ("/session", "POST") in free
    assert not [entry for entry in free if entry[0] == "/session" and entry[1:] != ("POST",)]


def test_every_role_has_a_set_of_permissions() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert PERMISSIONS[Role.ADMIN] == set(Permission)


ASKED = {
    "GET /api/v1/incidents": Permission.INCIDENTS_READ,
    "GET /api/v1/incidents/{incident}": Permission.INCIDENTS_READ,
    "POST /api/v1/incidents/{incident}/steps": Permission.INCIDENTS_HANDLE,
    "GET /api/v1/incidents/{incident}/clip": Permission.EVIDENCE_VIEW,
    "GET /api/v1/incidents/{incident}/still": Permission.EVIDENCE_VIEW,
    "GET /api/v1/sites": Permission.CAMERAS_READ,
    "GET /api/v1/clock": Permission.CAMERAS_READ,
    "GET /api/v1/cameras": Permission.CAMERAS_READ,
    "GET /api/v1/cameras/club-door": Permission.CAMERAS_READ,
    "GET /api/v1/cameras/club-door/picture": Permission.CAMERAS_VIEW,
}


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_it_may_and_nothing_else(house, role: Role) -> None:
    incident = house.happens()
    house.has_clip(incident, b"video")
    house.workers.pictures["club-door"] = b"\xff\xd8\xff\xd9"
    with house.signed_in(role, sites=("club",) if role is Role.VENUE else ()) as browser:
        for request, permission in ASKED.items():
            method, path = request.format(incident=incident).split()
            body = {"action": "note", "note": "seen"} if method == "POST" else None
            answer = browser.request(method, path, json=body)
            expected = 200 if permission in PERMISSIONS[role] else 403
            assert answer.status_code == expected, (request, answer.text)


@pytest.mark.parametrize("request_line", list(ASKED))
def test_without_a_session_nothing_is_answered(house, request_line: str) -> None:
    method, path = request_line.format(incident=house.happens()).split()
    with house.browser() as browser:
        answer = browser.request(method, path, json={"action": "note"} if method == "POST" else None)
    assert answer.status_code == 401
