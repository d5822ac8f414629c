"""The tables of the store, made from the columns that `items` declares, and how an engine for them is opened.

Every key begins with `mirror_id`: SQLite holds one mirror, one PostgreSQL holds many.
"""

from __future__ import annotations

import hashlib
import sys
from datetime import datetime
from typing import Any, get_type_hints

import sqlalchemy as sa

from inat_crawler.errors import StoreError
from inat_crawler.items import Observation, Photo, PhotoFile, Window, column_names

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

VERSION = 1
_metadata = sa.MetaData()
_TYPES: dict[type, type[sa.types.TypeEngine[Any]]] = {int: sa.BigInteger, bool: sa.Boolean}


def _columns(item_class: type, **key: bool) -> list[sa.Column[Any]]:
    """Columns of an item class, in its order; those named in `key` belong to the primary key."""
    hints = get_type_hints(item_class)
    return [
        sa.Column(name, _column_type(hints[name]), primary_key=key.get(name, False))
        for name in column_names(item_class)
    ]


def _column_type(hint: Any) -> type[sa.types.TypeEngine[Any]]:
    kinds = set(getattr(hint, "__args__", (hint,)))
    return next((sql for kind, sql in _TYPES.items() if kind in kinds), sa.Text)


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, primary_key=True)


versions = sa.Table("schema_version", _metadata, sa.Column("version", sa.Integer, primary_key=True))
mirrors = sa.Table(
    "mirrors",
    _metadata,
    sa.Column("mirror_id", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, unique=True, nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
)
crawls = sa.Table(
    "crawls",
    _metadata,
    _key("mirror_id"),
    _key("crawl_id"),
    sa.Column("started_at", sa.Text, nullable=False),
    sa.Column("finished_at", sa.Text),
    sa.Column("arguments", sa.Text, nullable=False),
    sa.Column("account", sa.Text),
)
windows = sa.Table("windows", _metadata, _key("mirror_id"), *_columns(Window, window_id=True))
observations = sa.Table(
    "observations",
    _metadata,
    _key("mirror_id"),
    *_columns(Observation, id=True),
    # Text of created_at cannot be sorted: real ones carry different offsets.
    sa.Column("created_instant", sa.Float, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("record_digest", sa.Text, nullable=False),
    sa.Column("stored_at", sa.Text, nullable=False),
    sa.Column("changed_at", sa.Text, nullable=False),
    sa.Column("record", sa.LargeBinary, nullable=False),
)
sa.Index("newest_first", observations.c.mirror_id, observations.c.created_instant, observations.c.id)
photos = sa.Table("photos", _metadata, _key("mirror_id"), _key("observation_id"), *_columns(Photo, id=True))
files = sa.Table(
    "files",
    _metadata,
    _key("mirror_id"),
    _key("observation_id"),
    _key("photo_id"),
    *_columns(PhotoFile, size=True),
)
sa.Index("same_photo", files.c.mirror_id, files.c.photo_id, files.c.size)
malformed = sa.Table(
    "malformed",
    _metadata,
    _key("mirror_id"),
    _key("window_id"),
    _key("page_begin"),
    _key("number"),
    sa.Column("observation_id", sa.BigInteger),
    sa.Column("reason", sa.Text, nullable=False),
)


def open_engine(url: str) -> sa.Engine:
    """Open the database and make its tables where they are not there yet.

    Raises StoreError when it cannot be opened, or a newer version of this program made it.
    """
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _set_up_sqlite)
    try:
        with engine.begin() as db:
            _metadata.create_all(db)
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


_compressor = zstd.ZstdCompressor(level=3)


def derived_columns(observation: Observation) -> dict[str, Any]:
    """Columns that are made from an observation: when it was created as an instant, and its packed record."""
    assert observation.record is not None
    return {
        "created_instant": instant(observation.created_at),
        "record": _compressor.compress(observation.record, mode=zstd.ZstdCompressor.FLUSH_FRAME),
        "record_digest": record_digest(observation),
    }


def record_digest(observation: Observation) -> str:
    """Digest of the complete record."""
    return hashlib.blake2b(observation.record or b"", digest_size=16).hexdigest()


def unpack(packed: bytes) -> bytes:
    """The complete record as JSON."""
    return zstd.decompress(packed)


def instant(time: str | None) -> float:
    """Seconds since 1970 of an ISO 8601 time with offset; 0 for none or one that cannot be read.

    >>> instant("2020-11-08T13:20:57-08:00") - instant("2020-11-08T13:20:57+00:00")
    28800.0
    """
    try:
        return datetime.fromisoformat(time or "").timestamp()
    except ValueError:
        return 0.0
