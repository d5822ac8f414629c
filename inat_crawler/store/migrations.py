"""What makes an older store one of this version: a step per version; cut short, it can be begun again.

SQLite commits changes of a schema at once, so a step adds first, then moves rows and drops in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from inat_crawler.items import Observation, private_names
from inat_crawler.store import schema


def migrate(db: sa.Connection, version: int) -> None:
    """Bring a store of this version to the current one."""
    for step in range(version, schema.VERSION):
        MIGRATIONS[step](db)
        db.execute(sa.update(schema.versions).values(version=step + 1))


def _to_2(db: sa.Connection) -> None:
    """Sync: what a mirror knows of the API's clock, moves, changes, tombstones; what is missing by id."""
    _add_columns(db, schema.mirrors, ("synced_at", "updated_to", "audited_at", "asked", "reconciled"))
    _add_columns(db, schema.windows, ("updated_since", "begun_at"))
    # The clock of the API was not kept then; the first crawl began before anything was read.
    of_mirror = schema.crawls.c.mirror_id == schema.mirrors.c.mirror_id
    first_crawl = sa.select(sa.func.min(schema.crawls.c.started_at)).where(of_mirror).scalar_subquery()
    unset = schema.mirrors.c.synced_at.is_(None)
    db.execute(sa.update(schema.mirrors).where(unset).values(synced_at=first_crawl))
    if _has(db, "untold"):
        _run(
            db,
            "INSERT INTO changes (mirror_id, observation_id, time, change, fields, told) "
            "SELECT u.mirror_id, u.observation_id, o.changed_at, u.change, '', :no FROM untold u "
            "JOIN observations o ON o.mirror_id = u.mirror_id AND o.id = u.observation_id",
            no=False,
        )
        _run(db, "DROP TABLE untold")
    if _has(db, "malformed"):
        _run(
            db,
            "INSERT INTO missing (mirror_id, observation_id, reason) "
            "SELECT mirror_id, observation_id, max(reason) FROM malformed "
            "WHERE observation_id IS NOT NULL GROUP BY mirror_id, observation_id",
        )
        _run(db, "DROP TABLE malformed")
    _run(
        db,
        "INSERT INTO moves (mirror_id, observation_id, photo_id, size, path, target, set_out) "
        "SELECT mirror_id, observation_id, photo_id, size, path, NULL, :no FROM files "
        "WHERE status = 'dropped' AND path IS NOT NULL",
        no=False,
    )
    _run(db, "DELETE FROM files WHERE status = 'dropped'")


def _to_3(db: sa.Connection) -> None:
    """Private coordinates, and from which id on they were asked for."""
    _add_columns(db, schema.mirrors, ("private_from",))
    _add_columns(db, schema.observations, tuple(private_names(Observation)))


def _to_4(db: sa.Connection) -> None:
    """Files on their way to another folder than `gone`."""
    _add_columns(db, schema.moves, ("aside",))
    db.execute(sa.update(schema.moves).where(schema.moves.c.aside.is_(None)).values(aside="gone"))


MIGRATIONS: dict[int, Callable[[sa.Connection], None]] = {1: _to_2, 2: _to_3, 3: _to_4}


def _add_columns(db: sa.Connection, table: sa.Table, names: tuple[str, ...]) -> None:
    there = {column["name"] for column in sa.inspect(db).get_columns(table.name)}
    for name in names:
        if name not in there:
            kind = table.c[name].type.compile(db.dialect)
            _run(db, f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}")


def _has(db: sa.Connection, table: str) -> bool:
    return sa.inspect(db).has_table(table)


def _run(db: sa.Connection, sql: str, **values: object) -> None:
    db.execute(sa.text(sql), values)
