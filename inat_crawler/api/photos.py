"""Photo sizes, the address of a size, and the name of its file. Nothing is fetched here.

Source of the address form: photo records of `/v1/observations`, `https://HOST/photos/ID/square.EXT`,
perhaps with `?NUMBER`; other sizes differ in the last path segment's word only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from inat_crawler.items import HAD, Move, Observation, Photo, PhotoFile

# size -> (letters in the file name, longer side in pixels at most)
SIZES: dict[str, tuple[str, int]] = {
    "square": ("Sq", 75),
    "thumb": ("Th", 100),
    "small": ("S", 240),
    "medium": ("M", 500),
    "large": ("L", 1024),
    "original": ("O", 2048),
}
# size -> bytes of a file when nothing better is known. JPEGs of nature at the quality that iNaturalist serves take
# about 0.35 bytes a pixel from 500 pixels on; the smaller ones take more a pixel, and each a few kB of metadata.
# Typical, not mean: dark or blurred photos take half as much, and PNGs several times as much.
TYPICAL_BYTES: Mapping[str, int] = {
    "square": 6_000,
    "thumb": 8_000,
    "small": 25_000,
    "medium": 90_000,
    "large": 300_000,
    "original": 1_200_000,  # 2048 x 1536 pixels, and some
}
BYTES_PER_PIXEL = 0.35  # of originals
_SAFE_EXTENSION = re.compile(r"[a-z0-9]{1,8}")


def photo_url(url: str, size: str) -> str:
    """Address of another size of the photo: only the word in the last path segment changes.

    >>> photo_url("https://host/photos/square/12/square.jpeg?1545367617", "original")
    'https://host/photos/square/12/original.jpeg?1545367617'
    >>> photo_url("https://host/photos/1249016/square.?1413389481", "medium")
    'https://host/photos/1249016/medium.?1413389481'
    """
    parts = urlsplit(url)
    folder, _, name = parts.path.rpartition("/")
    _, dot, extension = name.partition(".")
    return urlunsplit(parts._replace(path=f"{folder}/{size}{dot}{extension}"))


def url_extension(url: str) -> str:
    """Extension in the photo's address, in lower case; empty when it has none that is safe in a file name.

    >>> [url_extension(f"https://host/photos/1/square{e}") for e in (".JPG", ".?123", "", ".p/../g", ".gif?9")]
    ['jpg', '', '', '', 'gif']
    """
    extension = url.partition("?")[0].rpartition("/")[2].partition(".")[2].lower()
    return extension if _SAFE_EXTENSION.fullmatch(extension) else ""


def file_name(observation_id: int, photo_id: int, position: int, size: str, extension: str) -> str:
    """Name of the file: `<id>Sq.jpg` for the first photo, `<id>_<photo id>Sq.jpg` for further ones.

    >>> file_name(7, 12, 0, "square", "jpeg"), file_name(7, 13, 1, "original", "png")
    ('7Sq.jpg', '7_13O.png')
    """
    stem = f"{observation_id}" if position == 0 else f"{observation_id}_{photo_id}"
    return f"{stem}{SIZES[size][0]}.{'jpg' if extension == 'jpeg' else extension}"


def original_bytes(width: int | None, height: int | None) -> int | None:
    """About how many bytes the original size takes of a photo that was so large; None if that is not known.

    Larger ones are made smaller until the longer side fits.

    >>> original_bytes(4096, 3072), original_bytes(200, 100), original_bytes(None, 100)
    (1101005, 7000, None)
    """
    if not width or not height or width < 0 or height < 0:
        return None
    scale = min(1.0, SIZES["original"][1] / max(width, height))
    return round(BYTES_PER_PIXEL * width * height * scale * scale)


def is_replaced(photo: Photo, file: PhotoFile) -> bool:
    """Does the photo's address name other bytes than the file has? With another `?NUMBER`, not with another host.

    >>> file = PhotoFile("medium", "https://a/photos/1/medium.jpg?1", "downloaded")
    >>> [is_replaced(Photo(1, 0, url=f"https://b/photos/1/square.jpg{q}"), file) for q in ("?1", "?2", "")]
    [False, True, True]
    """
    return bool(photo.url) and _version(photo.url or "") != _version(file.url)


def _version(url: str) -> tuple[str, str]:
    address, _, number = url.partition("?")
    return address.rpartition("/")[2].partition(".")[2], number


def moves(item: Observation, files: Mapping[tuple[int, str], PhotoFile], images: str) -> list[Move]:
    """What becomes of an observation's files now that its record shows these photos in this order.

    A photo in another place is renamed; one that is shown no more, or replaced, or under `images=first` a former
    first one, leaves for `gone/`.

    >>> files = {(n, "square"): PhotoFile("square", "https://a/square.jpg", "downloaded", path=p)
    ...          for n, p in ((1, "7Sq.jpg"), (2, "7_2Sq.jpg"))}
    >>> swapped = Observation(7, photos=[Photo(2, 0), Photo(1, 1)])
    >>> [(move.path, move.target) for move in moves(swapped, files, "all")]
    [('7Sq.jpg', '7_1Sq.jpg'), ('7_2Sq.jpg', '7Sq.jpg')]
    >>> [(move.path, move.target) for move in moves(swapped, files, "first")]
    [('7Sq.jpg', None), ('7_2Sq.jpg', '7Sq.jpg')]
    """
    shown = {photo.id: photo for photo in item.photos}
    found = []
    for (photo_id, size), file in files.items():
        if file.status not in HAD or file.path is None:
            continue
        photo, target = shown.get(photo_id), None
        if photo is not None and not is_replaced(photo, file):
            target = file_name(item.id, photo_id, photo.position, size, file.path.rpartition(".")[2])
            if images == "first" and photo.position > 0 and target != file.path:
                target = None
        if target != file.path:
            found.append(Move(item.id, photo_id, size, file.path, target))
    return found


def farewells(files: Mapping[int, Mapping[tuple[int, str], PhotoFile]]) -> list[Move]:
    """All files of observations that are gone leave for `gone/`; they are given by observation id."""
    return [move for i, each in files.items() for move in moves(Observation(i), each, "all")]


@dataclass(frozen=True)
class Wanted:
    """A file that is wanted: one size of one photo of one observation."""

    observation_id: int
    photo: Photo
    size: str

    @property
    def key(self) -> tuple[int, str]:
        """Identity of the file: photo id and size."""
        return self.photo.id, self.size

    @property
    def url(self) -> str:
        """Address of this size; one that leads nowhere when the record names none on the web."""
        if not self.host:
            return f"about:photo-{self.photo.id}-{self.size}"
        return photo_url(self.photo.url or "", self.size)

    @property
    def host(self) -> str:
        """Host and port of its address; empty when the record names no address on the web."""
        try:
            parts = urlsplit(self.photo.url or "")
            on_the_web = parts.scheme in ("http", "https") and parts.port != 0 and parts.hostname
        except ValueError:
            return ""
        return parts.netloc if on_the_web else ""

    def file_name(self, extension: str) -> str:
        """Name of the file with this extension."""
        return file_name(self.observation_id, self.photo.id, self.photo.position, self.size, extension)
