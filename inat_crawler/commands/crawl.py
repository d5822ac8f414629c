"""`scrapy crawl`, as Scrapy has it, with errors in one line and the exit statuses of this project.

0 complete; 1 could not start; 3 stopped after that. Spiders without an account exit as in any Scrapy project.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from scrapy.commands import crawl
from scrapy.exceptions import UsageError

from inat_crawler.errors import ArgumentError, CrawlError

RESERVED = ("self", "crawler_or_spidercls")  # parameters of Scrapy's own functions that arguments pass through


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

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.crawler_process
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
