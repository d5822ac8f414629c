"""The time in the stand-in's world: real time plus whatever a test has skipped, so that no test sleeps."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone


class Clock:
    """Seconds since 1970. Caches, rate limits, index lag and `updated_at` all read it."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def now(self) -> float:
        return time.time() + self._skipped

    def advance(self, seconds: float) -> None:
        self._skipped += seconds


def local_iso(seconds: float, offset_minutes: int) -> str:
    """An instant as the API writes it: whole seconds, with its local offset.

    >>> local_iso(0, -480)
    '1969-12-31T16:00:00-08:00'
    """
    zone = timezone(timedelta(minutes=offset_minutes))
    return datetime.fromtimestamp(int(seconds), zone).isoformat()


def instant(text: str) -> float:
    """The opposite of `local_iso`; an instant without offset is UTC.

    >>> instant("1969-12-31T16:00:00-08:00"), instant("1970-01-01")
    (0.0, 0.0)
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def offset_minutes(text: str) -> int:
    """The local offset of a timestamp in minutes.

    >>> offset_minutes("2020-11-08T13:20:57+05:30")
    330
    """
    offset = datetime.fromisoformat(text).utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0
