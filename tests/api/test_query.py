"""Spider arguments in, a checked query or one exact sentence out."""

import contextlib
import copy
import json
import pickle
import random
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inat_crawler.api.arguments import FETCHING, GROUPS
from inat_crawler.api.checks import SIZES
from inat_crawler.api.query import (
    ARGUMENTS,
    DEFAULTS,
    REFUSED,
    SEARCH_DEFAULTS,
    FetchOptions,
    Query,
    parse_arguments,
)
from inat_crawler.errors import ArgumentError

GUIDE = Path(__file__).parents[2] / "docs" / "arguments.md"
NO_DEFAULTS: dict[str, object] = dict.fromkeys(SEARCH_DEFAULTS, "any")
HERE: dict[str, object] = {"place_id": "128892", **NO_DEFAULTS}


def with_defaults(**params: str) -> dict[str, str]:
    return SEARCH_DEFAULTS | params


WHOLE_QUERIES: list[tuple[Mapping[str, object], Query, FetchOptions]] = [
    ({"place_id": "128892"}, Query(with_defaults(place_id="128892")), FetchOptions()),
    ({"place_id": 128892, "_job": "6487ec79"}, Query(with_defaults(place_id="128892")), FetchOptions()),
    (
        {"taxon_id": "47126", "geo": "any", "identified": "ANY", "rank": " any ", "limit": 500},
        Query({"taxon_id": "47126"}),
        FetchOptions(limit=500),
    ),
    ({"everything": True}, Query(SEARCH_DEFAULTS), FetchOptions()),
    (
        {"user_id": "loarie", "hrank": "Genus", "place_id": "any"},
        Query({"geo": "true", "hrank": "genus", "identified": "true", "user_id": "loarie"}),
        FetchOptions(),
    ),
    (
        {"q": "albino", "rank": "genus", "lrank": "species"},
        Query(with_defaults(q="albino", rank="genus", lrank="species")),
        FetchOptions(),
    ),
    (
        {"user_login": "loarie", "identified": False},
        Query({"geo": "true", "identified": "false", "user_login": "loarie"}),
        FetchOptions(),
    ),
    (
        {"lat": 47.37, "lng": "8.540", **NO_DEFAULTS},
        Query({"lat": "47.37", "lng": "8.54", "radius": "10"}),
        FetchOptions(),
    ),
    (
        {"lat": "any", "lng": "any", **HERE},
        Query({"place_id": "128892"}),
        FetchOptions(),
    ),
    (
        {"nelat": "-0.0", "nelng": "-175", "swlat": "-20.50", "swlng": "175", **NO_DEFAULTS},
        Query({"nelat": "0", "nelng": "-175", "swlat": "-20.5", "swlng": "175"}),
        FetchOptions(),
    ),
    (
        {"id_above": "100", "id_below": "200", **NO_DEFAULTS},
        Query({}, id_above=100, id_below=200),
        FetchOptions(),
    ),
    ({"field:Number of eggs": "3", **NO_DEFAULTS}, Query({"field:Number of eggs": "3"}), FetchOptions()),
    ({"field:DNA": "", **NO_DEFAULTS}, Query({"field:DNA": ""}), FetchOptions()),
    (
        {"place_id": "1", "output": "zurich", "images": "ALL", "sizes": "original,thumb,original"}
        | {"per_page": "50", "everything": "false"},
        Query(with_defaults(place_id="1")),
        FetchOptions("zurich", "all", ("thumb", "original"), None, 50),
    ),
]


@pytest.mark.parametrize(("arguments", "query", "options"), WHOLE_QUERIES)
def test_arguments_become_query_and_options(
    arguments: Mapping[str, object], query: Query, options: FetchOptions
) -> None:
    assert parse_arguments(arguments) == (query, options)


