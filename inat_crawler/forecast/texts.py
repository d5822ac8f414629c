"""A forecast as text: one line for the log of a crawl, a table for people, JSON values for programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from textwrap import fill
from typing import Any

from inat_crawler.api.query import FetchOptions, Query
from inat_crawler.api.sample import Sample
from inat_crawler.budget.forecast import Used, time_needed
from inat_crawler.budget.limits import DAY, Limit, Limits, shown
from inat_crawler.forecast import Counts, Forecast, SizeForecast, is_audit_due, make_forecast
from inat_crawler.mirror import days_between_audits
from inat_crawler.store.holdings import Holdings

WIDTH = 79
LINE = 10e6 / 8  # bytes a second of a middling line


def crawl_line(
    query: Query,
    options: FetchOptions,
    settings: Mapping[str, object],
    holdings: Holdings,
    used: Mapping[Limit, Used],
    matching: int | None = None,
    sample: Sample | None = None,
) -> str:
    """The forecast that a crawl gives at its start, in one line.

    A first run tells it from its first page, which is the sample; a later one, without `matching`, from what its
    mirror holds. Nothing is asked for it. `used` is what counts of the limits already.
    """
    known = holdings.observations + holdings.unread if matching is None else matching
    due = is_audit_due(holdings, days_between_audits(settings["INAT_AUDIT_EVERY_DAYS"]), datetime.now(UTC))
    counts = Counts(known, sample=sample or Sample())
    return line(make_forecast(query, options, Limits(settings), counts, holdings, due, used))


def line(forecast: Forecast) -> str:
    """The forecast in one line."""
    parts = [_reading(forecast), _fetching(forecast), _binding(forecast)]
    return "forecast: " + "; ".join(part for part in parts if part)


def _reading(forecast: Forecast) -> str:
    requests = many(forecast.requests, "request")
    if not forecast.holdings.begun:
        return f"{many(forecast.left, 'observation')} ({requests})"
    files = f" and {many(forecast.had_files, 'photo file')} ({shown(forecast.had_bytes, 'bytes')})"
    there = f"{many(forecast.had, 'observation')}{files if forecast.had_files else ''} are there"
    if forecast.left:
        return f"{there}, {forecast.left:,} more to read ({requests})"
    if forecast.options.limit is not None:
        return f"{there}, which a limited mirror is content with"
    return f"{there}; to bring them in step takes about {requests} if little has changed"


def _fetching(forecast: Forecast) -> str:
    if not forecast.left_files:
        return "" if forecast.holdings.begun else "no photos"
    if forecast.holdings.begun:
        return f"about {many(forecast.left_files, 'photo file')} to fetch, {shown(forecast.left_bytes, 'bytes')}"
    sizes = many(len(forecast.sizes), "size")
    return f"about {many(forecast.photos, 'photo')} in {sizes}, {shown(forecast.left_bytes, 'bytes')}"


def _binding(forecast: Forecast) -> str:
    if not forecast.left and not forecast.left_files:
        return ""
    if forecast.binding is None:
        return "no limit holds it up"
    limit, seconds = forecast.binding
    return f"{limit} binds: at least {time_needed(seconds)}"


def many(n: int, what: str) -> str:
    """A count with its noun.

    >>> many(1, "size"), many(37_000, "observation")
    ('1 size', '37,000 observations')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def table(forecast: Forecast, query: str, output: str) -> str:
    """The forecast for people, in plain lines of at most 79 characters but for the query and the folder."""
    blocks = [
        f"Query:  {query}\nFolder: {output}",
        _amounts(forecast),
        _sources(forecast),
        _times(forecast),
        *(fill(remark, WIDTH) for remark in remarks(forecast)),
    ]
    return "\n\n".join(block for block in blocks if block)


def _amounts(forecast: Forecast) -> str:
    f = forecast
    rows = [("", "in all", "there now", "to fetch"), _counts("observations", f.observations, f.had, f.left)]
    if f.sizes:
        rows.append(_counts("photo files", f.had_files + f.left_files, f.had_files, f.left_files))
        rows += [_bytes(f"  {s.size}", s.had_bytes, s.left_bytes) for s in f.sizes]
        rows.append(_bytes("  all sizes", f.had_bytes, f.left_bytes))
    rows.append(("requests to the API", "", "", f"{f.requests:,}"))
    return "\n".join(f"{a:<20}{b:>13}{c:>13}{d:>13}" for a, b, c, d in rows)


