"""Keyset paging: the parameters of the next page, and what a page that came back means.

Pages go by id, newest first, never by page number: `page * per_page` over 10,000 is refused by the API, and
rows that tie in `created_at` come in no promised order, so numbered pages repeat and skip rows.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from inat_crawler.api.records import record_id
from inat_crawler.errors import PageError
from inat_crawler.items import Window

# A change reaches the search index some seconds late (more under load): what was updated shortly before a sweep
# was begun is looked at again by the next.
OVERLAP = timedelta(minutes=10)
MOST_IDS = 200  # as many as may be asked for at once


def page_params(search: Mapping[str, str], window: Window, per_page: int) -> dict[str, str]:
    """Parameters of the next page of the window; `per_page` 0 asks for its count alone.

    `id_above` is always sent: a plain query's first page may come from a cache that is an hour old.

    >>> page_params({"place_id": "1"}, Window(1, id_above=0, cursor=500), 200)
    {'place_id': '1', 'order_by': 'id', 'order': 'desc', 'per_page': '200', 'id_above': '0', 'id_below': '500'}
    """
    below = window.id_below if window.cursor is None else window.cursor
    bounds = {"id_above": str(window.id_above)} | ({} if below is None else {"id_below": str(below)})
    since = {} if window.updated_since is None else {"updated_since": later(search, window.updated_since)}
    return {**search, **since, "order_by": "id", "order": "desc", "per_page": str(per_page), **bounds}


def batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """As many as may be asked for at once.

    >>> [len(batch) for batch in batches(range(450))]
    [200, 200, 50]
    """
    for start in range(0, len(ids), MOST_IDS):
        yield ids[start : start + MOST_IDS]


def ids_params(search: Mapping[str, str], ids: Sequence[int]) -> dict[str, str]:
    """Parameters that ask which of these observations match a search.

    They take the place of the search's own `id`s, because they are some of those that it has found.

    >>> ids_params({"place_id": "1", "id": "7,8,9"}, [9, 7])
    {'place_id': '1', 'id': '9,7', 'order_by': 'id', 'order': 'desc', 'per_page': '200', 'id_above': '0'}
    """
    window = Window(0, id_above=0)
    return page_params({**search, "id": ",".join(map(str, ids))}, window, MOST_IDS)


def sweep_since(synced_at: str) -> str:
    """Moment from which a mirror in step up to `synced_at` looks for edits: the API cuts it to whole seconds.

    >>> sweep_since("2026-11-25T10:00:00Z")
    '2026-11-25T09:50:00Z'
    """
    return utc(datetime.fromisoformat(synced_at) - OVERLAP)


def later(search: Mapping[str, str], since: str) -> str:
    """The later of the search's own `updated_since` and this one.

    >>> later({"updated_since": "2026-01-01"}, "2025-01-01T00:00:00Z"), later({}, "2025-01-01T00:00:00Z")
    ('2026-01-01', '2025-01-01T00:00:00Z')
    """
    own = search.get("updated_since")
    return own if own is not None and _moment(own) > _moment(since) else since


def utc(moment: datetime) -> str:
    """A moment in UTC, ISO 8601 in whole seconds.

    >>> utc(datetime(2026, 11, 25, 10, tzinfo=UTC))
    '2026-11-25T10:00:00Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_page(body: bytes) -> tuple[int, list[Any]]:
    """Total and records of a page: `total_results` counts what the window still holds, this page included.

    Raises PageError when the body is not what the API promises.

    >>> read_page(b'{"total_results": 1, "page": 1, "per_page": 200, "results": [{"id": 7}]}')
    (1, [{'id': 7}])
    """
    try:
        page = _loads(body.removeprefix(codecs.BOM_UTF8))
    except (ValueError, RecursionError) as error:
        raise PageError(f"not JSON ({error}): {beginning(body)!r}") from None
    results, total = (page.get("results"), page.get("total_results")) if isinstance(page, dict) else (None, None)
    if not isinstance(results, list):
        raise PageError(f"no `results`: {beginning(body)!r}")
    if not isinstance(total, int) or isinstance(total, bool):
        raise PageError(f"`total_results` is not a number: {total!r}")
    return total, results


def beginning(body: bytes, most: int = 80) -> bytes:
    """The beginning of an answer, to be quoted: up to what is private, if that comes soon.

    >>> beginning(b'{"error": "Error"}', 5), beginning(b'{"id": 7, "private_location": "38.1,-9.1"}')
    (b'{"err', b'{"id": 7, ')
    """
    return body[:most].partition(b'"private_')[0]


def read_all(body: bytes) -> list[Any]:
    """Records of an answer that holds all there are, as one by ids does. Raises PageError if it does not.

    >>> read_all(b'{"total_results": 1, "results": [{"id": 7}]}')
    [{'id': 7}]
    """
    total, results = read_page(body)
    if len(results) < total:
        raise PageError(f"{len(results)} results, though there are said to be {total}")
    return results


def advance(window: Window, total: int, results: list[Any]) -> Window:
    """The window after this page. It is done on an empty page only, and only if nothing is said to be left.

    What was read is then the total: less than was counted at the beginning when some were deleted meanwhile.

    Raises PageError when the page does not lie in the window, or brings the crawl no further.

    >>> after = advance(Window(1, id_above=0), 3, [{"id": 9}, {"id": 7}])
    >>> after.cursor, after.top, after.total, after.read, after.done
    (7, 9, 3, 2, False)
    >>> advance(Window(1, id_above=0, cursor=7, top=9, total=3, read=3), 0, []).done
    True
    """
    if not results:
        if total:
            raise PageError(f"no results, though {total} are said to be left")
        return replace(window, done=True, total=window.read)
    ids = [i for i in map(record_id, results) if i is not None]
    if not ids and total <= len(results):
        return replace(window, done=True, total=window.read + len(results), read=window.read + len(results))
    if not ids:
        raise PageError(f"none of {len(results)} results has an id")
    below = window.id_below if window.cursor is None else window.cursor
    outside = [i for i in ids if i <= window.id_above or (below is not None and i >= below)]
    if outside:
        raise PageError(f"id {outside[0]} does not lie between {window.id_above} and {below}, both exclusive")
    return replace(
        window,
        cursor=min(ids),
        top=max(ids) if window.top is None else window.top,
        total=total if window.total is None else window.total,
        read=window.read + len(results),
    )


def _loads(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # Text cut in the middle of an emoji is served as half a surrogate pair, which JSON allows and
        # orjson refuses; only then is the slow parser worth its time.
        if b"\\ud" not in body.lower():
            raise
        return _whole(json.loads(body))


def _whole(value: Any) -> Any:
    r"""The same JSON value with halves of surrogate pairs replaced by U+FFFD.

    >>> _whole({"a": ["\ud83d x"]})
    {'a': ['\ufffd x']}
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(v) for v in value]
    if isinstance(value, dict):
        return {_whole(k): _whole(v) for k, v in value.items()}
    return value
