"""What coordinates say of where an observation was made: a point, a cell in which it lies, or nothing.

Source: iNaturalist's help on geoprivacy: obscured coordinates are a random point in the 0.2 x 0.2 degree cell, of
a fixed grid, that holds the true one; private ones are not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from math import asin, ceil, cos, radians, sin, sqrt

from inat_crawler.items import Observation

CELL = Decimal("0.2")  # degrees
EARTH_RADIUS = 6_371_009  # meters, the mean
OBSCURED = "obscured"


@dataclass(frozen=True)
class Cell:
    """A cell of the grid; its edges in degrees."""

    south: float
    west: float
    north: float
    east: float

    def ring(self) -> list[tuple[float, float]]:
        """Its outline as (longitude, latitude), counterclockwise and closed, as RFC 7946 wants it."""
        s, w, n, e = self.south, self.west, self.north, self.east
        return [(w, s), (e, s), (e, n), (w, n), (w, s)]

    def wkt(self) -> str:
        """Its outline as Well-Known Text.

        >>> Cell(38.4, -9.2, 38.6, -9.0).wkt()
        'POLYGON ((-9.2 38.4, -9.0 38.4, -9.0 38.6, -9.2 38.6, -9.2 38.4))'
        """
        return f"POLYGON (({', '.join(f'{x} {y}' for x, y in self.ring())}))"


def is_obscured(observation: Observation) -> bool:
    """Are its coordinates a random point of their cell? One sign of it is enough.

    >>> is_obscured(Observation(7, obscured=True)), is_obscured(Observation(7, taxon_geoprivacy="obscured"))
    (True, True)
    >>> is_obscured(Observation(7, obscured=False, geoprivacy="open"))
    False
    """
    return bool(observation.obscured) or OBSCURED in (observation.geoprivacy, observation.taxon_geoprivacy)


def point(observation: Observation) -> tuple[float, float] | None:
    """Its coordinates as served, as (latitude, longitude) in degrees; None when there are none on the globe.

    >>> point(Observation(7, latitude="38.40", longitude="-9.0")), point(Observation(7))
    ((38.4, -9.0), None)
    """
    if observation.latitude is None or observation.longitude is None:
        return None
    latitude, longitude = float(observation.latitude), float(observation.longitude)
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def cell(observation: Observation) -> Cell | None:
    """The cell that holds the true place of an obscured observation; None for others, and without coordinates.

    >>> cell(Observation(7, latitude="38.45", longitude="-9.05", obscured=True))
    Cell(south=38.4, west=-9.2, north=38.6, east=-9.0)
    >>> cell(Observation(7, latitude="90", longitude="180", obscured=True))
    Cell(south=89.8, west=179.8, north=90.0, east=180.0)
    """
    here = point(observation)
    if here is None or not is_obscured(observation):
        return None
    south, north = _edges(here[0], 90)
    west, east = _edges(here[1], 180)
    return Cell(south, west, north, east)


def _edges(degrees: float, most: int) -> tuple[float, float]:
    """Edges of the cell that a coordinate lies in. Decimal: 0.6 / 0.2 is less than 3 to a computer."""
    low = (Decimal(str(degrees)) / CELL).to_integral_value(ROUND_FLOOR) * CELL
    low = min(low, most - CELL) + 0  # + 0 turns -0 into 0
    return float(low), float(low + CELL)


def uncertainty(observation: Observation) -> int | None:
    """Radius in meters around its coordinates that holds the true place; None when that is not known.

    As served; of obscured ones without it, the distance to the farthest corner of their cell. A radius of 0 would
    claim what nobody knows.

    >>> there = {"latitude": "38.45", "longitude": "-9.05"}
    >>> uncertainty(Observation(7, **there, public_positional_accuracy=12)), uncertainty(Observation(7, **there))
    (12, None)
    >>> uncertainty(Observation(7, **there, public_positional_accuracy=0, obscured=True))
    21178
    """
    here, served = point(observation), observation.public_positional_accuracy
    if here is None:
        return None
    if served is not None and served > 0:
        return served
    around = cell(observation)
    if around is None:
        return None
    return ceil(max(_distance(here, (y, x)) for x, y in around.ring()))


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Meters between two points given as (latitude, longitude), along a great circle (haversine formula)."""
    (y1, x1), (y2, x2) = (tuple(map(radians, place)) for place in (one, other))
    root = sin((y2 - y1) / 2) ** 2 + cos(y1) * cos(y2) * sin((x2 - x1) / 2) ** 2
    return 2 * EARTH_RADIUS * asin(sqrt(min(1.0, root)))
