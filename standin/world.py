"""All observations: the truth, and the search index that follows it with an optional lag."""

from __future__ import annotations

from collections import deque

from standin.catalog import Catalog, Record
from standin.clock import Clock, local_iso, offset_minutes
from standin.entries import Entry
from standin.photos import PhotoBook


class World:
    """Records by id. `version` grows whenever the index changes: what is cached under it stays true."""

    def __init__(self, catalog: Catalog, photos: PhotoBook, clock: Clock) -> None:
        self.catalog = catalog
        self.photos = photos
        self.clock = clock
        self.entries: dict[int, Entry] = {}
        self.index: dict[int, Entry] = {}
        self.version = 0
        self.index_lag = 0.0
        self.lag_inserts = False
        self._highest = 0
        self._pending: deque[tuple[float, int, Entry | None]] = deque()

    def highest(self) -> int:
        """The highest id that was ever given: none is used twice."""
        return self._highest

    def put(self, record: Record, private: Record | None = None, planted: bool = False) -> None:
        """Insert or replace one record."""
        entry = Entry(record, private, planted)
        before = self.entries.get(entry.id)
        self.photos.replace(entry.id, before.record if before else None, record)
        self.entries[entry.id] = entry
        self._highest = max(self._highest, entry.id)
        self._announce(entry.id, entry, lagged=before is not None or self.lag_inserts)

    def edit(self, number: int, changes: Record, touch: bool = True) -> None:
        """Merge `changes` into a record; `touch` sets `updated_at` to now in the record's own offset."""
        old = self.entries[number]
        record = {**old.record, **changes}
        if touch:
            zone = offset_minutes(old.record["updated_at"])
            record["updated_at"] = local_iso(self.clock.now(), zone)
        self.put(record, old.private, old.planted)

    def delete(self, number: int) -> None:
        self.photos.replace(number, self.entries.pop(number).record, None)
        self._announce(number, None, lagged=True)

    def plant_private(self, number: int, private: Record) -> None:
        """Let the `private_*` keys of a record leak to everybody."""
        old = self.entries[number]
        self.put(old.record, {**old.private, **private}, planted=True)

    def set_lag(self, seconds: float, inserts: bool) -> None:
        """No lag also brings the index up to date."""
        self.index_lag, self.lag_inserts = seconds, inserts
        if not seconds:
            self._settle(float("inf"))

    def settle(self) -> None:
        """Let changes whose time has come into the index; call before reading `index`."""
        self._settle(self.clock.now())

    def _announce(self, number: int, entry: Entry | None, lagged: bool) -> None:
        if not (lagged and self.index_lag) and not any(item[1] == number for item in self._pending):
            self._apply(number, entry)
            return
        self._pending.append((self.clock.now() + self.index_lag, number, entry))

    def _settle(self, until: float) -> None:
        while self._pending and self._pending[0][0] <= until:
            _, number, entry = self._pending.popleft()
            self._apply(number, entry)

    def _apply(self, number: int, entry: Entry | None) -> None:
        self.version += 1
        if entry is None:
            self.index.pop(number, None)
        else:
            self.index[number] = entry
