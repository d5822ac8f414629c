"""What one sees of a crawl while it runs, and at its end: on a terminal, and in a log."""

from __future__ import annotations

import fcntl
import io
import os
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from scrapy.exceptions import NotConfigured
from scrapy.utils.test import get_crawler

from inat_crawler.budget.limits import Limit
from inat_crawler.extensions.account import block, next_step, reason
from inat_crawler.extensions.figures import PACE, Figures, Start, plain_line, time_left
from inat_crawler.extensions.progress import Progress
from inat_crawler.extensions.terminal import Above, drawn
from inat_crawler.signals import waiting
from standin.client import Standin
from tests.crawling import PLACE, crawl, start

MINUTELY = Limit(55, 60.0, "requests", "minute")
DAILY = Limit(9500, 86400.0, "requests", "day")
HOURLY = Limit(4.75e9, 3600.0, "bytes", "hour")
CONTROL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.mark.parametrize(
    ("figures", "left"),
    [
        (Figures(60.0), None),
        (Figures(4.0, asked=1000, read=200, requests=1), None),  # too early
        (Figures(9.0, asked=1000, read=200, requests=1, entered=100, wanted=100), None),  # no photo yet
        (Figures(9.0, asked=200, read=200, requests=1), None),  # nothing left
        (Figures(10.0, asked=11_200, read=200, requests=1), (550.0, PACE)),
        (Figures(0.5 + 5, asked=2200, read=2200 - 1100, requests=11), (12.0, "55 requests a minute")),
        (Figures(600.0, asked=10**7, read=10**5, requests=500), (49_500 / 9500 * 86400, "9,500 requests a day")),
        (
            Figures(60.0, asked=100, read=100, entered=100, wanted=10_000, had=1000, bytes=10**9),
            (9 / 4.75 * 3600, "4.75 GB an hour"),
        ),
        (  # what fits into the hour is not held up
            Figures(60.0, asked=100, read=100, entered=100, wanted=2000, had=1000, bytes=10**9),
            (60.0, PACE),
        ),
        (Figures(60.0, start=Start(5000, 300), entered=90, wanted=100, had=90, failed=10), (120.0, PACE)),
    ],
)
def test_time_left(figures: Figures, left: tuple[float, str] | None) -> None:
    assert time_left(figures, [MINUTELY, DAILY, HOURLY]) == (left and (pytest.approx(left[0]), left[1]))


def test_waits_come_on_top_of_the_pace_and_are_no_part_of_it() -> None:
    figures = Figures(10.0, asked=400, read=200)
    assert time_left(figures, [], waits=60.0) == (70.0, PACE)
    waited = Figures(70.0, asked=400, read=200, waited={"api": 60.0})
    assert time_left(waited, []) == (10.0, PACE)


def test_what_is_used_up_comes_first() -> None:
    figures = Figures(10.0, asked=9, read=9, entered=9, wanted=9, had=3, bytes=3 * 10**9)  # 6 GB are left
    assert time_left(figures, [HOURLY]) == (pytest.approx(6 / 4.75 * 3600), "4.75 GB an hour")
    used = {HOURLY: [(3000.0, 4.75e9)]}  # all free again in 50 min: 4.75 GB then, the rest an hour later
    assert time_left(figures, [HOURLY], used) == (6600.0, "4.75 GB an hour")


def test_plain_line() -> None:
    stats = {"inat/observations/asked": 400, "inat/observations/new": 100, "inat/observations/changed": 100}
    stats |= {"inat/photos/wanted": 300, "inat/photos/observations": 200, "inat/photos/downloaded": 148}
    stats |= {"inat/photos/failed": 2, "inat/photos/bytes": 74_000_000, "inat/requests/api": 4}
    figures = Figures.of(stats, 60.0, Start())
    assert plain_line(figures, 2.5, time_left(figures, []), ["photos wait: a reason, 37 s"]) == (
        "1 min: 200 of 400 read, 100 new, 100 changed; photos: 148 of about 600, 74 MB, 2.5/s, 2 failed; "
        "about 3 min left at the pace so far; photos wait: a reason, 37 s"
    )


# -- the account --------------------------------------------------------------------------------------------


def account(**more: Any) -> dict[str, Any]:
    observations: dict[str, Any] = {
        "asked": 60,
        "stored": 60,
        "new": 3,
        "changed": 1,
        "gone": 0,
        "missing": [],
        "malformed": [],
    }
    photos = {"downloaded": 9, "copied": 1, "already_there": 150, "missing": 0, "withdrawn": 0, "failed": {}}
    requests = {"api": 5, "photos": 9, "bytes_received": 51_300}
    made = {
        "observations": observations,
        "photos": photos,
        "requests": requests,
        "seconds": 71.3,
        "output": "/x/y",
    }
    made |= {"seconds": 71.3, "output": "/x/y"}
    how = {"complete": True, "exit_status": 0, "limited": False, "finish_reason": "finished", "error": None}
    told = made | how | more
    return told | {"why": None if told["complete"] else reason(told)}


