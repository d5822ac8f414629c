"""Random histories of a park and its mirror: whatever happened, a crawl that says it is complete is right.

A history is a list of steps: the park changes, time passes, hosts fail, crawls run to their end, are told to end,
are killed, or run while the park changes. One that fails is printed as a call of `play`, to be played again.
"""

from __future__ import annotations

import hashlib
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from crawling import PLACE, Crawl, finish, read_table, scaled, start
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from test_crawl import SEARCH, files_expected

from standin.client import Standin

SHARDS = scaled(20)  # as tests of their own, for several workers to share
# Hypothesis makes what follows the first ten examples by mutating them: histories that resemble each other.
HISTORIES_PER_SHARD = 10
RUNS_TO_COMPLETE = 3
PATIENCE = 60.0  # seconds
LATENCY = 0.01  # seconds; where a crawl is interrupted it should not be over before that
SIZES = "square"
MINUTE, DAY = 60, 86_400
RECORD_COLUMNS = ("id", "uuid", "updated_at", "species_guess", "quality_grade", "description", "license_code")
PHOTO_COLUMNS = ("id", "url", "license_code", "attribution")


class Step:
    """A method of History and its arguments; prints as the call of `step` that makes it."""

    def __init__(self, name: str, **arguments: Any) -> None:
        self.name, self.arguments = name, arguments

    def __repr__(self) -> str:
        return f"step({', '.join([repr(self.name), *(f'{k}={v!r}' for k, v in self.arguments.items())])})"


step = Step


class History:
    """A park and its mirror; one public method per step.

    Where a step needs an observation, `which` counts them from the newest, or negative from the oldest.
    """

    def __init__(self, park: Standin, output: Path, images: str, per_page: int) -> None:
        self.park = park
        self.output = output
        self.images = images
        self.arguments = (PLACE, f"images={images}", f"sizes={SIZES}", f"per_page={per_page}")
        self.log = ""

    def take(self, steps: Iterable[Step]) -> None:
        for each in steps:
            getattr(self, each.name)(**each.arguments)

    # -- the park changes ---------------------------------------------------------------------------------

    def insert(self, n: int, photos: int | None) -> None:
        self.park.insert(n, photos)

    def edit(self, which: int, column: str) -> None:
        for record in self.chosen(which):
            other = "casual" if record["quality_grade"] == "needs_id" else "needs_id"
            text = other if column == "quality_grade" else f"{record[column]} again"
            self.park.edit(record["id"], **{column: text})

    def delete(self, which: int, n: int) -> None:
        for _ in range(n):
            self.park.delete(*(record["id"] for record in self.chosen(which)))

    def move_out(self, which: int, touch: bool) -> None:
        self.park.move(*(record["id"] for record in self.chosen(which)), touch=touch)

    def swap_photos(self, which: int) -> None:
        for record in self.chosen(which, photos=2):
            self.park.swap_photos(record["id"])

    def replace_photo(self, which: int, index: int) -> None:
        for record in self.chosen(which, photos=1):
            self.park.replace_photo(record["id"], index % len(record["photos"]))

    def bump_photo(self, which: int, index: int) -> None:
        """The same photo may be shown by several observations: all show its new address."""
        for record in self.chosen(which, photos=1):
            index %= len(record["photos"])
            new = self.park.bump_photo_query(record["id"], index)["photos"][index]
            for other in self.park.records():
                if other["id"] != record["id"] and new["id"] in (p["id"] for p in other["photos"]):
                    self.park.edit(other["id"], **readdressed(other, new))

    def move_photo(self, which: int, index: int, license_code: str | None) -> None:
        """To the other host; `same` keeps the license."""
        for record in self.chosen(which, photos=1):
            index %= len(record["photos"])
            old = record["photos"][index]["license_code"]
            self.park.move_photo_host(record["id"], index, old if license_code == "same" else license_code)

    def chosen(self, which: int, photos: int = 0) -> list[dict[str, Any]]:
        """The record, in a list that is empty when there is none with so many photos."""
        records = [r for r in self.park.records(**SEARCH) if len(r["photos"]) >= photos]
        return [records[which % len(records)]] if records else []

    def pass_time(self, seconds: int) -> None:
        self.park.advance(seconds)

    # -- hosts fail ---------------------------------------------------------------------------------------

    def fault(self, where: str, probability: float, **fault: Any) -> None:
        self.park.add_fault(where, probability=probability, **fault)

    def clear_faults(self) -> None:
        self.park.clear_faults()

    # -- crawls -------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Crawl to the end, undisturbed; a mirror that is said to be complete is compared with the park."""
        run = self.crawl(lambda process: None)
        if run.status == 0:
            check_complete(run, self.park, self.images)
        return run.status

    def terminate(self, after: int, pause: float) -> None:
        self.crawl(lambda process: process.send_signal(signal.SIGTERM), after, pause)

    def run_while(self, after: int, steps: Sequence[Step]) -> None:
        self.crawl(lambda process: self.take(steps), after)

    def kill(self, after: int, pause: float) -> None:
        process = self.start_and_wait(after, pause)
        process.kill()
        _, self.log = process.communicate()

    def crawl(self, then: Callable[[Any], None], after: int = 0, pause: float = 0) -> Crawl:
        """Do something after so many requests; check what holds after each crawl that was not killed."""
        had = addresses_had(self.output)
        process = self.start_and_wait(after, pause)
        then(process)
        run = finish(process, self.output)
        self.log = run.log
        asked = {r["path"] for role in ("open", "static") for r in self.park.requests(role)}
        check_in_order(run)
        if self.images == "all":  # else a former first photo lies in gone/
            assert not asked & had, "what is had is not fetched again"
        return run

    def start_and_wait(self, after: int, pause: float) -> Any:
        """Start a crawl; return `pause` seconds after it sent so many requests, or when it has ended."""
        self.park.reset_log()
        self.park.latency(LATENCY if after else 0)
        process = start(self.park.api_root, self.output, *self.arguments)
        end = time.monotonic() + PATIENCE
        while process.poll() is None and len(self.park.requests()) < after:
            assert time.monotonic() < end, "the crawl sends no requests"
            time.sleep(0.01)
        time.sleep(pause)
        self.park.latency(0)
        return process


