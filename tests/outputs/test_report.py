"""The report in a real Chromium: it opens from the disk, shows what it should, and asks nobody for anything."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect, sync_playwright
from test_store import QUERY, had, observation, save

from inat_crawler.api.records import read_record
from inat_crawler.items import Observation, Photo
from inat_crawler.outputs.report import write_report
from inat_crawler.outputs.report.rows import IN_GALLERY
from inat_crawler.outputs.report.thumbnails import MOST_BYTES, thumbnail
from inat_crawler.store import Store

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]
in_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
with_real_records = pytest.mark.skipif(
    "INAT_TEST_RECORDS" not in os.environ, reason="INAT_TEST_RECORDS names no file of real records"
)
COLORS = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{7*7}} ${7*7} <!--",
    "a\u2028b\u2029c\u202e",
    "__proto__",
    "' onmouseover='alert(1)",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/observations.sqlite")
    store.open_mirror(QUERY)
    yield store
    store.close()


@dataclass
class Opened:
    """A report that is open, all that its console said, and all that it asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()

    def shown(self) -> list[Any]:
        """What count, map, the chart of years and gallery show."""
        page = self.page
        return [
            page.locator("#count").inner_text(),
            int(page.locator("#map").get_attribute("data-shown") or -1),
            int(page.locator("#years").get_attribute("data-total") or -1),
            int(page.locator("#gallery").get_attribute("data-total") or -1),
        ]

    def is_drawn(self, selector: str) -> bool:
        """Has a canvas pixels of different colors?"""
        return bool(self.page.locator(selector).first.evaluate(COLORS) > 2)

    @property
    def species(self) -> Locator:
        return self.page.get_by_role("combobox", name="Species")

    def width(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth"))


Open = Callable[..., Opened]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens a file; at the end of the test nothing may have gone wrong or out."""
    opened: list[Opened] = []

    def open_page(path: Path, width: int = 1280, **options: Any) -> Opened:
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        view = Opened(page)
        page.on("console", lambda message: view.said.append(told(message)))
        page.on("pageerror", lambda error: view.said.append(str(error)))
        page.on("dialog", lambda dialog: (view.said.append("a dialog"), dialog.dismiss()))
        page.on("request", lambda request: view.asked.append(scheme(request)))
        page.goto(path.as_uri())
        opened.append(view)
        return view

    yield open_page
    for view in opened:
        view.page.close()
        assert view.said == []
        assert set(view.asked) <= {"file", "data"}


def told(message: ConsoleMessage) -> str:
    return f"{message.type}: {message.text}"


def scheme(request: Request) -> str:
    return request.url.partition(":")[0]


def draw_photo(path: Path, color: str = "teal", pixels: int = 75, **options: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (pixels, pixels), color).save(path, **options)


def fill(store: Store, folder: Path, *observations: Observation, photos: bool = True) -> Path:
    """Save observations, give their first photos files, and write the report."""
    save(store, *observations)
    files = [(o.id, p.id, had("square", f"{o.id}Sq.jpg")) for o in observations for p in o.photos[:1]]
    if files:
        store.files.save(files)
    for observation_id, *_ in files if photos else []:
        draw_photo(folder / "images" / f"{observation_id}Sq.jpg")
    assert write_report(store, folder / "report.html") == len(observations)
    return folder / "report.html"


def park() -> list[Observation]:
    """Twelve observations: octopuses and gulls in two years, of all grades; two are obscured, one has no place."""
    grades = ["research", "needs_id", "casual"]
    return [
        observation(
            i,
            *([500 + i] if i % 4 else []),
            taxon_id=1 + i % 2,
            taxon_name=["Larus fuscus", "Octopus vulgaris"][i % 2],
            taxon_common_name=[None, "Common Octopus"][i % 2],
            taxon_rank="species",
            quality_grade=grades[i % 3],
            observed_on=f"202{i % 2}-0{1 + i % 9}-11",
            latitude=None if i == 12 else f"38.4{i}",
            longitude=None if i == 12 else f"-9.0{i}",
            obscured=i in (1, 2),
            license_code=["cc-by", None][i % 2],
            user_id=i % 3,
            user_login=f"user{i % 3}",
        )
        for i in range(1, 13)
    ]


@in_chromium
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


@in_chromium
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


@in_chromium
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


@in_chromium
def test_a_mark_tells_what_it_stands_for(store: Store, tmp_path: Path, open_page: Open) -> None:
    one = observation(7, taxon_name="Octopus vulgaris", latitude="38.5", longitude="-9.1", obscured=True)
    view = open_page(fill(store, tmp_path, one, observation(6, latitude="38.5", longitude="-9.1", obscured=True)))
    view.page.locator("#map").click()
    assert view.texts(".popup p") == ["Obscured: the true place is somewhere in this cell."]
    assert [t.split("\n")[0] for t in view.texts(".popup li")] == ["Octopus vulgaris", "Not identified"]
    assert (
        view.page.locator(".popup a").first.get_attribute("href") == "https://www.inaturalist.org/observations/7"
    )


@in_chromium
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


def hostile(observation_id: int, text: str) -> Observation:
    columns = dict.fromkeys(
        ("taxon_name", "taxon_common_name", "user_login", "quality_grade", "license_code"), text
    )
    columns |= dict.fromkeys(("uri", "observed_on", "place_guess", "species_guess", "taxon_rank"), text)
    photo = Photo(observation_id, 0, url=text, license_code=text, attribution=text)
    return Observation(observation_id, **columns, photos=[photo], record=b"{}")  # type: ignore[arg-type]


def account_of(**changed: Any) -> dict[str, Any]:
    """The account of a crawl that came to its end."""
    return {
        "query": "place_id=1",
        "url": "https://www.inaturalist.org/observations?place_id=1",
        "params": {"place_id": "1"},
        "images": "first",
        "sizes": ["square"],
        "limit": None,
        "started_at": "2026-05-01T10:00:00+00:00",
        "finished_at": "2026-05-01T10:05:00+00:00",
        "complete": False,
        "finish_reason": "finished",
        "error": None,
        "observations": {"missing": [], "malformed": []},
        "photos": {"missing": 0, "failed": {}},
        **changed,
    }


@in_chromium
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


@in_chromium
def test_an_empty_mirror_has_a_report_too(store: Store, tmp_path: Path, open_page: Open) -> None:
    view = open_page(fill(store, tmp_path))
    assert view.shown() == ["0 of 0 observations shown", 0, 0, 0]
    assert view.texts(".state") == ["NOT complete: no crawl has come to its end yet."]
    assert view.texts("h1") == ["Observations in place 1"]


@in_chromium
@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone(store: Store, tmp_path: Path, open_page: Open, width: int) -> None:
    long = observation(99, 990, taxon_id=9, taxon_name="x" * 200, user_id=99, user_login="y" * 200)
    view = open_page(fill(store, tmp_path, *park(), long), width=width, has_touch=True, color_scheme="dark")
    assert view.width() == width
    assert not view.species.is_visible()
    view.page.get_by_text("Filters", exact=True).tap()
    view.species.fill("octo")
    assert view.shown()[0] == "6 of 13 observations shown"
    assert view.width() == width


@in_chromium
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


def test_embedded_photos(tmp_path: Path) -> None:
    square, large, strange, broken = (tmp_path / n for n in ("a.jpg", "b.jpg", "c.jpg", "d.jpg"))
    draw_photo(square)
    Image.effect_noise((800, 600), 90).convert("CMYK").save(large, "JPEG")
    draw_photo(strange, format="BMP")
    broken.write_bytes(square.read_bytes()[:300])
    assert large.stat().st_size > MOST_BYTES
    for path in (square, large, strange):
        address = thumbnail(path)
        assert address is not None
        assert re.match("data:image/jpeg;base64,/9j/", address), path.name
        assert len(address) < 1.4 * MOST_BYTES
    assert [thumbnail(broken), thumbnail(tmp_path / "none"), thumbnail(tmp_path)] == [None, None, None]


@in_chromium
def test_what_the_last_crawl_did(store: Store, tmp_path: Path, open_page: Open) -> None:
    save(store, *(replace(o, change="new") for o in park()))
    store.begin_crawl("2026-05-01T10:00:00+00:00", {})
    store.finish_crawl(1, account_of(complete=True))
    write_report(store, tmp_path / "report.html")
    view = open_page(tmp_path / "report.html")
    assert "This is the first crawl: everything is new." in view.texts("main")[0]
    assert view.texts(".state") == ["Complete: everything that was asked for is here."]

    after = "2100-01-01T00:00:00+00:00"
    store.begin_crawl(after, {})
    store.finish_crawl(2, account_of(started_at=after))
    write_report(store, tmp_path / "report.html")
    assert "Nothing is new, changed or gone." in open_page(tmp_path / "report.html").texts("main")[0]


def test_changes_since_a_moment(store: Store) -> None:
    save(store, *(replace(o, change="new") for o in park()))
    store.bury({3: "deleted"}, [], keep=False)
    found = store.changes.since("2000", 5)
    assert (found["new"][0], len(found["new"][1]), found["gone"]) == (12, 5, (1, [3]))
    assert store.changes.since("2100", 5) == {}
    assert (store.changes.any_before("2000"), store.changes.any_before("2100")) == (False, True)


LINE = {"type": "LineString", "coordinates": [[-9.2, 38.4], [-9.0, 38.5]]}
ODD = {"type": "Point", "coordinates": "x"}


@in_chromium
@pytest.mark.parametrize(("geometry", "said"), [(LINE, []), (ODD, ["basemap.geojson cannot be drawn."])])
def test_an_own_basemap(
    store: Store, tmp_path: Path, open_page: Open, geometry: dict[str, Any], said: list[str]
) -> None:
    feature = {"type": "Feature", "properties": {"name": HOSTILE[2]}, "geometry": geometry}
    (tmp_path / "basemap.geojson").write_bytes(orjson.dumps({"type": "FeatureCollection", "features": [feature]}))
    view = open_page(fill(store, tmp_path, *park()))
    assert [text for text in view.texts(".map-card > .quiet") if "geojson" in text] == said
    assert view.is_drawn("#map .leaflet-overlay-pane canvas")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[1]", "it is no GeoJSON"),
        (b'{"type": NaN}', "it cannot be read: NaN is no number in JSON"),
        (b"{" + b" " * 5_000_000, "it has more than 5,000,000 bytes"),
    ],
)
def test_what_is_no_basemap(store: Store, tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "basemap.geojson").write_bytes(content)
    assert f"basemap.geojson is not drawn: {why}." in fill(store, tmp_path).read_text()


@in_chromium
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


@in_chromium
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
