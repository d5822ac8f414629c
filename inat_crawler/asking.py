"""A few questions to the API outside of any mirror: a crawl of its own, through the same middlewares."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Self

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.http import Response

from inat_crawler.api.texts import printable
from inat_crawler.budget.forecast import duration
from inat_crawler.client import ApiClient
from inat_crawler.errors import CrawlError, EndingError
from inat_crawler.mirror import check_api_root
from inat_crawler.signals import waiting

Question = Callable[[ApiClient], Awaitable[Any]]


WORTH_A_WORD = 2.0  # seconds
# What -o and -s say is meant for the mirror: here it would write feeds without an item, and use up its job folder.
NOT_MINE: Mapping[str, Any] = {"FEEDS": {}, "JOBDIR": None}


class AskingSpider(Spider):
    """Asks one question, which may take several requests, and keeps the answer."""

    name = "asking"
    # The project's own extensions and pipelines are for mirrors, and would say that they have no work here.
    custom_settings = {"LOG_LEVEL": "WARNING", "EXTENSIONS": {}, "ITEM_PIPELINES": {}}

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question
        self.answer: Any = None
        self.error: CrawlError | None = EndingError("the crawl was ended before it was answered")

    @classmethod
    def from_crawler(cls, crawler: Crawler, /, *args: Any, **arguments: Any) -> Self:  # type: ignore[override]
        check_api_root(crawler.settings["INAT_API_ROOT"])
        for name, value in NOT_MINE.items():
            crawler.settings.set(name, value, priority="cmdline")
        spider = super().from_crawler(crawler, *args, **arguments)
        crawler.signals.connect(spider.waits, waiting)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        yield Request("data:,", callback=self.ask, dont_filter=True)

    def waits(self, reason: str, seconds: float) -> None:
        """There is no display yet that would say so."""
        if seconds >= WORTH_A_WORD:
            print(f"waiting: {printable(reason)}, {duration(seconds)}", file=sys.stderr)

    async def ask(self, response: Response) -> None:
        try:
            self.answer, self.error = await self.question(ApiClient(self.crawler)), None
        except CrawlError as error:
            self.error = error


class Asked:
    """A question that is asked when `process` is started; `then` is called with the answer, if there is one.

    `wait`: when the day's budget is spent it sleeps until it may go on.

    It may begin another crawl of the process, which goes on until that has ended too.
    """

    def __init__(self, process: AsyncCrawlerProcess, question: Question, wait: bool = False) -> None:
        self.crawler = process.create_crawler(AskingSpider)
        self.crawler.settings.set("INAT_WAIT", wait, priority="cmdline")
        self.then: Callable[[Any], object] | None = None
        self.task = process.crawl(self.crawler, question)
        self.task.add_done_callback(self.done)

    def done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is not None:
            return
        if self.then is not None and self.spider.error is None:
            self.then(self.spider.answer)

    @property
    def spider(self) -> AskingSpider:
        assert isinstance(self.crawler.spider, AskingSpider)
        return self.crawler.spider

    def result(self) -> Any:
        """The answer, once the process has ended. Raises CrawlError for expected trouble."""
        if not self.task.done():  # told twice to end
            raise EndingError("the crawl was ended before it was answered")
        self.task.result()
        if self.spider.error is not None:
            raise self.spider.error
        return self.spider.answer
