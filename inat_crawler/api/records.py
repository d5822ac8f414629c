"""One JSON record of `/v1/observations` -> an `Observation` with its `Photo`s. No network, no store.

A field that is null or absent is None; a field of the wrong type makes the whole record unreadable, because
a guess would be worse than a gap that is counted and listed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from inat_crawler.api.photos import url_extension
from inat_crawler.errors import RecordError
from inat_crawler.items import Observation, Photo

Record = Mapping[str, Any]
_NUMBER = r"\s*([-+]?[0-9]+(?:[.][0-9]*)?(?:[eE][-+]?[0-9]+)?)\s*"
_COORDINATES = re.compile(f"{_NUMBER},{_NUMBER}")
_LARGEST = 2**63 - 1  # what databases keep in a whole number


def read_record(record: object, private: bool = False) -> Observation:
    """Read one record of `results`; its private coordinates only if `private`.

    Raises RecordError when it has no id or a field is of the wrong type.

    >>> o = read_record({"id": 7, "location": "37.62412,-122.1417778333", "taxon": {"id": 1, "name": "Tringa"}})
    >>> o.id, o.latitude, o.longitude, o.taxon_name, o.photos
    (7, '37.62412', '-122.1417778333', 'Tringa', [])
    """
    observation_id = record_id(record)
    if observation_id is None or not isinstance(record, Mapping):
        shown = record.get("id") if isinstance(record, Mapping) else record
        raise RecordError(None, f"has no id: {without_private(shown)!r:.80}")
    reader = _Reader(observation_id, record)
    return Observation(
        id=observation_id,
        photos=_read_photos(reader),
        record=_dump_public(observation_id, record),
        **_read_columns(reader),
        **(_read_private(reader) if private else {}),
    )


def _read_columns(reader: _Reader) -> dict[str, Any]:
    taxon, user = reader.child("taxon"), reader.child("user")
    latitude, longitude = _split_location(reader, "location")
    return {
        **{name: reader.text(name) for name in _TEXTS},
        **{name: reader.integer(name) for name in _INTEGERS},
        **{name: reader.boolean(name) for name in _BOOLEANS},
        "taxon_id": taxon.integer("id"),
        "taxon_name": taxon.text("name"),
        "taxon_rank": taxon.text("rank"),
        "taxon_common_name": taxon.text("preferred_common_name"),
        "iconic_taxon_name": taxon.text("iconic_taxon_name"),
        "user_id": user.integer("id"),
        "user_login": user.text("login"),
        "user_name": user.text("name"),
        "latitude": latitude,
        "longitude": longitude,
    }


def _read_private(reader: _Reader) -> dict[str, Any]:
    try:
        latitude, longitude = _split_location(reader, "private_location")
    except RecordError:  # which quotes it
        raise RecordError(reader.observation_id, "`private_location` is not 'latitude,longitude'") from None
    return {"private_latitude": latitude, "private_longitude": longitude}


def record_id(record: object) -> int | None:
    """Id of a record, or None when it has none.

    >>> record_id({"id": 7}), record_id({"id": "7"}), record_id({"id": True}), record_id(None)
    (7, None, None, None)
    """
    value = record.get("id") if isinstance(record, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST else None


def _dump_public(observation_id: int, record: Record) -> bytes:
    """The record as JSON less what is private. Few have such keys, so the bytes are asked first."""
    try:
        dumped = orjson.dumps(record)
        return orjson.dumps(without_private(record)) if b'"private_' in dumped else dumped
    except orjson.JSONEncodeError as error:  # nested too deep, or a number past 64 bits
        raise RecordError(observation_id, f"cannot be kept: {error}") from None


def without_private(value: Any) -> Any:
    """The same JSON value less every key that begins `private_`, at any depth.

    >>> without_private({"id": 1, "private_location": "1,2", "list": [{"private_geojson": {}, "x": 1}]})
    {'id': 1, 'list': [{'x': 1}]}
    """
    if isinstance(value, dict):
        return {k: without_private(v) for k, v in value.items() if not k.startswith("private_")}
    if isinstance(value, list):
        return [without_private(v) for v in value]
    return value


_TEXTS = (
    "uuid", "uri", "quality_grade", "species_guess", "observed_on", "time_observed_at", "created_at",
    "updated_at", "geoprivacy", "taxon_geoprivacy", "place_guess", "license_code", "description",
)  # fmt: skip
_INTEGERS = ("community_taxon_id", "positional_accuracy", "public_positional_accuracy")
_BOOLEANS = ("obscured", "captive")


class _Reader:
    """Typed access to the fields of one record."""

    def __init__(self, observation_id: int, record: Record) -> None:
        self.observation_id = observation_id
        self.record = record

    def value(self, name: str, kind: type, what: str) -> Any:
        value = self.record.get(name)
        if value is None or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
            return value
        raise RecordError(self.observation_id, f"`{name}` is not {what}: {without_private(value)!r:.80}")

    def text(self, name: str) -> str | None:
        text: str | None = self.value(name, str, "text")
        return text

    def integer(self, name: str) -> int | None:
        """A whole number; one served as `12.0` is taken as 12."""
        value = self.record.get(name)
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            return int(value)
        integer: int | None = self.value(name, int, "a whole number")
        if integer is not None and abs(integer) > _LARGEST:
            raise RecordError(self.observation_id, f"`{name}` is too large: {integer}")
        return integer

    def boolean(self, name: str) -> bool | None:
        boolean: bool | None = self.value(name, bool, "true or false")
        return boolean

    def child(self, name: str) -> _Reader:
        return _Reader(self.observation_id, self.value(name, dict, "an object") or {})

    def children(self, name: str) -> list[_Reader]:
        values = self.value(name, list, "a list") or []
        if not all(isinstance(v, dict) for v in values):
            raise RecordError(self.observation_id, f"`{name}` is not a list of objects")
        return [_Reader(self.observation_id, v) for v in values]


def _split_location(reader: _Reader, name: str) -> tuple[str | None, str | None]:
    location = reader.text(name)
    if not location:
        return None, None
    match = _COORDINATES.fullmatch(location)
    if not match:
        raise RecordError(reader.observation_id, f"`{name}` is not 'latitude,longitude': {location!r:.80}")
    return match[1], match[2]


def _read_photos(reader: _Reader) -> list[Photo]:
    """The photos in the record's own order, each id once."""
    photos: dict[int, Photo] = {}
    for photo in reader.children("photos"):
        photo_id = photo.integer("id")
        if photo_id is None:
            raise RecordError(reader.observation_id, "a photo has no id")
        photos.setdefault(photo_id, _read_photo(photo_id, len(photos), photo))
    return list(photos.values())


def _read_photo(photo_id: int, position: int, photo: _Reader) -> Photo:
    url, dimensions = photo.text("url"), photo.child("original_dimensions")
    return Photo(
        id=photo_id,
        position=position,
        url=url,
        extension=url_extension(url) if url else None,
        license_code=photo.text("license_code"),
        attribution=photo.text("attribution"),
        width=dimensions.integer("width"),
        height=dimensions.integer("height"),
        hidden=bool(photo.record.get("hidden")),
    )
