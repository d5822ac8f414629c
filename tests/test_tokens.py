"""Tokens: sent with `private=true` alone, to the API alone, and written nowhere; private coordinates likewise."""

from __future__ import annotations

import gzip
import json
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest
from crawling import DEFAULT_PUBLISH, PLACE, Crawl, crawl, finish, start
from test_crawl import SEARCH
from test_interruption import wait_for
from test_sync import DAY, changes, in_step

from inat_crawler.errors import SettingError
from inat_crawler.mirror import check_token
from standin.client import Standin

Start = Callable[..., Standin]
TOKEN = "eyJhbGciOiJIUzUxMiJ9.eyJ1c2VyX2lkIjo0MiwiZXhwIjoxfQ.q-W3_unique-to-this-test"
PRIVATE = "SELECT id, private_latitude || ',' || private_longitude FROM observations"


def private_of(run: Crawl) -> dict[int, str]:
    """Private coordinates in the store."""
    return {number: location for number, location in run.rows(PRIVATE) if location is not None}


def private_in(park: Standin) -> dict[int, str]:
    """Private coordinates that the owner of the token may see."""
    records = {i: park.record(i) for i in park.ids(**SEARCH)}
    hidden = [i for i, r in records.items() if "obscured" in (r["geoprivacy"], r["taxon_geoprivacy"])]
    shown = {i: park.private(i).get("private_location") for i in hidden}
    return {i: location for i, location in shown.items() if location}


def written(folder: Path) -> dict[str, bytes]:
    """What is in all files, unpacked where they are packed."""
    files = [p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()]
    return {str(p.relative_to(folder)): unpacked(p) for p in files}


def unpacked(path: Path) -> bytes:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".parquet":
        return str(pq.read_table(path).drop_columns(["geometry"]).to_pylist()).encode()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return b"".join(map(archive.read, archive.namelist()))
    return path.read_bytes()


def senders(park: Standin, token: str) -> set[tuple[str, str]]:
    """Where a token was seen: (host, header or `path`)."""
    requests = [(r["role"], {"path": r["path"], **r["headers"]}) for r in park.requests()]
    return {(role, name) for role, parts in requests for name, value in parts.items() if token in value}


def test_the_token_is_nowhere_but_in_requests_to_the_api(standin: Start, output: Path, tmp_path: Path) -> None:
    park = standin(observations=30, token=TOKEN)
    elsewhere = photo_host(park)
    park.add_fault("api", "echo", status=500, times=2)
    park.add_fault("api", "status", status=429, times=1)
    park.add_fault("api", "echo", status=302, location=f"{elsewhere}/elsewhere?1", after=3, times=1)
    everything = (
        *("-LDEBUG", f"-sJOBDIR={tmp_path}/job", "-sHTTPCACHE_ENABLED=1", f"-sHTTPCACHE_DIR={tmp_path}/cache"),
        *("-sREDIRECT_ENABLED=1", "-sHTTPCACHE_GZIP=0", f"-o{tmp_path}/items.jsonl"),
    )
    runs = [crawl(park, output, PLACE, "private=true", "per_page=15", *everything, INAT_API_TOKEN=TOKEN)]
    assert (runs[0].status, runs[0].account["finish_reason"]) == (3, "failed")
    assert runs[0].account["error"].startswith("the API answered 302: ")
    assert '"Authorization": "(the token)"' in runs[0].account["error"]
    park.clear_faults()
    park.add_fault("photos", "status", status=403, times=1)  # the API is asked where that photo is now
    runs.append(crawl(park, output, PLACE, "private=true", "publish=all", *everything, INAT_API_TOKEN=TOKEN))
    in_step(park, runs[1])

    assert senders(park, TOKEN) == {("api", "Authorization")}
    assert not [r for r in park.requests() if "elsewhere" in r["path"]]
    asked = [r["headers"].get("Authorization") for r in park.requests("api")]
    assert {a for a in asked if a} == {TOKEN}, "the token and nothing else"
    assert asked.count(None) <= 1, "where photos are now everybody may know"
    for number, run in enumerate(runs):
        (tmp_path / f"{number}.log").write_text(run.log)
    files = written(tmp_path)
    assert {"job", "cache", "mirror", "items.jsonl"} < {name.partition("/")[0] for name in files}
    assert [name for name, content in files.items() if TOKEN.encode() in content] == []

    private = private_in(park)
    assert private_of(runs[1]) == private != {}
    words = {word.encode() for location in private.values() for word in (*location.split(","), "private_geojson")}
    holders = {name for name, content in files.items() if any(word in content for word in words)}
    assert holders <= {f"mirror/observations.sqlite{end}" for end in ("", "-wal")}
    assert not {key for line in files["items.jsonl"].splitlines() for key in json.loads(line) if "private" in key}


