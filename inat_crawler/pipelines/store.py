"""Each page is stored as a whole before the photos of its observations are fetched."""

from __future__ import annotations

import logging
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem, NotConfigured

from inat_crawler.errors import StoreError
from inat_crawler.items import Observation
from inat_crawler.store import Store

logger = logging.getLogger(__name__)


def fail(crawler: Crawler, error: StoreError) -> None:
    """Nothing more can be kept: the spider asks for no further page once this stat is set."""
    if not crawler.stats.get_value("inat/error"):
        logger.error("%s", error)
        crawler.stats.set_value("inat/error", str(error))


class StorePipeline:
    """Stores each page with all its observations in one transaction when the first of them comes by."""

    def __init__(self, crawler: Crawler, store: Store) -> None:
        self.crawler = crawler
        self.store = store
        self.full = False
        self.told: list[int] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not crawler.settings["INAT_OUTPUT"]:
            raise NotConfigured("INAT_OUTPUT is not set: no crawl of observations")
        query = crawler.spider.query  # type: ignore[union-attr]
        pipeline = cls(crawler, Store.of(crawler.settings["INAT_STORE_URL"], query))
        crawler.signals.connect(pipeline.item_scraped, signals.item_scraped)
        return pipeline

    def process_item(self, item: Observation) -> Observation:
        if item.page is None or item.page.stored:
            return item
        if self.full:
            raise DropItem("the store takes no more", log_level="DEBUG")
        try:
            self.store.save_page(item.page)
        except StoreError as error:
            self.full = True
            fail(self.crawler, error)
            raise DropItem("cannot be stored", log_level="DEBUG") from error
        for observation in item.page.observations:
            observation.record = None  # stored: 40 kB each that need not wait for photos
        item.page.observations = []
        return item

    def item_scraped(self, item: Observation) -> None:
        """The feeds have it now."""
        if self.crawler.stats.get_value("inat/error"):
            return  # perhaps that of a feed: what it did not show is left to the next run
        if item.change in ("new", "changed"):
            self.told.append(item.id)
        if len(self.told) >= 100:
            self.save_told()

    def save_told(self) -> None:
        ids, self.told = self.told, []
        if not ids or self.full:
            return
        try:
            self.store.observations.told(ids)
        except StoreError as error:
            self.full = True
            fail(self.crawler, error)

    def close_spider(self) -> None:
        self.save_told()
        self.store.close()
