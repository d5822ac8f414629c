"""The main job, end to end over real sockets: a query becomes a mirror, and every case of it that can go wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from crawling import DEFAULT_PUBLISH, PLACE, ROOT, Crawl, crawl, finish, read_table, start
from original_script import write_table as write_original_table

from standin.client import Standin

Start = Callable[..., Standin]
SEARCH = {"place_id": "128892", "geo": "true", "identified": "true", "rank": "species"}
LETTERS = {"square": "Sq", "medium": "M", "original": "O", "thumb": "Th", "small": "S", "large": "L"}


def files_expected(standin: Standin, ids: list[int], images: str = "first", sizes: str = "square,medium,original"):
    """File name -> the served bytes, from the stand-in's own records."""
    expected = {}
    for record in map(standin.record, ids):
        for position, photo in enumerate(record["photos"][: 1 if images == "first" else None]):
            stem = f"{record['id']}" if position == 0 else f"{record['id']}_{photo['id']}"
            extension = urlsplit(photo["url"]).path.rpartition(".")[2].lower()
            extension = {"jpeg": "jpg", "": "jpg"}.get(extension, extension)
            for size in sizes.split(","):
                expected[f"{stem}{LETTERS[size]}.{extension}"] = standin.photo(photo["id"], size)
    return expected


def newest_first(records: list[dict]) -> list[dict]:
    return sorted(records, key=lambda r: (datetime.fromisoformat(r["created_at"]), r["id"]), reverse=True)


def photo_paths(standin: Standin) -> Counter[str]:
    return Counter(r["path"] for role in ("open", "static") for r in standin.requests(role))


def test_a_mirror_of_a_park(standin: Start, output: Path) -> None:
    park = standin(observations=300)
    run = crawl(park, output, PLACE, DEFAULT_PUBLISH)
    ids = park.ids(**SEARCH)

    assert run.status == 0, run.log
    assert run.said("WARNING") == run.said("ERROR") == []
    assert {p.name for p in output.iterdir()} == {
        ".lock", ".published.json", "ATTRIBUTION.md", "changes.tsv", "crawl.json", "dataFrame.csv", "feed",
        "images", "observations.sqlite", "photos.tsv", "report.html",
    }  # fmt: skip
    assert run.photos() == files_expected(park, ids)
    assert set(photo_paths(park).values()) == {1}, "each file is fetched once"
    assert len(park.requests("api")) == 4  # two pages, an empty one, and the count

    account = run.account
    assert account["complete"] is True
    assert account["observations"] == {
        "asked": 300, "stored": 300, "new": 300, "changed": 0, "unchanged": 0, "gone": 0,
        "read_to_the_end": True, "reconciled": True, "missing": [], "malformed": [],
    }  # fmt: skip
    wanted = len(run.photos())
    assert account["photos"]["wanted"] == account["photos"]["downloaded"] + account["photos"]["copied"] == wanted
    assert account["photos"]["missing"] == 0
    assert account["photos"]["failed"] == {}

    [feed] = (output / "feed").iterdir()
    assert sorted(map(int, read_table(feed).index), reverse=True) == ids
    assert read_table(feed).columns.tolist() == [
        "taxon.name", "quality_grade", "time_observed_at", "species_guess", "license_code", "observed_on",
        "community_taxon_id", "Longitude", "Latitude", "change",
    ]  # fmt: skip

    again = crawl(park, output, PLACE)
    assert again.status == 0
    assert again.account["observations"]["stored"] == 300
    assert again.table().equals(run.table())
    assert set(photo_paths(park).values()) == {1}, "what is there is not fetched again"
    assert len(list((output / "feed").iterdir())) == 1, "nothing new, no feed"


@pytest.mark.long
def test_more_than_ten_thousand_results(standin: Start, output: Path) -> None:
    world = standin(observations=12_500)
    run = crawl(world, output, PLACE, "images=none")
    requests = world.requests("api")

    assert run.status == 0, run.log
    assert run.account["observations"]["stored"] == 12_500
    assert sorted(run.table()["id"].astype(int), reverse=True) == world.ids(**SEARCH)
    assert len(requests) <= 63 + 4
    assert {r["status"] for r in requests} == {200}


