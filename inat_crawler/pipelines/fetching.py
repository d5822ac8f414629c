"""Fetching one photo: with patience, within the limits of its host, and from where it is now."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from inat_crawler.api.patience import LONGEST_PAUSE, MOST_REFUSALS, REFUSED, RETRIED_STATUSES, backoff
from inat_crawler.api.photos import Wanted
from inat_crawler.client import ApiClient, first_wait, is_ending, pause_asked, rest
from inat_crawler.errors import EndingError, PhotoError
from inat_crawler.items import PhotoFile
from inat_crawler.pipelines.addresses import Addresses
from inat_crawler.pipelines.hosts import Host, connections_per_host

MOVED = ("403", "404")  # what the old address of a photo that has moved answers

Keep = Callable[[Wanted, Response], PhotoFile]  # raises PhotoError for what is not a whole image


class Fetcher:
    """Fetches photos and has them kept by `keep`, which runs in a thread."""

    def __init__(self, crawler: Crawler, keep: Keep) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.keep = keep
        self.stopped = False  # nothing more can be kept
        self.tries = 1 + settings.getint("RETRY_TIMES")
        self.first_wait = first_wait(settings["INAT_BACKOFF_SECONDS"])
        width = connections_per_host(settings["CONCURRENT_REQUESTS_PER_DOMAIN"])
        self.hosts: dict[str, Host] = defaultdict(lambda: Host(width, self.first_wait))
        throttled = settings.getbool("AUTOTHROTTLE_ENABLED")
        self.start_delay = settings.getfloat("AUTOTHROTTLE_START_DELAY" if throttled else "DOWNLOAD_DELAY")
        self.addresses = Addresses(ApiClient(crawler))
        self.checkers = ThreadPoolExecutor(os.cpu_count(), "check-photo")

    async def fetch(self, wanted: Wanted, moved: Callable[[Wanted], None]) -> PhotoFile:
        """Fetch, check and write one file; `moved` is told when it is found at another address than the record's.

        Raises PhotoError with the reason, EndingError when the crawl ends before, what `keep` and `moved` raise.
        """
        if not wanted.host:
            raise PhotoError("hidden" if wanted.photo.hidden else "no address")
        try:
            return await self.fetch_at_last(wanted)
        except PhotoError as error:
            current = await self.addresses.current(wanted) if str(error) in MOVED else None
            if current is None or not current.host:
                raise
        moved(current)
        return await self.fetch_at_last(current)

    async def fetch_at_last(self, wanted: Wanted) -> PhotoFile:
        """Try again with growing waits. The same bytes twice are what the host has: it is no use to ask again."""
        failed = refused = 0
        bodies: set[bytes] = set()
        while True:
            try:
                return await self.fetch_once(wanted, bodies)
            except PhotoError as error:
                refused, failed = (refused + 1, failed) if str(error) == str(REFUSED) else (refused, failed + 1)
                if not error.again or failed >= self.tries or refused > MOST_REFUSALS:
                    raise
            self.crawler.stats.inc_value("inat/photos/retried")
            await rest(self.crawler, backoff(failed + refused, self.first_wait))

    async def fetch_once(self, wanted: Wanted, bodies: set[bytes]) -> PhotoFile:
        host = self.hosts[wanted.host]
        async with host.bodies:
            response = await self.download(wanted, host)
            loop = asyncio.get_running_loop()
            try:
                return await loop.run_in_executor(self.checkers, self.keep, wanted, response)
            except PhotoError as error:
                digest = hashlib.sha256(response.body).digest()
                if digest in bodies:
                    raise PhotoError(str(error), again=False) from None
                bodies.add(digest)
                raise

    async def download(self, wanted: Wanted, host: Host) -> Response:
        """Ask once, as soon as the host has a place and wants to be asked."""
        async with host.connections:
            async with host.turn:
                await self.take_turn(wanted, host)
            return await self.ask(wanted, host)

    async def take_turn(self, wanted: Wanted, host: Host) -> None:
        """Wait for the end of the host's pause, and for as long as auto-throttle has requests wait.

        Scrapy would hold the request in a queue of its own, where neither a pause nor the crawl's end reaches it.
        """
        while True:
            if self.stopped or is_ending(self.crawler):
                raise EndingError("the crawl is ending")
            if host.pause() > LONGEST_PAUSE:
                raise PhotoError("its host asks to come back later", again=False)
            seconds = max(host.pause(), host.asked_at + self.delay(wanted) - time.monotonic())
            if seconds <= 0:
                break
            await rest(self.crawler, min(seconds, 0.5))
        host.asked_at = time.monotonic()

    def delay(self, wanted: Wanted) -> float:
        """Seconds from one request to the next as auto-throttle has them now."""
        assert self.crawler.engine is not None
        slot = self.crawler.engine.downloader.slots.get(slot_name(wanted))
        return self.start_delay if slot is None else slot.delay

    async def ask(self, wanted: Wanted, host: Host) -> Response:
        assert self.crawler.engine is not None
        asked_at = time.monotonic()
        try:
            response = await self.crawler.engine.download_async(photo_request(wanted))
        except IgnoreRequest as error:
            raise EndingError(str(error)) from error
        except Exception as error:  # whatever it is, the photo is not had, and its row says why
            raise PhotoError(type(error).__name__) from error
        host.answered(asked_at, pause_asked(response), response.status == REFUSED)
        if response.status != 200:
            raise PhotoError(str(response.status), again=response.status in RETRIED_STATUSES)
        return response

    def close(self) -> None:
        self.checkers.shutdown()


def slot_name(wanted: Wanted) -> str:
    return f"photos {wanted.host}"


def photo_request(wanted: Wanted) -> Request:
    """The request for a photo as Scrapy sends it: never again by itself, and with whatever answer it gets."""
    meta = {
        "inat_photo": wanted,
        "download_slot": slot_name(wanted),
        "handle_httpstatus_all": True,
        "dont_retry": True,
    }
    # A photo without an address passes through as a request too, so that its absence becomes a row.
    return Request(wanted.url, callback=NO_CALLBACK, meta=meta)
