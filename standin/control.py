"""The control interface under `/control/`: what a test does to the world and wants to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from standin import photo_edits
from standin.api import Api, RateLimit
from standin.catalog import Record
from standin.clock import Clock
from standin.faults import Faults
from standin.images import photo_bytes
from standin.interference import Interference
from standin.journal import Journal


@dataclass
class Switches:
    """Seconds that every answer of the API and the photo hosts waits, and the one token that has not expired."""

    latency: float = 0.0
    token: str | None = None


class Control:
    """One public method per call; its arguments are the members of the JSON object that was posted."""

    def __init__(
        self, api: Api, faults: Faults, journal: Journal, limit: RateLimit, switches: Switches, seed: int
    ) -> None:
        self._api = api
        self._world = api.world
        self._faults = faults
        self._journal = journal
        self._limit = limit
        self._switches = switches
        self._seed = seed

    def call(self, name: str, arguments: Record) -> Any:
        """The answer of one call, JSON or bytes; KeyError, TypeError and ValueError mean a wrong call."""
        method: Callable[..., Any] | None = None if name.startswith("_") else getattr(self, name, None)
        if method is None or name == "call":
            raise KeyError(name)
        return method(**arguments)

    def insert(self, n: int = 1, overrides: Record | None = None, photos: int | None = None) -> list[int]:
        return self._api.generator.insert(n, overrides or {}, photos)

    def edit(self, id: int, changes: Record | None = None, touch: bool = True) -> Record:
        self._world.edit(id, changes or {}, touch)
        return self.record(id)

    def swap_photos(self, id: int, touch: bool = True) -> Record:
        return self.edit(id, photo_edits.swap(self.record(id)), touch)

    def replace_photo(self, id: int, index: int = 0, touch: bool = True) -> Record:
        return self.edit(id, photo_edits.replace(self.record(id), index, self._api.generator.writer), touch)

    def bump_photo_query(self, id: int, index: int = 0, touch: bool = True) -> Record:
        return self.edit(id, photo_edits.bump_query(self.record(id), index, self._world.clock.now()), touch)

    def move_photo_host(
        self, id: int, index: int = 0, license_code: str | None = None, touch: bool = True
    ) -> Record:
        """To the other host, under this license; every record that shows the photo gets the new address."""
        photo_id = self.record(id)["photos"][index]["id"]
        for owner in self._world.photos.owners(photo_id):
            changes = photo_edits.move(self.record(owner), photo_id, license_code, self._world.photos.hosts)
            self.edit(owner, changes, touch)
        return self.record(id)

    def delete(self, ids: list[int]) -> None:
        for number in ids:
            self._world.delete(number)

    def move(self, ids: list[int], touch: bool = True) -> None:
        """Out of the default place."""
        for number in ids:
            places = [p for p in self.record(number)["place_ids"] if p != self._world.catalog.default_place]
            self._world.edit(number, {"place_ids": places}, touch)

    def plant_private(self, id: int, location: str = "38.446512,-8.991234") -> None:
        lat, lng = (float(text) for text in location.split(","))
        private = {
            "private_location": location,
            "private_place_guess": "Rua Secreta 7",
            "private_geojson": {"type": "Point", "coordinates": [lng, lat]},
        }
        self._world.plant_private(id, private)

    def before_page(self, insert: int = 0, delete: int = 0, edit: int = 0, maximum: int = 20) -> None:
        self._api.interference = Interference(insert, delete, edit, maximum)

    def interference(self) -> dict[str, list[int]]:
        """What `before_page` has done so far."""
        return self._api.interference.done

    def add_fault(self, **fault: Any) -> None:
        self._faults.add(fault)

    def clear_faults(self) -> None:
        self._faults.clear()

    def faults(self) -> list[Record]:
        return self._faults.listed()

    def latency(self, seconds: float) -> None:
        self._switches.latency = seconds

    def set_token(self, token: str | None) -> None:
        """From now on this token alone is valid, or none."""
        self._switches.token = token

    def rate_limit(self, n: int | None, retry_after: str | None = None) -> None:
        self._limit.set(n, retry_after)

    def index_lag(self, seconds: float, inserts: bool = False) -> None:
        self._world.set_lag(seconds, inserts)

    def advance(self, seconds: float) -> float:
        """Skip time: caches expire, limits relax, the index catches up."""
        clock: Clock = self._world.clock
        clock.advance(seconds)
        return clock.now()

    def requests(self, role: Any = None) -> list[Record]:
        return self._journal.listed(role)

    def connections(self) -> Record:
        """`most` at once since the start or the last reset, and `open` now, per host."""
        return {"most": self._journal.most, "open": {r: len(c) for r, c in self._journal.open.items()}}

    def reset_log(self) -> None:
        self._journal.reset()

    def ids(self, query: Record) -> list[int]:
        """All ids that the index has for a query, newest first."""
        return self._api.searcher.matching({name: str(value) for name, value in query.items()})[::-1]

    def record(self, id: int) -> Record:
        """The truth, which the index may not have yet, without private keys unless they were planted."""
        return self._world.entries[id].visible(False)

    def records(self, query: Record) -> list[Record]:
        """The records of `ids`, as the index has them."""
        return [self._world.index[number].visible(False) for number in self.ids(query)]

    def private(self, id: int) -> Record:
        return self._world.entries[id].private

    def photo(self, id: int, size: str = "original") -> bytes:
        photo = self._world.photos.get(id)
        if not photo:
            raise KeyError(id)
        return photo_bytes(photo, size, self._seed)
