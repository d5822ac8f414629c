"""The Darwin Core Archive of a mirror: a zip file of occurrences, their photos, and what is to be known of both.

Source of the form: the Darwin Core Text Guide of TDWG, GBIF's extension for multimedia, and GBIF's profile of EML.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from inat_crawler.outputs.beside import beside
from inat_crawler.outputs.darwin_core.columns import Column, line, plain, row
from inat_crawler.outputs.darwin_core.dataset import Dataset, question
from inat_crawler.outputs.darwin_core.multimedia import MULTIMEDIA, pictures
from inat_crawler.outputs.darwin_core.occurrence import OCCURRENCE
from inat_crawler.store import Store

# `plain`, because XML cannot hold every character that a query can.
TEMPLATES = Environment(
    loader=PackageLoader("inat_crawler.outputs", "templates/darwin_core"),
    autoescape=True,
    finalize=plain,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file knows: the same content makes the same bytes
UNIX = 3


def write_archive(store: Store, path: Path) -> int:
    """Write the archive beside and rename it to `path`; returns the number of occurrences. Memory stays flat."""
    dataset = Dataset()
    with beside(path) as partial, ZipFile(partial, "w") as archive, TemporaryFile(dir=path.parent) as photos:
        with _open(archive, "occurrence.txt") as occurrences:
            _write_rows(store, occurrences, photos, dataset)
        photos.seek(0)
        with _open(archive, "multimedia.txt") as multimedia:
            shutil.copyfileobj(photos, multimedia)
        _render(archive, "meta.xml", occurrence=OCCURRENCE, multimedia=MULTIMEDIA)
        _render(archive, "eml.xml", dataset=dataset, **question(store))
    return dataset.observations


def _write_rows(store: Store, occurrences: IO[bytes], photos: IO[bytes], dataset: Dataset) -> None:
    """Both data files in one reading, lest a photo names an occurrence that is not there.

    A zip file takes one member at a time: the photos wait in a file of their own.
    """
    occurrences.write(_header("id", OCCURRENCE))
    photos.write(_header("coreid", MULTIMEDIA))
    for observation in store.whole.each():
        shown = pictures(observation)
        occurrences.write(row(observation.id, OCCURRENCE, observation))
        photos.writelines(row(observation.id, MULTIMEDIA, picture) for picture in shown)
        dataset.add(observation, shown)


def _header(key: str, columns: Sequence[Column[Any]]) -> bytes:
    return line([key, *(column.name for column in columns)])


def _open(archive: ZipFile, name: str) -> IO[bytes]:
    # zip64: how long it gets is not known before.
    return archive.open(_member(name), "w", force_zip64=True)


def _render(archive: ZipFile, name: str, **values: Any) -> None:
    archive.writestr(_member(name), TEMPLATES.get_template(f"{name}.j2").render(values))


def _member(name: str) -> ZipInfo:
    """A file in the archive, with nothing in its entry of when or on which system it was made."""
    member = ZipInfo(name, LONG_AGO)
    member.compress_type, member.create_system, member.external_attr = ZIP_DEFLATED, UNIX, 0o644 << 16
    return member