CANONICAL: list[tuple[str, object, str]] = [
    ("taxon_id", "47126,3, 47126", "3,47126"),
    ("taxon_id", "007", "7"),
    ("user_id", "tiwane,42,7", "7,42,tiwane"),
    ("project_id", "806,香港生物", "806,香港生物"),
    ("quality_grade", "research,needs_id", "needs_id,research"),
    ("rank", "subspecies,species", "species,subspecies"),
    ("csi", "vu,cr", "CR,VU"),
    ("iconic_taxa", "aves", "Aves"),
    ("month", "10,9,09", "9,10"),
    ("captive", False, "false"),
    ("acc_below", "0100", "100"),
    ("d1", date(2024, 2, 29), "2024-02-29"),
    ("updated_since", "2024-05-01", "2024-05-01"),
    ("updated_since", "2024-05-01T06:00", "2024-05-01T06:00:00Z"),
    ("updated_since", "2024-05-01 06:00:00.750Z", "2024-05-01T06:00:00Z"),
    ("updated_since", "2024-05-01T01:30:00+02:00", "2024-04-30T23:30:00Z"),
    ("updated_since", datetime(2024, 5, 1, 6, tzinfo=UTC), "2024-05-01T06:00:00Z"),
    ("created_d2", "2024-05-01T06:00:00Z", "2024-05-01T06:00:00Z"),
    ("taxon_name", "  Lynx lynx ", "Lynx lynx"),
    ("cs", "vu,nt", "nt,vu"),
]


@pytest.mark.parametrize(("name", "value", "sent"), CANONICAL)
def test_values_have_one_spelling(name: str, value: object, sent: str) -> None:
    query, _ = parse_arguments({**HERE, name: value})
    assert query.params == {"place_id": "128892", name: sent}