def photo_host(park: Standin) -> str:
    records = map(park.record, park.ids(**SEARCH))
    parts = urlsplit(next(r["photos"][0]["url"] for r in records if r["photos"]))
    return f"{parts.scheme}://{parts.netloc}"


def test_without_private_no_token_is_sent_and_nothing_private_written(
    standin: Start, output: Path, tmp_path: Path
) -> None:
    park = standin(observations=30, token=TOKEN)
    planted = park.ids(**SEARCH)[3]
    park.plant_private(planted, location="38.123456,-9.654321")
    cached = ("-LDEBUG", "-sHTTPCACHE_ENABLED=1", f"-sHTTPCACHE_DIR={tmp_path}/cache", "-sHTTPCACHE_GZIP=0")
    run = crawl(park, output, PLACE, DEFAULT_PUBLISH, *cached, INAT_API_TOKEN=TOKEN)
    in_step(park, run)
    assert senders(park, TOKEN) == set()
    (tmp_path / "log").write_text(run.log)
    for name, content in written(tmp_path).items():
        for word in (b"38.123456", b"9.654321", b"private_geojson", b"Rua Secreta", TOKEN.encode()):
            assert word not in content, name
    assert private_of(run) == {}


@pytest.mark.long
def test_a_finished_mirror_gets_private_coordinates(standin: Start, output: Path) -> None:
    park = standin(observations=120, token=TOKEN)
    park.advance(DAY)
    assert crawl(park, output, PLACE, "images=none").status == 0
    table, log = ((output / name).read_bytes() for name in ("dataFrame.csv", "changes.tsv"))
    private = private_in(park)
    park.advance(DAY)
    park.latency(0.4)
    process = start(park.api_root, output, PLACE, "images=none", "private=true", INAT_API_TOKEN=TOKEN)
    before = len(park.requests("api"))
    wait_for(lambda: len(park.requests("api")) > before, process)
    process.send_signal(signal.SIGKILL)
    finish(process, output)
    park.latency(0)
    seen = crawl(park, output, PLACE, "images=none", "private=true", INAT_API_TOKEN=TOKEN)
    in_step(park, seen, "none")
    assert private_of(seen) == private != {}
    counted = seen.account["observations"]
    assert (counted["new"], counted["changed"]) == (0, 0), "to gain them is no change"
    assert ((output / "dataFrame.csv").read_bytes(), (output / "changes.tsv").read_bytes()) == (table, log)

    park.advance(DAY)
    park.reset_log()
    assert crawl(park, output, PLACE, "images=none", "private=true", INAT_API_TOKEN=TOKEN).status == 0
    assert len(park.requests("api")) <= 4, "they are there"

    changed, *_ = private
    park.edit(changed, description="moved a bit")
    without = crawl(park, output, PLACE, "images=none")
    in_step(park, without, "none")
    assert private_of(without) == {i: location for i, location in private.items() if i != changed}
    [fields] = [row["fields"] for row in changes(output) if row["change"] == "changed"]
    assert "private" not in fields
    again = crawl(park, output, PLACE, "images=none", "private=true", INAT_API_TOKEN=TOKEN)
    assert private_of(again) == private


