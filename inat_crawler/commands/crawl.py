"""`scrapy crawl`, as Scrapy has it, with errors in one line and the exit statuses of this project.

0 complete; 1 could not start; 3 stopped after that, or while the API was asked what names mean. Spiders without an
account exit as in any Scrapy project.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Mapping

from scrapy import signals
from scrapy.commands import crawl
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.exceptions import UsageError
from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings

from inat_crawler.api.names import KINDS, Candidate, names_in, with_ids
from inat_crawler.api.names import chosen as chosen_line
from inat_crawler.api.query import check_arguments
from inat_crawler.asking import Asked
from inat_crawler.client import ApiClient
from inat_crawler.errors import ArgumentError, CrawlError
from inat_crawler.lookup import choices, exit_status, told
from inat_crawler.starting import check_start

logger = logging.getLogger(__name__)

NAMING_SPIDER = "observations"  # whose arguments may hold names
RESERVED = (
    "self",
    "crawler",
    "crawler_or_spidercls",
)  # parameters of Scrapy's functions on the way


def is_watched(settings: BaseSettings | None) -> bool:
    """Does somebody watch this crawl on a terminal who has not asked for a log of a certain level?

    The settings of Scrapy's parts and its stats are for programmers; they stay in logs that go elsewhere.
    """
    if settings is None or settings["LOG_FILE"] or not sys.stderr.isatty():
        return False
    return (settings.getpriority("LOG_LEVEL") or 0) <= SETTINGS_PRIORITIES["project"]


class Command(crawl.Command):
    """Run a spider and exit with the status of its account."""

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Scrapy's own, but a slip in `-a` or `-s` is a bad argument like any other, and none is given twice."""
        names = [argument.partition("=")[0] for argument in opts.spargs]
        try:
            super().process_options(args, opts)
            for name in names:
                if names.count(name) > 1:
                    raise ArgumentError(name, "given twice")
                if name in RESERVED:
                    raise ArgumentError(name, "unknown; docs/arguments.md lists all names")
        except (UsageError, ArgumentError) as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(1)
        self.quiet = is_watched(self.settings)
        if self.quiet:
            logging.disable(logging.INFO)  # Scrapy sets up its loggers after this, and names all versions at once

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.crawler_process
        if self.quiet:
            logging.disable(logging.NOTSET)
            logging.getLogger("scrapy").setLevel(logging.WARNING)
            # Its advice is to accept truncated bodies; they are asked for again.
            logging.getLogger("scrapy.core.downloader.handlers").setLevel(logging.ERROR)
        known = self.crawler_process.spider_loader.list()
        if len(args) != 1 or args[0] not in known:
            print(
                f"error: name one spider ({', '.join(known)}), and arguments as -a name=value: {args}",
                file=sys.stderr,
            )
            self.exitcode = 1
            return
        self.crawler: Crawler | None = None
        self.task: asyncio.Task[None] | None = None
        try:
            asked = self.begin(args[0], opts.spargs)
            self.crawler_process.start()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)  # all is done: now it could only falsify the exit status
            if asked is not None:
                asked.result()
        except CrawlError as error:
            print(f"error: {told(error)}", file=sys.stderr)
            self.exitcode = exit_status(error)
            return
        self.exitcode = self.status()

    def begin(self, spider: str, arguments: Mapping[str, str]) -> Asked | None:
        """Begin the crawl, or, when there are names among its arguments, to ask for these before it."""
        assert self.crawler_process
        if spider != NAMING_SPIDER or not names_in(arguments):
            self.crawl(spider, arguments)
            return None
        query, options = check_arguments(arguments)  # a slip costs no request
        check_start(self.crawler_process.settings, query, options)

        async def question(client: ApiClient) -> Mapping[str, Candidate]:
            return await choices(client, arguments)

        assert isinstance(self.crawler_process, AsyncCrawlerProcess)
        asked = Asked(self.crawler_process, question, wait=options.wait)
        asked.then = lambda chosen: self.crawl_chosen(asked, spider, arguments, chosen)
        return asked

    def crawl_chosen(
        self, asked: Asked, spider: str, arguments: Mapping[str, str], chosen: Mapping[str, Candidate]
    ) -> None:
        """Begin the crawl with the ids that names were found to have, unless it was told to end meanwhile."""
        if asked.crawler.stats.get_value("finish_reason") != "finished":
            return
        ids = {name: candidate.id for name, candidate in chosen.items()}
        names = names_in(arguments)
        self.notes = [chosen_line(KINDS[name], names[name], candidate) for name, candidate in chosen.items()]
        self.crawl(spider, with_ids(arguments, ids))
        assert self.crawler is not None
        self.crawler.signals.connect(self.note, signals.spider_opened)

    def crawl(self, spider: str, arguments: Mapping[str, str]) -> None:
        assert self.crawler_process
        self.crawler = self._create_crawler(spider)
        task = self.crawler_process.crawl(self.crawler, **arguments)
        assert isinstance(task, asyncio.Task)  # by the reactor that the settings choose
        self.task = task

    def note(self) -> None:
        # Not before the mirror's crawl is open: its log has another level than that of the questions.
        for line in self.notes:
            logger.info("%s", line)

    def status(self) -> int:
        """The exit status of a crawl that has ended."""
        if self.crawler is None or self.task is None:  # told to end before it began
            return 3
        if not self.task.done():  # told to end twice
            print("stopped at once: what is stored stays, and the same command goes on from here", file=sys.stderr)
            return 3
        error = self.task.exception()
        if isinstance(error, (CrawlError, OSError)):
            print(f"error: {error}", file=sys.stderr)
            return 1
        if error is not None:
            raise error
        return int(self.crawler.stats.get_value("inat/exit_status", 0))
