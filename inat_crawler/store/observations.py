"""The observations of a mirror with their photos: flat columns, and the complete record packed beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from inat_crawler.items import HAD, Observation, Photo, column_names, private_names, public_names
from inat_crawler.store.changes import Changes
from inat_crawler.store.database import Database, Row, now
from inat_crawler.store.packing import derived_columns, record_digest, unpack
from inat_crawler.store.schema import FILE_OF_PHOTO, files, observations, photos, tombstones

# An observation that is gone may be kept in its place: then it has a tombstone as well.
_gone = sa.exists().where(
    tombstones.c.mirror_id == observations.c.mirror_id, tombstones.c.observation_id == observations.c.id
)


class Observations:
    """The observations of one mirror. Those kept though they are gone are in `rows` only."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def count(self, above: int = -1, top: int | None = None) -> int:
        """How many there are, with ids above `above` and up to `top`."""
        select = sa.select(sa.func.count()).select_from(observations).where(observations.c.id > above, ~_gone)
        if top is not None:
            select = select.where(observations.c.id <= top)
        with self.database.engine.connect() as db:
            return int(db.execute(self.database.mine(select, observations)).scalar_one())

    def ids_between(self, above: int, below: int) -> set[int]:
        """Ids between two exclusive bounds."""
        between = (observations.c.id > above, observations.c.id < below)
        select = self.database.mine(sa.select(observations.c.id).where(*between, ~_gone), observations)
        with self.database.engine.connect() as db:
            return set(db.execute(select).scalars())

    def ids_below(self, below: int | None, most: int) -> list[int]:
        """The highest ids, at most so many, that are lower than a bound or any; highest first."""
        lower = observations.c.id < below if below is not None else sa.true()
        select = sa.select(observations.c.id).where(lower, ~_gone).order_by(observations.c.id.desc()).limit(most)
        with self.database.engine.connect() as db:
            return list(db.execute(self.database.mine(select, observations)).scalars())

    def kept_though_gone(self) -> list[int]:
        """Ids of the observations that are in their place and have a tombstone."""
        with self.database.engine.connect() as db:
            select = self.database.mine(sa.select(observations.c.id).where(_gone), observations)
            return list(db.execute(select).scalars())

    def digests(self, ids: Sequence[int]) -> dict[int, str]:
        """Digest of each of these observations that is stored: what `Observation.digest` gave when it was."""
        with self.database.engine.connect() as db:
            return self._digests(db, ids, observations.c.digest)

    def read(self, ids: Sequence[int]) -> list[Observation]:
        """These observations with their photos, newest id first; those not stored are left out.

        Their private coordinates are read by nobody: they are for whoever looks into the store.
        """
        with self.database.engine.connect() as db:
            return self._read(db, ids)

    def _read(self, db: sa.Connection, ids: Sequence[int]) -> list[Observation]:
        names = public_names(Observation)
        select = sa.select(*(observations.c[n] for n in names)).where(observations.c.id.in_(ids))
        rows = db.execute(self.database.mine(select, observations))
        found = {row[0]: Observation(**dict(zip(names, row, strict=True)), change="unchanged") for row in rows}
        columns = (photos.c.observation_id, *(photos.c[n] for n in column_names(Photo)))
        shown = self.database.mine(sa.select(*columns).where(photos.c.observation_id.in_(ids)), photos)
        for observation_id, *values in db.execute(shown.order_by(photos.c.position)):
            found[observation_id].photos.append(Photo(*values))
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

    def save(self, db: sa.Connection, page: Sequence[Observation], log: Changes, private: bool = False) -> None:
        """Store the observations of a page and log what changed. Records that are as they were are left alone.

        `private`: the page shows their private coordinates.
        """
        ids = [o.id for o in page]
        log.note(db, self._changes(db, page))
        known = self._digests(db, ids, observations.c.record_digest)
        fresh = {o.id: o for o in page if o.change != "unchanged" or known.get(o.id) != record_digest(o)}
        if fresh:
            rows = [self._row(o) for o in fresh.values()]
            self.database.upsert(db, observations, rows, keep=("stored_at", *private_names(Observation)))
            self._replace_photos(db, list(fresh.values()))
        self._save_private(db, page if private else [o for o in page if o.change != "unchanged"])
        self._delete(db, tombstones, ids)  # it is back

    def _save_private(self, db: sa.Connection, seen: Sequence[Observation]) -> None:
        """Private coordinates change without a trace in what is public; of what changed, old ones may be wrong."""
        columns = [observations.c[name] for name in private_names(Observation)]
        select = sa.select(observations.c.id, *columns).where(observations.c.id.in_([o.id for o in seen]))
        had = {row[0]: row[1:] for row in db.execute(self.database.mine(select, observations))}
        for o in seen:
            has = tuple(getattr(o, column.name) for column in columns)
            if has != had[o.id]:
                mine = (observations.c.mirror_id == self.database.mirror_id, observations.c.id == o.id)
                db.execute(sa.update(observations).where(*mine).values(dict(zip(columns, has, strict=True))))

    def _changes(self, db: sa.Connection, page: Sequence[Observation]) -> dict[int, tuple[str, list[str]]]:
        """Observation id -> (change, the fields that changed), for those that are new or changed."""
        before = {o.id: o for o in self._read(db, [o.id for o in page if o.change == "changed"])}
        noted: dict[int, tuple[str, list[str]]] = {}
        for o in page:
            if o.change in ("new", "changed"):
                noted[o.id] = (o.change, changed_fields(before[o.id], o) if o.id in before else [])
        return noted

    def readdress(self, observation_id: int, photo: Photo) -> None:
        """Note where a photo is now, and under which license: the rest of its record comes with the next sweep."""
        mine = (photos.c.mirror_id == self.database.mirror_id, photos.c.observation_id == observation_id)
        new = {"url": photo.url, "license_code": photo.license_code, "attribution": photo.attribution}
        with self.database.writing() as db:
            db.execute(sa.update(photos).where(*mine, photos.c.id == photo.id).values(**new))
            of = (observations.c.mirror_id == self.database.mirror_id, observations.c.id == observation_id)
            db.execute(sa.update(observations).where(*of).values(changed_at=now()))

    def delete(self, db: sa.Connection, ids: Sequence[int]) -> None:
        """Delete observations in a transaction, with their photos and what is known of their files."""
        for table in (observations, photos, files):
            self._delete(db, table, ids)

    def _delete(self, db: sa.Connection, table: sa.Table, ids: Sequence[int]) -> None:
        column = table.c.id if table is observations else table.c.observation_id
        db.execute(sa.delete(table).where(table.c.mirror_id == self.database.mirror_id, column.in_(ids)))

    def _digests(self, db: sa.Connection, ids: Sequence[int], column: sa.Column[Any]) -> dict[int, str]:
        select = sa.select(observations.c.id, column).where(observations.c.id.in_(ids), ~_gone)
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
        """Store the photos of these observations; forget files never had of those that are shown no more."""
        self._delete(db, photos, [o.id for o in fresh])
        new = [
            {"mirror_id": self.database.mirror_id, "observation_id": o.id}
            | {n: getattr(p, n) for n in column_names(Photo)}
            for o in fresh
            for p in o.photos
        ]
        if new:
            db.execute(sa.insert(photos), new)
        shown = sa.exists().where(*FILE_OF_PHOTO)
        mine = (files.c.mirror_id == self.database.mirror_id, files.c.observation_id.in_([o.id for o in fresh]))
        db.execute(sa.delete(files).where(*mine, files.c.status.notin_(HAD), ~shown))


def changed_fields(before: Observation, after: Observation) -> list[str]:
    """Names of the public columns that differ; `photos` when one of those of its photos does.

    >>> changed_fields(Observation(7, place_guess="a"), Observation(7, place_guess="b", photos=[Photo(1, 0)]))
    ['place_guess', 'photos']
    """
    names = [n for n in public_names(Observation) if getattr(before, n) != getattr(after, n)]
    columns = column_names(Photo)
    was, now_ = ([[getattr(p, n) for n in columns] for p in o.photos] for o in (before, after))
    return names + (["photos"] if was != now_ else [])