def test_observations_arrive_before_every_page(standin: Start, output: Path) -> None:
    world = standin(observations=900)
    there_at_the_start = world.ids(**SEARCH)
    world.before_page(insert=25, maximum=1000)
    run = crawl(world, output, PLACE, "images=none", "per_page=50")

    ids = run.table()["id"].astype(int).tolist()
    assert run.status == 0
    assert len(set(ids)) == len(ids)
    assert set(there_at_the_start) <= set(ids)


def test_all_photos_to_the_byte(standin: Start, output: Path) -> None:
    check_all_photos(standin(observations=120), output, original=320)


@pytest.mark.long
def test_all_photos_in_their_real_size_to_the_byte(standin: Start, output: Path) -> None:
    check_all_photos(standin(observations=250, original_pixels=2048), output, original=2048)


def check_all_photos(park: Standin, output: Path, original: int) -> None:
    run = crawl(park, output, PLACE, "images=all")
    assert run.status == 0, run.log
    assert run.photos() == files_expected(park, park.ids(**SEARCH), images="all")
    assert set(photo_paths(park).values()) == {1}
    rows = run.rows("SELECT size, MAX(MAX(width, height)) FROM files GROUP BY size")
    assert dict(rows) == {"square": 75, "medium": min(500, original), "original": original}


def test_the_table_is_that_of_the_original_script(standin: Start, output: Path, tmp_path: Path) -> None:
    world = standin(observations=1200)
    run = crawl(world, output, PLACE, "images=none")
    records = newest_first([world.record(i) for i in world.ids(**SEARCH)])
    write_original_table([records[i : i + 200] for i in range(0, 1200, 200)], tmp_path / "original.csv")
    original = read_table(tmp_path / "original.csv")

    assert run.status == 0
    assert run.table().index.astype(int).tolist() == list(range(1200))
    assert run.table().columns.tolist() == original.columns.tolist()
    for column in original.columns:
        assert run.table()[column].tolist() == original[column].tolist(), column
    assert any("\r" in text and "\n" not in text for text in original["species_guess"]), "the oracle has the case"


@pytest.mark.skipif(
    "INAT_TEST_RECORDS" not in os.environ, reason="INAT_TEST_RECORDS names no file of real records"
)
def test_real_records(standin: Start, output: Path) -> None:
    records = Path(os.environ["INAT_TEST_RECORDS"])
    world = standin(records=records)
    originals = {r["id"]: r for r in map(json.loads, records.read_text().splitlines())}
    run = crawl(world, output, "everything=true", "geo=any", "identified=any", "rank=any", "images=all")

    assert run.status == 0, run.log
    assert set(run.table()["id"].astype(int)) == set(originals)
    assert run.photos() == files_expected(world, list(originals), images="all")
    for row in run.table().to_dict("records"):
        record = originals[int(row["id"])]
        latitude, _, longitude = (record["location"] or "").partition(",")
        assert (row["Latitude"], row["Longitude"]) == (latitude, longitude)
        assert row["species_guess"] == (record["species_guess"] or "")
        assert row["taxon.name"] == ((record["taxon"] or {}).get("name") or "")


WRONG_ARGUMENTS = [
    ("plce_id=1", "plce_id", "did you mean `place_id`"),
    ("d1=2024-13-01", "d1", "not a date (YYYY-MM-DD): '2024-13-01'"),
    ("geo=true", "everything", "everything=true"),
]


