"""`scrapy forecast`, and the line that a crawl begins with: what is told is what then happens."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crawling import PLACE, ROOT, crawl
from test_crawl import LETTERS, SEARCH, files_expected
from test_docs import rows

from inat_crawler import settings
from inat_crawler.api.query import FetchOptions, Query
from inat_crawler.api.sample import Sample
from inat_crawler.budget.limits import Limits, shown
from inat_crawler.forecast import Counts, Forecast, make_forecast, photos_each, requests_left
from inat_crawler.forecast.texts import line, remarks, table
from inat_crawler.items import Observation, Page, Photo, PhotoFile, Wants, Window
from inat_crawler.store import Store, sqlite_in
from inat_crawler.store.holdings import Holdings, look_into
from standin.client import Standin

Start = Callable[..., Standin]
QUERY = Query({"place_id": "1"})
HELD = Holdings(450, begun=True, finished=True)
HALF = Holdings(200, begun=True)


@pytest.mark.parametrize(
    ("left", "matching", "options", "holdings", "due", "requests"),
    [
        (0, 0, {}, Holdings(), False, 2),  # the empty page, the count
        (200, 200, {}, Holdings(), False, 3),
        (201, 201, {}, Holdings(), False, 4),
        (10, 10, {"per_page": 1}, Holdings(), False, 12),
        (450, 450, {"audit": "always"}, Holdings(), False, 9),  # and three pages of ids with an empty one
        (250, 450, {}, HALF, False, 7),
        (0, 450, {}, HELD, False, 4),
        (0, 450, {}, HELD, True, 8),
        (0, 449, {}, HELD, False, 8),  # one is gone
        (201, 651, {}, HELD, False, 6),
        (100, 450, {"limit": 100}, Holdings(), False, 1),
        (450, 450, {"limit": 500}, Holdings(), False, 4),
        (100, 450, {"limit": 300}, HALF, False, 2),
        (0, 450, {"limit": 450}, HELD, True, 0),
        (0, 450, {"limit": 500}, HELD, True, 1),
    ],
)
def test_requests(
    left: int, matching: int, options: dict[str, Any], holdings: Holdings, due: bool, requests: int
) -> None:
    assert requests_left(left, matching, FetchOptions(**options), holdings, due) == requests


@pytest.mark.parametrize(
    ("params", "images", "counts", "holdings", "each"),
    [
        ({}, "none", Counts(10, 8), Holdings(), 0),
        ({}, "first", Counts(10, 8), Holdings(), 0.8),
        ({}, "all", Counts(10, 8, Sample(10, 5, 15)), Holdings(), 2.4),
        ({}, "first", Counts(10, None, Sample(10, 5, 15)), Holdings(), 0.5),
        ({"photos": "false"}, "all", Counts(10), Holdings(), 0),
        ({"photo_license": "cc0"}, "all", Counts(10, None, Sample(10, 5, 15)), Holdings(), 3),
        ({}, "all", Counts(10), Holdings(5, photos=20), 4),
        ({}, "all", Counts(0), Holdings(), 1),
        ({}, "first", Counts(10, 11), Holdings(), 1),  # more were counted a moment later
    ],
)
def test_photos_each(params: dict[str, str], images: Any, counts: Counts, holdings: Holdings, each: float) -> None:
    assert photos_each(Query(params), FetchOptions(images=images), counts, holdings) == pytest.approx(each)


@pytest.mark.parametrize(
    ("wants", "with_photos", "photos"),
    [
        (Wants("first", ()), 2, 3),
        (Wants("all", ()), 2, 3),
        (Wants("first", (), ("cc0",)), 1, 1),
        (Wants("all", (), ("cc0",)), 2, 2),
        (Wants("all", (), ("cc-by",)), 0, 0),
    ],
)
def test_a_sample_counts_the_photos_that_are_wanted(wants: Wants, with_photos: int, photos: int) -> None:
    cc0, none = (lambda n: Photo(n, n, license_code="CC0")), (lambda n: Photo(n, n))
    found = [Observation(7, photos=[cc0(0), none(1)]), Observation(8, photos=[Photo(3, 1, license_code="cc0")])]
    sample = Sample.of([*found, Observation(9)], wants)
    assert (sample.observations, sample.with_photos, sample.photos) == (3, with_photos, photos)


def test_photos_of_some_licenses_are_told_from_the_sample() -> None:
    options = FetchOptions(images="first", image_licenses=("cc0",))
    for params in ({}, {"photos": "true"}):
        counts = Counts(100, None, Sample(50, 10, 10))
        assert photos_each(Query(params), options, counts, Holdings()) == pytest.approx(0.2)


def limits(root: str = "https://api.inaturalist.org/v1", **values: object) -> Limits:
    own = {name: value for name, value in vars(settings).items() if name.startswith("INAT_")}
    return Limits({**own, "INAT_API_ROOT": root, **values})


def forecast(counts: Counts, holdings: Holdings = Holdings(), **options: Any) -> Forecast:  # noqa: B008 - frozen
    return make_forecast(QUERY, FetchOptions(**options), limits(), counts, holdings)


WHOLE = Counts(37_000, 37_000, Sample(50, 50, 80, 80, 80 * 741_836))
SUMS = {"square": (30, 180_000), "medium": (30, 2_700_000)}


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (
            forecast(WHOLE),
            "37,000 observations (187 requests); about 37,000 photos in 3 sizes, 31 GB; "
            "22.8 GB a day binds: at least 1.4 days",
        ),
        (
            forecast(WHOLE, sizes=("square", "medium")),
            "37,000 observations (187 requests); about 37,000 photos in 2 sizes, 3.55 GB; "
            "55 requests a minute binds: at least 3 min 24 s",
        ),
        (
            forecast(Counts(1), images="none"),
            "1 observation (3 requests); no photos; 55 requests a minute binds: at least 3 s",
        ),
        (
            forecast(WHOLE, Holdings(30, True, photos=30, had=SUMS, all_files=SUMS), sizes=("square", "medium")),
            "30 observations and 60 photo files (2.88 MB) are there, 36,970 more to read (190 requests); "
            "about 73,940 photo files to fetch, 3.55 GB; 55 requests a minute binds: at least 3 min 27 s",
        ),
        (
            forecast(Counts(30), Holdings(30, True, True, photos=30, had=SUMS), sizes=("square", "medium")),
            "30 observations and 60 photo files (2.88 MB) are there; to bring them in step takes about 4 requests "
            "if little has changed",
        ),
        (
            forecast(Counts(99), Holdings(30, True, photos=30, had=SUMS), sizes=("square", "medium"), limit=30),
            "30 observations and 60 photo files (2.88 MB) are there, which a limited mirror is content with",
        ),
    ],
)
def test_the_line(told: Forecast, text: str) -> None:
    assert line(told) == f"forecast: {text}"


def test_what_else_is_said() -> None:
    [remark] = remarks(forecast(WHOLE))
    assert remark.startswith("1.4 days: the crawl stops when a day's budget is spent, and goes on with the same")
    gone = forecast(Counts(29), Holdings(30, True, True))
    assert remarks(gone) == ["iNaturalist counts 29: some are gone, and a crawl clears them away."]
    host = "inaturalist-open-data.s3.amazonaws.com"
    exempt = make_forecast(
        QUERY, FetchOptions(), limits(INAT_MEDIA_EXEMPT_HOSTS=host), Counts(0), Holdings(trouble="so and so")
    )
    assert remarks(exempt) == [
        "Nothing in the folder is counted: so and so.", f"Photos of these hosts fall under no limit: {host}.",
    ]  # fmt: skip


def test_no_limits_and_what_was_used() -> None:
    names = ("API_REQUESTS_PER_MINUTE", "API_REQUESTS_PER_DAY", "MEDIA_BYTES_PER_HOUR", "MEDIA_BYTES_PER_DAY")
    free = limits("http://127.0.0.1:1/v1", **{f"INAT_{name}": 0 for name in names})
    told = make_forecast(QUERY, FetchOptions(), free, WHOLE, Holdings())
    assert told.binding is None
    assert line(told).endswith("; no limit holds it up")
    assert "No limit is in force." in table(told, "q", "/x")
    own = limits()
    spent = {own.media[1]: [(40_000.0, 22.8e9)]}
    told = make_forecast(QUERY, FetchOptions(), own, Counts(1000, 1000), Holdings(), used=spent)
    assert told.binding is not None
    assert told.binding == (own.media[1], 40_000.0)


# -- what is had -----------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A mirror of two observations with three photos, of which two small files are had."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    store = Store.of(sqlite_in(folder), QUERY)
    window = store.windows.open(0, None)
    found = [Observation(9, photos=[Photo(1, 0), Photo(2, 1)]), Observation(8, photos=[Photo(3, 0)])]
    after = Window(window.window_id, 0, cursor=8, top=9, total=5, read=2)
    for o in found:
        o.record = b"{}"
    store.save_page(Page(window, after, found, served_at="2026-11-25T10:00:00Z"))
    file = PhotoFile("square", "https://a/square.jpg", "downloaded", path="9Sq.jpg", bytes=1000)
    other = PhotoFile("small", "https://a/small.jpg", "downloaded", path="9S.jpg", bytes=3000)
    store.files.save([(9, 1, file), (9, 1, other)])
    yield store
    store.close()


HAD = Holdings(2, True, False, 3, None, 2, {"square": (1, 1000)}, {"square": (1, 1000), "small": (1, 3000)})


def look(folder: Path, query: Query = QUERY) -> Holdings:
    """What lies in the folder, which is left as it is."""
    before = state(folder)
    holdings = look_into(sqlite_in(folder), query.key, Wants("first", ("square", "medium")))
    assert state(folder) == before
    return holdings


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """All files below, but for the index in shared memory through which readers of SQLite find each other."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    return {str(p): (b"" if p.name.endswith("-shm") else p.read_bytes(), p.stat().st_mtime_ns) for p in files}


