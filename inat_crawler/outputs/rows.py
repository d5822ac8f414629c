"""The columns that all flat formats have, and what stands in them: one row an observation.

They are the public columns of the store, and what follows from them: the cell of obscured coordinates, the address
of the license, the photos. Private coordinates are in none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from math import isfinite
from typing import Any, Literal, get_type_hints

from inat_crawler.api.coordinates import Cell, cell, is_obscured, point
from inat_crawler.api.licenses import license_url
from inat_crawler.items import Observation, public_names

NAMESPACES: Mapping[str, str] = {
    "dwc": "http://rs.tdwg.org/dwc/terms/",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
}
Kind = Literal["integer", "number", "boolean", "date", "text"]


@dataclass(frozen=True)
class Column:
    """A column: its type, what it means, its Darwin Core term, and its value, numbers and dates as served."""

    name: str
    kind: Kind
    doc: str
    term: str
    value: Callable[[Observation], Any]

    def typed(self, observation: Observation) -> Any:
        """Its value as a value of its type: coordinates as floats, days as dates; None for what is no day."""
        value = self.value(observation)
        if value is None:
            return None
        if self.kind == "number":
            return float(value) if isfinite(float(value)) else None
        return as_date(value) if self.kind == "date" else value


def geometry(observation: Observation) -> dict[str, Any] | None:
    """Where it was, as a geometry of GeoJSON: a point, the cell that holds its true place, or nothing.

    >>> geometry(Observation(7, latitude="38.45", longitude="-9.05"))
    {'type': 'Point', 'coordinates': [-9.05, 38.45]}
    """
    held, served = cell(observation), point(observation)
    if held is not None:
        return {"type": "Polygon", "coordinates": [held.ring()]}
    return None if served is None else {"type": "Point", "coordinates": [served[1], served[0]]}


def iri(term: str) -> str:
    """A term with its prefix as an address.

    >>> iri("dwc:eventDate")
    'http://rs.tdwg.org/dwc/terms/eventDate'
    """
    prefix, _, name = term.partition(":")
    return NAMESPACES[prefix] + name


def as_date(text: str) -> date | None:
    """The day that a text names; None when it names none.

    >>> as_date("2024-02-29"), as_date("2024-02-31"), as_date("2024-W05-1")
    (datetime.date(2024, 2, 29), None, None)
    """
    try:
        return date.fromisoformat(text) if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None


def _served(name: str) -> Callable[[Observation], Any]:
    return lambda observation: getattr(observation, name)


def _obscured(observation: Observation) -> bool | None:
    return True if is_obscured(observation) else observation.obscured


def _edge(name: str) -> Callable[[Observation], float | None]:
    def edge(observation: Observation) -> float | None:
        found: Cell | None = cell(observation)
        return getattr(found, name) if found else None

    return edge


def _image(observation: Observation) -> str | None:
    """The largest file that is had of the first photo, below the output."""
    files = observation.photos[0].files if observation.photos else []
    return f"images/{files[-1].path}" if files else None


_VALUES: Mapping[str, Callable[[Observation], Any]] = {"obscured": _obscured}
_KINDS: Mapping[str, Kind] = {"latitude": "number", "longitude": "number", "observed_on": "date"}


def _kind(name: str, hint: Any) -> Kind:
    kinds = set(getattr(hint, "__args__", (hint,)))
    return _KINDS.get(name) or ("boolean" if bool in kinds else "integer" if int in kinds else "text")


def _stored() -> list[Column]:
    hints, declared = get_type_hints(Observation), {f.name: f.metadata for f in fields(Observation)}
    return [
        Column(
            n, _kind(n, hints[n]), declared[n]["doc"], declared[n].get("term", ""), _VALUES.get(n) or _served(n)
        )
        for n in public_names(Observation)
    ]


_CELL = "edge of the 0.2 x 0.2 degree cell that holds the true place of an obscured observation, in degrees."
COLUMNS: tuple[Column, ...] = (
    *_stored(),
    *(
        Column(f"cell_{name}", "number", f"{name.capitalize()} {_CELL}", "", _edge(name))
        for name in ("south", "west", "north", "east")
    ),
    Column(
        "license_url",
        "text",
        "Address of the license of the observation; empty: all rights reserved.",
        "dcterms:license",
        lambda o: license_url(o.license_code) or None,
    ),
    Column("photo_count", "integer", "How many photos it has.", "", lambda o: len(o.photos)),
    Column("image", "text", "The largest file of its first photo, below the output.", "", _image),
)
