"""The one source of truth of a mirror: what was asked, how far it was read, and all that was got.

SQLite in the output folder by default; any database that SQLAlchemy knows an upsert for by its URL. Every
write is one transaction, so that a process killed at any moment leaves whole pages and whole rows. Nothing
here fetches anything or knows Scrapy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from inat_crawler import schema
from inat_crawler.errors import StoreError
from inat_crawler.items import Observation, Page, Photo, PhotoFile, Window, column_names
from inat_crawler.schema import crawls, files, malformed, mirrors, observations, photos, windows

HAD = ("downloaded", "copied")


def now() -> str:
    """This moment, UTC, ISO 8601 with seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Store:
    """The store of one mirror. Raises StoreError when it holds another query's mirror or a newer schema."""

    def __init__(self, url: str) -> None:
        self.engine = schema.open_engine(url)
        self.mirror_id = 0

    def close(self) -> None:
        self.engine.dispose()

    # -- the mirror ----------------------------------------------------------------------------------------

    def open_mirror(self, key: str, query: Mapping[str, Any]) -> None:
        """Take the mirror of this query, or begin it in an empty store.

        A store in a folder of its own holds one mirror: another query on it would tear it apart.
        """
        with self.engine.begin() as db:
            found = db.execute(sa.select(mirrors)).mappings().all()
            if found and self.engine.dialect.name == "sqlite" and found[0]["key"] != key:
                self._give_up_empty_mirror(db, dict(found[0]), query)
            of_key = sa.select(mirrors.c.mirror_id).where(mirrors.c.key == key)
            mirror_id = db.execute(of_key).scalar()
            if mirror_id is None:
                row = {"key": key, "query": json.dumps(dict(query)), "created_at": now()}
                db.execute(sa.insert(mirrors).values(row))
                mirror_id = db.execute(of_key).scalar_one()
        self.mirror_id = mirror_id

    def _give_up_empty_mirror(self, db: sa.Connection, old: Mapping[str, Any], query: Mapping[str, Any]) -> None:
        """A mirror that holds nothing, of a query with a slip in it perhaps, makes room for another."""
        self.mirror_id = old["mirror_id"]
        if self._scalar(db, sa.func.count(), observations):
            raise StoreError(
                f"the output holds the mirror of another query: {_shown(json.loads(old['query']))}; "
                f"this one asks for: {_shown(query)}. Choose another output."
            )
        for table in (windows, malformed, crawls, mirrors):
            db.execute(sa.delete(table).where(table.c.mirror_id == self.mirror_id))

    def open_only_mirror(self) -> Mapping[str, Any]:
        """Take the one mirror that the store holds, whatever its query, and return that query."""
        with self.engine.connect() as db:
            row = db.execute(sa.select(mirrors)).mappings().one()
        self.mirror_id = row["mirror_id"]
        query: Mapping[str, Any] = json.loads(row["query"])
        return query

    def begin_crawl(self, started_at: str, arguments: Mapping[str, Any]) -> int:
        """Note that a crawl begins; returns its number in this mirror, from 1."""
        with self.engine.begin() as db:
            last = self._scalar(db, sa.func.max(crawls.c.crawl_id), crawls) or 0
            row = {"crawl_id": last + 1, "started_at": started_at, "arguments": json.dumps(dict(arguments))}
            db.execute(sa.insert(crawls).values(mirror_id=self.mirror_id, **row))
        return int(last) + 1

    def finish_crawl(self, crawl_id: int, account: Mapping[str, Any]) -> None:
        """Keep the account of a crawl that has ended."""
        with self.engine.begin() as db:
            db.execute(
                sa.update(crawls)
                .where(crawls.c.mirror_id == self.mirror_id, crawls.c.crawl_id == crawl_id)
                .values(finished_at=now(), account=json.dumps(dict(account)))
            )

    # -- windows and pages ---------------------------------------------------------------------------------

    def windows(self) -> list[Window]:
        """All windows of the mirror, those with the highest ids first."""
        columns = [windows.c[name] for name in Window.__dataclass_fields__]
        with self.engine.connect() as db:
            rows = db.execute(self._mine(sa.select(*columns), windows)).mappings()
            return sorted((Window(**row) for row in rows), key=lambda w: w.id_above, reverse=True)

    def open_window(self, id_above: int, id_below: int | None) -> Window:
        """Begin a window between two exclusive bounds."""
        with self.engine.begin() as db:
            last = self._scalar(db, sa.func.max(windows.c.window_id), windows) or 0
            window = Window(int(last) + 1, id_above, id_below)
            db.execute(sa.insert(windows).values(mirror_id=self.mirror_id, **asdict(window)))
        return window

    def clear_windows(self) -> None:
        """Forget how far the mirror was read, so that it is read anew; what is stored stays."""
        with self.engine.begin() as db:
            for table in (windows, malformed):
                db.execute(sa.delete(table).where(table.c.mirror_id == self.mirror_id))

    def save_page(self, page: Page, page_observations: Sequence[Observation]) -> None:
        """Store a page with all its observations and the window's new cursor, in one transaction.

        The cursor moves only from where this page began: a page before it that was not stored keeps it there.
        Doing a page twice changes nothing.
        """
        before, after = page.window, page.after
        with self.engine.begin() as db:
            self._save_observations(db, page_observations)
            self._save_malformed(db, page)
            at = windows.c.cursor.is_(None) if before.cursor is None else windows.c.cursor == before.cursor
            db.execute(
                sa.update(windows)
                .where(windows.c.mirror_id == self.mirror_id, windows.c.window_id == before.window_id, at)
                .values(cursor=after.cursor, top=after.top, total=after.total, done=after.done)
            )

    def digests(self, ids: Sequence[int]) -> dict[int, str]:
        """Digest of each of these observations that is stored: what `Observation.digest` gave when it was."""
        with self.engine.connect() as db:
            select = sa.select(observations.c.id, observations.c.digest).where(observations.c.id.in_(ids))
            return {row.id: row.digest for row in db.execute(self._mine(select, observations))}

    def _save_observations(self, db: sa.Connection, page_observations: Sequence[Observation]) -> None:
        if not page_observations:
            return
        ids = [o.id for o in page_observations]
        stored = self._mine(
            sa.select(observations.c.id, observations.c.record_digest).where(observations.c.id.in_(ids)),
            observations,
        )
        known = {row.id: row.record_digest for row in db.execute(stored)}
        fresh = {o.id: o for o in page_observations if known.get(o.id) != schema.record_digest(o)}
        self._upsert(db, observations, [self._row(o) for o in fresh.values()], keep=("stored_at",))
        self._replace_photos(db, list(fresh.values()))

    def _row(self, observation: Observation) -> dict[str, Any]:
        moment = now()
        return {
            "mirror_id": self.mirror_id,
            **{name: getattr(observation, name) for name in column_names(Observation)},
            **schema.derived_columns(observation),
            "digest": observation.digest(),
            "stored_at": moment,
            "changed_at": moment,
        }

    def _replace_photos(self, db: sa.Connection, fresh: Sequence[Observation]) -> None:
        """Store the photos of these observations. A file whose name would change with them counts no more."""
        ids = [o.id for o in fresh]
        select = sa.select(photos.c.observation_id, photos.c.id, photos.c.position)
        rows = db.execute(self._mine(select.where(photos.c.observation_id.in_(ids)), photos))
        names = {(row.observation_id, row.id): row.position == 0 for row in rows}
        kept = {(o.id, p.id): p.position == 0 for o in fresh for p in o.photos}
        renamed = [key for key, first in names.items() if kept.get(key) is not first]
        for table, column, keys in ((files, files.c.photo_id, renamed), (photos, photos.c.id, list(names))):
            at = sa.tuple_(table.c.observation_id, column).in_(keys)
            db.execute(sa.delete(table).where(table.c.mirror_id == self.mirror_id, at))
        new = [
            {"mirror_id": self.mirror_id, "observation_id": o.id} | {n: getattr(p, n) for n in column_names(Photo)}
            for o in fresh
            for p in o.photos
        ]
        if new:
            db.execute(sa.insert(photos), new)

    def _save_malformed(self, db: sa.Connection, page: Page) -> None:
        key: dict[str, int] = {
            "mirror_id": self.mirror_id,
            "window_id": page.window.window_id,
            "page_begin": page.window.cursor or 0,
        }
        db.execute(sa.delete(malformed).where(*(malformed.c[n] == v for n, v in key.items())))
        rows: list[dict[str, Any]] = [
            {**key, "number": number, "observation_id": observation_id, "reason": reason}
            for number, (observation_id, reason) in enumerate(page.malformed)
        ]
        if rows:
            db.execute(sa.insert(malformed), rows)

    # -- files of photos -----------------------------------------------------------------------------------

    def save_files(self, rows: Iterable[tuple[int, int, PhotoFile]]) -> None:
        """Store what became of files, as (observation id, photo id, file), in one transaction."""
        values = [
            {"mirror_id": self.mirror_id, "observation_id": observation_id, "photo_id": photo_id, **asdict(file)}
            for observation_id, photo_id, file in rows
        ]
        if values:
            with self.engine.begin() as db:
                self._upsert(db, files, values)

    def files_of(self, observation_id: int) -> dict[tuple[int, str], PhotoFile]:
        """What became of an observation's files, by (photo id, size)."""
        return {(p, f.size): f for _, p, f in self._files(files.c.observation_id == observation_id)}

    def file_elsewhere(self, observation_id: int, photo_id: int, size: str) -> PhotoFile | None:
        """The same photo in the same size as another observation has it, if one does."""
        same = (files.c.photo_id == photo_id, files.c.size == size, files.c.observation_id != observation_id)
        return next((f for _, _, f in self._files(*same, files.c.status.in_(HAD))), None)

    def had_files(self) -> Iterator[tuple[int, int, PhotoFile]]:
        """All files that are said to be had, as (observation id, photo id, file)."""
        return self._files(files.c.status.in_(HAD))

    def failed_files(self) -> Iterator[tuple[int, int, PhotoFile]]:
        """All files that could not be had, as (observation id, photo id, file), by id."""
        return self._files(files.c.status.notin_(HAD), order=(files.c.observation_id, files.c.photo_id))

    def _files(self, *where: Any, order: Sequence[Any] = ()) -> Iterator[tuple[int, int, PhotoFile]]:
        select = self._mine(sa.select(files).where(*where).order_by(*order), files)
        with self.engine.connect() as db:
            for row in db.execution_options(yield_per=1000).execute(select).mappings():
                values = {n: row[n] for n in column_names(PhotoFile)}
                yield row["observation_id"], row["photo_id"], PhotoFile(**values)

    def lacking(self, images: str, sizes: Sequence[str]) -> Iterator[Observation]:
        """Observations of which a wanted file is not had, newest id first, with their photos.

        `images` is `first`, `all` or `none`.
        """
        for start in _chunks(self._lacking_ids(images, sizes), 200):
            yield from self.read_observations(start)

    def count_lacking(self, images: str, sizes: Sequence[str]) -> int:
        """How many wanted files are not had."""
        if images == "none":
            return 0
        with self.engine.connect() as db:
            wanted = db.execute(sa.select(sa.func.count()).select_from(self._wanted(images))).scalar_one()
            had = db.execute(self._had_of_wanted(images, sizes)).scalar_one()
        return int(wanted) * len(sizes) - int(had)

    def _lacking_ids(self, images: str, sizes: Sequence[str]) -> list[int]:
        if images == "none":
            return []
        wanted = self._wanted(images)
        had = self._join_files(wanted, sizes)
        lacking = (
            sa.select(wanted.c.observation_id)
            .select_from(had)
            .group_by(wanted.c.observation_id, wanted.c.id)
            .having(sa.func.count(files.c.size) < len(sizes))
        )
        with self.engine.connect() as db:
            return sorted(set(db.execute(lacking).scalars()), reverse=True)

    def _wanted(self, images: str) -> sa.Subquery:
        select = self._mine(sa.select(photos.c.observation_id, photos.c.id), photos)
        return (select.where(photos.c.position == 0) if images == "first" else select).subquery()

    def _join_files(self, wanted: sa.Subquery, sizes: Sequence[str]) -> sa.Join:
        return wanted.outerjoin(
            files,
            sa.and_(
                files.c.mirror_id == self.mirror_id,
                files.c.observation_id == wanted.c.observation_id,
                files.c.photo_id == wanted.c.id,
                files.c.size.in_(sizes),
                files.c.status.in_(HAD),
            ),
        )

    def _had_of_wanted(self, images: str, sizes: Sequence[str]) -> sa.Select[Any]:
        return sa.select(sa.func.count(files.c.size)).select_from(self._join_files(self._wanted(images), sizes))

    # -- reading -------------------------------------------------------------------------------------------

    def read_observations(self, ids: Sequence[int]) -> list[Observation]:
        """These observations with their photos, newest id first; those not stored are left out."""
        columns = observations.c[tuple(column_names(Observation))]
        select = self._mine(sa.select(*columns).where(observations.c.id.in_(ids)), observations)
        with self.engine.connect() as db:
            found = {row["id"]: Observation(**row) for row in db.execute(select).mappings()}
            mine = self._mine(sa.select(photos).where(photos.c.observation_id.in_(ids)), photos)
            for row in db.execute(mine.order_by(photos.c.position)).mappings():
                values = {n: row[n] for n in column_names(Photo)}
                found[row["observation_id"]].photos.append(Photo(**values))
        return sorted((replace(o, change="unchanged") for o in found.values()), key=lambda o: -o.id)

    def rows(self, columns: Sequence[str], chunk: int = 5000) -> Iterator[Sequence[Any]]:
        """These columns of all observations in chunks, newest first: by the instant of upload, then by id.

        Only one chunk is in memory at a time.
        """
        order = (observations.c.created_instant.desc(), observations.c.id.desc())
        select = self._mine(sa.select(*observations.c[tuple(columns)]).order_by(*order), observations)
        with self.engine.connect() as db:
            yield from db.execution_options(yield_per=chunk).execute(select).mappings().partitions()

    def record(self, observation_id: int) -> bytes | None:
        """The complete API record of an observation as JSON, less what is private."""
        with self.engine.connect() as db:
            select = sa.select(observations.c.record).where(observations.c.id == observation_id)
            packed = db.execute(self._mine(select, observations)).scalar_one_or_none()
        return None if packed is None else schema.unpack(packed)

    def count_observations(self) -> int:
        with self.engine.connect() as db:
            return int(self._scalar(db, sa.func.count(), observations))

    def malformed(self) -> list[tuple[int | None, str]]:
        """Records that could not be read, as (observation id or None, reason)."""
        with self.engine.connect() as db:
            rows = db.execute(self._mine(sa.select(malformed), malformed))
            return [(row.observation_id, row.reason) for row in rows]

    # -- small parts ---------------------------------------------------------------------------------------

    def _mine(self, select: sa.Select[Any], table: sa.Table) -> sa.Select[Any]:
        return select.where(table.c.mirror_id == self.mirror_id)

    def _scalar(self, db: sa.Connection, value: sa.ColumnElement[Any], table: sa.Table) -> Any:
        return db.execute(self._mine(sa.select(value).select_from(table), table)).scalar()

    def _upsert(
        self, db: sa.Connection, table: sa.Table, rows: list[dict[str, Any]], keep: Sequence[str] = ()
    ) -> None:
        if not rows:
            return
        dialect = {"sqlite": sqlite, "postgresql": postgresql}[self.engine.dialect.name]
        insert = dialect.insert(table)
        keys = [c.name for c in table.primary_key]
        new = {c.name: insert.excluded[c.name] for c in table.c if c.name not in {*keys, *keep}}
        db.execute(insert.on_conflict_do_update(index_elements=keys, set_=new), rows)


def _chunks(values: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (values[i : i + size] for i in range(0, len(values), size))


def _shown(query: Mapping[str, Any]) -> str:
    flat = {**query.get("params", {}), **{k: v for k, v in query.items() if k != "params" and v}}
    return " ".join(f"{k}={v}" for k, v in sorted(flat.items()))
