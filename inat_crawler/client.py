"""Asking the API through Scrapy's engine: again and again, with growing waits, until an answer can be read.

The pace, and the pauses that the API asks for, are BudgetMiddleware's: all requests to it pass there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from inat_crawler.api.paging import beginning, utc
from inat_crawler.api.patience import (
    LONGEST_PAUSE,
    MOST_REFUSALS,
    REFUSED,
    RETRIED_STATUSES,
    backoff,
    http_date,
    retry_after,
)
from inat_crawler.errors import CrawlError, EndingError, PageError, RefusedError
from inat_crawler.mirror import TOKEN_PAGE, number_setting

logger = logging.getLogger(__name__)
EXPIRED = 401
ABOUT_TOKENS = (
    f"INAT_API_TOKEN is not valid, or no longer: it lives for 24 hours. Log in and take a new one: {TOKEN_PAGE}"
)
T = TypeVar("T")


class ApiClient:
    """Asks the API. `first_answer` is the moment of the first answer in this run, by the server's clock.

    Only requests of a client with a token carry it, and no answer that repeats it gets past this class.
    """

    def __init__(self, crawler: Crawler, token: str = "") -> None:
        self.crawler = crawler
        self.token = token
        self.root: str = crawler.settings["INAT_API_ROOT"].rstrip("/")
        self.tries = 1 + crawler.settings.getint("RETRY_TIMES")
        self.first_wait = first_wait(crawler.settings["INAT_BACKOFF_SECONDS"])
        self.first_answer: str | None = None

    async def get(self, path: str, params: Mapping[str, str], read: Callable[[bytes], T]) -> T:
        """What `read` makes of the answer's body; it raises PageError for one that is not what the API promises.

        Raises RefusedError when the API refuses, PageError when no answer came that can be read, SpentError when
        the budget is, EndingError.
        """
        url = f"{self.root}{path}?{urlencode(params)}"
        failed = refused = 0
        while True:
            try:
                return await self.ask(url, read)
            except PageError as error:
                too_many = isinstance(error, _TooManyError)
                refused, failed = (refused + 1, failed) if too_many else (refused, failed + 1)
                if isinstance(error, RefusedError) or failed >= self.tries or refused > MOST_REFUSALS:
                    raise
                seconds = backoff(failed + refused, self.first_wait)
                logger.info("%s; asking again in %.0f s", error, seconds)
            await rest(self.crawler, seconds)

    async def ask(self, url: str, read: Callable[[bytes], T]) -> T:
        """Ask once. Raises PageError whatever went wrong, SpentError, EndingError."""
        if is_ending(self.crawler):
            raise EndingError("the crawl is ending")
        assert self.crawler.engine is not None
        try:
            response = self.hidden(await self.crawler.engine.download_async(api_request(url, self.token)))
        except IgnoreRequest as error:  # told by BudgetMiddleware why it cannot be sent
            raise (
                error.__cause__ if isinstance(error.__cause__, CrawlError) else EndingError(str(error))
            ) from error
        except Exception as error:  # whatever the network, or a body that cannot be unpacked, may raise
            reason = self.hidden_in(str(error).encode()).decode() or type(error).__name__
            raise PageError(f"cannot reach the API at {url}: {reason}") from error
        if response.status == EXPIRED and self.token:
            raise RefusedError(f"the API answered {EXPIRED} to {url}: {ABOUT_TOKENS}", EXPIRED)
        if response.status != 200:
            raise refusal(response)
        try:
            answer = read(response.body)
        except PageError as error:
            raise PageError(f"the page {response.url} is not what the API promises: {error}") from None
        self.first_answer = self.first_answer or served_at(response)
        return answer

    def hidden(self, response: Response) -> Response:
        """The answer without the token, should it repeat it: answers are quoted, and records are stored."""
        body = self.hidden_in(response.body)
        return response if body is response.body else response.replace(body=body)

    def hidden_in(self, text: bytes) -> bytes:
        token = self.token.encode()
        return text.replace(token, b"(the token)") if token and token in text else text


class _TooManyError(PageError):
    """429: asked again more patiently."""


def api_request(url: str, token: str = "") -> Request:
    """A request to the API as Scrapy sends it: one at a time, and never again by itself.

    It goes nowhere else and into no cache of Scrapy's, which would write the token, and answers that get old.
    """
    meta = {
        "download_slot": "inat_api",
        "autothrottle_dont_adjust_delay": True,
        "dont_retry": True,
        "dont_redirect": True,
        "dont_cache": True,
        "handle_httpstatus_all": True,
    }
    headers = {"Accept": "application/json"} | ({"Authorization": token} if token else {})
    return Request(url, headers=headers, meta=meta, dont_filter=True)


def refusal(response: Response) -> PageError:
    """The error for an answer that is none: one that may be asked for again, or a RefusedError."""
    said = beginning(response.body, 300).decode(errors="replace")
    message = f"the API answered {response.status} to {response.url}: {said}"
    pause = pause_asked(response)
    if pause is not None and pause > LONGEST_PAUSE:
        return RefusedError(f"{message}; it asks to come back in {pause:.0f} s", response.status)
    if response.status == REFUSED:
        return _TooManyError(message)
    return PageError(message) if response.status in RETRIED_STATUSES else RefusedError(message, response.status)


def pause_asked(response: Response) -> float | None:
    """Seconds that the answer asks to wait before its host is asked anything; None if it does not."""
    header = {name: response.headers.get(name) for name in ("Retry-After", "Date")}
    texts = {name: value.decode("latin-1") if value else None for name, value in header.items()}
    return retry_after(texts["Retry-After"], texts["Date"])


def served_at(response: Response) -> str:
    """Moment of the answer by the server's clock, by ours if it tells none; UTC, ISO 8601."""
    date = response.headers.get("Date")
    return utc(http_date(date.decode("latin-1") if date else None) or datetime.now(UTC))


def first_wait(setting: object) -> float:
    """The setting INAT_BACKOFF_SECONDS. Raises SettingError."""
    return number_setting("INAT_BACKOFF_SECONDS", setting, "seconds", LONGEST_PAUSE)


def is_ending(crawler: Crawler) -> bool:
    """Was the crawl told to end: by a signal, or by Scrapy's CloseSpider and memory extensions?"""
    # Scrapy tells nobody that it has begun to close; what is asked for then fails in its engine.
    slot = crawler.engine._slot if crawler.engine else None
    return not crawler.crawling or (slot is not None and slot.closing is not None)


async def rest(crawler: Crawler, seconds: float) -> None:
    """Wait, but not on when the crawl is told to end: raises EndingError then."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        if is_ending(crawler):
            raise EndingError("the crawl is ending")
        left = end - loop.time()
        if left <= 0:
            return
        await asyncio.sleep(min(left, 0.5))
