"""Scrapy's feeds, as safe as the store."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import Spider
from scrapy.extensions.feedexport import FeedExporter

logger = logging.getLogger(__name__)


class Feeds(FeedExporter):
    """Scrapy's feeds, but each row is on the disk before the next, and one that cannot be ends the crawl."""

    def item_scraped(self, item: Any, spider: Spider) -> None:
        try:
            super().item_scraped(item, spider)
            for slot in self.slots:
                if slot.file is not None:
                    slot.file.flush()
        except OSError as error:
            if not self.crawler.stats.get_value("inat/error"):
                logger.error("a feed cannot be written: %s", error)
                self.crawler.stats.set_value("inat/error", f"a feed cannot be written: {error}")
