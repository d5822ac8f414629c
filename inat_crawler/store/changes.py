"""The running log of a mirror: what became new, changed or gone, when, and whether a feed has shown it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import sqlalchemy as sa

from inat_crawler.items import Change
from inat_crawler.store.database import Database, now
from inat_crawler.store.schema import changes


class Changes:
    """The changes of one mirror, in the order in which they were stored."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def note(self, db: sa.Connection, noted: Mapping[int, tuple[str, Sequence[str]]], told: bool = False) -> None:
        """Note changes as observation id -> (new, changed or gone; the fields that changed)."""
        moment = now()
        rows = [
            {
                "mirror_id": self.database.mirror_id,
                "observation_id": observation_id,
                "time": moment,
                "change": change,
                "fields": ",".join(fields),
                "told": told,
            }
            for observation_id, (change, fields) in noted.items()
        ]
        if rows:
            db.execute(sa.insert(changes), rows)

    def log(self, chunk: int = 5000) -> Iterator[Sequence[sa.RowMapping]]:
        """All changes in chunks: time (UTC, ISO 8601), observation_id, change, fields."""
        columns = (changes.c.time, changes.c.observation_id, changes.c.change, changes.c.fields)
        select = self.database.mine(sa.select(*columns).order_by(changes.c.number), changes)
        with self.database.engine.connect() as db:
            yield from db.execution_options(yield_per=chunk).execute(select).mappings().partitions()

    def since(self, moment: str, most: int) -> dict[str, tuple[int, list[int]]]:
        """What became new, changed or gone from this moment on (UTC, ISO 8601).

        As change -> (how many observations, the latest of their ids, at most `most`).
        """
        later, latest = changes.c.time >= moment, sa.func.max(changes.c.number).desc()
        of_each = sa.select(changes.c.change, sa.func.count(changes.c.observation_id.distinct()))
        ids = sa.select(changes.c.observation_id).where(later).group_by(changes.c.observation_id)
        with self.database.engine.connect() as db:
            counts = db.execute(self.database.mine(of_each.where(later).group_by(changes.c.change), changes))
            found: dict[str, tuple[int, list[int]]] = {}
            for change, count in counts.all():
                select = self.database.mine(ids.where(changes.c.change == change), changes)
                found[change] = count, list(db.execute(select.order_by(latest).limit(most)).scalars())
            return found

    def any_before(self, moment: str) -> bool:
        """Was anything noted before this moment?"""
        select = sa.select(changes.c.number).where(changes.c.time < moment).limit(1)
        with self.database.engine.connect() as db:
            return db.execute(self.database.mine(select, changes)).scalar() is not None

    def untold(self) -> dict[int, Change]:
        """Change of each observation that is new or changed and that no feed has shown yet."""
        select = sa.select(changes.c.observation_id, changes.c.change).where(~changes.c.told)
        with self.database.engine.connect() as db:
            rows = db.execute(self.database.mine(select.order_by(changes.c.number), changes))
            untold: dict[int, Change] = {}
            for observation_id, change in rows:
                # New, and edited before a feed could show it: still new to the reader of feeds.
                untold.setdefault(observation_id, cast(Change, change))
            return untold

    def told(self, ids: Sequence[int]) -> None:
        """Note that a feed has shown these observations."""
        with self.database.writing() as db:
            self.tell(db, ids)

    def tell(self, db: sa.Connection, ids: Sequence[int]) -> None:
        """The same in a transaction, for observations that no feed will show any more."""
        mine = (changes.c.mirror_id == self.database.mirror_id, ~changes.c.told)
        db.execute(sa.update(changes).where(*mine, changes.c.observation_id.in_(ids)).values(told=True))