DATE = "not a date (YYYY-MM-DD)"
MOMENT = "not a date or time (YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ)"
POSITIVE = "not a whole number from 1 to 2147483647"
LOGIN = "not a login (letters, digits, hyphens and underscores, not digits alone)"
FIELD = "not an observation field (field:NAME=value, no spaces around NAME)"
WORLD = (
    "spider argument `everything`: no filter is given, so it would mirror the whole of iNaturalist: "
    "add a place, taxon, user, project, date or another search argument, or say everything=true"
)
REFUSALS: list[tuple[dict[str, object], str]] = [
    ({"plce_id": "1"}, "spider argument `plce_id`: unknown; did you mean `place_id`?: '1'"),
    ({"Taxon_ids": "3"}, "spider argument `Taxon_ids`: unknown; did you mean `taxon_id`?: '3'"),
    ({"zzz": "1"}, "spider argument `zzz`: unknown; docs/arguments.md lists all names: '1'"),
    ({"page": "2"}, "spider argument `page`: not accepted: the crawler pages by id itself: '2'"),
    ({"fields": "all"}, "spider argument `fields`: not accepted: the mirror keeps whole records: 'all'"),
    ({"place_id": ""}, "spider argument `place_id`: empty; leave the argument out instead: ''"),
    ({"place_id": "  "}, "spider argument `place_id`: empty; leave the argument out instead: '  '"),
    ({"place_id": None}, "spider argument `place_id`: not text, a number, true or false"),
    ({"place_id": [1]}, "spider argument `place_id`: not text, a number, true or false: [1]"),
    ({"place_id": "128892a"}, f"spider argument `place_id`: {POSITIVE}: '128892a'"),
    ({"place_id": "0"}, f"spider argument `place_id`: {POSITIVE}: '0'"),
    ({"place_id": "-1"}, f"spider argument `place_id`: {POSITIVE}: '-1'"),
    ({"place_id": "²"}, f"spider argument `place_id`: {POSITIVE}: '²'"),
    ({"place_id": "9" * 11}, f"spider argument `place_id`: {POSITIVE}: '99999999999'"),
    ({"place_id": "1,,2"}, "spider argument `place_id`: an empty value between commas: '1,,2'"),
    ({"place_id": True}, f"spider argument `place_id`: {POSITIVE}: True"),
    ({"q": "a\nb"}, r"spider argument `q`: has a control character or is not valid Unicode: 'a\nb'"),
    ({"q": "\udcff"}, r"spider argument `q`: has a control character or is not valid Unicode: '\udcff'"),
    ({"a\nb": "1"}, r"spider argument `a\nb`: has a control character or is not valid Unicode: '1'"),
    ({"geo": "1"}, "spider argument `geo`: not one of true, false: '1'"),
    ({"geo": 1}, "spider argument `geo`: not one of true, false: 1"),
    ({"d1": "2024-13-01"}, f"spider argument `d1`: {DATE}: '2024-13-01'"),
    ({"d1": "2023-02-29"}, f"spider argument `d1`: {DATE}: '2023-02-29'"),
    ({"d1": "2024-1-1"}, f"spider argument `d1`: {DATE}: '2024-1-1'"),
    ({"d1": "20240101"}, f"spider argument `d1`: {DATE}: '20240101'"),
    ({"updated_since": "yesterday"}, f"spider argument `updated_since`: {MOMENT}: 'yesterday'"),
    ({"updated_since": "2024-05-01T25:00"}, f"spider argument `updated_since`: {MOMENT}: '2024-05-01T25:00'"),
    (
        {"updated_since": "0001-01-01T00:00+02:00"},
        f"spider argument `updated_since`: {MOMENT}: '0001-01-01T00:00+02:00'",
    ),
    ({"month": "13"}, "spider argument `month`: not a whole number from 1 to 12: '13'"),
    ({"year": "24"}, "spider argument `year`: not a whole number from 1000 to 9999: '24'"),
    ({"user_id": "some one"}, f"spider argument `user_id`: {LOGIN}: 'some one'"),
    ({"user_login": "42"}, f"spider argument `user_login`: {LOGIN}: '42'"),
    ({"project_id": "a/b"}, "spider argument `project_id`: not a project's id or slug: 'a/b'"),
    ({"taxon_id": "octopus"}, f"spider argument `taxon_id`: {POSITIVE}; for a name there is `taxon`: 'octopus'"),
    ({"csi": "NT"}, "spider argument `csi`: not one of LC, VU, EN, CR, EW, EX: 'NT'"),
    ({"lat": "91", "lng": "0"}, "spider argument `lat`: not a number from -90 to 90: '91'"),
    ({"lat": "nan", "lng": "0"}, "spider argument `lat`: not a number from -90 to 90: 'nan'"),
    ({"lng": "8.5"}, "spider argument `lng`: needs `lat` as well: '8.5'"),
    ({"radius": "5"}, "spider argument `radius`: needs `lat` as well: '5'"),
    ({"lat": 1, "lng": 1, "radius": "any"}, "spider argument `lat`: needs `radius` as well: '1'"),
    ({"lat": 1, "lng": 1, "radius": 0}, "spider argument `radius`: not a number from 0.001 to 20040: 0"),
    ({"nelat": 1, "nelng": 1, "swlat": 0}, "spider argument `nelat`: needs `swlng` as well: '1'"),
    (
        {"nelat": 1, "nelng": 1, "swlat": 2, "swlng": 0},
        "spider argument `swlat`: north of `nelat` (1): '2'",
    ),
    (
        {"d1": "2024-02-01", "d2": "2024-01-31"},
        "spider argument `d1`: later than `d2` (2024-01-31): '2024-02-01'",
    ),
    (
        {"created_d1": "2024-05-01T07:00Z", "created_d2": "2024-05-01T06:00Z"},
        "spider argument `created_d1`: later than `created_d2` (2024-05-01T06:00:00Z): '2024-05-01T07:00:00Z'",
    ),
    (
        {"place_id": 1, "lrank": "genus", "hrank": "species"},
        "spider argument `lrank`: above `hrank` (species): 'genus'",
    ),
    (
        {"place_id": 1, "acc_above": 10, "acc_below": 10},
        "spider argument `acc_above`: not less than `acc_below` (10): '10'",
    ),
    ({"id_above": 200, "id_below": 100}, "spider argument `id_above`: not less than `id_below` (100): '200'"),
    ({"place_id": 1, "search_on": "tags"}, "spider argument `search_on`: needs `q` as well: 'tags'"),
    ({"place_id": 1, "reviewed": "true"}, "spider argument `reviewed`: needs `viewer_id` as well: 'true'"),
    (
        {"place_id": 1, "term_value_id": "2"},
        "spider argument `term_value_id`: needs `term_id` or `term_id_or_unknown` as well: '2'",
    ),
    (
        {"field: DNA": "x"},
        f"spider argument `field: DNA`: {FIELD}: 'x'",
    ),
    ({"field:": "x"}, f"spider argument `field:`: {FIELD}: 'x'"),
    ({"place_id": 1, "images": "any"}, "spider argument `images`: not one of first, all, none: 'any'"),
    ({"place_id": 1, "sizes": "huge"}, f"spider argument `sizes`: not one of {', '.join(SIZES)}: 'huge'"),
    (
        {"place_id": 1, "limit": "5", "audit": "always"},
        "spider argument `audit`: a limited mirror has nothing to compare; leave out `limit` or this: 'always'",
    ),
    ({"place_id": 1, "limit": "0"}, f"spider argument `limit`: {POSITIVE}: '0'"),
    ({"place_id": 1, "per_page": 201}, "spider argument `per_page`: not a whole number from 1 to 200: 201"),
    ({}, WORLD),
    ({"place_id": "any"}, WORLD),
    ({"everything": "false"}, WORLD),
    ({"geo": "true", "rank": "any", "identified": "TRUE"}, WORLD),
    ({"limit": "3", "locale": "pt", "preferred_place_id": "7122", "output": "x"}, WORLD),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSALS)
