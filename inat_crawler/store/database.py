"""A database that holds mirrors: how it is opened, and what the parts of the store share."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from inat_crawler.errors import StoreError
from inat_crawler.store.migrations import migrate
from inat_crawler.store.schema import VERSION, metadata, versions

Row = dict[str, Any]
DIALECTS: dict[str, Any] = {"sqlite": sqlite, "postgresql": postgresql}


def now() -> str:
    """This moment, UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Database:
    """An open database and the mirror in it that is worked on; `read_only`: it is left as it is."""

    def __init__(self, url: str | sa.URL, read_only: bool = False) -> None:
        self.engine = open_to_read(url) if read_only else open_engine(url)
        self.mirror_id = 0

    @property
    def holds_one_mirror(self) -> bool:
        """SQLite lies in one output folder; a database server serves many."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction: all of it is stored, or nothing. Raises StoreError when it cannot be written."""
        try:
            with self.engine.begin() as db:
                yield db
        except sa.exc.SQLAlchemyError as error:
            raise StoreError(f"the store cannot be written: {error.__cause__ or error}") from error

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
        insert = DIALECTS[self.engine.dialect.name].insert(table)
        keys = [c.name for c in table.primary_key]
        new = {c.name: insert.excluded[c.name] for c in table.c if c.name not in {*keys, *keep}}
        db.execute(insert.on_conflict_do_update(index_elements=keys, set_=new), rows)


def open_engine(url: str | sa.URL) -> sa.Engine:
    """Open the database, make its tables where they are not there yet, and bring an older store to this version.

    Raises StoreError when it cannot be opened, holds something else, or a newer version of this program made it.
    """
    try:
        engine = sa.create_engine(url, hide_parameters=True)  # a message of an error would show what is private
    except (sa.exc.ArgumentError, ImportError) as error:  # ImportError: the database's driver is not installed
        raise StoreError(f"the store's address cannot be used: {error}") from None
    if engine.dialect.name not in DIALECTS or engine.url.database in (None, "", ":memory:"):
        raise StoreError(f"the store must be a file of SQLite or a PostgreSQL database, not {engine.url}")
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _set_up_sqlite)
    try:
        with engine.begin() as db:
            version = _version(db)
            metadata.create_all(db)
            migrate(db, version)
            for table in metadata.tables.values():
                db.execute(sa.select(table).limit(0))  # fails where another program's table has the name
    except sa.exc.SQLAlchemyError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise StoreError(f"the store cannot be opened: {reason}: {engine.url}") from None
    return engine


def open_to_read(url: str | sa.URL) -> sa.Engine:
    """Open a database that is to stay as it is, while another process writes it perhaps. It may not be there."""
    engine = sa.create_engine(url)
    if engine.dialect.name != "sqlite":
        return engine
    path = Path(str(engine.url.database)).absolute()
    # While nobody has it open there are no such files beside it, and SQLite would make them in order to read.
    is_open = all(path.with_name(path.name + suffix).exists() for suffix in ("-wal", "-shm"))
    uri = f"{path.as_uri()}?mode=ro" + ("" if is_open else "&immutable=1")
    return sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=sa.NullPool)


def _set_up_sqlite(connection: Any, _: Any) -> None:
    # WAL lets outputs read while a crawl writes; NORMAL is durable against a killed process, and after a
    # power cut the last transactions may be undone, but none is torn.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _version(db: sa.Connection) -> int:
    """Version of the schema; a database without one gets the current one."""
    if not sa.inspect(db).has_table(versions.name):
        versions.create(db)
        db.execute(sa.insert(versions).values(version=VERSION))
    version = db.execute(sa.select(sa.cast(versions.c.version, sa.Text))).scalar()
    if not str(version).isdigit() or int(str(version)) > VERSION:
        raise StoreError(
            f"the store was written by a newer inat_crawler (its schema is {version}, this one knows {VERSION})"
        )
    return int(str(version))
