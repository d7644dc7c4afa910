"""Linear algebra does not spin on all cores."""

import os
import subprocess
import sys

import pytest

SPINNING = """
import tynysh, time
import numpy as np
near, areas = np.ones((768, 768), np.float32), np.ones(768, np.float32)
near @ areas
began, used = time.perf_counter(), time.process_time()
while time.perf_counter() - began < 0.5:
    near @ areas
    time.sleep(0.005)
print((time.process_time() - used) / 0.5)
"""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core: nothing to spin on")
def test_small_products_take_no_other_core() -> None:
    """The waiting in between is idle; with a second thread that spins, it takes about a whole core."""
    environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_NUM_THREADS"}
    finished = subprocess.run(
        [sys.executable, "-c", SPINNING], capture_output=True, text=True, check=True, env=environment
    )
    assert float(finished.stdout) < 0.6


def test_who_says_otherwise_is_heard() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", "import tynysh, os; print(os.environ['OPENBLAS_NUM_THREADS'])"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "3"},
    )
    assert finished.stdout.strip() == "3"
