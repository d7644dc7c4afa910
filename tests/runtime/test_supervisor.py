"""What crashes is restarted without losing the others, and nothing outlives the supervisor."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.servers import free_port, until

from tynysh.bus.protocol import Request, StopRequest
from tynysh.runtime.data_folder import DataFolder

SUPERVISOR = """
    import json, os, sys
    from functools import partial
    from random import Random
    import httpx
    from tynysh.bus.workers import Workers
    from tynysh.runtime import logs
    from tynysh.runtime.data_folder import DataFolder
    from tynysh.runtime.supervisor import Patience, Supervisor, console_answers

    logs.configure(json_lines=True)
    workers = Workers(DataFolder.open().bus)
    silent_s, start_s = map(float, sys.argv[2:4])
    patience = Patience(ask_s=0.1, answer_s=2.0, silent_s=silent_s, start_s=start_s, deaf_s=2.0)
    manager = os.environ.pop("NOTIFY_SOCKET", "")
    supervisor = Supervisor(Random(1), workers, patience, manager=manager)
    if sys.argv[4] == "deaf":
        supervisor._listen = None
    for name, *arguments in json.loads(sys.argv[1]):
        port = arguments[-1].partition("--port=")[2]
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)
        at = partial(console_answers, client) if port else partial(workers.answers, name)
        supervisor.add(name, *arguments, environment=os.environ, answers=at)
    sys.exit(supervisor.run())
