"""The frame of a crawl: it holds the output while it runs, and gives account of it when it has ended."""

from __future__ import annotations

import json
import logging
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

import scrapy
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from twisted.python.failure import Failure

import inat_crawler
from inat_crawler.errors import FormatError, StoreError
from inat_crawler.extensions.account import INCOMPLETE, block, count_all, exit_status, is_complete, reason, summary
from inat_crawler.extensions.terminal import columns, is_terminal, logs_to_stderr
from inat_crawler.mirror import lock_output
from inat_crawler.outputs.beside import beside
from inat_crawler.outputs.changes import write_changes
from inat_crawler.publishing import TELLS_OF_THE_CRAWL, Publisher, available
from inat_crawler.store import Store

logger = logging.getLogger(__name__)
MANY = 20_000  # observations


class FinishCrawl:
    """Locks the output and opens its store before anything is requested; writes table and account at the end.

    The exit status goes into the stat `inat/exit_status`, where the `crawl` command finds it.
    """

    def __init__(self, crawler: Crawler, output: Path) -> None:
        self.crawler = crawler
        self.output = output
        self.lock = lock_output(output)
        self.started_at = datetime.now(UTC)
        self.store = Store.of(crawler.settings["INAT_STORE_URL"], crawler.spider.query)  # type: ignore[union-attr]
        options = {n: crawler.settings[f"INAT_{n.upper()}"] for n in ("limit", "repair")}
        options |= asdict(crawler.settings["INAT_WANTS"]) | {"publish": crawler.settings["INAT_PUBLISH"]}
        self.crawl_id = self.store.begin_crawl(self.started_at.isoformat(timespec="seconds"), options)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        output = crawler.settings["INAT_OUTPUT"]
        if not output:
            raise NotConfigured("INAT_OUTPUT is not set: no crawl of observations")
        extension = cls(crawler, Path(output))
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.engine_stopped, signals.engine_stopped)
        for signal in (signals.spider_error, signals.item_error):
            crawler.signals.connect(extension.defect, signal)
        return extension

    def spider_opened(self) -> None:
        # A killed process leaves this, and not the account of the run before it.
        try:
            write_json(self.output / "crawl.json", self.question() | {"complete": False, "finished_at": None})
        except OSError as error:
            self.cannot_write(error)

    def cannot_write(self, error: Exception) -> None:
        logger.error("cannot write into %s: %s", self.output, error)
        self.crawler.stats.set_value("inat/error", f"cannot write into {self.output}: {error}")

    def defect(self, failure: Failure) -> None:
        """An error that nobody expected: its traceback is in the log, and the crawl is not complete."""
        self.crawler.stats.set_value("inat/defect", f"{type(failure.value).__name__}: {failure.value}"[:300])

    def engine_stopped(self) -> None:
        """All items are through and the feed is complete."""
        stats = self.crawler.stats
        stats.set_value("inat/exit_status", INCOMPLETE)
        wanted, missing = available(self.crawler.settings["INAT_PUBLISH"])
        for what in missing.values():
            logger.warning("left out: %s", what)
        about_it = [name for name in wanted if name in TELLS_OF_THE_CRAWL]
        self.write(self.write_log)
        self.publish([name for name in wanted if name not in about_it])
        self.write(self.note_account)
        self.publish(about_it)  # it tells what the account says
        self.write(self.write_account)
        self.store.close()
        self.lock.release()

    def write(self, write: Callable[[], object]) -> None:
        """Do one of the last things; what fails is told, and the others are done all the same."""
        try:
            write()
        except (OSError, StoreError, FormatError) as error:
            self.cannot_write(error)
        except Exception as error:
            logger.exception("a defect of this program")
            self.crawler.stats.set_value("inat/defect", f"{type(error).__name__}: {error}"[:300])

    def write_log(self) -> None:
        write_changes(self.store, self.output / "changes.tsv")

    def publish(self, names: Sequence[str]) -> None:
        publisher = Publisher(self.store, self.output)
        if names and self.store.observations.count() >= MANY:
            logger.info("making %s", ", ".join(names))  # for half a minute or more nothing else is said
        for name in names:
            self.write(partial(publisher.publish, name))

    def note_account(self) -> dict[str, Any]:
        """Give account as things stand now, and keep it in the store."""
        account = self.question() | self.answer()
        self.store.finish_crawl(self.crawl_id, account)
        return account

    def write_account(self) -> None:
        account = self.note_account()
        write_json(self.output / "crawl.json", account)
        self.crawler.stats.set_value("inat/exit_status", account["exit_status"])
        self.tell(account)

    def tell(self, account: Mapping[str, Any]) -> None:
        """A block for whoever watches, one line for the log; not both in one place."""
        if is_terminal():
            sys.stderr.write(f"\n{block(account, columns())}\n\n")  # at once: the display is below it still
        if not (is_terminal() and logs_to_stderr()):
            logger.info("%s", summary(account))

    def question(self) -> dict[str, Any]:
        """What was asked, by which program."""
        settings, query = self.crawler.settings, self.crawler.spider.query  # type: ignore[union-attr]
        limit, wants = settings.getint("INAT_LIMIT"), settings["INAT_WANTS"]
        return {
            "query": str(query),
            "url": query.url,
            **query.to_dict(),
            "output": str(self.output),
            "images": wants.images,
            "sizes": list(wants.sizes),
            "image_licenses": "any" if wants.licenses is None else list(wants.licenses),
            "limit": limit or None,
            "limited": bool(limit),
            "versions": {
                "inat_crawler": inat_crawler.__version__,
                "scrapy": scrapy.__version__,
                "python": platform.python_version(),
            },
            "started_at": self.started_at.isoformat(timespec="seconds"),
        }

    def answer(self) -> dict[str, Any]:
        """What was got, and what is missing."""
        settings, stats = self.crawler.settings, self.crawler.stats.get_stats()
        finished_at = datetime.now(UTC)
        since = self.started_at.isoformat(timespec="milliseconds")
        got = count_all(self.store, stats, settings["INAT_WANTS"], since)
        complete = is_complete(got, settings.getint("INAT_LIMIT"), stats)
        ending = {
            "finish_reason": stats.get("finish_reason"),
            "error": stats.get("inat/error") or stats.get("inat/defect"),
        }
        return {
            "finished_at": finished_at.isoformat(timespec="seconds"),
            "seconds": round((finished_at - self.started_at).total_seconds(), 1),
            "complete": complete,
            "exit_status": exit_status(complete, got, stats),
            **ending,
            "why": None if complete else reason(ending | got),
            "come_back_at": stats.get("inat/come_back_at"),
            **got,
        }


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file beside and rename it."""
    with beside(path) as partly:
        partly.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
