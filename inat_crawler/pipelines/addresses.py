"""Where photos are now: one whose license changes moves to another host; its old address answers 403 or 404."""

from __future__ import annotations

import asyncio
import dataclasses
import logging

from inat_crawler.api.paging import MOST_IDS, read_all
from inat_crawler.api.photos import Wanted
from inat_crawler.api.records import read_record
from inat_crawler.client import ApiClient
from inat_crawler.errors import CrawlError, RecordError
from inat_crawler.items import Photo

logger = logging.getLogger(__name__)
GATHER_SECONDS = 0.1  # a host that has lost one photo has often lost others
Photos = dict[int, Photo]  # by id


class Addresses:
    """Asks the API for the current records of observations: each once, as many as wait in one request."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.known: dict[int, asyncio.Future[Photos]] = {}
        self.waiting: list[int] = []
        self.asking: asyncio.Task[None] | None = None

    async def current(self, wanted: Wanted) -> Wanted | None:
        """The same file where the API says it is now; None if that is no other place, or it is shown no more."""
        observation_id = wanted.observation_id
        if observation_id not in self.known:
            self.known[observation_id] = asyncio.get_running_loop().create_future()
            self.waiting.append(observation_id)
            if self.asking is None or self.asking.done():
                self.asking = asyncio.create_task(self.ask())
        photo = (await self.known[observation_id]).get(wanted.photo.id)
        if photo is None or photo.url == wanted.photo.url:
            return None
        return dataclasses.replace(wanted, photo=dataclasses.replace(photo, position=wanted.photo.position))

    async def ask(self) -> None:
        """Ask until none waits. When the API cannot be asked, nothing is known of any."""
        while self.waiting:
            await asyncio.sleep(GATHER_SECONDS)
            ids, self.waiting = self.waiting[:MOST_IDS], self.waiting[MOST_IDS:]
            found: dict[int, Photos] = {}
            try:
                found = await self.client.get(
                    f"/observations/{','.join(map(str, ids))}", {"per_page": str(MOST_IDS)}, read_photos
                )
            except CrawlError as error:
                logger.info("cannot ask where photos are now: %s", error)
            finally:
                for observation_id in ids:
                    self.known[observation_id].set_result(found.get(observation_id, {}))


def read_photos(body: bytes) -> dict[int, Photos]:
    """Photos of the observations on a page, by observation id. Raises PageError."""
    found: dict[int, Photos] = {}
    for record in read_all(body):
        try:
            observation = read_record(record)
        except RecordError:  # the spider counts those
            continue
        found[observation.id] = {photo.id: photo for photo in observation.photos}
    return found
