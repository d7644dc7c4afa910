"""/openapi.json: the API's own description, for programs and for people who write them."""

from functools import cache
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from tynysh.api.authentication import COOKIE, CSRF_HEADER, everyone


def openapi_router(app: FastAPI, path: str) -> APIRouter:
    """A route that answers with the description of all of `app`."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(everyone)])
    description = cache(lambda: described(app))

    @router.get(path)
    def openapi() -> JSONResponse:
        return JSONResponse(description())

    return router


def described(app: FastAPI) -> dict[str, Any]:
    """The description of all of `app` (OpenAPI 3.1), with what each operation needs."""
    description = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    description["components"]["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
        "bearer": {"type": "http", "scheme": "bearer"},
    }
    for address, operations in description["paths"].items():
        for method, operation in operations.items():
            operation["security"] = _security(address, method)
    return description


def _security(address: str, method: str) -> list[dict[str, list[str]]]:
    if address.startswith("/healthz") or (address.endswith("/session") and method == "post"):
        return []
    if address == "/metrics":
        return [{"bearer": []}, {"session": []}]
    return [{"session": []}] if method == "get" else [{"session": [], "csrf": []}]
