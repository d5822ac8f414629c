"""A finished mirror is brought in step: what is new, edited, gone; photos renamed, replaced, moved."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import PLACE, Crawl, crawl, finish, start
from test_crawl import SEARCH, files_expected, photo_paths

from standin.client import Standin

Start = Callable[..., Standin]
DAY = 86_400


def changes(output: Path) -> list[dict[str, str]]:
    with (output / "changes.tsv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def last_change(output: Path) -> dict[int, tuple[str, str]]:
    return {int(row["id"]): (row["change"], row["fields"]) for row in changes(output)}


def in_step(park: Standin, run: Crawl, images: str = "first", sizes: str = "square,medium,original") -> None:
    """The mirror holds what the stand-in has, to the byte, and its account says so."""
    ids = park.ids(**SEARCH)
    assert run.status == 0, run.log
    assert sorted(run.table()["id"].astype(int), reverse=True) == ids
    assert run.photos() == ({} if images == "none" else files_expected(park, ids, images, sizes))
    observations = run.account["observations"]
    assert observations["asked"] == observations["stored"] == len(ids)
    assert (observations["reconciled"], observations["missing"]) == (True, [])


def photos_asked(park: Standin) -> int:
    return len(park.requests("open")) + len(park.requests("static"))


def settled(standin: Start, **options: object) -> Standin:
    """A park in which the last thing happened long ago: sweeps overlap."""
    park = standin(**options)
    park.advance(DAY)
    return park


def test_nothing_changed(standin: Start, output: Path) -> None:
    park = settled(standin, observations=300)
    assert crawl(park, output, PLACE, "sizes=square").account["observations"]["new"] == 300
    table, log = ((output / name).read_bytes() for name in ("dataFrame.csv", "changes.tsv"))
    park.advance(DAY)
    park.reset_log()
    again = crawl(park, output, PLACE, "sizes=square")
    in_step(park, again, sizes="square")
    assert len(park.requests("api")) <= 4
    assert photos_asked(park) == 0
    assert (output / "dataFrame.csv").read_bytes() == table
    assert (output / "changes.tsv").read_bytes() == log
    assert {c for c, _ in last_change(output).values()} == {"new"}


def test_new_edited_deleted_and_moved_in_one_run(standin: Start, output: Path) -> None:
    park = settled(standin, observations=400)
    assert crawl(park, output, PLACE, "sizes=square").status == 0
    ids = park.ids(**SEARCH)
    park.advance(DAY)
    new = park.insert(30)
    edited, deleted, moved = ids[10:15], ids[100:107], ids[300:303]
    for observation_id in edited:
        park.edit(observation_id, species_guess="Octopus?", description="seen again")
    park.delete(*deleted)
    park.move(*moved, touch=False)
    gone = [f for i in (*deleted, *moved) for f in Crawl(0, "", output).photos() if f.startswith(f"{i}")]
    park.reset_log()

    run = crawl(park, output, PLACE, "sizes=square")
    in_step(park, run, sizes="square")
    observations = run.account["observations"]
    assert (observations["new"], observations["changed"], observations["gone"]) == (30, 5, 10)
    assert len(park.requests("api")) <= 12
    assert {p.name for p in (output / "gone").iterdir()} == set(gone)
    expected = dict.fromkeys(new, ("new", "")) | dict.fromkeys(
        edited, ("changed", "updated_at,species_guess,description")
    )
    expected |= dict.fromkeys([*deleted, *moved], ("gone", ""))
    found = last_change(output)
    fields = {i: set(found[i][1].split(",")) for i in edited}
    assert {i: found[i][0] for i in expected} == {i: change for i, (change, _) in expected.items()}
    assert all({"updated_at", "species_guess", "description"} == f for f in fields.values())
    reasons = dict(run.rows("SELECT observation_id, reason FROM tombstones"))
    assert reasons == dict.fromkeys(deleted, "deleted") | dict.fromkeys(moved, "no longer matches the query")
    assert all(when for (when,) in run.rows("SELECT gone_at FROM tombstones"))

    park.reset_log()
    in_step(park, crawl(park, output, PLACE, "sizes=square"), sizes="square")
    assert photos_asked(park) == 0


@pytest.mark.long
def test_what_is_gone_may_be_kept(standin: Start, output: Path) -> None:
    park = settled(standin, observations=60)
    before = crawl(park, output, PLACE, "sizes=square").photos()
    deleted = park.ids(**SEARCH)[5:9]
    park.delete(*deleted)
    run = crawl(park, output, PLACE, "sizes=square", "keep_gone=true")
    assert run.status == 0, run.log
    assert run.photos() == before
    assert len(run.table()) == 60
    assert (run.account["observations"]["stored"], run.account["observations"]["asked"]) == (56, 56)
    assert run.account["photos"]["missing"] == 0
    assert dict(run.rows("SELECT observation_id, reason FROM tombstones")) == dict.fromkeys(deleted, "deleted")
    assert crawl(park, output, PLACE, "sizes=square", "keep_gone=true").account["observations"]["gone"] == 0
    assert not (output / "gone").exists()

    in_step(park, crawl(park, output, PLACE, "sizes=square"), sizes="square")
    assert (output / "gone").exists()


@pytest.mark.long
def test_what_was_gone_comes_back(standin: Start, output: Path) -> None:
    park = settled(standin, observations=40)
    assert crawl(park, output, PLACE, "sizes=square").status == 0
    chosen = park.ids(**SEARCH)[3]
    places = park.record(chosen)["place_ids"]
    park.move(chosen)
    assert crawl(park, output, PLACE, "sizes=square").account["observations"]["gone"] == 1
    park.edit(chosen, place_ids=places)
    run = crawl(park, output, PLACE, "sizes=square")
    in_step(park, run, sizes="square")
    assert run.account["observations"]["new"] == 1
    assert run.rows("SELECT * FROM tombstones") == []
    assert [row["change"] for row in changes(output) if int(row["id"]) == chosen] == ["new", "gone", "new"]


@pytest.mark.long
def test_an_audit_finds_what_counts_cannot(standin: Start, output: Path) -> None:
    park = settled(standin, observations=250)
    away = park.ids(**SEARCH)[7]
    places = park.record(away)["place_ids"]
    park.move(away, touch=False)
    assert crawl(park, output, PLACE, "images=none").status == 0
    park.edit(away, place_ids=places, touch=False)
    park.move(park.ids(**SEARCH)[100], touch=False)
    park.advance(DAY)

    auto = crawl(park, output, PLACE, "images=none")
    assert auto.status == 0
    assert away not in set(auto.table()["id"].astype(int)), "one came, one went: the counts agree"
    always = crawl(park, output, PLACE, "images=none", "audit=always")
    assert sorted(always.table()["id"].astype(int), reverse=True) == park.ids(**SEARCH)
    assert (always.account["observations"]["new"], always.account["observations"]["gone"]) == (1, 1)


@pytest.mark.long
def test_an_audit_is_due_after_some_days(standin: Start, output: Path) -> None:
    park = settled(standin, observations=30)

    def audits(**settings: str) -> int:
        park.reset_log()
        assert crawl(park, output, PLACE, "images=none", **settings).status == 0
        return sum("only_id" in r["path"] for r in park.requests("api"))

    assert audits() == 0, "all ids have just been seen"
    park.advance(29 * DAY)
    assert audits() == 0
    park.advance(2 * DAY)
    assert audits() > 0
    assert audits(INAT_AUDIT_EVERY_DAYS="0") > 0


@pytest.mark.long
def test_photos_that_changed_places_are_renamed(standin: Start, output: Path) -> None:
    park = settled(standin, observations=60)
    ids = park.ids(**SEARCH)
    several = [i for i in ids if len(park.record(i)["photos"]) > 1]
    assert crawl(park, output, PLACE, "images=all").status == 0
    for observation_id in several:
        park.swap_photos(observation_id)
    park.reset_log()
    run = crawl(park, output, PLACE, "images=all")
    in_step(park, run, "all")
    assert photos_asked(park) == 0, "none is fetched that was there"
    assert not (output / "gone").exists()
    assert not (output / "images" / ".moving").exists()


@pytest.mark.long
def test_a_former_first_photo_is_gone_when_only_first_ones_are_kept(standin: Start, output: Path) -> None:
    park = settled(standin, observations=40)
    ids = park.ids(**SEARCH)
    several = next(i for i in ids if len(park.record(i)["photos"]) > 1)
    before = crawl(park, output, PLACE, "sizes=square").photos()
    park.swap_photos(several)
    run = crawl(park, output, PLACE, "sizes=square")
    in_step(park, run, sizes="square")
    [name] = [p.name for p in (output / "gone").iterdir()]
    assert name.startswith(f"{several}Sq.")
    assert (output / "gone" / name).read_bytes() == before[name]


@pytest.mark.long
def test_which_photos_are_fetched_again(standin: Start, output: Path) -> None:
    park = settled(standin, observations=60)
    ids = [i for i in park.ids(**SEARCH) if park.record(i)["photos"]]
    assert crawl(park, output, PLACE, "sizes=square").status == 0
    replaced, bumped, licensed = ids[2], ids[4], ids[6]
    park.replace_photo(replaced)
    park.bump_photo_query(bumped)
    park.move_photo_host(licensed, license_code="cc0")
    park.reset_log()
    run = crawl(park, output, PLACE, "sizes=square")
    in_step(park, run, sizes="square")
    asked = Counter(int(path.split("/")[2]) for path in photo_paths(park))
    assert asked == {park.record(i)["photos"][0]["id"]: 1 for i in (replaced, bumped)}
    [(code,)] = run.rows(f"SELECT license_code FROM photos WHERE observation_id = {licensed} AND position = 0")
    assert code == "cc0"


@pytest.mark.long
def test_a_photo_that_moved_before_it_was_fetched(standin: Start, output: Path) -> None:
    park = settled(standin, observations=60)
    ids = [i for i in park.ids(**SEARCH) if park.record(i)["photos"]]
    assert crawl(park, output, PLACE, "images=none").status == 0
    for observation_id in ids[:5]:
        park.move_photo_host(observation_id, license_code="cc-by-sa", touch=False)
    park.reset_log()
    run = crawl(park, output, PLACE)
    in_step(park, run)
    moved = run.rows("SELECT observation_id FROM photos WHERE license_code = 'cc-by-sa' AND position = 0")
    assert {i for (i,) in moved} >= set(ids[:5])
    assert len([r for r in park.requests("api") if "/observations/" in r["path"]]) <= 5


@pytest.mark.long
def test_edits_arrivals_and_deletions_while_the_crawl_runs(standin: Start, output: Path) -> None:
    park = settled(standin, observations=300)
    park.before_page(insert=3, delete=2, edit=2, maximum=12)
    run = crawl(park, output, PLACE, "images=none", "per_page=50")
    assert run.status == 0, run.log
    observations = run.account["observations"]
    assert observations["asked"] == observations["stored"] == len(run.table())
    assert set(run.table()["id"].astype(int)) <= set(park.ids(**SEARCH)) | set(park.interference()["deleted"])
    park.before_page()
    in_step(park, crawl(park, output, PLACE, "images=none"), "none")


@pytest.mark.long
def test_an_index_that_lags(standin: Start, output: Path) -> None:
    park = settled(standin, observations=60)
    assert crawl(park, output, PLACE, "images=none").status == 0
    park.index_lag(120, inserts=True)
    chosen = park.ids(**SEARCH)[4]
    park.edit(chosen, species_guess="late")
    park.insert(2)
    assert crawl(park, output, PLACE, "images=none").account["observations"]["changed"] == 0
    park.advance(200)
    run = crawl(park, output, PLACE, "images=none")
    assert (run.account["observations"]["changed"], run.account["observations"]["new"]) == (1, 2)
    assert "late" in set(run.table()["species_guess"])


@pytest.mark.long
def test_a_limited_mirror_is_not_reconciled(standin: Start, output: Path) -> None:
    park = settled(standin, observations=60)
    assert crawl(park, output, PLACE, "images=none", "limit=40").status == 0
    park.delete(*park.ids(**SEARCH)[:3])
    park.reset_log()
    run = crawl(park, output, PLACE, "images=none", "limit=40")
    assert (run.status, len(run.table()), park.requests("api")) == (0, 40, [])
    # Without a limit it is read to its end, and then is a mirror like any other.
    in_step(park, crawl(park, output, PLACE, "images=none"), "none")


@pytest.mark.long
def test_a_users_own_updated_since(standin: Start, output: Path) -> None:
    park = settled(standin, observations=60)
    edited = park.ids(**SEARCH)[3]
    park.edit(edited, description="x")
    since = park.record(edited)["updated_at"]
    arguments = (PLACE, f"updated_since={since}", "images=none")
    assert crawl(park, output, *arguments).table()["id"].tolist() == [str(edited)]
    park.advance(DAY)
    other = park.ids(**SEARCH)[9]
    park.edit(other, description="y")
    park.reset_log()
    run = crawl(park, output, *arguments)
    assert run.status == 0
    assert set(run.table()["id"].astype(int)) == {edited, other}


@pytest.mark.long
def test_edits_between_a_killed_run_and_its_rest(standin: Start, output: Path) -> None:
    park = settled(standin, observations=300)
    park.add_fault("/v1/observations", "status", status=422, after=2)
    assert crawl(park, output, PLACE, "images=none", "per_page=100").status == 3
    park.clear_faults()
    park.advance(DAY)
    ids = park.ids(**SEARCH)
    park.edit(ids[20], species_guess="edited above the cursor")
    park.delete(ids[30])
    run = crawl(park, output, PLACE, "images=none", "per_page=100")
    in_step(park, run, "none")
    assert "edited above the cursor" in set(run.table()["species_guess"])


@pytest.mark.long
def test_a_sweep_that_was_cut_short(standin: Start, output: Path) -> None:
    park = settled(standin, observations=100)
    assert crawl(park, output, PLACE, "images=none").status == 0
    park.advance(DAY)
    ids = park.ids(**SEARCH)
    for observation_id in ids[:60]:
        park.edit(observation_id, species_guess="first")
    park.add_fault("updated_since", "status", status=422, after=1)
    cut = crawl(park, output, PLACE, "images=none", "per_page=20")
    assert (cut.status, cut.account["observations"]["changed"]) == (3, 20)
    park.clear_faults()
    park.advance(DAY)
    park.edit(ids[5], species_guess="second")
    run = crawl(park, output, PLACE, "images=none", "per_page=20")
    in_step(park, run, "none")
    guesses = Counter(run.table()["species_guess"])
    assert (guesses["first"], guesses["second"]) == (59, 1)


@pytest.mark.parametrize("name", ["INAT_AUDIT_EVERY_DAYS", "INAT_BACKOFF_SECONDS"])
def test_settings_that_are_refused(standin: Start, output: Path, name: str) -> None:
    park = standin(observations=1)
    run = finish(start(park.api_root, output, PLACE, **{name: "-1"}), output)
    assert run.status == 1
    assert run.log.splitlines()[-1].startswith(f"error: setting {name}: not a number of ")
    assert park.requests() == []


@pytest.mark.long
def test_what_was_kept_and_comes_back_while_it_is_cleared_away(standin: Start, output: Path) -> None:
    park = settled(standin, observations=20)
    assert crawl(park, output, PLACE, "sizes=square").status == 0
    chosen = next(i for i in park.ids(**SEARCH) if park.record(i)["photos"])
    places = park.record(chosen)["place_ids"]
    park.move(chosen)
    assert crawl(park, output, PLACE, "sizes=square", "keep_gone=true").status == 0
    park.edit(chosen, place_ids=places)
    in_step(park, crawl(park, output, PLACE, "sizes=square"), sizes="square")