def readdressed(record: dict[str, Any], photo: dict[str, Any]) -> dict[str, Any]:
    """The changes that give a record the new address of a photo that it shows as well."""

    def changed(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "url": photo["url"]} if old["id"] == photo["id"] else old

    items = [{**item, "photo": changed(item["photo"])} for item in record["observation_photos"]]
    return {"photos": [changed(p) for p in record["photos"]], "observation_photos": items}


def addresses_had(output: Path) -> set[str]:
    """Path and query of the photos that the store says are had."""
    if not (output / "observations.sqlite").exists():
        return set()
    rows = Crawl(0, "", output).rows("SELECT url FROM files WHERE status IN ('downloaded', 'copied')")
    parts = [urlsplit(url) for (url,) in rows]
    return {p.path + (f"?{p.query}" if p.query else "") for p in parts}


# -- what holds ---------------------------------------------------------------------------------------------


def check_in_order(run: Crawl) -> None:
    """What holds after every crawl that was not killed, complete or not."""
    assert run.status in (0, 3)
    assert "Traceback" not in run.log
    account, ids = run.account, run.table()["id"].astype(int).tolist()
    assert account["exit_status"] == run.status
    assert account["observations"]["stored"] == len(ids) == len(set(ids))
    files = dict(run.rows("SELECT path, sha256 FROM files WHERE status IN ('downloaded', 'copied')"))
    assert files == {name: hashlib.sha256(content).hexdigest() for name, content in run.photos().items()}
    check_log(run, set(ids))


def check_log(run: Crawl, ids: set[int]) -> None:
    """The log of changes tells of each observation that it came, changed, and went: in this order."""
    told: dict[int, list[str]] = defaultdict(list)
    log = read_table(run.output / "changes.tsv")
    for observation_id, change in zip(log["id"].astype(int), log["change"], strict=True):
        told[observation_id].append(change)
    assert {i for i, changes in told.items() if changes[-1] != "gone"} == ids
    for observation_id, changes in told.items():
        before = ["gone", *changes]
        wrong = [pair for pair in zip(before, changes, strict=False) if (pair[0] == "gone") != (pair[1] == "new")]
        assert not wrong, f"{observation_id}: {changes}"


def check_complete(run: Crawl, park: Standin, images: str) -> None:
    """The mirror holds what the park holds, nothing else."""
    records = park.records(**SEARCH)
    ids = [record["id"] for record in records]
    assert sorted(run.table()["id"].astype(int), reverse=True) == ids
    account = run.account
    assert account["complete"] is True
    assert account["observations"]["asked"] == account["observations"]["stored"] == len(ids)
    check_rows(run, records)
    check_files(run, files_expected(park, ids, images, SIZES))
    check_feeds(run)


def check_rows(run: Crawl, records: list[dict[str, Any]]) -> None:
    stored = run.rows(f"SELECT {', '.join(RECORD_COLUMNS)} FROM observations ORDER BY id DESC")
    assert stored == [tuple(record[name] for name in RECORD_COLUMNS) for record in records]
    order = "ORDER BY observation_id DESC, position"
    stored = run.rows(f"SELECT observation_id, position, {', '.join(PHOTO_COLUMNS)} FROM photos {order}")
    shown = [(r["id"], n, photo) for r in records for n, photo in enumerate(r["photos"])]
    assert stored == [(i, n, *(photo[name] for name in PHOTO_COLUMNS)) for i, n, photo in shown]


