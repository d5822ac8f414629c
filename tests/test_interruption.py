"""Ends that were not planned: signals, kills, and a second crawl on the same output."""

from __future__ import annotations

import random
import resource
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import PLACE, Crawl, crawl, finish, read_table, scaled, start
from test_crawl import files_expected

from standin.client import Standin

Start = Callable[..., Standin]
SEARCH = {"place_id": "128892", "geo": "true", "identified": "true", "rank": "species"}
PATIENCE = 60.0  # seconds


def wait_for(moment: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Return once the moment has come, or the crawl has ended."""
    end = time.monotonic() + PATIENCE
    while process.poll() is None and not moment():
        assert time.monotonic() < end, "what was waited for does not happen"
        time.sleep(0.02)


def wait_for_photos(park: Standin, process: subprocess.Popen[str], n: int) -> None:
    """Return once the photo hosts were asked this often, or the crawl has ended."""
    wait_for(lambda: len(park.requests("open")) + len(park.requests("static")) >= n, process)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_a_signal_ends_the_crawl_in_good_order(standin: Start, output: Path, number: signal.Signals) -> None:
    park = standin(observations=150, latency=0.01)
    process = start(park.api_root, output, PLACE)
    wait_for_photos(park, process, 60)
    process.send_signal(number)
    run = finish(process, output)

    assert run.status == 3
    assert run.account["complete"] is False
    assert run.account["finish_reason"] == "shutdown"
    assert run.said("ERROR") == []
    assert len(run.table()) == run.account["observations"]["stored"]
    files = dict(run.rows("SELECT path, sha256 FROM files WHERE status IN ('downloaded', 'copied')"))
    assert files.keys() == run.photos().keys()
    assert run.account["photos"]["failed"] == {}

    again = crawl(park, output, PLACE)
    assert (again.status, again.account["observations"]["stored"]) == (0, 150)
    asked = Counter(r["path"] for role in ("open", "static") for r in park.requests(role))
    assert set(asked.values()) == {1}


def test_two_crawls_on_one_output(standin: Start, output: Path) -> None:
    park = standin(observations=120)
    first = start(park.api_root, output, PLACE)
    wait_for_photos(park, first, 1)
    first.send_signal(signal.SIGSTOP)
    second = finish(start(park.api_root, output, PLACE), output)
    first.send_signal(signal.SIGCONT)
    assert second.status == 1
    assert second.log.splitlines()[-1] == f"error: another crawl is running on this output: {output}"
    assert finish(first, output).status == 0


@pytest.mark.long
def test_a_signal_while_missing_photos_are_fetched(standin: Start, output: Path) -> None:
    park = standin(observations=150, latency=0.01)
    assert crawl(park, output, PLACE, "images=none").status == 0
    process = start(park.api_root, output, PLACE, "sizes=square,medium")
    wait_for_photos(park, process, 60)
    process.send_signal(signal.SIGTERM)
    run = finish(process, output)
    assert run.status == 3
    assert run.account["finish_reason"] == "shutdown"
    assert 0 < run.account["photos"]["missing"] < run.account["photos"]["wanted"]
    assert crawl(park, output, PLACE, "sizes=square,medium").status == 0


@pytest.mark.long
def test_told_twice_to_end(standin: Start, output: Path) -> None:
    park = standin(observations=100, latency=2)
    process = start(park.api_root, output, PLACE)
    wait_for_photos(park, process, 5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)  # two of the same signal at once are one
    process.send_signal(signal.SIGINT)
    run = finish(process, output)
    assert run.status == 3
    assert "Traceback" not in run.log
    park.latency(0)
    assert crawl(park, output, PLACE).status == 0


@pytest.mark.long
def test_a_full_disk_ends_the_crawl(standin: Start, output: Path) -> None:
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    park = standin(observations=2000)
    run = finish(start(park.api_root, output, PLACE, "images=none", before=no_large_files), output)
    assert run.status == 3
    [error] = run.said("ERROR")
    assert error.startswith("the store cannot be written: ")
    assert len(park.requests("api")) < 8
    assert "Traceback" not in run.log

    again = crawl(park, output, PLACE, "images=none")
    assert (again.status, again.account["observations"]["stored"]) == (0, 2000)


def kill_when(moment: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    wait_for(moment, process)
    assert process.poll() is None, "the crawl was over before"
    process.kill()
    process.communicate()


def stored(output: Path) -> int:
    try:
        return int(Crawl(0, "", output).rows("SELECT COUNT(*) FROM observations")[0][0])
    except sqlite3.OperationalError:  # no tables yet, or locked
        return 0


def lines_of_feeds(output: Path) -> int:
    return sum(feed.read_bytes().count(b"\r\n") for feed in output.glob("feed/*"))


@pytest.mark.long
def test_every_edit_stands_in_a_feed(standin: Start, output: Path) -> None:
    park = standin(observations=80)
    arguments = (PLACE, "sizes=square")
    process = start(park.api_root, output, *arguments)
    kill_when(lambda: stored(output) == 80, process)  # no feed is known to have shown any

    edited = [r["id"] for r in park.records(**SEARCH) if r["photos"]]
    for observation_id in edited:
        park.bump_photo_query(observation_id)  # one with a photo to fetch stays a moment in the pipelines
        park.edit(observation_id, species_guess="edited")
    slow = [park.record(i)["photos"][0]["id"] for i in edited[:10]]
    park.add_fault("photos", "slow", seconds=3, ids=slow)
    before = lines_of_feeds(output)
    process = start(park.api_root, output, *arguments)
    kill_when(lambda: lines_of_feeds(output) - before > 110, process)  # those of before, and some that are edited
    park.clear_faults()
    assert crawl(park, output, *arguments).status == 0
    feeds = [read_table(path).reset_index() for path in (output / "feed").iterdir() if path.stat().st_size]
    shown = {int(i) for feed in feeds for i in feed["id"][feed["species_guess"] == "edited"]}
    assert sorted(set(edited) - shown) == []


@pytest.mark.long
def test_a_disk_too_full_for_a_photo_ends_the_crawl(standin: Start, output: Path) -> None:
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    park = standin(observations=12, original_pixels=2048)
    run = finish(start(park.api_root, output, PLACE, before=no_large_files), output)
    assert run.status == 3
    [error] = run.said("ERROR")
    assert error.startswith("a photo cannot be written: ")
    assert run.account["error"] == error
    assert run.account["photos"]["failed"] == {}
    assert "Traceback" not in run.log
    again = crawl(park, output, PLACE)
    assert again.status == 0
    assert again.photos() == files_expected(park, park.ids(**SEARCH))


def kill_until_done(park: Standin, output: Path, kills: int) -> None:
    """Start and kill a crawl this often, each time a little after it began to fetch."""
    dice = random.Random(kills)
    for _ in range(kills):
        asked = len(park.requests("open")) + len(park.requests("static"))
        process = start(park.api_root, output, PLACE)
        wait_for_photos(park, process, asked + dice.randrange(1, 120))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        account = Crawl(0, "", output).account
        assert (account["complete"], account["finished_at"]) == (False, None)


def check_mirror_after_kills(park: Standin, output: Path, kills: int) -> None:
    run = crawl(park, output, PLACE)
    assert run.status == 0, run.log
    assert sorted(run.table()["id"].astype(int), reverse=True) == park.ids(**SEARCH)
    feeds = [
        i
        for feed in (output / "feed").iterdir()
        if feed.stat().st_size
        for i in read_table(feed).index.astype(int)
    ]
    assert set(feeds) == set(park.ids(**SEARCH)), (
        "every new observation stands in a feed, in two at most after a kill"
    )
    shown = run.rows("SELECT path, photo_id, size FROM files")
    assert run.photos() == {path: park.photo(photo_id, size) for path, photo_id, size in shown}
    asked = Counter(r["path"] for role in ("open", "static") for r in park.requests(role))
    twice = sum(asked.values()) - len(asked)
    # Two hosts with 16 connections each, and what was fetched in the last moment before the rows were written.
    assert twice <= kills * 80, f"{twice} photos fetched again after {kills} kills"


def test_kill_9_loses_nothing(standin: Start, output: Path) -> None:
    park = standin(observations=150)
    kill_until_done(park, output, 3)
    check_mirror_after_kills(park, output, 3)


@pytest.mark.long
def test_many_kills(standin: Start, output: Path) -> None:
    kills = scaled(15)
    park = standin(observations=scaled(1500))
    kill_until_done(park, output, kills)
    check_mirror_after_kills(park, output, kills)


def test_an_output_that_cannot_be_written(standin: Start, tmp_path: Path) -> None:
    world = standin(observations=1)
    for blocked, output in (("b", "b/b"), ("c/feed", "c"), ("d/gone", "d")):
        (tmp_path / blocked).parent.mkdir(exist_ok=True)
        (tmp_path / blocked).write_text("mine")
        run = crawl(world, tmp_path / output, PLACE)
        assert run.status == 1
        assert run.log.splitlines()[-1].startswith(f"error: the output cannot be written: {tmp_path / output}: ")
        assert (tmp_path / blocked).read_text() == "mine"
    assert world.requests() == []


@pytest.mark.long
def test_photos_swapped_and_the_crawl_killed(standin: Start, output: Path) -> None:
    park = standin(observations=120)
    ids = park.ids(**SEARCH)
    several = [i for i in ids if len(park.record(i)["photos"]) > 1]
    assert crawl(park, output, PLACE, "images=all", "sizes=square").status == 0
    for observation_id in several:
        park.swap_photos(observation_id)
    park.reset_log()
    process = start(park.api_root, output, PLACE, "images=all", "sizes=square", "per_page=10")
    wait_for(lambda: len(park.requests("api")) >= 3, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    run = crawl(park, output, PLACE, "images=all", "sizes=square")
    assert run.status == 0, run.log
    assert run.photos() == files_expected(park, ids, "all", "square")
    assert park.requests("open") == park.requests("static") == [], "none is fetched that was there"
    assert not (output / "gone").exists()


# Python reads it at its start.
DIE_AT_A_RENAMING = """
import os, pathlib, signal
real, seen = pathlib.Path.replace, []
def replace(self, target):
    seen.extend([1] if ".moving" in f"{self}{target}" else [])
    if len(seen) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, target)
