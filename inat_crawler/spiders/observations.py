"""The spider: a query -> pages, newest first -> observations.

How far it has read stands in the store as windows of ids, so that a crawl that was ended goes on where it was.
It neither writes files nor fetches photos: pipelines do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self
from urllib.parse import urlencode

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import CloseSpider, IgnoreRequest
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from inat_crawler.api.paging import advance, page_params, read_page
from inat_crawler.api.query import FetchOptions, Query, parse_arguments
from inat_crawler.api.records import read_record, record_id
from inat_crawler.errors import PageError, RecordError, SettingError, StoreError
from inat_crawler.items import Observation, Page, Window, field_names
from inat_crawler.mirror import check_api_root, output_folder, own_settings, scrapy_settings
from inat_crawler.store import Store, sqlite_in


class ObservationsSpider(Spider):
    """Mirrors all observations of one query. Its arguments are declared in `api.arguments`."""

    name = "observations"
    custom_settings = {"FEED_EXPORT_FIELDS": field_names(Observation)}
    # As many items of the store may wait for their photos as of a page.
    room = 100

    def __init__(self, query: Query, options: FetchOptions) -> None:
        super().__init__()
        self.query = query
        self.options = options
        self.read: set[int] = set()  # windows that this run has read to their end

    @classmethod
    def from_crawler(cls, crawler: Crawler, /, *args: Any, **arguments: Any) -> Self:  # type: ignore[override]
        query, options = parse_arguments(arguments)
        check_api_root(crawler.settings["INAT_API_ROOT"])
        output = output_folder(query, options, crawler.settings["INAT_OUTPUT_ROOT"])
        for name, value in own_settings(output, options).items():
            if crawler.settings.getpriority(name) is not None:
                raise SettingError(name, "follows from the spider arguments, -s may not set it", value)
            crawler.settings.set(name, value, priority="spider")
        for name, value in scrapy_settings(output, options).items():
            crawler.settings.set(name, value, priority="spider")
        if not crawler.settings["INAT_STORE_URL"]:
            crawler.settings.set("INAT_STORE_URL", sqlite_in(output), priority="spider")
        spider = super().from_crawler(crawler, query, options)
        crawler.signals.connect(spider.opened, signals.spider_opened)
        crawler.signals.connect(spider.idle, signals.spider_idle)
        for signal in (signals.item_scraped, signals.item_dropped, signals.item_error):
            crawler.signals.connect(spider.item_left, signal)
        return spider

    # -- from the store -----------------------------------------------------------------------------------

    def opened(self) -> None:
        self.store = Store.of(self.settings["INAT_STORE_URL"], self.query)
        self.stored = self.store.observations.count()
        self.crawler.signals.connect(self.store.close, signals.spider_closed)

    async def start(self) -> AsyncIterator[Request]:
        # A request that asks nobody: items of `start` itself would keep a crawl from ending when it is told to,
        # because Scrapy, closing, waits for items to leave but looks again only when a response does.
        yield Request("data:,", callback=self.parse_store, dont_filter=True)

    async def parse_store(self, response: Response) -> AsyncIterator[Observation | Request]:
        """Stored observations that lack a wanted file or a row in a feed, then the first page.

        `room` of them are under way at most. All are through before the first page is asked for: a page may bring
        the same observation with other photos.
        """
        self.places = asyncio.Semaphore(self.room)
        for observation in self.store.unfinished(self.options.images, self.options.sizes):
            await self.places.acquire()
            if self.failed() or not self.crawler.crawling:
                return
            yield observation
        for _ in range(self.room):
            await self.places.acquire()
        try:
            window = self.first_window()
        except StoreError as error:
            self.fail(str(error))
            return
        for request in self.next_page(window):
            yield request

    def item_left(self, item: Any) -> None:
        """One item has been through all pipelines."""
        if item.page is None:
            self.places.release()

    # -- windows and pages --------------------------------------------------------------------------------

    def first_window(self) -> Window | None:
        """The window to begin with: what is new comes first. A mirror read to its end is read anew."""
        if self.limit_met():
            return None
        windows = self.store.windows.all()
        if all(w.done for w in windows):
            self.store.windows.clear()
            return self.store.windows.open(self.query.id_above, self.query.id_below)
        if windows[0].done or windows[0].top is not None:
            top = max(w.top or w.id_above for w in windows)
            return self.store.windows.open(top, self.query.id_below)
        return windows[0]

    def limit_met(self) -> bool:
        return self.options.limit is not None and self.stored >= self.options.limit

    def next_page(self, window: Window | None) -> Iterator[Request]:
        """Request for the next page of the window, or of the next one below that is not read to its end."""
        if window is not None and window.done:
            self.read.add(window.window_id)
            left = (w for w in self.store.windows.all() if not w.done and w.window_id not in self.read)
            window = next(left, None)
        if window is None or self.limit_met() or self.failed():
            return
        per_page = self.options.per_page
        if self.options.limit is not None:
            per_page = min(per_page, self.options.limit - self.stored)
        params = page_params(self.query.params, window, per_page)
        yield Request(
            f"{self.settings['INAT_API_ROOT'].rstrip('/')}/observations?{urlencode(params)}",
            callback=self.parse_page,
            errback=self.page_failed,
            cb_kwargs={"window": window, "per_page": per_page},
            headers={"Accept": "application/json"},
            meta={
                "download_slot": "inat_api",
                "autothrottle_dont_adjust_delay": True,
                "give_up_log_level": "DEBUG",  # page_failed says it in one line
            },
            dont_filter=True,
        )

    def parse_page(self, response: Response, window: Window, per_page: int) -> Iterator[Any]:
        """A page has three outcomes: the next request, the end of its window, or an error with its URL."""
        try:
            total, results = read_page(response.body)
            results = sorted(results, key=lambda r: record_id(r) or 0, reverse=True)[:per_page]
            page = Page(window, advance(window, total, results))
        except PageError as error:
            yield self.page_unreadable(response, error)
            return
        again = self.early_end(response, page)
        if again is not None:
            yield again
            return
        self.read_records(page, results)
        if page.observations:
            yield from page.observations.copy()
        elif not self.saved(page):
            return
        yield from self.next_page(page.after)

    def early_end(self, response: Response, page: Page) -> Request | None:
        """A window that ends before as many came as were counted is asked again: deletions leave it at that."""
        if not page.after.done or page.window.read >= (page.window.total or 0):
            return None
        assert response.request is not None
        return self.retry(response.request, "early_end", max_retry_times=2)

    def saved(self, page: Page) -> bool:
        """Store a page that has no observations for the pipelines to store it with."""
        try:
            self.store.save_page(page)
        except StoreError as error:
            self.fail(str(error))
        return page.stored

    def read_records(self, page: Page, results: list[Any]) -> None:
        """Read the records into the page and compare them with the store; note those that cannot be read."""
        observations: dict[int, Observation] = {}
        for record in results:
            try:
                observation = read_record(record)
                observations.setdefault(observation.id, observation)
            except RecordError as error:
                self.logger.warning("Cannot read a record: %s", error)
                self.crawler.stats.inc_value("inat/records/malformed")
                page.malformed.append((error.observation_id, error.reason))
        page.observations = list(observations.values())
        known = self.store.observations.digests(list(observations))
        for observation in page.observations:
            digest = known.get(observation.id)
            observation.change = (
                "new" if digest is None else "unchanged" if digest == observation.digest() else "changed"
            )
            observation.page = page
            self.crawler.stats.inc_value(f"inat/observations/{observation.change}")
        self.stored += sum(o.change == "new" for o in page.observations)

    # -- failures -----------------------------------------------------------------------------------------

    def page_unreadable(self, response: Response, error: PageError) -> Request | None:
        """Ask for the page again; after the last time the crawl has failed."""
        assert response.request is not None
        retry = self.retry(response.request, "page_unreadable")
        if retry is None:
            self.fail(f"the page {response.url} is not what the API promises: {error}")
        return retry

    def page_failed(self, failure: Failure) -> Request | None:
        """No page came: the API refused, or could not be reached however often it was tried."""
        error, request = failure.value, failure.request  # type: ignore[attr-defined]
        if isinstance(error, HttpError):
            self.refused(error.response)
        if isinstance(error, (HttpError, IgnoreRequest)):
            return None
        retry = self.retry(
            request, type(error).__name__
        )  # what RetryMiddleware does not: a body that cannot be unpacked
        if retry is None:
            self.fail(f"cannot reach the API at {request.url}: {error or type(error).__name__}")
        return retry

    def retry(self, request: Request, reason: str, max_retry_times: int | None = None) -> Request | None:
        return get_retry_request(
            request, spider=self, reason=reason, max_retry_times=max_retry_times, give_up_log_level="DEBUG"
        )

    def refused(self, response: Response) -> None:
        if 400 <= response.status < 500 and response.status != 429 and not self.stored:
            self.crawler.stats.set_value("inat/query_refused", True)
        said = response.body[:300].decode(errors="replace")
        self.fail(f"the API answered {response.status} to {response.url}: {said}")

    def fail(self, message: str) -> None:
        self.logger.error("%s", message)
        self.crawler.stats.set_value("inat/error", message)

    def failed(self) -> bool:
        """Has something ended the crawl: a page, or a store that takes no more?"""
        return self.crawler.stats.get_value("inat/error") is not None

    def idle(self) -> None:
        """The crawl ends when nothing is left to do; the reason tells whether that was its end."""
        if self.failed():
            raise CloseSpider("failed")
