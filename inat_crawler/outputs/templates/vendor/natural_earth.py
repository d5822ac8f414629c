"""Makes `land.json` from `land-50m.json` of the npm package world-atlas: `python natural_earth.py land-50m.json`.

Run by hand when Natural Earth is renewed; no part of a crawl. Data: Natural Earth, public domain.
"""

from __future__ import annotations

import json
import math
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

Point = tuple[float, float]
TOLERANCE = 0.12  # degrees: five pixels at zoom 6, the closest at which the report draws the land
SMALLEST = 0.1  # square degrees: what is smaller would be a dot


def arcs(topology: dict[str, Any]) -> list[list[Point]]:
    """The arcs of a quantized TopoJSON in degrees; its specification, 2.1.3, tells how they are packed."""
    (x_scale, y_scale), (x0, y0) = topology["transform"]["scale"], topology["transform"]["translate"]
    found = []
    for packed in topology["arcs"]:
        x = y = 0
        arc = []
        for dx, dy in packed:
            x, y = x + dx, y + dy
            arc.append((x0 + x * x_scale, y0 + y * y_scale))
        found.append(arc)
    return found


def joined(indexes: list[int], lines: list[list[Point]]) -> list[Point]:
    """A ring from its arcs: ~n is arc n backwards, and each arc begins where the one before it ends."""
    ring: list[Point] = []
    for index in indexes:
        arc = lines[index] if index >= 0 else lines[~index][::-1]
        ring += arc[1:] if ring else arc
    return ring


def unwrapped(ring: list[Point]) -> list[Point]:
    """The ring without jumps from 180 to -180 degrees; one around the South Pole is closed by way of it.

    >>> unwrapped([(170, 60), (-170, 60), (-170, 70), (170, 60)])
    [(170, 60), (190, 60), (190, 70), (170, 60)]
    """
    found = ring[:1]
    for x, y in ring[1:]:
        found.append((x - 360 * round((x - found[-1][0]) / 360), y))
    if abs(found[-1][0] - found[0][0]) > 180:
        found += [(found[-1][0], -90.0), (found[0][0], -90.0), found[0]]
    return found


def in_world(ring: list[Point]) -> list[list[Point]]:
    """The parts of an unwrapped ring between 180 degrees west and east, each a ring."""
    parts = []
    for turn in (-360, 0, 360):
        part = [(x + turn, y) for x, y in ring]
        for side in (-1, 1):
            part = cut(part, side)
        if len(part) > 3:
            parts.append(part)
    return parts


def cut(ring: list[Point], side: int) -> list[Point]:
    """The ring without what lies beyond 180 degrees on one side (Sutherland and Hodgman).

    >>> cut([(170, 60), (190, 60), (170, 70), (170, 60)], 1)
    [(180.0, 60.0), (180.0, 65.0), (170, 70), (170, 60), (180.0, 60.0)]
    """
    found: list[Point] = []
    for (ax, ay), (bx, by) in pairwise(ring):
        if (side * ax > 180) != (side * bx > 180):
            found.append((side * 180.0, ay + (by - ay) * (side * 180 - ax) / (bx - ax)))
        if side * bx <= 180:
            found.append((bx, by))
    return found + found[:1]


def simplified(line: list[Point]) -> list[Point]:
    """The line without the points that lie within the tolerance of it (Douglas and Peucker).

    >>> simplified([(0, 0), (1, 0.1), (2, 0), (3, 1)])
    [(0, 0), (2, 0), (3, 1)]
    """
    if len(line) < 3:
        return line
    farthest, at = max((distance(p, line[0], line[-1]), n) for n, p in enumerate(line[1:-1], 1))
    if farthest <= TOLERANCE:
        return [line[0], line[-1]]
    return simplified(line[: at + 1])[:-1] + simplified(line[at:])


def distance(p: Point, a: Point, b: Point) -> float:
    """Distance of a point from a stretch between two others, in degrees."""
    (dx, dy), (px, py) = (b[0] - a[0], b[1] - a[1]), (p[0] - a[0], p[1] - a[1])
    length = dx * dx + dy * dy
    along = max(0.0, min(1.0, (px * dx + py * dy) / length)) if length else 0.0
    return math.hypot(px - along * dx, py - along * dy)


def area(ring: list[Point]) -> float:
    """Area of a closed ring in square degrees."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))) / 2


def land(topology: dict[str, Any]) -> dict[str, Any]:
    """The land as one GeoJSON MultiPolygon, in hundredths of degrees; the Caspian Sea is a hole in it."""
    lines = arcs(topology)
    polygons = [p for g in topology["objects"]["land"]["geometries"] for p in g["arcs"]]
    found = []
    for outline, *holes in polygons:
        parts = in_world(unwrapped(joined(outline, lines)))
        inner = [joined(hole, lines) for hole in holes]
        # The hole lies in the largest part.
        largest = max(parts, key=area)
        found += [[part, *(inner if part is largest else [])] for part in parts if area(part) >= SMALLEST]
    drawn = [[few_points(ring) for ring in polygon] for polygon in found]
    return {"type": "MultiPolygon", "coordinates": [[r for r in polygon if len(r) > 3] for polygon in drawn]}


def few_points(ring: list[Point]) -> list[Point]:
    return [(round(x, 2), round(y, 2)) for x, y in simplified(ring)]


if __name__ == "__main__":
    made = land(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    target = Path(__file__).with_name("land.json")
    target.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")
