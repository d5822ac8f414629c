"""The tables of the store, made from the columns that `items` declares.

Every key begins with `mirror_id`: SQLite holds one mirror, one PostgreSQL holds many.
"""

from __future__ import annotations

from typing import Any, get_type_hints

import sqlalchemy as sa

from inat_crawler.items import Observation, Photo, PhotoFile, Standing, Window, column_names

VERSION = 4  # `migrations` brings older stores here
metadata = sa.MetaData()
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


versions = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))
mirrors = sa.Table(
    "mirrors",
    metadata,
    sa.Column("mirror_id", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, unique=True, nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    *_columns(Standing),
)
crawls = sa.Table(
    "crawls",
    metadata,
    _key("mirror_id"),
    _key("crawl_id"),
    sa.Column("started_at", sa.Text, nullable=False),
    sa.Column("finished_at", sa.Text),
    sa.Column("arguments", sa.Text, nullable=False),
    sa.Column("account", sa.Text),
)
windows = sa.Table("windows", metadata, _key("mirror_id"), *_columns(Window, window_id=True))
observations = sa.Table(
    "observations",
    metadata,
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
photos = sa.Table("photos", metadata, _key("mirror_id"), _key("observation_id"), *_columns(Photo, id=True))
files = sa.Table(
    "files",
    metadata,
    _key("mirror_id"),
    _key("observation_id"),
    _key("photo_id"),
    *_columns(PhotoFile, size=True),
)
# Is this file one of this photo?
FILE_OF_PHOTO = (
    photos.c.mirror_id == files.c.mirror_id,
    photos.c.observation_id == files.c.observation_id,
    photos.c.id == files.c.photo_id,
)
# License of a photo as it is compared; empty for none.
LICENSE = sa.func.lower(sa.func.coalesce(photos.c.license_code, ""))
sa.Index("same_photo", files.c.mirror_id, files.c.photo_id, files.c.size)
# Files on their way to another name: noted before they are renamed, forgotten after.
moves = sa.Table(
    "moves",
    metadata,
    _key("mirror_id"),
    _key("observation_id"),
    _key("photo_id"),
    sa.Column("size", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("target", sa.Text),
    sa.Column("set_out", sa.Boolean, nullable=False),
    sa.Column("aside", sa.Text, nullable=False, server_default="gone"),
)
# The running log of what became new, changed or gone. `told`: a feed has shown it, or need not.
changes = sa.Table(
    "changes",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("mirror_id", sa.BigInteger, nullable=False),
    sa.Column("observation_id", sa.BigInteger, nullable=False),
    sa.Column("time", sa.Text, nullable=False),
    sa.Column("change", sa.Text, nullable=False),
    sa.Column("fields", sa.Text, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False),
)
sa.Index("not_told_yet", changes.c.mirror_id, changes.c.told, changes.c.observation_id)
# Observations that are there no more, or no longer match the query.
tombstones = sa.Table(
    "tombstones",
    metadata,
    _key("mirror_id"),
    _key("observation_id"),
    sa.Column("gone_at", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
# Observations that the mirror should hold and does not; negative ids are records that have none.
missing = sa.Table(
    "missing",
    metadata,
    _key("mirror_id"),
    _key("observation_id"),
    sa.Column("reason", sa.Text, nullable=False),
)
