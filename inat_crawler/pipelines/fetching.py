"""Fetching one photo: with patience, within the limits of its host, and from where it is now."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import inf

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from inat_crawler.api.patience import MOST_REFUSALS, REFUSED, RETRIED_STATUSES, backoff
from inat_crawler.api.photos import Wanted
from inat_crawler.budget.ledger import Ask, Reservation
from inat_crawler.budget.limits import Limits, host_and_port
from inat_crawler.client import ApiClient, first_wait, pause_asked, rest
from inat_crawler.errors import EndingError, PhotoError, SpentError
from inat_crawler.items import PhotoFile
from inat_crawler.pipelines.addresses import Addresses
from inat_crawler.pipelines.estimates import Estimates
from inat_crawler.pipelines.hosts import Host, connections_per_host
from inat_crawler.turns import Turns

MOVED = ("403", "404")  # what the old address of a photo that has moved answers

Keep = Callable[[Wanted, Response], PhotoFile]  # raises PhotoError for what is not a whole image


@dataclass
class Transfer:
    """Bytes of one request for a photo: those that it counts as when it ends, and those that were held for it."""

    reservation: Reservation | None
    used: float
    held: float


class Fetcher:
    """Fetches photos and has them kept by `keep`, which runs in a thread; `known` is how large those had are."""

    def __init__(self, crawler: Crawler, keep: Keep, known: Mapping[str, tuple[int, int, int]]) -> None:
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
        self.limits = Limits(settings)
        self.turns = Turns(crawler, "photos", self.limits.media, self.limits.media_periods)
        self.estimates = Estimates(known)
        self.addresses = Addresses(ApiClient(crawler))
        crawler.signals.connect(self.begun, signals.headers_received)
        self.checkers = ThreadPoolExecutor(os.cpu_count(), "check-photo")

    async def fetch(
        self, wanted: Wanted, moved: Callable[[Wanted], None], patience: float | None = None
    ) -> PhotoFile:
        """Fetch, check and write one file; `moved` is told when it is found at another address than the record's.

        Raises PhotoError with the reason, PostponedError when its turn would come in more than `patience` seconds,
        EndingError when the crawl ends before, SpentError and BudgetError, and what `keep` and `moved` raise.
        """
        if not wanted.host:
            raise PhotoError("hidden" if wanted.photo.hidden else "no address")
        try:
            return await self.fetch_at_last(wanted, patience)
        except PhotoError as error:
            current = await self.addresses.current(wanted) if str(error) in MOVED else None
            if current is None or not current.host:
                raise
        moved(current)
        return await self.fetch_at_last(current, patience)

    async def fetch_at_last(self, wanted: Wanted, patience: float | None) -> PhotoFile:
        """Try again with growing waits. The same bytes twice are what the host has: it is no use to ask again."""
        failed = refused = 0
        bodies: set[bytes] = set()
        while True:
            try:
                return await self.fetch_once(wanted, bodies, patience)
            except PhotoError as error:
                refused, failed = (refused + 1, failed) if str(error) == str(REFUSED) else (refused, failed + 1)
                if not error.again or failed >= self.tries or refused > MOST_REFUSALS:
                    raise
            self.crawler.stats.inc_value("inat/photos/retried")
            await rest(self.crawler, backoff(failed + refused, self.first_wait))

    async def fetch_once(self, wanted: Wanted, bodies: set[bytes], patience: float | None) -> PhotoFile:
        host = self.hosts[wanted.host]
        async with host.bodies:
            response = await self.download(wanted, host, patience)
            loop = asyncio.get_running_loop()
            try:
                return await loop.run_in_executor(self.checkers, self.keep, wanted, response)
            except PhotoError as error:
                digest = hashlib.sha256(response.body).digest()
                if digest in bodies:
                    raise PhotoError(str(error), again=False) from None
                bodies.add(digest)
                raise

    async def download(self, wanted: Wanted, host: Host, patience: float | None) -> Response:
        """Ask once, as soon as the host has a place, wants to be asked, and the budget allows."""
        async with host.connections:
            async with host.turn:
                await self.throttle(wanted, host)
                reservation = await self.reserve(wanted, patience)
                host.asked_at = time.monotonic()
            transfer = Transfer(reservation, *self.estimates.of(wanted.size, wanted.photo.extension or ""))
            try:
                response = await self.ask(wanted, host, transfer)
                transfer.used = len(response.body)
            finally:
                self.turns.give_back(reservation, transfer.used)
        if response.status != 200:
            raise PhotoError(str(response.status), again=response.status in RETRIED_STATUSES)
        self.estimates.learn(wanted.size, wanted.photo.extension or "", len(response.body))
        return response

    def begun(self, body_length: object, request: Request) -> None:
        """A photo begins to come: should it fail now, it counts in full."""
        transfer = request.meta.get("inat_transfer")
        if transfer is None:
            return
        transfer.used = body_length if isinstance(body_length, int) and body_length >= 0 else transfer.held
        if transfer.used > transfer.held:
            self.turns.hold(transfer.reservation, transfer.used)

    async def throttle(self, wanted: Wanted, host: Host) -> None:
        """Wait for as long as auto-throttle has requests wait.

        Scrapy would hold the request in a queue of its own, where the crawl's end does not reach it.
        """
        while True:
            if self.stopped:
                raise EndingError("the crawl is ending")
            seconds = host.asked_at + self.delay(wanted) - time.monotonic()
            if seconds <= 0:
                return
            await rest(self.crawler, min(seconds, 0.5))

    async def reserve(self, wanted: Wanted, patience: float | None) -> Reservation | None:
        """A place in the budget for the photo's bytes; None where its host has no limits."""
        key, limits = self.limits.media_of(wanted.url)
        least = min((limit.amount for limit in limits), default=inf)
        amount, hold = self.estimates.of(wanted.size, wanted.photo.extension or "", least)
        try:
            return await self.turns.take(Ask(key, host_and_port(wanted.url), amount, hold, limits), patience)
        except SpentError as error:
            if error.paused:
                raise PhotoError("its host asks to come back later", again=False) from None
            raise

    def delay(self, wanted: Wanted) -> float:
        """Seconds from one request to the next as auto-throttle has them now."""
        assert self.crawler.engine is not None
        slot = self.crawler.engine.downloader.slots.get(slot_name(wanted))
        return self.start_delay if slot is None else slot.delay

    async def ask(self, wanted: Wanted, host: Host, transfer: Transfer) -> Response:
        assert self.crawler.engine is not None
        asked_at = time.monotonic()
        try:
            response = await self.crawler.engine.download_async(photo_request(wanted, transfer))
        except IgnoreRequest as error:
            raise EndingError(str(error)) from error
        except Exception as error:  # whatever it is, the photo is not had, and its row says why
            raise PhotoError(type(error).__name__) from error
        pause = host.pause(asked_at, pause_asked(response), response.status == REFUSED)
        if pause:
            await self.turns.meter.pause(host_and_port(wanted.url), pause, str(response.status))
        return response

    def close(self) -> None:
        self.checkers.shutdown()


def slot_name(wanted: Wanted) -> str:
    return f"photos {wanted.host}"


def photo_request(wanted: Wanted, transfer: Transfer | None = None) -> Request:
    """The request for a photo as Scrapy sends it: never again by itself, and with whatever answer it gets."""
    meta = {
        "inat_photo": wanted,
        "inat_transfer": transfer,
        "download_slot": slot_name(wanted),
        "handle_httpstatus_all": True,
        "dont_retry": True,
    }
    # A photo without an address passes through as a request too, so that its absence becomes a row.
    return Request(wanted.url, callback=NO_CALLBACK, meta=meta)