pathlib.Path.replace = replace
"""


@pytest.mark.long
def test_the_moment_between_two_names(standin: Start, output: Path, tmp_path: Path) -> None:
    """A store with moves that are intended, and files anywhere on their way."""
    park = standin(observations=30)
    ids = park.ids(**SEARCH)
    several = [i for i in ids if len(park.record(i)["photos"]) > 1][:3]
    assert crawl(park, output, PLACE, "images=all", "sizes=square").status == 0
    for observation_id in several:
        park.swap_photos(observation_id)
    (tmp_path / "sitecustomize.py").write_text(DIE_AT_A_RENAMING)
    process = start(park.api_root, output, PLACE, "images=all", "sizes=square", PYTHONPATH=str(tmp_path))
    _, log = process.communicate()
    assert process.returncode == -signal.SIGKILL, log
    pending = Crawl(0, "", output).rows("SELECT observation_id, target FROM moves")
    assert {i for i, _ in pending} == set(several)
    assert any((output / "images" / ".moving").iterdir())
    park.reset_log()
    run = crawl(park, output, PLACE, "images=all", "sizes=square")
    assert run.status == 0, run.log
    assert run.photos() == files_expected(park, ids, "all", "square")
    assert park.requests("open") == park.requests("static") == []
    assert run.rows("SELECT * FROM moves") == []
