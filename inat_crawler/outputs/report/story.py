"""The top of the page: what was asked, whether it is complete, what is new, changed, gone, or could not be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inat_crawler.api.pages import SITE
from inat_crawler.api.query import Query
from inat_crawler.store import Store

LISTED = 50
# Parameters of the search in words, in the order in which they are told; others are shown as they are typed.
_SUBJECTS = {
    "taxon_id": "of taxon {}",
    "taxon_name": "of taxon {}",
    "place_id": "in place {}",
    "user_id": "by observer {}",
    "user_login": "by observer {}",
    "project_id": "of project {}",
}
_CONDITIONS = {
    "d1": "made on {} or later",
    "d2": "made on {} or before",
    "quality_grade": "of quality grade {}",
    "rank": "at the rank of {}",
    "geo=true": "with coordinates",
    "identified=true": "identified",
}


@dataclass(frozen=True)
class Entry:
    """An observation in a list; of one that is gone only the id is known."""

    id: int
    name: str | None = None


@dataclass(frozen=True)
class Listed:
    """How many there are, and the first of them."""

    count: int
    entries: Sequence[Entry]

    @property
    def more(self) -> int:
        return max(0, self.count - len(self.entries))


@dataclass(frozen=True)
class Failed:
    """Photo files that could not be had for one reason: how many, and of which observations."""

    reason: str
    files: int
    observations: Listed


@dataclass
class Story:
    """What is told of the last crawl; its moments are UTC, ISO 8601."""

    subject: str
    conditions: str
    query: str
    url: str = ""
    images: str = ""
    sizes: Sequence[str] = ()
    limit: int | None = None
    started_at: str | None = None
    finished_at: str | None = None
    later: str | None = None
    complete: bool = False
    why: str = ""
    first: bool = False
    changes: Mapping[str, Listed] = field(default_factory=dict)
    withdrawn: int = 0
    failures: Sequence[Failed] = ()
    missing: Listed = Listed(0, ())
    malformed: Sequence[tuple[int | None, str]] = ()


def tell(store: Store) -> Story:
    """The story of the last crawl that came to its end, or of the question where none has."""
    account, question = store.whole.last_account(), store.whole.last_question()
    story = _answered(account) if account else _asked(store, question)
    began = story.started_at
    if account and question.get("started_at") not in (None, began):
        story.later = question["started_at"]
    if began:
        # A crawl that was killed after this one stored changes as well: they are new to the reader too.
        story.first = not store.changes.any_before(began)
        story.changes = {} if story.first else _changes(store, began)
    return story


def _answered(account: Mapping[str, Any]) -> Story:
    observations, photos = account["observations"], account["photos"]
    subject, conditions = in_words(account["params"])
    return Story(
        subject=subject,
        conditions=conditions,
        query=account["query"],
        url=account["url"] if account["url"].startswith(f"{SITE}/") else "",
        images=account["images"],
        sizes=account["sizes"],
        limit=account["limit"],
        started_at=account["started_at"],
        finished_at=account["finished_at"],
        complete=account["complete"],
        why=account.get("why") or account["error"] or "",  # accounts of older versions do not tell
        failures=failures(photos["failed"]),
        withdrawn=photos.get("withdrawn", 0),  # accounts of older versions have none
        missing=_listed(observations["missing"]),
        malformed=[(each["id"], each["reason"]) for each in observations["malformed"]],
    )


def _asked(store: Store, question: Mapping[str, Any]) -> Story:
    parts = store.sole_query()
    query = Query(**parts) if parts else None
    subject, conditions = in_words(query.params if query else {})
    return Story(
        subject=subject,
        conditions=conditions,
        query=str(query or ""),
        url=query.url if query else "",
        images=question.get("images") or "",
        sizes=question.get("sizes") or (),
        limit=question.get("limit") or None,
        started_at=question.get("started_at"),
        why="no crawl has come to its end yet",
    )


def failures(failed: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Failed]:
    """The reasons why files could not be had, the most frequent first.

    >>> [(each.files, each.observations.count) for each in failures({"404": [{"observation": 7}] * 3})]
    [(3, 1)]
    """
    found = [Failed(why, len(files), _listed([f["observation"] for f in files])) for why, files in failed.items()]
    return sorted(found, key=lambda each: -each.files)


def _listed(ids: Sequence[int]) -> Listed:
    """Observations of which only the ids are told, each once."""
    each = list(dict.fromkeys(ids))
    return Listed(len(each), [Entry(i) for i in each[:LISTED]])


def _changes(store: Store, moment: str) -> dict[str, Listed]:
    found = store.changes.since(moment, LISTED)
    return {change: Listed(count, _entries(store, ids)) for change, (count, ids) in found.items()}


def _entries(store: Store, ids: Sequence[int]) -> list[Entry]:
    names = {o.id: o.taxon_common_name or o.taxon_name for o in store.observations.read(ids)}
    return [Entry(i, names.get(i)) for i in ids]


def in_words(params: Mapping[str, str]) -> tuple[str, str]:
    """The search as a reader would say it: of what, and on which conditions.

    >>> in_words({"geo": "true", "place_id": "128892", "rank": "species", "hrank": "genus"})
    ('in place 128892', 'at the rank of species, with coordinates, hrank=genus')
    """
    left = dict(params)
    subject, conditions = _told(left, _SUBJECTS), _told(left, _CONDITIONS)
    return " ".join(subject), ", ".join(conditions + [f"{name}={value}" for name, value in left.items()])


def _told(left: dict[str, str], words: Mapping[str, str]) -> list[str]:
    """Take those parameters that there are words for."""
    told = []
    for key, word in words.items():
        name, _, value = key.partition("=")
        if name in left and value in ("", left[name]):
            told.append(word.format(left.pop(name)))
    return told
