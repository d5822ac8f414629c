"""Manners towards the API: who we are, one request at a time, evenly paced, and a pause when it asks for one.

Photos do not wait here: a request that waits in a downloader middleware counts as active, and enough of them
would stop all pages.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

import inat_crawler
from inat_crawler.api.patience import LONGEST_PAUSE, REFUSED, backoff
from inat_crawler.budget.limits import Limits
from inat_crawler.client import first_wait, pause_asked, rest
from inat_crawler.errors import EndingError

logger = logging.getLogger(__name__)


class UserAgentMiddleware:
    """Names the application, its version and whom to write to, as the API asks; USER_AGENT has the last word."""

    def __init__(self, user_agent: str) -> None:
        self.user_agent = user_agent

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        if settings.getpriority("USER_AGENT"):
            return cls(settings["USER_AGENT"])
        return cls(user_agent(settings["INAT_CONTACT"]))

    def process_request(self, request: Request) -> None:
        request.headers.setdefault("User-Agent", self.user_agent)


def user_agent(contact: str | None) -> str:
    """The User-Agent of this project.

    >>> user_agent("ranger@park.example")  # doctest: +ELLIPSIS
    'inat_crawler/... (ranger@park.example)'
    """
    return f"inat_crawler/{inat_crawler.__version__}" + (f" ({contact})" if contact else "")


class BudgetMiddleware:
    """Requests to the API wait their turn: one every 60 / INAT_API_REQUESTS_PER_MINUTE seconds.

    An answer with `Retry-After`, and a 429 without, make all of them wait.
    """

    def __init__(self, crawler: Crawler, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.crawler = crawler
        self.api = crawler.settings["INAT_API_ROOT"].rstrip("/") + "/"
        self.interval = interval
        self.first_wait = first_wait(crawler.settings["INAT_BACKOFF_SECONDS"])
        self.clock = clock
        self.next_turn = 0.0
        self.refusals = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        return cls(crawler, Limits(settings).interval)

    # A request that waits here counts as active; one page is under way at a time, so no more than a few wait.
    async def process_request(self, request: Request) -> None:
        if request.url.startswith(self.api):
            await self.wait()
            self.crawler.stats.inc_value("inat/requests/api")
        elif request.url.startswith("http"):
            self.crawler.stats.inc_value("inat/requests/photos")

    def process_response(self, request: Request, response: Response) -> Response:
        if request.url.startswith(self.api):
            self.refusals = self.refusals + 1 if response.status == REFUSED else 0
            pause = pause_asked(response) or 0.0
            if self.refusals:
                pause = max(pause, backoff(self.refusals, self.first_wait))
            if 0 < pause <= LONGEST_PAUSE:  # more ends the crawl
                logger.info("the API answered %d: no request for %.1f s", response.status, pause)
                self.next_turn = max(self.next_turn, self.clock() + pause)
        return response

    async def wait(self) -> None:
        """Take the next turn when it has come; a pause may put it off while it is waited for."""
        try:
            while (seconds := self.take_turn()) > 0:
                await rest(self.crawler, min(seconds, 0.5))
        except EndingError as error:
            raise IgnoreRequest(str(error)) from error

    def take_turn(self) -> float:
        """Take the turn if it has come and return 0, else return the seconds until it comes."""
        moment = self.clock()
        if moment < self.next_turn:
            return self.next_turn - moment
        self.next_turn = moment + self.interval
        return 0.0
