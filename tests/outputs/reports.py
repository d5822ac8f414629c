"""A report that is open in a browser, and mirrors to make reports of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import ConsoleMessage, Locator, Page, Request
from test_store import had, observation, save

from inat_crawler.items import Observation, Photo
from inat_crawler.outputs.report import write_report
from inat_crawler.store import Store

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
