"""What a user can type or read is documented: arguments, settings, columns, stats, commands. Nothing else is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from inat_crawler import settings
from inat_crawler.api.arguments import ARGUMENTS, REFUSED
from inat_crawler.api.formats import FORMATS
from inat_crawler.items import TABLE_COLUMNS, Observation, Photo, PhotoFile, public_names
from inat_crawler.mirror import FEED_FIELDS
from inat_crawler.outputs import arrow, attribution, image_folder
from inat_crawler.outputs import rows as flat
from inat_crawler.outputs.changes import COLUMNS
from inat_crawler.outputs.darwin_core.columns import Column
from inat_crawler.outputs.darwin_core.multimedia import MULTIMEDIA
from inat_crawler.outputs.darwin_core.occurrence import OCCURRENCE
from inat_crawler.publishing import paths_of

ROOT = Path(__file__).resolve().parent.parent


def rows(document: str, heading: str | None = None) -> dict[str, list[str]]:
    """Rows of the tables in a document, or in one section of it: first cell (in backticks) -> all cells."""
    text = (ROOT / "docs" / document).read_text()
    if heading:
        text = re.split(rf"^##+ {re.escape(heading)}$", text, flags=re.M)[1]
        text = re.split(r"^##+ ", text, flags=re.M)[0]
    found = {}
    for line in text.splitlines():
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if line.startswith("|") and re.fullmatch(r"`[^`]+`", cells[0]):
            found[cells[0].strip("`")] = cells
    return found


def test_every_argument() -> None:
    documented = rows("arguments.md")
    assert documented.keys() == ARGUMENTS.keys() | REFUSED.keys()
    for name, argument in ARGUMENTS.items():
        assert documented[name][2] == (f"`{argument.default}`" if argument.default else ""), name
        assert documented[name][3] == argument.doc, name
        assert documented[name][4] == f"`{name}={argument.example}`", name


def test_every_setting() -> None:
    own = {name: value for name, value in vars(settings).items() if name.startswith("INAT_")}
    documented = rows("settings.md", "Own settings")
    assert documented.keys() == own.keys()
    for name in own:
        default = re.search(rf'^{name} = os\.environ\.get\("{name}", "(.*)"\)', source("settings.py"), flags=re.M)
        assert default, f"{name} is not read from the environment"
        assert documented[name][1] == (f"`{default[1]}`" if default[1] else ""), name


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("dataFrame.csv", set(TABLE_COLUMNS.values())),
        ("feed/<start>.tsv", set(FEED_FIELDS.values())),
        ("Observations", {f.name for f in fields(Observation) if "internal" not in f.metadata}),
        ("Photos", {f.name for f in fields(Photo)}),
        ("Files", {f.name for f in fields(PhotoFile)}),
        ("changes.tsv", set(COLUMNS.values())),
        ("photos.tsv", set(attribution.COLUMNS)),
        ("exports/observations.csv", {c.name for c in flat.COLUMNS} - set(public_names(Observation))),
        ("exports/observations.parquet", set(arrow.PHOTO)),
        ("exports/imagefolder", {"file_name", *image_folder.KEYS}),
        ("What is handed on", set(FORMATS)),
    ],
)
def test_every_column(heading: str, names: set[str]) -> None:
    assert rows("data-format.md", heading).keys() == names


def test_every_format() -> None:
    documented = rows("data-format.md", "What is handed on")
    for name, each in FORMATS.items():
        paths = [str(path.relative_to(ROOT)) for path in paths_of(name, ROOT)]
        assert documented[name][1].rstrip("/").split(", ") == paths
        assert documented[name][2:] == [each.doc, ", ".join(each.libraries)]
    for column in flat.COLUMNS:
        if column.name not in public_names(Observation):
            assert rows("data-format.md", "exports/observations.csv")[column.name][-1] == column.doc


def test_columns_are_documented_as_they_are_declared() -> None:
    for heading, item_class in (("Observations", Observation), ("Photos", Photo), ("Files", PhotoFile)):
        documented = rows("data-format.md", heading)
        for field in fields(item_class):
            if "internal" not in field.metadata:
                assert documented[field.name][-1] == field.metadata["doc"], field.name
                if item_class is Observation:
                    assert documented[field.name][2] == field.metadata.get("term", ""), field.name


@pytest.mark.parametrize(
    ("heading", "key", "columns"),
    [("occurrence.txt", "id", OCCURRENCE), ("multimedia.txt", "coreid", MULTIMEDIA)],
)
def test_every_term_of_the_archive(heading: str, key: str, columns: Sequence[Column[Any]]) -> None:
    documented = rows("data-format.md", heading)
    assert list(documented) == [key, *(column.name for column in columns)]
    for column in columns:
        assert documented[column.name][1:] == [column.term, column.doc]


def test_every_stat() -> None:
    text = "".join(p.read_text() for p in (ROOT / "inat_crawler").rglob("*.py"))
    used = set(re.findall(r"\"(inat/[a-z_/]+)\"", text))
    used |= {f"inat/observations/{change}" for change in ("new", "changed", "unchanged")}
    counted = set(re.findall(r'self\.count\(f?"([a-z_]+)', source("pipelines/photos.py")))
    used |= {f"inat/photos/{what}" for what in counted | {"downloaded", "copied"} - {"skipped"}} | {
        "inat/photos/failed/<reason>"
    }
    assert rows("settings.md", "Stats").keys() == used


def test_every_account_key() -> None:
    keys = set(re.findall(r'^            "([a-z_]+)": ', source("extensions/finish.py"), flags=re.M))
    documented = rows("data-format.md", "crawl.json")
    assert documented.keys() == keys | {"params", "id_above", "id_below", "observations", "photos", "requests"}


def test_every_command() -> None:
    names = {p.stem for p in (ROOT / "inat_crawler" / "commands").glob("*.py")} - {"__init__"}
    readme = (ROOT / "README.md").read_text()
    assert [n for n in sorted(names) if f"`scrapy {n}" not in readme] == []
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert [t for t in sorted(targets) if f"`make {t}" not in readme] == []


def source(name: str) -> str:
    return (ROOT / "inat_crawler" / name).read_text()
