"""The comparison of a mirror with the API: counts first, and id by id where these do not agree.

What the API lists and the mirror lacks is noted as missing, for the spider to fetch; what the mirror holds and the
API lists no more gets a tombstone, but only when asking for it by its id confirms that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from inat_crawler.api.paging import MOST_IDS, advance, batches, ids_params, page_params, read_all, read_page
from inat_crawler.api.photos import farewells
from inat_crawler.api.query import FetchOptions, Query
from inat_crawler.api.records import record_id
from inat_crawler.client import ApiClient
from inat_crawler.items import Window
from inat_crawler.store import Store

DELETED, MOVED_OUT = "deleted", "no longer matches the query"
ONLY_ID: Mapping[str, str] = {"only_id": "true"}


class Audit:
    """Compares what the mirror holds, up to the highest id that it has read, with what the API says.

    `asked` is how many observations the API says there are; `gone` the ids that were found to be gone.
    """

    def __init__(self, client: ApiClient, store: Store, query: Query, options: FetchOptions) -> None:
        self.client = client
        self.store = store
        self.query = query
        self.options = options
        self.top = store.windows.top() or query.id_above
        self.asked = 0
        self.gone: list[int] = []
        self.noted: set[int] = set()
        self.audited_at: str | None = None

    async def is_needed(self, days: float) -> bool:
        """Do the counts differ, does the user want it, or is the last audit older than so many days?"""
        self.asked, _ = await self.client.get(
            "/observations", page_params(self.query.params, self.span(), 0), read_page
        )
        nameless = any(i < 0 for i, _ in self.store.missing.all())
        return self.asked != self.held() or nameless or self.options.audit == "always" or self.is_due(days)

    def span(self) -> Window:
        """All that was read: from the query's lower bound up to the highest id."""
        return Window(0, self.query.id_above, self.top + 1)

    def held(self) -> int:
        """How many observations the mirror holds or is known to miss."""
        missing = [i for i, _ in self.store.missing.all()]
        return (
            self.store.observations.count(self.query.id_above, self.top) + len(missing) - len(self.stored(missing))
        )

    def stored(self, ids: Sequence[int]) -> set[int]:
        """Those of these ids that are stored."""
        return {i for batch in batches(ids) for i in self.store.observations.digests(batch)}

    def is_due(self, days: float) -> bool:
        before, now = self.store.standing().audited_at, self.client.first_answer
        if before is None or now is None:
            return True
        return datetime.fromisoformat(now) - datetime.fromisoformat(before) >= timedelta(days=days)

    async def run(self) -> None:
        """Compare all ids, page by page: each lists all there is between its lowest id and the page before."""
        self.store.missing.forget_nameless()
        self.asked, self.audited_at = 0, self.client.first_answer
        window, suspects = self.span(), list[int]()
        while not window.done:
            after, ids = await self.listing(window)
            above = after.cursor - 1 if not after.done and after.cursor else window.id_above
            below = window.cursor or self.top + 1
            suspects += sorted(self.store.observations.ids_between(above, below) - ids, reverse=True)
            while len(suspects) >= MOST_IDS:
                await self.examine(suspects[:MOST_IDS])
                suspects = suspects[MOST_IDS:]
            self.note_missing(ids)
            window = after
        if suspects:
            await self.examine(suspects)

    async def listing(self, window: Window) -> tuple[Window, set[int]]:
        """The next page of ids."""

        def read(body: bytes) -> tuple[Window, list[Any]]:
            total, results = read_page(body)
            return advance(window, total, results), results

        params = page_params({**self.query.params, **ONLY_ID}, window, MOST_IDS)
        after, results = await self.client.get("/observations", params, read)
        ids = {i for i in map(record_id, results) if i is not None}
        self.asked += len(ids)
        return after, ids

    def note_missing(self, ids: set[int]) -> None:
        """Note what is listed and neither stored nor known to be missing."""
        new = ids - self.stored(list(ids))
        if new := new and new - set(self.store.missing.ids()):
            self.store.missing.note_listed(new)
            self.noted |= new

    async def examine(self, suspects: Sequence[int]) -> None:
        """Ask by their ids for observations that were not listed, and bury those that the query does not find."""
        matching = await self.ids_found(self.query.params, suspects)
        self.asked += len(matching)
        lost = [i for i in suspects if i not in matching]
        if not lost:
            return
        there = await self.ids_found({}, lost)
        reasons = {i: MOVED_OUT if i in there else DELETED for i in lost}
        moves = [] if self.options.keep_gone else farewells(self.store.files.of_each(lost))
        self.store.bury(reasons, moves, self.options.keep_gone)
        self.gone += lost

    async def ids_found(self, search: Mapping[str, str], ids: Sequence[int]) -> set[int]:
        results = await self.client.get("/observations", ids_params({**search, **ONLY_ID}, ids), read_all)
        return {i for i in map(record_id, results) if i is not None}

    def finish(self) -> None:
        """Note how the mirror stands, when what was missing has been asked for."""
        stored, missing = self.stored(list(self.noted)), set(self.store.missing.ids())
        self.asked -= len(self.noted - stored - missing)  # vanished since they were listed
        standing = {"asked": self.asked, "reconciled": self.asked == self.held()}
        self.store.note_standing(**standing, **({"audited_at": self.audited_at} if self.audited_at else {}))
