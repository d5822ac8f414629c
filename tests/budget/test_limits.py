"""Limits: what settings may say of them, and which hosts they are for."""

from __future__ import annotations

import pytest

from inat_crawler import settings
from inat_crawler.budget.limits import PUBLISHED, Limits
from inat_crawler.errors import SettingError

API = "https://api.inaturalist.org/v1"
ELSEWHERE = "http://127.0.0.1:8000/v1"
OPEN_DATA = "https://inaturalist-open-data.s3.amazonaws.com/photos/1/square.jpg"
STATIC = "https://static.inaturalist.org/photos/1/square.jpg"


def limits(root: str = API, **values: object) -> Limits:
    """Those of the settings as they come, but for these."""
    own = {name: value for name, value in vars(settings).items() if name.startswith("INAT_")}
    return Limits({**own, "INAT_API_ROOT": root, **values})


@pytest.mark.parametrize(
    ("rate", "root", "seconds"),
    [("55", API, 60 / 55), (60, API, 1), ("6000", ELSEWHERE, 0.01), (0, ELSEWHERE, 0), ("0.5", API, 120)],
)
def test_interval(rate: object, root: str, seconds: float) -> None:
    assert limits(root, INAT_API_REQUESTS_PER_MINUTE=rate).interval == pytest.approx(seconds)


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize(
    ("value", "root", "rule"),
    [
        (0, API, "iNaturalist asks for [0-9]+ or fewer"),
        ("30000000000", "https://api.iNaturalist.org./v1", "iNaturalist asks for [0-9]+ or fewer"),
        ("many", ELSEWHERE, "not a number"),
        ("", ELSEWHERE, "not a number"),
        ("nan", ELSEWHERE, "not a number from 0 up"),
        ("inf", ELSEWHERE, "not a number from 0 up"),
        (-1, ELSEWHERE, "not a number from 0 up"),
    ],
)
def test_limits_that_are_refused(name: str, value: object, root: str, rule: str) -> None:
    with pytest.raises(SettingError, match=f"^setting {name}: {rule}"):
        limits(root, **{name: value})


def test_as_they_come() -> None:
    shown = [str(limit) for limit in (*limits().requests, *limits().media)]
    assert shown == ["55 requests a minute", "9,500 requests a day", "4.75 GB an hour", "22.8 GB a day"]


def test_all_hosts_of_inaturalist_share_their_keys() -> None:
    keys = {limits().media_of(url)[0] for url in (OPEN_DATA, STATIC, STATIC.replace("static", "media"))}
    assert keys == {"media inaturalist.org"}
    assert limits("https://www.inaturalist.org/v1").requests_key == limits().requests_key


def test_other_services_have_their_own_key() -> None:
    here = limits(ELSEWHERE)
    assert {here.media_of(f"http://127.0.0.{n}:80/photos/1/square.jpg")[0] for n in (2, 3)} == {
        "media 127.0.0.1:8000"
    }
    assert here.requests_key == "requests 127.0.0.1:8000"


def test_no_setting_for_elsewhere_raises_a_limit_of_inaturalists_hosts() -> None:
    high = limits(
        ELSEWHERE,
        INAT_MEDIA_BYTES_PER_HOUR=0,
        INAT_MEDIA_BYTES_PER_DAY=10**15,
        INAT_BUDGET_HOUR_SECONDS=10,
        INAT_MEDIA_EXEMPT_HOSTS="127.0.0.2",
    )
    key, media = high.media_of(STATIC)
    assert key == "media inaturalist.org"
    assert [(limit.amount, limit.seconds) for limit in media] == [(5e9, 3600), (24e9, 86400)]
    assert [(limit.amount, limit.seconds) for limit in high.media_of("http://127.0.0.3:80/x")[1]] == [(1e15, 240)]
    assert high.media_of("http://127.0.0.2:80/x")[1] == ()


def test_a_lower_limit_holds_for_inaturalists_hosts_too() -> None:
    _, media = limits(ELSEWHERE, INAT_MEDIA_BYTES_PER_HOUR=1000).media_of(STATIC)
    assert [limit.amount for limit in media] == [1000, 22.8e9]


def test_the_open_data_bucket_may_be_exempt() -> None:
    exempt = limits(INAT_MEDIA_EXEMPT_HOSTS="inaturalist-open-data.s3.amazonaws.com")
    assert exempt.media_of(OPEN_DATA)[1] == ()
    assert len(exempt.media_of(STATIC)[1]) == 2


@pytest.mark.parametrize(
    ("host", "rule"),
    [
        ("static.inaturalist.org", "only the open-data bucket may be exempt"),
        ("static.inaturalist.org.", "only the open-data bucket may be exempt"),
        ("https://photos.example", "not a host"),
        ("a b", "not a host"),
    ],
)
def test_hosts_that_may_not_be_exempt(host: str, rule: str) -> None:
    with pytest.raises(SettingError, match=rule):
        limits(INAT_MEDIA_EXEMPT_HOSTS=host)


@pytest.mark.parametrize(("seconds", "root"), [(10, API), (0, ELSEWHERE), ("x", ELSEWHERE), (3601, ELSEWHERE)])
def test_hours_that_are_refused(seconds: object, root: str) -> None:
    with pytest.raises(SettingError, match=r"^setting INAT_BUDGET_HOUR_SECONDS"):
        limits(root, INAT_BUDGET_HOUR_SECONDS=seconds)