def test_wrong_arguments_request_nothing(standin: Start, output: Path) -> None:
    world = standin(observations=1)

    def wrong(case: tuple[str, str, str]) -> Crawl:
        return crawl(world, output, case[0])

    with ThreadPoolExecutor(2) as pool:
        for (argument, name, rule), run in zip(WRONG_ARGUMENTS, pool.map(wrong, WRONG_ARGUMENTS), strict=True):
            last = run.log.splitlines()[-1]
            assert run.status == 1, argument
            assert last.startswith(f"error: spider argument `{name}`: "), last
            assert rule in last
            assert "Traceback" not in run.log
    assert world.requests() == []
    assert not output.exists()


WRONG_SETTINGS = [
    ("INAT_API_REQUESTS_PER_MINUTE", "many"),
    ("INAT_API_ROOT", "http://127.0.0.1:abc/v1"),
    ("INAT_WANTS", "all"),
    ("CONCURRENT_REQUESTS_PER_DOMAIN", "0"),
    ("INAT_STORE_URL", "sqlite://"),
    ("INAT_STORE_URL", "postgresql+nosuchdriver://127.0.0.1/x"),
]


def test_wrong_settings_request_nothing(standin: Start, output: Path) -> None:
    world = standin(observations=1)

    def wrong(case: tuple[str, str]) -> Crawl:
        return crawl(world, output / str(WRONG_SETTINGS.index(case)), PLACE, f"-s{case[0]}={case[1]}")

    with ThreadPoolExecutor(2) as pool:
        for (setting, value), run in zip(WRONG_SETTINGS, pool.map(wrong, WRONG_SETTINGS), strict=True):
            last = run.log.splitlines()[-1]
            assert run.status == 1, (setting, value)
            assert last.startswith(("error: the store", f"error: setting {setting}: ")), last
            assert "Traceback" not in run.log
    assert world.requests() == []


def test_a_query_that_the_api_refuses(standin: Start, output: Path) -> None:
    world = standin(observations=1)
    run = crawl(world, output, "place_id=999999999")
    assert run.status == 1
    assert len(world.requests("api")) == 1
    assert len(run.said("ERROR")) == 1
    assert "Unknown place_id" in run.said("ERROR")[0]
    # The slip left nothing behind: the same output takes the query that was meant.
    assert crawl(world, output, PLACE).status == 0


def test_no_network_is_said_in_one_line(output: Path) -> None:
    run = finish(start("http://127.0.0.1:1/v1", output, PLACE), output)
    assert run.status == 3
    assert len(run.said("ERROR")) == 1
    assert run.said("ERROR")[0].startswith("cannot reach the API: ")
    assert "; asked for http://127.0.0.1:1/v1/observations?" in run.said("ERROR")[0]
    assert "Traceback" not in run.log
    assert run.account["complete"] is False


def test_another_query_would_tear_the_mirror_apart(standin: Start, output: Path) -> None:
    park = standin(observations=20)
    assert crawl(park, output, PLACE, "images=none").status == 0
    table = (output / "dataFrame.csv").read_bytes()
    before = len(park.requests())
    run = crawl(park, output, PLACE, "rank=any", "images=none")
    assert run.status == 1
    assert "geo=true identified=true place_id=128892 rank=species" in run.log.splitlines()[-1]
    assert "geo=true identified=true place_id=128892 rank=any." in run.log.splitlines()[-1]
    assert len(park.requests()) == before
    assert (output / "dataFrame.csv").read_bytes() == table


@pytest.mark.long
def test_a_limited_mirror_goes_on_below(standin: Start, output: Path) -> None:
    park = standin(observations=300)
    ids = park.ids(**SEARCH)

    first = crawl(park, output, PLACE, "limit=120", "images=none")
    assert (first.status, first.account["limited"], first.account["complete"]) == (0, True, True)
    assert sorted(first.table()["id"].astype(int), reverse=True) == ids[:120]

    inserted = park.insert(5)
    second = crawl(park, output, PLACE, "limit=250", "images=none")
    assert (second.status, second.account["limited"]) == (0, True)
    assert set(second.table()["id"].astype(int)) == {*inserted, *ids[:245]}
    assert second.account["observations"]["new"] == 130

    # Twice in a row nothing new above: then something new again.
    assert crawl(park, output, PLACE, "limit=260", "images=none").account["observations"]["new"] == 10
    inserted += park.insert(1)
    assert crawl(park, output, PLACE, "limit=261", "images=none").account["observations"]["new"] == 1

    last = crawl(park, output, PLACE, "images=none")
    assert (last.status, last.account["limited"]) == (0, False)
    assert set(last.table()["id"].astype(int)) == {*inserted, *ids}
    assert last.account["observations"]["new"] == 45, "what is stored is not read again"


