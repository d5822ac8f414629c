"""The observations of a mirror with their photos: flat columns, and the complete record packed beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from inat_crawler.items import Change, Observation, Photo, column_names
from inat_crawler.store.database import DROPPED, HAD, Database, Row
from inat_crawler.store.packing import derived_columns, record_digest, unpack
from inat_crawler.store.schema import files, observations, photos, untold


def now() -> str:
    """This moment, UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Observations:
    """The observations of one mirror."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def count(self) -> int:
        with self.database.engine.connect() as db:
            return int(self.database.scalar(db, sa.func.count(), observations))

    def digests(self, ids: Sequence[int]) -> dict[int, str]:
        """Digest of each of these observations that is stored: what `Observation.digest` gave when it was."""
        with self.database.engine.connect() as db:
            return self._digests(db, ids, observations.c.digest)

    def read(self, ids: Sequence[int]) -> list[Observation]:
        """These observations with their photos, newest id first; those not stored are left out."""
        columns = [observations.c[n] for n in column_names(Observation)]
        select = self.database.mine(sa.select(*columns).where(observations.c.id.in_(ids)), observations)
        mine = self.database.mine(sa.select(photos).where(photos.c.observation_id.in_(ids)), photos)
        with self.database.engine.connect() as db:
            found = {row["id"]: Observation(**row, change="unchanged") for row in db.execute(select).mappings()}
            for row in db.execute(mine.order_by(photos.c.position)).mappings():
                found[row["observation_id"]].photos.append(Photo(**{n: row[n] for n in column_names(Photo)}))
        return sorted(found.values(), key=lambda o: o.id, reverse=True)

    def rows(self, columns: Sequence[str], chunk: int = 5000) -> Iterator[Sequence[Any]]:
        """These columns of all observations in chunks, newest first: by the instant of upload, then by id.

        Only one chunk is in memory at a time.
        """
        order = (observations.c.created_instant.desc(), observations.c.id.desc())
        select = sa.select(*(observations.c[n] for n in columns)).order_by(*order)
        mine = self.database.mine(select, observations)
        with self.database.engine.connect() as db:
            yield from db.execution_options(yield_per=chunk).execute(mine).mappings().partitions()

    def record(self, observation_id: int) -> bytes | None:
        """The complete API record of an observation as JSON, less what is private."""
        select = sa.select(observations.c.record).where(observations.c.id == observation_id)
        with self.database.engine.connect() as db:
            packed = db.execute(self.database.mine(select, observations)).scalar_one_or_none()
        return None if packed is None else unpack(packed)

    def save(self, db: sa.Connection, page: Sequence[Observation]) -> None:
        """Store the observations of a page. Those whose record is as it was are left alone."""
        known = self._digests(db, [o.id for o in page], observations.c.record_digest)
        fresh = {o.id: o for o in page if known.get(o.id) != record_digest(o)}
        if fresh:
            rows = [self._row(o) for o in fresh.values()]
            self.database.upsert(db, observations, rows, keep=("stored_at",))
            self._replace_photos(db, list(fresh.values()))
        news = [
            {"mirror_id": self.database.mirror_id, "observation_id": o.id, "change": o.change}
            for o in page
            if o.change in ("new", "changed")
        ]
        self.database.upsert(db, untold, news)

    def told(self, ids: Sequence[int]) -> None:
        """Note that a feed has shown these observations."""
        with self.database.writing() as db:
            mine = untold.c.mirror_id == self.database.mirror_id
            db.execute(sa.delete(untold).where(mine, untold.c.observation_id.in_(ids)))

    def untold(self) -> dict[int, Change]:
        """Change of each observation that is new or changed and that no feed has shown yet."""
        with self.database.engine.connect() as db:
            rows = db.execute(self.database.mine(sa.select(untold.c.observation_id, untold.c.change), untold))
            return {row.observation_id: row.change for row in rows}

    def _digests(self, db: sa.Connection, ids: Sequence[int], column: sa.Column[Any]) -> dict[int, str]:
        select = sa.select(observations.c.id, column).where(observations.c.id.in_(ids))
        return {row[0]: row[1] for row in db.execute(self.database.mine(select, observations))}

    def _row(self, observation: Observation) -> Row:
        moment = now()
        return {
            "mirror_id": self.database.mirror_id,
            **{name: getattr(observation, name) for name in column_names(Observation)},
            **derived_columns(observation),
            "digest": observation.digest(),
            "stored_at": moment,
            "changed_at": moment,
        }

    def _replace_photos(self, db: sa.Connection, fresh: Sequence[Observation]) -> None:
        """Store the photos of these observations. A file whose name changes with them is dropped."""
        in_fresh = photos.c.observation_id.in_([o.id for o in fresh])
        select = sa.select(photos.c.observation_id, photos.c.id, photos.c.position).where(in_fresh)
        was_first = {(o, p): position == 0 for o, p, position in db.execute(self.database.mine(select, photos))}
        is_first = {(o.id, p.id): p.position == 0 for o in fresh for p in o.photos}
        renamed = [key for key, first in was_first.items() if is_first.get(key) is not first]
        at = sa.tuple_(files.c.observation_id, files.c.photo_id).in_(renamed)
        mine = files.c.mirror_id == self.database.mirror_id
        db.execute(sa.delete(files).where(mine, at, files.c.status.notin_((*HAD, DROPPED))))
        db.execute(sa.update(files).where(mine, at).values(status=DROPPED))
        db.execute(sa.delete(photos).where(photos.c.mirror_id == self.database.mirror_id, in_fresh))
        new = [
            {"mirror_id": self.database.mirror_id, "observation_id": o.id}
            | {n: getattr(p, n) for n in column_names(Photo)}
            for o in fresh
            for p in o.photos
        ]
        if new:
            db.execute(sa.insert(photos), new)
