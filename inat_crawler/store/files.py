"""What became of the files of photos, and which wanted ones are not had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from inat_crawler.items import HAD, Move, PhotoFile, Wants, column_names
from inat_crawler.store.database import Database
from inat_crawler.store.schema import FILE_OF_PHOTO, LICENSE, files, photos, tombstones

FileRow = tuple[int, int, PhotoFile]  # observation id, photo id, file


class Files:
    """The files of one mirror."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def save(self, rows: Iterable[FileRow]) -> None:
        """Store what became of files, as (observation id, photo id, file), in one transaction.

        Raises StoreError when it cannot be written.
        """
        values = [
            {"mirror_id": self.database.mirror_id, "observation_id": o, "photo_id": p, **asdict(file)}
            for o, p, file in rows
        ]
        if not values:
            return
        with self.database.writing() as db:
            self.database.upsert(db, files, values)

    def of(self, observation_id: int) -> dict[tuple[int, str], PhotoFile]:
        """What became of an observation's files, by (photo id, size)."""
        return self.of_each([observation_id]).get(observation_id, {})

    def of_each(self, ids: Sequence[int]) -> dict[int, dict[tuple[int, str], PhotoFile]]:
        """The same for several observations; those without files are left out."""
        found: dict[int, dict[tuple[int, str], PhotoFile]] = {}
        for observation_id, photo_id, file in self._select(files.c.observation_id.in_(ids)):
            found.setdefault(observation_id, {})[photo_id, file.size] = file
        return found

    def names(self, ids: Sequence[int]) -> dict[tuple[int, int], list[str]]:
        """Names of the files that are had of these observations, by (observation id, photo id), smallest first."""
        columns = (files.c.observation_id, files.c.photo_id, files.c.path)
        these = sa.select(*columns).where(files.c.observation_id.in_(ids), files.c.status.in_(HAD))
        select = self.database.mine(these, files).order_by(files.c.bytes)
        found: dict[tuple[int, int], list[str]] = {}
        with self.database.engine.connect() as db:
            for observation_id, photo_id, path in db.execute(select):
                found.setdefault((observation_id, photo_id), []).append(path)
        return found

    def elsewhere(self, observation_id: int, photo_id: int, size: str) -> PhotoFile | None:
        """The same photo in the same size as another observation has it, if one does."""
        same = (files.c.photo_id == photo_id, files.c.size == size, files.c.observation_id != observation_id)
        return next((f for _, _, f in self._select(*same, files.c.status.in_(HAD))), None)

    def had(self) -> Iterator[FileRow]:
        """All files that are said to be had, as (observation id, photo id, file)."""
        return self._select(files.c.status.in_(HAD))

    def pixels(self, many: int) -> list[tuple[int | None, int | None]]:
        """Width and height of the originals of the photos that were stored last."""
        statement = sa.select(photos.c.width, photos.c.height).order_by(photos.c.observation_id.desc()).limit(many)
        with self.database.engine.connect() as db:
            return [
                (width, height)
                for width, height in db.execute(statement.where(photos.c.mirror_id == self.database.mirror_id))
            ]

    def tried(self) -> Iterator[FileRow]:
        """All files, had or not, as (observation id, photo id, file), by id."""
        return self._select(order=(files.c.observation_id, files.c.photo_id, files.c.size))

    def not_had(self) -> Iterator[FileRow]:
        """Files of photos that are still shown, tried and not had, as (observation id, photo id, file), by id."""
        shown = sa.exists().where(*FILE_OF_PHOTO)
        order = (files.c.observation_id, files.c.photo_id)
        return self._select(files.c.status.notin_(HAD), shown, order=order)

    def count_wanted(self, wants: Wants) -> int:
        """How many files the mirror should hold."""
        if wants.images == "none":
            return 0
        with self.database.engine.connect() as db:
            select = sa.select(sa.func.count()).select_from(self._wanted(wants))
            return int(db.execute(select).scalar_one()) * len(wants.sizes)

    def count_had(self, wants: Wants, since: str) -> dict[str, int]:
        """How many of them are had: `already_there` before `since` (ISO 8601), else by status."""
        if wants.images == "none":
            return {}
        before = sa.case((files.c.fetched_at < since, "already_there"), else_=files.c.status)
        joined = self._join(self._wanted(wants), wants.sizes)
        select = (
            sa.select(before, sa.func.count())
            .select_from(joined)
            .where(files.c.size.is_not(None))
            .group_by(before)
        )
        with self.database.engine.connect() as db:
            return {row[0]: row[1] for row in db.execute(select)}

    def sizes_had(self) -> dict[str, tuple[int, int, int]]:
        """By size: how many files were fetched, their bytes, and the bytes of the largest."""
        size, n = files.c.size, files.c.bytes
        select = sa.select(size, sa.func.count(), sa.func.sum(n), sa.func.max(n)).group_by(size)
        with self.database.engine.connect() as db:
            rows = db.execute(self.database.mine(select.where(files.c.status == "downloaded"), files)).all()
        return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}

    def had_by_size(self, wants: Wants) -> dict[str, tuple[int, int]]:
        """Those that the mirror should hold and has: size -> how many, and how many bytes they take."""
        if wants.images == "none":
            return {}
        joined = self._join(self._wanted(wants), wants.sizes)
        return self._sums(self._sum_select().select_from(joined).where(files.c.size.is_not(None)))

    def all_by_size(self) -> dict[str, tuple[int, int]]:
        """The same for all files that are had, wanted or not."""
        return self._sums(self.database.mine(self._sum_select().where(files.c.status.in_(HAD)), files))

    def lacking(self, wants: Wants) -> list[int]:
        """Ids of the observations of which a wanted file is not had, newest first."""
        if wants.images == "none":
            return []
        wanted = self._wanted(wants)
        lacking = (
            sa.select(wanted.c.observation_id)
            .select_from(self._join(wanted, wants.sizes))
            .group_by(wanted.c.observation_id, wanted.c.id)
            .having(sa.func.count(files.c.size) < len(wants.sizes))
        )
        with self.database.engine.connect() as db:
            return sorted(set(db.execute(lacking).scalars()), reverse=True)

    def tried_in_vain(self) -> list[int]:
        """Ids of the observations of which a file was tried, or had, and is not there; newest first."""
        select = self.database.mine(sa.select(files.c.observation_id).where(files.c.status.notin_(HAD)), files)
        with self.database.engine.connect() as db:
            return sorted(set(db.execute(select).scalars()), reverse=True)

    def withdrawn(self, licenses: Sequence[str]) -> list[Move]:
        """The files that are had of photos whose license is none of these, as moves to `withdrawn/`."""
        columns = (files.c.observation_id, files.c.photo_id, files.c.size, files.c.path)
        select = sa.select(*columns).where(files.c.status.in_(HAD), _is_forbidden(licenses))
        with self.database.engine.connect() as db:
            rows = db.execute(self.database.mine(select, files))
            return [Move(r.observation_id, r.photo_id, r.size, r.path, None, aside="withdrawn") for r in rows]

    def forget_forbidden(self, db: sa.Connection, licenses: Sequence[str]) -> None:
        """Forget the files of such photos that were tried and not had: nobody is to try them again."""
        mine = files.c.mirror_id == self.database.mirror_id
        db.execute(sa.delete(files).where(mine, files.c.status.notin_(HAD), _is_forbidden(licenses)))

    def _select(self, *where: Any, order: Sequence[Any] = ()) -> Iterator[FileRow]:
        columns = [files.c.observation_id, files.c.photo_id, *(files.c[n] for n in column_names(PhotoFile))]
        select = self.database.mine(sa.select(*columns).where(*where).order_by(*order), files)
        with self.database.engine.connect() as db:
            for observation_id, photo_id, *values in db.execution_options(yield_per=1000).execute(select):
                yield observation_id, photo_id, PhotoFile(*values)

    def _sum_select(self) -> sa.Select[Any]:
        many, bytes_ = sa.func.count(), sa.func.coalesce(sa.func.sum(files.c.bytes), 0)
        return sa.select(files.c.size, many, bytes_).group_by(files.c.size)

    def _sums(self, select: sa.Select[Any]) -> dict[str, tuple[int, int]]:
        with self.database.engine.connect() as db:
            return {row[0]: (row[1], int(row[2])) for row in db.execute(select)}

    def _wanted(self, wants: Wants) -> sa.Subquery:
        gone = sa.exists().where(
            tombstones.c.mirror_id == photos.c.mirror_id,
            tombstones.c.observation_id == photos.c.observation_id,
        )
        select = self.database.mine(sa.select(photos.c.observation_id, photos.c.id).where(~gone), photos)
        if wants.images == "first":
            select = select.where(photos.c.position == 0)
        if wants.licenses is not None:
            select = select.where(LICENSE.in_(wants.licenses))
        return select.subquery()

    def _join(self, wanted: sa.Subquery, sizes: Sequence[str]) -> sa.Join:
        """Wanted photos, each with its files in these sizes that are had."""
        return wanted.outerjoin(
            files,
            sa.and_(
                files.c.mirror_id == self.database.mirror_id,
                files.c.observation_id == wanted.c.observation_id,
                files.c.photo_id == wanted.c.id,
                files.c.size.in_(sizes),
                files.c.status.in_(HAD),
            ),
        )


def _is_forbidden(licenses: Sequence[str]) -> sa.ColumnElement[bool]:
    """Is this a file of a photo whose license is none of these?"""
    return sa.exists().where(*FILE_OF_PHOTO, LICENSE.not_in(licenses))
