"""`changes.tsv`: the running log of a mirror, made from the store: what became new, changed or gone, and when."""

from __future__ import annotations

import csv
from pathlib import Path

from inat_crawler.outputs.beside import beside
from inat_crawler.store import Store

COLUMNS = {
    "time": "time",
    "observation_id": "id",
    "change": "change",
    "fields": "fields",
}


def write_changes(store: Store, path: Path) -> int:
    """Write the log beside and rename it to `path`; returns the number of rows. Memory stays flat."""
    count = 0
    with beside(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS.values())
        for rows in store.changes.log():
            writer.writerows([row[name] for name in COLUMNS] for row in rows)
            count += len(rows)
    return count
