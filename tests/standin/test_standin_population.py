"""The generated observations: the promised count, every oddity, the same world from the same seed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from standin.client import Standin

DEFAULT: dict[str, object] = {"place_id": 128892, "geo": "true", "identified": "true", "rank": "species"}


@pytest.fixture(scope="module")
def records(standin: Standin) -> list[dict[str, Any]]:
    return standin.records(**DEFAULT)


def extension(record: dict[str, Any]) -> set[str]:
    return {urlsplit(photo["url"]).path.rpartition(".")[2] for photo in record["photos"]}


@pytest.mark.parametrize(
    "odd",
    [
        lambda r: not r["photos"],
        lambda r: len(r["photos"]) == 22,
        lambda r: not r["photos"] and r["sounds"],
        *(lambda r, key=key: r[key] is None for key in (
            "time_observed_at", "observed_on", "species_guess", "license_code", "community_taxon_id",
            "positional_accuracy", "description")),
        lambda r: r["license_code"] == "",
        *(lambda r, key=key, part=part: part in (r[key] or "") for key in ("species_guess", "description")
          for part in ("\t", "\n", "\r", '"', "🦀", "=", "NA", "null", "<script>")),
        lambda r: r["geoprivacy"] == "obscured",
        lambda r: r["taxon_geoprivacy"] == "obscured",
        *(lambda r, name=name: name in extension(r) for name in ("", "jpg", "jpeg", "JPG", "png", "gif")),
        lambda r: any(p["license_code"] and "127.0.0.3" in p["url"] for p in r["photos"]),
        lambda r: any(p["license_code"] != (r["license_code"] or None) for p in r["photos"]),
        lambda r: isinstance(r["geojson"]["coordinates"][0], str),
        lambda r: "preferred_common_name" not in r["taxon"],
        lambda r: r["user"]["name"] is None,
    ],
)  # fmt: skip
def test_every_oddity_occurs(records: list[dict[str, Any]], odd: Callable[[dict[str, Any]], Any]) -> None:
    complete = [record for record in records if "community_taxon_id" in record]
    assert any(odd(record) for record in complete)


def test_every_record_is_of_the_default_query(standin: Standin, records: list[dict[str, Any]]) -> None:
    assert len(records) == 300
    assert len(standin.ids()) == 315
    assert all(128892 in r["place_ids"] and r["geojson"] and r["taxon"]["rank"] == "species" for r in records)
    assert sum("community_taxon_id" not in r for r in records) == 1


def test_photo_lists_agree(records: list[dict[str, Any]]) -> None:
    for record in records:
        items = record["observation_photos"]
        assert [item["photo"] for item in items] == record["photos"]
        assert [item["position"] for item in items] == list(range(len(items)))


def test_location_and_geojson_agree(records: list[dict[str, Any]]) -> None:
    for record in records:
        lat, lng = record["location"].split(",")
        assert [float(value) for value in record["geojson"]["coordinates"]] == [float(lng), float(lat)]


def test_one_photo_is_shared(records: list[dict[str, Any]]) -> None:
    counts = Counter(photo["id"] for record in records for photo in record["photos"])
    assert [count for count in counts.values() if count > 1] == [2]


def test_the_share_of_observations_without_photos(records: list[dict[str, Any]]) -> None:
    assert 0.05 < sum(not record["photos"] for record in records) / len(records) < 0.2


def test_private_keys_are_for_authorized_callers(standin: Standin) -> None:
    number = standin.ids(geoprivacy="obscured")[0]
    address = f"{standin.api_root}/observations/{number}"
    with urlopen(address, timeout=10) as answer:
        assert b"private_" not in answer.read()
    with urlopen(Request(address, headers={"Authorization": "token"}), timeout=10) as answer:
        record = json.loads(answer.read())["results"][0]
    assert {k: v for k, v in record.items() if k.startswith("private_")} == standin.private(number)
    assert record["private_location"] != record["location"]


def test_only_the_token_that_is_known_is_valid(world: Standin) -> None:
    address = f"{world.api_root}/observations?per_page=1"
    for known in ("another", None):
        world.set_token(known)
        for sent in ("token", "Bearer another", ""):
            with pytest.raises(HTTPError) as error, urlopen(Request(address, headers={"Authorization": sent})):
                pass
            with error.value as answer:
                assert (answer.code, json.loads(answer.read())) == (401, {"error": "Unauthorized", "status": 401})
    world.set_token("another")
    with urlopen(Request(address, headers={"Authorization": "another"}), timeout=10) as answer:
        assert answer.status == 200


def test_the_seed_decides(world: Standin) -> None:
    with Standin(observations=40, original_pixels=600) as same, Standin(observations=40, seed=2) as other:
        assert same.ids() == world.ids()
        assert other.ids() != world.ids()
        number = world.ids()[0]
        port = f":{world.port}/"
        text = json.dumps(same.record(number)).replace(f":{same.port}/", port)
        assert json.loads(text) == world.record(number)


def test_options(tmp_path: Path) -> None:
    square = "https://static.inaturalist.org/photos/77/square.JPG?12"
    photo = {"id": 77, "url": square, "original_dimensions": {"width": 400, "height": 300}}
    record = {
        "id": 9, "created_at": "2020-01-01T00:00:00+00:00", "updated_at": "2020-01-01T00:00:00+00:00",
        "place_ids": [77777], "project_ids": [5], "user": {"id": 3, "login": "real"}, "photos": [photo],
        "taxon": {"id": 8, "name": "X y", "ancestor_ids": [8], "default_photo": {"square_url": square}},
        "observation_photos": [{"position": 0, "photo": photo}],
    }  # fmt: skip
    file = tmp_path / "records.jsonl"
    file.write_text(json.dumps(record) + "\n")
    with Standin(records=file, observations=1, place=5, record_bytes=20_000) as running:
        assert running.ids(place_id=77777, taxon_id=8, project_id=5, user_id="real") == [9]
        served = running.record(9)
        url = served["photos"][0]["url"]
        assert urlsplit(url)[2:4] == ("/photos/77/square.JPG", "12")
        assert urlsplit(url).netloc.startswith("127.0.0.")
        assert served["observation_photos"][0]["photo"]["url"] == url
        assert served["taxon"]["default_photo"]["square_url"] == square
        generated = running.ids(place_id=5, geo="true", identified="true", rank="species")
        assert len(generated) == 1
        assert 20_000 < len(json.dumps(running.record(generated[0]))) < 30_000
    with Standin(records=file) as running:
        assert running.ids() == [9]
