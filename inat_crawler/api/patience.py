"""How long to wait before something is asked again: pure numbers; whoever waits does so elsewhere.

Nothing in Scrapy reads `Retry-After`, and it tries again at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
REFUSED = 429  # too many requests: of all that were sent to the host, not of this one
LONGEST_WAIT = 60.0  # seconds between two tries, unless the host says otherwise
LONGEST_PAUSE = 3600.0  # seconds; a host that asks for more is left to a later run
MOST_REFUSALS = 8  # with growing waits these are longer than the minute by which the API counts


def backoff(attempt: int, first: float, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait after this attempt (from 1) failed: doubled each time, a part of it by chance.

    >>> [backoff(attempt, 1, chance=lambda: 1) for attempt in (1, 2, 3, 9)]
    [1.0, 2.0, 4.0, 60.0]
    >>> backoff(3, 1, chance=lambda: 0)
    2.0
    """
    return float(min(first * 2.0 ** min(attempt - 1, 30), LONGEST_WAIT)) * (0.5 + chance() / 2)


def retry_after(value: str | None, date: str | None, moment: datetime | None = None) -> float | None:
    """Seconds that `Retry-After` asks to wait, be it a number of seconds or an HTTP date; None if it says nothing.

    A date is taken by the server's own clock, its `Date`, if it tells that.

    >>> retry_after("120", None)
    120.0
    >>> retry_after("Wed, 25 Nov 2026 10:00:30 GMT", "Wed, 25 Nov 2026 10:00:00 GMT")
    30.0
    >>> [retry_after(value, None) for value in (None, "", "soon", "-3")]
    [None, None, None, None]
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    until = http_date(text)
    if until is None:
        return None
    return max(0.0, (until - (http_date(date) or moment or datetime.now(UTC))).total_seconds())


def http_date(text: str | None) -> datetime | None:
    """The moment of an HTTP date, in UTC; None for what is none.

    >>> http_date("Wed, 25 Nov 2026 10:00:30 GMT").isoformat(), http_date("soon")
    ('2026-11-25T10:00:30+00:00', None)
    """
    try:
        moment = parsedate_to_datetime(text or "")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
