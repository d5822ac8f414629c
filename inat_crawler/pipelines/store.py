"""Each page is stored as a whole, and files get the names that follow from it, before its photos are fetched."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem, NotConfigured

from inat_crawler.api.paging import batches
from inat_crawler.api.photos import farewells, moves
from inat_crawler.client import fail
from inat_crawler.errors import StoreError
from inat_crawler.files import carry_out
from inat_crawler.items import Move, Observation, Page
from inat_crawler.store import Store

logger = logging.getLogger(__name__)
FEW = 10


class StorePipeline:
    """Stores each page with all its observations in one transaction when the first of them comes by."""

    def __init__(self, crawler: Crawler, store: Store) -> None:
        self.crawler = crawler
        self.store = store
        self.images = Path(crawler.settings["IMAGES_STORE"])
        self.full = False
        self.moving = True  # perhaps: files are on their way to other names
        self.told: list[int] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not crawler.settings["INAT_OUTPUT"]:
            raise NotConfigured("INAT_OUTPUT is not set: no crawl of observations")
        query = crawler.spider.query  # type: ignore[union-attr]
        pipeline = cls(crawler, Store.of(crawler.settings["INAT_STORE_URL"], query))
        crawler.signals.connect(pipeline.item_scraped, signals.item_scraped)
        return pipeline

    def open_spider(self) -> None:
        settings = self.crawler.settings
        if not (settings["INAT_KEEP_GONE"] or settings["INAT_REPAIR"]):
            self.clear_away()
        self.withdraw()
        self.move_files()  # also what a killed run had begun

    def clear_away(self) -> None:
        """Observations that an earlier run was to keep though they are gone leave their place now."""
        try:
            for ids in batches(self.store.observations.kept_though_gone()):
                self.store.clear_away(ids, farewells(self.store.files.of_each(ids)))
        except StoreError as error:
            self.stop(error)

    def withdraw(self) -> None:
        """Files of photos whose license does not allow to keep them, or no longer, leave for `withdrawn/`."""
        licenses = self.crawler.settings["INAT_WANTS"].licenses
        if licenses is None or self.full:
            return
        try:
            withdrawn = self.store.withdraw(licenses)
        except StoreError as error:
            self.stop(error)
            return
        if withdrawn:
            self.moving = True
            self.crawler.stats.inc_value("inat/photos/withdrawn", len(withdrawn))
            logger.warning(
                "%d photo file(s) moved to withdrawn/ (license not among %s): observations %s",
                len(withdrawn),
                ", ".join(licenses),
                few([move.observation_id for move in withdrawn]),
            )

    def process_item(self, item: Observation) -> Observation:
        if item.page is None or item.page.stored:
            return item
        if self.full:
            raise DropItem("the store takes no more", log_level="DEBUG")
        self.save_told()  # before the page stores a later change of what the feeds have shown
        try:
            self.store.save_page(item.page, self.moves_of(item.page))
        except StoreError as error:
            self.stop(error)
            raise DropItem("cannot be stored", log_level="DEBUG") from error
        for observation in item.page.observations:
            observation.record = None  # stored: 40 kB each that need not wait for photos
            observation.private_latitude = observation.private_longitude = None  # and no feed or log sees these
        item.page.observations = []
        self.move_files()
        return item

    def moves_of(self, page: Page) -> list[Move]:
        """The files that change their names with this page."""
        changed = [o for o in page.observations if o.change != "unchanged"]
        files = self.store.files.of_each([o.id for o in changed])
        images = self.crawler.settings["INAT_WANTS"].images
        found = [move for o in changed if o.id in files for move in moves(o, files[o.id], images)]
        self.moving = self.moving or bool(found)
        return found

    def move_files(self) -> None:
        """Carry out the moves that are intended in the store."""
        if not self.moving:
            return
        try:
            carry_out(self.images, self.store.moves)
            self.moving = False
        except (OSError, StoreError) as error:
            self.stop(StoreError(f"a photo cannot get its new name: {error}"))

    def stop(self, error: StoreError) -> None:
        self.full = True
        fail(self.crawler, error)

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
            self.store.changes.told(ids)
        except StoreError as error:
            self.stop(error)

    def close_spider(self) -> None:
        self.save_told()
        self.withdraw()
        self.moving = True  # the photos of observations that were found to be gone
        self.move_files()
        self.store.close()


def few(ids: Iterable[int]) -> str:
    """The highest of these ids, each once.

    >>> few([3, 1, 3]), few(range(11))
    ('3, 1', '10, 9, 8, 7, 6, 5, 4, 3, 2, 1, ...')
    """
    each = sorted(set(ids), reverse=True)
    return ", ".join([*map(str, each[:FEW]), *(["..."] if len(each) > FEW else [])])
