"""The full sizes: run by `make test-long`."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import PLACE, crawl, scaled

from standin.client import Standin

pytestmark = pytest.mark.long
Start = Callable[..., Standin]
SEARCH = {"place_id": "128892", "geo": "true", "identified": "true", "rank": "species"}


def test_records_of_real_size(standin: Start, output: Path) -> None:
    n = scaled(12_500)
    world = standin(observations=n, record_bytes=40_000)
    run = crawl(world, output, PLACE, "images=none")
    assert run.status == 0, run.log
    assert sorted(run.table()["id"].astype(int), reverse=True) == world.ids(**SEARCH)
    assert len(world.requests("api")) <= math.ceil(n / 200) + 4
    assert {r["status"] for r in world.requests("api")} == {200}


def test_arrivals_and_edits_while_the_crawl_runs(standin: Start, output: Path) -> None:
    world = standin(observations=scaled(8_000))
    there_at_the_start = set(world.ids(**SEARCH))
    world.before_page(insert=25, edit=5, maximum=100_000)
    run = crawl(world, output, PLACE, "images=none")
    ids = run.table()["id"].astype(int).tolist()
    assert run.status == 0
    assert len(ids) == len(set(ids))
    arrived = set(world.interference()["inserted"])
    assert there_at_the_start <= set(ids)
    assert len(set(ids) - there_at_the_start) == 25, "those before the first page; what came later lies above it"

    again = crawl(world, output, PLACE, "images=none")
    arrived |= set(world.interference()["inserted"])
    assert there_at_the_start <= set(again.table()["id"].astype(int)) <= there_at_the_start | arrived
    assert again.account["observations"]["new"] >= len(arrived) // 4


def test_memory_does_not_grow_with_the_mirror(standin: Start, output: Path) -> None:
    peaks = []
    for n in (scaled(2_000), scaled(20_000)):
        world = standin(observations=n)
        run = crawl(world, output.with_name(f"mirror{n}"), PLACE, "images=none")
        assert run.status == 0, run.log
        peaks.append(peak_memory(run.log))
        world.stop()
    assert peaks[1] < 1.5 * peaks[0], peaks


def peak_memory(log: str) -> int:
    """Peak resident set in bytes, as Scrapy's memory extension saw it."""
    [line] = [line for line in log.splitlines() if "'memusage/max'" in line]
    return int(line.rpartition(": ")[2].rstrip(",}"))
