"""Waiting for a place in the budget, and for the end of pauses that hosts ask for: at whatever has to be sent.

Nothing is sent to a host with limits before the ledger has a reservation for it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from scrapy import signals
from scrapy.crawler import Crawler

from inat_crawler.api.patience import LONGEST_PAUSE
from inat_crawler.budget.ledger import LONGEST_LOCK, Ask, Reservation, Wait
from inat_crawler.budget.limits import Limit
from inat_crawler.budget.meter import Meter
from inat_crawler.client import is_ending, rest
from inat_crawler.errors import BusyError, EndingError, PostponedError, SpentError
from inat_crawler.signals import waiting

LONGEST_REST = 0.5  # seconds until it is looked again: another process may have given something back
WORTH_A_WORD = 1.0  # seconds
# The part of a day that is waited for: yesterday's crawl frees today's places one by one as it took them.
PART_OF_DAY = 1 / 288


class Turns:
    """The turns of what one component sends: `what` is "api" or "photos", `periods` those of its limits."""

    def __init__(self, crawler: Crawler, what: str, limits: Sequence[Limit], periods: Sequence[float]) -> None:
        """Raises BudgetError when the ledger cannot be opened, though there are limits."""
        self.crawler = crawler
        self.what = what
        self.meter = Meter(crawler.settings["INAT_BUDGET_URL"], periods, limited=bool(limits))
        self.waits_for_days = crawler.settings.getbool("INAT_WAIT")
        self.told: tuple[str, float] = ("", 0.0)  # the reason why something waits, and until when (monotonic)
        self.in_vain_until: dict[str, float] = {}  # by host, monotonic: it is no use to ask the ledger before
        crawler.signals.connect(self.meter.close, signals.engine_stopped)

    async def take(self, ask: Ask, patience: float | None = None) -> Reservation | None:
        """Wait for the turn, and for a place in the budget if the host has limits: then a reservation is returned.

        Raises PostponedError when it would take longer than `patience` seconds, SpentError when the day's budget
        is spent or the host asks to come back much later, EndingError, BudgetError.
        """
        if patience is not None and time.monotonic() < self.in_vain_until.get(ask.host, 0.0):
            raise PostponedError(self.told[0])
        since = time.monotonic()
        while True:
            if is_ending(self.crawler):
                raise EndingError("the crawl is ending")
            try:
                turn = await (self.meter.take(ask) if ask.limits else self.meter.paused(ask.host))
            except BusyError:
                waited, why = time.monotonic() - since, "another program holds the budget's ledger"
                if waited > LONGEST_LOCK:
                    raise
                self.tell(why, LONGEST_LOCK - waited)
                if patience is not None and waited > patience:
                    raise PostponedError(why) from None
                continue
            if not isinstance(turn, Wait):
                self.tell("", 0.0)
                return turn
            why = reason(turn, ask.host)
            if patience is not None and max(turn.seconds, time.monotonic() - since) > patience:
                self.in_vain_until[ask.host] = time.monotonic() + min(turn.seconds, LONGEST_REST)
                self.tell(why, turn.seconds)
                raise PostponedError(why)
            if not self.waits_for_days and is_for_long(turn):
                moment = datetime.now().astimezone() + timedelta(seconds=turn.seconds)
                raise SpentError(why, whole_minute(moment), turn.limit is None)
            self.tell(why, turn.seconds)
            await rest(self.crawler, min(turn.seconds, LONGEST_REST))

    def hold(self, reservation: Reservation | None, amount: float) -> None:
        """What is being sent turns out to be of so much."""
        if reservation is not None:
            self.meter.hold(reservation, amount)

    def give_back(self, reservation: Reservation | None, amount: float) -> None:
        """What was sent has ended and used so much."""
        if reservation is not None:
            self.meter.give_back(reservation, amount)

    def tell(self, why: str, seconds: float) -> None:
        """Let whoever shows the crawl's progress know why something waits, or that it goes on."""
        if seconds and (not why or seconds < WORTH_A_WORD):
            return
        told, until = self.told
        new = (why, time.monotonic() + seconds if seconds else 0.0)
        if told == why and abs(until - new[1]) < WORTH_A_WORD:
            return
        self.told = new
        self.crawler.signals.send_catch_log(waiting, what=self.what, reason=why, seconds=seconds)


def is_for_long(wait: Wait) -> bool:
    """Is it a matter of many hours?

    >>> day = Limit(9500, 86400.0, "requests", "day")
    >>> [is_for_long(wait) for wait in (Wait(7200.0, day), Wait(60.0, day), Wait(7200.0, why="429"), Wait(60.0))]
    [True, False, True, False]
    """
    if wait.limit is not None:
        return wait.limit.period == "day" and wait.seconds > wait.limit.seconds * PART_OF_DAY
    return wait.seconds > LONGEST_PAUSE


def reason(wait: Wait, host: str) -> str:
    """Why it waits, as a user reads it; empty when it is only not its turn yet.

    >>> reason(Wait(60.0, Limit(4_750_000_000, 3600.0, "bytes", "hour")), "photos.example:443")
    '4.75 GB an hour are used up'
    >>> reason(Wait(37.0, why="429"), "api.inaturalist.org:443")
    '429: api.inaturalist.org:443 is paused'
    """
    if wait.limit is not None:
        return f"{wait.limit} are used up"
    return f"{wait.why}: {host} is paused" if wait.why else ""


def whole_minute(moment: datetime) -> str:
    """The first whole minute that is not before this moment, ISO 8601.

    >>> whole_minute(datetime.fromisoformat("2026-11-24T03:59:29+01:00"))
    '2026-11-24T04:00:00+01:00'
    """
    return (moment + timedelta(seconds=60 - 1e-6)).replace(second=0, microsecond=0).isoformat()
