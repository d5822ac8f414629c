"""`observations.jsonl.gz`: the complete records as the API served them, less what is private, one a line."""

from __future__ import annotations

import gzip
from pathlib import Path

from inat_crawler.outputs.beside import beside
from inat_crawler.store import Store


def write_json_lines(store: Store, path: Path) -> int:
    """Write the records, newest first; returns how many. Memory stays flat."""
    count = 0
    # No name and no time in it: the same records are the same bytes.
    with (
        beside(path) as partial,
        partial.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as file,
    ):
        for record in store.whole.records():
            file.write(record + b"\n")
            count += 1
    return count