def test_block_of_a_complete_mirror() -> None:
    assert block(account(), 80) == (
        "complete: 60 of 60 observations\n"
        "  this run     3 new, 1 changed, 0 gone\n"
        "  photo files  10 fetched, 150 had before, 0 missing\n"
        "  it took      1 min 11 s, 51.3 kB received; requests: 5 to the API, 9 for\n"
        "               photos\n"
        "  it lies in   /x/y\n"
        "  next         run the same command again any time to bring it in step"
    )


@pytest.mark.parametrize(
    ("more", "why", "then"),
    [
        ({"complete": True, "exit_status": 0, "limited": True}, None, "as many as the limit says are there"),
        ({"photos": account()["photos"] | {"missing": 2}}, "2 photo files could not be had", "tries again"),
        ({"finish_reason": "shutdown"}, "told to end", "goes on from here"),
        ({"finish_reason": "closespider_timeout"}, "ended early: closespider_timeout", "goes on from here"),
        (
            {"error": "1 B a day are used up", "come_back_at": "2026-11-29T04:27:00+00:00"},
            "1 B a day are used up",
            "again after 2026-11-29 04:27 UTC",
        ),
        ({"error": "INAT_API_TOKEN is not valid", "exit_status": 1}, "not valid", "take a new token"),
        ({"error": "unknown place", "exit_status": 1}, "unknown place", "nothing is stored"),
        ({}, "do not agree", "tries again"),
    ],
)
def test_what_to_do_next(more: dict[str, Any], why: str | None, then: str) -> None:
    told = account(**{"complete": False, "exit_status": 3, **more})
    assert why is None or why in reason(told)
    assert then in next_step(told)
    assert block(told).startswith("complete: " if told["complete"] else "NOT complete: 60 of 60 observations")
    assert 5 <= len(block(told).splitlines()) <= 8


def test_an_error_cannot_steer_the_terminal() -> None:
    told = block(account(complete=False, exit_status=3, error="the API said \x1b[2J[bold]\nhi"), 40)
    assert r"\x1b[2J[bold]" in told
    assert "\x1b" not in told


# -- the display --------------------------------------------------------------------------------------------


def terminal(width: int) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None, markup=True)


@pytest.mark.parametrize("width", [12, 40, 80, 200])
def test_each_row_is_one_line_that_fits(width: int) -> None:
    console = terminal(width)
    rows = [("observations", "12,345 of 67,890 read, 12,000 new [red]\n\x1b[2J"), ("photos", "x" * 100)]
    console.print(drawn(rows, ["about 2 h left", "photos wait: \x1b[5m" + "y" * 100], 0.3, width))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 4
    assert max(map(len, lines)) <= max(width, 15) - 3
    assert "\x1b" not in "".join(lines)


def test_what_is_printed_above_is_as_it_was_but_for_control_characters() -> None:
    console = terminal(40)
    above = Above(console, io.StringIO())
    above.write("a line of more than forty characters, with [red]markup[/red] :smile: http://x/1\nhalf")
    above.write(" a line \x1b[2J\n\tmore")
    above.finish()
    assert console.file.getvalue() == (  # type: ignore[attr-defined]
        "a line of more than forty characters, with [red]markup[/red] :smile: http://x/1\n"
        "half a line \\x1b[2J\n"
        "        more\n"
    )


def test_waits_are_counted_down() -> None:
    now = [1000.0]
    crawler = get_crawler(settings_dict={"INAT_OUTPUT": "x", "INAT_PROGRESS_SECONDS": "60"} | limits())
    progress = Progress.from_crawler(crawler)
    progress.clock = lambda: now[0]

    def told(what: str, reason: str, seconds: float) -> list[str]:
        crawler.signals.send_catch_log(waiting, what=what, reason=reason, seconds=seconds)
        return progress.held_up()

    assert told("photos", "4.75 GB an hour are used up", 1380.0) == [
        "photos wait: 4.75 GB an hour are used up, 23 min"
    ]
    now[0] += 1320
    assert told("api", "429: the API is paused", 37.4) == [
        "photos wait: 4.75 GB an hour are used up, 1 min",
        "API waits: 429: the API is paused, 37 s",
    ]
    assert told("api", "", 0.0) == ["photos wait: 4.75 GB an hour are used up, 1 min"]
    now[0] += 61
    assert progress.held_up() == []