@pytest.mark.long
def test_widening_fetches_what_is_missing_and_narrowing_deletes_nothing(standin: Start, output: Path) -> None:
    park = standin(observations=60)
    ids = park.ids(**SEARCH)
    assert crawl(park, output, PLACE, "limit=40", "sizes=square").status == 0
    assert crawl(park, output, PLACE, "limit=40", "sizes=square,small", "images=all").status == 0
    wide = files_expected(park, ids[:40], "all", "square,small")
    run = crawl(park, output, PLACE, "limit=40", "images=none")
    assert run.photos() == wide
    assert set(photo_paths(park).values()) == {1}


def test_scrapy_feeds_keep_their_meaning(standin: Start, output: Path, tmp_path: Path) -> None:
    park = standin(observations=30)
    run = crawl(park, output, PLACE, "images=none", f"-O{tmp_path}/x.jsonl", f"-O{tmp_path}/x.tsv")
    items = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert run.status == 0
    assert sorted((i["id"] for i in items), reverse=True) == park.ids(**SEARCH)
    assert {"latitude", "longitude", "photos", "change"} <= items[0].keys()
    assert not {"record", "page"} & items[0].keys()
    assert len(read_table(tmp_path / "x.tsv")) == 30
    assert not (output / "feed").exists()


def test_scrapy_itself_works_as_in_any_project(standin: Start) -> None:
    api = standin(observations=5).api_root

    def scrapy(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scrapy", *arguments]
        return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)

    assert scrapy("list").stdout == "observations\n"
    assert scrapy("check").returncode == 0
    shell = scrapy("shell", f"{api}/observations?place_id=128892&rank=species", "-c", "response.status")
    assert shell.stdout.strip() == "200"
    assert "Traceback" not in shell.stderr


# kind of fault -> the reason that is kept
BAD_PHOTOS = {
    "status": "404",
    "html200": "not an image",
    "empty": "empty body",
    "short": "truncated image|not an image|broken image.*",
    "bomb": "decompression bomb",
    "wrong_format": "(PNG|JPEG|GIF), not .*",
}


def test_what_is_no_photo_is_counted_and_never_saved(standin: Start, output: Path) -> None:
    park = standin(observations=120)
    records = [r for r in map(park.record, park.ids(**SEARCH)) if r["photos"]]
    # An empty extension promises no format: another one is no fault there.
    struck = [r for r in records if not urlsplit(r["photos"][0]["url"]).path.endswith(".")]
    kinds = {r["photos"][0]["id"]: list(BAD_PHOTOS)[n % len(BAD_PHOTOS)] for n, r in enumerate(struck)}
    for kind in BAD_PHOTOS:
        ids = [photo_id for photo_id, k in kinds.items() if k == kind]
        park.add_fault("photos", kind, status=404, ids=ids, sizes=["medium"])
    run = crawl(park, output, PLACE)
    every = files_expected(park, [r["id"] for r in records])
    bad = {r["id"] for r in struck}

    assert run.status == 3
    assert run.account["complete"] is False
    assert run.photos() == {
        n: b for n, b in every.items() if not (int(re.split(r"\D", n)[0]) in bad and "M." in n)
    }
    failed = [(f, reason) for reason, files in run.account["photos"]["failed"].items() for f in files]
    assert {(f["observation"], f["size"]) for f, _ in failed} == {(i, "medium") for i in bad}
    for file, reason in failed:
        assert re.fullmatch(BAD_PHOTOS[kinds[file["photo"]]], reason), (kinds[file["photo"]], reason)
    assert len(run.said("WARNING")) == len(bad)
    assert run.said("ERROR") == []

    park.clear_faults()
    again = crawl(park, output, PLACE)
    assert (again.status, again.photos()) == (0, every), "what failed is tried again"


