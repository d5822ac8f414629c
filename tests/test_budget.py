"""The budget as the server sees it: several processes, kills, refusals, and a day that is spent."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from crawling import PLACE, Crawl, crawl, finish, own_settings, scaled, start

from inat_crawler.budget.limits import Limit
from standin.client import Standin

Start = Callable[..., Standin]
EACH = ("images=none", "per_page=10")


def busiest(arrivals: Sequence[tuple[float, float]], seconds: float) -> float:
    """The most that arrived in any span of so many seconds; arrivals are (moment, amount)."""
    ordered = sorted(arrivals)
    return max(
        sum(amount for moment, amount in ordered if begin <= moment < begin + seconds) for begin, _ in ordered
    )


def side_by_side(park: Standin, folder: Path, n: int, *arguments: str, **settings: str) -> list[Crawl]:
    """Crawls into folders of their own, on one budget, at the same time."""
    outputs = [folder / f"mirror-{i}" for i in range(n)]
    crawls = [start(park.api_root, output, PLACE, *arguments, **settings) for output in outputs]
    return [finish(process, output) for process, output in zip(crawls, outputs, strict=True)]


@pytest.mark.long
def test_three_processes_share_the_pace(standin: Start, tmp_path: Path) -> None:
    park = standin(observations=scaled(400))
    runs = side_by_side(park, tmp_path, 3, *EACH, INAT_API_REQUESTS_PER_MINUTE="120")
    assert [run.status for run in runs] == [0, 0, 0]
    times = [request["time"] for request in park.requests("api")]
    assert busiest([(t, 1) for t in times], 10) <= 22
    assert len(times) >= 0.85 * 2 * (max(times) - min(times))


@pytest.mark.parametrize("spelled", ["http://LOCALHOST:{}/v1", "HTTP://127.0.0.1:0{}/v1 "])
def test_an_api_root_in_another_spelling_is_held_to_the_limits(standin: Start, output: Path, spelled: str) -> None:
    park = standin(observations=40)
    root = spelled.format(urlsplit(park.api_root).port)
    run = finish(start(root, output, PLACE, *EACH, INAT_API_REQUESTS_PER_DAY="3"), output)
    assert run.status == 3
    assert run.account["error"].startswith("3 requests a day are used up")
    assert len(park.requests("api")) == run.account["requests"]["api"] == 3


def test_each_request_is_counted_that_a_server_sees(standin: Start, output: Path) -> None:
    park = standin(observations=200)
    park.add_fault("api", "reset", probability=0.3)
    run = crawl(park, output, PLACE, *EACH, INAT_API_REQUESTS_PER_DAY="20")
    assert run.account["error"].startswith("20 requests a day are used up")
    assert len(park.requests("api")) == run.account["requests"]["api"] == 20


@pytest.mark.long
def test_two_processes_share_the_bytes(standin: Start, tmp_path: Path) -> None:
    limit, seconds = 4_000_000, 10
    park = standin(observations=scaled(100), original_pixels=900)
    hour = {"INAT_MEDIA_BYTES_PER_HOUR": str(limit), "INAT_BUDGET_HOUR_SECONDS": str(seconds)}
    runs = side_by_side(park, tmp_path, 2, **hour)
    assert [run.status for run in runs] == [0, 0]
    served = photos_served(park)
    assert busiest(served, seconds) <= limit + max(amount for _, amount in served)
    lasted = max(t for t, _ in served) - min(t for t, _ in served)
    if lasted > 2 * seconds:  # else the first hour's worth is nearly all of it
        assert sum(amount for _, amount in served) >= 0.8 * limit * lasted / seconds


def photos_served(park: Standin) -> list[tuple[float, int]]:
    """When each photo was asked for, and its bytes."""
    served = [
        (r["time"], re.match(r"/photos/(\d+)/(\w+)", r["path"])) for r in park.requests() if r["status"] == 200
    ]
    sizes = {match.groups() for _, match in served if match}
    known = {(photo, size): len(park.photo(int(photo), size)) for photo, size in sizes}
    return [(moment, known[match.groups()]) for moment, match in served if match]


def test_a_kill_refills_nothing(standin: Start, output: Path) -> None:
    park = standin(observations=100, latency=0.05)
    day = {"INAT_API_REQUESTS_PER_DAY": "6"}
    killed = start(park.api_root, output, PLACE, *EACH, **day)
    while len(park.requests("api")) < 3:
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    run = crawl(park, output, PLACE, *EACH, **day)
    assert run.status == 3
    assert len(park.requests("api")) <= 6
    assert re.match(
        r"6 requests a day are used up: come back after \d{4}-\d\d-\d\d \d\d:\d\d \S+ with the same command; ",
        run.account["error"],
    )
    again = crawl(park, output, PLACE, *EACH, **day)
    assert again.status == 3
    assert len(park.requests("api")) <= 6, "a third one asks nothing"


@pytest.mark.long
@pytest.mark.parametrize("rate", ["1200", "0"])
def test_a_refusal_stops_all_processes(standin: Start, tmp_path: Path, rate: str) -> None:
    park = standin(observations=400, latency=0.05)
    park.add_fault("api", "status", status=429, retry_after="3", after=25, times=1)
    runs = side_by_side(park, tmp_path, 2, *EACH, INAT_API_REQUESTS_PER_MINUTE=rate)
    assert [run.status for run in runs] == [0, 0]
    asked = park.requests("api")
    refused = next(request["time"] for request in asked if request["status"] == 429)
    during = [request for request in asked if refused + 0.3 < request["time"] < refused + 2.9]
    assert during == []


def test_records_go_on_while_photos_wait(standin: Start, output: Path) -> None:
    park = standin(observations=120)
    run = crawl(park, output, PLACE, "per_page=10", INAT_MEDIA_BYTES_PER_DAY="300000")
    assert run.status == 3
    assert run.account["observations"]["stored"] == 120
    assert run.account["observations"]["reconciled"]
    assert "300 kB a day are used up: come back after " in run.account["error"]
    had = run.photos()
    assert 100_000 < sum(len(body) for body in had.values()) <= 300_000
    assert run.account["photos"]["failed"] == {}
    complete = crawl(park, output, PLACE)
    assert complete.status == 0
    assert complete.account["photos"]["already_there"] == len(had)


@pytest.mark.long
def test_it_waits_for_the_next_day_when_it_is_to(standin: Start, output: Path) -> None:
    park = standin(observations=20)
    short = {"INAT_BUDGET_HOUR_SECONDS": "0.1", "INAT_API_REQUESTS_PER_DAY": "3"}
    run = crawl(park, output, PLACE, *EACH, "wait=true", **short)
    assert run.status == 0
    times = [request["time"] for request in park.requests("api")]
    assert busiest([(t, 1) for t in times], 2.3) <= 3


@pytest.mark.long
def test_a_host_without_limits_needs_no_ledger(standin: Start, output: Path) -> None:
    run = crawl(standin(observations=10), output, PLACE, INAT_BUDGET_URL="sqlite:////proc/nowhere/x.sqlite")
    assert run.status == 0
    assert crawl(standin(observations=10), output.with_name("other"), PLACE).status == 0
    assert not list(output.parent.glob("budget.sqlite*"))


@pytest.mark.parametrize("url", ["sqlite:////proc/nowhere/x.sqlite", "nonsense"])
def test_limits_without_a_ledger(standin: Start, output: Path, url: str) -> None:
    park = standin(observations=10)
    run = crawl(park, output, PLACE, INAT_BUDGET_URL=url, INAT_API_REQUESTS_PER_DAY="100")
    assert run.status == 1
    assert "INAT_BUDGET_URL" in run.log.splitlines()[-1]
    assert park.requests() == []


def test_the_contact_is_asked_for_once(standin: Start, output: Path) -> None:
    run = crawl(standin(observations=3), output, "place=Parque Marinho Luiz Saldanha", INAT_CONTACT="")
    assert run.status == 0
    assert run.log.count("INAT_CONTACT is not set") == 1


def test_limits_are_told_as_they_are() -> None:
    assert str(Limit(1500, 3600.0, "bytes", "hour")) == "1.5 kB an hour"
    assert own_settings(Path("/x"))["INAT_MEDIA_BYTES_PER_DAY"] == "0"
