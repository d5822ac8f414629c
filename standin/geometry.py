"""Filters by place on the map: a bounding box, or a circle of kilometers; and the numbers in parameters."""

from __future__ import annotations

import math
from collections.abc import Callable

from standin.entries import Entry

Test = Callable[[Entry], bool]

EARTH_KM = 6371.0


def number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def within_box(params: dict[str, str]) -> Test | None:
    sides = [number(params.get(name)) for name in ("swlng", "swlat", "nelng", "nelat")]
    if sides == [None] * 4:
        return None
    outermost = zip(sides, (-180.0, -90.0, 180.0, 90.0), strict=True)
    west, south, east, north = (edge if side is None else side for side, edge in outermost)

    def test(entry: Entry) -> bool:
        point = _point(entry)
        if not point or not south <= point[1] <= north:
            return False
        # A box whose west is east of its east spans the date line.
        return west <= point[0] <= east if west <= east else point[0] >= west or point[0] <= east

    return test


def within_circle(params: dict[str, str]) -> Test | None:
    lat, lng = number(params.get("lat")), number(params.get("lng"))
    if lat is None or lng is None:
        return None
    radius = number(params.get("radius")) or 10.0
    return lambda e: (point := _point(e)) is not None and _kilometers(lat, lng, point[1], point[0]) <= radius


def _kilometers(lat: float, lng: float, lat2: float, lng2: float) -> float:
    a, b = math.radians(lat), math.radians(lat2)
    turn = math.radians(lng - lng2)
    half = math.sin((a - b) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(turn / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half))


def _point(entry: Entry) -> tuple[float, float] | None:
    """Longitude and latitude; some old records hold them as text."""
    geojson = entry.record.get("geojson")
    return (float(geojson["coordinates"][0]), float(geojson["coordinates"][1])) if geojson else None