def test_no_more_connections_than_configured(standin: Start, output: Path) -> None:
    park = standin(observations=150, latency=0.02)
    assert (
        crawl(park, output, PLACE, "images=all", "sizes=square", "-sCONCURRENT_REQUESTS_PER_DOMAIN=4").status == 0
    )
    most = park.connections()["most"]
    assert most["open"] <= 4
    assert most["static"] <= 4
    assert most["api"] <= 2, "the crawl's, and this test's own"


def test_a_page_that_is_none_is_retried(standin: Start, output: Path) -> None:
    park = standin(observations=300)
    for n, kind in enumerate(("html200", "invalid_json", "empty", "truncate")):
        park.add_fault("/v1/observations", kind, after=n // 2, times=1)
    run = crawl(park, output, PLACE, "images=none")
    assert (run.status, run.account["observations"]["stored"]) == (0, 300)
    assert run.said("ERROR") == []


def test_a_page_that_stays_none_fails_loudly(standin: Start, output: Path) -> None:
    park = standin(observations=300)
    park.add_fault("/v1/observations", "html200", after=1)
    run = crawl(park, output, PLACE, "images=none")
    assert run.status == 3
    assert run.account["finish_reason"] == "failed"
    assert len(run.said("ERROR")) == 1
    assert "/observations?" in run.said("ERROR")[0]
    assert run.account["error"] == run.said("ERROR")[0]
    assert len(run.table()) == 200, "what was read is kept"
    assert len(park.requests("api")) == 1 + 6

    park.clear_faults()
    assert crawl(park, output, PLACE, "images=none").account["observations"]["stored"] == 300


def test_a_record_that_cannot_be_read_is_listed_and_the_rest_go_on(standin: Start, output: Path) -> None:
    park = standin(observations=30)
    bad = park.ids(**SEARCH)[7]
    park.edit(bad, location="somewhere")
    run = crawl(park, output, PLACE, "images=none")
    assert run.status == 3
    assert run.account["observations"]["stored"] == 29
    [listed] = run.account["observations"]["malformed"]
    assert listed["id"] == bad
    assert "location" in listed["reason"]

    park.edit(bad, location="38.4,-9.0")
    assert crawl(park, output, PLACE, "images=none").status == 0


def test_private_keys_never_touch_the_disk(standin: Start, output: Path) -> None:
    park = standin(observations=10)
    park.plant_private(park.ids(**SEARCH)[3], location="38.123456,-9.654321")
    assert crawl(park, output, PLACE, "images=none").status == 0
    written = b"".join(p.read_bytes() for p in output.rglob("*") if p.is_file())
    assert b"38.123456" not in written
    records = [schema_record(row[0]) for row in Crawl(0, "", output).rows("SELECT record FROM observations")]
    assert len(records) == 10
    assert not any("private_" in record for record in records)


def schema_record(packed: bytes) -> str:
    from inat_crawler.store.packing import unpack

    return unpack(packed).decode()


@pytest.mark.long
def test_a_photo_that_was_changed_on_the_disk_is_fetched_again(standin: Start, output: Path) -> None:
    park = standin(observations=10)
    run = crawl(park, output, PLACE)
    good = run.photos()
    cut, flipped, gone = sorted(good)[:3]
    (output / "images" / cut).write_bytes(good[cut][:100])
    (output / "images" / flipped).write_bytes(good[flipped][:-9] + b"x" + good[flipped][-8:])
    (output / "images" / gone).unlink()
    again = crawl(park, output, PLACE)
    assert again.status == 0
    assert again.photos() == good
    assert again.account["photos"]["downloaded"] == 3


@pytest.mark.long
def test_photos_in_another_order_and_replaced_ones(standin: Start, output: Path) -> None:
    park = standin(observations=60)
    ids = park.ids(**SEARCH)
    several = [i for i in ids if len(park.record(i)["photos"]) > 1]
    assert crawl(park, output, PLACE, "images=all", "sizes=square").status == 0
    for observation_id in several[:2]:
        park.swap_photos(observation_id)
    park.replace_photo(several[2])
    run = crawl(park, output, PLACE, "images=all", "sizes=square")
    assert run.status == 0, run.log
    assert run.photos() == files_expected(park, ids, "all", "square")
    assert run.account["observations"]["changed"] == 3
    assert len(list((output / "gone").iterdir())) == 1, "nothing is deleted"
    photos = run.account["photos"]
    assert (
        photos["wanted"] == photos["downloaded"] + photos["copied"] + photos["already_there"] == len(run.photos())
    )


@pytest.mark.long
def test_a_photo_that_was_replaced_while_its_predecessor_was_missing(standin: Start, output: Path) -> None:
    park = standin(observations=30)
    chosen = next(i for i in park.ids(**SEARCH) if park.record(i)["photos"])
    old = park.record(chosen)["photos"][0]["id"]
    park.add_fault("photos", "status", status=404, ids=[old])
    assert crawl(park, output, PLACE).status == 3
    park.clear_faults()
    park.replace_photo(chosen)
    park.add_fault("photos", "slow", seconds=1, ids=[old])
    run = crawl(park, output, PLACE)
    assert run.status == 0
    assert run.photos() == files_expected(park, park.ids(**SEARCH))
    photos = run.account["photos"]
    assert (
        photos["wanted"] == photos["downloaded"] + photos["copied"] + photos["already_there"] == len(run.photos())
    )


@pytest.mark.long
def test_photos_that_changed_places_before_they_were_fetched(standin: Start, output: Path) -> None:
    park = standin(observations=40)
    ids = park.ids(**SEARCH)
    assert crawl(park, output, PLACE, "images=none").status == 0
    for observation_id in [i for i in ids if len(park.record(i)["photos"]) > 1]:
        park.swap_photos(observation_id)
    # One observation loses a photo to another, new one.
    giver = next(i for i in ids if park.record(i)["photos"])
    [taker] = park.insert(1)
    park.edit(taker, photos=park.record(giver)["photos"][:1])
    park.replace_photo(giver)
    run = crawl(park, output, PLACE, "images=all", "sizes=square")
    assert run.status == 0, run.log
    assert run.photos() == files_expected(park, [*ids, taker], "all", "square")


def test_deletions_while_the_crawl_runs(standin: Start, output: Path) -> None:
    park = standin(observations=120)
    park.before_page(delete=2, maximum=2)
    run = crawl(park, output, PLACE, "images=none", "per_page=50")
    assert run.status == 0, run.log
    assert run.account["observations"]["stored"] == run.account["observations"]["asked"] <= 120
    assert set(park.ids(**SEARCH)) <= set(run.table()["id"].astype(int))


@pytest.mark.long
def test_a_feed_that_cannot_be_written(standin: Start, output: Path, tmp_path: Path) -> None:
    park = standin(observations=30)
    (tmp_path / "x.jsonl").mkdir()
    run = crawl(park, output, PLACE, "images=none", f"-O{tmp_path}/x.jsonl")
    assert run.status == 3
    assert [e for e in run.said("ERROR") if e.startswith("a feed cannot be written: ")]
    assert run.account["error"].startswith("a feed cannot be written: ")
    again = crawl(park, output, PLACE, "images=none", f"-O{tmp_path}/y.jsonl")
    assert again.status == 0
    items = [json.loads(line) for line in (tmp_path / "y.jsonl").read_text().splitlines()]
    assert sum(item["change"] == "new" for item in items) == 30, "what no feed has shown"


def test_manners(standin: Start, output: Path) -> None:
    park = standin(observations=60)
    settings = {"INAT_API_REQUESTS_PER_MINUTE": "200", "INAT_CONTACT": "ranger@park.example"}
    run = crawl(park, output, PLACE, "per_page=20", "sizes=square", **settings)
    asked = park.requests()
    assert {r["headers"]["User-Agent"] for r in asked} == {
        "inat_crawler/0.1.0 (+https://github.com/inat-crawler/inat_crawler; ranger@park.example)"
    }
    assert not {"Cookie", "Referer", "Authorization"} & {name for r in asked for name in r["headers"]}
    times = [r["time"] for r in park.requests("api")]
    assert len(times) == 5
    assert min(later - earlier for earlier, later in pairwise(times)) > 0.28
    assert "scrapy.extensions.throttle.AutoThrottle" in run.log


ODD_FOLDERS = ["a%b 100%", "a%20b#c", "%(time)s", "ü ñ 海/a?b=c"]


@pytest.mark.long
def test_outputs_with_odd_names(standin: Start, tmp_path: Path) -> None:
    park = standin(observations=3)
    folders = [tmp_path / "odd" / name for name in ODD_FOLDERS]
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda folder: crawl(park, folder, PLACE, "images=none", DEFAULT_PUBLISH), folders))
    assert [run.status for run in runs] == [0] * len(runs)
    for folder in folders:
        assert {p.name for p in folder.iterdir()} == {
            ".lock", ".published.json", "ATTRIBUTION.md", "changes.tsv", "crawl.json", "dataFrame.csv", "feed",
            "observations.sqlite", "photos.tsv", "report.html",
        }  # fmt: skip
        assert len(list((folder / "feed").iterdir())) == 1
    assert sorted(p.name for p in (tmp_path / "odd").iterdir()) == sorted({n.split("/")[0] for n in ODD_FOLDERS})


