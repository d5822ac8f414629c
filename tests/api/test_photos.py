"""Addresses of the sizes of a photo, and the names of their files."""

from __future__ import annotations

import pytest

from inat_crawler.api.photos import Wanted, file_name, photo_url, url_extension
from inat_crawler.items import Photo

HOST = "https://inaturalist-open-data.s3.amazonaws.com/photos"


@pytest.mark.parametrize(
    ("url", "size", "expected"),
    [
        (f"{HOST}/12/square.jpg", "original", f"{HOST}/12/original.jpg"),
        (f"{HOST}/12/square.JPEG?154", "medium", f"{HOST}/12/medium.JPEG?154"),
        (f"{HOST}/1249016/square.?1413389481", "thumb", f"{HOST}/1249016/thumb.?1413389481"),
        (f"{HOST}/square/square.png", "large", f"{HOST}/square/large.png"),
        (f"{HOST}/12/medium.gif", "square", f"{HOST}/12/square.gif"),
        (f"{HOST}/12/square", "small", f"{HOST}/12/small"),
    ],
)
def test_photo_url(url: str, size: str, expected: str) -> None:
    assert photo_url(url, size) == expected


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("square.jpg", "jpg"),
        ("square.JPG?square.png", "jpg"),
        ("square.", ""),
        ("square", ""),
        ("square.j%2F..%2Fpg", ""),
        ("square.tar.gz", ""),
        ("square.waytoolongextension", ""),
    ],
)
def test_url_extension(name: str, extension: str) -> None:
    assert url_extension(f"{HOST}/12/{name}") == extension


@pytest.mark.parametrize(
    ("position", "size", "extension", "name"),
    [
        (0, "square", "jpg", "7Sq.jpg"),
        (0, "medium", "jpeg", "7M.jpg"),
        (0, "original", "png", "7O.png"),
        (0, "thumb", "gif", "7Th.gif"),
        (1, "small", "jpg", "7_12S.jpg"),
        (21, "large", "jpeg", "7_12L.jpg"),
    ],
)
def test_file_name(position: int, size: str, extension: str, name: str) -> None:
    assert file_name(7, 12, position, size, extension) == name


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (f"{HOST}/12/square.jpg", "inaturalist-open-data.s3.amazonaws.com"),
        ("http://127.0.0.2:8000/photos/12/square.jpg", "127.0.0.2:8000"),
        ("file:///etc/passwd", ""),
        ("ftp://host/photos/12/square.jpg", ""),
        ("http://[bad/photos/12/square.jpg", ""),
        ("http://127.0.0.2:abc/photos/12/square.jpg", ""),
        ("http://127.0.0.2:99999/photos/12/square.jpg", ""),
        ("http:///photos/12/square.jpg", ""),
        ("/photos/12/square.jpg", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_only_the_web_is_asked(url: str | None, host: str) -> None:
    assert Wanted(7, Photo(12, 0, url), "square").host == host
