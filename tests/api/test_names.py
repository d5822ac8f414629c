"""Answers of the autocompletes in; the one that is meant, or one exact sentence out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inat_crawler.api.names import (
    KINDS,
    Found,
    as_json,
    choose,
    chosen,
    fold,
    names_in,
    read_found,
    table,
    with_ids,
)
from inat_crawler.api.query import FetchOptions, Query, check_arguments, parse_arguments
from inat_crawler.errors import AmbiguousError, ArgumentError, PageError

PLACES = [
    {"id": 128892, "name": "Parque Marinho", "display_name": "Parque Marinho, PT", "slug": "parque-marinho"},
    {"id": 2, "name": "Setúbal", "display_name": "Setúbal, PT", "slug": "setubal"},
    {"id": 3, "name": "Setúbal Bay", "display_name": "Setúbal Bay, PT", "slug": "setubal-bay"},
    {"id": 4, "name": "Santiago", "display_name": "Santiago, CL", "slug": "santiago"},
    {"id": 5, "name": "Santiago", "display_name": "Santiago, CV", "slug": "santiago-cv"},
]
TAXA = [
    {"id": 10, "name": "Octopus", "rank": "genus"},
    {"id": 11, "name": "Octopoda", "rank": "order", "preferred_common_name": "Octopus"},
    {"id": 12, "name": "Octopus vulgaris", "rank": "species", "preferred_common_name": "Common Octopus"},
    {"id": 13, "name": "Morus", "rank": "genus", "preferred_common_name": "Gannets", "observations_count": 9},
    {"id": 14, "name": "Morus", "rank": "genus", "preferred_common_name": "Mulberries", "observations_count": 7},
    {"id": 15, "name": "Puma concolor", "rank": "species", "preferred_common_name": "Puma"},
    {"id": 16, "name": "Puma yagouaroundi", "rank": "species", "preferred_common_name": "Jaguarundi"},
]
USERS = [
    {"id": 20, "login": "maria", "name": "M. Silva"},
    {"id": 21, "login": "ms", "name": "Maria"},
    {"id": 22, "login": "maria_b", "name": "Maria"},
    {"id": 23, "login": "ana", "name": None},
    {"id": 24, "login": "anas", "name": "Ana Sá"},
    {"id": 25, "login": "as2", "name": "Ana Sá"},
]
PROJECTS = [
    {"id": 30, "title": "Tidepool Weekend", "slug": "tidepool-weekend"},
    {"id": 31, "title": "Tidepool Weekend 2", "slug": "tidepool-weekend-2"},
]
ROWS = {"place": PLACES, "taxon": TAXA, "user": USERS, "project": PROJECTS}


def found(kind: str, ids: list[int], total: int | None = None) -> Found:
    rows = [row for row in ROWS[kind] if row["id"] in ids]
    body = {"total_results": total or len(rows), "results": rows}
    return read_found(KINDS[kind], json.dumps(body).encode())


CHOSEN = [
    ("place", "Setúbal", [2, 3], 2),
    ("place", "  SETUBAL ", [2, 3], 2),
    ("place", "setúbal,  pt", [3, 2], 2),
    ("place", "setubal-bay", [2, 3], 3),
    ("place", "bay", [3], 3),
    ("place", "Santiago, CV", [4, 5], 5),
    ("taxon", "octopus", [10, 11, 12], 10),
    ("taxon", "OCTOPUS VULGARIS", [10, 12], 12),
    ("taxon", "puma", [15, 16], 15),
    ("taxon", "yagou", [16], 16),
    ("user", "maria", [20, 21, 22], 20),
    ("user", "m. silva", [20, 21], 20),
    ("user", "ana", [23, 24], 23),
    ("project", "tidepool weekend", [30, 31], 30),
    ("project", "tidepool-weekend-2", [30, 31], 31),
]


@pytest.mark.parametrize(("kind", "name", "ids", "meant"), CHOSEN)
def test_the_one_that_is_meant(kind: str, name: str, ids: list[int], meant: int) -> None:
    assert choose(KINDS[kind], name, found(kind, ids)).id == meant


SEVERAL = [
    ("place", "Santiago", [4, 5, 2], [4, 5]),
    ("place", "set", [2, 3], [2, 3]),
    ("taxon", "morus", [13, 14, 10], [13, 14]),
    ("taxon", "octo", [10, 11, 12], [10, 11, 12]),
    ("user", "Ana Sá", [24, 25, 23], [24, 25]),
    ("project", "tidepool", [30, 31], [30, 31]),
]


@pytest.mark.parametrize(("kind", "name", "ids", "listed"), SEVERAL)
def test_several_are_listed(kind: str, name: str, ids: list[int], listed: list[int]) -> None:
    with pytest.raises(AmbiguousError) as refusal:
        choose(KINDS[kind], name, found(kind, ids))
    first, _, *lines = str(refusal.value).splitlines()
    advice = f"name one by its id, as {KINDS[kind].target}={listed[0]}"
    assert first == f"spider argument `{kind}`: {len(listed)} fit; {advice}: {name!r}"
    assert [int(line.split()[0]) for line in lines] == listed


def test_none_is_an_error() -> None:
    with pytest.raises(ArgumentError) as refusal:
        choose(KINDS["taxon"], "Octopuss", found("taxon", []))
    assert str(refusal.value) == "spider argument `taxon`: iNaturalist knows none of this name: 'Octopuss'"


def test_one_of_many_is_not_the_only_one() -> None:
    with pytest.raises(AmbiguousError, match="80 fit") as refusal:
        choose(KINDS["place"], "bay", found("place", [3], total=80))
    assert str(refusal.value).endswith("\n... and 79 more: say more of the name")


def test_the_table_tells_them_apart() -> None:
    assert table(KINDS["taxon"], found("taxon", [12, 13, 14])) == [
        "id  name              rank     common name     group  observations",
        "12  Octopus vulgaris  species  Common Octopus",
        "13  Morus             genus    Gannets                9",
        "14  Morus             genus    Mulberries             7",
    ]
    assert as_json(found("user", [23])) == {
        "total": 1,
        "results": [{"id": 23, "login": "ana", "name": "", "observations": ""}],
    }


def test_text_of_users_cannot_reach_the_terminal_raw() -> None:
    row = {"id": 7, "name": "a\x1b[2J\x9b1m\u202e<b>\r\nb", "display_name": "海野\u2028\x07"}
    kind = KINDS["place"]
    nasty = read_found(kind, json.dumps({"total_results": 1, "results": [row]}).encode())
    lines = [*table(kind, nasty), chosen(kind, "x", nasty.candidates[0]), json.dumps(as_json(nasty))]
    assert all(line.isprintable() for line in lines)
    assert lines[1] == "7   a\\x1b[2J\\x9b1m\\u202e<b>\\r\\nb  海野\\u2028\\x07"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"results": null, "total_results": 0}',
        b'{"total_results": 1, "results": [7]}',
        b'{"total_results": 1, "results": [{"name": "no id"}]}',
        b'{"total_results": 1, "results": [{"id": "7"}]}',
        b'{"total_results": 1, "results": [{"id": true}]}',
        b'{"total_results": 1, "results": [{"id": 0}]}',
    ],
)
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(PageError):
        read_found(KINDS["place"], body)


@pytest.mark.parametrize(
    ("text", "same"), [("Ødegård", "ødegard"), ("É", "e\u0301"), ("STRASSE", "straße"), ("a\u00a0 b", "A B")]
)
def test_names_compare_without_case_and_accents(text: str, same: str) -> None:
    assert fold(text) == fold(same)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_which_names_have_to_be_asked_for() -> None:
    arguments = {"place": " Sesimbra ", "taxon": "47459", "user": "any", "project": "²", "limit": "5"}
    assert names_in(arguments) == {"place": "Sesimbra", "project": "²"}
    assert with_ids(arguments, {"place": 7, "project": 8}) == {
        "taxon": "47459",
        "user": "any",
        "limit": "5",
        "place_id": "7",
        "project_id": "8",
    }


def test_ids_are_not_asked_for() -> None:
    arguments: dict[str, object] = {"place": "0128892", "taxon": 47459, "user": "any", "rank": "any"}
    query = Query({"geo": "true", "identified": "true", "place_id": "128892", "taxon_id": "47459"})
    assert parse_arguments(arguments) == (query, FetchOptions())


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"place": ""}, "spider argument `place`: empty; leave the argument out instead: ''"),
    (
        {"taxon": "3, 47126"},
        "spider argument `taxon`: not one name or one id "
        "(several ids go into the argument whose name ends in _id): '3, 47126'",
    ),
    ({"place": "0"}, "spider argument `place`: not a whole number from 1 to 2147483647: '0'"),
    ({"place": "a\x1bb"}, r"spider argument `place`: has a control character or is not valid Unicode: 'a\x1bb'"),
    ({"place": "x", "place_id": "1"}, "spider argument `place`: `place_id` is given as well: 'x'"),
    ({"place": "1", "place_id": "any"}, "spider argument `place`: `place_id` is given as well: '1'"),
    ({"user": "x", "user_id": "y"}, "spider argument `user`: `user_id` is given as well: 'x'"),
    ({"place": "x", "d1": "y"}, "spider argument `d1`: not a date (YYYY-MM-DD): 'y'"),
    ({"place": "x", "lat": "1"}, "spider argument `lat`: needs `lng` as well: '1'"),
    ({"place": "x", "plce": "y"}, "spider argument `plce`: unknown; did you mean `place`?: 'y'"),
    ({"place": "x", "images": "y"}, "spider argument `images`: not one of first, all, none: 'y'"),
    (
        {"place": "x", "url": "www.inaturalist.org/observations?place_id=1"},
        "spider argument `place`: stands in the url as well: 'x'",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_all_is_checked_before_a_name_is_asked_for(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError) as refusal:
        check_arguments(arguments)
    assert str(refusal.value) == message


def test_only_the_crawl_command_asks() -> None:
    arguments: dict[str, Any] = {"place": "Sesimbra"}
    assert check_arguments(arguments)[0].params["place_id"] == "1"
    with pytest.raises(ArgumentError) as refusal:
        parse_arguments(arguments)
    assert str(refusal.value) == (
        "spider argument `place`: the `crawl` command asks for names; here give `place_id`: 'Sesimbra'"
    )
