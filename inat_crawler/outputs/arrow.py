"""`observations.parquet` and `observations.gpkg`: typed columns, batch by batch, each by its library.

Geometries are points, and for obscured observations the cells that hold them. Parquet is GeoParquet where shapely
is installed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from inat_crawler.items import Observation, Photo
from inat_crawler.outputs.beside import beside
from inat_crawler.outputs.rows import COLUMNS, geometry
from inat_crawler.store import Store

BATCH = 5000  # rows at once
GEOMETRY = "geometry"
_TYPES: dict[str, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "text": pa.string(),
}
FLAT = [pa.field(column.name, _TYPES[column.kind], nullable=column.name != "id") for column in COLUMNS]
# Photo column -> type; a Parquet row holds its observation's photos.
PHOTO: dict[str, pa.DataType] = {
    "id": pa.int64(),
    "position": pa.int64(),
    "url": pa.string(),
    "license_code": pa.string(),
    "attribution": pa.string(),
    "width": pa.int64(),
    "height": pa.int64(),
    "files": pa.list_(pa.string()),
}
# https://geoparquet.org/releases/v1.1.0/: coordinates are longitude, latitude (WGS 84) when no other is named.
GEO = {
    "version": "1.1.0",
    "primary_column": GEOMETRY,
    "columns": {GEOMETRY: {"encoding": "WKB", "geometry_types": ["Point", "Polygon"]}},
}


def write_parquet(store: Store, path: Path) -> int:
    """Write all columns and the photos, newest first; returns the number of rows. Memory stays flat."""
    fields = [*FLAT, pa.field("photos", pa.list_(pa.struct(list(PHOTO.items()))))]
    schema = pa.schema(fields)
    if geographic := find_spec("shapely") is not None:
        schema = pa.schema([*fields, pa.field(GEOMETRY, pa.binary())], {"geo": json.dumps(GEO)})
    count = 0
    with beside(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for batch in _batches(store):
            columns = [*_flat(batch), pa.array(map(_photos, batch), schema.field("photos").type)]
            writer.write_batch(
                pa.record_batch([*columns, *([_geometries(batch)] if geographic else [])], schema=schema)
            )
            count += len(batch)
    return count


def write_geopackage(store: Store, path: Path) -> int:
    """Write the layer `observations`, newest first; returns the number of features. Memory stays flat."""
    import pyogrio

    schema = pa.schema([*FLAT, pa.field(GEOMETRY, pa.binary())])
    count = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal count
        for batch in _batches(store):
            count += len(batch)
            yield pa.record_batch([*_flat(batch, without_nul), _geometries(batch)], schema=schema)

    with beside(path) as partial:
        try:
            pyogrio.write_arrow(
                pa.RecordBatchReader.from_batches(schema, batches()),
                partial,
                layer="observations",
                driver="GPKG",
                geometry_name=GEOMETRY,
                geometry_type="Unknown",  # points and polygons
                crs="EPSG:4326",
            )
        except RuntimeError as error:  # what its errors are: a full disk is none of the system's to it
            raise OSError(f"{path}: {error}") from error
    return count


def _batches(store: Store) -> Iterator[list[Observation]]:
    observations = store.whole.each()
    while batch := list(islice(observations, BATCH)):
        yield batch


def _flat(batch: Sequence[Observation], clean: Callable[[Any], Any] = lambda value: value) -> list[pa.Array]:
    return [pa.array([clean(c.typed(o)) for o in batch], f.type) for c, f in zip(COLUMNS, FLAT, strict=True)]


def without_nul(value: Any) -> Any:
    r"""GDAL ends a text where a NUL stands in it; it becomes a space.

    >>> without_nul("a\x00b"), without_nul(None)
    ('a b', None)
    """
    return value.replace("\x00", " ") if isinstance(value, str) else value


def _photos(observation: Observation) -> list[dict[str, Any]]:
    return [_photo(photo) for photo in observation.photos]


def _photo(photo: Photo) -> dict[str, Any]:
    values = {name: getattr(photo, name) for name in PHOTO}
    return values | {"files": [f"images/{file.path}" for file in photo.files]}


def _geometries(batch: Sequence[Observation]) -> pa.Array:
    """Well-Known Binary of each; null for those without coordinates."""
    import shapely
    from shapely.geometry import shape

    places = [geometry(observation) for observation in batch]
    return pa.array(shapely.to_wkb([shape(place) if place else None for place in places]), pa.binary())
