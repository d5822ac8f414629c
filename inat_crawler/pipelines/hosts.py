"""The photo hosts: how much of each is under way at once, and for how long it wants to be left alone."""

from __future__ import annotations

import asyncio
import time

from inat_crawler.api.patience import backoff
from inat_crawler.errors import SettingError


class Host:
    """A photo host: connections to it, and photos of it in memory, each no more than there are places."""

    def __init__(self, width: int, first_wait: float) -> None:
        self.connections = asyncio.Semaphore(width)
        # Twice as many: one is checked and written while the next is fetched, and bodies do not pile up.
        self.bodies = asyncio.Semaphore(2 * width)
        self.turn = asyncio.Lock()  # one after the other waits for its turn
        self.asked_at = 0.0
        self.first_wait = first_wait
        self.free_at = 0.0
        self.refusals = 0

    def pause(self, asked_at: float, seconds: float | None, refused: bool) -> float:
        """Seconds for which it wants to be left alone, by its answer to what was asked at `asked_at` (monotonic).

        The answer asks to wait `seconds`, or is a 429.
        """
        if not refused:
            self.refusals = 0
        elif asked_at >= self.free_at:  # else one of those under way when the first was refused
            self.refusals += 1
        if refused:
            seconds = max(seconds or 0.0, backoff(max(self.refusals, 1), self.first_wait))
        self.free_at = max(self.free_at, time.monotonic() + (seconds or 0.0))
        return seconds or 0.0


def connections_per_host(setting: object) -> int:
    """How many connections a photo host may see. Raises SettingError.

    >>> connections_per_host("16")
    16
    """
    if not str(setting).isdigit() or int(str(setting)) < 1:
        raise SettingError("CONCURRENT_REQUESTS_PER_DOMAIN", "not a whole number from 1 up", setting)
    return int(str(setting))