def limits() -> dict[str, str]:
    names = ("API_REQUESTS_PER_MINUTE", "API_REQUESTS_PER_DAY", "MEDIA_BYTES_PER_HOUR", "MEDIA_BYTES_PER_DAY")
    given = {f"INAT_{name}": "0" for name in names}
    return given | {
        "INAT_API_ROOT": "http://127.0.0.1:1/v1",
        "INAT_BUDGET_HOUR_SECONDS": "3600",
        "INAT_MEDIA_EXEMPT_HOSTS": "",
    }


@pytest.mark.parametrize("without", [{"INAT_OUTPUT": None}, {"INAT_PROGRESS_SECONDS": "0"}])
def test_silent_where_nothing_is_to_be_told(without: dict[str, Any]) -> None:
    settings = {"INAT_OUTPUT": "x", "INAT_PROGRESS_SECONDS": "60"} | limits() | without
    with pytest.raises(NotConfigured):
        Progress.from_crawler(get_crawler(settings_dict=settings))


# -- crawls -------------------------------------------------------------------------------------------------


class Watched:
    """A crawl whose stderr is a terminal of 80 columns."""

    def __init__(self, park: Standin, output: Path, *arguments: str) -> None:
        self.screen, terminal = os.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process: subprocess.Popen[str] = start(
            park.api_root, output, *arguments, before=lambda: dup(terminal), TERM="xterm"
        )
        os.close(terminal)
        self.shown = b""

    def read(self, until: bytes | None = None) -> bytes:
        """What was shown so far: all of it, or as soon as this is among it."""
        while until is None or until not in self.shown:
            try:
                more = os.read(self.screen, 65536)
            except OSError:  # how a terminal says that nobody has it open any more
                break
            self.shown += more
        return self.shown

    def end(self) -> int:
        self.read()
        os.close(self.screen)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def lines(self) -> list[str]:
        """All lines that were ever shown, as they were written."""
        return [line.strip() for line in re.split(r"[\r\n]+", CONTROL.sub(b"", self.shown).decode())]

    def cursor_is_shown(self) -> bool:
        return self.shown.rfind(b"\x1b[?25h") > self.shown.rfind(b"\x1b[?25l")


def dup(terminal: int) -> None:
    os.dup2(terminal, 2)


def test_a_crawl_on_a_terminal(standin: Callable[..., Standin], output: Path) -> None:
    park = standin(observations=20)
    park.add_fault("photos", "status", status=404, times=3)
    watched = Watched(park, output, PLACE, "per_page=10")
    assert watched.end() == 3
    lines = watched.lines()
    failed = [line for line in lines if "WARNING" in line]
    assert len(failed) == 3
    assert all(re.search(r"WARNING: observation \d+: photo \d+ \w+ cannot be had: 404$", line) for line in failed)
    assert [line for line in lines if "scrapy" in line.replace("inat_crawler", "")] == []
    assert any(re.fullmatch(r"observations  20 of 20 read, 20 new", line) for line in lines)
    assert "NOT complete: 20 of 20 observations, 3 photo files missing" in lines
    assert "next         the same command tries again what is missing; crawl.json names it" in lines
    assert watched.cursor_is_shown()


def test_a_crawl_in_a_log(standin: Callable[..., Standin], output: Path) -> None:
    run = crawl(standin(observations=20, latency=0.05), output, PLACE, "per_page=10", INAT_PROGRESS_SECONDS="0.2")
    told = [line for line in run.said("INFO") if re.match(r"\d+ s: ", line)]
    form = r"\d+ s: \d+( of \d+)? read(, \d+ new)?(; photos: \d+ of (about )?\d+, [\d.]+ k?M?B(, [\d.]+/s)?)?"
    assert told
    assert [line for line in told if not re.fullmatch(form, line)] == []
    assert "20 of 20 read, 20 new" in told[-1]
    assert re.match(r"complete: 20 of 20 observations \(20 new, 0 changed, 0 gone\); ", run.said("INFO")[-1])
    assert "Dumping Scrapy stats" in run.log
    assert "\x1b" not in run.log


@pytest.mark.long
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_on_a_terminal(standin: Callable[..., Standin], output: Path, times: int) -> None:
    watched = Watched(standin(observations=60, latency=1 if times == 2 else 0.1), output, PLACE)
    watched.read(until=b"60 of 60 read")
    for _ in range(times):
        watched.process.send_signal(signal.SIGINT)
        if times == 2 and b"ending: " not in watched.shown:
            watched.read(until=b"ending: ")
    assert watched.end() == 3
    assert watched.cursor_is_shown()
    assert ("why          it was told to end before it was through" in watched.lines()) is (times == 1)
