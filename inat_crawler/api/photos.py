"""Photo sizes, the address of a size, and the name of its file. Nothing is fetched here.

Source of the address form: photo records of `/v1/observations`, `https://HOST/photos/ID/square.EXT`,
perhaps with `?NUMBER`; other sizes differ in the last path segment's word only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from inat_crawler.items import Photo

# size -> (letters in the file name, longer side in pixels at most)
SIZES: dict[str, tuple[str, int]] = {
    "square": ("Sq", 75),
    "thumb": ("Th", 100),
    "small": ("S", 240),
    "medium": ("M", 500),
    "large": ("L", 1024),
    "original": ("O", 2048),
}
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
