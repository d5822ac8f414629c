"""Which photos may be kept: decided photo by photo, also when a license changes later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import PLACE, crawl
from test_crawl import SEARCH, files_expected, photo_paths
from test_sync import settled
from test_verify import verify

from standin.client import Standin

Start = Callable[..., Standin]
CODES = ("cc0", "cc-by", "cc-by-nc", "cc-by-nd", "cc-by-sa", "cc-by-nc-nd", "cc-by-nc-sa", "pd")


def allowed(park: Standin, codes: tuple[str, ...], images: str = "all") -> dict[str, bytes]:
    """The files that a mirror holds where these licenses are let through."""
    ids = park.ids(**SEARCH)
    files, found = files_expected(park, ids, images, "square"), {}
    for record in map(park.record, ids):
        for position, photo in enumerate(record["photos"][: 1 if images == "first" else None]):
            stem = f"{record['id']}" if position == 0 else f"{record['id']}_{photo['id']}"
            if photo["license_code"] in codes:
                found |= {name: body for name, body in files.items() if name.startswith(f"{stem}Sq.")}
    return found


def test_each_photo_is_fetched_or_not_by_its_own_license(standin: Start, output: Path) -> None:
    park = standin(observations=60)
    run = crawl(park, output, PLACE, "sizes=square", "images=all", "image_licenses=CC-BY,cc0")
    expected = allowed(park, ("cc0", "cc-by"))
    assert run.status == 0, run.log
    assert run.photos() == expected
    assert photo_paths(park).total() == len(set(expected.values())), "a photo that two observations show is copied"
    photos = run.account["photos"]
    assert (photos["wanted"], photos["missing"], photos["withdrawn"]) == (len(expected), 0, 0)
    assert run.account["image_licenses"] == ["cc0", "cc-by"]

    narrower = crawl(park, output, PLACE, "sizes=square", "images=all", "image_licenses=cc0")
    assert (narrower.status, narrower.photos()) == (0, allowed(park, ("cc0",)))
    put_aside = {p.name: p.read_bytes() for p in (output / "withdrawn").iterdir()}
    assert put_aside == {n: b for n, b in expected.items() if n not in narrower.photos()}
    assert narrower.account["photos"]["withdrawn"] == len(put_aside)
    assert f"{len(put_aside)} photo file(s) moved to withdrawn/" in narrower.log
    assert f"{len(put_aside)} withdrawn" in narrower.log.splitlines()[-1]


def test_what_may_not_be_kept_is_not_repaired(standin: Start, output: Path) -> None:
    park = standin(observations=20)
    park.add_fault("photos", "status", status=404, times=1000)
    run = crawl(park, output, PLACE, "sizes=square", "publish=report")
    missing = run.account["photos"]["missing"]
    assert (run.status, run.account["why"]) == (3, f"{missing} photo files could not be had")
    assert f"<strong>NOT complete</strong>: {run.account['why']}." in (output / "report.html").read_text("utf-8")
    park.clear_faults()
    park.reset_log()
    run = crawl(park, output, PLACE, "sizes=square", "image_licenses=open")
    assert (run.status, run.photos(), run.account["photos"]["failed"]) == (0, allowed(park, CODES, "first"), {})
    asked = photo_paths(park).total()
    assert verify(output, "--repair", api_root=park.api_root)[0] == 0
    assert photo_paths(park).total() == asked


@pytest.mark.long
def test_more_licenses_bring_more_photos(standin: Start, output: Path) -> None:
    park = standin(observations=120)
    assert crawl(park, output, PLACE, "sizes=square", "images=all", "image_licenses=cc0,cc-by").status == 0
    wider = crawl(park, output, PLACE, "sizes=square", "images=all", "image_licenses=open")
    assert (wider.status, wider.photos()) == (0, allowed(park, CODES))
    first = crawl(park, output, PLACE, "sizes=square", "images=first", "image_licenses=open")
    assert first.status == 0
    assert allowed(park, CODES, "first").items() <= first.photos().items()
    everything = crawl(park, output, PLACE, "sizes=square", "images=all")
    assert (everything.status, everything.photos()) == (
        0,
        files_expected(park, park.ids(**SEARCH), "all", "square"),
    )


def test_a_license_that_becomes_stricter_withdraws_the_photo(standin: Start, output: Path) -> None:
    park = settled(standin, observations=40)
    arguments = (PLACE, "sizes=square,medium", "image_licenses=open")
    assert crawl(park, output, *arguments).status == 0
    open_ones = [
        r["id"] for r in park.records(**SEARCH) if r["photos"] and r["photos"][0]["license_code"] in CODES
    ]
    strict, stricter = open_ones[3], open_ones[7]
    before = {p.name: p.read_bytes() for p in (output / "images").glob("*.*") if p.is_file()}
    park.advance(86_400)
    park.move_photo_host(strict, license_code=None)
    park.move_photo_host(stricter, license_code="")
    park.advance(86_400)
    park.reset_log()
    run = crawl(park, output, *arguments)

    gone = {
        n: b
        for n, b in before.items()
        if n.startswith((f"{strict}Sq", f"{strict}M", f"{stricter}Sq", f"{stricter}M"))
    }
    assert run.status == 0, run.log
    assert len(gone) == 4
    assert {p.name: p.read_bytes() for p in (output / "withdrawn").iterdir()} == gone
    assert run.photos() == {n: b for n, b in before.items() if n not in gone}
    assert photo_paths(park).total() == 0
    assert run.account["photos"]["withdrawn"] == 4
    assert not (output / "gone").exists() or not any((output / "gone").iterdir())

    park.move_photo_host(strict, license_code="cc-by-nc")
    park.advance(86_400)
    back = crawl(park, output, *arguments)
    assert (back.status, back.photos()) == (
        0,
        run.photos() | {n: b for n, b in gone.items() if n.startswith(str(strict))},
    )


@pytest.mark.long
def test_a_photo_found_under_another_license_is_not_fetched(standin: Start, output: Path) -> None:
    """Its old address answers 403 or 404, and the API says where it is now, and under which license."""
    park = settled(standin, observations=30)
    arguments = (PLACE, "sizes=square", "image_licenses=open")
    park.add_fault("photos", "status", status=404, times=1000)
    assert crawl(park, output, *arguments).status == 3
    park.clear_faults()
    moved = next(
        r["id"] for r in park.records(**SEARCH) if r["photos"] and r["photos"][0]["license_code"] in CODES
    )
    park.move_photo_host(moved, license_code=None, touch=False)
    run = crawl(park, output, *arguments)
    assert run.status == 0, run.log
    assert run.photos() == allowed(park, CODES, "first")
