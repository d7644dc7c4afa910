"""What each test costs, and which are cheap enough for the daily loop: `--record-costs`, `--quick`.

The costs stand in `costs.txt`, for the tests that take longer than `QUICK_S`; one that does not stand there is quick.
"""

import resource
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

COSTS = Path(__file__).with_name("costs.txt")
QUICK_S = 0.1
"""With all tests that take less, the daily loop stays under a minute on two cores."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare both options."""
    group = parser.getgroup("costs")
    group.addoption("--quick", action="store_true", help="leave out the tests that stand in tests/costs.txt")
    group.addoption(
        "--record-costs", action="store_true", help="write down in tests/costs.txt what each test took"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Record where asked to."""
    if config.getoption("record_costs"):
        config.pluginmanager.register(Recorder(config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the dear ones for `--quick`."""
    if config.getoption("quick"):
        dear = read()
        left = [item for item in items if function(item.nodeid) in dear]
        items[:] = [item for item in items if function(item.nodeid) not in dear]
        config.hook.pytest_deselected(items=left)


def function(node: str) -> str:
    """The test without its parameters: what one case takes, the others take too."""
    return node.partition("[")[0]


def read() -> dict[str, float]:
    """The seconds of each test that takes longer than `QUICK_S`."""
    lines = COSTS.read_text(encoding="utf-8").splitlines() if COSTS.is_file() else []
    return {node: float(seconds) for seconds, node in (line.split(maxsplit=1) for line in lines)}


class Recorder:
    """Measures each test, in the process that runs it, and writes the costs at the end, in that which reports."""

    def __init__(self, config: pytest.Config) -> None:
        self._reports = not hasattr(config, "workerinput")
        self._costs = read()
        self._since = clocks()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the seconds up to now on the test's last report."""
        report = yield
        if report.when == "teardown":
            cost = max(now - before for now, before in zip(clocks(), self._since, strict=True))
            report.user_properties.append(("cost_s", cost))
        return report

    def pytest_runtest_logstart(self) -> None:
        """Begin to count."""
        self._since = clocks()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the dearest case of each test."""
        costs: dict[str, Any] = dict(report.user_properties)
        if "cost_s" in costs:
            node = function(report.nodeid)
            self._costs[node] = max(self._costs.get(node, 0.0), costs["cost_s"])

    def pytest_sessionfinish(self) -> None:
        """Write down those that are not quick."""
        if self._reports:
            dear = sorted((node, cost) for node, cost in self._costs.items() if cost > QUICK_S)
            COSTS.write_text("".join(f"{cost:.2f} {node}\n" for node, cost in dear), encoding="utf-8")


def clocks() -> tuple[float, float]:
    """Seconds of wall without those in which this thread waited for a core; seconds of CPU, with ended children's."""
    waited = int(Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text().split()[1]) / 1e9
    own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return time.monotonic() - waited, own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime
