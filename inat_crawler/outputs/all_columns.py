"""`observations.csv`: all columns, one row an observation, and beside it the dictionary that explains them.

The dictionary is in the form of the W3C's "CSV on the Web" (https://www.w3.org/TR/tabular-data-primer/).
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from inat_crawler.outputs.beside import beside
from inat_crawler.outputs.rows import COLUMNS, Column, iri
from inat_crawler.store import Store

_TYPES = {"integer": "integer", "number": "decimal", "boolean": "boolean", "date": "date", "text": "string"}


def write_csv(store: Store, path: Path) -> int:
    """Write the rows, newest first, null as an empty cell; returns how many. Memory stays flat."""
    count = 0
    with beside(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")  # as RFC 4180 has it
        writer.writerow(column.name for column in COLUMNS)
        for observation in store.whole.each():
            writer.writerow(_cell(column.value(observation)) for column in COLUMNS)
            count += 1
    return count


def _cell(value: Any) -> Any:
    """Booleans as XML Schema and the rest of the world write them.

    >>> [_cell(value) for value in (True, None, 1)]
    ['true', None, 1]
    """
    return str(value).lower() if isinstance(value, bool) else value


def write_dictionary(store: Store, path: Path) -> int:
    """Write what each column means; returns how many there are."""
    table = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": path.name.removesuffix("-metadata.json"),
        "dc:title": "Observations of iNaturalist",
        "dialect": {"delimiter": ",", "header": True, "encoding": "utf-8", "lineTerminators": ["\r\n"]},
        "tableSchema": {"columns": [_entry(column) for column in COLUMNS], "primaryKey": "id"},
    }
    with beside(path) as partial:
        partial.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return len(COLUMNS)


def _entry(column: Column) -> dict[str, Any]:
    entry = {
        "name": column.name,
        "titles": column.name,
        "dc:description": column.doc,
        "datatype": _TYPES[column.kind],
        "required": column.name == "id",
    }
    return entry | ({"propertyUrl": iri(column.term)} if column.term else {})
