"""What a mirror holds already, for forecasts. Nothing is written, not even where a store might lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import sqlalchemy as sa

from inat_crawler.items import Wants
from inat_crawler.store.database import Database
from inat_crawler.store.files import Files
from inat_crawler.store.observations import Observations
from inat_crawler.store.schema import VERSION, mirrors, versions
from inat_crawler.store.windows import Windows

Sums = Mapping[str, tuple[int, int]]  # size -> files, their bytes


@dataclass(frozen=True)
class Holdings:
    """What is had. `begun`: something was read; `unread`: how many were known to be there and not read yet.

    `photos` are the wanted ones of what is stored; `had` are their files, `all_files` those of any kind. `trouble`
    tells why nothing is counted as had although there is a store.
    """

    observations: int = 0
    begun: bool = False
    finished: bool = False
    unread: int = 0
    audited_at: str | None = None
    photos: int = 0
    had: Sums = field(default_factory=dict)
    all_files: Sums = field(default_factory=dict)
    trouble: str = ""


def look_into(url: str | sa.URL, key: str, wants: Wants) -> Holdings:
    """What the store at this address holds of the query with this key; it need not be there."""
    try:
        if not _is_there(sa.make_url(url)):
            return Holdings()
        database = Database(url, read_only=True)
        try:
            return _of_key(database, key, wants)
        finally:
            database.engine.dispose()
    except (sa.exc.SQLAlchemyError, ImportError) as error:  # ImportError: the database's driver is not installed
        return _unreadable(error)


def count_holdings(database: Database, wants: Wants) -> Holdings:
    """What the mirror holds that is worked on."""
    try:
        return _count(database, wants)
    except sa.exc.SQLAlchemyError as error:
        return _unreadable(error)


def _unreadable(error: Exception) -> Holdings:
    reason = str(error.__cause__ or error).splitlines()[0]
    return Holdings(trouble=f"its store cannot be read: {reason}")


def _count(database: Database, wants: Wants) -> Holdings:
    files, windows = Files(database), Windows(database)
    times = database.mine(sa.select(mirrors.c.synced_at, mirrors.c.audited_at), mirrors)
    with database.engine.connect() as db:
        synced_at, audited_at = db.execute(times).one()
    return Holdings(
        observations=Observations(database).count(),
        begun=synced_at is not None,
        finished=windows.finished(),
        unread=windows.unread(),
        audited_at=audited_at,
        photos=files.count_wanted(replace(wants, sizes=("any",))),
        had=files.had_by_size(wants),
        all_files=files.all_by_size(),
    )


def _of_key(database: Database, key: str, wants: Wants) -> Holdings:
    with database.engine.connect() as db:
        version = db.execute(sa.select(versions.c.version)).scalar()
        if version != VERSION:
            age = "a newer" if isinstance(version, int) and version > VERSION else "an older"
            return Holdings(trouble=f"{age} version of this program wrote its store")
        found = {row.key: row for row in db.execute(sa.select(mirrors)).all()}
    others = [row for row in found.values() if row.key != key]
    if key not in found and others and database.holds_one_mirror:
        return _of_another(database, others[0].mirror_id, str(others[0].text))
    if key not in found:
        return Holdings()
    database.mirror_id = found[key].mirror_id
    return _count(database, wants)


def _of_another(database: Database, mirror_id: int, text: str) -> Holdings:
    """One that holds nothing makes room; else a crawl would be refused."""
    database.mirror_id = mirror_id
    if not Observations(database).count():
        return Holdings()
    return Holdings(trouble=f"it holds the mirror of another query ({text}): choose another output")


def _is_there(url: sa.URL) -> bool:
    return url.get_backend_name() != "sqlite" or Path(str(url.database)).exists()
