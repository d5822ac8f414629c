"""`report.html`: one page that shows a mirror, made from the store; it needs no network, and can be mailed alone.

The observations are read once and written line by line: what grows with their number lies on the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO

from markupsafe import Markup

import inat_crawler
from inat_crawler.outputs.beside import beside
from inat_crawler.outputs.report.basemap import read_basemap
from inat_crawler.outputs.report.page import embedded, own, render
from inat_crawler.outputs.report.rows import IN_GALLERY, Rows, file_of
from inat_crawler.outputs.report.story import tell
from inat_crawler.outputs.report.thumbnails import thumbnail
from inat_crawler.store import Store

EMBEDDED = 200
CHUNK = 1 << 16  # characters
UNWRITABLE = "replace"  # half a surrogate pair is no character


def write_report(store: Store, path: Path) -> int:
    """Write the page beside and rename it to `path`; returns the number of observations. Memory stays flat.

    The photos lie in `images/` beside it; the first 200 that are shown are in the page itself.
    """
    with beside(path) as partial, _scratch(path.parent) as lines:
        rows, thumbnails = _write_rows(store, lines, path.parent / "images")
        basemap, trouble = read_basemap(path.parent)
        pieces = render(
            story=tell(store),
            totals=rows,
            lines=_read_again(lines),
            lists=rows.lists(),
            thumbnails=thumbnails,
            in_gallery=IN_GALLERY,
            land=own("vendor/land.json"),
            basemap=basemap,
            basemap_trouble=trouble,
            version=inat_crawler.__version__,
        )
        with partial.open("w", encoding="utf-8", errors=UNWRITABLE) as page:
            page.writelines(pieces)
    return rows.observations


def _write_rows(store: Store, lines: TextIO, images: Path) -> tuple[Rows, dict[int, str]]:
    """Write a line an observation; returns what they hold together, and the first photos by observation id."""
    rows = Rows()
    thumbnails: dict[int, str] = {}
    for observation in store.whole.each():
        row = rows.row(observation)
        lines.write(f"{',' if rows.observations > 1 else ''}{embedded(row)}\n")
        name = file_of(row)
        if name and rows.with_photo <= EMBEDDED and (found := thumbnail(images / name)):
            thumbnails[observation.id] = found
    return rows, thumbnails


def _scratch(folder: Path) -> TextIO:
    """A file without a name beside the page, for what does not fit into memory."""
    return TemporaryFile("w+", dir=folder, encoding="utf-8", errors=UNWRITABLE)


def _read_again(lines: TextIO) -> Iterator[Markup]:
    """What was written, in large pieces."""
    lines.seek(0)
    while piece := lines.read(CHUNK):
        yield Markup(piece)  # noqa: S704
