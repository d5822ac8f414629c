"""Manners towards the API: pace and name. The clock is passed in."""

from __future__ import annotations

import pytest
from scrapy.utils.test import get_crawler

from inat_crawler.errors import SettingError
from inat_crawler.middlewares import BudgetMiddleware, seconds_between

API = "https://api.inaturalist.org/v1"
ELSEWHERE = "http://127.0.0.1:8000/v1"


def test_turns_are_evenly_spaced() -> None:
    moments = iter([100.0, 100.0, 100.3, 105.0])
    crawler = get_crawler(settings_dict={"INAT_API_ROOT": ELSEWHERE})
    middleware = BudgetMiddleware(crawler, 1.5, clock=lambda: next(moments))
    waits = [middleware.take_turn() for _ in range(4)]
    assert waits == pytest.approx([0, 1.5, 2.7, 0])


@pytest.mark.parametrize(
    ("rate", "root", "seconds"),
    [("55", API, 60 / 55), (60, API, 1), ("6000", ELSEWHERE, 0.01), (0, ELSEWHERE, 0), ("0.5", API, 120)],
)
def test_seconds_between(rate: object, root: str, seconds: float) -> None:
    assert seconds_between(rate, root) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("rate", "root", "rule"),
    [
        (0, API, "iNaturalist asks for 60 or fewer"),
        ("61", "https://api.iNaturalist.org./v1", "iNaturalist asks for 60 or fewer"),
        ("many", ELSEWHERE, "not a number"),
        ("", ELSEWHERE, "not a number"),
        ("nan", ELSEWHERE, "not a number from 0 up"),
        ("inf", ELSEWHERE, "not a number from 0 up"),
        (-1, ELSEWHERE, "not a number from 0 up"),
    ],
)
def test_rates_that_are_refused(rate: object, root: str, rule: str) -> None:
    with pytest.raises(SettingError, match=f"^setting INAT_API_REQUESTS_PER_MINUTE: {rule}"):
        seconds_between(rate, root)
