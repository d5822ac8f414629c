"""The spider: a query -> pages, newest first -> observations; then what makes the mirror agree with the API.

How far it has read stands in the store as windows of ids, so that a crawl that was ended goes on where it was.
It neither writes files nor fetches photos: pipelines do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Self

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.http import Response

from inat_crawler.api.explore import read_page as read_address
from inat_crawler.api.paging import (
    MOST_IDS,
    advance,
    batches,
    ids_params,
    page_params,
    read_all,
    read_page,
    sweep_since,
)
from inat_crawler.api.query import FetchOptions, Query, parse_arguments
from inat_crawler.api.records import read_record, record_id
from inat_crawler.api.sample import Sample
from inat_crawler.budget.ledger import used_up
from inat_crawler.budget.limits import Limits
from inat_crawler.client import ApiClient, fail, is_ending
from inat_crawler.errors import CrawlError, EndingError, RecordError, RefusedError
from inat_crawler.forecast.texts import crawl_line
from inat_crawler.items import Observation, Page, Window, field_names
from inat_crawler.mirror import (
    days_between_audits,
    own_settings,
    scrapy_settings,
)
from inat_crawler.spiders.audit import Audit
from inat_crawler.starting import check_start, token_of
from inat_crawler.store import Store, sqlite_in
from inat_crawler.store.holdings import count_holdings

Observations = AsyncIterator[Observation]
SAMPLED = 1000  # photos of the mirror, to tell what others will weigh


class ObservationsSpider(Spider):
    """Mirrors all observations of one query. Its arguments are declared in `api.arguments`."""

    name = "observations"
    custom_settings = {"FEED_EXPORT_FIELDS": field_names(Observation)}

    def __init__(self, query: Query, options: FetchOptions, remarks: Sequence[str] = ()) -> None:
        super().__init__()
        self.query = query
        self.options = options
        self.remarks = remarks
        self.asked: dict[tuple[int, str | None], int] = {}  # by window: how many are there for this run
        self.under_way = 0  # items that have not left the pipelines
        self.none_under_way = asyncio.Event()

    @classmethod
    def from_crawler(cls, crawler: Crawler, /, *args: Any, **arguments: Any) -> Self:  # type: ignore[override]
        query, options = parse_arguments(arguments)
        output = check_start(crawler.settings, query, options)
        for name, value in {**own_settings(output, options), **scrapy_settings(output, options)}.items():
            crawler.settings.set(name, value, priority="spider")
        if not crawler.settings["INAT_STORE_URL"]:
            crawler.settings.set("INAT_STORE_URL", sqlite_in(output), priority="spider")
        remarks = read_address(str(arguments["url"]).strip()).remarks() if "url" in arguments else []
        spider = super().from_crawler(crawler, query, options, remarks)
        crawler.signals.connect(spider.opened, signals.spider_opened)
        crawler.signals.connect(spider.idle, signals.spider_idle)
        for signal in (signals.item_scraped, signals.item_dropped, signals.item_error):
            crawler.signals.connect(spider.item_left, signal)
        return spider

    def opened(self) -> None:
        for line in self.remarks:
            self.logger.info("%s", line)
        self.client = ApiClient(self.crawler, token_of(self.settings, self.options))
        self.store = Store.of(self.settings["INAT_STORE_URL"], self.query)
        self.stored = self.store.observations.count()
        self.is_first = self.store.standing().synced_at is None
        self.crawler.signals.connect(self.store.close, signals.spider_closed)

    # -- the journey --------------------------------------------------------------------------------------

    async def start(self) -> AsyncIterator[Request]:
        # A request that asks nobody: items of `start` itself would keep a crawl from ending when it is told to,
        # because Scrapy, closing, waits for items to leave but looks again only when a response does.
        yield Request("data:,", callback=self.mirror, dont_filter=True)

    async def mirror(self, response: Response) -> Observations:
        """All that there is to do, one after the other: each phase begins when the items of the last are through.

        A page may bring an observation again whose photos are still under way, in another order.
        """
        try:
            if not self.is_first and not self.options.repair:
                await self.foretell()
            for phase in self.phases():
                async for observation in phase():
                    self.under_way += 1
                    yield observation
                    self.go_on()
                await self.all_through()
        except EndingError:
            return
        except RefusedError as error:
            if not self.stored and 400 <= error.status < 500 and error.status != 429:
                self.crawler.stats.set_value("inat/query_refused", True)
            fail(self.crawler, error)
        except CrawlError as error:
            fail(self.crawler, error)

    async def foretell(self, page: Page | None = None, observations: Sequence[Observation] = ()) -> None:
        """Say what is to come: told from the first page, before it is stored, or from what the mirror holds."""
        total = page.after.total if page and page.after else None
        wants = self.options.wants
        sample = Sample.of(observations, wants) if page else Sample.of_pixels(self.store.files.pixels(SAMPLED))
        holdings = count_holdings(self.store.database, wants)
        used = await asyncio.to_thread(used_up, self.settings["INAT_BUDGET_URL"], Limits(self.settings))
        told = crawl_line(self.query, self.options, self.settings, holdings, used, total, sample)
        self.logger.info("%s", told)

    def phases(self) -> Sequence[Callable[[], Observations]]:
        if self.options.repair:
            return (self.damaged,)
        if self.options.limit is not None:  # how many there are beyond the limit says nothing
            return self.unfinished, self.unseen, self.missing, self.windows, self.postponed
        return (
            self.unfinished,
            self.unseen,
            self.missing,
            self.windows,
            self.sweeps,
            self.reconcile,
            self.postponed,
        )

    async def all_through(self) -> None:
        """Return when no item is under way; raises EndingError when the crawl is ending or has failed."""
        while self.under_way:
            self.none_under_way.clear()
            await self.none_under_way.wait()
        self.go_on()

    def go_on(self) -> None:
        if is_ending(self.crawler) or self.failed():
            raise EndingError("the crawl is ending")

    def item_left(self) -> None:
        """One item has been through all pipelines."""
        self.under_way -= 1
        if not self.under_way:
            self.none_under_way.set()

    # -- from the store -----------------------------------------------------------------------------------

    async def unfinished(self) -> Observations:
        """Stored observations that lack a wanted file or a row in a feed."""
        self.store.note_standing(reconciled=False)
        for observation in self.store.unfinished(self.options.wants):
            if self.photos_postponed():
                return  # records go first
            yield observation

    async def postponed(self) -> Observations:
        """Observations whose photos had to wait longer than the records should: now they have the time."""
        if not self.photos_postponed():
            return
        for observation in self.store.unfinished(self.options.wants):
            observation.patient = True
            yield observation

    def photos_postponed(self) -> bool:
        return bool(self.crawler.stats.get_value("inat/photos/postponed"))

    async def damaged(self) -> Observations:
        """Stored observations of which a file was tried, or had, and is not there."""
        for observation in self.store.damaged():
            observation.patient = True
            yield observation

    async def unseen(self) -> Observations:
        """Stored observations whose private coordinates were never asked for are asked for by their ids.

        So it begins anew after a run without a token, which saw none of what it read.
        """
        if not self.options.private:
            self.store.note_standing(private_from=None)
            return
        while ids := self.store.observations.ids_below(self.store.standing().private_from, MOST_IDS):
            async for observation in self.by_ids(ids):
                yield observation
            self.store.note_standing(private_from=ids[-1])
        self.store.note_standing(private_from=0)

    async def missing(self) -> Observations:
        """Observations that are known to be missing, or could not be read, are asked for by their ids."""
        for ids in batches(self.store.missing.ids()):
            async for observation in self.by_ids(ids):
                yield observation

    async def by_ids(self, ids: Sequence[int]) -> Observations:
        """Those of these observations that match the query. The others are there no more."""
        results = await self.client.get("/observations", ids_params(self.query.params, ids), read_all)
        page = Page(None, None, private=self.options.private)
        asked = set(ids)
        for observation in self.compared(page, [r for r in results if record_id(r) in asked]):
            yield observation
        await self.all_through()
        if not page.stored:
            self.store.save_page(page)
        self.store.missing.vanished([i for i in ids if i not in {record_id(r) for r in results}])

    # -- windows and pages --------------------------------------------------------------------------------

    async def windows(self) -> Observations:
        """What is new comes first, then what was not read yet. What was read is not read again."""
        window = self.first_window()
        while window is not None:
            async for observation in self.read(window):
                yield observation
            await self.all_through()
            window = next((w for w in self.store.windows.all() if not w.done and not self.limit_met()), None)
        self.store.windows.merge()
        standing = self.store.standing()
        if standing.audited_at is None and self.store.windows.finished():
            self.store.note_standing(audited_at=standing.synced_at)  # all ids were seen

    def first_window(self) -> Window | None:
        if self.limit_met():
            return None
        windows = self.store.windows.all()
        if not windows:
            return self.store.windows.open(self.query.id_above, self.query.id_below)
        if windows[0].done or windows[0].top is not None:
            top = max(w.top or w.id_above for w in windows)
            return self.store.windows.open(top, self.query.id_below)
        return windows[0]

    def limit_met(self) -> bool:
        return self.options.limit is not None and self.stored >= self.options.limit

    async def read(self, window: Window) -> Observations:
        """Read a window to its end, or up to the limit."""
        while not window.done and not self.limit_met():
            self.go_on()
            per_page = self.options.per_page
            if self.options.limit is not None:
                per_page = min(per_page, self.options.limit - self.stored)
            page, results = await self.next_page(window, per_page)
            observations = list(self.compared(page, results))
            if self.is_first and window.cursor is None:
                await self.foretell(page, observations)
            for observation in observations:
                yield observation
            if not page.observations and not page.stored:
                await self.all_through()  # the cursor goes on from where the page before has left it
                self.store.save_page(page)
            assert page.after is not None
            window = page.after

    async def next_page(self, window: Window, per_page: int) -> tuple[Page, list[Any]]:
        """The next page of a window, newest first.

        One that ends it before as many came as were counted is asked for again.
        """

        def read(body: bytes) -> tuple[Window, list[Any]]:
            total, results = read_page(body)
            results = sorted(results, key=lambda r: record_id(r) or 0, reverse=True)[:per_page]
            return advance(window, total, results), results

        params = page_params(self.query.params, window, per_page)
        for _ in range(3):
            after, results = await self.client.get("/observations", params, read)
            if not after.done or window.read >= (window.total or 0):
                break  # else deletions may have left it at that
        self.note_asked(window, after.total or 0)
        return Page(window, after, served_at=self.client.first_answer, private=self.options.private), results

    def note_asked(self, window: Window, total: int) -> None:
        """Count what this run has to read of its windows, when it comes to each."""
        left = total - window.read
        if self.options.limit is not None:
            left = min(left, self.options.limit - self.stored)
        self.asked.setdefault((window.window_id, window.begun_at), left)
        self.crawler.stats.set_value("inat/observations/asked", sum(self.asked.values()))

    def compared(self, page: Page, results: list[Any]) -> Iterator[Observation]:
        """Read the records into the page and compare them with the store; note those that cannot be read."""
        observations: dict[int, Observation] = {}
        for record in results:
            try:
                observation = read_record(record, self.options.private)
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
        yield from page.observations.copy()

    # -- in step with the API -----------------------------------------------------------------------------

    async def sweeps(self) -> Observations:
        """What was edited since the mirror was in step: the rest of a sweep that was ended, then a new one."""
        if self.is_first:
            return  # all was read just now
        begun = self.store.windows.sweep()
        for sweep in (begun, None) if begun else (None,):
            window = sweep or self.new_sweep()
            async for observation in self.read(window):
                yield observation
            await self.all_through()
            self.store.windows.finish_sweep(window)

    def new_sweep(self) -> Window:
        now, standing = str(self.client.first_answer), self.store.standing()
        # A clock may have been set back, or be ahead of the one that stamps records.
        since = sweep_since(min(standing.synced_at or now, standing.updated_to or now, now))
        top = self.store.windows.top() or self.query.id_above
        return self.store.windows.open(self.query.id_above, top + 1, since, now)

    async def reconcile(self) -> Observations:
        """Compare the mirror with the API: counts, and all ids where these differ or it was long ago."""
        audit = Audit(self.client, self.store, self.query, self.options)
        if await audit.is_needed(days_between_audits(self.settings["INAT_AUDIT_EVERY_DAYS"])):
            await audit.run()
            self.crawler.stats.inc_value("inat/observations/gone", len(audit.gone))
            async for observation in self.missing():
                yield observation
            await self.all_through()
        audit.finish()

    # -- failures -----------------------------------------------------------------------------------------

    def failed(self) -> bool:
        """Has something ended the crawl: a page, or a store that takes no more?"""
        return self.crawler.stats.get_value("inat/error") is not None

    def idle(self) -> None:
        """The crawl ends when nothing is left to do; the reason tells whether that was its end."""
        if self.failed():
            raise CloseSpider("failed")
