"""The clocks that the ledger goes by: one that is right, and one that nobody can set."""

from __future__ import annotations

import time
import uuid
from functools import cache
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def wall() -> float:
    """Seconds since 1970, as this machine's clock is set."""
    return time.time()


def steady() -> float:
    """Seconds since the machine was started, with its sleep where the system tells; the same for all processes."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@cache
def boot() -> str:
    """From which start of the machine `steady` counts; where nothing tells, one of this process alone."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return uuid.uuid4().hex
