"""The frame of a crawl: it holds the output, says how far it is, and gives account of it when it has ended."""

from inat_crawler.extensions.feeds import Feeds
from inat_crawler.extensions.finish import FinishCrawl
from inat_crawler.extensions.progress import Progress

__all__ = ["Feeds", "FinishCrawl", "Progress"]