def check_files(run: Crawl, expected: dict[str, bytes]) -> None:
    photos = run.photos()
    assert photos.keys() == expected.keys()
    assert [name for name in photos if photos[name] != expected[name]] == []
    account = run.account["photos"]
    assert account["wanted"] == sum(account[n] for n in ("downloaded", "copied", "already_there")) == len(photos)
    assert account["missing"] == 0
    assert account["failed"] == {}


def check_feeds(run: Crawl) -> None:
    """The last that feeds say of an observation is what the table says."""
    feeds = sorted(path for path in (run.output / "feed").iterdir() if path.stat().st_size)
    rows = chain.from_iterable(read_table(path).reset_index().to_dict("records") for path in feeds)
    last = {row["id"]: {**row, "change": None} for row in rows}
    for row in run.table().to_dict("records"):
        assert last.get(row["id"]) == {**row, "change": None}


# -- histories ----------------------------------------------------------------------------------------------

WHICH = st.integers(-4, 3)
INDEX = st.integers(0, 2)
# Requests that a crawl has sent when it is interrupted, and how long it goes on after that.
WHEN = {"after": st.one_of(st.integers(1, 12), st.integers(1, 60)), "pause": st.sampled_from((0, 0.02, 0.1, 0.3))}
KINDS = ("reset", "truncate", "short", "html200", "invalid_json", "empty")
BUSY = st.fixed_dictionaries({"kind": st.just("status"), "status": st.sampled_from((429, 500, 502, 503, 504))})
# It costs a second each time, three where it is a date.
ASKED_TO_WAIT = st.sampled_from(({"retry_after": "1", "times": 2}, {"retry_after": "http-date", "times": 1}))
FAULT = st.one_of(
    st.sampled_from(KINDS).map(lambda kind: {"kind": kind}),
    BUSY,
    st.builds(lambda busy, wait: busy | wait, BUSY, ASKED_TO_WAIT),
)


def of(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.builds(step, st.just(name), **arguments)


CHANGE = st.one_of(
    of("insert", n=st.integers(1, 4), photos=st.sampled_from((None, 0, 1, 3))),
    of("edit", which=WHICH, column=st.sampled_from(("description", "species_guess", "quality_grade"))),
    of("delete", which=WHICH, n=st.integers(1, 3)),
    of("move_out", which=WHICH, touch=st.booleans()),
    of("swap_photos", which=WHICH),
    of("replace_photo", which=WHICH, index=INDEX),
    of("bump_photo", which=WHICH, index=INDEX),
    of("move_photo", which=WHICH, index=INDEX, license_code=st.sampled_from(("same", None, "cc-by"))),
)
CIRCUMSTANCE = st.one_of(
    of("pass_time", seconds=st.sampled_from((20 * MINUTE, DAY, 40 * DAY))),
    st.builds(
        lambda where, probability, fault: step("fault", where=where, probability=probability, **fault),
        st.sampled_from(("api", "photos")),
        st.sampled_from((0.03, 0.08, 0.15)),
        FAULT,
    ),
    of("clear_faults"),
)
CRAWL = st.one_of(
    of("run"),
    of("kill", **WHEN),
    of("terminate", **WHEN),
    of("run_while", after=WHEN["after"], steps=st.lists(CHANGE, min_size=1, max_size=3)),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Steps with one to three crawls among them."""
    steps = []
    for crawl in draw(st.lists(CRAWL, min_size=1, max_size=3)):
        steps += [*draw(st.lists(CIRCUMSTANCE, max_size=2)), crawl, *draw(st.lists(CHANGE, max_size=5))]
    return steps


def play(folder: Path, observations: int, images: str, per_page: int, steps: Sequence[Step]) -> None:
    """Play a history; then, undisturbed, the mirror becomes complete."""
    with Standin(observations=observations, original_pixels=320) as park:
        history = History(park, folder / "mirror", images, per_page)
        try:
            history.take([*steps, step("clear_faults")])
            statuses = []
            while 0 not in statuses and len(statuses) < RUNS_TO_COMPLETE:
                statuses.append(history.run())
            assert 0 in statuses
        except AssertionError as error:
            call = f"play(tmp_path, {observations}, {images!r}, {per_page}, {[*steps]!r})"
            raise AssertionError(f"{error}\n\n{call}\n\nlog of the last crawl:\n{history.log}") from error


@pytest.mark.long
@pytest.mark.parametrize("shard", range(SHARDS))
def test_random_histories(tmp_path_factory: pytest.TempPathFactory, shard: int) -> None:
    @seed(shard)
    @settings(
        max_examples=HISTORIES_PER_SHARD,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(10, 40), st.sampled_from(("first", "all")), st.sampled_from((5, 200)), histories())
    def play_one(observations: int, images: str, per_page: int, steps: list[Step]) -> None:
        play(tmp_path_factory.mktemp("history"), observations, images, per_page, steps)

    play_one()
