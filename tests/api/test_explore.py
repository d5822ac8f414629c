"""Pasted addresses in, what the page showed or one exact sentence out."""

from __future__ import annotations

import contextlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inat_crawler.api.arguments import NAMING
from inat_crawler.api.explore import read_page
from inat_crawler.api.query import Query, check_arguments, parse_arguments
from inat_crawler.errors import ArgumentError

SITE = "https://www.inaturalist.org/observations"
PAGE = {"spam": "false", "verifiable": "true"}

SHOWN: list[tuple[str, dict[str, str]]] = [
    ("place_id=128892&taxon_id=47459", PAGE | {"place_id": "128892", "taxon_id": "47459"}),
    ("taxon_id=3&verifiable=any", {"spam": "false", "taxon_id": "3"}),
    ("taxon_id=3&verifiable=any&spam=any", {"taxon_id": "3"}),
    ("taxon_id=3&verifiable=false", {"spam": "false", "taxon_id": "3", "verifiable": "false"}),
    ("taxon_id=3&verifiable=&spam=", PAGE | {"taxon_id": "3"}),
    ("place_id=any&taxon_id=3", PAGE | {"taxon_id": "3"}),
    ("place_id=ANY&user_id=loarie", PAGE | {"user_id": "loarie"}),
    ("place_id=&project_id=&taxon_id=3&q=", PAGE | {"taxon_id": "3"}),
    ("taxon_id=3&", PAGE | {"taxon_id": "3"}),
    ("taxon_ids=20,3", PAGE | {"taxon_id": "3,20"}),
    ("taxon_ids[]=20&taxon_ids[]=3", PAGE | {"taxon_id": "3,20"}),
    ("taxon_ids%5B%5D=20&taxon_ids%5B%5D=3", PAGE | {"taxon_id": "3,20"}),
    ("place_id[]=1&place_id[]=14&place_id[]=1", PAGE | {"place_id": "1,14"}),
    ("iconic_taxa[]=Fungi&iconic_taxa[]=Aves", PAGE | {"iconic_taxa": "Aves,Fungi"}),
    ("iconic_taxa=Aves%2CFungi", PAGE | {"iconic_taxa": "Aves,Fungi"}),
    ("month=5&month=6", PAGE | {"month": "5,6"}),
    ("quality_grade=needs_id%2Cresearch", PAGE | {"quality_grade": "needs_id,research"}),
    ("on=2024-05-01", PAGE | {"observed_on": "2024-05-01"}),
    ("on=2024-05-01&observed_on=2024-05-01", PAGE | {"observed_on": "2024-05-01"}),
    ("taxon_id=3&has[]=photos&has[]=geo", PAGE | {"taxon_id": "3", "photos": "true", "geo": "true"}),
    ("taxon_id=3&has=photos,sounds&photos=true", PAGE | {"taxon_id": "3", "photos": "true", "sounds": "true"}),
    ("field:Number%20of%20eggs=3", PAGE | {"field:Number of eggs": "3"}),
    ("field%3AHabitat=mud+%26+sand", PAGE | {"field:Habitat": "mud & sand"}),
    ("field:DNA=", PAGE | {"field:DNA": ""}),
    ("field:DNA", PAGE | {"field:DNA": ""}),
    ("field:List[]=a", PAGE | {"field:List[]": "a"}),
    ("taxon_name=Lynx+lynx", PAGE | {"taxon_name": "Lynx lynx"}),
    ("taxon_name=Lynx lynx", PAGE | {"taxon_name": "Lynx lynx"}),
    ("q=%22black+bear%22+%26+100%25", PAGE | {"q": '"black bear" & 100%'}),
    ("q=caf%C3%A9&search_on=tags", PAGE | {"q": "café", "search_on": "tags"}),
    ("q=http://x.example/?a", PAGE | {"q": "http://x.example/?a"}),
    ("q=a&q=a", PAGE | {"q": "a"}),
    ("taxon_id=3#map", PAGE | {"taxon_id": "3"}),
    ("taxon_id=3#?place_id=1&page=2", PAGE | {"taxon_id": "3"}),
    ("hrank=genus&lrank=species", PAGE | {"hrank": "genus", "lrank": "species"}),
    ("lat=47.37&lng=8.54", PAGE | {"lat": "47.37", "lng": "8.54", "radius": "10"}),
    ("lat=47.37&lng=8.54&radius=5", PAGE | {"lat": "47.37", "lng": "8.54", "radius": "5"}),
    (
        "nelat=47.90&nelng=8.9&swlat=47.3&swlng=8.1",
        PAGE | {"nelat": "47.9", "nelng": "8.9", "swlat": "47.3", "swlng": "8.1"},
    ),
    ("user_id=loarie&reviewed=any", PAGE | {"user_id": "loarie"}),
    ("user_id=loarie&reviewed=false&viewer_id=42", PAGE | {"user_id": "loarie", "reviewed": "false", "viewer_id": "42"}),
    ("geo=true&identified=true&rank=species&d1=2024-01-01", PAGE | {"geo": "true", "identified": "true", "rank": "species", "d1": "2024-01-01"}),
    (
        "taxon_id=3&view=species&subview=map&page=7&per_page=24&order=asc&order_by=observed_on&locale=pt&"
        "preferred_place_id=7122&utm_source=x&utm_medium=y&fbclid=z&gclid=q&utf8=%E2%9C%93&commit=Search",
        PAGE | {"taxon_id": "3"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("query", "params"), SHOWN)
def test_what_the_page_showed(query: str, params: dict[str, str]) -> None:
    assert parse_arguments({"url": f"{SITE}?{query}"})[0] == Query(params)


@pytest.mark.parametrize(
    "site",
    [
        *("http://www.inaturalist.org", "HTTPS://WWW.iNaturalist.ORG", "https://inaturalist.org", "//www.inaturalist.org"),
        *("www.inaturalist.org", "inaturalist.org", "https://spain.inaturalist.org", "https://www.inaturalist.org:443"),
        *("https://www.inaturalist.ca", "https://inaturalist.ca", "https://inaturalist.nz", "https://www.inaturalist.nz"),
        *("https://www.naturalista.mx", "https://mexico.inaturalist.org", "https://www.naturalista.uy"),
        *("https://www.biodiversity4all.org", "biodiversity4all.org", "https://www.argentinat.org"),
        *("https://inaturalist.laji.fi", "https://inaturalist.ala.org.au", "https://inaturalist.mma.gob.cl"),
        *("https://uk.inaturalist.org", "https://inaturalist.lu", "https://www.inaturalist.se"),
        *("https://www.inaturalist.org.", "https://greece.inaturalist.org"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/observations", "/observations/"])
def test_the_sites_of_the_network(site: str, path: str) -> None:
    query, _ = parse_arguments({"url": f"{site}{path}?taxon_id=3"})
    assert query == Query(PAGE | {"taxon_id": "3"})


NOT_EXPLORE = "not an address of iNaturalist's Explore page (.../observations?...)"
ELSEWHERE = [
    "https://www.example.org/observations?taxon_id=3",
    "https://www.inaturalist.org.evil.example/observations?taxon_id=3",
    "https://www.inaturalist.org@evil.example/observations?taxon_id=3",
    "https://notinaturalist.org/observations?taxon_id=3",
    "https://inaturalist.com.evil.ru/observations?taxon_id=3",
    "https://inaturalist-open-data.s3.amazonaws.com/photos/1/square.jpg",
    "https://observation.org/observations?taxon_id=3",
    "http://127.0.0.1:8000/observations?taxon_id=3",
    "http://[::1]/observations",
    "ftp://www.inaturalist.org/observations?taxon_id=3",
    "javascript://www.inaturalist.org/observations",
    "file:///observations",
    "https:///observations?taxon_id=3",
    "https://",
    "?taxon_id=3",
    "/observations?taxon_id=3",
    "128892",
    "any",
    "Octopus vulgaris",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_other_addresses(address: str) -> None:
    assert said(address) == f"spider argument `url`: {NOT_EXPLORE}: {address!r}"


def test_what_is_no_address() -> None:
    assert said("https://[www.inaturalist.org/observations") == (
        "spider argument `url`: not an address: 'https://[www.inaturalist.org/observations'"
    )


PASTE = "paste the address of the Explore page (/observations?...)"
HINTS = [
    ("/observations/12345", "the page of one observation: use -a id=12345"),
    ("/observations/identify?place_id=1", f"the Identify page: {PASTE}, or use its filters as arguments"),
    ("/observations/export", f"the export page: {PASTE}, or use its filters as arguments"),
    ("/observations/upload", f"not a page of observations: {PASTE}"),
    ("/observations/loarie", "the page of a person: use -a user_id=loarie"),
    ("/taxa/47126-Plantae", "the page of a taxon: use -a taxon_id=47126"),
    ("/taxa/50481-Octopus-vulgaris/browse_photos", "the page of a taxon: use -a taxon_id=50481"),
    ("/taxa/Lynx%20lynx", 'the page of a taxon: use -a taxon="Lynx lynx"'),
    ("/places/128892", "the page of a place: use -a place_id=128892"),
    ("/places/parque-marinho-luiz-saldanha", 'the page of a place: use -a place="parque-marinho-luiz-saldanha"'),
    ("/people/loarie", "the page of a person: use -a user_id=loarie"),
    ("/users/1", "the page of a person: use -a user_id=1"),
    (
        "/projects/city-nature-challenge-2024?tab=observations",
        "the page of a project: use -a project_id=city-nature-challenge-2024",
    ),
    (
        "/calendar/loarie/2024/5/1",
        "the page of a calendar: use -a user_id=loarie and -a observed_on=YYYY-MM-DD",
    ),
    ("/check_lists/5-Portugal", "the page of a list: use -a list_id=5"),
    ("/", f"not the Explore page: {PASTE}"),
    ("/home", f"not the Explore page: {PASTE}"),
    ("/taxa/%1b%5b2J", 'the page of a taxon: use -a taxon="\\x1b[2J"'),
]


@pytest.mark.parametrize(("path", "hint"), HINTS)
def test_other_pages_say_what_to_use_instead(path: str, hint: str) -> None:
    address = f"https://www.inaturalist.org{path}"
    assert said(address) == f"spider argument `url`: {hint}: {address!r}"


def test_the_api_has_no_pages() -> None:
    rule = "an address of the API, not of a page: give its parameters as arguments, each with its own -a"
    assert rule in said("https://api.inaturalist.org/v1/observations?place_id=1")


POSITIVE = "not a whole number from 1 to 2147483647"
REFUSED = [
    ("plce_id=1", "its `plce_id`: unknown; did you mean `place_id`?: '1'"),
    ("taxon_id=3&amp;place_id=1", "its `amp;place_id`: unknown; did you mean `place_id`?: '1'"),
    ("zzz[]=1", "its `zzz`: unknown; docs/arguments.md lists all names: '1'"),
    ("%1B[31m=1", "its `\\x1b[31m`: has a control character or is not valid Unicode: '1'"),
    ("q=a%00b", "its `q`: has a control character or is not valid Unicode: 'a\\x00b'"),
    ("taxon_id=47126-Plantae", f"its `taxon_id`: {POSITIVE}: '47126-Plantae'"),
    ("taxon_ids[]=x", f"its `taxon_ids`: {POSITIVE}: 'x'"),
    ("on=2024-05", "its `on`: not a date (YYYY-MM-DD): '2024-05'"),
    ("taxon_id=3&taxon_ids=4", "its `taxon_ids`: says otherwise than its `taxon_id`: '4'"),
    ("taxon_ids=4&taxon_id=3", "its `taxon_id`: says otherwise than its `taxon_ids`: '3'"),
    ("photos=false&has[]=photos", "its `has`: says otherwise than its `photos`: 'true'"),
    ("has[]=wings", "its `has`: not one of photos, sounds, geo, id_please: 'wings'"),
    ("q=a&q=b", "its `q`: given twice: 'a, b'"),
    ("field:A=1&field:A=2", "its `field:A`: given twice: '1, 2'"),
    ("d1=2024-01-01&d1=2024-01-02", "its `d1`: not a date (YYYY-MM-DD): '2024-01-01,2024-01-02'"),
    ("verifiable=true&verifiable=any", "its `verifiable`: not one of true, false: 'true,any'"),
    (
        "user_id=loarie&reviewed=false",
        "its `reviewed`: depends on who was logged in: say who with -a viewer_id=NUMBER, "
        "or take it out of the address: 'false'",
    ),
    ("taxon_id=3&d1=2024-02-01&d2=2024-01-31", "its `d1`: later than `d2` (2024-01-31): '2024-02-01'"),
    ("taxon_id=3&lat=1", "its `lat`: needs `lng` as well: '1'"),
    ("taxon_id=3&only_id=true", "its `only_id`: not accepted: the answer would hold ids instead of observations: 'true'"),
    ("taxon_id=3&output=/tmp/x", "its `output`: not a filter of the Explore page: '/tmp/x'"),
    ("taxon_id=3&everything=true", "its `everything`: not a filter of the Explore page: 'true'"),
    ("url=x", "its `url`: not a filter of the Explore page: 'x'"),
    ("place=Sesimbra", "its `place`: not a filter of the Explore page: 'Sesimbra'"),
    ("taxon_id=3&_job=1", "its `_job`: not a filter of the Explore page: '1'"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "message"), REFUSED)
def test_what_cannot_be_honored_is_named(query: str, message: str) -> None:
    assert said(f"{SITE}?{query}") == f"spider argument `url`: {message}"


@pytest.mark.parametrize(
    "query",
    ["", "?", "?view=species", "?verifiable=true&spam=false", "?place_id=any&verifiable=any", "?locale=pt"],
)
def test_an_address_without_a_filter_means_the_whole_world(query: str) -> None:
    assert said(SITE + query).startswith("spider argument `everything`: no filter is given")
    assert parse_arguments({"url": SITE + query, "everything": "true"})[0].params.keys() <= PAGE.keys()


BESIDE: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("taxon_id=3", {"place_id": "128892"}, PAGE | {"taxon_id": "3", "place_id": "128892"}),
    ("taxon_id=3", {"rank": "species", "geo": "any"}, PAGE | {"taxon_id": "3", "rank": "species"}),
    ("place_id=any&taxon_id=3", {"place": "128892"}, PAGE | {"taxon_id": "3", "place_id": "128892"}),
    ("taxon_id=3", {"images": "all", "verifiable": "any"}, {"spam": "false", "taxon_id": "3"}),
    ("reviewed=true", {"viewer_id": "42"}, PAGE | {"reviewed": "true", "viewer_id": "42"}),
]


@pytest.mark.parametrize(("query", "arguments", "params"), BESIDE)
def test_arguments_beside_an_address(query: str, arguments: dict[str, str], params: dict[str, str]) -> None:
    assert parse_arguments({"url": f"{SITE}?{query}", **arguments})[0] == Query(params)


@pytest.mark.parametrize(
    ("query", "arguments", "message"),
    [
        ("taxon_id=3", {"taxon_id": "4"}, "spider argument `taxon_id`: stands in the url as well: '4'"),
        ("taxon_ids=3", {"taxon_id": "3"}, "spider argument `taxon_id`: stands in the url as well: '3'"),
        ("taxon_id=3", {"taxon": "3"}, "spider argument `taxon`: stands in the url as well: '3'"),
        ("place_id=1", {"place_id": "any"}, "spider argument `place_id`: stands in the url as well: 'any'"),
        ("taxon_id=3", {"d1": "x"}, "spider argument `d1`: not a date (YYYY-MM-DD): 'x'"),
        ("taxon_id=3&d2=2024-01-31", {"d1": "2024-02-01"}, "spider argument `d1`: later than `d2` (2024-01-31): '2024-02-01'"),
    ],
)  # fmt: skip
def test_the_same_beside_an_address(query: str, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ArgumentError) as refusal:
        parse_arguments({"url": f"{SITE}?{query}", **arguments})
    assert str(refusal.value) == message


def test_what_is_dropped_is_named() -> None:
    page = read_page(f"{SITE}?view=species&page=2&taxon_id=3&utm_id=x&order[]=asc&page=3&mc_cid=1")
    assert page.dropped == ("view", "page", "utm_id", "order", "mc_cid")
    assert page.remarks() == [
        "the url's view, page, utm_id, order, mc_cid only choose what the page looks like: dropped"
    ]
    assert read_page(f"{SITE}?taxon_id=3").remarks() == []


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://inaturalist.nz/observations?taxon_id=3", True),
        ("https://spain.inaturalist.org/observations?taxon_id=3", True),
        ("https://inaturalist.nz/observations?taxon_id=3&place_id=any", False),
        ("https://inaturalist.nz/observations?taxon_id=3&place_id=6803", False),
        ("https://inaturalist.nz/observations?nelat=1&nelng=1&swlat=0&swlng=0", False),
        ("https://inaturalist.org/observations?taxon_id=3", False),
    ],
)
def test_sites_that_may_show_their_own_country_alone(address: str, told: bool) -> None:
    assert any("its own country" in line for line in read_page(address).remarks()) is told


PASTED: list[dict[str, object]] = [
    {"place_id": "128892"},
    {"taxon_id": "3,47126", "geo": "any", "rank": "any", "verifiable": "true"},
    {"q": 'a & b=c#d %41 "x" ü', "search_on": "tags", "identified": "any"},
    {"field:Number of eggs": "3", "field:DNA": "", "field:a[]=&b": " 1,2 "},
    {"id_above": "5", "id_below": "900", "spam": "true"},
    {"lat": "47.5", "lng": "8", "radius": "2.5", "hrank": "genus"},
    {"user_id": "7,b", "reviewed": "false", "viewer_id": "42"},
    {"updated_since": "2024-05-01T01:30:00+02:00", "month": "5,10", "csa": "IUCN Red List"},
    {"url": f"{SITE}?taxon_ids[]=3&verifiable=any"},
    {"everything": "true"},
]


@pytest.mark.parametrize("arguments", PASTED)
def test_the_address_of_a_query_gives_the_query(arguments: dict[str, object]) -> None:
    query, _ = parse_arguments(arguments)
    assert parse_arguments({"url": query.url, "everything": "true"})[0] == query


NAMES = ["taxon_id", "taxon_ids[]", "on", "has[]", "q", "field:A", "verifiable", "view", "reviewed", "output", "x"]
VALUES = st.one_of(st.text(), st.sampled_from(["3", "any", "true", "photos", "2024-05-01", "", "1,2"]))


@given(st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), st.text()), VALUES), max_size=4), st.text())
def test_only_argument_errors_come_out(pairs: list[tuple[str, str]], path: str) -> None:
    asked = "&".join(f"{quote(n, errors='replace')}={quote(v, errors='replace')}" for n, v in pairs)
    for address in (f"{SITE}?{asked}", f"www.inaturalist.org/{path}?{asked}", path):
        with contextlib.suppress(ArgumentError):
            query, _ = check_arguments({"url": address})
            assert parse_arguments({"url": query.url, "everything": "true"})[0] == query
            assert not query.params.keys() & NAMING


def said(address: str) -> str:
    with pytest.raises(ArgumentError) as refusal:
        parse_arguments({"url": address})
    return str(refusal.value)
