"""Names as people type them, and the candidates that the API has for one: which of them is meant.

What asks the API is `lookup`. All text of candidates is made by users.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inat_crawler.api.paging import read_page
from inat_crawler.api.texts import printable
from inat_crawler.errors import AmbiguousError, ArgumentError, PageError

ANY = "any"
LISTED = 30  # candidates asked for; the most that every autocomplete gives


@dataclass(frozen=True)
class Kind:
    """One kind of thing that has a name: how an argument names it, and how the API does.

    `exact` are the keys of a record whose text is its own name, in tiers: the first tier that fits decides.
    `columns` are what tells two of one name apart: heading -> key of a record.
    """

    argument: str
    target: str
    path: str
    label: tuple[str, ...]
    exact: tuple[tuple[str, ...], ...]
    columns: Mapping[str, str]
    has_slugs: bool = True


KINDS: Mapping[str, Kind] = {
    kind.argument: kind
    for kind in (
        Kind(
            "place",
            "place_id",
            "/places",
            ("display_name", "name"),
            (("name", "display_name", "slug"),),
            {"name": "name", "display name": "display_name", "slug": "slug"},
        ),
        Kind(
            "taxon",
            "taxon_id",
            "/taxa",
            ("name",),
            (("name",), ("preferred_common_name",)),
            {
                "name": "name",
                "rank": "rank",
                "common name": "preferred_common_name",
                "group": "iconic_taxon_name",
                "observations": "observations_count",
            },
            has_slugs=False,
        ),
        Kind(
            "user",
            "user_id",
            "/users",
            ("login",),
            (("login",), ("name",)),
            {"login": "login", "name": "name", "observations": "observations_count"},
        ),
        Kind(
            "project",
            "project_id",
            "/projects",
            ("title",),
            (("title", "slug"),),
            {"title": "title", "slug": "slug", "kind": "project_type"},
        ),
    )
}


@dataclass(frozen=True)
class Candidate:
    """One record of an autocomplete. `values` are its kind's columns, `tiers` its own names, folded."""

    id: int
    label: str
    values: Mapping[str, str | int]
    tiers: tuple[frozenset[str], ...] = field(default=(), repr=False)

    def to_dict(self) -> dict[str, object]:
        """Id and values, for machines."""
        return {"id": self.id, **{heading.replace(" ", "_"): value for heading, value in self.values.items()}}


@dataclass(frozen=True)
class Found:
    """The candidates for a name, and how many there are altogether."""

    candidates: tuple[Candidate, ...]
    total: int


def fold(text: str) -> str:
    """How names are compared: without case, accents and the width of spaces.

    >>> fold("  Setúbal,  PT") == fold("SETUBAL, pt")
    True
    """
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).casefold().split())


def names_in(arguments: Mapping[str, object]) -> dict[str, str]:
    """The arguments whose names the API has to be asked for.

    >>> names_in({"place": "Sesimbra", "taxon": "47459", "rank": "any"})
    {'place': 'Sesimbra'}
    """
    texts = {name: str(arguments[name]).strip() for name in KINDS if name in arguments}
    return {name: text for name, text in texts.items() if not is_id(text) and text.lower() != ANY}


def with_ids(arguments: Mapping[str, str], ids: Mapping[str, int]) -> dict[str, str]:
    """The arguments with ids in the place of names.

    >>> with_ids({"place": "Sesimbra", "limit": "5"}, {"place": 7})
    {'limit': '5', 'place_id': '7'}
    """
    kept = {name: value for name, value in arguments.items() if name not in ids}
    return kept | {KINDS[name].target: str(number) for name, number in ids.items()}


def is_id(text: str) -> bool:
    return text.isascii() and text.isdigit()


def read_found(kind: Kind, body: bytes) -> Found:
    """The candidates of an answer. Raises PageError for one that is not what the API promises."""
    total, results = read_page(body)
    return Found(tuple(read_candidate(kind, record) for record in results), max(total, len(results)))


def read_candidate(kind: Kind, record: Any) -> Candidate:
    # Leaving out what cannot be read might make one of two homonyms look like the only one.
    if not isinstance(record, dict) or type(record.get("id")) is not int or record["id"] < 1:
        raise PageError(f"a record of {kind.path} has no id: {record!r:.80}")

    def text(key: str) -> str:
        value = record.get(key)
        return "" if value is None else str(value)

    label = next((text(key) for key in kind.label if text(key)), str(record["id"]))
    tiers = tuple(frozenset(fold(text(key)) for key in keys if text(key)) for keys in kind.exact)
    values = {h: record[k] if type(record.get(k)) is int else text(k) for h, k in kind.columns.items()}
    return Candidate(record["id"], label, values, tiers)


def exact(found: Found, name: str) -> Sequence[Candidate]:
    """Those whose own name is what was typed, of the first tier in which there are any."""
    for tier in zip(*(candidate.tiers for candidate in found.candidates), strict=True):
        if equal := [c for c, names in zip(found.candidates, tier, strict=True) if fold(name) in names]:
            return equal
    return ()


def choose(kind: Kind, name: str, found: Found) -> Candidate:
    """The one that is meant: whose own name it is, or the only one. Raises ArgumentError if there is none such."""
    fitting = exact(found, name)
    if len(fitting) == 1:
        return fitting[0]
    if not fitting and found.total == 1 and found.candidates:
        return found.candidates[0]
    if not found.candidates:
        raise ArgumentError(kind.argument, "iNaturalist knows none of this name", name)
    unseen = found.total - len(found.candidates)  # more of them may fit
    listed = Found(tuple(fitting), len(fitting) + unseen) if fitting else found
    many = f"{len(fitting)}{' or more' if unseen else ''}" if fitting else f"{found.total}"
    rule = f"{many} fit; name one by its id, as {kind.target}={listed.candidates[0].id}"
    raise AmbiguousError(kind.argument, rule, name, "\n".join(table(kind, listed)))


def chosen(kind: Kind, name: str, candidate: Candidate) -> str:
    """What was made of a name, in one line."""
    return f'{kind.argument} "{name}" is {candidate.id}: {printable(candidate.label)}'


def table(kind: Kind, found: Found) -> list[str]:
    """The candidates as lines of aligned columns."""
    rows: list[tuple[str | int, ...]] = [("id", *kind.columns)]
    rows += [(c.id, *c.values.values()) for c in found.candidates]
    lines = aligned([[printable(str(cell)) for cell in row] for row in rows])
    missing = found.total - len(found.candidates)
    return [*lines, f"... and {missing} more: say more of the name"] if missing else lines


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with each column as wide as its widest cell.

    >>> aligned([["id", "name"], ["7122", "Portugal"]])
    ['id    name', '7122  Portugal']
    """
    widths = [max(map(columns, cells)) for cells in zip(*rows, strict=True)]
    return ["  ".join(padded(row, widths)).rstrip() for row in rows]


def padded(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    return (cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True))


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: Chinese characters take two, combining accents none."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def as_json(found: Found) -> dict[str, object]:
    """The candidates for machines."""
    return {"total": found.total, "results": [candidate.to_dict() for candidate in found.candidates]}
