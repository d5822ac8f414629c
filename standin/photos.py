"""Photos as records name them and as the two photo hosts know them; no pixels here.

The address in a record is the one truth: host, extension and `?NUMBER` are read from it, so that whatever an
edit writes into a record is at once what the hosts serve.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from standin.catalog import Record

Host = Literal["open", "static"]
Kind = Literal["plain", "trailing", "mpo"]

OPEN_DATA = "inaturalist-open-data.s3.amazonaws.com"
SIZES = {"square": 75, "thumb": 100, "small": 240, "medium": 500, "large": 1024, "original": 0}
ADDRESS = re.compile(r"^/photos/(\d+)/([a-z]+)\.([A-Za-z]*)$")


@dataclass(frozen=True)
class Hosts:
    """Scheme, address and port of the two photo hosts, without a trailing slash."""

    open: str
    static: str

    def base(self, host: Host) -> str:
        return self.open if host == "open" else self.static


@dataclass(frozen=True)
class Photo:
    """One photo at its current address; `width` and `height` are those of the original file."""

    id: int
    host: Host
    extension: str
    version: str
    width: int
    height: int
    kind: Kind = "plain"

    def url(self, hosts: Hosts, size: str = "square") -> str:
        address = f"{hosts.base(self.host)}/photos/{self.id}/{size}.{self.extension}"
        return f"{address}?{self.version}" if self.version else address


class PhotoBook:
    """Every photo that some record shows; one that no record shows any more is gone from the hosts."""

    def __init__(self, hosts: Hosts, original_pixels: int) -> None:
        self.hosts = hosts
        self.original_pixels = original_pixels
        self.kinds: dict[int, Kind] = {}
        self._photos: dict[int, Photo] = {}
        self._owners: defaultdict[int, set[int]] = defaultdict(set)

    def get(self, photo_id: int) -> Photo | None:
        return self._photos.get(photo_id)

    def owners(self, photo_id: int) -> list[int]:
        return sorted(self._owners[photo_id])

    def highest(self) -> int:
        return max(self._photos, default=0)

    def at(self, host: Host, path: str) -> tuple[Photo, str] | None:
        """The photo and size of an address, if exactly this address is in use."""
        match = ADDRESS.match(path)
        photo = self._photos.get(int(match[1])) if match else None
        if not match or not photo or match[2] not in SIZES:
            return None
        return (photo, match[2]) if (photo.host, photo.extension) == (host, match[3]) else None

    def replace(self, owner: int, before: Record | None, after: Record | None) -> None:
        """Note that a record changed; either side may be missing."""
        for photo in (before or {}).get("photos") or []:
            self._owners[photo["id"]].discard(owner)
        for shown in (after or {}).get("photos") or []:
            self._owners[shown["id"]].add(owner)
            self._photos[shown["id"]] = self._read(shown)
        for photo in (before or {}).get("photos") or []:
            if not self._owners[photo["id"]]:
                self._photos.pop(photo["id"], None)

    def _read(self, shown: Record) -> Photo:
        url = urlsplit(shown["url"])
        host: Host = "open" if shown["url"].startswith(self.hosts.open + "/") else "static"
        size = shown.get("original_dimensions") or {}
        width, height = fit(size.get("width") or 2048, size.get("height") or 1536, self.original_pixels)
        kind = self.kinds.get(shown["id"], "plain")
        return Photo(shown["id"], host, url.path.rpartition(".")[2], url.query, width, height, kind)


def fit(width: int, height: int, longest: int) -> tuple[int, int]:
    """Shrink, never enlarge, so that the longer side is at most `longest` pixels.

    >>> fit(2048, 1536, 500), fit(300, 200, 500)
    ((500, 375), (300, 200))
    """
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def rewrite(url: str, hosts: Hosts) -> str:
    """A real photo address, moved to the stand-in; path, extension and query stay."""
    parts = urlsplit(url)
    base = hosts.open if parts.netloc == OPEN_DATA else hosts.static
    return f"{base}{parts.path}" + (f"?{parts.query}" if parts.query else "")
