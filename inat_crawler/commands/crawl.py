"""`scrapy crawl`, as Scrapy has it, with errors in one line and the exit statuses of this project.

0 complete; 1 could not start; 3 stopped after that. Spiders without an account exit as in any Scrapy project.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys

from scrapy.commands import crawl
from scrapy.exceptions import UsageError
from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings

from inat_crawler.errors import ArgumentError, CrawlError

RESERVED = ("self", "crawler_or_spidercls")  # parameters of Scrapy's own functions that arguments pass through


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
        known = self.crawler_process.spider_loader.list()
        if len(args) != 1 or args[0] not in known:
            print(
                f"error: name one spider ({', '.join(known)}), and arguments as -a name=value: {args}",
                file=sys.stderr,
            )
            self.exitcode = 1
            return
        crawler = self._create_crawler(args[0])
        task = self.crawler_process.crawl(crawler, **opts.spargs)
        assert isinstance(task, asyncio.Task)  # by the reactor that the settings choose
        self.crawler_process.start()
        if not task.done():  # told twice to end: nothing was finished
            self.exitcode = 3
            return
        error = task.exception()
        if isinstance(error, (CrawlError, OSError)):
            print(f"error: {error}", file=sys.stderr)
            self.exitcode = 1
        elif error is not None:
            raise error
        else:
            self.exitcode = crawler.stats.get_value("inat/exit_status", 0)
