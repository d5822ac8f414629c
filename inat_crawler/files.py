"""Photo files on the disk: each is written beside and renamed, and asked whether it is still what was written.

It serves Scrapy's media pipelines as their files store, in the place of their own, which writes in place: a
process killed there leaves half a file that the next run takes for whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, Protocol

from inat_crawler.items import Move, PhotoFile

_PHOTO_NAME = re.compile(r"[0-9]+(_[0-9]+)?(Sq|Th|S|M|L|O)[.][a-z0-9]+")


class WholeFilesStore:
    """A folder that never holds half a file under a final name."""

    beside: ClassVar[str] = ".partial"

    def __init__(self, basedir: str | os.PathLike[str]) -> None:
        self.folder = Path(basedir)
        if (self.folder / self.beside).exists():
            shutil.rmtree(self.folder / self.beside)  # left by a killed process
        (self.folder / self.beside).mkdir(parents=True)

    def persist_file(
        self, path: str, buf: BytesIO, info: Any = None, meta: Any = None, headers: Any = None
    ) -> None:
        """Write a file. May run in a thread; raises OSError."""
        beside = self.folder / self.beside / path
        beside.write_bytes(buf.getbuffer())
        beside.replace(self.folder / path)

    def stat_file(self, path: str, info: Any = None) -> Any:
        """When the file was modified, in seconds, as Scrapy asks of a store; empty if it is not there."""
        try:
            return {"last_modified": (self.folder / path).stat().st_mtime}
        except OSError:
            return {}

    def copy_file(self, source: PhotoFile, path: str) -> bool:
        """Write a copy of a file under another name; False if the file is not there as its row says."""
        try:
            body = (self.folder / str(source.path)).read_bytes()
        except OSError:
            return False
        if hashlib.sha256(body).hexdigest() != source.sha256:
            return False
        self.persist_file(path, BytesIO(body))
        return True

    def photo_names(self) -> set[str]:
        """Names of the photos in the folder; files of other names are somebody else's."""
        return {entry.name for entry in os.scandir(self.folder) if _PHOTO_NAME.fullmatch(entry.name)}

    def put_aside(self, path: str) -> None:
        """Move a file to the folder `gone` beside this one; nothing happens when it is not there."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / path).replace(place_aside(self.folder, path))

    def modified(self, path: str) -> int:
        """Modification time in ns."""
        return (self.folder / path).stat().st_mtime_ns

    def holds(self, file: PhotoFile) -> bool:
        """Is the file there as its row says? Its bytes are read only when its time of modification differs."""
        path = self.folder / str(file.path)
        try:
            stat = path.stat()
            if stat.st_size != file.bytes:
                return False
            return (
                stat.st_mtime_ns == file.mtime_ns or hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
            )
        except OSError:  # not there, or not to be read
            return False


def place_aside(folder: Path, name: str, aside: str = "gone") -> Path:
    """A free name in a folder beside this one: what lies there is never overwritten."""
    gone = folder.parent / aside
    gone.mkdir(exist_ok=True)
    stem, _, extension = name.partition(".")
    names = [name, *(f"{stem}~{n}.{extension}" for n in range(2, 1000))]
    return next((gone / n for n in names if not (gone / n).exists()), gone / name)


MOVING = ".moving"


class Moves(Protocol):
    """The moves that a store has noted and that are not done."""

    def pending(self) -> list[Move]: ...
    def all_set_out(self) -> None: ...
    def done(self) -> None: ...


def carry_out(folder: Path, moves: Moves) -> None:
    """Carry out all moves that are noted, from wherever a killed process has left them. Raises OSError."""
    pending = moves.pending()
    if pending:
        set_out(folder, pending)
        moves.all_set_out()
        arrive(folder, pending)
        moves.done()


def set_out(folder: Path, moves: Sequence[Move]) -> None:
    """Take files off their old names, into a folder between; those on their way already stay there.

    Two photos that change places need each other's names: all must have set out before one arrives. May be
    repeated until it is through. Raises OSError.
    """
    between = folder / MOVING
    between.mkdir(parents=True, exist_ok=True)
    for move in moves:
        if not move.set_out:
            with contextlib.suppress(FileNotFoundError):  # it has set out before, or is lost
                (folder / move.path).replace(between / _name_between(move))


def arrive(folder: Path, moves: Sequence[Move]) -> None:
    """Give the files that have set out their new names. May be repeated until it is through. Raises OSError."""
    for move in moves:
        target = folder / move.target if move.target else place_aside(folder, move.path, move.aside)
        with contextlib.suppress(FileNotFoundError):  # it has arrived before, or is lost
            (folder / MOVING / _name_between(move)).replace(target)
    with contextlib.suppress(OSError):
        (folder / MOVING).rmdir()


def _name_between(move: Move) -> str:
    return f"{move.observation_id}_{move.photo_id}_{move.size}"
