"""Asking the API through Scrapy's engine: again and again, with growing waits, until an answer can be read.

The pace, and the pauses that the API asks for, are BudgetMiddleware's: all requests to it pass there.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote, urlencode

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
from inat_crawler.api.texts import printable
from inat_crawler.errors import CrawlError, EndingError, PageError, RefusedError, SpentError
from inat_crawler.mirror import TOKEN_PAGE, number_setting
from inat_crawler.signals import waiting

logger = logging.getLogger(__name__)
API_SLOT = "inat_api"
EXPIRED = 401
ABOUT_TOKENS = (
    f"INAT_API_TOKEN is not valid, or no longer: it lives for 24 hours. Log in and take a new one: {TOKEN_PAGE}"
)
LONGEST_ADDRESS = 120  # characters
T = TypeVar("T")


class ApiClient:
    """Asks the API. `first_answer` is the moment of the first answer in this run, by the server's clock.

    Only requests of a client with a token carry it, and no answer that repeats it gets past this class.
    """

    def __init__(self, crawler: Crawler, token: str = "") -> None:
        self.crawler = crawler
        self.token = token
        spellings = (re.escape(text.encode()) for text in {token, quote(token, safe="")})
        self.secret = re.compile(b"|".join(spellings), re.IGNORECASE)
        self.root: str = crawler.settings["INAT_API_ROOT"].strip().rstrip("/")
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
                # After a 429 the pause of BudgetMiddleware is no shorter.
                seconds = 0.0 if too_many else backoff(failed, self.first_wait)
                logger.info("%s; asking again%s", error, f" in {seconds:.0f} s" if seconds >= 1 else "")
                if seconds:
                    reason = "a failure, asking again"
                    self.crawler.signals.send_catch_log(waiting, what="api", reason=reason, seconds=seconds)
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
            reason = printable(self.hidden_in(str(error).encode()).decode()) or type(error).__name__
            raise PageError(f"cannot reach the API: {reason}; asked for {shortened(url)}") from error
        if response.status == EXPIRED and self.token:
            raise RefusedError(f"the API answered {EXPIRED}: {ABOUT_TOKENS}; asked for {shortened(url)}", EXPIRED)
        if response.status != 200:
            raise refusal(response, self.crawler.settings.getbool("INAT_WAIT"))
        try:
            answer = read(response.body)
        except PageError as error:
            promised = f"the answer is not what the API promises: {error}"
            raise PageError(f"{promised}; asked for {shortened(response.url)}") from None
        self.first_answer = self.first_answer or served_at(response)
        return answer

    def hidden(self, response: Response) -> Response:
        """The answer without the token, should it repeat it: answers are quoted, and records are stored."""
        return response.replace(body=self.hidden_in(unescaped(response.body))) if self.token else response

    def hidden_in(self, text: bytes) -> bytes:
        return self.secret.sub(b"(the token)", text) if self.token else text


def unescaped(body: bytes) -> bytes:
    r"""JSON without the escapes that ASCII letters and signs may have; anything else as it is.

    >>> unescaped(rb'{"name": "\u002d \/"}'), unescaped(b"<html>")
    (b'{"name": "- /"}', b'<html>')
    """
    try:
        return json.dumps(json.loads(body)).encode()
    except (ValueError, RecursionError):
        return body


class _TooManyError(PageError):
    """429: asked again more patiently."""


def api_request(url: str, token: str = "") -> Request:
    """A request to the API as Scrapy sends it: one at a time, and never again by itself.

    It goes nowhere else and into no cache of Scrapy's, which would write the token, and answers that get old.
    """
    meta = {
        "download_slot": API_SLOT,
        "autothrottle_dont_adjust_delay": True,
        "dont_retry": True,
        "dont_redirect": True,
        "dont_cache": True,
        "handle_httpstatus_all": True,
    }
    headers = {"Accept": "application/json"} | ({"Authorization": token} if token else {})
    return Request(url, headers=headers, meta=meta, dont_filter=True)


def refusal(response: Response, waits: bool) -> PageError:
    """The error for an answer that is none: one that may be asked for again, or a RefusedError.

    `waits`: the crawl waits however long the API asks for.
    """
    said = printable(" ".join(beginning(response.body, 300).decode(errors="replace").split()))
    message = f"the API answered {response.status}: {said}; asked for {shortened(response.url)}"
    pause = pause_asked(response)
    if pause is not None and pause > LONGEST_PAUSE and not waits:
        return RefusedError(f"{message}; it asks to come back in {pause:.0f} s", response.status)
    if response.status == REFUSED:
        return _TooManyError(message)
    return PageError(message) if response.status in RETRIED_STATUSES else RefusedError(message, response.status)


def shortened(url: str) -> str:
    """An address as far as one wants to read it: that of a page of ids goes over many lines.

    >>> shortened("http://127.0.0.1/v1/observations?id=" + "1," * 200)[60:]
    '1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1...'
    """
    return url if len(url) <= LONGEST_ADDRESS else f"{url[:LONGEST_ADDRESS]}..."


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


def fail(crawler: Crawler, error: CrawlError) -> None:
    """Nothing more can be asked for or kept: the spider asks for no further page once this stat is set."""
    if crawler.stats.get_value("inat/error"):
        return
    crawler.stats.set_value("inat/error", str(error))
    logger.log(logging.WARNING if isinstance(error, SpentError) else logging.ERROR, "%s", error)
    if isinstance(error, SpentError):
        crawler.stats.set_value("inat/come_back_at", error.come_back_at)


def is_ending(crawler: Crawler) -> bool:
    """Was the crawl told to end: by a signal, or by Scrapy's CloseSpider and memory extensions?"""
    # Scrapy tells nobody that it has begun to close; what is asked for then fails in its engine.
    slot = crawler.engine._slot if crawler.engine else None
    stopped = crawler._started and not crawler.crawling  # `scrapy shell` never begins to crawl
    return stopped or (slot is not None and slot.closing is not None)


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
