"""The frame of a crawl: it holds the output while it runs, and gives account of it when it has ended."""

from __future__ import annotations

import json
import logging
import platform
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import scrapy
from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.extensions.feedexport import FeedExporter
from twisted.python.failure import Failure

import inat_crawler
from inat_crawler.errors import StoreError
from inat_crawler.mirror import lock_output
from inat_crawler.outputs.changes import write_changes
from inat_crawler.store import LISTED, Store

logger = logging.getLogger(__name__)

COMPLETE, COULD_NOT_START, INCOMPLETE = 0, 1, 3


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
        options = {n: crawler.settings[f"INAT_{n.upper()}"] for n in ("images", "sizes", "limit", "repair")}
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
        for write in (self.write_tables, self.write_account):
            try:
                write()
            except (OSError, StoreError) as error:
                self.cannot_write(error)
        self.store.close()
        self.lock.release()

    def write_tables(self) -> None:
        # pandas costs half a second and 60 MB: not before it is needed, and not in a crawl that cannot start.
        from inat_crawler.outputs.table import write_table

        write_table(self.store, self.output / "dataFrame.csv")
        write_changes(self.store, self.output / "changes.tsv")

    def write_account(self) -> None:
        account = self.question() | self.answer()
        write_json(self.output / "crawl.json", account)
        self.store.finish_crawl(self.crawl_id, account)
        self.crawler.stats.set_value("inat/exit_status", account["exit_status"])
        logger.info("%s", summary(account))

    def question(self) -> dict[str, Any]:
        """What was asked, by which program."""
        settings, query = self.crawler.settings, self.crawler.spider.query  # type: ignore[union-attr]
        limit = settings.getint("INAT_LIMIT")
        return {
            "query": str(query),
            "url": query.url,
            **query.to_dict(),
            "output": str(self.output),
            "images": settings["INAT_IMAGES"],
            "sizes": settings.getlist("INAT_SIZES"),
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
        got = count_all(self.store, stats, settings["INAT_IMAGES"], settings.getlist("INAT_SIZES"), since)
        complete = is_complete(got, settings.getint("INAT_LIMIT"), stats)
        return {
            "finished_at": finished_at.isoformat(timespec="seconds"),
            "seconds": round((finished_at - self.started_at).total_seconds(), 1),
            "complete": complete,
            "exit_status": exit_status(complete, got, stats),
            "finish_reason": stats.get("finish_reason"),
            "error": stats.get("inat/error") or stats.get("inat/defect"),
            **got,
        }


def count_all(store: Store, stats: Mapping[str, Any], images: str, sizes: list[str], since: str) -> dict[str, Any]:
    """The numbers of the account: observations, photos and requests."""
    windows, standing, missing = store.windows.all(), store.standing(), store.missing.all()
    totals = [w.total for w in windows if w.total is not None]
    counted = standing.asked if standing.reconciled else sum(totals) if totals else None
    return {
        "observations": {
            "asked": counted,
            "stored": store.observations.count(),
            **{c: stats.get(f"inat/observations/{c}", 0) for c in ("new", "changed", "unchanged", "gone")},
            "read_to_the_end": bool(windows) and all(w.done for w in windows),
            "reconciled": standing.reconciled,
            "missing": [i for i, _ in missing if i > 0],
            "malformed": [{"id": i if i > 0 else None, "reason": why} for i, why in missing if why != LISTED],
        },
        "photos": count_photos(store, images, sizes, since),
        "requests": {
            "api": stats.get("inat/requests/api", 0),
            "photos": stats.get("inat/requests/photos", 0),
            "bytes_received": stats.get("downloader/response_bytes", 0),
        },
    }


def count_photos(store: Store, images: str, sizes: list[str], since: str) -> dict[str, Any]:
    """Files of the mirror: wanted = downloaded + copied (since then) + already there + missing."""
    wanted, had = store.files.count_wanted(images, sizes), store.files.count_had(images, sizes, since)
    return {
        "wanted": wanted,
        **{status: had.get(status, 0) for status in ("downloaded", "copied", "already_there")},
        "missing": wanted - sum(had.values()),
        "failed": failures(store),
    }


def failures(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Files that could not be had, by reason, each with its observation, photo and size."""
    by_reason: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for observation_id, photo_id, file in store.files.not_had():
        entry = {"observation": observation_id, "photo": photo_id, "size": file.size}
        by_reason[file.reason or file.status].append(entry)
    return dict(by_reason)


def is_complete(got: Mapping[str, Any], limit: int, stats: Mapping[str, Any]) -> bool:
    """All that was asked for is there: what the API counts or as much as the limit says, and every photo."""
    observations = got["observations"]
    if limit:
        all_there = observations["stored"] >= limit or observations["read_to_the_end"]
    else:
        all_there = observations["reconciled"] and observations["stored"] == observations["asked"]
    nothing_missing = not observations["missing"] + observations["malformed"] and not got["photos"]["missing"]
    feeds_written = not any(name.startswith("feedexport/failed_count/") for name in stats)
    no_trouble = not stats.keys() & {"inat/error", "inat/defect"} and stats.get("finish_reason") == "finished"
    return all_there and nothing_missing and feeds_written and no_trouble


def exit_status(complete: bool, got: Mapping[str, Any], stats: Mapping[str, Any]) -> int:
    """0 complete; 1 when the API refused the query and nothing is stored; 3 for all else."""
    if complete:
        return COMPLETE
    refused = stats.get("inat/query_refused") and not got["observations"]["stored"]
    return COULD_NOT_START if refused else INCOMPLETE


def summary(account: Mapping[str, Any]) -> str:
    """The account in one line.

    >>> got = {"observations": {"stored": 12, "asked": 12, "new": 3, "changed": 0, "gone": 1}}
    >>> got["photos"] = {"downloaded": 9, "copied": 0, "already_there": 27, "missing": 0}
    >>> print(summary({"complete": True, "output": "/x", **got}))
    complete: 12 of 12 observations (3 new, 0 changed, 1 gone); photo files: 9 fetched, 27 had, 0 missing; /x
    """
    observations, photos = account["observations"], account["photos"]
    asked = "an unknown number of" if observations["asked"] is None else observations["asked"]
    told = (
        f"{observations['stored']} of {asked} observations "
        f"({observations['new']} new, {observations['changed']} changed, {observations['gone']} gone); "
        f"photo files: {photos['downloaded'] + photos['copied']} fetched, {photos['already_there']} had, "
        f"{photos['missing']} missing; "
    )
    if account["complete"]:
        return f"complete: {told}{account['output']}"
    why = account.get("error") or account["output"]
    return f"NOT complete: {told}{why}; crawl.json tells what is missing, the same command goes on from here"


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file beside and rename it."""
    beside = path.with_name(f".{path.name}.partial")
    beside.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(path)
