"""The photo hosts, and how much of each is under way at once."""

from __future__ import annotations

import asyncio

from inat_crawler.errors import SettingError


class Host:
    """A photo host: connections to it, and photos of it in memory, each no more than there are places."""

    def __init__(self, width: int) -> None:
        self.connections = asyncio.Semaphore(width)
        # Twice as many: one is checked and written while the next is fetched, and bodies do not pile up.
        self.bodies = asyncio.Semaphore(2 * width)


def connections_per_host(setting: object) -> int:
    """How many connections a photo host may see. Raises SettingError.

    >>> connections_per_host("16")
    16
    """
    if not str(setting).isdigit() or int(str(setting)) < 1:
        raise SettingError("CONCURRENT_REQUESTS_PER_DOMAIN", "not a whole number from 1 up", setting)
    return int(str(setting))