def test_mistakes_are_refused_in_one_sentence(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError) as refusal:
        parse_arguments(arguments)
    assert str(refusal.value) == message


@pytest.mark.parametrize("name", REFUSED)
def test_refused_names_give_their_reason(name: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(REFUSED[name])):
        parse_arguments({"place_id": "1", name: "1"})


def test_key_is_pinned() -> None:
    # Mirrors on disk are found again by these: a change here orphans them.
    assert parse_arguments({"place_id": "128892"})[0].key == "a01f85935f4a3b6b"
    assert Query({}).key == "2f540ee2a868cfe4"


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        (Query(SEARCH_DEFAULTS), "everything"),
        (Query(with_defaults(place_id="128892")), "place_id-128892"),
        (Query(with_defaults(place_id="1", d1="2024-01-01")), "d1-2024-01-01.place_id-1"),
        (Query({"place_id": "1", "geo": "true", "identified": "true"}), "place_id-1.rank-any"),
        (Query(with_defaults(rank="genus"), 5, 9), "rank-genus.id_above-5.id_below-9"),
    ],
)
def test_slug_is_readable(query: Query, slug: str) -> None:
    assert query.slug == slug


def test_slugs_stay_apart() -> None:
    # Each pair would fall together without the key at the end.
    texts = [
        "Lynx lynx",
        "lynx-lynx",
        "lynx lynx",
        "lynx.lynx",
        "lynx/lynx",
        "x.captive-true",
        "y" * 90,
        "y" * 91,
        "любой",
    ]
    queries = [Query(with_defaults(q=text)) for text in texts]
    queries += [Query(with_defaults(q="x", captive="true")), Query(with_defaults(q=""))]
    assert len({query.slug for query in queries}) == len(queries)


@given(st.dictionaries(st.text(min_size=1), st.text()), st.integers(0, 9))
def test_slug_is_a_safe_file_name(values: dict[str, str], id_above: int) -> None:
    slug = Query({f"field:{name}": value for name, value in values.items()}, id_above).slug
    assert re.fullmatch("[a-z0-9][a-z0-9._-]{0,79}", slug)


def test_url_shows_the_same_search() -> None:
    site = "https://www.inaturalist.org/observations?"
    query, _ = parse_arguments({"taxon_id": "3,47126", "verifiable": "true", "field:A b": "c&d", **NO_DEFAULTS})
    assert query.url == site + "field%3AA+b=c%26d&taxon_id=3%2C47126&verifiable=true&spam=any"
    assert Query({"q": "x"}, 5, 9).url == site + "q=x&id_above=5&id_below=9&spam=any&verifiable=any"


