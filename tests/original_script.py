"""The oracle: the table as the script of 2021 made it, written anew, mended only where current pandas needs it.

Mended: whole numbers with gaps stay whole (the script's became floats), `append` became `concat`, and all text
is quoted on writing, because pandas leaves a lone carriage return bare.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pandas as pd

COLUMNS = [
    "id",
    "taxon.name",
    "quality_grade",
    "time_observed_at",
    "species_guess",
    "license_code",
    "observed_on",
    "community_taxon_id",
]


def write_table(pages: list[list[dict[str, Any]]], path: Path) -> None:
    """Write what the script wrote for these pages of records."""
    frames = [pd.json_normalize(records) for records in pages]
    table = pd.concat(frames, ignore_index=True)
    table["community_taxon_id"] = table["community_taxon_id"].astype("Int64")
    table[["Latitude", "Longitude"]] = table["location"].str.split(",", expand=True)
    table = table[[*COLUMNS, "Longitude", "Latitude"]]
    table.to_csv(path, sep="\t", quoting=csv.QUOTE_NONNUMERIC)
