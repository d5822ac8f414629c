"""One search of `/v1/observations`: its parameters checked, its order, its window, its page of entries."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from standin.catalog import Record, find
from standin.entries import Entry
from standin.filters import Params, build, values
from standin.world import World

WINDOW = 10_000
WINDOW_ERROR = (
    "Result window is too large, page x size must be less than or equal to [10000]. "
    "Please narrow your search, or use a sliding window approach with id_above or id_below params."
)
PAGING = {"page", "per_page", "order", "order_by", "id_above", "id_below", "only_id", "locale", "ttl"}
KEPT_QUERIES = 64

Key = Callable[[Entry], object]
KEYS: dict[str, Key] = {
    "created_at": lambda e: e.created,
    "updated_at": lambda e: e.updated,
    "observed_on": lambda e: e.record.get("time_observed_at") or e.record.get("observed_on"),
    "species_guess": lambda e: (e.record.get("species_guess") or "").lower() or None,
    "votes": lambda e: e.record.get("cached_votes_total") or 0,
    "geo_score": lambda e: e.record.get("geo_score"),
}


class ApiError(Exception):
    """Answered as `{"error": message, "status": status}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Found:
    """One page: the entries on it and the count of everything that the query and its bounds match."""

    entries: list[Entry]
    total: int
    page: int
    per_page: int


@dataclass(frozen=True)
class Ranking:
    """All matching ids in one order; `groups` tells rows that tie, which come in no promised order."""

    ids: list[int]
    groups: list[object]

    def page(self, start: int, stop: int, rng: random.Random) -> list[int]:
        """The rows from `start` to `stop`, every group of ties shuffled anew."""
        stop = min(stop, len(self.ids))
        if start >= stop:
            return []
        first, last = start, stop
        while first and self.groups[first - 1] == self.groups[start]:
            first -= 1
        while last < len(self.ids) and self.groups[last] == self.groups[stop - 1]:
            last += 1
        rows = [(self.groups[i], rng.random(), self.ids[i]) for i in range(first, last)]
        order = {group: i for i, group in enumerate(dict.fromkeys(self.groups[first:last]))}
        rows.sort(key=lambda row: (order[row[0]], row[1]))
        return [row[2] for row in rows[start - first : stop - first]]


class Searcher:
    """Answers searches; sorted ids are kept per query for as long as the index stays as it is."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._rng = random.Random(f"{seed}/ties")
        self._version = -1
        self._ids: dict[object, list[int]] = {}
        self._rankings: dict[object, Ranking] = {}

    def search(self, params: Params) -> Found:
        per_page, page = sizes(params)
        if page * per_page > WINDOW:
            raise ApiError(403, WINDOW_ERROR)
        above, below = bound(params, "id_above"), bound(params, "id_below")
        self._check_references(params)
        ids = self.matching(params)
        ids = ids[bisect_right(ids, above) if above is not None else 0 :]
        ids = ids[: bisect_left(ids, below)] if below is not None else ids
        start = (page - 1) * per_page
        shown = self._page(ids, params, start, start + per_page)
        return Found([self._world.index[number] for number in shown], len(ids), page, per_page)

    def matching(self, params: Params) -> list[int]:
        """All ids that match the filters, ascending, whatever the page."""
        self._world.settle()
        if self._version != self._world.version or len(self._ids) + len(self._rankings) > KEPT_QUERIES:
            self._version = self._world.version
            self._ids.clear()
            self._rankings.clear()
        key = filter_key(params)
        if key not in self._ids:
            test = build(params)
            self._ids[key] = sorted(number for number, entry in self._world.index.items() if test(entry))
        return self._ids[key]

    def _page(self, ids: list[int], params: Params, start: int, stop: int) -> list[int]:
        descending = params.get("order") != "asc"
        order_by = params.get("order_by", "created_at")
        if order_by == "id":
            return (ids[::-1] if descending else ids)[start:stop]
        if order_by == "random":
            return self._rng.sample(ids, len(ids))[start:stop]
        order_by = order_by if order_by in KEYS else "created_at"
        key = (filter_key(params), params.get("id_above"), params.get("id_below"), order_by, descending)
        if key not in self._rankings:
            self._rankings[key] = self._rank(ids, KEYS[order_by], descending)
        return self._rankings[key].page(start, stop, self._rng)

    def _rank(self, ids: list[int], key: Key, descending: bool) -> Ranking:
        """Sorted by the key; rows without one come last in either direction."""
        keyed = [(key(self._world.index[number]), number) for number in ids]
        known = [row for row in keyed if row[0] is not None]
        known.sort(key=lambda row: row[0], reverse=descending)  # type: ignore[arg-type, return-value]
        rows = known + [row for row in keyed if row[0] is None]
        return Ranking([row[1] for row in rows], [row[0] for row in rows])

    def _check_references(self, params: Params) -> None:
        catalog = self._world.catalog
        if any(not value.isdigit() for value in named(params, "place_id")):
            raise ApiError(500, "Error")
        known(params, "place_id", catalog.places, "slug")
        known(params, "taxon_id", catalog.taxa, "")
        known(params, "project_id", catalog.projects, "slug")
        if any(not value.isdigit() for value in named(params, "user_id")):
            known(params, "user_id", catalog.users, "login")
        for project in [v for v in named(params, "project_id") if not v.isdigit()]:
            row = find(catalog.projects, project, "slug")[0]
            params["project_id"] = params["project_id"].replace(project, str(row["id"]))


def sizes(params: Params) -> tuple[int, int]:
    """`per_page`, clamped to 200, and `page`; nonsense gives the default of each."""
    per_page, page = whole(params.get("per_page")), whole(params.get("page"))
    per_page = 30 if per_page is None or per_page < 0 else min(per_page, 200)
    return per_page, page if page and page > 0 else 1


def whole(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None


def bound(params: Params, name: str) -> int | None:
    if not params.get(name):
        return None
    number = whole(params[name])
    if number is None:
        raise ApiError(500, "Error")
    return number


def named(params: Params, name: str) -> list[str]:
    """The values of a reference; an empty one and `any` ask for nothing."""
    found = values(params.get(name, ""))
    return [] if found[:1] == ["any"] else found


def known(params: Params, name: str, rows: dict[int, Record], key: str) -> None:
    """Refuse a reference that nobody knows; of a list, one known member is enough."""
    found = named(params, name)
    if found and not any(find(rows, value, key) for value in found):
        listed = params[name] if len(found) == 1 else f"[{params[name]}]"
        raise ApiError(422, f"Unknown {name} {listed}")


def filter_key(params: Params) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in params.items() if name not in PAGING))
