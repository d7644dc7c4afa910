"""Who may do what: every route says so, and every role is held to it."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, APIWebSocketRoute
from pydantic import TypeAdapter
from tests.api.conftest import MISSING, OTHER, OWN
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tynysh.api.authentication import Requires, everyone, signed_in
from tynysh.api.guard import SAFE_METHODS
from tynysh.api.metrics import may_scrape
from tynysh.api.permissions import PERMISSIONS, Permission
from tynysh.store.users import Role

# Any of these says who may ask: a permission, being signed in, a rule of its own, or that it is for everyone.
DECLARATIONS = (everyone, signed_in, may_scrape)


def calls(dependant: Dependant) -> Iterator[object]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from calls(dependency)


def leaves(routes, prefix: str = "") -> Iterator[tuple[APIRoute | APIWebSocketRoute, str]]:
    """All routes with their paths, those of routers within routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if isinstance(route, APIRoute | APIWebSocketRoute):
            yield route, f"{prefix}{route.path}"
        elif inner is not None:
            yield from leaves(inner.routes, f"{prefix}{route.include_context.prefix}")
        else:
            pytest.fail(f"{route!r} is a kind of route that this test does not know")


def declared(route: APIRoute | APIWebSocketRoute) -> list[object]:
    return [call for call in calls(route.dependant) if isinstance(call, Requires) or call in DECLARATIONS]


def test_every_route_declares_who_may_ask(house) -> None:
    routes = list(leaves(house.app.routes))
    described = get_openapi(title="", version="", routes=house.app.routes)["paths"]
    assert set(described) <= {path.replace(":path", "") for _, path in routes}, "none is overlooked"
    assert [path for route, path in routes if not declared(route)] == []


def test_only_these_routes_are_for_everyone(house) -> None:
    free = {
        (path, *sorted(getattr(route, "methods", ())))
        for route, path in leaves(house.app.routes)
        if everyone in calls(route.dependant)
    }
    assert {path for path, *_ in free} == {
        "/api/v1/session",
        "/healthz",
        "/healthz/alive",
        "/healthz/ready",
        "/api/v1/openapi.json",
        "/api/{path:path}",
        "/{path:path}",
    }
    assert ("/api/v1/session", "POST") in free
    assert not [entry for entry in free if entry[0] == "/api/v1/session" and entry[1:] != ("POST",)]


def test_pictures_are_for_who_may_view_and_changes_for_who_may_more_than_read(house) -> None:
    for route, path in leaves(house.app.routes):
        pictures = isinstance(route, APIWebSocketRoute) or re.search("image/|video/", str(route.responses))
        changes = not getattr(route, "methods", SAFE_METHODS) <= SAFE_METHODS
        for call in declared(route):
            if isinstance(call, Requires):
                assert not pictures or call.permission.endswith(".view"), path
                assert not changes or not call.permission.endswith((".read", ".view")), path


def test_every_role_has_a_set_of_permissions() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert PERMISSIONS[Role.ADMIN] == set(Permission)


REFUSALS = {"signed_out", "forbidden", "password_change_required"}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Asker:
    """Somebody who asks. role: None for who has not signed in."""

    role: Role | None
    one_time: bool = False

    @property
    def confined(self) -> bool:
        return self.role is Role.VENUE


ASKERS = [Asker(None), Asker(Role.ADMIN, one_time=True), *map(Asker, Role)]


def address(path: str, values: Mapping[str, str]) -> str:
    """`path` with something in the place of each parameter; fails where nothing is known that it may stand for."""
    return re.sub(r"{(\w+)(:path)?}", lambda found: quote(values[found[1]]), path)


