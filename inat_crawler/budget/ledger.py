"""The ledger of requests and bytes: what was used of the budget, and what is under way, by all processes.

Whoever wants to send something takes a reservation first, in one transaction with the look at what is left: two
processes never both take the last place. It counts from then until one full period after its transfer has ended.
That of a process that was killed ends when nothing has been heard of the process for a few seconds.

No scheduling library counts both requests and bytes, corrects what was reserved, and outlives its processes.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from platformdirs import user_state_path

from inat_crawler.budget import clock, sql
from inat_crawler.budget.forecast import Used
from inat_crawler.budget.limits import DAY, Limit, Limits
from inat_crawler.errors import BudgetError, BusyError

LEASE = 6.0  # seconds after which a process that was not heard of counts as killed
SLOTS = 100  # of a period: an entry counts up to a hundredth of it longer than it must
LONGEST_LOCK = 60.0  # seconds for which another may hold the ledger
# A call never blocks for longer: whoever waits looks now and then whether the crawl is to end.
CONNECT: Mapping[str, dict[str, Any]] = {
    "sqlite": {"timeout": 0.5},
    "postgresql": {
        "connect_timeout": 10,
        "tcp_user_timeout": 10_000,
        "options": "-c lock_timeout=500 -c statement_timeout=10000",
    },
}
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, "55P03")  # what databases call it
SOON = 0.25  # seconds until it is worth looking whether something under way has ended


@dataclass(frozen=True)
class Ask:
    """What somebody wants to send: `amount` as it is expected, `hold` as much as it may turn out to be.

    It needs room for `amount`, and nobody else gets what is held. `interval` is the time between two turns.
    """

    key: str
    host: str
    amount: float
    hold: float
    limits: Sequence[Limit]
    interval: float = 0.0


@dataclass(frozen=True)
class Reservation:
    """A place in the budget; `periods` are those in which it counts once it has ended, in seconds."""

    key: str
    periods: Sequence[float]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


Entry = tuple[float, float, float]  # the period it counts in (0: any), when it ended (inf: under way), its amount
Ended = tuple[Reservation, float]  # a transfer that has ended, and how much it used


@dataclass(frozen=True)
class Wait:
    """There is no place yet: look again in so many seconds.

    `limit` is the one that is used up, `why` what has the host paused; without either it is only not the turn yet.
    """

    seconds: float
    limit: Limit | None = None
    why: str = ""


class Ledger:
    """The ledger as one process writes it. All methods raise BudgetError when it cannot be used."""

    def __init__(self, url: str, patience: float = LONGEST_LOCK) -> None:
        """`patience`: seconds for which it waits for others who hold the ledger just now. Raises BudgetError."""
        self.engine = open_ledger(url, patience)
        self.holder = uuid.uuid4().hex
        self.file = ledger_file(url)
        self.identity = identity(self.file)
        try:
            patiently(self.forget, patience)
        except BudgetError:
            self.engine.dispose()
            raise

    def forget(self) -> None:
        with self.transaction() as (db, now):
            forget(db, now)

    def take(self, ask: Ask, reservation: Reservation, ended: Iterable[Ended] = ()) -> Wait | None:
        """Give back what has ended, and take this reservation if there is a place, else say when to look again."""
        with self.transaction() as (db, now):
            settle(db, ended, now)
            wait = paused(db, ask.host, now) or full(db, ask, now) or not_yet(db, ask, now)
            if wait is not None:
                return wait
            row = {"id": reservation.id, "key": ask.key, "holder": self.holder, "amount": ask.hold}
            db.execute(sql.RESERVE, row)
            if ask.interval:
                db.execute(sql.SET_TURN, {"key": ask.key, "next_at": now + ask.interval})
        return None

    def hold(self, reservation: Reservation, amount: float) -> None:
        """This reservation turns out to be of so much."""
        with self.transaction() as (db, _):
            db.execute(sql.HOLD, {"id": reservation.id, "amount": amount})

    def give_back(self, ended: Iterable[Ended]) -> None:
        """These transfers have ended and used so much."""
        with self.transaction() as (db, now):
            settle(db, ended, now)

    def beat(self) -> None:
        """Let it be known that this process is alive."""
        with self.transaction():
            pass

    def pause(self, host: str, seconds: float, why: str) -> None:
        """Nobody sends anything to this host for so long; `why` in a word."""
        with self.transaction() as (db, now):
            free_at = now + seconds
            if paused(db, host, free_at) is None:
                db.execute(sql.SET_PAUSE, {"host": host, "free_at": free_at, "why": why})

    def pauses(self) -> dict[str, Wait]:
        """For how long hosts are paused, and why."""
        with self.transaction(write=False) as (db, now):
            rows = db.execute(sql.ALL_PAUSES, {"now": now}).all()
        return {host: Wait(free_at - now, why=why) for host, free_at, why in rows}

    def used(self, key: str, limits: Sequence[Limit]) -> list[Used]:
        """What of each limit is used up or under way, and in how many seconds it is free again."""
        with self.transaction(write=False) as (db, now):
            counted = entries(db, key, now)
        return [
            [
                (min(ended_at, now) + limit.seconds - now, amount)
                for ended_at, amount in in_period(counted, limit, now)
            ]
            for limit in limits
        ]

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def transaction(self, write: bool = True) -> Iterator[tuple[sa.Connection, float]]:
        """A transaction that no other overlaps, and the moment of it; one that writes is a sign of life."""
        if identity(self.file) != self.identity:  # else what is counted here would be hidden from all others
            raise BudgetError(f"the budget's ledger was removed or replaced: {self.file}")
        try:
            with self.engine.begin() as db:
                steady = clock.steady()
                now = moment(db, steady)
                if write:
                    db.execute(sql.SET_CLOCK, {"moment": now, "boot": clock.boot(), "steady": steady})
                    db.execute(sql.SEEN, {"holder": self.holder, "now": now})
                yield db, now
        except sa.exc.SQLAlchemyError as error:
            raise trouble("cannot be used", error, self.engine.url) from error


def used_up(url: str, limits: Limits, patience: float = LONGEST_LOCK) -> dict[Limit, Used]:
    """What all processes have used of the limits of late. Raises BudgetError."""
    used: dict[Limit, Used] = {}
    kinds = (limits.requests_key, limits.requests), limits.media_of(limits.api_root)
    limited = [(key, some) for key, some in kinds if some]
    if limited:
        ledger = Ledger(url, patience)
        try:
            for key, some in limited:
                used |= zip(some, ledger.used(key, some), strict=True)
        finally:
            ledger.close()
    return used


def open_ledger(url: str, patience: float) -> sa.Engine:
    """Open the database of a ledger, and make its tables. Raises BudgetError."""
    address = address_of(url)
    # ImportError: no driver is installed; ValueError, TypeError: it does not take what stands after the ?.
    trouble_of_drivers = (sa.exc.SQLAlchemyError, ImportError, OSError, ValueError, TypeError)
    try:
        engine = sa.create_engine(address, connect_args=CONNECT[address.get_backend_name()])
        if engine.dialect.name == "sqlite":
            Path(str(address.database)).parent.mkdir(parents=True, exist_ok=True)
            sa.event.listen(engine, "connect", set_up_sqlite)
        sa.event.listen(engine, "begin", lambda db: db.exec_driver_sql(sql.LOCK[engine.dialect.name]))
    except trouble_of_drivers as error:
        raise trouble("cannot be opened", error, address) from None

    def set_up() -> None:
        try:
            with engine.begin() as db:
                for statement in sql.TABLES:
                    db.execute(statement)
                db.execute(sql.SET_VERSION, {"version": sql.VERSION})
                version = db.execute(sql.GET_VERSION).scalar()
        except trouble_of_drivers as error:
            raise trouble("cannot be opened", error, address) from None
        if version != sql.VERSION:
            raise BudgetError(f"a newer inat_crawler wrote the budget's ledger: {shown(address)}")

    try:
        patiently(set_up, patience)
    except BudgetError:
        engine.dispose()
        raise
    return engine


def patiently(work: Callable[[], None], patience: float) -> None:
    """Do it as soon as others let go of the ledger. Raises BusyError when they do not."""
    until = clock.steady() + patience
    while True:
        try:
            return work()
        except BusyError:
            if clock.steady() >= until:
                raise
            time.sleep(0.1)


def trouble(what: str, error: Exception, address: sa.URL) -> BudgetError:
    """The error for what the database says, in one line."""
    cause = getattr(error, "orig", None) or error.__cause__ or error
    reason = (str(cause).splitlines() or [type(cause).__name__])[0]
    is_busy = getattr(cause, "sqlite_errorcode", None) in BUSY or getattr(cause, "sqlstate", None) in BUSY
    message = f"the budget's ledger {what}: {reason}: {shown(address)} (INAT_BUDGET_URL says where it is)"
    return BusyError(message) if is_busy else BudgetError(message)


def shown(address: sa.URL) -> str:
    """An address without its password; that of a file as its path."""
    is_file = address.get_backend_name() == "sqlite"
    return str(address.database) if is_file else address.render_as_string()


def identity(file: Path | None) -> tuple[int, int] | None:
    """What tells a file from another of its name; None for one that is not there, and for a server."""
    try:
        stat = file.stat() if file else None
    except OSError:
        return None
    return (stat.st_dev, stat.st_ino) if stat else None


def address_of(url: str) -> sa.URL:
    """The address of a ledger; empty: a file that all processes of the user on this machine share.

    Raises BudgetError for what is no database that can hold it.
    """
    if not url:
        return sa.URL.create("sqlite", database=str(user_state_path("inat_crawler") / "budget.sqlite"))
    try:
        address = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise BudgetError("INAT_BUDGET_URL is not the address of a database, as in sqlite:////path/file") from None
    is_elsewhere = address.database in (None, "", ":memory:") or "uri" in address.query
    if address.get_backend_name() not in sql.LOCK or is_elsewhere:
        given = address.render_as_string()  # without its password
        raise BudgetError(f"INAT_BUDGET_URL must be a file of SQLite or a PostgreSQL database, not {given}")
    return address


def ledger_file(url: str) -> Path | None:
    """The file of a ledger in SQLite; None for one on a server. Raises BudgetError."""
    address = address_of(url)
    return Path(str(address.database)) if address.get_backend_name() == "sqlite" else None


def set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy begins the transactions: each takes the lock before it looks
    # WAL and NORMAL: durable against a killed process, quick enough to be asked for each photo.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def moment(db: sa.Connection, steady: float) -> float:
    """Now, by the ledger's clock: the database server's, or one of our own that never runs ahead.

    That of the machine is looked at only when the machine was started anew; it is never gone back.
    """
    if db.dialect.name == "postgresql":
        return float(db.execute(sql.SERVER_CLOCK).scalar_one())
    last = db.execute(sql.CLOCK).one_or_none()
    passed = -1.0 if last is None or last.boot != clock.boot() else steady - last.steady
    if last is not None and passed >= 0:
        return float(last.moment + passed)
    return max(clock.wall(), last.moment if last is not None else 0.0)


def paused(db: sa.Connection, host: str, now: float) -> Wait | None:
    """Is the host paused?"""
    row = db.execute(sql.PAUSE, {"host": host, "now": now}).one_or_none()
    return None if row is None else Wait(row.free_at - now, why=row.why)


def not_yet(db: sa.Connection, ask: Ask, now: float) -> Wait | None:
    """Is it not the turn of the next one yet? A turn can be no further away than the time between two."""
    if not ask.interval:
        return None
    next_at = db.execute(sql.TURN, {"key": ask.key}).scalar()
    if not next_at or next_at <= now:
        return None
    if next_at > now + ask.interval:  # a server's clock was set back, or another process has a slower pace
        next_at = now + ask.interval
        db.execute(sql.SET_TURN, {"key": ask.key, "next_at": next_at})
    return Wait(next_at - now)


def full(db: sa.Connection, ask: Ask, now: float) -> Wait | None:
    """Is one of the limits used up? Then the one that is so for longest.

    What is larger than a whole limit is let through alone.
    """
    counted = entries(db, ask.key, now)
    waits = [no_room(counted, ask.amount, limit, now) for limit in ask.limits]
    return max((wait for wait in waits if wait is not None), key=lambda wait: wait.seconds, default=None)


def no_room(entries: Iterable[Entry], amount: float, limit: Limit, now: float) -> Wait | None:
    """How long until there is room for an amount under a limit; None when there is.

    >>> hour = Limit(10, 3600.0, "bytes", "hour")
    >>> no_room([(3600.0, 100.0, 6.0), (3600.0, 200.0, 4.0)], 3.0, hour, 1000.0).seconds
    2700.0
    >>> no_room([(3600.0, 100.0, 6.0)], 3.0, hour, 1000.0) is None
    True
    """
    counted = in_period(entries, limit, now)
    over = sum(used for _, used in counted) + amount - limit.amount
    if over <= 0 or not counted:
        return None
    freed = accumulate(used for _, used in counted)
    enough = (ended_at for (ended_at, _), sum_ in zip(counted, freed, strict=True) if sum_ >= over)
    ended_at = next(enough, counted[-1][0])
    return Wait(SOON if ended_at == inf else max(SOON, ended_at + limit.seconds - now), limit)


def in_period(entries: Iterable[Entry], limit: Limit, now: float) -> list[tuple[float, float]]:
    """The entries that count for a limit: moment and amount."""
    return [
        (ended_at, amount)
        for period, ended_at, amount in entries
        if period in (0.0, limit.seconds) and ended_at > now - limit.seconds
    ]


def entries(db: sa.Connection, key: str, now: float) -> list[Entry]:
    """What counts, by the moment it ended. The reservation of a killed process has ended with its lease."""
    found = [tuple(row) for row in db.execute(sql.SPENT, {"key": key, "now": now})]
    for seen_at, amount in db.execute(sql.UNDER_WAY, {"key": key}):
        found.append((0.0, inf if seen_at + LEASE > now else seen_at + LEASE, amount))
    return sorted(found, key=lambda each: each[1])


def settle(db: sa.Connection, ended: Iterable[Ended], now: float) -> None:
    """Turn reservations into what was spent. One that the ledger has forgotten counts as well."""
    sums: dict[tuple[str, float], float] = {}
    for reservation, amount in ended:
        db.execute(sql.RELEASE, {"id": reservation.id})
        for seconds in reservation.periods:
            at = reservation.key, seconds
            sums[at] = sums.get(at, 0.0) + amount
    for (key, seconds), amount in sums.items():
        db.execute(sql.DROP_SPENT, {"key": key, "seconds": seconds, "since": now - seconds})
        slot = int(now / seconds * SLOTS)
        db.execute(sql.SPEND, {"key": key, "seconds": seconds, "slot": slot, "amount": amount, "now": now})


def forget(db: sa.Connection, now: float) -> None:
    """Drop what has long ceased to count: of all keys, and of all processes."""
    for statement in sql.FORGET:
        db.execute(statement, {"now": now, "long_ago": now - 2 * DAY})
