"""`tynysh run`: everything of one installation on this machine, until it is told to stop."""

import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import httpx

from tynysh.bus.workers import Workers
from tynysh.runtime.data_folder import DataFolder
from tynysh.runtime.supervisor import Supervisor, console_answers

CONSOLE_START_S = 60.0


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """How to run. site: a file to apply first, None for what the database has; database: its URL."""

    site: Path | None
    data: Path | None
    database: str | None
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    device: str = "CPU"
    allowed_hosts: tuple[str, ...] = ()


class Service:
    """One installation: its folder, its database, its console and its workers."""

    def __init__(self, options: ServiceOptions) -> None:
        self._options = options
        self._folder = DataFolder.open(options.data)
        self._url = options.database or self._folder.database_url

    def run(self, *, ready: Callable[[str], None], seconds: float | None = None) -> int:
        """Run console and workers until SIGINT, SIGTERM or for `seconds`; the exit code.

        `ready` is called with the console's address once it answers.
        """
        options = self._options
        workers = Workers(self._folder.bus)
        address = f"http://{_shown_host(options.host)}:{options.port}"
        supervisor = Supervisor(self._environment(), Random(secrets.randbits(64)), workers)
        supervisor.add(
            "console",
            "serve-console",
            f"--host={options.host}",
            f"--port={options.port}",
            *(f"--allowed-host={name}" for name in options.allowed_hosts),
            answers=partial(console_answers, httpx.AsyncClient(base_url=address, trust_env=False)),
        )
        for number in range(options.workers):
            supervisor.add(
                f"worker-{number}",
                "serve-cameras",
                f"--worker={number}",
                f"--of={options.workers}",
                f"--device={options.device}",
                answers=partial(workers.answers, f"worker-{number}"),
            )
        over = threading.Event()
        threading.Thread(target=_tell_when_ready, args=(address, ready, over), daemon=True).start()
        if seconds is not None:
            timer = threading.Timer(seconds, supervisor.stop)
            timer.daemon = True
            timer.start()
        try:
            return supervisor.run()
        finally:
            over.set()

    def _environment(self) -> dict[str, str]:
        """What the children are told: the database by environment, since its URL may carry a password."""
        return {
            **os.environ,
            "TYNYSH_DATA": str(self._folder.root),
            "TYNYSH_DATABASE": self._url,
            # A thread pool per library and process would only get in the way of the inference threads.
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
            "PYTHONUNBUFFERED": "1",
        }


def _shown_host(host: str) -> str:
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _tell_when_ready(address: str, ready: Callable[[str], None], over: threading.Event) -> None:
    deadline = time.monotonic() + CONSOLE_START_S
    while not over.wait(0.2) and time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{address}/healthz/alive", timeout=2.0, trust_env=False)
        except httpx.HTTPError:
            continue
        if answer.is_success:
            ready(address)
            return
