"""A pasted address of the website's Explore page -> the search arguments that give what the page showed.

The page has filters of its own that its address does not show. Whatever only chooses the display is dropped,
and named; whatever cannot be honored is refused. Nobody is asked: the host is only looked at.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

from inat_crawler.api.arguments import ARGUMENTS, FETCHING, WORDS
from inat_crawler.api.checks import boolean, text
from inat_crawler.api.texts import printable
from inat_crawler.errors import ArgumentError

ANY = "any"
FIELD = "field:"
PAGE_DEFAULTS = {"spam": "false", "verifiable": "true"}  # in force unless the address says otherwise

DISPLAY = frozenset(  # what only chooses how the page shows its observations
    {"view", "subview", "page", "per_page", "order", "order_by", "locale", "preferred_place_id"}
)
TRACKING = re.compile(
    "utm_.*|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_[ce]id|_ga|_gl|utf8|commit", re.IGNORECASE
)
ALIASES = {"taxon_ids": "taxon_id", "on": "observed_on"}
HAS = ("photos", "sounds", "geo", "id_please")  # has[]=photos and so on
RULES = {
    "reviewed": "depends on who was logged in: say who with -a viewer_id=NUMBER, or take it out of the address",
}
SPATIAL = frozenset({"place_id", "nelat", "nelng", "swlat", "swlng", "lat", "lng", "radius"})

SITE = "(inaturalist|naturalista|biodiversity4all|argentinat)"
# The network's sites are named so and end with .org, or with a country's domain as inaturalist.ala.org.au does.
HOST = re.compile(
    rf"([a-z0-9-]+\.)*{SITE}(\.(org|com)|\.[a-z]{{2}}|\.(?!org\.|com\.)[a-z0-9-]+(\.[a-z0-9-]+)?\.[a-z]{{2}})"
)
MAIN_SITE = re.compile(r"(www\.)?inaturalist\.(org|com)")
SCHEME = re.compile("[a-z][a-z0-9+.-]*://", re.IGNORECASE)

_EXPLORE = "paste the address of the Explore page (/observations?...)"
_HINTS: tuple[tuple[str, str], ...] = (  # path of another page -> what to say instead of its address
    (r"/v[12]/.*", "an address of the API, not of a page: give its parameters as arguments, each with its own -a"),
    (r"/observations/(?P<it>[0-9]+)", "the page of one observation: use -a id={it}"),
    (r"/observations/identify", f"the Identify page: {_EXPLORE}, or use its filters as arguments"),
    (r"/observations/export", f"the export page: {_EXPLORE}, or use its filters as arguments"),
    (r"/observations/project/(?P<it>[^/]+)", "the page of a project: use -a project_id={it}"),
    (r"/observations/(upload|new|add)", f"not a page of observations: {_EXPLORE}"),
    (r"/observations/(?P<it>[^/]+)", "the page of a person: use -a user_id={it}"),
    (r"/(taxa|guide_taxa)/(?P<it>[0-9]+)([-/].*)?", "the page of a taxon: use -a taxon_id={it}"),
    (r"/taxa/(?P<it>[^/]+)", 'the page of a taxon: use -a taxon="{it}"'),
    (r"/taxa", 'the page of taxa: use -a taxon="NAME"'),
    (r"/places/(?P<it>[0-9]+)([-/].*)?", "the page of a place: use -a place_id={it}"),
    (r"/places/(?P<it>[^/]+)(/.*)?", 'the page of a place: use -a place="{it}"'),
    (r"/places", 'the page of places: use -a place="NAME"'),
    (r"/(people|users|lifelists)/(?P<it>[^/]+)(/.*)?", "the page of a person: use -a user_id={it}"),
    (r"/projects/(?P<it>[^/]+)(/.*)?", "the page of a project: use -a project_id={it}"),
    (
        r"/calendar/(?P<it>[^/]+)(/.*)?",
        "the page of a calendar: use -a user_id={it} and -a observed_on=YYYY-MM-DD",
    ),
    (r"/(check_)?lists/(?P<it>[0-9]+)([-/].*)?", "the page of a list: use -a list_id={it}"),
)


@dataclass(frozen=True)
class Page:
    """What an address asks for.

    `params` are search arguments by their own names, not checked yet, and `spelled` is how the address names those
    that it names otherwise. `dropped` are the names that only choose the display.
    """

    params: Mapping[str, str]
    spelled: Mapping[str, str]
    dropped: tuple[str, ...]
    site: str | None = None

    def blame(self, error: ArgumentError) -> ArgumentError:
        """The same error, told of the address, if what it is about stands there."""
        if error.name not in self.params:
            return error
        rule = RULES.get(error.name, error.rule) if "needs" in error.rule else error.rule
        return refusal(self.spelled.get(error.name, error.name), rule, error.value)

    def remarks(self) -> list[str]:
        """What the user should know of how the address was read, a line each."""
        lines = []
        if self.dropped:
            lines.append(f"the url's {', '.join(self.dropped)} only choose what the page looks like: dropped")
        if self.site is not None:
            lines.append(f"{self.site} may have shown its own country alone; the url itself names no place")
        return lines


def refusal(name: str, rule: str, value: object = None) -> ArgumentError:
    """The error for one parameter of an address."""
    return ArgumentError("url", f"its `{printable(name)}`: {rule}", value)


def read_page(address: str) -> Page:
    """What the Explore page at this address shows. Raises ArgumentError for any other page and what is no filter.

    >>> page = read_page("www.inaturalist.org/observations?taxon_ids[]=3&taxon_ids[]=20&place_id=any&view=species")
    >>> dict(page.params), page.dropped
    ({'taxon_id': '3,20'}, ('view',))
    """
    parts = split(address)
    dropped: dict[str, None] = {}
    values: dict[str, list[str]] = {}
    for spelled, value in pairs(parts.query, address):
        name = spelled if spelled.startswith(FIELD) else spelled.strip().removesuffix("[]")
        if name in DISPLAY or TRACKING.fullmatch(name):
            dropped[printable(name)] = None
        elif value.strip() or name.startswith(FIELD):  # an empty value is one that was not given
            values.setdefault(name, []).append(value.strip())
    params, spellings = rename({name: joined(name, given) for name, given in values.items()})
    host = parts.hostname or ""
    site = None if MAIN_SITE.fullmatch(host) or params.keys() & SPATIAL else host
    kept = {name: value for name, value in params.items() if value.lower() != ANY or name in PAGE_DEFAULTS}
    return Page(kept, spellings, tuple(dropped), site)


def pairs(query: str, address: str) -> Iterable[tuple[str, str]]:
    """Names and values of an address. The page writes a filter that is switched on as its bare name.

    >>> list(pairs("sounds&q=a+b&photos=", ""))
    [('sounds', 'true'), ('q', 'a b'), ('photos', '')]
    """
    for part in query.split("&"):
        spelled, equals, value = part.partition("=")
        try:
            name, given = (unquote_plus(text, errors="strict") for text in (spelled, value))
        except UnicodeDecodeError:
            raise ArgumentError("url", "not written in UTF-8", address) from None
        is_switch = name in ARGUMENTS and ARGUMENTS[name].check is boolean
        yield name, "true" if is_switch and not equals else given


def split(address: str) -> SplitResult:
    """The parts of an Explore page's address; its scheme may be missing. Raises ArgumentError for any other."""
    try:
        parts = urlsplit(address if SCHEME.match(address) else f"https://{address.removeprefix('//')}")
        host = (parts.hostname or "").removesuffix(".")
    except ValueError:
        raise ArgumentError("url", "not an address", address) from None
    if parts.scheme not in ("http", "https") or not HOST.fullmatch(host):
        raise ArgumentError("url", "not an address of iNaturalist's Explore page (.../observations?...)", address)
    path = parts.path.rstrip("/") or "/"
    if path != "/observations":
        raise ArgumentError("url", hint(path), address)
    return parts


