"""The ledger: what counts, for how long, and by which clock. The clocks are the test's own."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from pathlib import Path

import pytest

from inat_crawler.budget import clock
from inat_crawler.budget.ledger import LEASE, SLOTS, Ask, Ledger, Reservation, Wait
from inat_crawler.budget.limits import Limit
from inat_crawler.errors import BudgetError, BusyError

MINUTE, DAY = Limit(3, 60.0, "requests", "minute"), Limit(5, 86400.0, "requests", "day")
HOUR = Limit(1000, 3600.0, "bytes", "hour")
PERIODS = (60.0, 3600.0, 86400.0)


class Clocks:
    """The clocks of a machine: `set` sets one, `pass_` lets time pass for both, `start` starts it anew."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.wall, self.steady, self.boot = 1_700_000_000.0, 5000.0, "first"
        patch.setattr(clock, "wall", lambda: self.wall)
        patch.setattr(clock, "steady", lambda: self.steady)
        patch.setattr(clock, "boot", lambda: self.boot)

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def set(self, seconds: float) -> None:
        self.wall += seconds

    def start(self) -> None:
        self.steady, self.boot = 1.0, f"{self.boot} again"


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/budget.sqlite"


def ask(*limits: Limit, amount: float = 1, hold: float | None = None, interval: float = 0.0) -> Ask:
    return Ask("key", "host:80", amount, amount if hold is None else hold, limits, interval)


def take(ledger: Ledger, asked: Ask) -> Reservation | Wait:
    reservation = Reservation(asked.key, PERIODS)
    return ledger.take(asked, reservation) or reservation


def spend(ledger: Ledger, asked: Ask, used: float | None = None) -> Reservation | Wait:
    """Take it, and give it back at once."""
    taken = take(ledger, asked)
    if isinstance(taken, Reservation):
        ledger.give_back([(taken, asked.amount if used is None else used)])
    return taken


def used(ledger: Ledger, limit: Limit) -> float:
    return sum(amount for _, amount in ledger.used("key", [limit])[0])


def test_no_more_than_the_limit_in_any_minute(clocks: Clocks, url: str) -> None:
    ledger = Ledger(url)
    for _ in range(3):
        assert isinstance(spend(ledger, ask(MINUTE, DAY)), Reservation)
        clocks.pass_(10)
    wait = spend(ledger, ask(MINUTE, DAY))
    assert isinstance(wait, Wait)
    assert wait.limit == MINUTE
    assert wait.seconds == pytest.approx(30)
    clocks.pass_(30.1)
    assert isinstance(spend(ledger, ask(MINUTE, DAY)), Reservation)
    assert isinstance(spend(ledger, ask(MINUTE, DAY)), Wait)


def test_the_limit_that_lasts_longest_is_told(clocks: Clocks, url: str) -> None:
    ledger = Ledger(url)
    for _ in range(5):
        spend(ledger, ask(DAY))
    wait = spend(ledger, ask(MINUTE, DAY))
    assert isinstance(wait, Wait)
    assert wait.limit == DAY
    assert wait.seconds == pytest.approx(86400)


def test_it_counts_from_the_reservation_until_a_period_after_its_end(clocks: Clocks, url: str) -> None:
    ledger, one = Ledger(url), Limit(1, 60.0, "requests", "minute")
    taken = take(ledger, ask(one))
    assert isinstance(taken, Reservation)
    for _ in range(40):  # a slow answer: over two minutes
        clocks.pass_(3)
        ledger.beat()
        assert isinstance(take(ledger, ask(one)), Wait)
    ledger.give_back([(taken, 1)])
    clocks.pass_(59.9)
    assert isinstance(take(ledger, ask(one)), Wait)
    clocks.pass_(60 / SLOTS)
    assert isinstance(take(ledger, ask(one)), Reservation)


def test_bytes_are_held_as_they_may_be_and_counted_as_they_were(clocks: Clocks, url: str) -> None:
    ledger = Ledger(url)
    first = take(ledger, ask(HOUR, amount=400, hold=800))
    assert isinstance(first, Reservation)
    assert isinstance(take(ledger, ask(HOUR, amount=300)), Wait)
    assert used(ledger, HOUR) == 800
    ledger.give_back([(first, 500)])
    assert used(ledger, HOUR) == 500
    assert isinstance(take(ledger, ask(HOUR, amount=500)), Reservation)


