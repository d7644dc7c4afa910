"""What the clocks of this machine say."""

import ctypes
import struct
import sys
import time
from pathlib import Path

from tynysh.evidence.retention_time import Clocks

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_TIME_ERROR = 5
"""What adjtimex(2) answers while no time server keeps the clock."""
_TIME_AT = 72
"""Where `struct timex` of 64-bit Linux has the kernel's own time."""


def read_clocks() -> Clocks:
    """The clocks now. Time servers are heard by way of the kernel, as chrony, ntpd and systemd-timesyncd tell it.

    Where a machine does not say when it was started, no time counts as measured.
    """
    now = time.time()
    if sys.platform != "linux":
        return Clocks(now, "", 0.0, synchronised=False)
    try:
        boot = _BOOT.read_text().strip()
    except OSError:
        boot = ""
    up_s = time.clock_gettime(time.CLOCK_BOOTTIME) if boot else 0.0
    return Clocks(now, boot, up_s, _synchronised(now))


def _synchronised(now: float) -> bool:
    timex = ctypes.create_string_buffer(512)
    state: int = ctypes.CDLL(None).adjtimex(timex)
    kernel_s: int = struct.unpack_from("q", timex, _TIME_AT)[0]
    # A process may be shown another time than the kernel's.
    return 0 <= state < _TIME_ERROR and abs(kernel_s - now) < 2
