"""Photos that change their names: whatever moment a process is killed at, none is left under another's name."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inat_crawler.api.photos import file_name, moves
from inat_crawler.files import carry_out
from inat_crawler.items import Move, Observation, Photo, PhotoFile

A, B, C = 11, 12, 13
CASES: Mapping[str, tuple[list[int], list[int], str]] = {  # photos before, after, and `images`
    "swapped": ([A, B], [B, A], "all"),
    "turned round": ([A, B, C], [C, A, B], "all"),
    "first one left": ([A, B], [B], "all"),
    "all left": ([A, B], [], "all"),
    "first one replaced": ([A, B], [C, B], "all"),
    "another first one, only first ones are kept": ([A], [B, A], "first"),
    "kept both once, only first ones are kept now": ([A, B], [B, A], "first"),
    "nothing": ([A, B], [A, B], "all"),
}


class KilledError(BaseException):
    """The process is killed here."""


class Noted:
    """What a store has noted of moves, on the disk and not in this process."""

    def __init__(self, noted: list[Move]) -> None:
        self.noted = noted

    def pending(self) -> list[Move]:
        return list(self.noted)

    def all_set_out(self) -> None:
        self.noted = [replace(move, set_out=True) for move in self.noted]

    def done(self) -> None:
        self.noted = []


def photo(photo_id: int, position: int) -> Photo:
    return Photo(photo_id, position, f"http://h/photos/{photo_id}/square.jpg")


def mirror(folder: Path, before: list[int]) -> dict[tuple[int, str], PhotoFile]:
    """The files of observation 7 with these photos, each holding the photo's id; and a photo of another one."""
    folder.mkdir(parents=True)
    (folder / "8Sq.jpg").write_text("another")
    had = {}
    for position, photo_id in enumerate(before):
        name = file_name(7, photo_id, position, "square", "jpg")
        (folder / name).write_text(str(photo_id))
        had[photo_id, "square"] = PhotoFile("square", f"http://h/photos/{photo_id}/square.jpg", "downloaded", name)
    return had


def killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill before this renaming or commit, counted from 0."""
    count = itertools.count()

    def mortal(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if next(count) == step:
                raise KilledError
            return real(*arguments)

        return call

    for owner, name in ((Path, "replace"), (Noted, "all_set_out"), (Noted, "done")):
        monkeypatch.setattr(owner, name, mortal(getattr(owner, name)))


def run(folder: Path, noted: Noted, kill: Callable[[pytest.MonkeyPatch], None]) -> bool:
    """Carry out the moves; True if the process lived to the end."""
    with pytest.MonkeyPatch.context() as patch:
        kill(patch)
        try:
            carry_out(folder, noted)
        except KilledError:
            return False
        return True


def check(folder: Path, before: list[int], after: list[int], images: str) -> None:
    found = {p.name: p.read_text() for p in folder.iterdir() if p.is_file()}
    names = {file_name(7, p, n, "square", "jpg"): str(p) for n, p in enumerate(after) if p in before}
    if images == "first":
        names = {name: p for name, p in names.items() if "_" not in name}
    assert found == names | {"8Sq.jpg": "another"}
    gone = folder.parent / "gone"
    left = sorted(p.read_text() for p in gone.iterdir()) if gone.exists() else []
    assert left == sorted(str(p) for p in before if str(p) not in names.values())
    assert not (folder / ".moving").exists()


@pytest.mark.parametrize("case", CASES)
def test_killed_at_any_moment(case: str, tmp_path: Path) -> None:
    before, after, images = CASES[case]
    item = Observation(7, photos=[photo(p, n) for n, p in enumerate(after)])
    for step in itertools.count():
        folder = tmp_path / str(step) / "images"
        noted = Noted(moves(item, mirror(folder, before), images))
        lived = run(folder, noted, lambda patch, step=step: killed_at(step, patch))
        assert run(folder, noted, lambda patch: None), "and run again"
        check(folder, before, after, images)
        if lived:
            break


orders = st.lists(st.integers(1, 6), unique=True, max_size=5)


@settings(max_examples=60, deadline=None)
@given(before=orders, after=orders, kills=st.lists(st.integers(0, 8), max_size=4))
def test_any_order_and_any_kills(
    tmp_path_factory: pytest.TempPathFactory, before: list[int], after: list[int], kills: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("mirror") / "images"
    item = Observation(7, photos=[photo(p, n) for n, p in enumerate(after)])
    noted = Noted(moves(item, mirror(folder, before), "all"))
    for step in kills:
        run(folder, noted, lambda patch, step=step: killed_at(step, patch))
    assert run(folder, noted, lambda patch: None)
    check(folder, before, after, "all")


def test_what_lies_in_gone_is_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for photo_id in (A, B, C):
        (folder / "7Sq.jpg").write_text(str(photo_id))
        carry_out(folder, Noted([Move(7, photo_id, "square", "7Sq.jpg", None)]))
    assert {p.name: p.read_text() for p in (tmp_path / "gone").iterdir()} == {
        "7Sq.jpg": "11",
        "7Sq~2.jpg": "12",
        "7Sq~3.jpg": "13",
    }
