"""What the next request of a window is, and what each kind of page means."""

from __future__ import annotations

import json

import pytest

from inat_crawler.api.paging import advance, page_params, read_page
from inat_crawler.errors import PageError
from inat_crawler.items import Window

SEARCH = {"place_id": "1"}
BASE = {"place_id": "1", "order_by": "id", "order": "desc", "per_page": "50"}


@pytest.mark.parametrize(
    ("window", "bounds"),
    [
        (Window(1, 0), {"id_above": "0"}),
        (Window(1, 0, 900), {"id_above": "0", "id_below": "900"}),
        (Window(1, 0, 900, cursor=500, top=899), {"id_above": "0", "id_below": "500"}),
        (Window(1, 7, None, cursor=500), {"id_above": "7", "id_below": "500"}),
    ],
)
def test_page_params(window: Window, bounds: dict[str, str]) -> None:
    assert page_params(SEARCH, window, 50) == BASE | bounds


def page(results: object, total: object = 1) -> bytes:
    return json.dumps({"total_results": total, "page": 1, "per_page": 200, "results": results}).encode()


GOOD_PAGES = [
    (page([{"id": 1}]), (1, [{"id": 1}])),
    (page([], 0), (0, [])),
    (b'{"total_results":1,"results":[{"a":"\\ud83d!"}]}', (1, [{"a": "\ufffd!"}])),
    (b'{"total_results":1,"results":[{"a":"\\ud83d\\ude00 \\uD83D"}]}', (1, [{"a": "\U0001f600 \ufffd"}])),
    (b'{"total_results":1,"results":[{"a":"\\u0000\\r"}]}', (1, [{"a": "\0\r"}])),
]


@pytest.mark.parametrize(("body", "read"), GOOD_PAGES)
def test_read_page(body: bytes, read: tuple[int, list[object]]) -> None:
    assert read_page(body) == read


BAD_PAGES = [
    (b"", "not JSON"),
    (b"<html>Maintenance</html>", "not JSON"),
    (page([{"id": 1}])[:-9], "not JSON"),
    (b'{"results":"\\ud83d', "not JSON"),
    (b"[]", "no `results`"),
    (b"null", "no `results`"),
    (b'{"error":"Error","status":500}', "no `results`"),
    (page({"id": 1}), "no `results`"),
    (page([], None), "`total_results` is not a number: None"),
    (page([], True), "`total_results` is not a number: True"),
    (page([], "12"), "`total_results` is not a number: '12'"),
]


@pytest.mark.parametrize(("body", "reason"), BAD_PAGES)
def test_what_is_no_page(body: bytes, reason: str) -> None:
    with pytest.raises(PageError, match=reason):
        read_page(body)


def records(*ids: object) -> list[object]:
    return [{"id": i} for i in ids]


@pytest.mark.parametrize(
    ("window", "total", "results", "after"),
    [
        (Window(1, 0), 9, records(30, 20), Window(1, 0, None, cursor=20, top=30, total=9, read=2)),
        (Window(1, 0, None, 20, 30, 9), 7, records(19, 5), Window(1, 0, None, cursor=5, top=30, total=9, read=2)),
        (Window(1, 0), 9, [None, *records(30, "x"), {}], Window(1, 0, None, cursor=30, top=30, total=9, read=4)),
        (Window(1, 0, None, 5, 30, 9, 8), 0, [], Window(1, 0, None, 5, 30, 8, 8, done=True)),
        (Window(1, 0), 0, [], Window(1, 0, total=0, done=True)),
        (Window(1, 0, None, 5, 30, 9, 8), 1, [{}], Window(1, 0, None, 5, 30, 9, 9, done=True)),
    ],
)
def test_advance(window: Window, total: int, results: list[object], after: Window) -> None:
    assert advance(window, total, results) == after


@pytest.mark.parametrize(
    ("window", "total", "results", "reason"),
    [
        (Window(1, 0, None, 20, 30, 9), 7, [], "no results, though 7 are said to be left"),
        (Window(1, 0), 3, [{}, {"id": "8"}], "none of 2 results has an id"),
        (Window(1, 0, None, 20, 30, 9), 7, records(20, 5), "id 20 does not lie between 0 and 20, both exclusive"),
        (Window(1, 10, 40), 7, records(39, 10), "id 10 does not lie between 10 and 40, both exclusive"),
        (Window(1, 10, 40), 7, records(40, 11), "id 40 does not lie between 10 and 40, both exclusive"),
    ],
)
def test_pages_that_lead_nowhere(window: Window, total: int, results: list[object], reason: str) -> None:
    with pytest.raises(PageError, match=reason):
        advance(window, total, results)
