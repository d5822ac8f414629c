"""The ledger in PostgreSQL, for several machines: the same statements, and the server's clock."""

from __future__ import annotations

from collections.abc import Iterator

import postgresql
import pytest
from test_ledger import DAY, HOUR, MINUTE, ask, race, spend, take, used

from inat_crawler.budget import clock
from inat_crawler.budget.ledger import Ledger, Reservation, Wait

pytestmark = pytest.mark.skipif(postgresql.program("initdb") is None, reason="PostgreSQL is not installed")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgresql.server() as url:
        yield url


def test_it_counts_as_in_sqlite(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "wall", lambda: 0.0)  # the machine's own clock does not matter
    ledger, other = Ledger(url), Ledger(url)
    for each in (ledger, other, ledger):
        assert isinstance(spend(each, ask(MINUTE, DAY)), Reservation)
    wait = spend(other, ask(MINUTE, DAY))
    assert isinstance(wait, Wait)
    assert wait.limit == MINUTE
    assert 55 < wait.seconds <= 60
    assert [used(other, limit) for limit in (MINUTE, DAY)] == [3, 3]
    other.pause("host:80", 37, "429")
    assert take(ledger, ask(HOUR)) == Wait(pytest.approx(37, abs=2), why="429")
    assert ledger.pauses() == {"host:80": Wait(pytest.approx(37, abs=2), why="429")}
    ledger.close()
    other.close()


def test_no_two_machines_take_the_last_place(url: str) -> None:
    assert race(url) == 200