def smallest(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    """A value that fits: of an object what is required, of a choice the first."""
    if "$ref" in schema:
        return smallest(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        wanted = schema.get("required", [])
        return {name: smallest(schema["properties"][name], definitions) for name in wanted}
    assert schema["type"] == "string", f"{schema} is a kind of value that this test does not know"
    return "x" * schema.get("minLength", 1)


def body(route: APIRoute) -> Any:
    if route.body_field is None:
        return None
    schema = TypeAdapter(route.body_field.field_info.annotation).json_schema()
    return smallest(schema, schema.get("$defs", {}))


def expected(route: APIRoute | APIWebSocketRoute, asker: Asker, of: str) -> str:
    """What a route is to answer: a code of refusal, or `answered`."""
    # A permission comes with being signed in.
    declaration, *_ = sorted(declared(route), key=lambda call: call is signed_in)
    if declaration is everyone:
        return "answered"
    permission = declaration.permission if isinstance(declaration, Requires) else Permission.METRICS_READ
    if asker.role is None:
        return "signed_out"
    if declaration is signed_in:
        return "answered"
    if permission not in PERMISSIONS[asker.role] or asker.one_time:
        if declaration is may_scrape:
            return "signed_out"
        return "password_change_required" if asker.one_time else "forbidden"
    named = "{" in route.path
    return "not_found" if named and (of == MISSING or (of == OTHER and asker.confined)) else "answered"


@pytest.fixture(scope="module")
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=20) as client:
        yield client


def asked(
    house,
    browser: httpx.Client,
    route: APIRoute | APIWebSocketRoute,
    method: str,
    path: str,
    token: str | None,
) -> tuple[str, str]:
    """The code of what a route answers, or `answered`; and all that it says."""
    # As if through a proxy: this machine itself may read the figures without signing in.
    headers = {**house.headers(token), "X-Forwarded-For": "203.0.113.9", "Origin": house.url}
    if isinstance(route, APIWebSocketRoute):
        live = f"ws://127.0.0.1:{house.served.port}{path}"
        try:
            with connect(live, additional_headers=headers, proxy=None) as socket:
                return "answered", "".join(str(message) for message in socket)
        except InvalidStatus as refused:
            return json.loads(refused.response.body)["error"]["code"], refused.response.body.decode()
    if "text/event-stream" in str(route.responses):
        with browser.stream(method, f"{house.url}{path}", headers=headers) as answer:
            if answer.is_success:
                house.happens("park-door")
                house.happens("club-door")
                said = ""
                for part in answer.iter_text():
                    said += part
                    if "club-door" in said:
                        return "answered", said
            answer.read()
    else:
        answer = browser.request(method, f"{house.url}{path}", headers=headers, json=body(route))
    if answer.is_success or method == "HEAD":
        return "answered", answer.text
    return answer.json()["error"]["code"], answer.text


def cells(house) -> Iterator[tuple[APIRoute | APIWebSocketRoute, str, str, str]]:
    """Every route by every method of it, for a thing of the own site, of the other, and for nothing."""
    for route, path in leaves(house.app.routes):
        for method in sorted(getattr(route, "methods", None) or {"WS"}):
            by_site = any(one.name == "site" for one in route.dependant.query_params)
            if "{" not in path:
                yield route, method, path, OWN
            for of, values in house.values.items():
                if "{" in path:
                    yield route, method, address(path, values), of
                if by_site:
                    yield route, method, f"{address(path, values)}?site={values['site_id']}", of


@pytest.mark.parametrize("asker", ASKERS, ids=lambda asker: f"{asker.role}{' new' * asker.one_time}")
def test_every_route_answers_every_role_about_every_site_as_it_declares(
    full_house, browser, asker: Asker
) -> None:
    user = asker.role and full_house.user(
        asker.role, sites=("club",) if asker.confined else (), one_time=asker.one_time
    )
    wrong, seen, not_there = [], Counter(), defaultdict(set)
    for route, method, path, of in cells(full_house):
        # Each with a session of its own: one of the routes ends it.
        code, said = asked(full_house, browser, route, method, path, user and full_house.token(user))
        wanted = expected(route, asker, of)
        seen[wanted] += 1
        refusal = code in REFUSALS or (code == "not_found" and "path" not in route.path)
        if (code != wanted) if wanted != "answered" else refusal:
            wrong.append((method, path, code, wanted))
        if asker.confined and any(isinstance(call, Requires) for call in declared(route)):
            if "park" in said.lower():
                wrong.append((method, path, "tells of the other site", said))
            if code == "not_found":
                not_there[route.path].add(said)
    assert wrong == []
    assert not [path for path, said in not_there.items() if len(said) > 1], "nor is it told that there is one"
    assert seen.total() == sum(1 for _ in cells(full_house)) > 60
    assert set(seen) >= ({"answered", "not_found"} if asker.role and not asker.one_time else {"answered"})


def test_what_no_route_declares_is_refused(full_house) -> None:
    by_path: dict[str, set[str]] = defaultdict(set)
    for route, path in leaves(full_house.app.routes):
        by_path[path] |= getattr(route, "methods", None) or {"GET"}
    with full_house.signed_in(Role.ADMIN) as browser:
        for path, known in by_path.items():
            for method in METHODS - known:
                answer = browser.request(method, address(path, full_house.values[OWN]))
                assert answer.status_code in {404, 405}, (method, path)


def test_a_route_that_declares_nothing_is_found() -> None:
    router = APIRouter()

    @router.get("/open")
    def undeclared() -> str:
        return "to everybody"

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(router, prefix="/api")
    assert [(path, declared(route)) for route, path in leaves(app.routes)] == [("/api/open", [])]
