"""The console's own files, as they were built."""

import gzip
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.responses import FileResponse, HTMLResponse, Response

from tynysh.api.authentication import everyone
from tynysh.api.errors import not_found
from tynysh.api.language import language_of
from tynysh.translations import text

BUILT = Path(__file__).with_name("console")

# What Vite writes; the machine's own table of types differs between systems.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_REVALIDATED = {"Cache-Control": "no-cache"}
_DEEPEST = 20
_COMPRESSED = {".css", ".js"}
_FOR_EVER = "public, max-age=31536000, immutable"


def console_router(folder: Path = BUILT) -> APIRouter:
    """Routes for the console in `folder`: its files, and its page for every other address that is not the API's."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(everyone)])
    folder = folder.resolve()

    @router.api_route("/api/{path:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    def unknown_api() -> Response:
        raise not_found("path")

    @router.api_route("/{path:path}", methods=["GET", "HEAD"])
    def file(
        path: str,
        accept_language: Annotated[str | None, Header()] = None,
        accept_encoding: Annotated[str, Header()] = "",
    ) -> Response:
        found = _find(folder, path)
        if found is not None and found.parent == folder / "assets":
            # Vite puts a hash of the content into the names in assets/: they never change.
            small = found.suffix in _COMPRESSED and _takes_gzip(accept_encoding)
            return _small_file(found) if small else _file(found, _FOR_EVER)
        if found is not None and found.name != "index.html":
            return _file(found, "no-cache")
        if path.startswith("assets/"):
            raise not_found("path")
        page = folder / "index.html"
        if not page.is_file():
            return _not_built(accept_language)
        if "/" not in path:
            return _file(page, "no-cache")
        # Its files are named from the console's root on, wherever a proxy shows that.
        up = "../" * min(path.count("/"), _DEEPEST)
        return HTMLResponse(page.read_text("utf-8").replace('"./', f'"{up}'), headers=_REVALIDATED)

    return router


def _find(folder: Path, path: str) -> Path | None:
    """The built file of that address; None for all others, and for addresses that would lead out of `folder`."""
    parts = path.split("/")
    if (
        any(not part or part.startswith(".") or "\\" in part or "\0" in part for part in parts)
        or len(path) > 255
    ):
        return None
    found = folder.joinpath(*parts).resolve()
    return found if found.is_relative_to(folder) and found.is_file() and found.suffix in _TYPES else None


def _file(path: Path, cache: str) -> FileResponse:
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"}
    return FileResponse(path, media_type=_TYPES[path.suffix], headers=headers)


def _small_file(path: Path) -> Response:
    headers = {"Cache-Control": _FOR_EVER, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(_compressed(path), media_type=_TYPES[path.suffix], headers=headers)


@lru_cache(maxsize=32)
def _compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes())


def _takes_gzip(accept_encoding: str) -> bool:
    """Whether a browser says so (RFC 9110, 12.5.3): all that do name it without a weight."""
    return "gzip" in {coding.strip().lower() for coding in accept_encoding.split(",")}


def _not_built(accept_language: str | None) -> HTMLResponse:
    language = language_of(accept_language)
    title = escape(text(language, "api.console.not_built.title"))
    body = escape(text(language, "api.console.not_built.body"))
    page = f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head>'
    return HTMLResponse(f"{page}<body><h1>{title}</h1><p>{body}</p></body></html>", status_code=503)
