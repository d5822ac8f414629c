"""Reading a mirror from one end to the other, for what is handed on: whole observations, in flat memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from inat_crawler.items import HAD, Observation, Photo, PhotoFile, column_names
from inat_crawler.store.database import Database
from inat_crawler.store.files import Files
from inat_crawler.store.observations import Observations
from inat_crawler.store.packing import unpack
from inat_crawler.store.schema import (
    FILE_OF_PHOTO,
    LICENSE,
    changes,
    crawls,
    files,
    missing,
    observations,
    photos,
    tombstones,
)

# What tells that something has changed besides the observations: how many rows, and what every change touches.
_MARKS: tuple[tuple[sa.Table, tuple[Any, ...]], ...] = (
    (photos, ()),
    (changes, (sa.func.max(changes.c.number),)),
    (tombstones, (sa.func.max(tombstones.c.gone_at),)),
    (missing, (sa.func.min(missing.c.observation_id), sa.func.max(missing.c.observation_id))),
)


class Whole:
    """The observations of one mirror, those that are kept though they are gone among them; newest first."""

    def __init__(self, database: Database, observations: Observations, files: Files) -> None:
        self.database = database
        self.observations = observations
        self.files = files

    def each(self, chunk: int = 500) -> Iterator[Observation]:
        """All observations with their photos, and with the files of these that are had."""
        for rows in self.observations.rows(["id"], chunk):
            ids = [row["id"] for row in rows]
            had = self.files.of_each(ids)
            found = {o.id: o for o in self.observations.read(ids)}
            for i in ids:
                yield _with_files(found[i], had.get(i, {}))

    def records(self, chunk: int = 200) -> Iterator[bytes]:
        """The complete records as JSON, less what is private."""
        for rows in self.observations.rows(["record"], chunk):
            yield from (unpack(row["record"]) for row in rows)

    def by_license(self, chunk: int = 1000) -> Iterator[tuple[str, Photo, int, str | None, list[str]]]:
        """All photos of which a file is had, by license, then newest observation first.

        As (license code in lower case or empty, photo, observation's id, observer's name, names of the files).
        """
        mine = observations.c.mirror_id == self.database.mirror_id
        of = sa.and_(photos.c.mirror_id == observations.c.mirror_id, photos.c.observation_id == observations.c.id)
        names = sa.func.coalesce(sa.func.nullif(observations.c.user_name, ""), observations.c.user_login)
        select = (
            sa.select(LICENSE, observations.c.id, names, *(photos.c[n] for n in column_names(Photo)))
            .select_from(observations.join(photos, of))
            .where(mine, sa.exists().where(*FILE_OF_PHOTO, files.c.status.in_(HAD)))
            .order_by(LICENSE, observations.c.created_instant.desc(), observations.c.id.desc(), photos.c.position)
        )
        with self.database.engine.connect() as db:
            for rows in db.execution_options(yield_per=chunk).execute(select).partitions():
                had = self.files.names(list({row[1] for row in rows}))
                for code, observation_id, name, *values in rows:
                    photo = Photo(*values)
                    yield code, photo, observation_id, name, had[observation_id, photo.id]

    def licenses(self) -> dict[str, int]:
        """How many photos of which a file is had there are under each license; the code is empty for none."""
        had = sa.exists().where(*FILE_OF_PHOTO, files.c.status.in_(HAD))
        select = self.database.mine(sa.select(LICENSE, sa.func.count()).where(had).group_by(LICENSE), photos)
        with self.database.engine.connect() as db:
            return {row[0]: row[1] for row in db.execute(select)}

    def fingerprint(self) -> str:
        """A text that differs when anything that can be handed on has changed; it stays when one only looked."""
        marks: list[Any] = [self._when_each_changed()]
        with self.database.engine.connect() as db:
            for table, values in _MARKS:
                select = self.database.mine(sa.select(sa.func.count(), *values).select_from(table), table)
                marks.append(list(db.execute(select).one()))
            sums = (sa.func.count(), sa.func.sum(files.c.bytes), sa.func.max(files.c.fetched_at))
            by_status = self.database.mine(sa.select(files.c.status, *sums).group_by(files.c.status), files)
            marks.append(sorted([str(cell) for cell in row] for row in db.execute(by_status)))
        return hashlib.blake2b(json.dumps(marks, default=str).encode(), digest_size=16).hexdigest()

    def _when_each_changed(self) -> str:
        """Each by itself: the latest moment would say nothing after a clock that was ahead."""
        digest = hashlib.blake2b(digest_size=16)
        select = sa.select(observations.c.id, observations.c.changed_at).order_by(observations.c.id)
        with self.database.engine.connect() as db:
            rows = db.execution_options(yield_per=5000).execute(self.database.mine(select, observations))
            for row in rows:
                digest.update(f"{row[0]} {row[1]}\n".encode())
        return digest.hexdigest()

    def last_account(self) -> dict[str, Any] | None:
        """The account of the last crawl that came to its end; None when none has."""
        ended = crawls.c.account.is_not(None)
        select = sa.select(crawls.c.account).where(ended).order_by(crawls.c.crawl_id.desc()).limit(1)
        with self.database.engine.connect() as db:
            account = db.execute(self.database.mine(select, crawls)).scalar()
        return json.loads(account) if account else None

    def last_question(self) -> dict[str, Any]:
        """When the last crawl began, and what it was for, whether or not it came to its end."""
        select = sa.select(crawls.c.started_at, crawls.c.arguments).order_by(crawls.c.crawl_id.desc()).limit(1)
        with self.database.engine.connect() as db:
            row = db.execute(self.database.mine(select, crawls)).one_or_none()
        return {"started_at": row.started_at, **json.loads(row.arguments)} if row else {}

    def seen_twice(self) -> dict[int, int]:
        """Photos that several observations of a taxon have: photo id -> the lowest id of these observations."""
        return self._of_several(files.c.photo_id)

    def same_bytes(self) -> dict[str, int]:
        """Files that several have byte for byte: SHA-256 -> the lowest id of these observations."""
        return self._of_several(files.c.sha256)

    def _of_several(self, key: sa.Column[Any]) -> dict[Any, int]:
        each = files.c.observation_id
        select = self._of_taxa(sa.select(key, sa.func.min(each)))
        several = select.group_by(key).having(sa.func.count(sa.distinct(each)) > 1)
        with self.database.engine.connect() as db:
            return {row[0]: row[1] for row in db.execute(several)}

    def observers(self) -> list[int | None]:
        """Ids of those who took a photo of a taxon of which a file is had."""
        select = self._of_taxa(sa.select(observations.c.user_id).distinct())
        with self.database.engine.connect() as db:
            return list(db.execute(select.order_by(observations.c.user_id)).scalars())

    def _of_taxa(self, select: sa.Select[Any]) -> sa.Select[Any]:
        """Files that are had, with their observations, of those that stand under a taxon."""
        of = sa.and_(files.c.mirror_id == observations.c.mirror_id, files.c.observation_id == observations.c.id)
        joined = select.select_from(observations.join(files, of))
        return self.database.mine(
            joined.where(files.c.status.in_(HAD), observations.c.taxon_id.is_not(None)), observations
        )


def _with_files(observation: Observation, found: dict[tuple[int, str], PhotoFile]) -> Observation:
    for photo in observation.photos:
        photo.files = _of_photo(found, photo.id)
    return observation


def _of_photo(found: dict[tuple[int, str], PhotoFile], photo_id: int) -> list[PhotoFile]:
    had = [file for (of, _), file in found.items() if of == photo_id and file.status in HAD]
    return sorted(had, key=lambda file: file.bytes or 0)
