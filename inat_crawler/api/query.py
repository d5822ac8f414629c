"""From spider arguments to a checked search: what is asked of the API, and how it is fetched.

Every mistake is refused here, before the first request, because the API ignores unknown names, drops
half-given filters and then answers for the whole world. The arguments themselves are in `arguments`.
"""

import hashlib
import json
import re
import shlex
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Literal, Self, cast
from urllib.parse import urlencode

from inat_crawler.api.arguments import ARGUMENTS, FETCHING, NAMING, REFUSED
from inat_crawler.api.explore import PAGE_DEFAULTS, Page, read_page, refusal
from inat_crawler.api.formats import DEFAULT_FORMATS, chosen_formats
from inat_crawler.api.licenses import allowed_codes
from inat_crawler.api.names import KINDS, is_id, names_in
from inat_crawler.api.together import check_together
from inat_crawler.errors import ArgumentError
from inat_crawler.items import Wants

__all__ = ["ARGUMENTS", "REFUSED", "FetchOptions", "Images", "Query", "parse_arguments"]

Images = Literal["first", "all", "none"]

ANY = "any"
FIELD = "field:"
IGNORED = frozenset({"_job"})  # Scrapyd names its job in an argument of its own
DEFAULTS = {each.name: each.default for each in ARGUMENTS.values() if each.default is not None}
SEARCH_DEFAULTS = {name: value for name, value in DEFAULTS.items() if name not in FETCHING}
SLUG_LENGTH = 80
KEY_LENGTH = 16


@dataclass(frozen=True)
class Query:
    """What is asked of the API: checked, canonical, and the identity of a mirror.

    `params` are the search parameters as sent, sorted by name; the id bounds, both exclusive, are
    numbers of their own because paging moves them.

    >>> query = Query({"place_id": "128892", "rank": "species", "geo": "true", "identified": "true"})
    >>> str(query)
    'geo=true identified=true place_id=128892 rank=species'
    >>> query.slug
    'place_id-128892'
    """

    params: Mapping[str, str]
    id_above: int = 0
    id_below: int | None = None

    def __post_init__(self) -> None:
        # A plain dict and not a read-only proxy: queries are pickled with requests and sent to workers.
        object.__setattr__(self, "params", dict(sorted(self.params.items())))

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        """The query as one would type it, the default values included and those that are off."""
        off = {name: ANY for name in SEARCH_DEFAULTS if name not in self.params}
        return " ".join(shlex.quote(f"{name}={value}") for name, value in sorted((self._filters() | off).items()))

    @property
    def key(self) -> str:
        """16 hex digits that are equal for two queries exactly when they ask for the same."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:KEY_LENGTH]

    @property
    def slug(self) -> str:
        """A file name for the query: what differs from the defaults, in [a-z0-9._-], at most 80 long.

        No two queries share one: whatever cannot be read back from it is marked by the key at its end.

        >>> Query({"taxon_name": "Lynx lynx"} | SEARCH_DEFAULTS).slug
        'taxon_name-lynx-lynx.b7f3a6e4ac3ad608'
        """
        parts = [f"{name}-{value}" for name, value in self._filters().items() if not self._is_default(name)]
        parts += [f"{name}-{ANY}" for name in SEARCH_DEFAULTS if name not in self.params]
        slug = ".".join(parts) or "everything"
        # A dot inside a part would read like the dot between two parts.
        if len(slug) <= SLUG_LENGTH and all(re.fullmatch("[a-z0-9_-]+", part) for part in parts):
            return slug
        readable = re.sub("[^a-z0-9._-]+", "-", slug.lower())[: SLUG_LENGTH - KEY_LENGTH - 1]
        return f"{readable.rstrip('.-')}.{self.key}"

    @property
    def url(self) -> str:
        """The same search on the website, with the site's hidden filters switched off."""
        unhidden = {name: ANY for name in PAGE_DEFAULTS if name not in self.params}
        return "https://www.inaturalist.org/observations?" + urlencode(self._filters() | unhidden)

    def to_dict(self) -> dict[str, object]:
        """The query as JSON values, for the store."""
        return {"params": dict(self.params), "id_above": self.id_above, "id_below": self.id_below}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """The query that `to_dict` wrote.

        >>> Query.from_dict(Query({"q": "albino"}, id_above=5).to_dict())
        Query(params={'q': 'albino'}, id_above=5, id_below=None)
        """
        return cls(
            cast(Mapping[str, str], values["params"]),
            cast(int, values["id_above"]),
            cast("int | None", values["id_below"]),
        )

    def _filters(self) -> dict[str, str]:
        bounds = {"id_above": self.id_above or None, "id_below": self.id_below}
        return dict(self.params) | {name: str(bound) for name, bound in bounds.items() if bound is not None}

    def _is_default(self, name: str) -> bool:
        return name in SEARCH_DEFAULTS and self.params[name] == SEARCH_DEFAULTS[name]


