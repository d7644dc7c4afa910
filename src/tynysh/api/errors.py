"""Errors in one shape: `{"error": {"code", "message", "field"?}}`, and never anything of the inside."""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from tynysh.api.language import language_of
from tynysh.errors import StoreError
from tynysh.store.database import NotWritableError
from tynysh.translations import text

log = structlog.get_logger(__name__)


class ErrorDetail(BaseModel):
    """What went wrong: a code for programs, a message for people, and the field that it concerns."""

    code: str
    message: str
    field: str | None = None


class ErrorAnswer(BaseModel):
    """The body of every answer that is an error."""

    error: ErrorDetail


class ApiError(Exception):
    """An answer that is an error. The message is the catalogue's text of `text_key`, or of `api.error.{code}`."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        text_key: str | None = None,
        **values: object,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.field = field
        self.text_key = text_key or f"api.error.{code}"
        self.headers = dict(headers or {})
        self.values = values


def not_found(what: str) -> ApiError:
    """There is no such thing, or none that this user may see: the two are not told apart."""
    return ApiError(404, "not_found", field=what)


def answer(error: ApiError, accept_language: str | None) -> JSONResponse:
    """The response for `error`, in the language that the browser asks for."""
    message = text(language_of(accept_language), error.text_key, **error.values)
    body: dict[str, Any] = {"code": error.code, "message": message}
    if error.field is not None:
        body["field"] = error.field
    return JSONResponse({"error": body}, status_code=error.status, headers=error.headers)


_CODES = {400: "invalid", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "invalid"}


def _field(error: RequestValidationError | WebSocketRequestValidationError) -> str | None:
    location = next((fault.get("loc", ()) for fault in error.errors()), ())
    # The first part says body, query, path or header; a fault of the whole body has no field.
    names = [str(part) for part in location[1:] if isinstance(part, str)]
    return ".".join(names)[:100] or None


def install(app: FastAPI) -> None:
    """Makes every error that the application raises an answer in the one shape."""

    def respond(connection: Request | WebSocket, error: ApiError) -> JSONResponse:
        return answer(error, connection.headers.get("accept-language"))

    async def api_error(connection: Request, error: ApiError) -> JSONResponse:
        return respond(connection, error)

    async def http_error(connection: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "invalid" if error.status_code < 500 else "internal")
        return respond(connection, ApiError(error.status_code, code, headers=error.headers))

    async def invalid(connection: Request, error: RequestValidationError) -> JSONResponse:
        return respond(connection, ApiError(422, "invalid", field=_field(error)))

    async def store_error(connection: Request, error: StoreError) -> JSONResponse:
        log.error("the database refused", error=error.message)
        code = "store_not_writable" if isinstance(error, NotWritableError) else "store_unavailable"
        return respond(connection, ApiError(503, code, headers={"Retry-After": "5"}))

    handlers: list[tuple[type[Exception], Any]] = [
        (ApiError, api_error),
        (HTTPException, http_error),
        (RequestValidationError, invalid),
        (WebSocketRequestValidationError, invalid),
        (StoreError, store_error),
    ]
    for kind, handler in handlers:
        app.add_exception_handler(kind, handler)
