"""Files on their way to another name: intended, set out, done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields

import sqlalchemy as sa

from inat_crawler.items import Move
from inat_crawler.store.database import Database
from inat_crawler.store.schema import files, moves


class Moves:
    """The moves of one mirror that are not done yet."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def pending(self) -> list[Move]:
        columns = [moves.c[field.name] for field in fields(Move)]
        with self.database.engine.connect() as db:
            return [Move(*row) for row in db.execute(self.database.mine(sa.select(*columns), moves))]

    def intend(self, db: sa.Connection, intended: Iterable[Move]) -> None:
        """Note moves in a transaction: from now on each file has its new name, or is none of the mirror's."""
        mirror_id = self.database.mirror_id
        rows = [{"mirror_id": mirror_id, **asdict(move)} for move in intended]
        for row in rows:
            at = [files.c[name] == row[name] for name in ("mirror_id", "observation_id", "photo_id", "size")]
            if row["target"] is None:
                db.execute(sa.delete(files).where(*at))
            else:
                db.execute(sa.update(files).where(*at).values(path=row["target"]))
        self.database.upsert(db, moves, rows)

    def all_set_out(self) -> None:
        """Every file has left its old name."""
        with self.database.writing() as db:
            mine = moves.c.mirror_id == self.database.mirror_id
            db.execute(sa.update(moves).where(mine).values(set_out=True))

    def done(self) -> None:
        """Every file has arrived."""
        with self.database.writing() as db:
            db.execute(sa.delete(moves).where(moves.c.mirror_id == self.database.mirror_id))
