"""The parts of the report: photos that it holds, its basemap, what changed, and how much memory it takes."""

from __future__ import annotations

import re
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from reports import draw_photo, fill, park
from test_store import QUERY, had, observation, save

from inat_crawler.outputs.report import write_report
from inat_crawler.outputs.report.thumbnails import MOST_BYTES, thumbnail
from inat_crawler.store import Store


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


def test_changes_since_a_moment(store: Store) -> None:
    save(store, *(replace(o, change="new") for o in park()))
    store.bury({3: "deleted"}, [], keep=False)
    found = store.changes.since("2000", 5)
    assert (found["new"][0], len(found["new"][1]), found["gone"]) == (12, 5, (1, [3]))
    assert store.changes.since("2100", 5) == {}
    assert (store.changes.any_before("2000"), store.changes.any_before("2100")) == (False, True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[1]", "it is no GeoJSON"),
        (b'{"type": NaN}', "it has a number that is not finite"),
        (b'{"type": "Point", "coordinates": [1e999, 3]}', "it has a number that is not finite"),
        (b"{" + b" " * 5_000_000, "it has more than 5,000,000 bytes"),
    ],
)
def test_what_is_no_basemap(store: Store, tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "basemap.geojson").write_bytes(content)
    assert f"basemap.geojson is not drawn: {why}." in fill(store, tmp_path).read_text()


@pytest.mark.long
def test_memory_does_not_grow_with_the_mirror(tmp_path: Path) -> None:
    peaks = []
    for n in (3_000, 30_000):
        store = Store(f"sqlite:///{tmp_path}/{n}.sqlite")
        store.open_mirror(QUERY)
        for start in range(0, n, 1000):
            ids = range(start + 1, start + 1001)
            save(store, *(observation(i, i, taxon_name=f"Genus s{i % 99}", user_login=f"u{i % 99}") for i in ids))
            store.files.save([(i, i, had("square", f"{i}Sq.jpg")) for i in ids])
        tracemalloc.start()
        assert write_report(store, tmp_path / "report.html") == n
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        store.close()
    assert peaks[1] < 1.2 * peaks[0], peaks