def test_a_transfer_that_grows(clocks: Clocks, url: str) -> None:
    ledger = Ledger(url)
    first = take(ledger, ask(HOUR, amount=100, hold=200))
    assert isinstance(first, Reservation)
    ledger.hold(first, 950)
    assert isinstance(take(ledger, ask(HOUR, amount=100)), Wait)


def test_what_is_larger_than_the_limit_goes_alone(clocks: Clocks, url: str) -> None:
    ledger = Ledger(url)
    assert isinstance(spend(ledger, ask(HOUR, amount=10)), Reservation)
    wait = spend(ledger, ask(HOUR, amount=5000))
    assert isinstance(wait, Wait)
    assert wait.seconds == pytest.approx(3600)
    clocks.pass_(3601)
    assert isinstance(spend(ledger, ask(HOUR, amount=5000)), Reservation)


def test_even_turns(clocks: Clocks, url: str) -> None:
    ledger, other = Ledger(url), Ledger(url)
    asked = ask(Limit(100, 60.0, "requests", "minute"), interval=1.5)
    assert isinstance(take(ledger, asked), Reservation)
    clocks.pass_(0.5)
    wait = take(other, asked)
    assert isinstance(wait, Wait)
    assert wait.seconds == pytest.approx(1.0)
    assert wait.limit is None
    clocks.pass_(1.0)
    assert isinstance(take(other, asked), Reservation)
    assert isinstance(take(ledger, asked), Wait)


def test_a_slower_process_does_not_slow_down_another(clocks: Clocks, url: str) -> None:
    fast = ask(Limit(60, 60.0, "requests", "minute"), interval=1.0)
    assert isinstance(
        take(Ledger(url), ask(Limit(0.01, 60.0, "requests", "minute"), interval=6000.0)), Reservation
    )
    assert take(Ledger(url), fast) == Wait(pytest.approx(1.0))
    clocks.pass_(1.01)
    assert isinstance(take(Ledger(url), fast), Reservation)


def test_a_killed_process_costs_its_reservation_alone(clocks: Clocks, url: str) -> None:
    killed, alive = Ledger(url), Ledger(url)
    take(killed, ask(MINUTE))
    spend(alive, ask(MINUTE))
    clocks.pass_(LEASE + 1)
    assert isinstance(take(alive, ask(MINUTE)), Reservation)
    assert isinstance(take(alive, ask(MINUTE)), Wait)
    for _ in range(60):  # the process that is alive says so
        clocks.pass_(1)
        alive.beat()
    assert used(alive, MINUTE) == 1
    assert isinstance(take(alive, ask(MINUTE)), Reservation)
    assert isinstance(take(alive, ask(MINUTE)), Reservation)
    assert isinstance(take(alive, ask(MINUTE)), Wait)


def test_a_process_that_slept_and_wakes_gives_back_what_it_held(clocks: Clocks, url: str) -> None:
    asleep, alive = Ledger(url), Ledger(url)
    taken = take(asleep, ask(HOUR, amount=900))
    clocks.pass_(3000)
    assert isinstance(taken, Reservation)
    asleep.give_back([(taken, 950)])
    assert used(alive, HOUR) == 950
    clocks.pass_(3500)
    assert used(alive, HOUR) == 950


def test_a_restart_refills_nothing(clocks: Clocks, url: str) -> None:
    for _ in range(3):
        assert isinstance(spend(Ledger(url), ask(MINUTE)), Reservation)
    assert isinstance(spend(Ledger(url), ask(MINUTE)), Wait)


@pytest.mark.parametrize("seconds", [-86400 * 365, -3600, -1, 1, 3600, 86400 * 365])
def test_setting_the_clock_opens_nothing(clocks: Clocks, url: str, seconds: float) -> None:
    ledger = Ledger(url)
    for _ in range(3):
        spend(ledger, ask(MINUTE))
    clocks.set(seconds)
    assert isinstance(spend(ledger, ask(MINUTE)), Wait)
    assert isinstance(spend(Ledger(url), ask(MINUTE)), Wait)
    clocks.pass_(59)
    assert isinstance(spend(ledger, ask(MINUTE)), Wait)
    clocks.pass_(2)
    assert isinstance(spend(ledger, ask(MINUTE)), Reservation)


