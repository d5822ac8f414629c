"""The `tsv` feed format, row by row."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from inat_crawler.exporters import NewOrChanged, TsvItemExporter
from inat_crawler.items import Observation, Photo

TEXTS = ["", "0", "a\tb", "a\nb", "a\rb", 'a"b', '"', "'", "=1+1", "NA", "null", " x ", "🦀", "a\r\nb", "\\"]


def export(items: list[Any], **options: Any) -> bytes:
    out = io.BytesIO()
    exporter = TsvItemExporter(out, **options)
    exporter.start_exporting()
    for item in items:
        exporter.export_item(item)
    exporter.finish_exporting()
    return out.getvalue()


def test_values_of_every_kind() -> None:
    item = {"a": 0, "b": 0.0, "c": "", "d": None, "e": False, "f": ["x", 1], "g": [Photo(5, 0, files=[])]}
    written = export([item]).decode()
    nested = (
        '"[{""id"": 5, ""position"": 0, ""url"": null, ""extension"": null, ""license_code"": null, '
        '""attribution"": null, ""width"": null, ""height"": null, ""hidden"": null, ""files"": []}]"'
    )
    assert written == f'a\tb\tc\td\te\tf\tg\r\n0\t0.0\t\t\tFalse\t"[""x"", 1]"\t{nested}\r\n'


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_is_read_back(text: str) -> None:
    written = export([{"a": text, "b": "x"}]).decode()
    assert list(csv.reader(io.StringIO(written, newline=""), delimiter="\t")) == [["a", "b"], [text, "x"]]


def test_fields_may_be_chosen_and_renamed() -> None:
    item = Observation(7, taxon_name="Aves", latitude="1.0")
    fields = {"taxon_name": "taxon.name", "latitude": "Latitude"}
    assert export([item], fields_to_export=fields) == b"taxon.name\tLatitude\r\nAves\t1.0\r\n"


@pytest.mark.parametrize(
    ("change", "shown"), [("new", True), ("changed", True), ("unchanged", False), (None, False)]
)
def test_the_feed_shows_what_is_new_or_changed(change: Any, shown: bool) -> None:
    assert NewOrChanged({}).accepts(Observation(7, change=change)) is shown
