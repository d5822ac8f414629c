"""Photo files on the disk: whole or not there."""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from pathlib import Path

import pytest

from inat_crawler.files import WholeFilesStore
from inat_crawler.items import PhotoFile


@pytest.fixture
def folder(tmp_path: Path) -> WholeFilesStore:
    return WholeFilesStore(tmp_path / "images")


def row(folder: WholeFilesStore, body: bytes) -> PhotoFile:
    folder.persist_file("7Sq.jpg", BytesIO(body))
    digest = hashlib.sha256(body).hexdigest()
    stamp = folder.modified("7Sq.jpg")
    return PhotoFile("square", "u", "downloaded", "7Sq.jpg", bytes=len(body), sha256=digest, mtime_ns=stamp)


def test_a_file_is_written_and_copied_whole(folder: WholeFilesStore) -> None:
    file = row(folder, b"photo")
    assert folder.holds(file)
    assert folder.copy_file(file, "8Sq.jpg")
    assert (folder.folder / "8Sq.jpg").read_bytes() == b"photo"
    assert folder.stat_file("8Sq.jpg")["last_modified"] > 0
    assert folder.stat_file("9Sq.jpg") == {}


def test_what_was_left_of_a_killed_process_is_cleared(folder: WholeFilesStore) -> None:
    (folder.folder / folder.beside / "7Sq.jpg").write_bytes(b"pho")
    again = WholeFilesStore(folder.folder)
    assert list((again.folder / again.beside).iterdir()) == []


def test_a_file_that_is_no_longer_as_it_was(folder: WholeFilesStore) -> None:
    file = row(folder, b"photo")
    path = folder.folder / "7Sq.jpg"
    os.utime(path, ns=(1, 1))
    assert folder.holds(file), "touched, not changed: a mirror that was copied is still whole"
    path.write_bytes(b"phoTo")
    assert not folder.holds(file)
    assert not folder.copy_file(file, "8Sq.jpg")
    path.write_bytes(b"phot")
    assert not folder.holds(file)
    path.unlink()
    assert not folder.holds(file)
    assert not folder.copy_file(file, "8Sq.jpg")
    assert [p.name for p in folder.folder.iterdir()] == [folder.beside]


def test_a_file_that_is_put_aside(folder: WholeFilesStore) -> None:
    row(folder, b"photo")
    folder.put_aside("7Sq.jpg")
    folder.put_aside("7Sq.jpg")
    assert (folder.folder.parent / "gone" / "7Sq.jpg").read_bytes() == b"photo"
    assert not (folder.folder / "7Sq.jpg").exists()


def test_only_photos_are_ours(folder: WholeFilesStore) -> None:
    row(folder, b"photo")
    for name in ("7_12O.png", "notes.txt", "7Sq.jpg~", "8X.jpg", ".DS_Store"):
        (folder.folder / name).write_text("x")
    assert folder.photo_names() == {"7Sq.jpg", "7_12O.png"}
