"""The store: pages and cursors in one transaction, photos and files, one mirror in a folder, and its schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from inat_crawler.api.query import Query
from inat_crawler.errors import StoreError
from inat_crawler.items import Move, Observation, Page, Photo, PhotoFile, Standing, Wants, Window
from inat_crawler.store import Store
from inat_crawler.store.schema import VERSION, metadata

QUERY = Query({"place_id": "1"})
OTHER = Query({"place_id": "1"}, id_below=5)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/observations.sqlite"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store(url)
    store.open_mirror(QUERY)
    yield store
    store.close()


def observation(observation_id: int, *photos: int, **columns: object) -> Observation:
    record = orjson.dumps({"id": observation_id, **columns, "photos": photos})
    items = [Photo(p, n, f"http://h/photos/{p}/square.jpg", "jpg") for n, p in enumerate(photos)]
    return Observation(observation_id, photos=items, record=record, **columns)  # type: ignore[arg-type]


def save(store: Store, *observations: Observation) -> None:
    window = store.windows.open(0, None)
    store.save_page(Page(window, replace(window, cursor=1), list(observations)))


def had(size: str, path: str) -> PhotoFile:
    return PhotoFile(
        size, "http://h", "downloaded", path, bytes=1, sha256="00", fetched_at="2026-05-01T00:00:00.000"
    )


def test_a_page_and_its_cursor_are_stored_together(store: Store) -> None:
    window = store.windows.open(0, None)
    after = replace(window, cursor=7, top=9, total=3)
    bad = [(8, "`location` is odd"), (None, "has no id")]
    store.save_page(Page(window, after, [observation(9), observation(7)], bad))
    assert store.windows.all() == [after]
    assert dict(store.missing.all())[8] == "`location` is odd"
    assert min(store.missing.all())[0] < 0, "a record without an id"
    assert store.missing.ids() == [8]
    assert [o.id for o in store.observations.read([7, 8, 9])] == [9, 7]

    store.save_page(Page(window, after, [observation(9), observation(7)], bad))
    assert (store.windows.all(), len(store.missing.all()), store.observations.count()) == ([after], 2, 2)

    save(store, observation(8))
    assert store.missing.ids() == [], "it can be read now"


def test_the_cursor_never_moves_over_a_page_that_was_not_stored(store: Store) -> None:
    window = store.windows.open(0, None)
    first = replace(window, cursor=70, top=90, total=30)
    second = replace(first, cursor=40)
    store.save_page(Page(first, second, [observation(40)]))
    assert store.windows.all() == [window], "its first page is missing"
    store.save_page(Page(window, first, [observation(70)]))
    assert store.windows.all() == [first]
    store.save_page(Page(first, second, [observation(40)]))
    assert store.windows.all() == [second]


def test_windows_stand_highest_first(store: Store) -> None:
    low, high = store.windows.open(0, None), store.windows.open(900, None)
    assert store.windows.all() == [high, low] == [Window(2, 900), Window(1, 0)]


def test_an_observation_comes_back_as_it_was(store: Store) -> None:
    original = observation(7, 50, 49, species_guess="a\tb\r\"'\0 \U0001f980", latitude="38.4400", captive=False)
    save(store, original)
    assert store.observations.read([7]) == [replace(original, record=None, change="unchanged")]
    assert store.observations.record(7) == original.record
    assert store.observations.record(8) is None
    assert store.observations.digests([7, 8]) == {7: original.digest()}


def test_an_edit_replaces_columns_photos_and_record(store: Store) -> None:
    save(store, observation(7, 50, 49, species_guess="Octopus"))
    edited = observation(7, 51, species_guess="Squid")
    save(store, edited)
    assert store.observations.read([7]) == [replace(edited, record=None, change="unchanged")]
    assert store.observations.record(7) == edited.record
    assert store.observations.count() == 1


def test_moves_are_intended_with_the_page_that_calls_for_them(store: Store) -> None:
    save(store, observation(7, 50, 49, 48))
    store.files.save([(7, 50, had("square", "7Sq.jpg")), (7, 49, had("square", "7_49Sq.jpg"))])
    store.files.save([(7, 48, had("square", "7_48Sq.jpg")), (7, 48, PhotoFile("medium", "u", "failed"))])
    moves = [
        Move(7, 50, "square", "7Sq.jpg", "7_50Sq.jpg"),
        Move(7, 49, "square", "7_49Sq.jpg", "7Sq.jpg"),
        Move(7, 48, "square", "7_48Sq.jpg", None),
    ]
    store.save_page(Page(None, None, [observation(7, 49, 50)]), moves)
    assert {key: file.path for key, file in store.files.of(7).items()} == {
        (50, "square"): "7_50Sq.jpg",
        (49, "square"): "7Sq.jpg",
    }
    assert set(store.moves.pending()) == set(moves)
    store.moves.all_set_out()
    assert set(store.moves.pending()) == {replace(move, set_out=True) for move in moves}
    store.moves.done()
    assert store.moves.pending() == []


def test_the_log_tells_which_fields_changed(store: Store) -> None:
    save(store, replace(observation(7, 50), change="new"), replace(observation(6), change="new"))
    save(store, replace(observation(7, 51, species_guess="Squid"), change="changed"))
    save(store, replace(observation(7, 51, species_guess="Squid"), change="unchanged"))
    store.bury({6: "deleted"}, [], keep=False)
    log = [(row["observation_id"], row["change"], row["fields"]) for rows in store.changes.log() for row in rows]
    assert log == [(7, "new", ""), (6, "new", ""), (7, "changed", "species_guess,photos"), (6, "gone", "")]
    assert store.changes.untold() == {7: "new"}, "what is gone is told to nobody"


@pytest.mark.parametrize("keep", [False, True])
def test_a_tombstone(store: Store, keep: bool) -> None:
    save(store, *(observation(i, i * 10) for i in (9, 8, 7)))
    store.files.save([(8, 80, had("square", "8Sq.jpg"))])
    store.missing.note_listed([8])
    moves = [] if keep else [Move(8, 80, "square", "8Sq.jpg", None)]
    store.bury({8: "deleted"}, moves, keep)

    assert (store.observations.count(), store.observations.count(7, 9)) == (2, 1)
    assert store.observations.ids_between(6, 10) == {9, 7}
    assert store.observations.digests([8]) == {}
    assert store.observations.kept_though_gone() == ([8] if keep else [])
    assert [row["id"] for rows in store.observations.rows(["id"]) for row in rows] == [
        9,
        *([8] if keep else []),
        7,
    ]
    assert store.files.lacking(Wants("all", ("square", "medium"))) == [9, 7]
    assert store.moves.pending() == moves
    assert len(store.files.of(8)) == keep
    assert store.missing.ids() == []

    if keep:
        store.clear_away([8], [Move(8, 80, "square", "8Sq.jpg", None)])
        assert store.observations.kept_though_gone() == []
    save(store, replace(observation(8, 80), change="new"))
    assert store.observations.count() == 3, "it is back"


def test_how_a_mirror_stands(store: Store) -> None:
    assert store.standing() == Standing()
    window = store.windows.open(0, None)
    store.save_page(Page(window, replace(window, done=True, top=9), served_at="2026-01-01T00:00:00Z"))
    store.save_page(Page(None, None, served_at="2026-01-02T00:00:00Z"))
    assert store.standing() == Standing(synced_at="2026-01-01T00:00:00Z"), "of the first answer"

    sweep = store.windows.open(0, 10, "2025-12-31T23:50:00Z", "2026-01-03T00:00:00Z")
    assert store.windows.sweep() == sweep
    assert store.windows.all() == [replace(window, done=True, top=9)]
    store.windows.finish_sweep(sweep)
    store.note_standing(asked=9, reconciled=True)
    assert store.standing() == Standing("2026-01-03T00:00:00Z", asked=9, reconciled=True)
    assert store.windows.sweep() is None


def test_windows_that_are_read_become_one(store: Store) -> None:
    low = store.windows.open(5, None)
    store.save_page(Page(low, replace(low, done=True, top=9, total=3, read=3)))
    high = store.windows.open(9, None)
    store.windows.merge()
    assert len(store.windows.all()) == 2, "one is not read to its end"
    store.save_page(Page(high, replace(high, done=True, top=12, total=2, read=2)))
    assert store.windows.top() == 12
    store.windows.merge()
    assert store.windows.all() == [replace(low, done=True, top=12, total=5, read=3)]


def test_which_files_are_lacking(store: Store) -> None:
    save(store, observation(9, 90, 91), observation(8), observation(7, 70))
    assert store.files.lacking(Wants("first", ("square", "medium"))) == [9, 7]
    assert store.files.count_wanted(Wants("first", ("square", "medium"))) == 4
    assert store.files.count_wanted(Wants("all", ("square", "medium"))) == 6
    assert store.files.count_wanted(Wants("none", ("square", "medium"))) == 0
    assert store.files.count_had(Wants("all", ("square", "medium")), "2026") == {}

    store.files.save([(9, 90, had(s, "x")) for s in ("square", "medium")])
    store.files.save([(7, 70, had("square", "y")), (7, 70, PhotoFile("medium", "u", "failed", reason="404"))])
    assert store.files.lacking(Wants("first", ("square", "medium"))) == [7]
    assert store.files.lacking(Wants("first", ("square",))) == []
    assert store.files.lacking(Wants("all", ("square",))) == [9]
    assert store.files.lacking(Wants("none", ("square",))) == []
    assert store.files.count_had(Wants("all", ("square", "medium")), "2026") == {"downloaded": 3}
    assert store.files.count_had(Wants("all", ("square", "medium")), "2027") == {"already_there": 3}
    assert store.files.count_had(Wants("none", ("square",)), "2026") == {}
    assert [(o, p, f.reason) for o, p, f in store.files.not_had()] == [(7, 70, "404")]
    assert [(o.id, o.change) for o in store.unfinished(Wants("all", ("square", "medium")))] == [
        (9, "unchanged"), (7, "unchanged"),
    ]  # fmt: skip


def test_what_no_feed_has_shown_yet(store: Store) -> None:
    save(store, *(replace(observation(i), change=c) for i, c in ((9, "new"), (8, "changed"), (7, "unchanged"))))
    assert store.changes.untold() == {9: "new", 8: "changed"}
    assert [(o.id, o.change) for o in store.unfinished(Wants("none", ()))] == [(9, "new"), (8, "changed")]
    store.changes.told([9])
    assert store.changes.untold() == {8: "changed"}


def test_the_same_photo_elsewhere(store: Store) -> None:
    store.files.save([(9, 90, had("square", "9Sq.jpg")), (8, 90, PhotoFile("medium", "u", "failed"))])
    found = store.files.elsewhere(7, 90, "square")
    assert found is not None
    assert found.path == "9Sq.jpg"
    assert store.files.elsewhere(9, 90, "square") is None
    assert store.files.elsewhere(7, 90, "medium") is None
    assert [(o, p) for o, p, _ in store.files.had()] == [(9, 90)]


def test_rows_come_newest_first_by_the_instant(store: Store) -> None:
    times = {
        1: "2020-11-08T13:20:57-08:00",  # 21:20 UTC
        2: "2020-11-08T22:00:00+02:00",  # 20:00 UTC
        3: "2020-11-08T21:20:57+00:00",  # with 1
        4: None,
        5: "no time",
    }
    save(store, *(observation(i, created_at=t) for i, t in times.items()))
    chunks = list(store.observations.rows(["id"], chunk=2))
    assert [[row["id"] for row in chunk] for chunk in chunks] == [[3, 1], [2, 5], [4]]


def test_another_query_is_refused_once_something_is_stored(store: Store, url: str) -> None:
    store.open_mirror(OTHER)
    save(store, observation(7))
    with pytest.raises(StoreError) as error:
        store.open_mirror(QUERY)
    assert str(error.value) == (
        f"the output holds the mirror of another query: {OTHER}; this one asks for: {QUERY}. "
        "Choose another output."
    )
    again = Store(url)
    again.open_mirror(OTHER)
    assert again.observations.count() == 1
    again.close()


@pytest.mark.parametrize("cut_short", ["", "ALTER TABLE mirrors ADD COLUMN synced_at TEXT"])
def test_an_older_store_is_brought_to_this_version(tmp_path: Path, cut_short: str) -> None:
    with sqlite3.connect(tmp_path / "observations.sqlite") as db:
        db.executescript((Path(__file__).parent / "store_v1.sql").read_text() + cut_short)
    db.close()
    for _ in range(2):
        store = Store(f"sqlite:///{tmp_path}/observations.sqlite")
        store.open_mirror(QUERY)
        assert [o.id for o in store.observations.read([9, 8, 7])] == [9, 8, 7]
        assert store.standing() == Standing(synced_at="2026-05-01T10:00:00+00:00")
        assert (store.windows.top(), store.windows.sweep()) == (9, None)
        assert store.changes.untold() == {7: "new"}
        assert store.missing.all() == [(6, "`location` is odd")]
        assert store.moves.pending() == [Move(9, 91, "square", "9_91Sq.jpg", None)]
        assert list(store.files.of(9)) == [(90, "square")]
        assert store.last_arguments()["images"] == "all"
        store.close()
    with sqlite3.connect(tmp_path / "observations.sqlite") as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert db.execute("SELECT version FROM schema_version").fetchall() == [(VERSION,)]
    db.close()
    assert tables == set(metadata.tables)


def test_a_newer_schema_is_refused(store: Store, url: str, tmp_path: Path) -> None:
    store.close()
    with sqlite3.connect(tmp_path / "observations.sqlite") as db:
        db.execute("UPDATE schema_version SET version = ?", (VERSION + 1,))
    db.close()
    with pytest.raises(StoreError, match=f"written by a newer inat_crawler .its schema is {VERSION + 1}"):
        Store(url)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"garbage" * 500)
    for url in (f"sqlite:///{tmp_path}/x.sqlite", f"sqlite:///{tmp_path}/no/such/folder/x.sqlite"):
        with pytest.raises(StoreError, match="the store cannot be opened"):
            Store(url)
    for url in ("nonsense", "sqlite://", "mysql://127.0.0.1/x", "foo://127.0.0.1/x", "postgresql+none://h/x"):
        with pytest.raises(StoreError, match="the store"):
            Store(url)


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.sqlite") as db:
        db.execute("CREATE TABLE observations (x)")
    db.close()
    with pytest.raises(StoreError, match=r"the store cannot be opened: .*no such column"):
        Store(f"sqlite:///{tmp_path}/x.sqlite")


def test_crawls_are_numbered(store: Store, tmp_path: Path) -> None:
    assert store.begin_crawl("2026-01-01T00:00:00+00:00", {"limit": 5}) == 1
    assert store.begin_crawl("2026-01-02T00:00:00+00:00", {}) == 2
    store.finish_crawl(1, {"complete": True})
    with sqlite3.connect(tmp_path / "observations.sqlite") as db:
        rows = db.execute("SELECT crawl_id, arguments, account FROM crawls ORDER BY crawl_id").fetchall()
    db.close()
    assert rows == [(1, '{"limit": 5}', '{"complete": true}'), (2, "{}", None)]


def test_a_move_that_an_older_version_intended_goes_to_gone(store: Store, url: str) -> None:
    save(store, observation(9, 90))
    store.bury({9: "deleted"}, [Move(9, 90, "square", "9Sq.jpg", None)], keep=False)
    store.close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as db:
        db.executescript("ALTER TABLE moves DROP COLUMN aside; UPDATE schema_version SET version = 3;")
    db.close()
    later = Store(url)
    later.open_mirror(QUERY)
    assert later.moves.pending() == [Move(9, 90, "square", "9Sq.jpg", None, aside="gone")]
    later.close()


def test_which_files_are_withdrawn(store: Store) -> None:
    save(store, observation(9, 90, 91), observation(8, 80), observation(7, 70))
    with store.database.writing() as db:
        for photo_id, code in ((90, "CC0"), (91, None), (80, "")):
            db.exec_driver_sql("UPDATE photos SET license_code = ? WHERE id = ?", (code, photo_id))
    store.files.save([(9, 90, had("square", "a")), (9, 91, had("square", "b")), (8, 80, had("square", "c"))])
    store.files.save([(7, 70, PhotoFile("square", "u", "failed", reason="404"))])
    open_ones = Wants("all", ("square",), ("cc0",))
    assert store.files.count_wanted(open_ones) == 1
    assert store.files.lacking(open_ones) == []
    moves = store.files.withdrawn(("cc0",))
    assert {(m.observation_id, m.path, m.target, m.aside) for m in moves} == {
        (9, "b", None, "withdrawn"),
        (8, "c", None, "withdrawn"),
    }
    assert sorted(store.files.withdrawn(("cc-by",)), key=lambda m: m.path)[0].path == "a"
    assert store.withdraw(("cc0",)) == moves
    assert store.files.withdrawn(("cc0",)) == []
    assert list(store.files.not_had()) == [], "nobody tries them again"
    assert sorted(store.moves.pending(), key=lambda m: m.path) == sorted(moves, key=lambda m: m.path)


def test_the_fingerprint_differs_when_something_has_changed(store: Store) -> None:
    save(store, observation(9, 90), observation(8))
    seen = [store.whole.fingerprint()]

    def changed() -> bool:
        seen.append(store.whole.fingerprint())
        return seen[-1] not in seen[:-1]

    store.note_standing(reconciled=True)
    store.finish_crawl(store.begin_crawl("2026-01-01T00:00:00+00:00", {}), {"started_at": "x"})
    assert not changed(), "only looked at"
    store.files.save([(9, 90, had("square", "a"))])
    assert changed()
    store.files.save([(9, 90, replace(had("square", "a"), status="lost"))])
    assert changed()
    save(store, replace(observation(9, 90, place_guess="here"), change="changed"))
    assert changed()
    store.observations.readdress(9, Photo(90, 0, "http://other/90/square.jpg", license_code=None))
    assert changed()
    store.bury({8: "deleted"}, [], keep=True)
    assert changed()
    store.clear_away([8], [])
    assert changed()
    store.missing.note_listed([5])
    assert changed()
    with store.database.writing() as db:  # a clock that was ahead
        db.exec_driver_sql("UPDATE observations SET changed_at = '2999-01-01' WHERE id = 9")
    assert changed()
    store.observations.readdress(9, Photo(90, 0, "http://other/90/square.jpg", license_code="cc0"))
    assert changed()
    store.missing.note_listed([2**63 - 1, 2**63 - 2])
    assert changed()
