"""From JSON records to items: whole items compared, and each kind of record that cannot be read."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from inat_crawler.api.records import read_record
from inat_crawler.errors import RecordError
from inat_crawler.items import Observation, Photo

RECORD: dict[str, Any] = {
    "id": 7,
    "uuid": "u-7",
    "uri": "https://www.inaturalist.org/observations/7",
    "quality_grade": "research",
    "taxon": {
        "id": 3,
        "name": "Aves",
        "rank": "class",
        "preferred_common_name": "Birds",
        "iconic_taxon_name": "Aves",
    },
    "community_taxon_id": 3,
    "species_guess": "=bird\t\r\"'",
    "observed_on": "2020-11-08",
    "time_observed_at": "2020-11-08T13:20:57-08:00",
    "created_at": "2020-11-09T13:20:57-08:00",
    "updated_at": "2020-11-10T13:20:57-08:00",
    "location": "38.4400,-9.10",
    "positional_accuracy": 5,
    "public_positional_accuracy": 27000,
    "obscured": True,
    "geoprivacy": None,
    "taxon_geoprivacy": "obscured",
    "place_guess": "Sesimbra",
    "captive": False,
    "license_code": "",
    "description": "a\nb",
    "user": {"id": 9, "login": "ola", "name": None},
    "photos": [
        {
            "id": 50,
            "url": "https://static.inaturalist.org/photos/50/square.JPEG?15",
            "license_code": "cc-by",
            "attribution": "(c) Ola",
            "original_dimensions": {"width": 2048, "height": 1536},
            "hidden": False,
        },
        {"id": 49, "url": None, "hidden": True},
        {"id": 50, "url": "https://elsewhere/photos/50/square.png"},
    ],
    "identifications": [{"id": 1}],
}
OBSERVATION = Observation(
    id=7,
    uuid="u-7",
    uri="https://www.inaturalist.org/observations/7",
    quality_grade="research",
    taxon_id=3,
    taxon_name="Aves",
    taxon_rank="class",
    taxon_common_name="Birds",
    iconic_taxon_name="Aves",
    community_taxon_id=3,
    species_guess="=bird\t\r\"'",
    observed_on="2020-11-08",
    time_observed_at="2020-11-08T13:20:57-08:00",
    created_at="2020-11-09T13:20:57-08:00",
    updated_at="2020-11-10T13:20:57-08:00",
    latitude="38.4400",
    longitude="-9.10",
    positional_accuracy=5,
    public_positional_accuracy=27000,
    obscured=True,
    geoprivacy=None,
    taxon_geoprivacy="obscured",
    place_guess="Sesimbra",
    captive=False,
    license_code="",
    description="a\nb",
    user_id=9,
    user_login="ola",
    user_name=None,
    photos=[
        Photo(50, 0, RECORD["photos"][0]["url"], "jpeg", "cc-by", "(c) Ola", 2048, 1536, False),
        Photo(49, 1, hidden=True),
    ],
    record=json.dumps(RECORD, separators=(",", ":"), ensure_ascii=False).encode(),
)


def test_a_whole_record() -> None:
    assert read_record(RECORD) == OBSERVATION


def test_everything_may_be_missing() -> None:
    assert read_record({"id": 7}) == Observation(7, record=b'{"id":7}')
    nulls = read_record(dict.fromkeys(RECORD) | {"id": 7})
    nulls.record = b'{"id":7}'
    assert nulls == Observation(7, record=b'{"id":7}')


@pytest.mark.parametrize(
    ("location", "split"),
    [
        ("37.62412,-122.1417778333", ("37.62412", "-122.1417778333")),
        ("0.0,-0", ("0.0", "-0")),
        ("-1e-05, 2.50", ("-1e-05", "2.50")),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_coordinates_keep_every_digit(location: str | None, split: tuple[str | None, str | None]) -> None:
    observation = read_record({"id": 1, "location": location})
    assert (observation.latitude, observation.longitude) == split


def test_private_keys_are_dropped_at_any_depth() -> None:
    record = copy.deepcopy(RECORD) | {"private_location": "38.123,-9.123", "private_geojson": {"type": "Point"}}
    record["identifications"] = [{"id": 1, "user": {"private_email": "x"}}]
    read = read_record(record).record
    assert read is not None
    assert json.loads(read) == RECORD | {"identifications": [{"id": 1, "user": {}}]}


DEEP: list[object] = []
for _ in range(900):
    DEEP = [DEEP]
UNREADABLE = [
    (None, None, "has no id: None"),
    ([], None, "has no id: []"),
    ({}, None, "has no id: None"),
    ({"id": "7"}, None, "has no id: '7'"),
    ({"id": True}, None, "has no id: True"),
    ({"id": -1}, None, "has no id: -1"),
    ({"id": 2**63}, None, f"has no id: {2**63}"),
    ({"id": 7, "community_taxon_id": 2**63}, 7, f"`community_taxon_id` is too large: {2**63}"),
    ({"id": 7, "positional_accuracy": 1e300}, 7, "`positional_accuracy` is not a whole number: 1e+300"),
    ({"id": 7, "location": "1.2.3,4"}, 7, "`location` is not 'latitude,longitude': '1.2.3,4'"),
    ({"id": 7, "votes": 2**70}, 7, "cannot be kept: Integer exceeds 64-bit range"),
    ({"id": 7, "tags": DEEP}, 7, "cannot be kept: Recursion limit reached"),
    ({"id": 7, "species_guess": 5}, 7, "`species_guess` is not text: 5"),
    ({"id": 7, "taxon": []}, 7, "`taxon` is not an object: []"),
    ({"id": 7, "taxon": {"name": {}}}, 7, "`name` is not text: {}"),
    ({"id": 7, "community_taxon_id": "3"}, 7, "`community_taxon_id` is not a whole number: '3'"),
    ({"id": 7, "community_taxon_id": 3.5}, 7, "`community_taxon_id` is not a whole number: 3.5"),
    ({"id": 7, "positional_accuracy": True}, 7, "`positional_accuracy` is not a whole number: True"),
    ({"id": 7, "obscured": "yes"}, 7, "`obscured` is not true or false: 'yes'"),
    ({"id": 7, "location": "somewhere"}, 7, "`location` is not 'latitude,longitude': 'somewhere'"),
    ({"id": 7, "photos": {}}, 7, "`photos` is not a list: {}"),
    ({"id": 7, "photos": [1]}, 7, "`photos` is not a list of objects"),
    ({"id": 7, "photos": [{"url": "x"}]}, 7, "a photo has no id"),
]


@pytest.mark.parametrize(("record", "observation_id", "reason"), UNREADABLE)
def test_records_that_cannot_be_read(record: object, observation_id: int | None, reason: str) -> None:
    with pytest.raises(RecordError) as error:
        read_record(record)
    assert (error.value.observation_id, error.value.reason) == (observation_id, reason)


def test_whole_numbers_served_with_a_point() -> None:
    assert read_record({"id": 7, "positional_accuracy": 12.0}).positional_accuracy == 12
