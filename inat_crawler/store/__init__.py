"""The one source of truth of a mirror: what was asked, how far it was read, and all that was got.

SQLite in the output folder by default; any database that SQLAlchemy knows an upsert for by its URL. Every
write is one transaction, so that a process killed at any moment leaves whole pages and whole rows. Nothing
here fetches anything or knows Scrapy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import sqlalchemy as sa

from inat_crawler.errors import StoreError
from inat_crawler.items import Observation, Page
from inat_crawler.store import schema
from inat_crawler.store.database import HAD, Database
from inat_crawler.store.files import Files
from inat_crawler.store.observations import Observations, now
from inat_crawler.store.windows import Windows

__all__ = ["HAD", "Store", "now", "sqlite_in"]


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

    def _make_room(self, db: sa.Connection, query: MirrorQuery) -> None:
        """A mirror that holds nothing, of a query with a slip in it perhaps, makes room for another."""
        for old in db.execute(sa.select(schema.mirrors)).all():
            self.database.mirror_id = old.mirror_id
            if self.observations.count():
                raise StoreError(
                    f"the output holds the mirror of another query: {old.text}; "
                    f"this one asks for: {query}. Choose another output."
                )
            for table in (schema.windows, schema.malformed, schema.untold, schema.crawls, schema.mirrors):
                db.execute(sa.delete(table).where(table.c.mirror_id == old.mirror_id))

    def begin_crawl(self, started_at: str, arguments: Mapping[str, Any]) -> int:
        """Note that a crawl begins; returns its number in this mirror, from 1."""
        with self.database.writing() as db:
            crawl_id = int(self.database.scalar(db, sa.func.max(schema.crawls.c.crawl_id), schema.crawls) or 0) + 1
            row = {"crawl_id": crawl_id, "started_at": started_at, "arguments": json.dumps(dict(arguments))}
            db.execute(sa.insert(schema.crawls).values(mirror_id=self.database.mirror_id, **row))
        return crawl_id

    def finish_crawl(self, crawl_id: int, account: Mapping[str, Any]) -> None:
        """Keep the account of a crawl that has ended."""
        mine = schema.crawls.c.mirror_id == self.database.mirror_id
        with self.database.writing() as db:
            db.execute(
                sa.update(schema.crawls)
                .where(mine, schema.crawls.c.crawl_id == crawl_id)
                .values(finished_at=now(), account=json.dumps(dict(account)))
            )

    def save_page(self, page: Page) -> None:
        """Store a page with all its observations and the window's new cursor, in one transaction.

        Doing a page twice changes nothing. Raises StoreError when it cannot be written; nothing of it is then.
        """
        with self.database.writing() as db:
            self.observations.save(db, page.observations)
            self.windows.advance(db, page)
        page.stored = True

    def unfinished(self, images: str, sizes: Sequence[str]) -> Iterator[Observation]:
        """Observations of which a wanted file is not had, or that no feed has shown yet; newest id first."""
        untold = self.observations.untold()
        ids = sorted({*self.files.lacking(images, sizes), *untold}, reverse=True)
        for start in range(0, len(ids), 200):
            for observation in self.observations.read(ids[start : start + 200]):
                observation.change = untold.get(observation.id, "unchanged")
                yield observation
