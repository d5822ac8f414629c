"""Observations as the short rows that the page carries: one JSON array each, texts that repeat as numbers.

The lists that these numbers count in grow with the taxa and observers of a mirror, not with its observations.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date
from typing import Any

from inat_crawler.api.coordinates import cell, point
from inat_crawler.api.licenses import credit, license_name, license_url
from inat_crawler.items import Observation, Photo, PhotoFile

IN_GALLERY = 20_000
SQUARE = "square"
_FILE = 10


class Numbered:
    """Values in the order in which they were first seen; equal keys share a number."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, key: Hashable, value: Any) -> int:
        """The number of this key; a new one brings its value.

        >>> names = Numbered()
        >>> [names.number(1, "Octopus"), names.number(2, "Squid"), names.number(1, "Kraken")], names.values
        ([0, 1, 0], ['Octopus', 'Squid'])
        """
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append(value)
        return self._numbers[key]


class Rows:
    """Makes rows, and counts what they hold.

    >>> rows = Rows()
    >>> rows.row(Observation(7, taxon_name="Squid", observed_on="2024-05-07", latitude="8.441234", longitude="9"))
    [7, 0, 0, 0, 0, 20240507, 8.44123, 9.0, 0, []]
    >>> rows.lists()["taxa"], rows.observations
    ([['Squid', None, None]], 1)
    """

    def __init__(self) -> None:
        self.taxa, self.observers, self.grades = Numbered(), Numbered(), Numbered()
        self.licenses, self.credits = Numbered(), Numbered()
        self.observations = self.photos = self.with_photo = 0

    def row(self, observation: Observation) -> list[Any]:
        """Id, numbers of taxon, observer, grade and license, day, place, licenses of the photos that are had.

        The newest that have a photo go on with what the gallery shows: file name and number of the credit.
        """
        self.observations += 1
        had = [photo for photo in observation.photos if photo.files]
        self.photos += len(had)
        return [
            observation.id,
            self._taxon(observation),
            self._observer(observation),
            self.grades.number(observation.quality_grade, observation.quality_grade),
            self._license(observation.license_code),
            day(observation.observed_on),
            *place(observation),
            [self._license(photo.license_code) for photo in had],
            *self._card(observation, had),
        ]

    @property
    def named_taxa(self) -> int:
        """How many taxa there are, without that of observations that have none."""
        return sum(name is not None for name, _, _ in self.taxa.values)

    @property
    def named_observers(self) -> int:
        return sum(login is not None for login, _ in self.observers.values)

    @property
    def kind(self) -> str:
        """What the taxa are: `species` when each of them is one."""
        return "species" if all(rank in (None, "species") for _, _, rank in self.taxa.values) else "taxa"

    def lists(self) -> dict[str, list[Any]]:
        """What the numbers in the rows stand for."""
        return {
            "taxa": self.taxa.values,  # scientific name, common name, rank
            "observers": self.observers.values,  # login, name
            "grades": self.grades.values,
            "licenses": self.licenses.values,  # name, address of its text
            "credits": self.credits.values,
        }

    def _taxon(self, o: Observation) -> int:
        key = o.taxon_name if o.taxon_id is None else o.taxon_id
        return self.taxa.number(key, [o.taxon_name, o.taxon_common_name, o.taxon_rank])

    def _observer(self, o: Observation) -> int:
        key = o.user_login if o.user_id is None else o.user_id
        return self.observers.number(key, [o.user_login, o.user_name])

    def _license(self, code: str | None) -> int:
        key = (code or "").lower()
        return self.licenses.number(key, [license_name(key), license_url(key)])

    def _card(self, o: Observation, had: list[Photo]) -> list[Any]:
        self.with_photo += bool(had)
        if not had or self.with_photo > IN_GALLERY:
            return []
        photo = had[0]
        line = credit(photo.attribution, photo.license_code, o.observer)
        return [shown_file(photo.files).path, self.credits.number(line, line)]


def file_of(row: list[Any]) -> str | None:
    """Name of the file that the gallery shows for this row."""
    return row[_FILE] if len(row) > _FILE else None


def shown_file(files: list[PhotoFile]) -> PhotoFile:
    """The file that stands for a photo: the square one, else the smallest.

    >>> files = [PhotoFile("thumb", "", "downloaded", bytes=9), PhotoFile("square", "", "copied", bytes=12)]
    >>> shown_file(files).size, shown_file(files[:1]).size
    ('square', 'thumb')
    """
    return min(files, key=lambda file: (file.size != SQUARE, file.bytes or 0))


def day(text: str | None) -> int:
    """A date as a number that sorts and whose digits can be read; 0 for none, and for one that is in no calendar.

    >>> [day(text) for text in ("2024-05-07", "2024-02-31", "0001-01-01", "", None)]
    [20240507, 0, 10101, 0, 0]
    """
    try:
        found = date.fromisoformat((text or "")[:10])
    except ValueError:
        return 0
    return found.year * 10_000 + found.month * 100 + found.day


def place(observation: Observation) -> tuple[float | None, float | None, int]:
    """Latitude, longitude and 0; of an obscured one the south-west corner of its cell, and 1.

    >>> place(Observation(7, latitude="38.45", longitude="-9.05", obscured=True)), place(Observation(7))
    ((38.4, -9.2, 1), (None, None, 0))
    """
    where, within = point(observation), cell(observation)
    if within is not None:
        return within.south, within.west, 1
    return (round(where[0], 5), round(where[1], 5), 0) if where else (None, None, 0)
