"""`tynysh run`: everything of one installation on this machine, until it is told to stop."""

import os
import resource
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import httpx

from tynysh.bus.workers import Workers
from tynysh.runtime.data_folder import DataFolder
from tynysh.runtime.supervisor import Supervisor, console_answers
from tynysh.store.database import PASSWORD_VARIABLE

CONSOLE_START_S = 60.0

_MOST_DESCRIPTORS = 65_536
_CONSOLE_VARIABLES = frozenset(
    {
        *("TYNYSH_DATA", "TYNYSH_DATABASE", PASSWORD_VARIABLE, "PGPASSWORD"),
        *("TYNYSH_METRICS_TOKEN", "TYNYSH_TRUSTED_PROXIES"),
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TERM", "TMPDIR", "VIRTUAL_ENV"),
        *("LD_LIBRARY_PATH", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"),
    }
)
_CONSOLE_PREFIXES = ("LC_", "PYTHON", "XDG_", "SSL_CERT_", "COVERAGE_")


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
        _raise_descriptor_limit()
        workers = Workers(self._folder.bus)
        address = f"http://{_shown_host(options.host)}:{options.port}"
        environment = self._environment()
        manager = environment.pop("NOTIFY_SOCKET", "")
        supervisor = Supervisor(Random(secrets.randbits(64)), workers, manager=manager)
        supervisor.add(
            "console",
            "serve-console",
            f"--host={options.host}",
            f"--port={options.port}",
            *(f"--allowed-host={name}" for name in options.allowed_hosts),
            environment=console_environment(environment),
            answers=partial(console_answers, httpx.AsyncClient(base_url=address, trust_env=False)),
        )
        for number in range(options.workers):
            supervisor.add(
                f"worker-{number}",
                "serve-cameras",
                f"--worker={number}",
                f"--of={options.workers}",
                f"--device={options.device}",
                environment=worker_environment(environment),
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


def console_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What the console is told of `environment`: all that it reads, and so no secret of a camera."""
    return {
        name: value
        for name, value in environment.items()
        if name in _CONSOLE_VARIABLES or name.startswith(_CONSOLE_PREFIXES)
    }


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a worker is told: any variable may hold what a camera asks for, but for the console's own secret."""
    return {name: value for name, value in environment.items() if name != "TYNYSH_METRICS_TOKEN"}


def _raise_descriptor_limit() -> None:
    """Every connection and camera needs some descriptors; of those that the system grants, few are given at first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


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
