"""The API: searches, observations by id, and the look-ups of places, taxa, users and projects."""

from __future__ import annotations

import random
import re
from collections import deque
from dataclasses import dataclass, field

import orjson

from standin.catalog import Record, complete, find
from standin.clock import Clock
from standin.entries import Page, page_of, plain_page
from standin.filters import Params, values
from standin.generate import Generator
from standin.interference import Interference
from standin.search import ApiError, Searcher, sizes
from standin.world import World

CACHE_SECONDS = 3600
MINUTE = 60
# A query with one of these is never answered from the cache.
FRESH = ("id_above", "id_below", "updated_since")
SLUG = re.compile(r"^[0-9a-zá_,-]*[0-9a-zá_-]$")
# Route: the key beside the id, the fields that autocomplete searches, its default page size.
LOOKUPS: dict[str, tuple[str, tuple[str, ...], int]] = {
    "places": ("slug", ("name", "display_name"), 10),
    "taxa": ("", ("name", "preferred_common_name"), 10),
    "users": ("login", ("login", "name"), 5),
    "projects": ("slug", ("title", "slug"), 10),
}


@dataclass
class RateLimit:
    """At most `allowed` requests in any 60 seconds, refused ones counted; None allows all."""

    clock: Clock
    allowed: int | None = None
    retry_after: str | None = None
    _times: deque[float] = field(default_factory=deque)

    def exceeded(self) -> bool:
        now = self.clock.now()
        while self._times and self._times[0] <= now - MINUTE:
            self._times.popleft()
        self._times.append(now)
        return self.allowed is not None and len(self._times) > self.allowed

    def set(self, allowed: int | None, retry_after: str | None) -> None:
        self.allowed, self.retry_after = allowed, retry_after
        self._times.clear()


class Api:
    """Path and parameters in, page out; every refusal is an `ApiError`."""

    def __init__(self, world: World, searcher: Searcher, generator: Generator, seed: int) -> None:
        self.world = world
        self.searcher = searcher
        self.generator = generator
        self.interference = Interference()
        self._rng = random.Random(f"{seed}/interference")
        self._cache: dict[str, tuple[float, Page]] = {}

    def answer(self, path: str, query: str, params: Params, authorized: bool) -> Page:
        """`query` is the address as it was asked: the cache goes by its very text."""
        parts = path.removeprefix("/v1/").rstrip("/").split("/")
        if parts == ["observations"]:
            return self._search(query, params, authorized)
        if len(parts) == 2 and parts[0] == "observations":
            return self._by_ids(parts[1], params, authorized)
        if len(parts) == 2 and parts[0] in LOOKUPS:
            return self._look_up(parts[0], parts[1], params)
        raise ApiError(404, "Not Found")

    def _search(self, query: str, params: Params, authorized: bool) -> Page:
        self.interference.strike(self.world, self.searcher, self.generator, self._rng)
        plain = not authorized and not any(name in params for name in FRESH) and sizes(params)[1] == 1
        now = self.world.clock.now()
        if plain and query in self._cache and self._cache[query][0] > now:
            return self._cache[query][1]
        page = self._find(params, authorized)
        if plain:
            self._cache[query] = (now + CACHE_SECONDS, page)
        return page

    def _find(self, params: Params, authorized: bool) -> Page:
        found = self.searcher.search(params)
        if params.get("only_id") == "true":
            ids = b",".join(b'{"id":%d}' % entry.id for entry in found.entries)
            head = page_of([], found.total, found.page, found.per_page).plain.removesuffix(b"]}")
            return Page(head + ids, [])
        parts = [entry.part(authorized) for entry in found.entries]
        return page_of(parts, found.total, found.page, found.per_page)

    def _by_ids(self, text: str, params: Params, authorized: bool) -> Page:
        if text == "deleted":
            return self._deleted(authorized)
        if not re.fullmatch(r"[0-9,]*[0-9]", text):
            raise ApiError(422, "invalid ID")
        numbers, (per_page, _) = [int(value) for value in values(text)], sizes(params)
        if len(numbers) > per_page:
            raise ApiError(422, "Too many IDs")
        self.world.settle()
        entries = [self.world.index[n] for n in dict.fromkeys(numbers) if n in self.world.index]
        return page_of([entry.part(authorized) for entry in entries], len(entries), 1, per_page)

    def _deleted(self, authorized: bool) -> Page:
        """The caller's own deletions, of which there are none here."""
        if not authorized:
            raise ApiError(401, "Unauthorized")
        return plain_page([], 30)

    def _look_up(self, kind: str, text: str, params: Params) -> Page:
        key, fields, default = LOOKUPS[kind]
        rows: dict[int, Record] = getattr(self.world.catalog, kind)
        per_page = sizes(params)[0] if params.get("per_page") else default
        if text == "autocomplete":
            return plain_page(complete(rows, params["q"], fields) if params.get("q") else [], per_page)
        if kind in ("places", "taxa") and not (SLUG.match(text) if key else re.fullmatch(r"[\d,]*\d", text)):
            raise ApiError(422, "invalid ID")
        found = [row for value in values(text) for row in find(rows, value, key)]
        if kind == "users" and not found:
            raise ApiError(404, "User does not exist")
        return plain_page(found, max(per_page, len(found)))


def error_page(error: ApiError) -> Page:
    return Page(orjson.dumps({"error": error.message, "status": error.status}), [], b"")
