"""How requests are sent: each once, so that the budget counts all that a server sees."""

from __future__ import annotations

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler


class OnceDownloadHandler(HTTP11DownloadHandler):
    """Scrapy's own, but a request whose connection was closed without an answer is not sent again unseen.

    Twisted's pool would do so below all middlewares. Whoever asked asks again, within the budget.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool.retryAutomatically = False
