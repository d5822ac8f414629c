"""The account of a crawl: what was got, what is missing, whether that is complete. Values in, values out."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from inat_crawler.api.texts import printable
from inat_crawler.budget.forecast import duration
from inat_crawler.budget.limits import shown
from inat_crawler.items import Wants
from inat_crawler.store import LISTED, Store

COMPLETE, COULD_NOT_START, INCOMPLETE = 0, 1, 3


def count_all(store: Store, stats: Mapping[str, Any], wants: Wants, since: str) -> dict[str, Any]:
    """The numbers of the account: observations, photos and requests."""
    windows, standing, missing = store.windows.all(), store.standing(), store.missing.all()
    totals = [w.total for w in windows if w.total is not None]
    counted = standing.asked if standing.reconciled else sum(totals) if totals else None
    return {
        "observations": {
            "asked": counted,
            "stored": store.observations.count(),
            **{c: stats.get(f"inat/observations/{c}", 0) for c in ("new", "changed", "unchanged", "gone")},
            "read_to_the_end": store.windows.finished(),
            "reconciled": standing.reconciled,
            "missing": [i for i, _ in missing if i > 0],
            "malformed": [{"id": i if i > 0 else None, "reason": why} for i, why in missing if why != LISTED],
        },
        "photos": count_photos(store, wants, since) | {"withdrawn": stats.get("inat/photos/withdrawn", 0)},
        "requests": {
            "api": stats.get("inat/requests/api", 0),
            "photos": stats.get("inat/requests/photos", 0),
            "bytes_received": stats.get("downloader/response_bytes", 0),
        },
    }


def count_photos(store: Store, wants: Wants, since: str) -> dict[str, Any]:
    """Files of the mirror: wanted = downloaded + copied (since then) + already there + missing."""
    wanted, had = store.files.count_wanted(wants), store.files.count_had(wants, since)
    return {
        "wanted": wanted,
        **{status: had.get(status, 0) for status in ("downloaded", "copied", "already_there")},
        "missing": wanted - sum(had.values()),
        "failed": failures(store),
    }


def failures(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Files that could not be had, by reason, each with its observation, photo and size."""
    by_reason: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for observation_id, photo_id, file in store.files.not_had():
        entry = {"observation": observation_id, "photo": photo_id, "size": file.size}
        by_reason[file.reason or file.status].append(entry)
    return dict(by_reason)


def is_complete(got: Mapping[str, Any], limit: int, stats: Mapping[str, Any]) -> bool:
    """All that was asked for is there: what the API counts or as much as the limit says, and every photo."""
    observations = got["observations"]
    if limit:
        all_there = observations["stored"] >= limit or observations["read_to_the_end"]
    else:
        all_there = observations["reconciled"] and observations["stored"] == observations["asked"]
    nothing_missing = not observations["missing"] + observations["malformed"] and not got["photos"]["missing"]
    feeds_written = not any(name.startswith("feedexport/failed_count/") for name in stats)
    no_trouble = not stats.keys() & {"inat/error", "inat/defect"} and stats.get("finish_reason") == "finished"
    return all_there and nothing_missing and feeds_written and no_trouble


def exit_status(complete: bool, got: Mapping[str, Any], stats: Mapping[str, Any]) -> int:
    """0 complete; 1 when the API refused the query and nothing is stored; 3 for all else."""
    if complete:
        return COMPLETE
    refused = stats.get("inat/query_refused") and not got["observations"]["stored"]
    return COULD_NOT_START if refused else INCOMPLETE


def summary(account: Mapping[str, Any]) -> str:
    """The account in one line.

    >>> got = {"observations": {"stored": 12, "asked": 12, "new": 3, "changed": 0, "gone": 1}, "seconds": 71.3}
    >>> got["photos"] = {"downloaded": 9, "copied": 0, "already_there": 27, "missing": 0, "withdrawn": 0}
    >>> got["requests"] = {"api": 5, "photos": 9, "bytes_received": 51_300}
    >>> print(summary({"complete": True, "output": "/x", "limited": False, **got}))
    complete: 12 of 12 observations (3 new, 0 changed, 1 gone); photo files: 9 fetched, 27 had, 0 missing; \
1 min 11 s, 51.3 kB received; /x
    """
    photos = account["photos"]
    told = (
        f"{heading(account)} ({changes(account)}); "
        f"photo files: {photos['downloaded'] + photos['copied']} fetched, {photos['already_there']} had, "
        f"{photos['missing']} missing{withdrawn(photos)}; {effort(account)}; "
    )
    if account["complete"]:
        return f"{told}{account['output']}"
    why = account.get("error") or account["output"]
    return f"{told}{why}; crawl.json tells what is missing, the same command goes on from here"