def hint(path: str) -> str:
    """What to give instead of the address of another page.

    >>> hint("/taxa/47126-Plantae")
    'the page of a taxon: use -a taxon_id=47126'
    """
    for pattern, words in _HINTS:
        if found := re.fullmatch(pattern, path):
            it = printable(unquote(found.groupdict().get("it") or ""))
            return words.format(it=it.replace('"', "'"))
    return f"not the Explore page: {_EXPLORE}"


def joined(name: str, given: list[str]) -> str:
    """Values of a repeated name as one list; of what is no list, one value. Raises ArgumentError."""
    distinct = list(dict.fromkeys(given))
    is_text = name.startswith(FIELD) or (name in ARGUMENTS and ARGUMENTS[name].check is text)
    if len(distinct) > 1 and is_text:
        raise refusal(name, "given twice", ", ".join(distinct))
    return ",".join(distinct)


def rename(values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Search arguments by their own names, and how the address spells them. Raises ArgumentError."""
    params: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for spelling, name, value in named(values):
        if name in FETCHING or name in WORDS or name == "_job":
            raise refusal(spelling, "not a filter of the Explore page", value)
        if params.setdefault(name, value) != value:
            raise refusal(spelling, f"says otherwise than its `{spelled.get(name, name)}`", value)
        spelled.setdefault(name, spelling)
    return params, {name: spelling for name, spelling in spelled.items() if name != spelling}


def named(values: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    """How the address spells a filter, its name as an argument, and its value."""
    for spelling, value in values.items():
        if spelling != "has":
            yield spelling, ALIASES.get(spelling, spelling), value
            continue
        for what in value.split(","):
            if what not in HAS:
                raise refusal("has", f"not one of {', '.join(HAS)}", what)
            yield "has", what, "true"
