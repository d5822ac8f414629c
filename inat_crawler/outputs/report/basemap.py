"""What lies below the observations on the map: a `basemap.geojson` of the user's own, if there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NAME = "basemap.geojson"
MOST_BYTES = 5_000_000
_TYPES = (
    "FeatureCollection",
    "Feature",
    "GeometryCollection",
    *(f"{many}{geometry}" for many in ("", "Multi") for geometry in ("Point", "LineString", "Polygon")),
)


def read_basemap(folder: Path) -> tuple[dict[str, Any] | None, str]:
    """The GeoJSON in the folder, and why it is not used where it cannot be: (None, "") when there is none."""
    path = folder / NAME
    try:
        if path.stat().st_size > MOST_BYTES:
            return None, f"it has more than {MOST_BYTES:,} bytes"
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError, RecursionError) as error:
        return None, f"it cannot be read: {error}"
    if not _is_json(found):
        return None, "it has a number that is not finite"
    if not isinstance(found, dict) or found.get("type") not in _TYPES:
        return None, "it is no GeoJSON"
    return found, ""


def _is_json(value: Any) -> bool:
    """Python reads NaN, and 1e999 as infinite; browsers read neither.

    >>> _is_json([1e300]), _is_json({"x": float("1e999")})
    (True, False)
    """
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True
