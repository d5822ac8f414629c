"""The table: read back cell by cell, whatever the text; written beside and renamed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from test_store import observation, save

from inat_crawler.items import TABLE_COLUMNS
from inat_crawler.outputs.table import write_table
from inat_crawler.store import Store

TEXTS = [
    "a\tb",
    "a\nb",
    "a\rb",
    "\r",
    'a"b',
    '"',
    "=1+1",
    "NA",
    "null",
    "nan",
    " x ",
    "🦀",
    "a\r\nb",
    "",
    "\\",
    "0012",
]


def test_every_text_is_read_back(store: Store, tmp_path: Path) -> None:
    save(
        store,
        *(observation(i, species_guess=t, latitude="1.10", longitude="-0.0") for i, t in enumerate(TEXTS, 1)),
    )
    path = tmp_path / "dataFrame.csv"
    assert write_table(store, path) == len(TEXTS)

    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    assert table.columns.tolist() == ["Unnamed: 0", *TABLE_COLUMNS.values()]
    assert table["Unnamed: 0"].tolist() == [str(n) for n in range(len(TEXTS))]
    assert table["species_guess"].tolist() == TEXTS[::-1]
    assert set(table["Latitude"] + table["Longitude"] + table["community_taxon_id"]) == {"1.10-0.0"}
    assert b"\r\n" not in path.read_bytes().replace(b'"a\r\nb"', b"")
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []


def test_whole_numbers_stay_whole_and_nothing_is_a_table_too(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "dataFrame.csv"
    header = "\t" + "\t".join(TABLE_COLUMNS.values()) + "\n"
    assert write_table(store, path) == 0
    assert path.read_text() == header
    save(store, observation(47459, community_taxon_id=12), observation(3, created_at="2020-01-01T00:00:00Z"))
    assert write_table(store, path) == 2
    assert path.read_text() == header + "0\t3" + "\t" * 9 + "\n" + "1\t47459" + "\t" * 7 + "12\t\t\n"
