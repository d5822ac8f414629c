"""How far a crawl is, in words: from its stats and the limits. Values in, values out; nobody is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from inat_crawler.api.texts import printable
from inat_crawler.budget.forecast import Used, binding, duration
from inat_crawler.budget.limits import HOUR, MINUTE, Limit, shown

SENDERS = {"api": "API waits", "photos": "photos wait"}  # by the argument `what` of signals.waiting
SOON = 5.0  # seconds until what was done says anything of what is left
PACE = "at the pace so far"


@dataclass(frozen=True)
class Start:
    """The mirror when the crawl began: observations it held, wanted files it lacked, how many were to be read."""

    stored: int = 0
    missing: int = 0
    unread: int = 0


@dataclass(frozen=True)
class Figures:
    """One moment of a crawl. Counts are of this run; `asked` is 0 until the API has said how many there are.

    `waited` are the seconds in which requests to the API, or photos, had to wait.
    """

    seconds: float
    asked: int = 0
    read: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    entered: int = 0  # observations whose photos were looked for
    wanted: int = 0
    had: int = 0
    failed: int = 0
    bytes: int = 0
    requests: int = 0
    start: Start = Start()
    waited: Mapping[str, float] = field(default_factory=dict)  # by the argument `what` of signals.waiting

    @classmethod
    def of(
        cls, stats: Mapping[str, Any], seconds: float, start: Start, waited: Mapping[str, float] | None = None
    ) -> Self:
        """From Scrapy's stats.

        >>> stats = {"inat/observations/new": 3, "inat/observations/unchanged": 4, "inat/photos/copied": 2}
        >>> figures = Figures.of(stats, 60.0, Start())
        >>> figures.read, figures.new, figures.had
        (7, 3, 2)
        """

        def count(*names: str) -> int:
            return sum(int(stats.get(f"inat/{name}", 0)) for name in names)

        compared = ("observations/new", "observations/changed", "observations/unchanged")
        return cls(
            seconds,
            asked=max(count("observations/asked"), start.unread),
            read=count(*compared, "records/malformed"),
            new=count("observations/new"),
            changed=count("observations/changed"),
            gone=count("observations/gone"),
            entered=count("photos/observations"),
            wanted=count("photos/wanted"),
            had=count("photos/downloaded", "photos/copied"),
            failed=count("photos/failed"),
            bytes=count("photos/bytes"),
            requests=count("requests/api"),
            start=start,
            waited=waited or {},
        )

    @property
    def files_done(self) -> int:
        return self.had + self.failed

    @property
    def observations_left(self) -> int:
        return max(0, self.asked - self.read)

    @property
    def files(self) -> int:
        """Files that this run is going to want, by what observations had so far; at least what was missing.

        >>> Figures(9.0, asked=1000, read=200, entered=100, wanted=300).files
        3000
        """
        each = self.wanted / self.entered if self.entered else 0.0
        to_come = self.observations_left + max(0, self.read - self.entered)
        return max(round(self.wanted + each * to_come), self.start.missing)

    @property
    def part(self) -> float | None:
        """The part of the work that is done, from 0 to 1; None while nothing is known.

        >>> Figures(9.0, asked=1000, read=200, entered=200, wanted=200, had=100).part
        0.1
        """
        pairs = ((self.read, self.asked), (self.files_done, self.files))
        return min((min(1.0, done / all_) for done, all_ in pairs if all_), default=None)

    def need(self) -> dict[str, float]:
        """What is left, in the units of limits: requests at so many an observation as so far, bytes of files.

        >>> Figures(9.0, asked=1000, read=200, requests=1, entered=200, wanted=200, had=200, bytes=5000).need()
        {'requests': 4.0, 'bytes': 20000.0}
        """
        requests = self.observations_left * self.requests / self.read if self.read else 0.0
        mean = self.bytes / self.had if self.had else 0.0
        return {"requests": requests, "bytes": mean * max(0, self.files - self.files_done)}

    def seconds_at_this_pace(self) -> float:
        """Seconds that the rest takes if it goes on as it went when nothing waited; 0 while that cannot be said.

        >>> Figures(90.0, entered=9, wanted=900, had=300, waited={"photos": 60.0}).seconds_at_this_pace()
        60.0
        """
        parts = (
            ("api", self.observations_left, self.read),
            ("photos", self.files - self.files_done, self.files_done),
        )
        return max(
            left / done * max(0.0, self.seconds - self.waited.get(what, 0.0)) if done and left > 0 else 0.0
            for what, left, done in parts
        )


@dataclass(frozen=True)
class Waiting:
    """Something waits until a moment of the same clock that is asked how far the crawl is."""

    what: str
    reason: str
    until: float

    def left(self, now: float) -> float:
        return max(0.0, self.until - now)

    def text(self, now: float) -> str:
        """Why it waits, and how long still.

        >>> Waiting("photos", "4.75 GB an hour are used up", 1390.0).text(10.0)
        'photos wait: 4.75 GB an hour are used up, 23 min'
        """
        return f"{SENDERS.get(self.what, self.what)}: {printable(self.reason)}, {duration(self.left(now))}"


def time_left(
    figures: Figures, limits: Sequence[Limit], used: Mapping[Limit, Used] | None = None, waits: float = 0.0
) -> tuple[float, str] | None:
    """About how many seconds are left, and by what: the limit that binds, or the pace so far if that is slower.

    `used` is what counts of the limits, `waits` how many seconds something has to wait now. None while nothing can
    be said.

    >>> figures = Figures(60.0, asked=20200, read=200, requests=1)
    >>> time_left(figures, [Limit(1, 60.0, "requests", "minute")])
    (6000.0, '1 requests a minute')
    >>> time_left(figures, [Limit(55, 60.0, "requests", "minute")])
    (6000.0, 'at the pace so far')
    """
    if figures.seconds < SOON or (figures.files and not figures.files_done):
        return None
    need = figures.need()
    bound = binding(limits, need, used)
    limited, pace = bound[1] if bound else 0.0, figures.seconds_at_this_pace()
    if not limited and not pace:
        return None
    pace += waits
    return (limited, str(bound[0])) if bound and limited >= pace else (pace, PACE)


def about(seconds: float) -> str:
    """A time that is an estimate: tens of seconds above a minute, ten minutes above some hours.

    >>> [about(s) for s in (12, 71, 3700, 27_300)]
    ['12 s', '1 min 10 s', '1 h 2 min', '7 h 40 min']
    """
    step = 1.0 if seconds < MINUTE else 10.0 if seconds < HOUR else MINUTE if seconds < 5 * HOUR else 10 * MINUTE
    return duration(round(seconds / step) * step)


def observations_told(figures: Figures) -> str:
    """What became of observations.

    >>> observations_told(Figures(9.0, asked=5678, read=1234, new=1200, changed=4))
    '1,234 of 5,678 read, 1,200 new, 4 changed'
    >>> observations_told(Figures(9.0, entered=30, start=Start(600, 250)))
    '600 there; first the photos that they lack'
    """
    if not figures.read and figures.entered:
        return f"{figures.start.stored:,} there; first the photos that they lack"
    if not figures.asked:
        return "asking how many there are"
    of = f" of {max(figures.asked, figures.read):,}" if figures.asked else ""
    named = {"new": figures.new, "changed": figures.changed, "gone": figures.gone}
    return ", ".join([f"{figures.read:,}{of} read"] + [f"{n:,} {name}" for name, n in named.items() if n])


def photos_told(figures: Figures, per_second: float) -> str:
    """What became of photo files; `per_second` is how many now.

    >>> photos_told(Figures(9.0, asked=1000, read=200, entered=200, wanted=400, had=90, bytes=10**9), 12.3)
    '90 of about 2,000, 1 GB, 12/s'
    >>> photos_told(Figures(9.0, asked=40, read=40, entered=40, wanted=40, had=38, failed=2, bytes=5000), 0.0)
    '38 of 40, 5 kB, 2 failed'
    """
    guess = "about " if figures.files != figures.wanted else ""
    rate = f"{per_second:.0f}/s" if per_second >= 10 else f"{per_second:.1f}/s" if per_second >= 0.1 else ""
    parts = [f"{figures.had:,} of {guess}{figures.files:,}", shown(figures.bytes, "bytes"), rate]
    return ", ".join([part for part in parts if part] + ([f"{figures.failed:,} failed"] if figures.failed else []))


def time_told(left: tuple[float, str] | None) -> str:
    """What is left, and why it takes so long.

    >>> time_told((7_800.0, "4.75 GB an hour")), time_told((40.0, PACE)), time_told(None)
    ('about 2 h 10 min left: 4.75 GB an hour', 'about 40 s left at the pace so far', '')
    """
    if left is None:
        return ""
    seconds, why = left
    return f"about {about(seconds)} left{' ' if why == PACE else ': '}{why}"


def plain_line(figures: Figures, per_second: float, left: tuple[float, str] | None, notes: Sequence[str]) -> str:
    """All of it in one line, for a log.

    >>> print(plain_line(Figures(71.0, asked=40, read=20, new=20), 0.0, (71.0, PACE), []))
    1 min 11 s: 20 of 40 read, 20 new; about 1 min 10 s left at the pace so far
    """
    told = [f"{duration(figures.seconds)}: {observations_told(figures)}"]
    told += [f"photos: {photos_told(figures, per_second)}"] if figures.files else []
    return "; ".join(part for part in [*told, time_told(left), *notes] if part)
