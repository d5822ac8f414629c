"""What goes wrong on the way: tried again with growing waits, by the host's own wish, and never for ever."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from crawling import PLACE, crawl, finish, start
from test_crawl import SEARCH, files_expected, photo_paths
from test_interruption import wait_for
from test_sync import in_step, photos_asked

from standin.client import Standin

Start = Callable[..., Standin]
STATUSES = (429, 500, 502, 503, 504)
ANYWHERE = ("reset", "truncate", "empty", "html200")
PHOTOS_ONLY = ("short", "wrong_format")


def trouble(park: Standin, probability: float) -> None:
    """Every kind of fault, together on this part of the requests to the API and to the photo hosts."""
    for where, kinds in (("api", (*ANYWHERE, "invalid_json")), ("photos", (*ANYWHERE, *PHOTOS_ONLY))):
        each = probability / (len(kinds) + len(STATUSES) + 2)
        for kind in kinds:
            park.add_fault(where, kind, probability=each)
        for status in STATUSES:
            park.add_fault(where, "status", status=status, probability=each)
        for retry_after in ("1", "http-date"):
            park.add_fault(where, "status", status=503, retry_after=retry_after, probability=each / 4)


@pytest.mark.long
@pytest.mark.parametrize("probability", [0.03, 0.15])
def test_complete_after_at_most_three_runs(standin: Start, output: Path, probability: float) -> None:
    park = standin(observations=150)
    trouble(park, probability)
    for _ in range(3):
        run = crawl(park, output, PLACE, "per_page=20")
        expected = files_expected(park, park.ids(**SEARCH))
        assert run.photos().items() <= expected.items(), "no error body is ever saved"
        if run.status == 0:
            break
    in_step(park, run)
    assert not (output / "gone").exists()


@pytest.mark.long
def test_what_a_host_is_told_to_wait(standin: Start, output: Path) -> None:
    park = standin(observations=60, latency=0.01)
    park.add_fault("api", "status", status=503, retry_after="http-date", after=1, times=1)
    park.add_fault("photos", "status", status=429, retry_after="4", after=40, times=1)
    in_step(park, crawl(park, output, PLACE, "per_page=20"))

    times = [r["time"] for r in park.requests("api")]
    assert max(later - earlier for earlier, later in pairwise(times)) > 2, "a date in whole seconds, 3 s ahead"
    after = since_the_refusal(park)
    assert not [t for t in after if 1 < t < 4], "but for those under way, all requests to the host wait"
    assert len([t for t in after if t <= 1]) < 16
    assert [t for t in after if t >= 4]


def since_the_refusal(park: Standin) -> list[float]:
    """Seconds from the one 429 of a photo host to each later request to it."""
    [refused] = [r for role in ("open", "static") for r in park.requests(role) if r["status"] == 429]
    return [r["time"] - refused["time"] for r in park.requests(refused["role"]) if r["time"] > refused["time"]]


@pytest.mark.long
def test_a_429_without_a_header_pauses_the_host(standin: Start, output: Path) -> None:
    park = standin(observations=60, latency=0.01)
    park.add_fault("photos", "status", status=429, after=40, times=1)
    in_step(park, crawl(park, output, PLACE, INAT_BACKOFF_SECONDS="6"))
    after = since_the_refusal(park)
    assert not [t for t in after if 1 < t < 3]
    assert len([t for t in after if t <= 1]) < 16


@pytest.mark.long
def test_a_host_that_limits_its_requests(standin: Start, output: Path) -> None:
    park = standin(observations=600)
    park.rate_limit(4)
    asked = crawl(park, output, PLACE, "images=none", "per_page=100", INAT_API_REQUESTS_PER_MINUTE="6000")
    assert asked.status == 3, "its minute outlasts the waits of this test"
    assert {r["status"] for r in park.requests("api")[4:]} == {429}
    assert len(park.requests("api")) == 4 + 9
    park.advance(60)
    park.rate_limit(None)
    in_step(park, crawl(park, output, PLACE, "images=none"), "none")


@pytest.mark.parametrize("status", [403, 422, *(pytest.param(s, marks=pytest.mark.long) for s in (401, 404))])
def test_a_refusal_is_not_asked_again(standin: Start, output: Path, status: int) -> None:
    park = standin(observations=30)
    park.add_fault("api", "status", status=status, after=1)
    run = crawl(park, output, PLACE, "images=none")
    assert (run.status, len(park.requests("api"))) == (3, 2)
    [error] = run.said("ERROR")
    assert error.startswith(f"the API answered {status}: ")
    assert run.account["error"] == error
    assert len(run.table()) == 30


@pytest.mark.long
def test_an_error_that_stays_is_not_asked_for_ever(standin: Start, output: Path) -> None:
    park = standin(observations=30)
    park.add_fault("api", "status", status=500)
    run = crawl(park, output, PLACE, "images=none", INAT_BACKOFF_SECONDS="0.2")
    assert (run.status, len(park.requests("api"))) == (3, 6)
    waits = [later["time"] - earlier["time"] for earlier, later in pairwise(park.requests("api"))]
    for number, wait in enumerate(waits):
        assert wait >= 0.1 * 2**number, "each wait is longer"
    assert len(run.said("ERROR")) == 1


def test_a_host_that_asks_for_too_long_ends_the_crawl(standin: Start, output: Path) -> None:
    park = standin(observations=30)
    park.add_fault("api", "status", status=503, retry_after="86400")
    run = crawl(park, output, PLACE, "images=none")
    assert (run.status, len(park.requests("api"))) == (3, 1)
    assert run.account["error"].endswith("; it asks to come back in 86400 s")


def test_photos_that_can_never_be_had(standin: Start, output: Path) -> None:
    park = standin(observations=60)
    records = [r for r in map(park.record, park.ids(**SEARCH)) if r["photos"]]
    lost = {r["photos"][0]["id"]: r["id"] for r in records[:6]}
    park.add_fault("photos", "status", status=403, ids=list(lost)[:3])
    park.add_fault("photos", "status", status=404, ids=list(lost)[3:])
    run = crawl(park, output, PLACE, "sizes=square,medium")
    assert run.status == 3
    failed = run.account["photos"]["failed"]
    assert {reason: {f["observation"] for f in files} for reason, files in failed.items()} == {
        "403": {lost[i] for i in list(lost)[:3]},
        "404": {lost[i] for i in list(lost)[3:]},
    }
    paths = photo_paths(park)
    assert {n for path, n in paths.items() if int(path.split("/")[2]) in lost} == {1}, "not asked again"
    by_id = [r for r in park.requests("api") if re.search(r"/observations/[0-9,]+\?", r["path"])]
    asked = [int(i) for r in by_id for i in r["path"].partition("?")[0].rpartition("/")[2].split(",")]
    assert sorted(asked) == sorted(lost.values()), "each record is asked for once"


def test_a_photo_that_is_broken_in_the_same_way_twice(standin: Start, output: Path) -> None:
    park = standin(observations=20)
    broken = next(r for r in map(park.record, park.ids(**SEARCH)) if r["photos"])
    park.add_fault("photos", "short", ids=[broken["photos"][0]["id"]], sizes=["medium"])
    run = crawl(park, output, PLACE, "sizes=medium")
    assert run.status == 3
    [path] = [p for p in photo_paths(park) if p.startswith(f"/photos/{broken['photos'][0]['id']}/")]
    assert photo_paths(park)[path] == 2


@pytest.mark.long
@pytest.mark.parametrize(
    "setting", ["CLOSESPIDER_ITEMCOUNT=40", pytest.param("CLOSESPIDER_TIMEOUT=2", marks=pytest.mark.long)]
)
def test_scrapys_own_ways_to_end_a_crawl(standin: Start, output: Path, setting: str) -> None:
    park = standin(observations=150, latency=0.02)
    run = crawl(park, output, PLACE, f"-s{setting}")
    assert run.status == 3
    assert run.account["finish_reason"] == setting.partition("=")[0].lower()
    assert "Traceback" not in run.log
    assert run.account["photos"]["failed"] == {}
    had, expected = run.photos(), files_expected(park, park.ids(**SEARCH))
    assert 0 < len(had) < len(expected)
    asked = photos_asked(park)
    in_step(park, crawl(park, output, PLACE))
    assert photos_asked(park) - asked <= len(expected) - len(had), "what was had is not fetched again"


def test_a_photo_host_that_asks_for_long_does_not_keep_the_crawl_from_ending(standin: Start, output: Path) -> None:
    park = standin(observations=60)
    park.add_fault("photos", "status", status=429, retry_after="600", after=12)
    process = start(park.api_root, output, PLACE)
    wait_for(lambda: 429 in {r["status"] for role in ("open", "static") for r in park.requests(role)}, process)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    begin = time.monotonic()
    assert finish(process, output).status == 3
    assert time.monotonic() - begin < 15


def test_a_photo_host_that_asks_for_too_long(standin: Start, output: Path) -> None:
    park = standin(observations=30)
    park.add_fault("photos", "status", status=503, retry_after="86400")
    run = crawl(park, output, PLACE)
    assert run.status == 3
    assert set(run.account["photos"]["failed"]) <= {"its host asks to come back later", "503"}
    assert photos_asked(park) <= 2 * 16
