"""The report in a real Chromium: it opens from the disk, shows what it should, and asks nobody for anything."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from playwright.sync_api import expect
from reports import HOSTILE, Open, account_of, fill, hostile, park
from test_store import observation, save

from inat_crawler.api.records import read_record
from inat_crawler.items import Observation
from inat_crawler.outputs.report import write_report
from inat_crawler.outputs.report.rows import IN_GALLERY
from inat_crawler.store import Store
from inat_crawler.store.schema import changes

with_real_records = pytest.mark.skipif(
    "INAT_TEST_RECORDS" not in os.environ, reason="INAT_TEST_RECORDS names no file of real records"
)


def test_it_opens_from_the_disk_and_draws(store: Store, tmp_path: Path, open_page: Open) -> None:
    view = open_page(fill(store, tmp_path, *park()))
    assert view.shown() == ["12 of 12 observations shown", 11, 12, 9]
    assert view.is_drawn("#map .leaflet-overlay-pane canvas")
    for chart in ("years", "months", "qualities", "licenses"):
        assert view.is_drawn(f"#{chart}"), chart
    years = view.page.get_by_role("img", name="Observations by year. 2020: 6 observations; 2021: 6 observations")
    assert years.count() == 1
    assert view.texts("#legend li") == ["Research grade", "Needs ID", "Casual", "obscured: somewhere in this cell"]
    assert view.texts("#map-note") == ["1 observation without coordinates."]
    assert view.texts("#species-table tbody th") == ["Larus fuscus", "Common Octopus\nOctopus vulgaris"]
    assert view.texts("#observers-table tbody tr") == ["user0\t4", "user1\t4", "user2\t4"]
    assert view.texts("dl.totals") == ["observations\n12\nspecies\n2\nobservers\n3\nphotos kept\n9"]
    first = view.page.locator("#gallery a").first
    assert first.get_attribute("href") == "https://www.inaturalist.org/observations/11"
    assert first.get_attribute("rel") == "noopener noreferrer"


def test_filters_act_on_all_alike(store: Store, tmp_path: Path, open_page: Open) -> None:
    view = open_page(fill(store, tmp_path, *park()))
    page = view.page
    view.species.fill("octo")
    assert view.shown() == ["6 of 12 observations shown", 6, 6, 6]
    page.get_by_label("From", exact=True).fill("2021-04-11")
    assert view.shown() == ["3 of 12 observations shown", 3, 3, 3]
    page.get_by_label("To", exact=True).fill("2021-06-10")
    assert view.shown() == ["1 of 12 observations shown", 1, 1, 1]
    assert view.texts("#gallery time") == ["2021-04-11"]
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#count")).to_have_text("12 of 12 observations shown")
    page.get_by_role("checkbox", name="Casual").uncheck()
    assert view.shown() == ["8 of 12 observations shown", 7, 8, 6]
    assert "Casual: 0 observations" in str(page.locator("#qualities").get_attribute("aria-label"))
    page.get_by_role("button", name="Larus fuscus").click()
    assert view.shown() == ["4 of 12 observations shown", 3, 4, 2]
    view.species.fill("no such thing")
    assert view.shown() == ["0 of 12 observations shown", 0, 0, 0]


def test_it_is_used_by_keyboard(store: Store, tmp_path: Path, open_page: Open) -> None:
    view = open_page(fill(store, tmp_path, *park()))
    press = view.page.keyboard.press
    press("Tab")
    assert view.page.locator(":focus").inner_text() == "Skip to the observations"
    press("Enter")
    press("Tab")
    view.page.keyboard.type("larus")
    assert view.shown()[0] == "6 of 12 observations shown"
    view.page.get_by_role("checkbox", name="Research grade").focus()
    press("Space")
    assert view.shown()[0] == "4 of 12 observations shown"
    view.page.locator("#map").focus()
    before = view.texts("#map .degree")
    press("Minus")
    expect(view.page.locator("#map .degree")).not_to_have_text(before)
    press("Enter")
    assert view.page.locator(".popup :focus").get_attribute("href").startswith("https://www.inaturalist.org/")


def test_a_mark_tells_what_it_stands_for(store: Store, tmp_path: Path, open_page: Open) -> None:
    one = observation(7, taxon_name="Octopus vulgaris", latitude="38.5", longitude="-9.1", obscured=True)
    view = open_page(fill(store, tmp_path, one, observation(6, latitude="38.5", longitude="-9.1", obscured=True)))
    view.page.locator("#map").click()
    assert view.texts(".popup p") == ["Obscured: the true place is somewhere in this cell."]
    assert [t.split("\n")[0] for t in view.texts(".popup li")] == ["Octopus vulgaris", "Not identified"]
    assert (
        view.page.locator(".popup a").first.get_attribute("href") == "https://www.inaturalist.org/observations/7"
    )


def test_hostile_text_stays_text(store: Store, tmp_path: Path, open_page: Open) -> None:
    each = [hostile(i, text) for i, text in enumerate(HOSTILE, 1)]
    store.begin_crawl("2026-05-01T10:00:00+00:00", {})
    account = account_of(query=HOSTILE[0], url=HOSTILE[3], params={"q": HOSTILE[1]}, error=HOSTILE[2])
    account["photos"] = {"missing": 1, "failed": {HOSTILE[0]: [{"observation": 7, "photo": 1, "size": "square"}]}}
    account["observations"]["malformed"] = [{"id": None, "reason": HOSTILE[1]}]
    store.finish_crawl(1, account)
    view = open_page(fill(store, tmp_path, *each))
    for selector in ("#species-table tbody i", "#gallery i", "#gallery .credit"):
        assert sorted(view.page.locator(selector).all_text_contents()) == sorted(HOSTILE), selector
    assert set(HOSTILE) <= {t.strip() for t in view.page.locator("#observers-table tbody th").all_text_contents()}
    view.species.fill(HOSTILE[2])
    assert view.shown()[0] == "1 of 8 observations shown"
    addresses = [a.get_attribute("href") or "" for a in view.page.locator("a").all()]
    pages = re.compile(r"https://www\.inaturalist\.org/observations/\d+|#(observations)?")
    assert [a for a in addresses if not pages.fullmatch(a)] == []
    assert view.page.locator("img[src=x]").count() == 0
    assert f"NOT complete: {HOSTILE[2]}" in view.texts(".state")[0]


def test_odd_data_is_shown_as_far_as_it_goes(store: Store, tmp_path: Path, open_page: Open) -> None:
    dates = ["2024-02-31", "0001-01-01", "9999-12-31", "soon", None, "2024-05-07"]
    places = [("91", "0"), ("90", "180"), ("-90", "-180"), (None, "1"), ("0", "0"), ("38.5", "-9")]
    each = [
        observation(i, 70 + i, observed_on=date, latitude=lat, longitude=lng, obscured=i % 2 == 0)
        for i, (date, (lat, lng)) in enumerate(zip(dates, places, strict=True), 1)
    ]
    view = open_page(fill(store, tmp_path, *each, Observation(99, record=b"{}")))
    assert view.shown() == ["7 of 7 observations shown", 4, 3, 6]
    label = view.page.locator("#years").get_attribute("aria-label")
    assert label == "Observations by year. 1: 1 observation; 2024: 1 observation; 9999: 1 observation"
    assert view.texts("#years-title") == ["Observations by year (4 without a date)"]
    view.page.get_by_label("To", exact=True).fill("9998-01-01")
    assert view.shown()[0] == "2 of 7 observations shown"


def test_an_empty_mirror_has_a_report_too(store: Store, tmp_path: Path, open_page: Open) -> None:
    view = open_page(fill(store, tmp_path))
    assert view.shown() == ["0 of 0 observations shown", 0, 0, 0]
    assert view.texts(".state") == ["NOT complete: no crawl has come to its end yet."]
    assert view.texts("h1") == ["Observations in place 1"]


@pytest.mark.parametrize("width", [390, pytest.param(320, marks=pytest.mark.long)])
def test_on_a_phone(store: Store, tmp_path: Path, open_page: Open, width: int) -> None:
    long = observation(99, 990, taxon_id=9, taxon_name="x" * 200, user_id=99, user_login="y" * 200)
    view = open_page(fill(store, tmp_path, *park(), long), width=width, has_touch=True, color_scheme="dark")
    assert view.width() == width
    assert not view.species.is_visible()
    view.page.get_by_text("Filters", exact=True).tap()
    view.species.fill("octo")
    assert view.shown()[0] == "6 of 13 observations shown"
    assert view.width() == width


def test_mailed_alone_it_shows_the_first_photos_and_all_credits(
    store: Store, tmp_path: Path, open_page: Open
) -> None:
    each = [observation(i, 1000 + i, user_login=f"user{i}") for i in range(1, 231)]
    path = fill(store, tmp_path, *each)
    alone = tmp_path / "elsewhere" / "report.html"
    alone.parent.mkdir()
    path.rename(alone)
    view = open_page(alone)
    for _ in range(3):
        view.page.locator("#gallery-more").click()
    assert view.page.locator("#gallery-more").is_hidden()
    for image in view.page.locator("#gallery li").all()[::10] + view.page.locator("#gallery li").all()[-30:]:
        image.scroll_into_view_if_needed()
    expect(view.page.locator("#gallery .placeholder")).to_have_count(30)
    loaded = "[...document.querySelectorAll('#gallery img')].filter(i => i.src.startsWith('data:')).length"
    assert view.page.evaluate(loaded) == 200
    assert view.texts("#gallery li:last-child .credit") == ["(c) user1, all rights reserved"]
    assert {text for text in view.said if "ERR_FILE_NOT_FOUND" not in text} == set()
    view.said.clear()


def test_what_the_last_crawl_did(store: Store, tmp_path: Path, open_page: Open) -> None:
    save(store, *(replace(o, change="new") for o in park()))
    with store.database.writing() as db:
        db.execute(sa.update(changes).values(time="2001-01-01T00:00:00.000+00:00"))
    for number, (started_at, told) in enumerate(
        [
            ("2001-01-01T00:00:00+00:00", "This is the first crawl: everything is new."),
            ("2002-01-01T00:00:00+00:00", "Nothing is new, changed or gone."),
        ],
        1,
    ):
        store.begin_crawl(started_at, {})
        account = account_of(complete=True, started_at=started_at)
        account["photos"]["withdrawn"] = number - 1
        store.finish_crawl(number, account)
        write_report(store, tmp_path / "report.html")
        view = open_page(tmp_path / "report.html")
        withdrawn = "1 photo file withdrawn: the license does not, or no longer, allow to keep it."
        assert view.texts("section[aria-labelledby=since] p") == [told, withdrawn][:number]
        assert view.texts(".state") == ["Complete: everything that was asked for is here."]

    save(store, *(observation(i, change="new") for i in range(100, 160)))
    save(store, replace(park()[3], place_guess="x", change="changed"))
    store.bury({5: "deleted"}, [], keep=False)
    store.begin_crawl("2003-01-01T00:00:00+00:00", {})
    write_report(store, tmp_path / "report.html")
    view = open_page(tmp_path / "report.html")
    assert view.texts("section[aria-labelledby=since] summary") == ["60 new", "1 changed", "1 gone"]
    lists = view.page.locator("section[aria-labelledby=since] ul")
    assert lists.nth(0).locator("li").all_text_contents()[-1] == "and 10 more"
    assert lists.nth(1).locator("a").all_text_contents() == ["Larus fuscus"]
    assert lists.nth(2).locator("a").all_text_contents() == ["5"]
    assert "A later crawl began on 2003-01-01 00:00 UTC" in view.texts(".state")[1]


LINE = {"type": "LineString", "coordinates": [[-9.2, 38.4], [-9.0, 38.5]]}
ODD = {"type": "Point", "coordinates": "x"}


@pytest.mark.long
def test_a_genus_brings_its_species(store: Store, tmp_path: Path, open_page: Open) -> None:
    names = ("Larus", "Larus fuscus", "Larus michahellis", "Larusoma x")
    found = [observation(i, taxon_id=i, taxon_name=name) for i, name in enumerate(names, 1)]
    view = open_page(fill(store, tmp_path, *found, photos=False))
    for typed, many in (("Larus", 3), ("laru", 4), ("larus f", 1), ("Larus ", 3)):
        view.species.fill(typed)
        expect(view.page.locator("#count")).to_have_text(f"{many} of 4 observations shown")
    view.page.get_by_role("button", name="Reset").click()
    view.page.locator("#species-table tbody button").first.click()
    expect(view.page.locator("#count")).to_have_text("1 of 4 observations shown")


@pytest.mark.long
@pytest.mark.parametrize(("geometry", "said"), [(LINE, []), (ODD, ["basemap.geojson cannot be drawn."])])
def test_an_own_basemap(
    store: Store, tmp_path: Path, open_page: Open, geometry: dict[str, Any], said: list[str]
) -> None:
    feature = {"type": "Feature", "properties": {"name": HOSTILE[2]}, "geometry": geometry}
    (tmp_path / "basemap.geojson").write_bytes(orjson.dumps({"type": "FeatureCollection", "features": [feature]}))
    view = open_page(fill(store, tmp_path, *park()))
    assert [text for text in view.texts(".map-card > .quiet") if "geojson" in text] == said
    assert view.is_drawn("#map .leaflet-overlay-pane canvas")


@with_real_records
@pytest.mark.parametrize("width", [1280, 390])
def test_real_records(store: Store, tmp_path: Path, open_page: Open, width: int) -> None:
    lines = Path(os.environ["INAT_TEST_RECORDS"]).read_bytes().splitlines()
    each = {o.id: o for o in (read_record(orjson.loads(line)) for line in lines)}
    for o in each.values():
        o.record = b"{}"
    view = open_page(fill(store, tmp_path, *each.values()), width=width)
    shown, on_map, dated, photos = view.shown()
    assert shown == f"{len(each)} of {len(each)} observations shown"
    assert on_map == sum(o.latitude is not None for o in each.values())
    assert dated == sum(o.observed_on is not None for o in each.values())
    assert photos == sum(bool(o.photos) for o in each.values())
    assert view.width() == width


@pytest.mark.long
def test_more_than_the_gallery_holds(store: Store, tmp_path: Path, open_page: Open) -> None:
    n = IN_GALLERY + 500
    each = [
        observation(
            i, i, taxon_name=f"Genus s{i % 700}", observed_on=f"20{i % 20:02}-05-07", latitude=f"{i % 80}.{i}",
            longitude=f"{i % 170}.{i}",
        )
        for i in range(1, n + 1)
    ]  # fmt: skip
    view = open_page(fill(store, tmp_path, *each, photos=False))
    assert view.shown() == ["20,500 of 20,500 observations shown", n, n, IN_GALLERY]
    assert "The gallery holds the newest 20,000 only." in view.texts("#gallery-note")[0]
    assert view.page.locator("#map .heap").count() > 10
    assert len(view.texts("#gallery li")) == 60
    view.species.fill("Genus s7")
    left = sum(i % 700 == 7 for i in range(1, n + 1))
    expect(view.page.locator("#count")).to_have_text(f"{left} of 20,500 observations shown")
    assert view.shown()[1:] == [left, left, left - 1]
    view.said = [text for text in view.said if "ERR_FILE_NOT_FOUND" not in text]
