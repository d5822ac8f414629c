"""How long something takes under the limits, and which of them binds. Arithmetic only; nobody is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inat_crawler.budget.limits import DAY, HOUR, MINUTE, Limit


def seconds_under(limit: Limit, need: Mapping[str, float]) -> float:
    """Seconds that `need` takes when nothing but this limit holds it up; `need` says how much of each unit.

    >>> seconds_under(Limit(55, 60.0, "requests", "minute"), {"requests": 110, "bytes": 3e9})
    120.0
    """
    return need.get(limit.unit, 0.0) / limit.amount * limit.seconds


def binding(limits: Sequence[Limit], need: Mapping[str, float]) -> tuple[Limit, float] | None:
    """The limit under which it takes longest, and how many seconds; None when there are no limits.

    >>> day, hour = Limit(24e9, 86400.0, "bytes", "day"), Limit(5e9, 3600.0, "bytes", "hour")
    >>> binding([hour, day], {"bytes": 48e9}) == (day, 172800.0)
    True
    """
    times = [(limit, seconds_under(limit, need)) for limit in limits]
    return max(times, key=lambda each: each[1], default=None)


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
