"""`scrapy verify DIR`: every file of a mirror against its store; `--repair` fetches what is damaged or lost.

0: every file is right (now); 3: some are not, and are named; 1: there is no mirror to verify.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

from scrapy.commands import ScrapyCommand
from scrapy.settings import SETTINGS_PRIORITIES

from inat_crawler.api.formats import DEFAULT_FORMATS, NONE
from inat_crawler.api.images import check_image
from inat_crawler.api.query import as_arguments
from inat_crawler.errors import CrawlError, PhotoError
from inat_crawler.held import HeldMirror
from inat_crawler.items import HAD, PhotoFile
from inat_crawler.store.files import FileRow

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
        with self.held(output) as mirror:
            checked, damaged = 0, []
            for (observation_id, photo_id, file), reason in check(mirror):
                checked += 1
                if reason is not None:
                    name = file.path or "no file"
                    print(f"{name}: {reason} (observation {observation_id}, photo {photo_id} {file.size})")
                    damaged.append((observation_id, photo_id, replace(file, status="lost", reason=reason)))
            print(f"{checked} files: {checked - len(damaged)} right, {len(damaged)} damaged or missing; {output}")
            if mark:
                mirror.store.files.save(damaged)
        return len(damaged)

    def held(self, output: Path) -> HeldMirror:
        return HeldMirror(output, self.settings["INAT_STORE_URL"] if self.settings else "")

    def repair(self, output: Path) -> None:
        """Crawl for the lost files alone."""
        with self.held(output) as mirror:
            arguments = repair_arguments(mirror)
        assert self.crawler_process
        task = self.crawler_process.crawl("observations", **arguments)
        assert isinstance(task, asyncio.Task)
        self.crawler_process.start()
        if task.done() and (error := task.exception()) is not None:
            raise error


def check(mirror: HeldMirror) -> Iterator[tuple[FileRow, str | None]]:
    """Each file that was ever tried, as its row, with what is wrong with it."""
    rows, images = mirror.store.files.tried(), mirror.output / "images"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while batch := list(islice(rows, BATCH)):
            yield from zip(batch, pool.map(lambda row: damage(images, row[2]), batch), strict=True)


def repair_arguments(mirror: HeldMirror) -> dict[str, str]:
    """Spider arguments of a crawl that fetches what is lost; its account is for what the last one was for."""
    last = mirror.store.last_arguments()
    limit = {"limit": str(last["limit"])} if last.get("limit") else {}
    return (
        as_arguments(mirror.query)
        | limit
        | {
            "images": last.get("images", "first"),
            "sizes": ",".join(last.get("sizes", ["original"])),
            "image_licenses": ",".join(last.get("licenses") or ["any"]),
            "publish": ",".join(last.get("publish", DEFAULT_FORMATS)) or NONE,
            "output": str(mirror.output),
            "repair": "true",
            "everything": "true",
        }
    )


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
