"""The tables of the ledger and what is done with them, as text that SQLite and PostgreSQL read alike.

Statements made anew each time would take longer than carrying them out. Moments are seconds since 1970 by the
ledger's clock, amounts are requests or bytes.
"""

import sqlalchemy as sa

# How a transaction begins, so that none looks before the one before it has written.
LOCK = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SELECT pg_advisory_xact_lock(7042916735)",  # any number that no other program takes
}

VERSION = 1  # of the tables

TABLES = [
    sa.text(f"CREATE TABLE IF NOT EXISTS {table}")
    for table in (
        "budget_version (id INTEGER PRIMARY KEY, version INTEGER)",
        # One row: the moment of the last entry, and what `clock.steady` showed then. PostgreSQL has its own clock.
        "budget_clock (id INTEGER PRIMARY KEY, moment DOUBLE PRECISION, boot TEXT, steady DOUBLE PRECISION)",
        # The processes: one that has not been heard of for a while was killed.
        "budget_holders (holder TEXT PRIMARY KEY, seen_at DOUBLE PRECISION)",
        # What is under way.
        "budget_reservations (id TEXT PRIMARY KEY, key TEXT, holder TEXT, amount DOUBLE PRECISION)",
        # What has ended, summed up by parts of each period; `ended_at` is when the last of a part ended.
        "budget_spent (key TEXT, seconds DOUBLE PRECISION, slot BIGINT, amount DOUBLE PRECISION, "
        "ended_at DOUBLE PRECISION, PRIMARY KEY (key, seconds, slot))",
        # When the next request of an evenly paced key may be sent.
        "budget_turns (key TEXT PRIMARY KEY, next_at DOUBLE PRECISION)",
        # Hosts that asked to be left alone.
        "budget_pauses (host TEXT PRIMARY KEY, free_at DOUBLE PRECISION, why TEXT)",
    )
]
SET_VERSION = sa.text("INSERT INTO budget_version (id, version) VALUES (1, :version) ON CONFLICT (id) DO NOTHING")
GET_VERSION = sa.text("SELECT version FROM budget_version")
SERVER_CLOCK = sa.text("SELECT extract(epoch FROM clock_timestamp())")
CLOCK = sa.text("SELECT moment, boot, steady FROM budget_clock")
SET_CLOCK = sa.text(
    "INSERT INTO budget_clock (id, moment, boot, steady) VALUES (1, :moment, :boot, :steady) "
    "ON CONFLICT (id) DO UPDATE SET moment = excluded.moment, boot = excluded.boot, steady = excluded.steady"
)
SEEN = sa.text(
    "INSERT INTO budget_holders (holder, seen_at) VALUES (:holder, :now) "
    "ON CONFLICT (holder) DO UPDATE SET seen_at = excluded.seen_at"
)
RESERVE = sa.text("INSERT INTO budget_reservations (id, key, holder, amount) VALUES (:id, :key, :holder, :amount)")
HOLD = sa.text("UPDATE budget_reservations SET amount = :amount WHERE id = :id")
RELEASE = sa.text("DELETE FROM budget_reservations WHERE id = :id")
UNDER_WAY = sa.text(
    "SELECT seen_at, amount FROM budget_reservations JOIN budget_holders USING (holder) WHERE key = :key"
)
SPENT = sa.text(
    "SELECT seconds, ended_at, amount FROM budget_spent WHERE key = :key AND ended_at > :now - seconds"
)
SPEND = sa.text(
    "INSERT INTO budget_spent (key, seconds, slot, amount, ended_at) "
    "VALUES (:key, :seconds, :slot, :amount, :now) "
    "ON CONFLICT (key, seconds, slot) "
    "DO UPDATE SET amount = budget_spent.amount + excluded.amount, ended_at = excluded.ended_at"
)
DROP_SPENT = sa.text("DELETE FROM budget_spent WHERE key = :key AND seconds = :seconds AND ended_at <= :since")
TURN = sa.text("SELECT next_at FROM budget_turns WHERE key = :key")
SET_TURN = sa.text(
    "INSERT INTO budget_turns (key, next_at) VALUES (:key, :next_at) "
    "ON CONFLICT (key) DO UPDATE SET next_at = excluded.next_at"
)
PAUSE = sa.text("SELECT free_at, why FROM budget_pauses WHERE host = :host AND free_at > :now")
ALL_PAUSES = sa.text("SELECT host, free_at, why FROM budget_pauses WHERE free_at > :now")
SET_PAUSE = sa.text(
    "INSERT INTO budget_pauses (host, free_at, why) VALUES (:host, :free_at, :why) "
    "ON CONFLICT (host) DO UPDATE SET free_at = excluded.free_at, why = excluded.why"
)
FORGET = [
    sa.text(statement)
    for statement in (
        "DELETE FROM budget_spent WHERE ended_at <= :now - seconds",
        "DELETE FROM budget_pauses WHERE free_at <= :now",
        "DELETE FROM budget_reservations "
        "WHERE holder IN (SELECT holder FROM budget_holders WHERE seen_at < :long_ago)",
        "DELETE FROM budget_holders WHERE seen_at < :long_ago",
    )
]
