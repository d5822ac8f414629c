"""Manners towards the API: pace and name. The clock is passed in."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from scrapy import Request
from scrapy.http import Response
from scrapy.utils.test import get_crawler

from inat_crawler.middlewares import BudgetMiddleware

ELSEWHERE = "http://127.0.0.1:8000/v1"


def middleware_at(moments: Iterable[float]) -> BudgetMiddleware:
    """One request each 1.5 s; the clock shows these moments."""
    settings = {"INAT_API_ROOT": ELSEWHERE, "INAT_BACKOFF_SECONDS": "8"}
    clock = iter(moments)
    return BudgetMiddleware(get_crawler(settings_dict=settings), 1.5, clock=lambda: next(clock))


def test_turns_are_evenly_spaced() -> None:
    middleware = middleware_at([100.0, 100.0, 100.3, 101.5, 105.0, 105.5])
    waits = [middleware.take_turn() for _ in range(6)]
    assert waits == pytest.approx([0, 1.5, 1.2, 0, 0, 1.0])


@pytest.mark.parametrize(
    ("status", "retry_after", "least", "most"),
    [
        (200, None, 0, 0),
        (500, None, 0, 0),
        (503, b"120", 120, 120),
        (503, b"Wed, 25 Nov 2026 10:00:30 GMT", 30, 30),
        (503, b"soon", 0, 0),
        (503, b"99999", 0, 0),  # the crawl ends instead
        (429, None, 4, 8),
        (429, b"20", 20, 20),
        (429, b"0", 4, 8),
        (200, b"7", 7, 7),
    ],
)
def test_an_answer_makes_all_requests_wait(
    status: int, retry_after: bytes | None, least: float, most: float
) -> None:
    middleware = middleware_at([100.0] * 3)
    request = Request(f"{ELSEWHERE}/observations")
    headers = {"Date": "Wed, 25 Nov 2026 10:00:00 GMT"} | ({"Retry-After": retry_after} if retry_after else {})
    answer = Response(request.url, status=status, headers=headers)
    assert middleware.process_response(request, answer) is answer
    assert least <= middleware.take_turn() <= most


def test_what_a_photo_host_answers_does_not_concern_the_api() -> None:
    middleware = middleware_at([100.0])
    photo = Request("http://127.0.0.2/photos/1/square.jpg")
    middleware.process_response(photo, Response(photo.url, status=429, headers={"Retry-After": "60"}))
    assert middleware.take_turn() == 0
