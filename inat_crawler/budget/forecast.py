"""How long something takes under the limits, and which of them binds. Arithmetic only; nobody is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from inat_crawler.budget.limits import DAY, HOUR, MINUTE, Limit

Used = Sequence[tuple[float, float]]  # in how many seconds it is free again, and how much


def seconds_under(limit: Limit, need: Mapping[str, float], used: Used = ()) -> float:
    """Seconds that `need` takes when nothing but this limit holds it up; `need` says how much of each unit.

    Requests are spread over their minute; all else may be spent at once, so that what fits into an hour or a day
    is not held up. What is `used` already has to become free first, which may take longer.

    >>> minute, day = Limit(55, 60.0, "requests", "minute"), Limit(24e9, 86400.0, "bytes", "day")
    >>> seconds_under(minute, {"requests": 11, "bytes": 3e9}), seconds_under(day, {"bytes": 3e9})
    (12.0, 0.0)
    >>> seconds_under(day, {"bytes": 36e9}), seconds_under(day, {"bytes": 12e9}, [(3600.0, 12e9), (7200.0, 12e9)])
    (129600.0, 43200.0)
    >>> seconds_under(day, {"bytes": 1e9}, [(3600.0, 12e9), (7200.0, 12e9)])
    3600.0
    """
    amount = need.get(limit.unit, 0.0)
    if limit.period == "minute":
        return amount / limit.amount * limit.seconds
    if amount + sum(each for _, each in used) <= limit.amount or not amount:
        return 0.0
    return max(amount / limit.amount * limit.seconds, seconds_to_free(limit, amount, used))


def seconds_to_free(limit: Limit, amount: float, used: Used) -> float:
    """The earliest moment at which so much may have been spent: what is spent anew is free again a period later.

    >>> seconds_to_free(Limit(10, 3600.0, "bytes", "hour"), 25, [(600.0, 4), (1200.0, 4)])
    7800.0
    """
    periods, rest = divmod(amount, limit.amount)
    if periods and not rest:
        periods, rest = periods - 1, limit.amount
    over = rest + sum(each for _, each in used) - limit.amount
    if over > 0:
        times, amounts = zip(*sorted(used), strict=True)
        freed = zip(times, accumulate(amounts), strict=True)
        return float(periods * limit.seconds + next((at for at, sum_ in freed if sum_ >= over), times[-1]))
    return float(periods * limit.seconds)


def binding(
    limits: Sequence[Limit], need: Mapping[str, float], used: Mapping[Limit, Used] | None = None
) -> tuple[Limit, float] | None:
    """The limit under which it takes longest, and how many seconds; None when none holds it up.

    >>> day, hour = Limit(24e9, 86400.0, "bytes", "day"), Limit(5e9, 3600.0, "bytes", "hour")
    >>> binding([hour, day], {"bytes": 48e9}) == (day, 172800.0)
    True
    >>> binding([hour, day], {"bytes": 20e9}) == (hour, 14400.0), binding([hour, day], {"bytes": 1e9})
    (True, None)
    """
    times = [(limit, seconds_under(limit, need, (used or {}).get(limit, ()))) for limit in limits]
    return max((each for each in times if each[1]), key=lambda each: each[1], default=None)


def duration(seconds: float) -> str:
    """A time as a user reads it, in its two largest units.

    >>> [duration(s) for s in (0.2, 37, 71, 3600, 27_000, 180_000)]
    ['1 s', '37 s', '1 min 11 s', '1 h', '7 h 30 min', '2 days 2 h']
    """
    whole = max(1, round(seconds))
    for size, name, below, small in ((DAY, "day", HOUR, "h"), (HOUR, "h", MINUTE, "min"), (MINUTE, "min", 1, "s")):
        if whole >= size:
            many, rest = int(whole // size), int(whole % size // below)
            plural = "s" if name == "day" and many > 1 else ""
            return f"{many} {name}{plural}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def time_needed(seconds: float) -> str:
    """The same, but in days and their tenths from one day on: that is how often a crawl is begun again.

    >>> time_needed(71), time_needed(200_000)
    ('1 min 11 s', '2.3 days')
    """
    days = f"{seconds / DAY:.1f}"
    return duration(seconds) if seconds < DAY else f"{days} day{'' if days == '1.0' else 's'}"