@dataclass(frozen=True)
class FetchOptions:
    """How the answer to a query is fetched. None of it changes which mirror a query belongs to."""

    output: str | None = None
    images: Images = "first"
    sizes: tuple[str, ...] = ("square", "medium", "original")
    limit: int | None = None
    per_page: int = 200
    audit: Literal["auto", "always"] = "auto"
    keep_gone: bool = False
    wait: bool = False
    repair: bool = False
    private: bool = False
    image_licenses: tuple[str, ...] | None = None
    publish: tuple[str, ...] = DEFAULT_FORMATS

    @property
    def wants(self) -> Wants:
        """The files that are wanted."""
        return Wants(self.images, self.sizes, self.image_licenses)


def as_arguments(query: Query) -> dict[str, str]:
    """Spider arguments that ask for this query, whatever the defaults are.

    >>> as_arguments(Query({"place_id": "1", "rank": "species"}, id_above=5))
    {'place_id': '1', 'rank': 'species', 'geo': 'any', 'identified': 'any', 'id_above': '5'}
    """
    off = {name: ANY for name in SEARCH_DEFAULTS if name not in query.params}
    bounds = {"id_above": query.id_above or None, "id_below": query.id_below}
    return {**query.params, **off, **{n: str(v) for n, v in bounds.items() if v is not None}}


def parse_arguments(arguments: Mapping[str, object]) -> tuple[Query, FetchOptions]:
    """The query and the fetch options that spider arguments ask for; `ArgumentError` for any mistake.

    >>> query, options = parse_arguments({"place_id": "128892", "rank": "any", "images": "all"})
    >>> dict(query.params), options.images
    ({'geo': 'true', 'identified': 'true', 'place_id': '128892'}, 'all')
    """
    checked = check_arguments(arguments)
    for name, value in names_in(arguments).items():
        raise ArgumentError(name, f"the `crawl` command asks for names; here give `{KINDS[name].target}`", value)
    return checked


def check_arguments(arguments: Mapping[str, object]) -> tuple[Query, FetchOptions]:
    """The same while names still have to be asked for: all is checked, and what a name stands for has the id 1."""
    typed = {name: check_argument(name, value) for name, value in arguments.items() if name not in IGNORED}
    page = read_page(typed.pop("url")) if "url" in typed else None
    shown = shown_by(page, typed) if page is not None else {}
    typed = ids_for_names(typed)
    options = {name: value for name, value in typed.items() if name in FETCHING}
    asked = shown | {name: value for name, value in typed.items() if name not in FETCHING}
    defaults = SEARCH_DEFAULTS if page is None else PAGE_DEFAULTS
    params = {n: v for n, v in (contextual_defaults(asked, defaults) | asked).items() if v != ANY}
    try:
        check_together(params)
    except ArgumentError as error:
        raise error if page is None else page.blame(error) from None
    if options.get("everything", DEFAULTS["everything"]) != "true":
        check_filtered(asked, defaults)
    return make_query(params), make_options(options)


def ids_for_names(typed: Mapping[str, str]) -> dict[str, str]:
    """Checked arguments with `place_id` for `place`, and so on. Raises ArgumentError where both are given.

    >>> ids_for_names({"taxon": "47459", "limit": "5"})
    {'taxon_id': '47459', 'limit': '5'}
    """
    renamed: dict[str, str] = {}
    for name, value in typed.items():
        if name not in KINDS:
            renamed[name] = value
            continue
        target = KINDS[name].target
        if target in typed:
            raise ArgumentError(name, f"`{target}` is given as well", value)
        renamed[target] = value if is_id(value) or value == ANY else "1"
    return renamed


def shown_by(page: Page, typed: Mapping[str, str]) -> dict[str, str]:
    """The page's filters, checked. Raises ArgumentError also for one that is asked for besides the url."""
    for name, value in typed.items():
        if (KINDS[name].target if name in KINDS else name) in page.params:
            raise ArgumentError(name, "stands in the url as well", value)
    checked = {}
    for name, value in page.params.items():
        try:
            checked[name] = check_argument(name, value)
        except ArgumentError as error:
            raise refusal(page.spelled.get(name, name), error.rule, error.value) from None
    return checked


