"""A database that holds mirrors: how it is opened, and what the parts of the store share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from inat_crawler.errors import StoreError
from inat_crawler.store.schema import VERSION, metadata, versions

Row = dict[str, Any]


class Database:
    """An open database and the mirror in it that is worked on."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self.mirror_id = 0

    @property
    def holds_one_mirror(self) -> bool:
        """SQLite lies in one output folder; a database server serves many."""
        return self.engine.dialect.name == "sqlite"

    def mine(self, select: sa.Select[Any], table: sa.Table) -> sa.Select[Any]:
        """The selection narrowed to this mirror."""
        return select.where(table.c.mirror_id == self.mirror_id)

    def scalar(self, db: sa.Connection, value: sa.ColumnElement[Any], table: sa.Table) -> Any:
        """One value of this mirror's rows in a table."""
        return db.execute(self.mine(sa.select(value).select_from(table), table)).scalar()

    def upsert(self, db: sa.Connection, table: sa.Table, rows: list[Row], keep: Sequence[str] = ()) -> None:
        """Insert rows; those whose key is there already are replaced, but for the columns in `keep`."""
        if not rows:
            return
        dialect = {"sqlite": sqlite, "postgresql": postgresql}[self.engine.dialect.name]
        insert = dialect.insert(table)
        keys = [c.name for c in table.primary_key]
        new = {c.name: insert.excluded[c.name] for c in table.c if c.name not in {*keys, *keep}}
        db.execute(insert.on_conflict_do_update(index_elements=keys, set_=new), rows)


def open_engine(url: str) -> sa.Engine:
    """Open the database and make its tables where they are not there yet.

    Raises StoreError when it cannot be opened, or a newer version of this program made it.
    """
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _set_up_sqlite)
    try:
        with engine.begin() as db:
            metadata.create_all(db)
            _check_version(db)
    except (sa.exc.OperationalError, sa.exc.DatabaseError) as error:
        raise StoreError(f"the store cannot be opened: {error.orig}: {engine.url.render_as_string()}") from None
    return engine


def _set_up_sqlite(connection: Any, _: Any) -> None:
    # WAL lets outputs read while a crawl writes; NORMAL is durable against a killed process, and after a
    # power cut the last transactions may be undone, but none is torn.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=60000"):
        connection.execute(f"PRAGMA {pragma}")


def _check_version(db: sa.Connection) -> None:
    version = db.execute(sa.select(versions.c.version)).scalar()
    if version is None:
        db.execute(sa.insert(versions).values(version=VERSION))
    elif version > VERSION:
        raise StoreError(
            f"the store was written by a newer inat_crawler (its schema is {version}, this one knows {VERSION})"
        )
