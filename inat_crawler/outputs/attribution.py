"""Who took the photos and what may be done with them: `photos.tsv` for programs, `ATTRIBUTION.md` for readers."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from inat_crawler.api.licenses import credit, license_name, license_url
from inat_crawler.api.pages import observation_page, photo_page
from inat_crawler.items import Observation, Photo, PhotoFile
from inat_crawler.outputs.beside import beside
from inat_crawler.store import Store

Value = Callable[[Observation, Photo, PhotoFile], Any]

# Column of photos.tsv -> its value.
COLUMNS: Mapping[str, Value] = {
    "observation_id": lambda o, p, f: o.id,
    "photo_id": lambda o, p, f: p.id,
    "position": lambda o, p, f: p.position,
    "size": lambda o, p, f: f.size,
    "file": lambda o, p, f: f"images/{f.path}",
    "bytes": lambda o, p, f: f.bytes,
    "sha256": lambda o, p, f: f.sha256,
    "width": lambda o, p, f: f.width,
    "height": lambda o, p, f: f.height,
    "license_code": lambda o, p, f: p.license_code,
    "license_url": lambda o, p, f: license_url(p.license_code),
    "attribution": lambda o, p, f: one_line(credit(p.attribution, p.license_code, o.observer)),
    "observation_url": lambda o, p, f: observation_page(o.id),
    "photo_url": lambda o, p, f: photo_page(p.id),
    "fetched_at": lambda o, p, f: f.fetched_at,
}


def write_photos(store: Store, path: Path) -> int:
    """Write a row for each file that is had, newest observation first; returns how many. Memory stays flat."""
    count = 0
    with beside(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        for observation in store.whole.each():
            for photo in observation.photos:
                for each in photo.files:
                    writer.writerow(value(observation, photo, each) for value in COLUMNS.values())
                    count += 1
    return count


def write_attribution(store: Store, path: Path) -> int:
    """Write the credits of all photos of which a file is had, license by license; returns how many photos."""
    counts = store.whole.licenses()
    with beside(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.write(_heading(counts))
        for code, photos in groupby(store.whole.by_license(), key=lambda row: row[0]):
            file.write(f"\n## {_license(code)}\n\n{_meaning(code)}\n\n")
            file.writelines(_credits(photos))
    return sum(counts.values())


def _heading(counts: Mapping[str, int]) -> str:
    rows = "".join(f"| {_license(code)} | {many:,} |\n" for code, many in sorted(counts.items()))
    return (
        "# Attribution\n\n"
        "Photos belong to those who took them. Each is listed here with its credit, under the license that its\n"
        "owner has chosen; the license of an observation is not that of its photos. Whoever shows a photo shows\n"
        "its credit, and keeps to its license.\n\n"
        f"| license | photos |\n|---|---|\n{rows}"
    )


def _license(code: str) -> str:
    name, url = escaped(one_line(license_name(code))), license_url(code)
    return f"[{name}]({url})" if url else name[0].upper() + name[1:]


def _meaning(code: str) -> str:
    if not code:
        return "Not to be published, or handed on, without the owner's permission."
    return "Their owners allow what this license says."


def _credits(photos: Iterator[tuple[str, Photo, int, str | None, list[str]]]) -> Iterator[str]:
    for code, photo, observation_id, name, files in photos:
        said = escaped(one_line(credit(photo.attribution, code, name)))
        yield f"- {', '.join(files)}: {said}, <{observation_page(observation_id)}>\n"


def one_line(text: str) -> str:
    r"""A text in one line, without what steers a terminal.

    >>> one_line("(c) Ana\r\n\x1b[2JMaria")
    '(c) Ana [2JMaria'
    """
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).split())


def escaped(text: str) -> str:
    r"""Text of others as Markdown shows it: no link, heading or markup of theirs comes through.

    >>> print(escaped("*Ana* <script> [x](javascript:1)"))
    \*Ana\* &lt;script&gt; \[x\](javascript:1)
    """
    marked = re.sub(r"([\\`*_{}\[\]#!|~^])", r"\\\1", text.replace("&", "&amp;"))
    safe = marked.replace("<", "&lt;").replace(">", "&gt;")
    return safe.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")
