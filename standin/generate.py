"""Fills a world: a seeded population, later inserts, and records read from a file."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import orjson

from standin import oddities
from standin.catalog import Record
from standin.clock import instant
from standin.photos import Kind, rewrite
from standin.records import OFFSETS, Draft, Writer, converse, identification
from standin.world import World

FIRST_ID = 3_000_000
LAST_ID = 300_000_000
BEGIN, PRESENT = instant("2012-01-01"), instant("2025-06-01")
BUSY_HOURS = 10
TIES = 40  # the size of the largest upload batch


class Generator:
    """Writes observations into a world; the same seed and sizes give the same world."""

    def __init__(self, world: World, writer: Writer, record_bytes: int = 0) -> None:
        self.world = world
        self.writer = writer
        self.record_bytes = record_bytes
        self._rng = random.Random(f"{writer.seed}/population")
        self._padding: list[Record] = []

    def populate(self, count: int) -> None:
        """`count` observations that match the default query, about 5 % others among them, every oddity."""
        self.writer.next_photo = max(self.writer.next_photo, self.world.photos.highest())
        strays = max(len(oddities.STRAYS), count // 20) if count else 0
        places = self._rng.sample(range(count + strays), strays)
        stray = {place: oddities.STRAYS[i % len(oddities.STRAYS)] for i, place in enumerate(places)}
        matching = [place for place in range(count + strays) if place not in stray]
        self._rng.shuffle(matching)
        # The rest of `matching` stays ordinary where there are fewer places than oddities, and the reverse.
        once = dict(zip(matching, oddities.ONCE, strict=False))
        for place, draft in enumerate(self._drafts(count + strays)):
            self._add(draft, stray.get(place) or once.get(place), ordinary=place not in once)
        if count > 1:
            self._share_photo(matching)

    def insert(self, count: int, overrides: Record, photos: int | None = None) -> list[int]:
        """New observations of one moment, now, with ids above all others; they match the default query."""
        now = self.world.clock.now()
        user = self._rng.choice(self.writer.catalog.own_users)
        offset = self._rng.choice(OFFSETS)
        ids = []
        for _ in range(count):
            number = max(self.world.highest(), FIRST_ID) + self._rng.randint(1, 50)
            change = None if photos is None else oddities.many_photos(photos)
            self._add(Draft(number, now, offset, user, now), change, ordinary=True, overrides=overrides)
            ids.append(number)
        return ids

    def load(self, path: Path) -> None:
        """Serve the records of a JSON Lines file as they are, but with photo addresses of the stand-in."""
        for line in path.read_bytes().splitlines():
            if line.strip():
                self._adopt(orjson.loads(line))

    def _adopt(self, record: Record) -> None:
        hosts = self.world.photos.hosts
        for photo in self._photos_of(record):
            photo["url"] = rewrite(photo["url"], hosts)
        self.world.catalog.learn(record)
        self.world.put(record)

    @staticmethod
    def _photos_of(record: Record) -> Iterable[Record]:
        yield from record.get("photos") or []
        yield from (item["photo"] for item in record.get("observation_photos") or [] if item.get("photo"))

    def _add(
        self, draft: Draft, change: oddities.Change | None, ordinary: bool, overrides: Record | None = None
    ) -> None:
        record = self.writer.write(draft)
        rng = random.Random(f"{self.writer.seed}/{draft.id}/odd")
        for share, often in oddities.OFTEN if ordinary else []:
            if rng.random() < share:
                often(self.writer, record, rng)
        if change:
            change(self.writer, record, rng)
        if "standin_kind" in record:
            photo, kind = record.pop("standin_kind")
            self.world.photos.kinds[photo] = cast(Kind, kind)
        self._pad(record)
        private = {key: record.pop(key) for key in [*record] if key.startswith("private_")}
        self.world.put({**record, **(overrides or {})}, private)

    def _drafts(self, count: int) -> Iterable[Draft]:
        """Upload batches: one user, one second, neighboring ids; between batches the ids leap."""
        sizes = self._batch_sizes(count)
        times = self._times(len(sizes))
        leap = (LAST_ID - FIRST_ID) / max(1, len(sizes))
        number = FIRST_ID
        for size, created in zip(sizes, times, strict=True):
            number += int(self._rng.uniform(0, leap))
            user, offset = self._rng.choice(self.writer.catalog.own_users), self._rng.choice(OFFSETS)
            for _ in range(size):
                number += self._rng.randint(1, 4)
                while number in self.world.entries:  # of a file of records
                    number += 1
                yield Draft(number, float(int(created)), offset, user, PRESENT)

    def _times(self, count: int) -> list[float]:
        """Busy days: users of different offsets upload within hours, so that sorting as text misleads."""
        days = [self._rng.uniform(BEGIN, PRESENT) for _ in range(1 + count // 5)]
        return sorted(self._rng.choice(days) + self._rng.uniform(0, BUSY_HOURS * 3600) for _ in range(count))

    def _batch_sizes(self, count: int) -> list[int]:
        sizes = [min(TIES, count // 4)] if count >= TIES else []
        while sum(sizes) < count:
            size = self._rng.choice([1, 1, 1, 1, 2, 3, 5, 12])
            sizes.append(min(size, count - sum(sizes)))
        self._rng.shuffle(sizes)
        return sizes

    def _share_photo(self, matching: list[int]) -> None:
        """One photo in two observations of one user."""
        ids = sorted(self.world.entries)
        pairs = [self.world.entries[ids[place]].record for place in reversed(matching)]
        giver = next((r for r in pairs if len(r["photos"]) == 1), None)
        takers = [r for r in pairs if giver and r is not giver and len(r["photos"]) < 2]
        takers.sort(key=lambda r: r["user"] is not giver["user"] if giver else False)
        if giver and takers:
            taker = {**takers[0]}
            self.writer.set_photos(taker, [*giver["photos"], *taker["photos"]])
            self.world.put(taker, self.world.entries[taker["id"]].private)

    def _pad(self, record: Record) -> None:
        """More identifications until the record has its size; they are shared, or memory would not do."""
        missing = self.record_bytes - len(orjson.dumps(record)) if self.record_bytes else 0
        if missing <= 0:
            return
        if not self._padding:
            self._padding = [self._identification(number) for number in range(200)]
        while missing > 0:
            item = self._rng.choice(self._padding)
            record["identifications"].append(item)
            missing -= len(orjson.dumps(item))
        record["identifications_count"] = len(record["identifications"])

    def _identification(self, number: int) -> Record:
        rng = random.Random(f"{self.writer.seed}/padding/{number}")
        record: Record = {"taxon": rng.choice(self.writer.catalog.species)}
        record.update(created_at="2020-01-01T00:00:00+00:00", created_at_details={})
        record["user"] = rng.choice(self.writer.catalog.own_users)
        record["community_taxon_id"] = record["taxon"]["id"]
        converse(record, rng, 0)
        taxa = self.writer.catalog.taxa
        ancestors = [taxa[a] for a in record["taxon"]["ancestor_ids"][1:-1]]
        taxon = {**record["taxon"], "ancestors": ancestors}
        return {**identification(record, rng, own=False), "taxon": taxon}
