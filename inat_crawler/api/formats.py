"""What is made of a mirror to be handed on: the formats, where each lies in the output, and what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ALL, NONE = "all", "none"


@dataclass(frozen=True)
class Format:
    """A format: the files or folders that it is, and the libraries that not everybody needs.

    Those that are made after each crawl by default lie in the output itself, the others in `exports`.
    """

    name: str
    paths: tuple[str, ...]
    doc: str
    libraries: tuple[str, ...] = ()


_FORMATS = (
    Format("table", ("dataFrame.csv",), "the table of the original script, tab-separated"),
    Format("attribution", ("photos.tsv", "ATTRIBUTION.md"), "licenses and credits of the photos"),
    Format("dwca", ("dwca.zip",), "Darwin Core Archive, for biodiversity portals"),
    Format("gpkg", ("observations.gpkg",), "GeoPackage for QGIS and others", ("pyarrow", "pyogrio", "shapely")),
    Format("geojson", ("observations.geojson",), "GeoJSON"),
    Format("parquet", ("observations.parquet",), "Parquet; GeoParquet where shapely is there", ("pyarrow",)),
    Format("csv", ("observations.csv", "observations.csv-metadata.json"), "all columns, with a dictionary"),
    Format("jsonl", ("observations.jsonl.gz",), "JSON Lines of the complete records"),
    Format("imagefolder", ("imagefolder",), "image folder for machine learning"),
    Format("report", ("report.html",), "a page to look at"),
)
FORMATS: Mapping[str, Format] = {each.name: each for each in _FORMATS}
DEFAULT_FORMATS = ("table", "attribution", "report")


def chosen_formats(value: str) -> tuple[str, ...]:
    """The names in a checked list of formats; `all` stays as it is, until it is known which libraries are there.

    >>> chosen_formats("table,report"), chosen_formats("none"), chosen_formats("all")
    (('table', 'report'), (), ('all',))
    """
    return () if value == NONE else tuple(value.split(","))
