"""Making what is handed on: which formats can be made here, which are due, and where each goes.

What was made of which state of the store is noted in `.published.json` in the output: a format is made anew when
the store has changed since, or what was made is no longer there as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import inat_crawler
from inat_crawler.api.formats import ALL, DEFAULT_FORMATS, FORMATS, Format
from inat_crawler.errors import FormatError
from inat_crawler.outputs.beside import beside
from inat_crawler.store import Store

NOTES = ".published.json"
BASEMAP = "basemap.geojson"  # which the page takes in
Options = Mapping[str, Any]
Writer = Callable[..., int]
# Format -> what writes each of its files: a function of the store, the path and the format's options.
WRITERS: Mapping[str, tuple[str, ...]] = {
    "table": ("table.write_table",),
    "attribution": ("attribution.write_photos", "attribution.write_attribution"),
    "dwca": ("darwin_core.write_archive",),
    "gpkg": ("arrow.write_geopackage",),
    "geojson": ("geojson.write_geojson",),
    "parquet": ("arrow.write_parquet",),
    "csv": ("all_columns.write_csv", "all_columns.write_dictionary"),
    "jsonl": ("json_lines.write_json_lines",),
    "imagefolder": ("image_folder.write_image_folder",),
    "report": ("report.write_report",),
}
# Formats that tell of the last crawl as well: they are made when its account stands in the store.
TELLS_OF_THE_CRAWL = ("report", "dwca")


@dataclass(frozen=True)
class Made:
    """A format that was asked for: where it lies, and how many rows or photos it has; None if it was not due."""

    format: str
    paths: tuple[Path, ...]
    rows: int | None


def lacking(each: Format) -> list[str]:
    """The libraries that this format needs and that are not installed."""
    return [library for library in each.libraries if find_spec(library) is None]


def available(names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The formats that can be made here, and those of `all` that cannot, each with what it lacks.

    Raises FormatError for one that was asked for by its name.
    """
    chosen = list(FORMATS) if ALL in names else [name for name in FORMATS if name in names]
    missing = {name: need(name) for name in chosen if lacking(FORMATS[name])}
    for name, what in missing.items():
        if name in names:
            raise FormatError(what)
    return [name for name in chosen if name not in missing], missing


def need(name: str) -> str:
    """What to install for a format."""
    libraries = " ".join(lacking(FORMATS[name]))
    return f"format `{name}` needs {libraries.replace(' ', ', ')}: pip install {libraries}"


def paths_of(name: str, output: Path) -> tuple[Path, ...]:
    """Where a format lies."""
    folder = output if name in DEFAULT_FORMATS else output / "exports"
    return tuple(folder / path for path in FORMATS[name].paths)


class Publisher:
    """Makes formats of one mirror in its output, which this process holds."""

    def __init__(self, store: Store, output: Path) -> None:
        self.store = store
        self.output = output
        self.notes: dict[str, Any] = read_notes(output)

    def publish(self, name: str, options: Options | None = None) -> Made:
        """Make a format if it is due. Raises OSError, StoreError.

        `options` are the format's own, and remembered: without any, those of the last time hold.
        """
        paths = paths_of(name, self.output)
        chosen = {**self.notes.get(name, {}).get("options", {}), **(options or {})}
        key = self.key(name, chosen)
        if not self.is_due(name, key, paths):
            return Made(name, paths, None)
        rows = [
            writer(dotted)(self.store, path, **chosen) for dotted, path in zip(WRITERS[name], paths, strict=True)
        ]
        self.notes[name] = {"of": key, "options": chosen, "files": [mark(path) for path in paths]}
        self.save_notes()
        return Made(name, paths, rows[0])

    def key(self, name: str, options: Options) -> list[Any]:
        """What tells all that a format is made from, as JSON values."""
        return [inat_crawler.__version__, self.fingerprint, self.besides(name), dict(options)]

    @cached_property
    def fingerprint(self) -> str:
        return self.store.whole.fingerprint()

    def besides(self, name: str) -> list[Any]:
        """What a format is made from besides the store, the account of the last crawl among it.

        The archive says whether the mirror is complete, the page when it was looked at as well.
        """
        account, question = self.store.whole.last_account() or {}, self.store.whole.last_question()
        has_ended = account.get("started_at") == question.get("started_at")
        if name == "dwca":
            return [account.get("complete"), has_ended]
        if name == "report":
            times = [account.get("started_at"), account.get("finished_at"), has_ended]
            return [*times, mark(self.output / BASEMAP)]
        return [bool(find_spec("shapely"))] if name == "parquet" else []

    def is_due(self, name: str, key: list[Any], paths: Sequence[Path]) -> bool:
        note = self.notes.get(name, {})
        return bool(note.get("of") != key) or note.get("files") != [mark(path) for path in paths]

    def save_notes(self) -> None:
        with beside(self.output / NOTES) as partial:
            partial.write_text(json.dumps(self.notes, indent=2), encoding="utf-8")


def read_notes(output: Path) -> dict[str, Any]:
    """What was made, by format; nothing when the notes cannot be read, so that all is made anew."""
    try:
        notes = json.loads((output / NOTES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) and all(isinstance(note, dict) for note in notes.values()) else {}


def mark(path: Path) -> list[int] | None:
    """What tells that a file is as it was made; of a folder, only that it is there."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return [] if path.is_dir() else [stat.st_size, stat.st_mtime_ns]


def writer(dotted: str) -> Writer:
    """The function `module.name` of the outputs; raises FormatError.

    Imported here: some libraries cost half a second and 60 MB.
    """
    module, _, name = dotted.partition(".")
    try:
        write: Writer = getattr(import_module(f"inat_crawler.outputs.{module}"), name)
    except ImportError as error:
        raise FormatError(f"outputs.{module} cannot be used here, a library of it is broken: {error}") from error
    return write