@pytest.mark.long
def test_a_limited_mirror_gets_private_coordinates_too(standin: Start, output: Path) -> None:
    park = standin(observations=120, token=TOKEN)
    assert crawl(park, output, PLACE, "images=none", "limit=80").status == 0
    park.insert(5)
    run = crawl(park, output, PLACE, "images=none", "limit=80", "private=true", INAT_API_TOKEN=TOKEN)
    assert (run.status, run.account["observations"]["stored"]) == (0, 80)
    stored = set(run.table()["id"].astype(int))
    assert private_of(run) == {i: location for i, location in private_in(park).items() if i in stored} != {}


def test_a_token_that_has_expired(standin: Start, output: Path) -> None:
    park = standin(observations=20, token=TOKEN)
    park.set_token(None)
    run = crawl(park, output, PLACE, "private=true", INAT_API_TOKEN=TOKEN)
    assert (run.status, len(park.requests())) == (1, 1)
    [error] = run.said("ERROR")
    assert "lives for 24 hours" in error
    assert "https://www.inaturalist.org/users/api_token" in error
    assert run.account["error"] == error


@pytest.mark.long
def test_a_token_that_expires_meanwhile(standin: Start, output: Path) -> None:
    park = standin(observations=60, token=TOKEN)
    park.add_fault("api", "status", status=401, after=2)
    arguments = (PLACE, "images=none", "per_page=20", "private=true")
    assert crawl(park, output, *arguments, INAT_API_TOKEN=TOKEN).status == 3
    park.clear_faults()
    park.set_token(TOKEN[::-1])
    run = crawl(park, output, *arguments, INAT_API_TOKEN=TOKEN[::-1])
    in_step(park, run, "none")
    assert private_of(run) == private_in(park)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("private=true", "setting INAT_API_TOKEN: `private=true` needs it in the environment"),
        ("-sINAT_API_TOKEN=SECRET", "setting INAT_API_TOKEN: read from the environment only"),
    ],
)
def test_nothing_is_asked_without_a_proper_token(output: Path, argument: str, said: str) -> None:
    run = finish(start("http://127.0.0.1:1/v1", output, PLACE, argument, INAT_API_TOKEN=""), output)
    assert run.status == 1
    assert f"\nerror: {said}" in run.log
    assert "SECRET" not in run.log
    assert not output.exists()


INATURALIST = "https://api.inaturalist.org/v1"


@pytest.mark.parametrize(
    ("token", "api_root", "setting", "rule"),
    [
        ("", INATURALIST, "INAT_API_TOKEN", "needs it in the environment"),
        (" \n", INATURALIST, "INAT_API_TOKEN", "needs it in the environment"),
        ('{"api_token":"SECRET"}', INATURALIST, "INAT_API_TOKEN", "not a token"),
        ('"SECRET"', INATURALIST, "INAT_API_TOKEN", "not a token"),
        ("Bearer SECRET", INATURALIST, "INAT_API_TOKEN", "not a token"),
        ("SECRET\r\nX-Y: z", INATURALIST, "INAT_API_TOKEN", "not a token"),
        ("SECRET\0", INATURALIST, "INAT_API_TOKEN", "not a token"),
        ("SECRÉT", INATURALIST, "INAT_API_TOKEN", "not a token"),
        ("SECRET", "http://api.inaturalist.org/v1", "INAT_API_ROOT", "https"),
        ("SECRET", "http://127.0.0.1.example.org/v1", "INAT_API_ROOT", "https"),
        ("SECRET", "http://127.0.0.1@192.0.2.1/v1", "INAT_API_ROOT", "https"),
    ],
)
def test_tokens_that_are_refused(token: str, api_root: str, setting: str, rule: str) -> None:
    with pytest.raises(SettingError) as error:
        check_token(token, api_root)
    assert str(error.value).startswith(f"setting {setting}: ")
    assert rule in str(error.value)
    assert "SECR" not in str(error.value)


@pytest.mark.parametrize(
    "api_root", [INATURALIST, "http://127.0.0.1:8000/v1", "http://localhost/v1", "http://[::1]/"]
)
def test_tokens_that_are_sent(api_root: str) -> None:
    assert check_token(f" {TOKEN}\n", api_root) == TOKEN