@pytest.mark.parametrize("seconds", [-86400 * 365, -3600, 0])
def test_starting_the_machine_with_a_slow_clock_opens_nothing(clocks: Clocks, url: str, seconds: float) -> None:
    for _ in range(3):
        spend(Ledger(url), ask(MINUTE))
    clocks.set(seconds)
    clocks.start()
    ledger = Ledger(url)
    assert isinstance(spend(ledger, ask(MINUTE)), Wait)
    clocks.pass_(61)  # but it does not stay shut until the clock has caught up
    assert isinstance(spend(ledger, ask(MINUTE)), Reservation)


def test_a_night_off_counts(clocks: Clocks, url: str) -> None:
    for _ in range(5):
        spend(Ledger(url), ask(DAY))
    clocks.set(86401)
    clocks.start()
    assert isinstance(spend(Ledger(url), ask(DAY)), Reservation)


def test_pauses_are_everybodys(clocks: Clocks, url: str) -> None:
    Ledger(url).pause("host:80", 37, "429")
    Ledger(url).pause("host:80", 5, "503")  # a shorter one ends none
    wait = take(Ledger(url), ask(MINUTE))
    assert wait == Wait(pytest.approx(37), why="429")
    elsewhere = Ask("key", "other:80", 1, 1, (MINUTE,))
    assert isinstance(take(Ledger(url), elsewhere), Reservation)
    assert Ledger(url).pauses() == {"host:80": wait}
    clocks.pass_(37.1)
    assert isinstance(take(Ledger(url), ask(MINUTE)), Reservation)
    assert Ledger(url).pauses() == {}


def take_all(url: str, limit: Limit, taken: multiprocessing.Queue[int]) -> None:
    ledger = Ledger(url)
    n = 0
    while isinstance(take(ledger, Ask("race", "race:80", 1, 1, (limit,))), Reservation):
        n += 1
    taken.put(n)


def race(url: str) -> int:
    """How many places several processes take at once."""
    processes = multiprocessing.get_context("spawn")
    taken: multiprocessing.Queue[int] = processes.Queue()
    racers = [
        processes.Process(target=take_all, args=(url, Limit(200, 3600.0, "requests", "hour"), taken))
        for _ in range(3)
    ]
    for racer in racers:
        racer.start()
    total = sum(taken.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join()
    return total


def test_no_two_processes_take_the_last_place(url: str) -> None:
    assert race(url) == 200


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("nonsense", "not the address of a database"),
        ("sqlite://", "must be a file of SQLite"),
        ("mysql://user:secret@localhost/x", "must be a file of SQLite or a PostgreSQL database"),
        ("sqlite:////proc/nowhere/budget.sqlite", "cannot be opened: .*/proc/nowhere"),
        ("sqlite:///file:x?mode=memory&uri=true", "must be a file of SQLite"),
        ("postgresql://user:secret@127.0.0.1:abc/x", "not the address of a database"),
        ("sqlite:////tmp/x?timeout=abc", "cannot be opened"),
    ],
)
def test_ledgers_that_cannot_be(url: str, rule: str) -> None:
    with pytest.raises(BudgetError, match=rule) as error:
        Ledger(url)
    assert "secret" not in str(error.value)


def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "budget.sqlite").write_text("this is a text, and not a short one" * 100)
    with pytest.raises(BudgetError, match="cannot be opened"):
        Ledger(f"sqlite:///{tmp_path}/budget.sqlite")


def test_a_ledger_of_a_newer_version(url: str) -> None:
    Ledger(url).close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as db:
        db.execute("UPDATE budget_version SET version = version + 1")
    db.close()
    with pytest.raises(BudgetError, match="a newer inat_crawler wrote"):
        Ledger(url)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_ledger_that_is_removed_is_missed(url: str, tmp_path: Path, replaced: bool) -> None:
    ledger = Ledger(url)
    spend(ledger, ask(MINUTE))
    for file in tmp_path.iterdir():
        file.unlink()
    if replaced:
        Ledger(url).close()
    with pytest.raises(BudgetError, match="removed or replaced"):
        take(ledger, ask(MINUTE))


def test_a_ledger_that_others_hold_blocks_nobody_for_long(url: str) -> None:
    ledger = Ledger(url)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    with pytest.raises(BusyError, match="locked"):
        take(ledger, ask(MINUTE))
    assert time.monotonic() - begun < 3
    other.execute("ROLLBACK")
    other.close()
    assert isinstance(take(ledger, ask(MINUTE)), Reservation)
