"""A sample of a query's observations, for forecasts: how many photos they have, and how large."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from inat_crawler.api.photos import original_bytes
from inat_crawler.api.records import read_record
from inat_crawler.errors import RecordError
from inat_crawler.items import Observation, Wants

SAMPLE_SIZE = 50  # about 2 MB; the mean number of photos is then known to about a fifth


@dataclass(frozen=True)
class Sample:
    """What was counted. `original_bytes` are those of the `measured` photos together, told from their pixels."""

    observations: int = 0
    with_photos: int = 0
    photos: int = 0
    measured: int = 0
    original_bytes: int = 0

    @classmethod
    def of(cls, observations: Iterable[Observation], wants: Wants) -> Self:
        """Count these observations and their photos, whichever is first, whose license is wanted.

        >>> from inat_crawler.items import Photo
        >>> two = [Photo(1, 0, width=2048, height=1536), Photo(2, 1)]
        >>> Sample.of([Observation(7, photos=two), Observation(8)], Wants("all", ()))
        Sample(observations=2, with_photos=1, photos=2, measured=1, original_bytes=1101005)
        """
        found = list(observations)
        every = wants if wants.licenses else replace(wants, images="all")
        photos = [[p for p in o.photos if every.takes(p)] for o in found]
        sizes = [n for each in photos for p in each if (n := original_bytes(p.width, p.height)) is not None]
        return cls(len(found), sum(map(bool, photos)), sum(map(len, photos)), len(sizes), sum(sizes))

    @classmethod
    def of_pixels(cls, pixels: Iterable[tuple[int | None, int | None]]) -> Self:
        """Count nothing but the sizes of originals, by width and height in pixels.

        >>> Sample.of_pixels([(2048, 1536), (None, None)])
        Sample(observations=0, with_photos=0, photos=0, measured=1, original_bytes=1101005)
        """
        sizes = [n for width, height in pixels if (n := original_bytes(width, height)) is not None]
        return cls(measured=len(sizes), original_bytes=sum(sizes))

    @property
    def with_photos_rate(self) -> float:
        """Share of observations that have photos; all of them where nothing was sampled."""
        return self.with_photos / self.observations if self.observations else 1.0

    @property
    def photos_each(self) -> float:
        """Photos per observation that has any; one where nothing was sampled."""
        return self.photos / self.with_photos if self.with_photos else 1.0


def read_sample(results: Iterable[Any], wants: Wants) -> Sample:
    """The sample that the records of a page are; those that cannot be read are left out.

    >>> read_sample([{"id": 7, "photos": [{"id": 1}]}, {"id": "x"}], Wants("all", ())).observations
    1
    """
    observations = []
    for record in results:
        try:
            observations.append(read_record(record))
        except RecordError:
            continue
    return Sample.of(observations, wants)


def all_have_photos(search: Mapping[str, str]) -> bool | None:
    """What a search itself says of its observations: all have photos, none has, or nothing (None).

    >>> [all_have_photos(s) for s in ({"photos": "true"}, {"photos": "false"}, {"photo_license": "cc0"}, {})]
    [True, False, True, None]
    """
    if search.get("photos") in ("true", "false"):
        return search["photos"] == "true"
    return True if "photo_license" in search or search.get("photo_licensed") == "true" else None
