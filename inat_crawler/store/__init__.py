"""The one source of truth of a mirror: what was asked, how far it was read, and all that was got.

SQLite in the output folder by default; any database that SQLAlchemy knows an upsert for by its URL. Every
write is one transaction, so that a process killed at any moment leaves whole pages and whole rows. Nothing
here fetches anything or knows Scrapy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, Self

import sqlalchemy as sa

from inat_crawler.errors import StoreError
from inat_crawler.items import Move, Observation, Page, Standing, Wants, column_names
from inat_crawler.store import schema
from inat_crawler.store.changes import Changes
from inat_crawler.store.database import Database, now
from inat_crawler.store.files import Files
from inat_crawler.store.missing import LISTED, Missing
from inat_crawler.store.moves import Moves
from inat_crawler.store.observations import Observations
from inat_crawler.store.packing import instant
from inat_crawler.store.whole import Whole
from inat_crawler.store.windows import Windows

__all__ = ["LISTED", "Store", "now", "sqlite_in"]


def sqlite_in(folder: Path) -> sa.URL:
    """Address of the store that lies in an output folder, whatever characters its name has."""
    return sa.URL.create("sqlite", database=str(folder / "observations.sqlite"))


class MirrorQuery(Protocol):
    """What a store must know of a query: what tells it from others, its parts as JSON values, and its text."""

    @property
    def key(self) -> str: ...

    def to_dict(self) -> Mapping[str, Any]: ...


class Store:
    """The store of one mirror. Raises StoreError when it holds another query's mirror or a newer schema."""

    def __init__(self, url: str | sa.URL) -> None:
        self.database = Database(url)
        self.windows = Windows(self.database)
        self.observations = Observations(self.database)
        self.files = Files(self.database)
        self.moves = Moves(self.database)
        self.changes = Changes(self.database)
        self.missing = Missing(self.database)
        self.whole = Whole(self.database, self.observations, self.files)

    @classmethod
    def of(cls, url: str | sa.URL, query: MirrorQuery) -> Self:
        """The store at this address, with the mirror of this query taken or begun."""
        store = cls(url)
        store.open_mirror(query)
        return store

    def close(self) -> None:
        self.database.engine.dispose()

    def open_mirror(self, query: MirrorQuery) -> None:
        """Take the mirror of this query, or begin it.

        A store in a folder of its own holds one mirror: another query on it would tear it apart.
        """
        of_key = sa.select(schema.mirrors.c.mirror_id).where(schema.mirrors.c.key == query.key)
        with self.database.writing() as db:
            mirror_id = db.execute(of_key).scalar()
            if mirror_id is None:
                if self.database.holds_one_mirror:
                    self._make_room(db, query)
                parts = json.dumps(dict(query.to_dict()))
                row = {"key": query.key, "query": parts, "text": str(query), "created_at": now()}
                db.execute(sa.insert(schema.mirrors).values(row))
                mirror_id = db.execute(of_key).scalar_one()
        self.database.mirror_id = mirror_id

    def sole_query(self) -> dict[str, Any] | None:
        """What the only mirror of this store asks, as `MirrorQuery.to_dict` gave it; None if there are several."""
        with self.database.engine.connect() as db:
            queries = db.execute(sa.select(schema.mirrors.c.query)).scalars().all()
        return json.loads(queries[0]) if len(queries) == 1 else None

    def _make_room(self, db: sa.Connection, query: MirrorQuery) -> None:
        """A mirror that holds nothing, of a query with a slip in it perhaps, makes room for another."""
        for old in db.execute(sa.select(schema.mirrors)).all():
            self.database.mirror_id = old.mirror_id
            if self.observations.count():
                raise StoreError(
                    f"the output holds the mirror of another query: {old.text}; "
                    f"this one asks for: {query}. Choose another output."
                )
            for table in reversed(schema.metadata.sorted_tables):
                if "mirror_id" in table.c:
                    db.execute(sa.delete(table).where(table.c.mirror_id == old.mirror_id))

    def begin_crawl(self, started_at: str, arguments: Mapping[str, Any]) -> int:
        """Note that a crawl begins; returns its number in this mirror, from 1."""
        with self.database.writing() as db:
            crawl_id = int(self.database.scalar(db, sa.func.max(schema.crawls.c.crawl_id), schema.crawls) or 0) + 1
            row = {"crawl_id": crawl_id, "started_at": started_at, "arguments": json.dumps(dict(arguments))}
            db.execute(sa.insert(schema.crawls).values(mirror_id=self.database.mirror_id, **row))
        return crawl_id

    def last_arguments(self) -> dict[str, Any]:
        """With which arguments the last crawl of this mirror fetched."""
        select = sa.select(schema.crawls.c.arguments).order_by(schema.crawls.c.crawl_id.desc()).limit(1)
        with self.database.engine.connect() as db:
            found = db.execute(self.database.mine(select, schema.crawls)).scalar()
        return json.loads(found) if found else {}

    def finish_crawl(self, crawl_id: int, account: Mapping[str, Any]) -> None:
        """Keep the account of a crawl that has ended."""
        mine = schema.crawls.c.mirror_id == self.database.mirror_id
        with self.database.writing() as db:
            db.execute(
                sa.update(schema.crawls)
                .where(mine, schema.crawls.c.crawl_id == crawl_id)
                .values(finished_at=now(), account=json.dumps(dict(account)))
            )

    def save_page(self, page: Page, moves: Sequence[Move] = ()) -> None:
        """Store a page with all its observations and the window's new cursor, in one transaction.

        `moves` are the files that change their names with it; they are intended now and carried out later.
        Doing a page twice changes nothing. Raises StoreError when it cannot be written; nothing of it is then.
        """
        with self.database.writing() as db:
            self.moves.intend(db, moves)
            self.observations.save(db, page.observations, self.changes, page.private)
            self.missing.forget(db, [o.id for o in page.observations])
            self.missing.note(db, page.malformed)
            self.windows.advance(db, page)
            self._note_times(db, page)
        page.stored = True

    def _note_times(self, db: sa.Connection, page: Page) -> None:
        mine, seen = schema.mirrors.c.mirror_id == self.database.mirror_id, schema.mirrors.c.updated_to
        unset = schema.mirrors.c.synced_at.is_(None)
        db.execute(sa.update(schema.mirrors).where(mine, unset).values(synced_at=page.served_at))
        latest = max((instant(o.updated_at) for o in page.observations), default=0.0)
        if latest:
            text = datetime.fromtimestamp(latest, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            later = sa.or_(seen.is_(None), seen < text)
            db.execute(sa.update(schema.mirrors).where(mine, later).values(updated_to=text))

    def bury(self, gone: Mapping[int, str], moves: Sequence[Move], keep: bool) -> None:
        """Give tombstones to observations, as id -> why they are gone, in one transaction.

        Unless they are to be kept they leave their place, and their files move as `moves` says.
        """
        ids, moment, mirror_id = list(gone), now(), self.database.mirror_id
        rows = [
            {"mirror_id": mirror_id, "observation_id": i, "gone_at": moment, "reason": reason}
            for i, reason in gone.items()
        ]
        with self.database.writing() as db:
            self.database.upsert(db, schema.tombstones, rows)
            self.missing.forget(db, ids)
            self.changes.tell(db, ids)
            self.changes.note(db, {i: ("gone", []) for i in ids}, told=True)
            if not keep:
                self._clear_away(db, ids, moves)

    def clear_away(self, ids: Sequence[int], moves: Sequence[Move]) -> None:
        """Let observations leave their place that are gone and were kept."""
        with self.database.writing() as db:
            self._clear_away(db, ids, moves)

    def _clear_away(self, db: sa.Connection, ids: Sequence[int], moves: Sequence[Move]) -> None:
        self.moves.intend(db, moves)
        self.observations.delete(db, ids)

    def withdraw(self, licenses: Sequence[str]) -> list[Move]:
        """Let go of the files of photos whose license is none of these; returns their moves."""
        moves = self.files.withdrawn(licenses)
        with self.database.writing() as db:
            self.moves.intend(db, moves)
            self.files.forget_forbidden(db, licenses)
        return moves

    def standing(self) -> Standing:
        """How far the mirror is in step with the API."""
        columns = [schema.mirrors.c[name] for name in column_names(Standing)]
        with self.database.engine.connect() as db:
            row = db.execute(self.database.mine(sa.select(*columns), schema.mirrors)).one()
        return Standing(**{**row._mapping, "reconciled": bool(row.reconciled)})

    def note_standing(self, **values: str | int | bool | None) -> None:
        """Change some of the fields of `Standing`."""
        with self.database.writing() as db:
            at = schema.mirrors.c.mirror_id == self.database.mirror_id
            db.execute(sa.update(schema.mirrors).where(at).values(**values))

    def unfinished(self, wants: Wants) -> Iterator[Observation]:
        """Observations of which a wanted file is not had, or that no feed has shown yet; newest id first."""
        untold = self.changes.untold()
        for observation in self._each(sorted({*self.files.lacking(wants), *untold}, reverse=True)):
            observation.change = untold.get(observation.id, "unchanged")
            yield observation

    def damaged(self) -> Iterator[Observation]:
        """Observations of which a file was tried, or had, and is not there; newest id first."""
        return self._each(self.files.tried_in_vain())

    def _each(self, ids: Sequence[int]) -> Iterator[Observation]:
        for start in range(0, len(ids), 200):
            yield from self.observations.read(ids[start : start + 200])