def check_argument(name: str, value: object) -> str:
    """The canonical text of one argument; `any` stays `any`.

    >>> check_argument("taxon_id", "47126, 3")
    '3,47126'
    """
    typed = as_text(name, value)
    if name in REFUSED:
        raise ArgumentError(name, f"not accepted: {REFUSED[name]}", value)
    if name.startswith(FIELD):
        return check_field(name, typed)
    if name not in ARGUMENTS:
        raise ArgumentError(name, f"unknown; {suggestion(name)}", value)
    if not typed:
        raise ArgumentError(name, "empty; leave the argument out instead", value)
    if typed.lower() == ANY and name not in FETCHING:
        return ANY
    try:
        return ARGUMENTS[name].check(typed)
    except ValueError as rule:
        is_name = (
            name in ("place_id", "taxon_id") and isinstance(value, str) and len(value) > 1 and value[0].isalpha()
        )
        hint = f"; for a name there is `{name.removesuffix('_id')}`" if is_name else ""
        raise ArgumentError(name, f"{rule}{hint}", value) from None


def as_text(name: str, value: object) -> str:
    """The value as typed: schedules also pass numbers, switches and dates.

    >>> as_text("geo", True), as_text("lat", 47.5), as_text("d1", date(2024, 5, 1))
    ('true', '47.5', '2024-05-01')
    """
    typed = str(value).lower() if isinstance(value, bool) else str(value).strip()
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name + typed):
        raise ArgumentError(ascii(name)[1:-1], "has a control character or is not valid Unicode", value)
    if not isinstance(value, str | int | float | date):
        raise ArgumentError(name, "not text, a number, true or false", value)
    return typed


def check_field(name: str, typed: str) -> str:
    """The value of an observation field, whose names are made by users. Empty asks for any value."""
    field = name.removeprefix(FIELD)
    if not field or field != field.strip():
        raise ArgumentError(name, "not an observation field (field:NAME=value, no spaces around NAME)", typed)
    return typed


def suggestion(name: str) -> str:
    """What the user may have meant.

    >>> suggestion("plce_id")
    'did you mean `place_id`?'
    """
    close = get_close_matches(name.lower(), ARGUMENTS, n=1)
    return f"did you mean `{close[0]}`?" if close else "docs/arguments.md lists all names"


def contextual_defaults(asked: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """The defaults for a search, without those that would contradict what is asked.

    >>> contextual_defaults({"hrank": "genus"}, SEARCH_DEFAULTS)
    {'geo': 'true', 'identified': 'true'}
    """
    defaults = dict(defaults)
    given = {name for name, value in asked.items() if value != ANY}
    if given & {"hrank", "lrank"} or asked.get("identified") == "false":
        defaults.pop("rank", None)  # species alone is no range of ranks, and what has no taxon has no rank
    if {"lat", "lng"} <= given:
        defaults["radius"] = "10"  # the API's own; said aloud so that the mirror's identity names it
    return defaults


def check_filtered(asked: Mapping[str, str], defaults: Mapping[str, str]) -> None:
    """Refuse a search that a slip of the keyboard has left with no filter but the defaults."""
    for name, value in asked.items():
        if name not in NAMING and value not in (ANY, SEARCH_DEFAULTS.get(name), defaults.get(name)):
            return
    raise ArgumentError(
        "everything",
        "no filter is given, so it would mirror the whole of iNaturalist: add a place, taxon, user, project, "
        "date or another search argument, or say everything=true",
    )


def make_query(params: Mapping[str, str]) -> Query:
    """The query of checked parameters, its id bounds taken out."""
    bounds = ("id_above", "id_below")
    return Query(
        {name: value for name, value in params.items() if name not in bounds},
        id_above=int(params.get("id_above", 0)),
        id_below=int(params["id_below"]) if "id_below" in params else None,
    )


def make_options(checked: Mapping[str, str]) -> FetchOptions:
    """The fetch options of checked arguments."""
    given = {**DEFAULTS, **checked}
    if "limit" in given and given["audit"] == "always":
        raise ArgumentError(
            "audit", "a limited mirror has nothing to compare; leave out `limit` or this", "always"
        )
    return FetchOptions(
        output=given.get("output"),
        images=cast(Images, given["images"]),
        sizes=tuple(given["sizes"].split(",")),
        limit=int(given["limit"]) if "limit" in given else None,
        per_page=int(given["per_page"]),
        audit=cast(Literal["auto", "always"], given["audit"]),
        keep_gone=given["keep_gone"] == "true",
        wait=given["wait"] == "true",
        repair=given["repair"] == "true",
        private=given["private"] == "true" and given["repair"] != "true",  # which asks for no observations
        image_licenses=allowed_codes(given["image_licenses"]),
        publish=chosen_formats(given["publish"]),
    )
