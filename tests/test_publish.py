"""`scrapy publish` and `-a publish=...`: what is made, when it is made anew, and what is refused."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow.parquet as pq
import pyogrio
import pytest
from crawling import DEFAULT_PUBLISH, PLACE, ROOT, crawl, own_settings, scaled
from filelock import FileLock
from test_crawl import SEARCH
from test_store import QUERY
from test_sync import settled

from inat_crawler import publishing
from inat_crawler.api.formats import DEFAULT_FORMATS, FORMATS
from inat_crawler.errors import FormatError
from inat_crawler.held import HeldMirror
from inat_crawler.publishing import Publisher, available, paths_of
from inat_crawler.store import Store, sqlite_in
from standin.client import Standin

Start = Callable[..., Standin]
# Says that a library is not installed, to whoever asks before importing it.
WITHOUT = """
import importlib.util as util
find = util.find_spec
util.find_spec = lambda name, package=None: None if name == "pyogrio" else find(name, package)
"""


def publish(output: Path, *options: str, **settings: str) -> tuple[int, list[str], str]:
    """Exit status, lines, and what was said besides; no API can be asked."""
    environment = {
        **os.environ,
        **own_settings(output.parent),
        "INAT_API_ROOT": "http://127.0.0.1:1/v1",
        **settings,
    }
    command = [sys.executable, "-m", "scrapy", "publish", str(output), *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def made(output: Path, names: Iterable[str], **options: object) -> set[str]:
    """Make these formats; returns which were due."""
    with HeldMirror(output, "") as mirror:
        publisher = Publisher(mirror.store, output)
        return {name for name in names if publisher.publish(name, options).rows is not None}


def marks(output: Path) -> dict[str, int]:
    """When each file of each format was written."""
    return {str(p.relative_to(output)): p.stat().st_mtime_ns for name in FORMATS for p in paths_of(name, output)}


def changed(before: dict[str, int], output: Path) -> set[str]:
    return {name for name, mark in marks(output).items() if mark != before[name]}


def test_every_format_is_made_once_and_anew_when_the_store_changes(standin: Start, output: Path) -> None:
    park = settled(standin, observations=30)
    assert crawl(park, output, PLACE, "sizes=square", DEFAULT_PUBLISH).status == 0
    assert not (output / "exports").exists()
    for name in DEFAULT_FORMATS:
        assert all(path.exists() for path in paths_of(name, output))
    asked = len(park.requests())

    status, lines, log = publish(output, "--format", "all")
    assert (status, log) == (0, "")
    assert [line.partition(":")[0] for line in lines] == list(FORMATS)
    assert "table: dataFrame.csv (unchanged)" in lines
    assert "geojson: exports/observations.geojson (30 observations)" in lines
    assert len(park.requests()) == asked
    first = marks(output)
    assert made(output, FORMATS) == set()
    assert marks(output) == first
    (output / "exports" / "observations.csv").write_text("edited by hand")
    (output / "photos.tsv").unlink()
    assert made(output, ("csv", "attribution", "jsonl")) == {"csv", "attribution"}

    before = marks(output)
    assert crawl(park, output, PLACE, "sizes=square", "publish=all").status == 0
    assert changed(before, output) == {"report.html"}, "it tells of the last crawl"

    park.advance(86_400)
    park.edit(park.ids(**SEARCH)[5], species_guess="Octopus?")
    before = marks(output)
    assert crawl(park, output, PLACE, "sizes=square", "publish=geojson").status == 0
    assert changed(before, output) == {"exports/observations.geojson"}
    assert "Octopus?" in (output / "exports" / "observations.geojson").read_text(encoding="utf-8")
    assert made(output, FORMATS) == FORMATS.keys() - {"geojson"}


@pytest.mark.long
def test_the_options_of_the_image_folder_are_remembered(standin: Start, output: Path) -> None:
    park = standin(observations=30)
    assert crawl(park, output, PLACE, "sizes=square,medium", "publish=none").status == 0
    assert not (output / "dataFrame.csv").exists()

    def size() -> str:
        metadata = next((output / "exports" / "imagefolder").glob("*/metadata.jsonl"))
        return str(json.loads(metadata.read_text().splitlines()[0])["size"])

    assert publish(output, "--format", "imagefolder", "--seed", "7", "--image-size", "square")[0] == 0
    assert size() == "square"
    assert made(output, ["imagefolder"]) == set()
    assert made(output, ["imagefolder"], size="medium") == {"imagefolder"}
    assert size() == "medium"
    notes = json.loads((output / ".published.json").read_text())
    assert notes["imagefolder"]["options"] == {"seed": 7, "size": "medium"}


def test_what_is_refused(standin: Start, output: Path) -> None:
    status, lines, log = publish(output, "--format", "table")
    assert (status, lines) == (1, [])
    assert log == f"error: no mirror lies there (no observations.sqlite): {output}\n"
    assert not output.exists()

    assert crawl(standin(observations=3), output, PLACE, "images=none", "publish=table").status == 0
    for options, said in {
        ("--format", "table,pdf"): "option --format: not one of table, attribution, ",
        (): "name formats: --format table,attribution,",
    }.items():
        status, lines, log = publish(output, *options)
        assert (status, lines) == (1, []), options
        assert log.startswith("error: ")
        assert said in log
        assert "Traceback" not in log
    with FileLock(output / ".lock"):
        status, _, log = publish(output, "--format", "table")
    assert (status, "another crawl is running" in log) == (1, True)


@pytest.mark.long
def test_a_library_that_is_not_there(standin: Start, output: Path, tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text(WITHOUT)
    without = {"PYTHONPATH": str(tmp_path / "without")}
    park = standin(observations=3)
    run = crawl(park, output, PLACE, "images=none", "publish=table,gpkg", **without)
    need = "format `gpkg` needs pyogrio: pip install pyogrio"
    assert (run.status, run.log.splitlines()[-1]) == (1, f"error: {need}")
    assert (park.requests(), output.exists()) == ([], False)

    assert crawl(park, output, PLACE, "images=none").status == 0
    assert publish(output, "--format", "csv,gpkg", **without) == (1, [], f"error: {need}\n")
    status, lines, log = publish(output, "--format", "all", **without)
    assert (status, log) == (0, f"left out: {need}\n")
    assert [line.partition(":")[0] for line in lines] == [name for name in FORMATS if name != "gpkg"]


def test_formats_that_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "find_spec", lambda name: None)
    assert available(["table", "csv"]) == (["table", "csv"], {})
    names, missing = available(["all"])
    assert set(missing) == {"gpkg", "parquet"}
    assert set(names) | set(missing) == set(FORMATS)
    with pytest.raises(FormatError, match="needs pyarrow, pyogrio, shapely: pip install pyarrow pyogrio shapely"):
        available(["gpkg"])


def test_what_a_format_tells_besides_the_store_makes_it_due(tmp_path: Path) -> None:
    store = Store(sqlite_in(tmp_path))
    store.open_mirror(QUERY)
    account = {"params": {}, "query": "q", "url": "", "images": "none", "sizes": [], "limit": None, "error": None}
    account |= {"finished_at": "2026-01-01T00:01:00+00:00", "finish_reason": "finished"}
    account["observations"] = {"missing": [], "malformed": [], "stored": 0, "asked": 0}
    account["photos"] = {"failed": {}, "missing": 0}

    def due() -> set[str]:
        publisher = Publisher(store, tmp_path)
        return {name for name in ("dwca", "report", "csv") if publisher.publish(name).rows is not None}

    def crawl_of(started_at: str, complete: bool) -> None:
        number = store.begin_crawl(started_at, {})
        assert due() == {"dwca", "report"}, "a crawl has begun"
        store.finish_crawl(number, account | {"started_at": started_at, "complete": complete})

    assert (due(), due()) == ({"dwca", "report", "csv"}, set())
    crawl_of("2026-01-01T00:00:00+00:00", complete=True)
    assert (due(), due()) == ({"dwca", "report"}, set())
    number = store.begin_crawl("2026-01-02T00:00:00+00:00", {})
    store.finish_crawl(number, account | {"started_at": "2026-01-02T00:00:00+00:00", "complete": True})
    assert due() == {"report"}, "the archive says the same as before"
    (tmp_path / "basemap.geojson").write_text('{"type": "Point", "coordinates": [1, 2]}')
    assert (due(), due()) == ({"report"}, set())
    (tmp_path / "basemap.geojson").unlink()
    assert due() == {"report"}
    store.close()


@pytest.mark.parametrize("notes", ["", "[]", '{"table": 1}', '{"table": {"of": 1}}', "\x00"])
def test_notes_that_cannot_be_read_cost_only_time(standin: Start, output: Path, notes: str) -> None:
    output.mkdir()
    (output / ".published.json").write_text(notes)
    store = Store(sqlite_in(output))
    store.open_mirror(QUERY)
    assert Publisher(store, output).publish("table").rows == 0
    assert Publisher(store, output).publish("table").rows is None
    store.close()


def test_a_format_that_cannot_be_written_is_told(standin: Start, output: Path) -> None:
    (output / "report.html").mkdir(parents=True)
    run = crawl(standin(observations=3), output, PLACE, "images=none", DEFAULT_PUBLISH)
    assert run.status == 3
    assert "report.html" in run.account["error"]
    assert run.table().shape[0] == 3
    assert [p.name for p in output.iterdir() if "partial" in p.name] == []


@pytest.mark.long
def test_a_process_killed_while_it_publishes_leaves_whole_files(standin: Start, output: Path) -> None:
    """Under its name each is the old one or the new one, and the next run makes what is missing."""
    park = standin(observations=scaled(400))
    assert crawl(park, output, PLACE, "images=all", "sizes=square", "publish=none").status == 0
    images = len(list((output / "images").glob("*Sq.*")))
    rng = random.Random(5)
    for _ in range(scaled(12)):
        process = subprocess.Popen(
            [sys.executable, "-m", "scrapy", "publish", str(output), "--format", "all"],
            cwd=ROOT,
            env={**os.environ, **own_settings(output.parent)},
            stdout=subprocess.PIPE,
        )
        assert process.stdout
        for _ in range(rng.randrange(len(FORMATS))):
            process.stdout.readline()
        time.sleep(rng.random() / 4)
        process.kill()
        process.communicate()
        check_whole(output)
        (output / ".published.json").unlink(missing_ok=True)
    assert publish(output, "--format", "all")[0] == 0
    check_whole(output)
    assert all(path.exists() for name in FORMATS for path in paths_of(name, output))
    assert [p.name for p in [*output.iterdir(), *(output / "exports").iterdir()] if "partial" in p.name] == []
    links = [p for p in (output / "exports" / "imagefolder").rglob("*") if p.is_symlink()]
    assert len(links) == len({p.resolve() for p in links}) <= images


def check_whole(output: Path) -> None:
    """What is there can be read to its end."""
    exports = output / "exports"
    readers: dict[Path, Callable[[Path], object]] = {
        output / "report.html": lambda path: path.read_text(encoding="utf-8").rstrip().endswith("</html>"),
        exports / "dwca.zip": lambda path: zipfile.ZipFile(path).testzip() is None,
        exports / "observations.geojson": lambda path: json.loads(path.read_bytes()),
        exports / "observations.parquet": lambda path: pq.read_table(path).num_rows,
        exports / "observations.gpkg": lambda path: pyogrio.read_info(path)["features"],
        exports / "observations.jsonl.gz": lambda path: gzip.decompress(path.read_bytes()),
    }
    for path, read in readers.items():
        assert not path.exists() or read(path), path
    for metadata in exports.glob("imagefolder/*/metadata.jsonl"):
        for line in metadata.read_text(encoding="utf-8").splitlines():
            assert (metadata.parent / json.loads(line)["file_name"]).is_file()
