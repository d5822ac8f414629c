"""Observations that the mirror should hold and does not, and why: unreadable, or listed and not served yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zlib import crc32

import sqlalchemy as sa

from inat_crawler.store.database import Database
from inat_crawler.store.schema import missing

LISTED = "listed by the API, not fetched yet"


class Missing:
    """What one mirror misses. A record without an id stands under a negative one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def all(self) -> list[tuple[int, str]]:
        """As (observation id, reason), by id."""
        select = sa.select(missing.c.observation_id, missing.c.reason).order_by(missing.c.observation_id)
        with self.database.engine.connect() as db:
            return [(row[0], row[1]) for row in db.execute(self.database.mine(select, missing))]

    def ids(self) -> list[int]:
        """Those that have an id, newest first."""
        return sorted((i for i, _ in self.all() if i > 0), reverse=True)

    def note_listed(self, ids: Iterable[int]) -> None:
        """Note observations that the API lists and that are not stored."""
        with self.database.writing() as db:
            self.note(db, [(i, LISTED) for i in ids])

    def note(self, db: sa.Connection, noted: Sequence[tuple[int | None, str]]) -> None:
        """Note observations in a transaction, as (id or None, reason)."""
        rows = {i or -crc32(reason.encode()): reason for i, reason in noted}
        mirror_id = self.database.mirror_id
        values = [{"mirror_id": mirror_id, "observation_id": i, "reason": reason} for i, reason in rows.items()]
        self.database.upsert(db, missing, values)

    def forget(self, db: sa.Connection, ids: Sequence[int]) -> None:
        """They are stored now, or there no more."""
        if ids:
            mine = missing.c.mirror_id == self.database.mirror_id
            db.execute(sa.delete(missing).where(mine, missing.c.observation_id.in_(ids)))

    def vanished(self, ids: Sequence[int]) -> None:
        """Asked for by their ids, they were not there."""
        with self.database.writing() as db:
            self.forget(db, ids)

    def forget_nameless(self) -> None:
        """An audit lists anew what has no id."""
        with self.database.writing() as db:
            mine = missing.c.mirror_id == self.database.mirror_id
            db.execute(sa.delete(missing).where(mine, missing.c.observation_id < 0))
