"""What an archive says of itself as a whole: what was asked and got, where, when, and under which licenses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inat_crawler import __version__
from inat_crawler.api.coordinates import Cell, cell, point
from inat_crawler.api.licenses import license_name, license_url
from inat_crawler.api.pages import SITE
from inat_crawler.api.query import Query
from inat_crawler.items import Observation
from inat_crawler.outputs.darwin_core.multimedia import Picture
from inat_crawler.outputs.darwin_core.occurrence import event_date
from inat_crawler.store import Store


@dataclass
class Dataset:
    """Counts and extents of all that was written; it grows with each observation and keeps none."""

    observations: int = 0
    photos: int = 0
    licenses: Counter[str] = field(default_factory=Counter)
    photo_licenses: Counter[str] = field(default_factory=Counter)
    box: Cell | None = None
    days: tuple[str, str] | None = None

    def add(self, observation: Observation, shown: Sequence[Picture]) -> None:
        """Count an observation and its photos in."""
        self.observations += 1
        self.photos += len(shown)
        self.licenses[(observation.license_code or "").lower()] += 1
        self.photo_licenses.update((picture.photo.license_code or "").lower() for picture in shown)
        self.box = _around(self.box, _extent(observation))
        day = (event_date(observation) or "")[: len("YYYY-MM-DD")]
        if day:
            first, last = self.days or (day, day)
            self.days = min(first, day), max(last, day)

    @property
    def rights(self) -> str:
        """Under which licenses the observations and the photos stand."""
        return f"Observations: {shares(self.licenses) or 'none'}. Photos: {shares(self.photo_licenses) or 'none'}."


def shares(counts: Mapping[str, int]) -> str:
    """How many stand under each license, by its code; the most frequent first.

    >>> shares({"cc-by": 2, "": 1200})
    '1,200 all rights reserved, 2 CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)'
    """
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{n:,} {license_name(code)} {_bracketed(license_url(code))}".strip() for code, n in ordered)


def _bracketed(text: str) -> str:
    return f"({text})" if text else ""


def _extent(observation: Observation) -> Cell | None:
    """Where it may have been made: in its cell if it is obscured, else at its point."""
    here = point(observation)
    return cell(observation) or (Cell(here[0], here[1], here[0], here[1]) if here else None)


def _around(one: Cell | None, other: Cell | None) -> Cell | None:
    """The smallest box that holds both.

    >>> _around(Cell(38.0, -9.0, 38.0, -9.0), Cell(39.0, -10.0, 39.2, -9.8))
    Cell(south=38.0, west=-10.0, north=39.2, east=-9.0)
    """
    if one is None or other is None:
        return one or other
    return Cell(
        min(one.south, other.south),
        min(one.west, other.west),
        max(one.north, other.north),
        max(one.east, other.east),
    )


def question(store: Store) -> dict[str, Any]:
    """What the mirror was asked and when, as eml.xml tells it; the moment is empty before the first crawl."""
    account, started_at = store.whole.last_account(), store.whole.last_question().get("started_at")
    query, url = _query(store, account or {})
    return {
        "query": query,
        "url": url,
        "started_at": started_at,
        "standing": standing(account if account and account.get("started_at") == started_at else None),
        "version": __version__,
    }


def _query(store: Store, account: Mapping[str, Any]) -> tuple[str, str]:
    """The query as one would type it, and the same search on the website."""
    if account.get("query") and account.get("url"):
        return account["query"], account["url"]
    parts = store.sole_query()
    if parts is None:  # one mirror of several in a database, of which no crawl has ended
        return "unknown", f"{SITE}/observations"
    query = Query.from_dict(parts)
    return str(query), query.url


def standing(account: Mapping[str, Any] | None) -> str:
    """How complete the mirror was after its last crawl, by its account; None: it has not ended.

    >>> standing({"complete": True, "observations": {"stored": 1200, "asked": 1200}})
    'The mirror was complete after the last crawl, with 1,200 of 1,200 observations.'
    >>> standing({"complete": False, "observations": {"stored": 12, "asked": None}, "limited": True})
    'The mirror was NOT complete after the last crawl, with the newest 12 of an unknown number of observations.'
    """
    if account is None:
        return "The last crawl has not come to its end: observations and photos may be missing."
    counts = account.get("observations") or {}
    asked = "an unknown number of" if counts.get("asked") is None else f"{counts['asked']:,}"
    newest = "the newest " if account.get("limited") else ""
    complete = "complete" if account.get("complete") else "NOT complete"
    held = f"{newest}{counts.get('stored', 0):,} of {asked} observations"
    return f"The mirror was {complete} after the last crawl, with {held}."
