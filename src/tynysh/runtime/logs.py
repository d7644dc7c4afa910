"""Structured logs, with secrets masked and repeats summed up; whatever becomes of them, the process goes on."""

import logging
import os
import re
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

from tynysh.media.redaction import MASK, redacted
from tynysh.runtime.log_repeats import Repeats
from tynysh.runtime.log_stream import LogStream

_SECRET_KEYS = re.compile(
    r"pass(word|phrase)?|secret|token|cookie|authorization|credential|csrf", re.IGNORECASE
)
_STDERR = 2


def _masked(value: Any) -> Any:
    match value:
        case str():
            return redacted(value)
        case dict():
            return {
                key: MASK if _SECRET_KEYS.search(str(key)) else _masked(item) for key, item in value.items()
            }
        case list() | tuple():
            return [_masked(item) for item in value]
        case _:
            return value


def mask_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that lets no secret through, by key or inside a URL."""
    masked: dict[str, Any] = _masked(dict(event))
    return masked


def configure(*, json_lines: bool | None = None, level: int = logging.INFO) -> None:
    """Send all logs of this process to standard error: JSON lines, or for people where it is a terminal.
    A process that was started without it has no log.
    """
    descriptor = _STDERR
    if sys.stderr is None:
        # Nor may a file that is opened later be taken for one of the standard streams.
        while (descriptor := os.open(os.devnull, os.O_WRONLY)) <= _STDERR:
            pass
    if json_lines is None:
        json_lines = not os.isatty(descriptor)
    stamped: list[Any] = [structlog.processors.TimeStamper(fmt="iso", utc=True), mask_secrets]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json_lines
        else structlog.dev.ConsoleRenderer()
    )
    repeats = Repeats()

    def rendered(line: dict[str, Any]) -> str:
        for process in (*stamped, renderer):
            line = process(None, "", line)
        return f"{line}\n"

    def tell_repeats() -> None:
        for line in repeats.due(time.monotonic()):
            stream.write(rendered(line))

    def lost(lines: int) -> str:
        return rendered({"event": "log.lines_lost", "level": "warning", "lines": lines})

    def drop_repeated(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if not repeats.is_new(line, time.monotonic()):
            raise structlog.DropEvent
        return line

    def is_new(record: logging.LogRecord) -> bool:
        try:
            line = {"level": record.levelname.lower(), "event": record.getMessage()}
        except Exception:  # noqa: BLE001 - a library's faulty message, which the handler tells of
            return True
        return repeats.is_new(line, time.monotonic())

    stream = LogStream(descriptor, each_round=tell_repeats, lost_line=lost)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        *stamped,
    ]
    structlog.configure(
        processors=[*shared[:2], drop_repeated, *shared[2:], renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.addFilter(is_new)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.INFO), force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