"""


class Running:
    """A supervisor in a process of its own, and its log."""

    def __init__(
        self,
        root: Path,
        children: Sequence[Sequence[str]],
        environment: dict[str, str],
        silent_s: float,
        start_s: float,
        fault: str,
    ) -> None:
        self.log = root / "supervisor.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    textwrap.dedent(SUPERVISOR),
                    json.dumps(children),
                    str(silent_s),
                    str(start_s),
                    fault,
                ],
                env=environment,
                stdin=subprocess.DEVNULL,
                stderr=log,
            )

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [entry for entry in map(json.loads, lines) if entry.get("event") == event]

    def pids(self, name: str) -> list[int]:
        return [entry["pid"] for entry in self.logged("child.started") if entry["child"] == name]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A child whose parent has died and that nobody waits for any more is a zombie at most.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def supervise(tmp_path: Path, sqlite_url: str) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(
        *children: Sequence[str],
        silent_s: float = 60.0,
        start_s: float = 60.0,
        notify: Path | None = None,
        fault: str = "",
    ) -> Running:
        environment = {**os.environ, "TYNYSH_DATA": str(tmp_path / "data"), "TYNYSH_DATABASE": sqlite_url}
        if notify is not None:
            environment["NOTIFY_SOCKET"] = str(notify)
        started.append(Running(tmp_path, children, environment, silent_s, start_s, fault))
        return started[-1]

    yield start
    for running in started:
        running.process.kill()
        running.process.wait()
        for entry in running.logged("child.started"):
            if is_alive(entry["pid"]):
                os.kill(entry["pid"], signal.SIGKILL)


def console(port: int) -> list[str]:
    return ["console", "serve-console", "--host=127.0.0.1", f"--port={port}"]


def answers(port: int) -> bool:
    try:
        return (
            httpx.get(f"http://127.0.0.1:{port}/healthz/alive", timeout=2, trust_env=False).status_code < 500
        )
    except httpx.HTTPError:
        return False


def test_sigterm_ends_everything_in_good_order(supervise: Callable[..., Running]) -> None:
    port = free_port()
    running = supervise(console(port))
    assert until(lambda: answers(port), 60)
    (child,) = running.pids("console")
    running.process.terminate()
    assert running.process.wait(30) == 0
    assert "OPTIONS" not in running.log.read_text(), "signs of life are not for the log"
    assert not is_alive(child)
    assert not running.logged("child.killed")
    assert "Traceback" not in running.log.read_text()


async def test_a_child_that_is_on_the_bus_is_told_there(
    supervise: Callable[..., Running], tmp_path: Path
) -> None:
    port = free_port()
    running = supervise(console(port))
    assert await asyncio.to_thread(until, lambda: answers(port), 60)
    received: list[Request] = []

    async def answer(request: Request) -> AsyncGenerator[bytes, None]:
        """Stands for the child."""
        received.append(request)
        os.kill(running.pids("console")[0], signal.SIGTERM)
        return
        yield b""

    async with DataFolder.open(tmp_path / "data").bus.serve("console", answer):
        running.process.terminate()
        assert await asyncio.to_thread(running.process.wait, 30) == 0
    assert [type(request) for request in received] == [StopRequest]
    assert not running.logged("child.killed")


def test_a_child_that_is_killed_is_started_again_and_the_others_go_on(
    supervise: Callable[..., Running],
) -> None:
    ports = free_port(), free_port()
    running = supervise(console(ports[0]), ["other", *console(ports[1])[1:]])
    assert until(lambda: answers(ports[0]) and answers(ports[1]), 60)
    os.kill(running.pids("console")[0], signal.SIGKILL)
    assert until(lambda: len(running.pids("console")) == 2, 20)
    assert until(lambda: answers(ports[0]), 60)
    assert answers(ports[1])
    assert len(running.pids("other")) == 1
    (died,) = running.logged("child.died")
    assert (died["child"], died["exit_code"], died["restarts"]) == ("console", -signal.SIGKILL, 1)


def test_children_end_when_the_supervisor_is_killed(supervise: Callable[..., Running]) -> None:
    port = free_port()
    running = supervise(console(port))
    assert until(lambda: answers(port), 60)
    (child,) = running.pids("console")
    running.process.kill()
    running.process.wait()
    assert until(lambda: not is_alive(child), 20)


def test_a_child_that_hangs_does_not_outlive_the_supervisor_either(
    supervise: Callable[..., Running],
) -> None:
    port = free_port()
    running = supervise(console(port))
    assert until(lambda: answers(port), 60)
    (child,) = running.pids("console")
    os.kill(child, signal.SIGSTOP)
    running.process.kill()
    running.process.wait()
    assert until(lambda: not is_alive(child), 20)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[Path, socket.socket]]:
    """The socket on which systemd listens to a service, and its path."""
    path = tmp_path / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(20)
        yield path, listening


def test_systemd_is_told_of_the_start_of_life_and_of_the_end(
    supervise: Callable[..., Running], manager: tuple[Path, socket.socket]
) -> None:
    path, listening = manager
    running = supervise(notify=path)
    assert [listening.recv(64) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    running.process.terminate()
    while (said := listening.recv(64)) == b"WATCHDOG=1":
        pass
    assert said == b"STOPPING=1"
    assert running.process.wait(30) == 0


@pytest.mark.parametrize("fault", ["deaf", "stopped"])
def test_a_supervisor_that_hangs_or_listens_to_nobody_is_missed_by_systemd(
    supervise: Callable[..., Running],
    manager: tuple[Path, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    path, listening = manager
    running = supervise(notify=path, fault=fault)
    assert listening.recv(64) == b"READY=1"
    if fault == "stopped":
        running.process.send_signal(signal.SIGSTOP)
    heard = 0
    listening.settimeout(4)
    with pytest.raises(TimeoutError):
        while heard < 60:
            listening.recv(64)
            heard += 1


def test_what_a_restart_would_not_mend_ends_everything_with_its_exit_code(
    supervise: Callable[..., Running], tmp_path: Path
) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("- a list\n")
    port = free_port()
    running = supervise(console(port), ["worker", "check", str(site)])
    assert running.process.wait(60) == 3
    assert not any(is_alive(pid) for pid in running.pids("console"))


def test_a_database_that_is_away_for_a_child_is_waited_for(
    supervise: Callable[..., Running], tmp_path: Path
) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear all, " * 500)
    running = supervise(["worker", "export", f"--database={letter}"])
    assert until(lambda: len(running.logged("child.died")) >= 2, 60)
    assert {entry["exit_code"] for entry in running.logged("child.died")} == {6}
    running.process.terminate()
    assert running.process.wait(30) == 0


def test_a_child_that_always_ends_is_tried_again_and_again_but_not_in_haste(
    supervise: Callable[..., Running],
) -> None:
    running = supervise(["ends", "--version"])
    assert until(lambda: len(running.logged("child.died")) >= 3, 60)
    running.process.terminate()
    assert running.process.wait(30) == 0
    died = running.logged("child.died")
    assert [entry["restarts"] for entry in died] == list(range(1, len(died) + 1))
    assert all(entry["again_in_s"] >= 0.2 for entry in died)


def test_a_child_that_hangs_is_killed_and_started_again_and_the_others_go_on(
    supervise: Callable[..., Running],
) -> None:
    ports = free_port(), free_port()
    running = supervise(console(ports[0]), ["other", *console(ports[1])[1:]], silent_s=3.0, start_s=30.0)
    assert until(lambda: answers(ports[0]) and answers(ports[1]), 60)
    (stopped,) = running.pids("console")
    os.kill(stopped, signal.SIGSTOP)
    assert until(lambda: len(running.pids("console")) == 2, 40)
    assert not is_alive(stopped)
    assert until(lambda: answers(ports[0]), 60)
    assert len(running.pids("other")) == 1
    (hangs,) = running.logged("child.hangs")
    assert hangs["child"] == "console"
    assert hangs["silent_s"] >= 3.0
    (died,) = running.logged("child.died")
    assert died["exit_code"] == -signal.SIGKILL


async def test_a_child_that_no_longer_answers_on_the_bus_is_killed(
    supervise: Callable[..., Running], tmp_path: Path
) -> None:
    hangs, asked = asyncio.Event(), asyncio.Event()

    async def answer(_: Request) -> AsyncGenerator[bytes, None]:
        """Stands for the child's part on the bus."""
        asked.set()
        if hangs.is_set():
            await asyncio.Event().wait()
        yield b"{}"

    async with DataFolder.open(tmp_path / "data").bus.serve("worker-0", answer):
        running = supervise(["worker-0", *console(free_port())[1:], "--allowed-host=bus"], silent_s=2.0)
        await asyncio.wait_for(asked.wait(), 30)
        assert not await asyncio.to_thread(until, lambda: bool(running.logged("child.hangs")), 3)
        hangs.set()
        assert await asyncio.to_thread(until, lambda: len(running.pids("worker-0")) == 2, 20)
    assert [entry["child"] for entry in running.logged("child.hangs")] == ["worker-0"]


def test_a_child_is_given_longer_to_give_its_first_sign_of_life(supervise: Callable[..., Running]) -> None:
    """This one is never on the bus."""
    running = supervise(
        ["worker-0", *console(free_port())[1:], "--allowed-host=bus"], silent_s=0.1, start_s=6.0
    )
    assert until(lambda: bool(running.logged("child.hangs")), 30)
    assert running.logged("child.hangs")[0]["silent_s"] >= 6.0
