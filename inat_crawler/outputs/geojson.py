"""`observations.geojson`: a point for each observation, its cell for an obscured one (RFC 7946)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import orjson

from inat_crawler.items import Observation
from inat_crawler.outputs.beside import beside
from inat_crawler.outputs.rows import COLUMNS, geometry
from inat_crawler.store import Store


def write_geojson(store: Store, path: Path) -> int:
    """Write a feature for each observation, newest first; returns how many. Memory stays flat."""
    count = 0
    with beside(path) as partial, partial.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        for observation in store.whole.each():
            file.write((b",\n" if count else b"\n") + orjson.dumps(feature(observation)))
            count += 1
        file.write(b"\n]}\n")
    return count


def feature(observation: Observation) -> dict[str, Any]:
    """An observation as a feature; its geometry is null when its coordinates are private.

    >>> feature(Observation(7, latitude="38.45", longitude="-9.05"))["geometry"]
    {'type': 'Point', 'coordinates': [-9.05, 38.45]}
    """
    properties = {column.name: _json(column.typed(observation)) for column in COLUMNS}
    return {
        "type": "Feature",
        "id": observation.id,
        "geometry": geometry(observation),
        "properties": properties,
    }


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
