"""Photo files: real, of the right dimensions, each unlike every other, and only at their one address."""

from __future__ import annotations

import io
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from PIL import Image

from standin.client import Standin

SIZES = {"square": 75, "thumb": 100, "small": 240, "medium": 500, "large": 600, "original": 600}
FORMATS = {"jpg": "JPEG", "jpeg": "JPEG", "JPG": "JPEG", "": "JPEG", "png": "PNG", "gif": "GIF"}


@pytest.fixture(scope="module")
def photos(standin: Standin) -> dict[str, dict[str, Any]]:
    """One photo per extension."""
    shown = [photo for record in standin.records() for photo in record["photos"]]
    return {urlsplit(photo["url"]).path.rpartition(".")[2]: photo for photo in shown}


def sized(url: str, size: str) -> str:
    return url.replace("/square.", f"/{size}.")


def get(url: str) -> bytes:
    with urlopen(url, timeout=10) as answer:
        return bytes(answer.read())


def status(url: str) -> tuple[int, bytes]:
    with pytest.raises(HTTPError) as caught:
        get(url)
    with caught.value as error:
        return error.code, error.read()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("extension", FORMATS)
def test_files_decode(standin: Standin, photos: dict[str, dict[str, Any]], extension: str, size: str) -> None:
    photo = photos[extension]
    content = get(sized(photo["url"], size))
    assert content == standin.photo(photo["id"], size)
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        assert picture.format in (FORMATS[extension], "MPO")
        assert max(picture.size) == SIZES[size]
        if size == "square":
            assert picture.size == (75, 75)
        if size == "original":
            assert picture.size == tuple(photo["original_dimensions"].values())


def test_all_files_differ(standin: Standin) -> None:
    shown = {photo["id"] for record in standin.records()[:60] for photo in record["photos"]}
    files = [standin.photo(number, size) for number in sorted(shown)[:40] for size in ("square", "medium")]
    assert len(set(files)) == len(files)


def test_file_sizes_are_realistic() -> None:
    with Standin(observations=2) as running:
        running.insert(1, photos=12)
        shown = running.record(running.ids()[0])["photos"]
        photo = next(p for p in shown if "jp" in p["url"].lower())
        assert 30_000 < len(running.photo(photo["id"], "medium")) < 100_000
        assert 400_000 < len(running.photo(photo["id"])) < 1_300_000


def test_peculiar_files(standin: Standin) -> None:
    shown = {photo["id"] for record in standin.records() for photo in record["photos"]}
    files = [standin.photo(number) for number in shown]
    jpegs = [content for content in files if content.startswith(b"\xff\xd8")]
    assert sum(not content.endswith(b"\xff\xd9") for content in jpegs) == 1
    multiple = [content for content in jpegs if b"MPF\0" in content]
    assert len(multiple) == 1
    with Image.open(io.BytesIO(multiple[0])) as picture:
        assert (picture.format, getattr(picture, "n_frames", 1)) == ("MPO", 2)
        picture.seek(1)
        picture.load()


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.replace("/square.", "/huge."),
        lambda path: path + "x",
        lambda path: "/photos/1/square.jpg",
        lambda path: "/",
        lambda path: path.replace("/photos/", "/sounds/"),
    ],
)
def test_other_addresses_are_refused(standin: Standin, change: Any) -> None:
    shown = [photo["url"] for record in standin.records() for photo in record["photos"]]
    for host, expected in (("127.0.0.2", 403), ("127.0.0.3", 404)):
        url = urlsplit(next(url for url in shown if host in url))
        code, body = status(f"http://{url.netloc}{change(url.path)}")
        assert code == expected
        assert body.startswith(b"<?xml")


def test_a_moved_photo_leaves_its_old_address(world: Standin) -> None:
    number = world.insert(1, photos=2)[0]
    world.edit(number, license_code="cc-by")
    old = world.record(number)["photos"][0]["url"]
    moved = world.move_photo_host(number, license_code=None)["photos"][0]
    assert moved["license_code"] is None
    assert urlsplit(moved["url"]).path == urlsplit(old).path
    assert status(old)[0] in (403, 404)
    assert get(moved["url"]) == world.photo(moved["id"], "square")


def test_photo_edits(world: Standin) -> None:
    number = world.insert(1, photos=3)[0]
    before = world.record(number)
    ids = [photo["id"] for photo in before["photos"]]
    swapped = world.swap_photos(number)
    assert [photo["id"] for photo in swapped["photos"]] == ids[::-1]
    assert [item["position"] for item in swapped["observation_photos"]] == [0, 1, 2]
    old, content = swapped["photos"][1], world.photo(swapped["photos"][1]["id"], "small")
    bumped = world.bump_photo_query(number, 1)["photos"][1]
    assert bumped["url"].partition("?")[0] == old["url"].partition("?")[0]
    assert bumped["url"] != old["url"]
    assert world.photo(old["id"], "small") != content
    replaced = world.replace_photo(number, 1)
    assert replaced["photos"][1]["id"] not in ids
    assert replaced["observation_photos"][1]["photo"] == replaced["photos"][1]
    assert status(bumped["url"])[0] in (403, 404)
    assert get(replaced["photos"][1]["url"])


def test_a_shared_photo_outlives_one_of_its_observations(standin: Standin) -> None:
    with Standin(observations=120, original_pixels=100) as running:
        seen: dict[int, tuple[int, str]] = {}
        for number in running.ids():
            for photo in running.record(number)["photos"]:
                if photo["id"] in seen:
                    running.delete(number)
                    assert get(photo["url"])
                    running.delete(seen[photo["id"]][0])
                    assert status(photo["url"])[0] in (403, 404)
                    return
                seen[photo["id"]] = (number, photo["url"])
    raise AssertionError("no photo is shared")
