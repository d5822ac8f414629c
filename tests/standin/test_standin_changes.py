"""Inserts, edits, deletions and moves; the first-page cache, the index lag, changes between pages."""

from __future__ import annotations

from datetime import datetime
from urllib.error import HTTPError

import pytest

from standin.client import Standin

DEFAULT: dict[str, object] = {"place_id": 128892, "geo": "true", "identified": "true", "rank": "species"}


def since(world: Standin, text: str) -> list[int]:
    page = world.get("/observations", updated_since=text, order_by="id", per_page=200, **DEFAULT)
    return [row["id"] for row in page["results"]]


def test_inserts_come_last_and_match(world: Standin) -> None:
    before = world.ids()
    ids = world.insert(3, photos=2, species_guess="=1+1")
    assert world.ids(**DEFAULT)[:3] == ids[::-1]
    assert min(ids) > before[0]
    record = world.record(ids[0])
    assert (record["species_guess"], len(record["photos"])) == ("=1+1", 2)
    assert len({world.record(number)["created_at"] for number in ids}) == 1


def test_a_plain_first_page_is_an_hour_old(world: Standin) -> None:
    query: dict[str, object] = {**DEFAULT, "per_page": 0}
    assert world.get("/observations", **query)["total_results"] == 40
    world.insert(1)
    assert world.get("/observations", **query)["total_results"] == 40
    assert world.get("/observations", id_above=0, **query)["total_results"] == 41
    assert world.get("/observations", **{**query, "per_page": "0.0"})["total_results"] == 41
    world.advance(3601)
    assert world.get("/observations", **query)["total_results"] == 41


def test_updated_since_is_inclusive_and_knows_touched_edits_only(world: Standin) -> None:
    number, silent = world.ids(**DEFAULT)[:2]
    updated = world.edit(number, description="new")["updated_at"]
    old = world.record(silent)["updated_at"]
    assert world.edit(silent, touch=False, description="also new")["updated_at"] == old
    assert since(world, updated) == [number]
    instant = datetime.fromisoformat(updated)
    assert since(world, instant.strftime("%a, %d %b %Y %H:%M:%S %z")) == [number]
    assert since(world, f"{updated[:19]}.900{updated[19:]}") == [number]


def test_deletions_and_moves_vanish_without_trace(world: Standin) -> None:
    deleted, moved, touched = world.ids(**DEFAULT)[:3]
    world.delete(deleted)
    world.move(moved, touch=False)
    world.move(touched)
    assert not {deleted, moved, touched} & set(world.ids(**DEFAULT))
    assert since(world, "2025-07-01") == []
    assert world.get(f"/observations/{deleted},{moved}")["total_results"] == 1
    with pytest.raises(ValueError, match="KeyError"):
        world.record(deleted)


def test_index_lag(world: Standin) -> None:
    edited, deleted = world.ids(**DEFAULT)[:2]
    world.index_lag(20)
    world.edit(edited, description="late")
    world.delete(deleted)
    inserted = world.insert(1)[0]
    assert {edited, deleted, inserted} <= set(world.ids(**DEFAULT))
    assert world.get(f"/observations/{edited}")["results"][0]["description"] != "late"
    assert world.record(edited)["description"] == "late"
    world.advance(21)
    assert deleted not in world.ids(**DEFAULT)
    assert world.get(f"/observations/{edited}")["results"][0]["description"] == "late"
    world.index_lag(20, inserts=True)
    unseen = world.insert(1)[0]
    assert unseen not in world.ids()
    world.index_lag(0)
    assert unseen in world.ids()


def test_changes_between_pages(world: Standin) -> None:
    world.before_page(insert=2, delete=1, edit=1, maximum=4)
    for _ in range(6):
        world.get("/observations", id_above=0, **DEFAULT)
    done = world.interference()
    assert {kind: len(ids) for kind, ids in done.items()} == {"inserted": 4, "deleted": 4, "edited": 4}
    assert not set(done["deleted"]) & set(world.ids())
    assert set(done["inserted"]) - set(done["deleted"]) <= set(world.ids(**DEFAULT))
    world.before_page()
    assert world.interference() == {"inserted": [], "deleted": [], "edited": []}


def test_planted_private_keys_leak_to_everybody(world: Standin) -> None:
    number = world.ids(**DEFAULT)[0]
    world.plant_private(number, location="38.5,-9.5")
    record = world.get(f"/observations/{number}")["results"][0]
    assert record["private_location"] == "38.5,-9.5"
    assert record["private_geojson"] == {"type": "Point", "coordinates": [-9.5, 38.5]}


def test_wrong_control_calls_are_told(world: Standin) -> None:
    with pytest.raises(ValueError, match="unknown kind of fault"):
        world.add_fault("api", "meltdown")
    with pytest.raises(ValueError, match="KeyError"):
        world.edit(1)


def test_rate_limit(world: Standin) -> None:
    world.rate_limit(3, retry_after="7")
    for _ in range(3):
        world.get("/observations", per_page=0)
    with pytest.raises(HTTPError) as caught:
        world.get("/observations", per_page=0)
    with caught.value as error:
        assert (error.code, error.reason, error.headers["Retry-After"]) == (429, "normal_throttling", "7")
    world.advance(61)
    world.get("/observations", per_page=0)


def test_a_restart_on_the_same_port_keeps_addresses(world: Standin) -> None:
    number = world.ids(photos="true")[0]
    record, port = world.record(number), world.port
    world.stop()
    with Standin(observations=40, original_pixels=600, port=port) as again:
        assert again.record(number) == record