def test_text_can_be_typed_again() -> None:
    assert (
        str(parse_arguments({"place_id": "128892"})[0]) == "geo=true identified=true place_id=128892 rank=species"
    )
    assert (
        str(Query({"q": "black bear"}, 5, 9))
        == "geo=any id_above=5 id_below=9 identified=any 'q=black bear' rank=any"
    )


def test_query_survives_the_store_and_the_queue() -> None:
    query = Query({"q": "é", "geo": "true"}, 5, 9)
    assert Query.from_dict(json.loads(json.dumps(query.to_dict()))) == query
    assert pickle.loads(pickle.dumps(query)) == query
    assert copy.deepcopy(query) == query
    assert {query: 1}[Query({"geo": "true", "q": "é"}, 5, 9)] == 1


def test_query_does_not_follow_its_source() -> None:
    source = {"q": "albino"}
    query = Query(source)
    source["q"] = "melanistic"
    assert query.params == {"q": "albino"}


def test_fetch_options_do_not_change_the_key() -> None:
    fetching: dict[str, object] = {name: ARGUMENTS[name].example for name in FETCHING - {"audit"}}
    assert parse_arguments({"place_id": "1", **fetching})[0] == parse_arguments({"place_id": "1"})[0]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_examples_and_defaults_pass_their_own_check(name: str) -> None:
    argument = ARGUMENTS[name]
    assert argument.check(argument.example) == argument.example
    assert argument.default is None or argument.check(argument.default) == argument.default


def test_no_argument_is_declared_twice() -> None:
    assert sum(map(len, GROUPS.values())) == len(ARGUMENTS)
    assert not ARGUMENTS.keys() & REFUSED.keys()


def test_option_defaults_are_the_declared_ones() -> None:
    declared = {name: value for name, value in DEFAULTS.items() if name in FETCHING}
    assert parse_arguments({"place_id": "1", **declared})[1] == FetchOptions()


def test_guide_names_every_argument_with_its_default_and_example() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    rows = {row.split("`")[1]: row for row in guide.splitlines() if row.startswith("| `")}
    assert rows.keys() == ARGUMENTS.keys() | REFUSED.keys()
    for name, argument in ARGUMENTS.items():
        assert f"`{name}={argument.example}`" in rows[name]
        assert argument.default is None or f"| `{argument.default}` |" in rows[name]


VALUES = st.one_of(
    st.text(),
    st.text(alphabet="0123456789-T:Z,. +", max_size=25),
    st.sampled_from([argument.example for argument in ARGUMENTS.values()]),
    st.sampled_from(["any", "true", "false", "", ",", "\x00", "\udcff"]),
)
NAMES = st.one_of(st.sampled_from([*ARGUMENTS, *REFUSED, "field:DNA"]), st.text())


@given(st.dictionaries(NAMES, VALUES))
def test_only_argument_errors_come_out(arguments: dict[str, str]) -> None:
    query: Query | None = None
    with contextlib.suppress(ArgumentError):
        query, _ = parse_arguments(arguments)
    assert query is None or parse_arguments(as_arguments(query))[0] == query


def as_arguments(query: Query) -> Mapping[str, object]:
    bounds = {"id_above": query.id_above, "id_below": query.id_below or "any"}
    return {**NO_DEFAULTS, **query.params, **bounds, "everything": True}


LISTS = {"taxon_id": ["3", "20", "100"], "user_id": ["7", "12", "b", "a"], "rank": ["genus", "species"]}


@given(st.randoms(use_true_random=False))
def test_key_knows_no_order(shuffler: random.Random) -> None:
    shuffled = {name: ",".join(shuffler.sample(values, len(values))) for name, values in LISTS.items()}
    names = shuffler.sample(list(shuffled), len(shuffled))
    straight = parse_arguments({name: ",".join(values) for name, values in LISTS.items()})[0]
    assert parse_arguments({name: shuffled[name] for name in names})[0].key == straight.key