def test_holdings(store: Store, tmp_path: Path) -> None:
    folder, killed = tmp_path / "mirror", tmp_path / "killed # ?"
    assert (folder / "observations.sqlite-wal").stat().st_size > 0
    assert look(folder) == HAD, "while it is written"
    shutil.copytree(folder, killed)
    store.close()
    assert [p.name for p in folder.iterdir()] == ["observations.sqlite"]
    assert look(folder) == HAD
    assert look_into(sqlite_in(killed), QUERY.key, Wants("first", ("square", "medium"))) == HAD
    assert look_into(f"sqlite:///{folder}/observations.sqlite", QUERY.key, Wants("all", ())).photos == 3
    assert (
        "another query (geo=any identified=any place_id=1 rank=any)"
        in look(folder, Query({"place_id": "2"})).trouble
    )


def test_no_holdings(store: Store, tmp_path: Path) -> None:
    folder, empty = tmp_path / "mirror", tmp_path / "empty"
    assert look(tmp_path / "nowhere") == Holdings()
    assert not (tmp_path / "nowhere").exists()
    empty.mkdir()
    Store.of(sqlite_in(empty), QUERY).close()
    assert look(empty, Query({"place_id": "2"})) == Holdings(), "it makes room"
    for version, age in ((1, "an older"), (99, "a newer")):
        with store.database.writing() as db:
            db.exec_driver_sql(f"UPDATE schema_version SET version = {version}")
        assert look(folder) == Holdings(trouble=f"{age} version of this program wrote its store")
    (empty / "observations.sqlite").write_bytes(b"no database at all, but long enough to be taken for one" * 20)
    assert look(empty) == Holdings(trouble="its store cannot be read: file is not a database")