def block(account: Mapping[str, Any], width: int = 80) -> str:
    """The account in a few lines, for whoever watched the crawl: what came of it, and what to do next."""
    photos, requests = account["photos"], account["requests"]
    fetched = photos["downloaded"] + photos["copied"]
    asked = f"requests: {requests['api']:,} to the API, {requests['photos']:,} for photos"
    rows = {
        "this run": changes(account),
        "photo files": f"{fetched:,} fetched, {photos['already_there']:,} had before, {missing_files(photos)}",
        "it took": f"{effort(account)}; {asked}",
        "it lies in": account["output"] if account["exit_status"] != COULD_NOT_START else "",
        "why": account["why"] or "",
        "next": next_step(account),
    }
    return "\n".join([heading(account), *(row(name, text, width) for name, text in rows.items() if text)])


def row(name: str, text: str, width: int) -> str:
    """A row of the block, in as many lines as it takes; a path stays in one piece.

    >>> print(row("next", "the same command goes on", 32))
      next         the same command
                   goes on
    """
    return textwrap.fill(
        " ".join(printable(text).split()),
        width,
        initial_indent=f"  {name:<13}",
        subsequent_indent=" " * 15,
        break_long_words=False,
        break_on_hyphens=False,
    )


def heading(account: Mapping[str, Any]) -> str:
    """Is it complete, and how many observations of how many are there?"""
    observations = account["observations"]
    asked = "an unknown number of" if observations["asked"] is None else f"{observations['asked']:,}"
    stored, lacks = f"{observations['stored']:,}", account["photos"]["missing"]
    newest = "the newest " if account["limited"] and stored not in ("0", asked) else ""
    if account["complete"]:
        if not observations["stored"] and not account["limited"]:
            return "complete: the query matches no observation"
        return f"complete: {newest}{stored} of {asked} observations"
    files = f", {lacks:,} photo file{'' if lacks == 1 else 's'} missing" if lacks else ""
    return f"NOT complete: {newest}{stored} of {asked} observations{files}"


def changes(account: Mapping[str, Any]) -> str:
    return ", ".join(f"{account['observations'][change]} {change}" for change in ("new", "changed", "gone"))


def effort(account: Mapping[str, Any]) -> str:
    """How long it took, and how much came through the line."""
    return f"{duration(account['seconds'])}, {shown(account['requests']['bytes_received'], 'bytes')} received"


def missing_files(photos: Mapping[str, Any]) -> str:
    """How many files are missing, and the most frequent reasons.

    >>> missing_files({"missing": 3, "withdrawn": 2, "failed": {"404": [{}, {}], "hidden": [{}]}})
    '3 missing (404: 2, hidden: 1), 2 withdrawn'
    """
    if not photos["missing"]:
        return f"0 missing{withdrawn(photos)}"
    counts = sorted(((len(each), reason) for reason, each in photos["failed"].items()), key=lambda c: -c[0])
    told = ", ".join(f"{reason}: {n}" for n, reason in counts[:3]) + (", ..." if len(counts) > 3 else "")
    return f"{photos['missing']:,} missing" + (f" ({told})" if told else "") + withdrawn(photos)


def withdrawn(photos: Mapping[str, Any]) -> str:
    """What to say of files that their licenses do not allow to keep; nothing where there are none."""
    return f", {photos['withdrawn']:,} withdrawn" if photos["withdrawn"] else ""


def reason(account: Mapping[str, Any]) -> str:
    """Why it is not complete.

    >>> reason({"finish_reason": "shutdown"})
    'it was told to end before it was through'
    """
    if account.get("error"):
        return str(account["error"])
    if account["finish_reason"] != "finished":
        how = {"shutdown": "it was told to end before it was through"}
        return how.get(account["finish_reason"], f"it was ended early: {account['finish_reason']}")
    observations, photos = account["observations"], account["photos"]
    parts = [
        (len(observations["malformed"]), "records could not be read"),
        (len(observations["missing"]) - len(observations["malformed"]), "observations could not be had"),
        (photos["missing"], "photo files could not be had"),
    ]
    told = ", ".join(f"{n:,} {what}" for n, what in parts if n > 0)
    return told or "the mirror and the API do not agree on how many there are"


def next_step(account: Mapping[str, Any]) -> str:
    """What to do now."""
    if account["complete"]:
        if not account["observations"]["stored"] and not account["limited"]:
            return f"is this what you mean? {account['query']}"
        if account["limited"]:
            return "as many as the limit says are there; a higher limit goes on from here"
        return "run the same command again any time to bring it in step"
    if "INAT_API_TOKEN" in str(account.get("error")):
        return "take a new token, and give the same command again"
    if account.get("come_back_at"):
        moment = datetime.fromisoformat(account["come_back_at"])
        return f"give the same command again after {moment:%Y-%m-%d %H:%M %Z}"
    if account["exit_status"] == COULD_NOT_START:
        return "nothing is stored; another query may be what you mean"
    if account.get("error") or account["finish_reason"] != "finished":
        return "the same command goes on from here"
    return "the same command tries again what is missing; crawl.json names it"
