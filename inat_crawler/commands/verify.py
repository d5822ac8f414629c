"""`scrapy verify DIR`: every file of a mirror against its store; `--repair` fetches what is damaged or lost.

0: every file is right (now); 3: some are not, and are named; 1: there is no mirror to verify.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from scrapy.commands import ScrapyCommand
from scrapy.settings import SETTINGS_PRIORITIES

from inat_crawler.api.images import check_image
from inat_crawler.api.query import Query, as_arguments
from inat_crawler.errors import CrawlError, PhotoError, StoreError
from inat_crawler.files import carry_out
from inat_crawler.items import HAD, PhotoFile
from inat_crawler.mirror import lock_output
from inat_crawler.store import Store, sqlite_in

BATCH = 1000  # files at once: memory stays flat


class Command(ScrapyCommand):
    """Verify the files of a mirror."""

    requires_project = True

    def syntax(self) -> str:
        return "[--repair] <folder of a mirror>"

    def short_desc(self) -> str:
        return "Check every file of a mirror against its store"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--repair", action="store_true", help="fetch again what is damaged or missing")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        super().process_options(args, opts)
        if self.settings and self.settings.getpriority("LOG_LEVEL") != SETTINGS_PRIORITIES["cmdline"]:
            self.settings.set("LOG_LEVEL", "WARNING", priority="cmdline")  # its lines are what is wrong

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1:
            print(f"error: name one folder: {' '.join(args)!r}", file=sys.stderr)
            self.exitcode = 1
            return
        output = Path(args[0]).expanduser().absolute()
        try:
            damaged = self.verify(output, mark=opts.repair)
            if damaged and opts.repair:
                print(f"fetching {damaged} files again", flush=True)
                self.repair(output)
                damaged = self.verify(output, mark=False)
        except (CrawlError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            self.exitcode = 1
            return
        self.exitcode = 3 if damaged else 0

    def verify(self, output: Path, mark: bool) -> int:
        """Check all files and say what is wrong; `mark` has the store count them as lost. Returns how many are."""
        mirror = Mirror(output, self.settings["INAT_STORE_URL"] if self.settings else "")
        try:
            checked, damaged = 0, []
            for (observation_id, photo_id, file), reason in mirror.check():
                checked += 1
                if reason is not None:
                    name = file.path or "no file"
                    print(f"{name}: {reason} (observation {observation_id}, photo {photo_id} {file.size})")
                    damaged.append((observation_id, photo_id, replace(file, status="lost", reason=reason)))
            print(f"{checked} files: {checked - len(damaged)} right, {len(damaged)} damaged or missing; {output}")
            if mark:
                mirror.store.files.save(damaged)
        finally:
            mirror.close()
        return len(damaged)

    def repair(self, output: Path) -> None:
        """Crawl for the lost files alone."""
        mirror = Mirror(output, self.settings["INAT_STORE_URL"] if self.settings else "")
        arguments = mirror.repair_arguments()
        mirror.close()
        assert self.crawler_process
        task = self.crawler_process.crawl("observations", **arguments)
        assert isinstance(task, asyncio.Task)
        self.crawler_process.start()
        if task.done() and (error := task.exception()) is not None:
            raise error


class Mirror:
    """A mirror that lies in a folder, held for this process alone."""

    def __init__(self, output: Path, store_url: str) -> None:
        if not (store_url or (output / "observations.sqlite").is_file()):
            raise StoreError(f"no mirror lies there (no observations.sqlite): {output}")
        self.output = output
        self.lock = lock_output(output)
        self.store = Store(store_url or sqlite_in(output))
        self.query = Query.from_dict(self.store.sole_query() or account_of(output))
        self.store.open_mirror(self.query)
        carry_out(output / "images", self.store.moves)  # what a killed run had begun

    def check(self) -> Iterator[tuple[tuple[int, int, PhotoFile], str | None]]:
        """Each file that was ever tried, as its row, with what is wrong with it."""
        rows = self.store.files.tried()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            while batch := list(islice(rows, BATCH)):
                yield from zip(
                    batch, pool.map(lambda row: damage(self.output / "images", row[2]), batch), strict=True
                )

    def repair_arguments(self) -> dict[str, str]:
        """Spider arguments of a crawl that fetches what is lost; its account is for what the last one was for."""
        last = self.store.last_arguments()
        limit = {"limit": str(last["limit"])} if last.get("limit") else {}
        return (
            as_arguments(self.query)
            | limit
            | {
                "images": last.get("images", "first"),
                "sizes": ",".join(last.get("sizes", ["original"])),
                "output": str(self.output),
                "repair": "true",
                "everything": "true",
            }
        )

    def close(self) -> None:
        self.store.close()
        self.lock.release()


def account_of(output: Path) -> dict[str, Any]:
    """The account of the last crawl into a folder, for stores that hold many mirrors. Raises StoreError."""
    try:
        account: dict[str, Any] = json.loads((output / "crawl.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"crawl.json does not tell which mirror lies there: {output}: {error}") from None
    return account


def damage(folder: Path, file: PhotoFile) -> str | None:
    """What is wrong with a file: missing, of another size, other bytes, or no whole image; None if it is right."""
    if file.status not in HAD:
        return f"not had: {file.reason}"
    try:
        body = (folder / str(file.path)).read_bytes()
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if len(body) != file.bytes:
        return f"{len(body)} bytes, not {file.bytes}"
    if hashlib.sha256(body).hexdigest() != file.sha256:
        return "other bytes than were fetched"
    try:
        check_image(body, str(file.path).rpartition(".")[2])
    except PhotoError as error:
        return str(error)
    return None