def _counts(name: str, whole: int, had: int, left: int) -> tuple[str, str, str, str]:
    return name, f"{whole:,}", f"{had:,}", f"{left:,}"


def _bytes(name: str, had: int, left: int) -> tuple[str, str, str, str]:
    return name, shown(had + left, "bytes"), shown(had, "bytes"), shown(left, "bytes")


def _sources(forecast: Forecast) -> str:
    rows = [f"  {s.size:<18}{shown(s.mean, 'bytes'):>13}  {s.source}" for s in forecast.sizes if s.left]
    return "\n".join(["Bytes of a file, as estimated", *rows]) if rows else ""


def _times(forecast: Forecast) -> str:
    if not forecast.times:
        return "No limit is in force."
    marked = None if forecast.binding is None else forecast.binding[0]
    rows = [
        f"  {limit!s:<24}{_time(seconds, limit.period):>18}{'   <- binds' if limit is marked else ''}"
        for limit, seconds in forecast.times
    ]
    return "\n".join(["Time that each limit takes", *rows])


def _time(seconds: float, period: str) -> str:
    return time_needed(seconds) if seconds else "none" if period == "minute" else f"fits into one {period}"


def remarks(forecast: Forecast) -> list[str]:
    """What a user should know besides, a sentence or two each."""
    said, binding = [], forecast.binding
    if forecast.holdings.trouble:
        said.append(f"Nothing in the folder is counted: {forecast.holdings.trouble}.")
    if forecast.had > forecast.matching:
        said.append(f"iNaturalist counts {forecast.matching:,}: some are gone, and a crawl clears them away.")
    if binding is not None and binding[1] > DAY:
        said.append(
            f"{time_needed(binding[1])}: the crawl stops when a day's budget is spent, and goes on with the same "
            "command; -a wait=true waits."
        )
    if binding is None and forecast.left_bytes:
        line = time_needed(forecast.left_bytes / LINE)
        said.append(f"No limit holds it up. How long it takes is up to the line: at 10 Mbit/s, {line}.")
    if forecast.exempt:
        said.append(f"Photos of these hosts fall under no limit: {', '.join(forecast.exempt)}.")
    return said


def as_json(forecast: Forecast, query: str, output: str) -> dict[str, Any]:
    """The forecast as JSON values; `docs/forecast.md` explains the keys."""
    f, options, seconds = forecast, forecast.options, forecast.binding[1] if forecast.binding else 0.0
    return {
        "query": query,
        "output": output,
        "images": options.images,
        "image_licenses": "any" if options.image_licenses is None else list(options.image_licenses),
        "limit": options.limit,
        "observations": {"matching": f.matching, "all": f.observations, "had": f.had, "left": f.left},
        "requests": f.requests,
        "photos": f.photos,
        "sizes": {s.size: _size(s) for s in f.sizes},
        "files": {"all": f.had_files + f.left_files, "had": f.had_files, "left": f.left_files},
        "bytes": {"all": f.had_bytes + f.left_bytes, "had": f.had_bytes, "left": f.left_bytes},
        "limits": [_limit(f, i) for i in range(len(f.times))],
        "seconds": round(seconds, 1),
        "days": round(seconds / DAY, 2),
        "remarks": remarks(f),
    }


def _size(size: SizeForecast) -> dict[str, Any]:
    return {
        "files": {"all": size.had + size.left, "had": size.had, "left": size.left},
        "bytes": {"all": size.had_bytes + size.left_bytes, "had": size.had_bytes, "left": size.left_bytes},
        "bytes_of_a_file": round(size.mean),
        "source": size.source,
    }


def _limit(forecast: Forecast, i: int) -> dict[str, Any]:
    limit, seconds = forecast.times[i]
    return {
        "limit": str(limit),
        "amount": limit.amount,
        "unit": limit.unit,
        "period": limit.period,
        "seconds": round(seconds, 1),
        "binds": forecast.binding is not None and limit is forecast.binding[0],
    }
