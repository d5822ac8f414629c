"""Paging, bounds, order, filters and refusals of `/v1/observations`, against what the API's facts say."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from standin.client import Standin

DEFAULT: dict[str, object] = {"place_id": 128892, "geo": "true", "identified": "true", "rank": "species"}
WINDOW = (
    "Result window is too large, page x size must be less than or equal to [10000]. "
    "Please narrow your search, or use a sliding window approach with id_above or id_below params."
)


def refused(standin: Standin, path: str, **params: object) -> tuple[int, Any]:
    with pytest.raises(HTTPError) as caught:
        standin.get(path, **params)
    with caught.value as error:
        return error.code, json.loads(error.read())


def found(standin: Standin, **params: object) -> list[int]:
    """Ids of all matching observations, by id pages."""
    ids: list[int] = []
    paging: dict[str, object] = {"order_by": "id", "order": "asc", "per_page": 200, "only_id": "true"}
    while True:
        above = ids[-1] if ids else 0
        page = standin.get("/observations", id_above=above, **paging, **params)
        if not page["results"]:
            return ids
        ids += [row["id"] for row in page["results"]]


@pytest.mark.parametrize(
    ("params", "per_page", "count"),
    [
        ({}, 30, 30),
        ({"per_page": 7}, 7, 7),
        ({"per_page": 201}, 200, 200),
        ({"per_page": 0}, 0, 0),
        ({"per_page": "many"}, 30, 30),
        ({"per_page": -4}, 30, 30),
        ({"per_page": 200, "page": 2}, 200, 100),
        ({"per_page": 200, "page": 3}, 200, 0),
        ({"page": "x"}, 30, 30),
    ],
)
def test_page_sizes(standin: Standin, params: dict[str, object], per_page: int, count: int) -> None:
    page = standin.get("/observations", **DEFAULT, **params)
    assert (page["per_page"], len(page["results"]), page["total_results"]) == (per_page, count, 300)


@pytest.mark.parametrize(("page", "per_page"), [(51, 200), (334, 30), (10001, 1), (51, 999)])
def test_window(standin: Standin, page: int, per_page: int) -> None:
    answer = refused(standin, "/observations", page=page, per_page=per_page)
    assert answer == (403, {"error": WINDOW, "status": 403})
    assert standin.get("/observations", page=50, per_page=200)["results"] == []


@pytest.mark.parametrize(
    ("params", "status", "error"),
    [
        ({"place_id": 999}, 422, "Unknown place_id 999"),
        ({"place_id": "998,999"}, 422, "Unknown place_id [998,999]"),
        ({"taxon_id": 999999999}, 422, "Unknown taxon_id 999999999"),
        ({"project_id": "no-such-project"}, 422, "Unknown project_id no-such-project"),
        ({"user_id": "nobody"}, 422, "Unknown user_id nobody"),
        ({"place_id": "parque"}, 500, "Error"),
        ({"id_above": "x"}, 500, "Error"),
        ({"id_below": "1.5"}, 500, "Error"),
    ],
)
def test_refusals(standin: Standin, params: dict[str, object], status: int, error: str) -> None:
    assert refused(standin, "/observations", **params) == (status, {"error": error, "status": status})


@pytest.mark.parametrize(
    "params",
    [
        {"plce_id": 1},
        {"place_id": ""},
        {"place_id": "any"},
        {"updated_since": "yesterday"},
        {"updated_since": "2020-01-01T00:00:00 01:00"},
        {"verifiable": "any"},
        {"d1": "2024-13-01"},
        {"id_above": ""},
    ],
)
def test_ignored_silently(standin: Standin, params: dict[str, object]) -> None:
    assert standin.get("/observations", per_page=0, **params)["total_results"] == 315


def test_a_list_with_one_known_place_is_accepted(standin: Standin) -> None:
    assert standin.get("/observations", place_id="999,128892", per_page=0)["total_results"] > 0


def test_an_unmatched_taxon_name_gives_nothing(standin: Standin) -> None:
    assert standin.get("/observations", taxon_name="Quux quux", per_page=0)["total_results"] == 0


def test_id_bounds_are_exclusive_and_count_what_remains(standin: Standin) -> None:
    ids = standin.ids(**DEFAULT)[::-1]
    bounds = {"id_above": ids[9], "id_below": ids[20]}
    page = standin.get("/observations", order_by="id", order="asc", **bounds, **DEFAULT)
    assert [row["id"] for row in page["results"]] == ids[10:20]
    assert page["total_results"] == 10
    page = standin.get("/observations", order_by="id", id_below=ids[20], per_page=5, **DEFAULT)
    assert [row["id"] for row in page["results"]] == ids[15:20][::-1]
    assert page["total_results"] == 20


def test_id_pages_meet_every_observation_once(standin: Standin) -> None:
    ids = found(standin, **DEFAULT)
    assert len(ids) == 300
    assert ids == sorted(set(ids)) == standin.ids(**DEFAULT)[::-1]


def test_ids_only(standin: Standin) -> None:
    page = standin.get("/observations", only_id="true", order_by="id", order="asc", id_above=0, **DEFAULT)
    assert page["results"] == [{"id": number} for number in standin.ids(**DEFAULT)[::-1][:30]]


def test_default_order_is_by_instant_of_creation_descending(standin: Standin) -> None:
    pages = [standin.get("/observations", per_page=200, page=n, **DEFAULT)["results"] for n in (1, 2)]
    texts = [row["created_at"] for page in pages for row in page]
    instants = [datetime.fromisoformat(text) for text in texts]
    assert instants == sorted(instants, reverse=True)
    assert texts != sorted(texts, reverse=True)


def test_ties_come_in_no_promised_order(standin: Standin) -> None:
    pages = [standin.get("/observations", per_page=200, page=1, id_above=0, **DEFAULT) for _ in range(3)]
    orders = {tuple(row["id"] for row in page["results"]) for page in pages}
    assert len(orders) == 3


@pytest.mark.parametrize("order_by", ["observed_on", "updated_at", "species_guess", "votes", "geo_score"])
def test_orders_put_missing_values_last(standin: Standin, order_by: str) -> None:
    key = "cached_votes_total" if order_by == "votes" else order_by
    query: dict[str, object] = {"order_by": order_by, "order": "asc", "per_page": 200, **DEFAULT}
    rows = [row for page in (1, 2) for row in standin.get("/observations", page=page, **query)["results"]]
    values = [row[key] for row in rows if row[key] not in (None, "")]
    if order_by == "updated_at":
        values = [datetime.fromisoformat(value) for value in values]
    if order_by == "species_guess":
        values = [value.lower() for value in values]
    assert values == sorted(values)
    assert [row[key] for row in rows[: len(values)] if row[key] in (None, "")] == []


@pytest.mark.parametrize(
    ("params", "test"),
    [
        ({"geo": "false"}, lambda r: r["geojson"] is None),
        ({"identified": "false"}, lambda r: r["taxon"] is None),
        ({"photos": "true"}, lambda r: r["photos"] != []),
        ({"photos": "false"}, lambda r: r["photos"] == []),
        ({"sounds": "true"}, lambda r: r["sounds"] != []),
        ({"rank": "genus,family"}, lambda r: r["taxon"]["rank"] in ("genus", "family")),
        ({"hrank": "genus"}, lambda r: r["taxon"]["rank"] in ("genus", "species")),
        ({"lrank": "family"}, lambda r: r["taxon"]["rank"] == "family"),
        ({"taxon_id": 47115}, lambda r: 47115 in r["taxon"]["ancestor_ids"]),
        ({"taxon_ids[]": "3"}, lambda r: 3 in r["taxon"]["ancestor_ids"]),
        ({"without_taxon_id": "1"}, lambda r: not r["taxon"] or 1 not in r["taxon"]["ancestor_ids"]),
        ({"iconic_taxa": "Aves,Mammalia"}, lambda r: r["taxon"]["iconic_taxon_name"] in ("Aves", "Mammalia")),
        ({"taxon_name": "octopus"}, lambda r: "octopus" in json.dumps(r["taxon"]).lower()),
        ({"quality_grade": "needs_id,casual"}, lambda r: r["quality_grade"] in ("needs_id", "casual")),
        ({"verifiable": "true"}, lambda r: r["quality_grade"] != "casual"),
        ({"license": "cc0,cc-by"}, lambda r: r["license_code"] in ("cc0", "cc-by")),
        ({"photo_license": "cc-by-nd"}, lambda r: "cc-by-nd" in [p["license_code"] for p in r["photos"]]),
        ({"user_id": "1201"}, lambda r: r["user"]["id"] == 1201),
        ({"user_id": "mar_azul"}, lambda r: r["user"]["id"] == 1201),
        ({"user_login": "mar_azul,crabby"}, lambda r: r["user"]["login"] in ("mar_azul", "crabby")),
        ({"project_id": "311"}, lambda r: 311 in r["project_ids"]),
        ({"project_id": "marine-life-of-arrabida"}, lambda r: 311 in r["project_ids"]),
        ({"d1": "2016-01-01", "d2": "2018-12-31"}, lambda r: "2016" <= r["observed_on"][:4] <= "2018"),
        ({"created_d1": "2016-01-01", "created_d2": "2016-12-31"}, lambda r: r["created_at"][:4] == "2016"),
        ({"year": "2015,2016"}, lambda r: r["observed_on"][:4] in ("2015", "2016")),
        ({"month": "5,6", "day": "1,2,3,4,5,6,7,8,9"}, lambda r: r["observed_on"][5:9] in ("05-0", "06-0")),
        ({"nelat": 38.45, "nelng": -9, "swlat": 38.4, "swlng": -9.1}, lambda r: r["location"][:4] == "38.4"),
        ({"lat": 36.8, "lng": -121.5, "radius": 200}, lambda r: r["location"].startswith(("36", "37"))),
        ({"geoprivacy": "obscured"}, lambda r: r["geoprivacy"] == "obscured"),
        ({"captive": "true"}, lambda r: r["captive"]),
        ({"acc_above": 200}, lambda r: r["positional_accuracy"] > 200),
        ({"acc_below": 10}, lambda r: r["positional_accuracy"] < 10),
        ({"endemic": "true"}, lambda r: r["taxon"]["endemic"]),
        ({"native": "false"}, lambda r: r["taxon"]["introduced"]),
        ({"threatened": "true"}, lambda r: r["taxon"]["threatened"]),
        ({"term_id": 12, "term_value_id": 14}, lambda r: r["annotations"]),
        ({"field:Depth": ""}, lambda r: r["ofvs"]),
        ({"q": "tidepool"}, lambda r: "tidepool" in json.dumps(r).lower()),
        ({"updated_since": "2024-01-01"}, lambda r: r["updated_at"][:4] >= "2023"),
    ],
)
def test_filters(standin: Standin, params: dict[str, object], test: Any) -> None:
    """Each leaves some and drops some, and what it leaves is right."""
    ids = found(standin, **params)
    assert 0 < len(ids) < 315
    page = standin.get(f"/observations/{','.join(map(str, ids[:: 1 + len(ids) // 20]))}")
    assert all(test(record) for record in page["results"])


@pytest.mark.parametrize("name", ["geo", "identified", "photos", "sounds", "captive", "verifiable", "spam"])
def test_true_and_false_split_everything(standin: Standin, name: str) -> None:
    counts = [len(found(standin, **{name: value})) for value in ("true", "false")]
    assert sum(counts) == 315
    assert (min(counts) > 0) is (name != "spam")


def test_id_lists(standin: Standin) -> None:
    first, second, third = standin.ids()[:3]
    assert found(standin, id=f"{first},{third},5") == [third, first]
    assert len(found(standin, not_id=f"{first},{second}")) == 313


def test_by_id(standin: Standin) -> None:
    ids = standin.ids()
    page = standin.get(f"/observations/{ids[1]},{ids[0]},5")
    assert (page["total_results"], page["page"], page["per_page"]) == (2, 1, 2)
    assert page["results"] == [standin.record(ids[1]), standin.record(ids[0])]
    many = ",".join(map(str, ids[:31]))
    assert refused(standin, f"/observations/{many}") == (422, {"error": "Too many IDs", "status": 422})
    assert len(standin.get(f"/observations/{many}", per_page=200)["results"]) == 31
    too_many = ",".join(map(str, ids[:201]))
    assert refused(standin, f"/observations/{too_many}", per_page=500)[0] == 422
    assert refused(standin, "/observations/abc")[0] == 422


def test_headers_and_compression(standin: Standin) -> None:
    address = f"{standin.api_root}/observations?id_above=0&order_by=id&per_page=50"
    with urlopen(address, timeout=10) as answer:
        plain = answer.read()
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert answer.headers["Date"]
    with urlopen(Request(address, headers={"Accept-Encoding": "gzip, deflate"}), timeout=10) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        packed = answer.read()
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 3


@pytest.mark.parametrize(
    ("path", "params", "names"),
    [
        ("/places/autocomplete", {"q": "luiz saldanha"}, ["Parque Marinho Luiz Saldanha"]),
        ("/places/autocomplete", {"q": "arra"}, ["Parque Natural da Arrábida", "Parque Natural Arrábida"]),
        ("/places/autocomplete", {"q": "atlantis"}, []),
        ("/places/autocomplete", {}, []),
        ("/places/128892", {}, ["Parque Marinho Luiz Saldanha"]),
        ("/places/parque-marinho-luiz-saldanha", {}, ["Parque Marinho Luiz Saldanha"]),
        ("/places/no-such-place", {}, []),
        ("/taxa/autocomplete", {"q": "octopus v"}, ["Octopus vulgaris"]),
        ("/taxa/50481", {}, ["Octopus vulgaris"]),
        ("/taxa/1,2", {}, ["Animalia", "Chordata"]),
        ("/taxa/99", {}, []),
        ("/users/autocomplete", {"q": "mar_a"}, ["Inês Marçal"]),
        ("/users/1201", {}, ["Inês Marçal"]),
        ("/users/mar_azul", {}, ["Inês Marçal"]),
        ("/projects/autocomplete", {"q": "nudibranchs"}, ["Nudibranchs of Portugal"]),
        ("/projects/5531", {}, ["Nudibranchs of Portugal"]),
        ("/projects/nudibranchs-of-portugal", {}, ["Nudibranchs of Portugal"]),
    ],
)
def test_lookups(standin: Standin, path: str, params: dict[str, object], names: list[str]) -> None:
    answer = standin.get(path, **params)
    assert [row.get("name", row.get("title")) for row in answer["results"]] == names
    assert answer["total_results"] == len(names)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/users/nobody", 404),
        ("/taxa/abc", 422),
        ("/places/No%20Such", 422),
        ("/nowhere", 404),
        ("/observations/deleted", 401),
    ],
)
def test_lookups_refused(standin: Standin, path: str, status: int) -> None:
    assert refused(standin, path)[0] == status