def test_odd_records_spoil_nothing_but_themselves(standin: Start, output: Path) -> None:
    park = standin(observations=40)
    ids = park.ids(**SEARCH)
    good = {"hidden": False, "attribution": "x", "license_code": None}
    urls = ["file:///etc/passwd", "ftp://127.0.0.2/photos/2/square.jpg", "/photos/3/square.jpg"]
    photos = [good | {"id": 70 + n, "url": url} for n, url in enumerate(urls)]
    park.edit(ids[3], photos=photos)
    park.edit(ids[5], community_taxon_id=2**63)
    run = crawl(park, output, PLACE, "images=all", "sizes=square")
    assert run.status == 3
    assert "Traceback" not in run.log
    assert run.account["observations"]["stored"] == 39
    assert [m["id"] for m in run.account["observations"]["malformed"]] == [ids[5]]
    failed = {(f["observation"], f["photo"]) for f in run.account["photos"]["failed"]["no address"]}
    assert failed == {(ids[3], 70 + n) for n in range(len(urls))}
    assert run.account["photos"]["missing"] == len(urls)


@pytest.mark.long
def test_a_query_of_many_ids(standin: Start, output: Path) -> None:
    park = standin(observations=400)
    ids = sorted(park.ids(**SEARCH))
    run = crawl(park, output, "id=" + ",".join(map(str, ids)), "images=none")
    assert (run.status, run.account["observations"]["stored"]) == (0, 400)


@pytest.mark.long
def test_a_photo_that_no_row_tells_of_is_put_aside(standin: Start, output: Path) -> None:
    park = standin(observations=10)
    run = crawl(park, output, PLACE)
    good = run.photos()
    (output / "images" / "7Sq.jpg").write_bytes(b"left by a killed run")
    (output / "images" / "notes.txt").write_text("mine")
    again = crawl(park, output, PLACE)
    assert again.status == 0
    assert again.photos() == good | {"notes.txt": b"mine"}
    assert (output / "gone" / "7Sq.jpg").read_bytes() == b"left by a killed run"
