"""The photos of an observation are fetched, checked to be whole, and kept byte for byte as they were served.

A photo is never re-encoded, and a file is under its final name only when it is whole.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import logging
from collections.abc import Mapping
from io import BytesIO
from typing import Any, ClassVar, Self

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response
from scrapy.pipelines.files import FilesStoreProtocol
from scrapy.pipelines.images import ImagesPipeline
from scrapy.pipelines.media import MediaPipeline
from scrapy.utils.datatypes import LocalCache

from inat_crawler.api.images import check_image
from inat_crawler.api.photos import SIZES, Wanted, is_replaced
from inat_crawler.client import fail
from inat_crawler.errors import (
    BudgetError,
    CrawlError,
    EndingError,
    PhotoError,
    PostponedError,
    SpentError,
    StoreError,
    UnwantedError,
)
from inat_crawler.files import WholeFilesStore
from inat_crawler.items import HAD, Observation, PhotoFile, Wants
from inat_crawler.pipelines.fetching import Fetcher, photo_request
from inat_crawler.store import Store, now

logger = logging.getLogger(__name__)
PATIENCE = 2.0  # seconds that records wait for photos


class PhotosPipeline(ImagesPipeline):
    """Fetches the wanted sizes of the wanted photos, checks that each is a whole image, and keeps its bytes.

    The fetch happens in `media_to_download`, where the number of connections to a host can be held: the cap of
    Scrapy's downloader leaks in bursts.
    """

    STORE_SCHEMES: ClassVar[dict[str, type[FilesStoreProtocol]]] = {
        **ImagesPipeline.STORE_SCHEMES,
        "": WholeFilesStore,
        "file": WholeFilesStore,
    }
    store: WholeFilesStore
    commit_seconds = 0.05

    def __init__(self, store_uri: str, *, crawler: Crawler) -> None:
        super().__init__(store_uri, crawler=crawler)
        settings = crawler.settings
        self.mirror = Store.of(settings["INAT_STORE_URL"], crawler.spider.query)  # type: ignore[union-attr]
        self.wants: Wants = settings["INAT_WANTS"]
        self.repair: bool = settings["INAT_REPAIR"]
        self.fetcher = Fetcher(crawler, self.check_and_write, self.mirror.files.sizes_had())
        self.failed: set[tuple[int, int, str]] = set()  # in this run: the next one tries them again
        self.postponed = 0  # files that come again
        self.broken = False  # the store takes no more
        self.wanted: dict[int, list[Wanted]] = {}
        self.unsaved: list[tuple[int, int, PhotoFile]] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        wants: Wants | None = settings["INAT_WANTS"]
        if wants is None or (wants.images == "none" and not settings["INAT_REPAIR"]):
            raise NotConfigured  # without a word, which Scrapy would log as a warning: no photos are wanted
        return super().from_crawler(crawler)

    def open_spider(self, spider: Spider | None = None) -> None:
        super().open_spider()
        # Scrapy would keep every result for ever, and give it again when the file has another name by now: what is
        # had stands in the store.
        self.spiderinfo.downloaded = LocalCache(0)
        self.mark_lost_files()
        self.put_strangers_aside()

    def mark_lost_files(self) -> None:
        """Files that are no longer on the disk as their rows say count as not had."""
        lost = [row for row in self.mirror.files.had() if not self.store.holds(row[2])]
        for _, _, file in lost:
            file.status, file.reason = "lost", "changed or gone from the disk"
        self.mirror.files.save(lost)
        if lost:
            self.count("lost", len(lost))

    def put_strangers_aside(self) -> None:
        """Move files to `gone/` that no row tells of: a killed run wrote them and did not come to say so."""
        known = {file.path for _, _, file in self.mirror.files.had()}
        try:
            for name in self.store.photo_names() - known:
                self.store.put_aside(name)
        except OSError as error:
            self.end(StoreError(f"a photo cannot be put aside: {error}"))

    # -- what is wanted ------------------------------------------------------------------------------------

    def get_media_requests(self, item: Observation, info: MediaPipeline.SpiderInfo) -> list[Request]:
        files = self.mirror.files.of(item.id)
        had = {k: f for k, f in files.items() if f.status in HAD}
        for photo in item.photos:
            photo.files = [f for (photo_id, _), f in had.items() if photo_id == photo.id]
        wanted = self.tried(item, files) if self.repair else self.wanted_of(item)
        missing = [w for w in wanted if w.key not in had and (item.id, *w.key) not in self.failed]
        self.wanted[id(item)] = missing
        again = min(len(missing), self.postponed) if item.patient else 0  # were counted when they were postponed
        self.postponed -= again
        self.count("observations", 0 if again else 1)
        self.count("wanted", len(missing) - again)
        return [photo_request(w) for w in missing]

    def wanted_of(self, item: Observation) -> list[Wanted]:
        photos = [photo for photo in item.photos if self.wants.takes(photo)]
        return [Wanted(item.id, photo, size) for photo in photos for size in self.wants.sizes]

    def tried(self, item: Observation, files: Mapping[tuple[int, str], PhotoFile]) -> list[Wanted]:
        """What was ever asked for, whichever photos and sizes this crawl is for, and may be kept."""
        photos = [photo for photo in item.photos if self.wants.allows(photo)]
        every = [Wanted(item.id, photo, size) for photo in photos for size in SIZES]
        return [wanted for wanted in every if wanted.key in files]

    # -- fetching ------------------------------------------------------------------------------------------

    async def media_to_download(  # type: ignore[override]  # Scrapy awaits it since 2.14, its annotation lags
        self, request: Request, info: MediaPipeline.SpiderInfo, *, item: Any = None
    ) -> dict[str, Any]:
        wanted: Wanted = request.meta["inat_photo"]
        try:
            file = await self.fetch(wanted, None if item.patient else PATIENCE)
        except PhotoError as error:
            file = PhotoFile(wanted.size, request.url, "failed", reason=str(error), fetched_at=now())
            self.failed.add((wanted.observation_id, *wanted.key))
        except PostponedError:
            self.count("postponed")
            self.postponed += 1
            file = PhotoFile(wanted.size, request.url, "skipped")
        except UnwantedError:
            file = PhotoFile(wanted.size, request.url, "skipped")
        except (EndingError, SpentError, BudgetError, StoreError) as error:
            self.end(error)
            file = PhotoFile(wanted.size, request.url, "skipped")
        if file.status != "skipped":
            self.note(wanted, file)
        return {
            "url": request.url,
            "path": file.path,
            "checksum": file.sha256,
            "status": file.status,
            "file": file,
            "observation_id": wanted.observation_id,
        }

    async def fetch(self, wanted: Wanted, patience: float | None) -> PhotoFile:
        """Copy the file from another observation, or fetch it."""
        elsewhere = self.elsewhere(wanted)
        if elsewhere is not None and (copied := self.copy(wanted, elsewhere)):
            return copied
        return await self.fetcher.fetch(wanted, self.moved, patience)

    def moved(self, wanted: Wanted) -> None:
        self.mirror.observations.readdress(wanted.observation_id, wanted.photo)
        if not self.wants.allows(wanted.photo):
            raise UnwantedError(f"photo {wanted.photo.id} is under another license now")

    def elsewhere(self, wanted: Wanted) -> PhotoFile | None:
        """The same file as another observation has it, be its row stored yet or not."""
        unsaved = (
            file
            for observation_id, photo_id, file in self.unsaved
            if (photo_id, file.size) == wanted.key
            and observation_id != wanted.observation_id
            and file.status in HAD
        )
        file = next(unsaved, None) or self.mirror.files.elsewhere(wanted.observation_id, *wanted.key)
        return None if file is None or is_replaced(wanted.photo, file) else file

    def check_and_write(self, wanted: Wanted, response: Response) -> PhotoFile:
        """Runs in a thread: decoding, hashing and writing take milliseconds each."""
        image = check_image(response.body, wanted.photo.extension or "")
        path = wanted.file_name(wanted.photo.extension or image.extension)
        try:
            self.store.persist_file(path, BytesIO(response.body))
            stamp = self.store.modified(path)
        except OSError as error:
            raise StoreError(f"a photo cannot be written: {error}") from error
        return PhotoFile(
            wanted.size,
            response.url,
            "downloaded",
            path=path,
            bytes=len(response.body),
            sha256=hashlib.sha256(response.body).hexdigest(),
            width=image.width,
            height=image.height,
            mtime_ns=stamp,
            fetched_at=now(),
        )

    def copy(self, wanted: Wanted, source: PhotoFile) -> PhotoFile | None:
        """The same photo as another observation has it, under this one's name; None if that is not as it was."""
        path = wanted.file_name(str(source.path).rpartition(".")[2])
        try:
            if not self.store.copy_file(source, path):
                return None
            stamp = self.store.modified(path)
        except OSError as error:
            raise StoreError(f"a photo cannot be written: {error}") from error
        return dataclasses.replace(source, status="copied", path=path, mtime_ns=stamp, fetched_at=now())

    # -- what became of it ---------------------------------------------------------------------------------

    def item_completed(self, results: list[Any], item: Observation, info: MediaPipeline.SpiderInfo) -> Observation:
        photos = {p.id: p for p in item.photos}
        for wanted, (succeeded, result) in zip(self.wanted.pop(id(item)), results, strict=True):
            if succeeded:  # else a defect, logged with its traceback by Scrapy; the file counts as not had
                photos[wanted.photo.id].files.append(self.own(wanted, result))
        self.save()  # an observation that has left the pipelines has its rows: a page may bring it again
        return item

    def own(self, wanted: Wanted, result: dict[str, Any]) -> PhotoFile:
        """Scrapy fetches an address once: what came of it is this observation's own, or copied from another's."""
        file: PhotoFile = result["file"]
        if result["observation_id"] == wanted.observation_id or file.status == "skipped":
            return file
        own: PhotoFile | None = dataclasses.replace(file)
        if file.status in HAD:
            try:
                own = self.copy(wanted, file)
            except StoreError as error:
                self.end(error)
                own = None
        if own is None:  # the other observation has changed its photos meanwhile: left to the next run
            return dataclasses.replace(file, status="skipped", path=None)
        self.note(wanted, own)
        return own

    def note(self, wanted: Wanted, file: PhotoFile) -> None:
        """Count what became of a file, and store it within `commit_seconds`."""
        self.count(file.status)
        self.count("bytes", file.bytes or 0)
        if file.status == "failed":
            self.count(f"failed/{file.reason}")
            logger.warning(
                "observation %d: photo %d %s cannot be had: %s", wanted.observation_id, *wanted.key, file.reason
            )
        if not self.unsaved:
            self.timer = asyncio.get_running_loop().call_later(self.commit_seconds, self.save)
        self.unsaved.append((wanted.observation_id, wanted.photo.id, file))

    def end(self, error: CrawlError) -> None:
        """No more photos, because of this."""
        self.fetcher.stopped = True
        if isinstance(error, StoreError):
            self.broken = True
        if not isinstance(error, EndingError):
            fail(self.crawler, error)

    def save(self) -> None:
        rows, self.unsaved = self.unsaved, []
        if not rows or self.broken:
            return
        self.timer.cancel()
        try:
            self.mirror.files.save(rows)
        except StoreError as error:
            self.end(error)

    def count(self, what: str, n: int = 1) -> None:
        self.crawler.stats.inc_value(f"inat/photos/{what}", n)

    def close_spider(self) -> None:
        self.save()
        self.fetcher.close()
        self.mirror.close()
