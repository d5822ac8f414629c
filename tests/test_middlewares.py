"""Manners towards the API: what its answers mean for the requests that follow."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.http import Response
from scrapy.utils.test import get_crawler

from inat_crawler import settings
from inat_crawler.budget.limits import Limits
from inat_crawler.middlewares import BudgetMiddleware

ELSEWHERE = "http://127.0.0.1:8000/v1"


def middleware_in(folder: Path) -> BudgetMiddleware:
    own = {name: value for name, value in vars(settings).items() if name.startswith("INAT_")}
    own |= {"INAT_API_ROOT": ELSEWHERE, "INAT_BACKOFF_SECONDS": "8"}
    own |= {"INAT_BUDGET_URL": f"sqlite:///{folder}/budget.sqlite"}
    return BudgetMiddleware(get_crawler(settings_dict=own), Limits(own))


def pause_after(middleware: BudgetMiddleware, request: Request, answer: Response) -> float:
    """Seconds for which the API is paused after this answer, for other processes as for this one."""

    async def answered() -> float:
        assert await middleware.process_response(request, answer) is answer
        here = await middleware.turns.meter.paused(middleware.ask.host)
        await middleware.turns.meter.close()
        return here.seconds if here else 0.0

    here = asyncio.run(answered())
    elsewhere = middleware_in(Path(str(middleware.turns.meter.file)).parent).turns.meter.ledger.pauses()
    assert sum(wait.seconds for wait in elsewhere.values()) == pytest.approx(here, abs=0.5)
    return here


@pytest.mark.parametrize(
    ("status", "retry_after", "least", "most"),
    [
        (200, None, 0, 0),
        (500, None, 0, 0),
        (503, b"120", 119, 120),
        (503, b"Wed, 25 Nov 2026 10:00:30 GMT", 29, 30),
        (503, b"soon", 0, 0),
        (503, b"99999999", 86399, 86400),  # no host can ask for more than a day
        (429, None, 3, 8),
        (429, b"20", 19, 20),
        (429, b"0", 3, 8),
        (200, b"7", 6, 7),
    ],
)
def test_an_answer_makes_all_requests_wait(
    tmp_path: Path, status: int, retry_after: bytes | None, least: float, most: float
) -> None:
    request = Request(f"{ELSEWHERE}/observations")
    headers = {"Date": "Wed, 25 Nov 2026 10:00:00 GMT"} | ({"Retry-After": retry_after} if retry_after else {})
    answer = Response(request.url, status=status, headers=headers)
    assert least <= pause_after(middleware_in(tmp_path), request, answer) <= most


def test_what_a_photo_host_answers_does_not_concern_the_api(tmp_path: Path) -> None:
    photo = Request("http://127.0.0.2/photos/1/square.jpg")
    answer = Response(photo.url, status=429, headers={"Retry-After": "60"})
    assert pause_after(middleware_in(tmp_path), photo, answer) == 0
