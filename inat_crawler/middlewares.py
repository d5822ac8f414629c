"""Manners towards the API: who we are, one request at a time, within the budget, and a pause when it asks for one.

Photos do not wait here: a request that waits in a downloader middleware counts as active, and enough of them
would stop all pages.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

import inat_crawler
from inat_crawler.api.patience import REFUSED, backoff
from inat_crawler.budget.ledger import Ask
from inat_crawler.budget.limits import Limits, host_and_port
from inat_crawler.client import API_SLOT, first_wait, pause_asked
from inat_crawler.errors import CrawlError, SettingError
from inat_crawler.turns import Turns

logger = logging.getLogger(__name__)


class UserAgentMiddleware:
    """Names the application, its version and whom to write to, as the API asks; USER_AGENT has the last word."""

    def __init__(self, user_agent: str) -> None:
        self.user_agent = user_agent

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        contact = read_contact(settings["INAT_CONTACT"])
        if settings.getpriority("USER_AGENT"):
            return cls(settings["USER_AGENT"])
        if not contact:
            hint()
        return cls(user_agent(contact))

    def process_request(self, request: Request) -> None:
        request.headers.setdefault("User-Agent", self.user_agent)


def user_agent(contact: str) -> str:
    """The User-Agent of this project.

    >>> user_agent("ranger@park.example")  # doctest: +ELLIPSIS
    'inat_crawler/... (+https://github.com/inat-crawler/inat_crawler; ranger@park.example)'
    """
    about = f"+{inat_crawler.__url__}" + (f"; {contact}" if contact else "")
    return f"inat_crawler/{inat_crawler.__version__} ({about})"


def read_contact(setting: object) -> str:
    """The setting INAT_CONTACT. Raises SettingError for what cannot stand in a header.

    >>> read_contact(" ranger@park.example ")
    'ranger@park.example'
    """
    contact = str(setting or "").strip()
    if not (contact.isascii() and contact.isprintable()) or set(contact) & set("()"):
        raise SettingError("INAT_CONTACT", "not an e-mail address or web page", setting)
    return contact


@cache
def hint() -> None:
    """Said once, however many crawls this process makes."""
    logger.warning("INAT_CONTACT is not set: the API asks every program to name an e-mail address or web page")


class BudgetMiddleware:
    """Requests to the API wait their turn in the budget, which all crawls share: evenly spaced, so many a day.

    An answer with `Retry-After`, and a 429 without, make all of them wait, in all processes.
    """

    def __init__(self, crawler: Crawler, limits: Limits) -> None:
        self.crawler = crawler
        self.api = Request(limits.api_root).url.rstrip("/") + "/"
        self.ask = Ask(limits.requests_key, host_and_port(self.api), 1, 1, limits.requests, limits.interval)
        self.turns = Turns(crawler, "api", limits.requests, limits.request_periods)
        self.first_wait = first_wait(crawler.settings["INAT_BACKOFF_SECONDS"])
        self.refusals = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler, Limits(crawler.settings))

    # A request that waits here counts as active; one page is under way at a time, so no more than a few wait.
    async def process_request(self, request: Request) -> None:
        if self.is_for_api(request):
            try:
                request.meta["inat_reservation"] = await self.turns.take(self.ask)
            except CrawlError as error:
                raise IgnoreRequest(str(error)) from error
            self.crawler.stats.inc_value("inat/requests/api")
        elif request.url.startswith("http"):
            self.crawler.stats.inc_value("inat/requests/photos")

    async def process_response(self, request: Request, response: Response) -> Response:
        if self.is_for_api(request):
            self.give_back(request)
            self.refusals = self.refusals + 1 if response.status == REFUSED else 0
            pause = pause_asked(response) or 0.0
            if self.refusals:
                pause = max(pause, backoff(self.refusals, self.first_wait))
            if pause:
                logger.info("the API answered %d: no request for %.1f s", response.status, pause)
                await self.turns.meter.pause(self.ask.host, pause, str(response.status))
        return response

    def is_for_api(self, request: Request) -> bool:
        is_ours = request.meta.get("download_slot") == API_SLOT
        return is_ours or (request.url.startswith(self.api) and "inat_photo" not in request.meta)

    def process_exception(self, request: Request, exception: Exception) -> None:
        self.give_back(request)

    def give_back(self, request: Request) -> None:
        self.turns.give_back(request.meta.pop("inat_reservation", None), 1)
