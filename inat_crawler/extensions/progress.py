"""What one sees while a crawl runs: a live display on a terminal, elsewhere a line a minute in the log."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import AsyncioLoopingCall, create_looping_call
from twisted.internet.task import LoopingCall

from inat_crawler.budget.forecast import Used
from inat_crawler.budget.ledger import used_up
from inat_crawler.budget.limits import Limit, Limits
from inat_crawler.client import is_ending
from inat_crawler.errors import BudgetError
from inat_crawler.extensions.account import count_photos
from inat_crawler.extensions.figures import (
    Figures,
    Start,
    Waiting,
    observations_told,
    photos_told,
    plain_line,
    time_left,
    time_told,
)
from inat_crawler.extensions.terminal import Display, is_terminal, logs_to_stderr
from inat_crawler.mirror import progress_seconds
from inat_crawler.signals import waiting
from inat_crawler.store import Store

logger = logging.getLogger(__name__)

REDRAW_SECONDS = 0.5
LOOK_SECONDS = 10.0  # how often the ledger is asked what is used up
RATE_SECONDS = 20.0  # the rate that is shown is that of the last so many
ENDING = "ending: what is under way is finished; Ctrl-C once more stops at once"
WRITING = "writing the table"


class Progress:
    """Tells how far the crawl is, what holds it up, and how long it takes still."""

    def __init__(
        self,
        crawler: Crawler,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.crawler = crawler
        self.seconds = seconds
        self.clock = clock
        self.start = Start()
        self.begun_at = clock()
        self.waits: dict[str, Waiting] = {}
        self.waited: dict[str, float] = defaultdict(float)
        self.waits_counted_at = self.begun_at
        self.budget = Limits(crawler.settings)
        # Whether photos will come from a host without limits is not known before: then their pace has to tell.
        self.limits = (*self.budget.requests, *(() if self.budget.exempt else self.budget.media))
        self.used: Mapping[Limit, Used] = {}
        self.looking: asyncio.Future[None] | None = None
        self.counted: deque[tuple[float, int]] = deque([(self.begun_at, 0)])
        self.display: Display | None = None
        self.calls: list[AsyncioLoopingCall | LoopingCall] = []
        self.closing = ""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        seconds = progress_seconds(settings["INAT_PROGRESS_SECONDS"])
        if not (settings["INAT_OUTPUT"] and seconds):
            raise NotConfigured  # without a word, which Scrapy would log as a warning: nobody wants to know
        extension = cls(crawler, seconds)
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        crawler.signals.connect(extension.engine_stopped, signals.engine_stopped)
        crawler.signals.connect(extension.waiting, waiting)
        return extension

    def spider_opened(self) -> None:
        self.start = state(self.crawler)
        calls = [(self.log, self.seconds)]
        looks = [(self.look, min(LOOK_SECONDS, self.seconds))] if self.limits else []
        if is_terminal():
            calls = [(self.redraw, REDRAW_SECONDS)] + ([] if logs_to_stderr() else calls)
            self.display = Display()
            self.display.start()
            self.redraw()
        for function, seconds in calls + looks:
            call = create_looping_call(function)
            call.start(seconds, now=False)
            self.calls.append(call)

    def spider_closed(self) -> None:
        self.closing = WRITING
        if self.display is not None:
            self.redraw()

    def engine_stopped(self) -> None:
        for call in self.calls:
            if call.running:
                call.stop()
        if self.display is not None:
            self.display.stop()

    def waiting(self, what: str, reason: str, seconds: float) -> None:
        """Something waits, or (0 seconds) goes on."""
        self.count_waits()
        self.waits[what] = Waiting(what, reason, self.clock() + seconds)

    def count_waits(self) -> None:
        """How long things have waited since this was counted last."""
        now = self.clock()
        for what, wait in self.waits.items():
            self.waited[what] += max(0.0, min(now, wait.until) - self.waits_counted_at)
        self.waits_counted_at = now

    def look(self) -> None:
        if self.looking is None or self.looking.done():
            self.looking = asyncio.ensure_future(self.look_up())

    async def look_up(self) -> None:
        """See how much of the limits is used up, by all processes."""
        try:
            url = self.crawler.settings["INAT_BUDGET_URL"]
            self.used = await asyncio.to_thread(used_up, url, self.budget, patience=0.0)
        except BudgetError as error:  # whoever needs the ledger to go on says so
            logger.debug("%s", error)

    # -- what is told -------------------------------------------------------------------------------------

    def redraw(self) -> None:
        assert self.display is not None
        figures = self.figures()
        rows = [("observations", observations_told(figures))]
        rows += [("photos", photos_told(figures, self.rate(figures)))] if figures.files else []
        first, *others = [n for n in (time_told(self.time_left(figures)), *self.notes()) if n] or [""]
        self.display.show(rows, [first, "; ".join(others)], figures.part)

    def log(self) -> None:
        figures = self.figures()
        logger.info("%s", plain_line(figures, self.rate(figures), self.time_left(figures), self.notes()))

    def figures(self) -> Figures:
        self.count_waits()
        seconds = self.clock() - self.begun_at
        return Figures.of(self.crawler.stats.get_stats(), seconds, self.start, self.waited)

    def time_left(self, figures: Figures) -> tuple[float, str] | None:
        if self.closing or is_ending(self.crawler):
            return None
        waits = (wait.left(self.clock()) for wait in self.waits.values())
        return time_left(figures, self.limits, self.used, max(waits, default=0.0))

    def notes(self) -> list[str]:
        """What waits and why, unless the crawl is ending."""
        closing = self.closing or (ENDING if is_ending(self.crawler) else "")
        return [closing] if closing else self.held_up()

    def held_up(self) -> list[str]:
        now = self.clock()
        return [wait.text(now) for wait in self.waits.values() if wait.left(now)]

    def rate(self, figures: Figures) -> float:
        """Files a second: since the last time that was asked, or in the last RATE_SECONDS if that is longer."""
        now = self.clock()
        while len(self.counted) > 1 and now - self.counted[0][0] > RATE_SECONDS:
            self.counted.popleft()
        then, before = self.counted[0]
        self.counted.append((now, figures.files_done))
        return (figures.files_done - before) / (now - then) if now > then else 0.0


def state(crawler: Crawler) -> Start:
    """The mirror as it is before anything was asked."""
    settings, limit = crawler.settings, crawler.settings.getint("INAT_LIMIT")
    store = Store.of(settings["INAT_STORE_URL"], crawler.spider.query)  # type: ignore[union-attr]
    photos = count_photos(store, settings["INAT_WANTS"], "")
    stored, unread = store.observations.count(), store.windows.unread()
    store.close()
    return Start(stored, photos["missing"], min(unread, max(0, limit - stored)) if limit else unread)