# -- the command -----------------------------------------------------------------------------------------------


def ask(api_root: str, *options: str, **values: str) -> tuple[int, str, str]:
    """Exit status, what it printed, and what it said besides."""
    environment = {
        **os.environ,
        "INAT_API_ROOT": api_root,
        "INAT_BACKOFF_SECONDS": "0.01",
        "INAT_CONTACT": "tests@park.example",
        **values,
    }
    command = [sys.executable, "-m", "scrapy", "forecast", *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def keys(value: Any, prefix: str = "") -> set[str]:
    """Dotted names of all keys; sizes are one, and so are the entries of a list."""
    if isinstance(value, list):
        return set().union(*(keys(v, f"{prefix}[]") for v in value)) or {prefix}
    if not isinstance(value, dict):
        return {prefix.removesuffix("[]")}
    dotted = {k: "SIZE" if prefix == "sizes" else k for k in value}
    return set().union(*(keys(v, f"{prefix}.{dotted[k]}".lstrip(".")) for k, v in value.items()))


def test_json_alone_is_printed(standin: Start, output: Path) -> None:
    park = standin(observations=40)
    options = ("-a", PLACE, "-a", f"output={output}", "-a", "images=all", "-a", "sizes=square,original")
    status, printed, log = ask(park.api_root, *options, "--json", "-L", "DEBUG")
    assert status == 0, log
    assert "DEBUG: " in log
    told = json.loads(printed)
    assert keys(told) == rows("forecast.md").keys()
    records = park.records(**SEARCH)
    photos = sum(len(r["photos"]) for r in records)
    assert told["observations"] == {"matching": 40, "all": 40, "had": 0, "left": 40}
    assert told["photos"] == photos == told["sizes"]["original"]["files"]["left"]
    assert told["requests"] == 3
    assert told["files"]["left"] == 2 * photos
    assert [each["limit"] for each in told["limits"] if each["binds"]] == ["55 requests a minute"]
    assert not output.exists()
    asked = park.requests("api")
    assert len(asked) == 3
    assert all("id_above=0" in str(each) for each in asked)


@pytest.mark.long
def test_the_table_and_what_then_happens(standin: Start, output: Path) -> None:
    park = standin(observations=40)
    rate = {
        "INAT_API_REQUESTS_PER_MINUTE": "600",
        "INAT_MEDIA_BYTES_PER_HOUR": "0",
        "INAT_MEDIA_BYTES_PER_DAY": "700000",
    }
    first = crawl(park, output, PLACE, "limit=30", "sizes=square,medium")
    [line_] = [said for said in first.said("INFO") if said.startswith("forecast: ")]
    with_photos = sum(bool(r["photos"]) for r in park.records(**SEARCH)[:30])
    assert line_.startswith(f"forecast: 30 observations (1 request); about {with_photos} photos in 2 sizes, ")
    park.reset_log()
    before = state(output)
    status, printed, said = ask(
        park.api_root, "-a", PLACE, "-a", f"output={output}", "-a", "sizes=square,medium,large", **rate
    )
    assert (status, said) == (0, "")
    assert state(output) == before
    assert len(park.requests("api")) == 2
    assert printed == TABLE.format(output=output, **amounts(first.photos(), 35))

    park.reset_log()
    crawl(park, output, PLACE, "sizes=square,medium,large")
    predicted = re.search(r"requests to the API +([0-9]+)", printed)
    assert predicted
    assert len(park.requests("api")) == int(predicted[1])
    files = files_expected(park, park.ids(**SEARCH), sizes="square,medium,large")
    counted = re.search(r"photo files +([0-9]+)", printed)
    assert counted
    assert len(files) == int(counted[1])
    park.reset_log()
    again = crawl(park, output, PLACE, "sizes=square,medium,large")
    [line_] = [said for said in again.said("INFO") if said.startswith("forecast: ")]
    assert line_.startswith(f"forecast: 40 observations and {len(files)} photo files (")
    assert "takes about 4 requests" in line_
    assert len(park.requests("api")) == 4


TABLE = """\
Query:  geo=true identified=true place_id=128892 rank=species
Folder: {output}

                           in all    there now     to fetch
observations                   40           30           10
photo files                   105           52           53
  square            {square}
  medium            {medium}
  large                   10.5 MB          0 B      10.5 MB
  all sizes         {every}
requests to the API                                       6

Bytes of a file, as estimated
  square            {mean_square}  mean of 26 files there
  medium            {mean_medium}  mean of 26 files there
  large                    300 kB  typical

Time that each limit takes
  600 requests a minute                  1 s
  9,500 requests a day     fits into one day
  700 kB a day            {days:>13} days   <- binds

{days} days: the crawl stops when a day's budget is spent, and goes on with the
same command; -a wait=true waits.
"""


def amounts(photos: dict[str, bytes], wanted: int) -> dict[str, str]:
    """The amounts of bytes in the table, from the files of the mirror; large ones take 300 kB each."""
    had, left, told = 0, wanted * 300_000, {}
    for size in ("square", "medium"):
        each = [len(body) for name, body in photos.items() if f"{LETTERS[size]}." in name]
        rest = round((wanted - len(each)) * sum(each) / len(each))
        told |= {size: row(sum(each), rest), f"mean_{size}": f"{shown(sum(each) / len(each), 'bytes'):>13}"}
        had, left = had + sum(each), left + rest
    return told | {"every": row(had, left), "days": f"{left / 700_000:.1f}"}


def row(had: int, left: int) -> str:
    return "".join(f"{shown(n, 'bytes'):>13}" for n in (had + left, had, left))


@pytest.mark.long
def test_exit_statuses(standin: Start, output: Path) -> None:
    park = standin(observations=5)
    to = ("-a", f"output={output}")
    status, printed, said = ask(park.api_root, "-a", "place_id=999", *to)
    assert (status, printed) == (1, "")
    assert said.startswith("error: the API answered 422: ")
    assert "Unknown place_id 999" in said
    status, printed, said = ask(park.api_root, "-a", "place=Parque Marinho Luiz Saldanha", "--json", *to)
    assert (status, json.loads(printed)["observations"]["matching"], said) == (0, 5, "")
    park.reset_log()
    assert ask(park.api_root, "-a", "plce_id=1", *to) == (
        1, "", "error: spider argument `plce_id`: unknown; did you mean `place_id`?: '1'\n",
    )  # fmt: skip
    assert park.requests() == []
    status, printed, said = ask("http://127.0.0.1:1/v1", "-a", PLACE, *to, "-s", "RETRY_TIMES=0")
    assert (status, printed) == (3, "")
    assert said.startswith("error: cannot reach the API: ")
    assert "; asked for http://127.0.0.1:1/v1/observations?" in said
    assert not output.exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (("place_id=1",), "arguments are given as -a name=value"),
        (("-a", "place_id=1", "-a", "place_id=2"), "given twice"),
        (("-a", "place_id=1", "-a", "repair=true"), "asks for no observations"),
        (("-a", "place_id=1", "-s", "INAT_API_REQUESTS_PER_DAY=x"), "not a number"),
        (("-a", "place_id=1", "-s", "INAT_API_ROOT=ftp://x"), "not an address"),
    ],
)
def test_slips(options: tuple[str, ...], rule: str) -> None:
    status, printed, said = ask("http://127.0.0.1:1/v1", *options)
    assert (status, printed) == (1, "")
    assert said.startswith("error: ")
    assert rule in said
    assert said.count("\n") == 1


@pytest.mark.long
def test_questions_that_need_not_be_asked(standin: Start, output: Path) -> None:
    park = standin(observations=40)
    for options, asked in (
        (("images=none",), 1),
        (("sizes=square",), 2),
        (("photos=true", "sizes=square"), 1),
        (("photos=true",), 2),
        (("photos=false",), 1),
        (("limit=5",), 3),
    ):
        park.reset_log()
        given = [part for option in (PLACE, f"output={output}", *options) for part in ("-a", option)]
        assert ask(park.api_root, *given)[0] == 0
        assert len(park.requests("api")) == asked, options
