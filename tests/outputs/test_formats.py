"""The formats, each read back by what others read it with, and compared with the store row for row."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import pyarrow.parquet as pq
import pyogrio
import pytest
from geojson_pydantic import FeatureCollection
from test_store import QUERY, had, observation, save

from inat_crawler.api.records import read_record
from inat_crawler.items import Observation, PhotoFile
from inat_crawler.outputs.all_columns import write_csv, write_dictionary
from inat_crawler.outputs.arrow import without_nul, write_geopackage, write_parquet
from inat_crawler.outputs.attribution import write_attribution, write_photos
from inat_crawler.outputs.geojson import write_geojson
from inat_crawler.outputs.image_folder import SPLITS, splits_of, write_image_folder
from inat_crawler.outputs.json_lines import write_json_lines
from inat_crawler.outputs.rows import COLUMNS
from inat_crawler.store import Store

HOSTILE = 'a\tb\r\nc\rd "e" =1+1 <script>alert(1)</script> 🦀 ​ null'
POINT = {"latitude": "38.450", "longitude": "-9.05"}


def invented() -> list[Observation]:
    exact = POINT | {"public_positional_accuracy": 12, "taxon_id": 4, "taxon_name": "Tringa", "user_id": 1}
    vague = POINT | {"obscured": True, "public_positional_accuracy": 28000, "taxon_id": 4, "user_id": 2}
    threatened = POINT | {"taxon_geoprivacy": "obscured", "observed_on": "2024-02-31", "user_login": "NA"}
    beyond = {"latitude": "95", "longitude": "0", "observed_on": "2024-02-29", "license_code": "cc-by"}
    corner = {"latitude": "-0.1", "longitude": "180", "time_observed_at": "2020-11-08T13:20:57-08:00"}
    found = [
        observation(9, 90, 91, **exact),
        observation(8, 80, taxon_name="../x", **vague),
        observation(7, geoprivacy="private", obscured=True, species_guess=HOSTILE, description=HOSTILE),
        observation(6, 60, taxon_id=5, **threatened),
        observation(5, 50, captive=True, **beyond),
        observation(4, obscured=True, description="a\0b", **corner),
    ]
    for each, code in zip([p for o in found for p in o.photos], ("cc0", None, "", "CC-BY", "gfdl"), strict=True):
        each.license_code, each.attribution = code, f"(c) {HOSTILE}"
    return found


def real() -> list[Observation]:
    path = os.environ.get("INAT_TEST_RECORDS")
    if not path:
        pytest.skip("INAT_TEST_RECORDS names no file of real records")
    return [read_record(json.loads(line)) for line in Path(path).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(params=[invented, real])
def mirror(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, list[Observation]]]:
    """A store, and what it holds, newest first, with one file for each photo."""
    observations = request.param()
    store = Store(f"sqlite:///{tmp_path}/observations.sqlite")
    store.open_mirror(QUERY)
    save(store, *observations)
    for o in observations:
        for photo in o.photos:
            photo.files = [had("square", f"{o.id}_{photo.id}Sq.jpg"), had("original", f"{o.id}_{photo.id}O.jpg")]
            photo.files[0].sha256, photo.files[1].sha256, photo.files[1].bytes = f"s{photo.id}", f"o{photo.id}", 2
            store.files.save((o.id, photo.id, file) for file in photo.files)
    order = [row["id"] for rows in store.observations.rows(["id"]) for row in rows]
    yield store, sorted(observations, key=lambda o: order.index(o.id))
    store.close()


Mirror = tuple[Store, list[Observation]]


def typed(observations: list[Observation]) -> list[dict[str, Any]]:
    return [{column.name: column.typed(o) for column in COLUMNS} for o in observations]


def test_what_is_read_whole_is_what_was_stored(mirror: Mirror) -> None:
    store, observations = mirror
    for found, o in zip(store.whole.each(chunk=7), observations, strict=True):
        assert {c.name: c.value(found) for c in COLUMNS} == {c.name: c.value(o) for c in COLUMNS}
        assert found.photos == o.photos
        assert (found.private_latitude, found.record) == (None, None)


def test_csv(mirror: Mirror, tmp_path: Path) -> None:
    store, observations = mirror
    path = tmp_path / "exports" / "observations.csv"
    assert write_csv(store, path) == len(observations)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    text = {True: "true", False: "false", None: ""}
    values = [{c.name: c.value(o) for c in COLUMNS} for o in observations]
    assert rows == [
        {n: text[v] if isinstance(v, bool | None) else str(v) for n, v in row.items()} for row in values
    ]

    about = tmp_path / "exports" / "observations.csv-metadata.json"
    assert write_dictionary(store, about) == len(COLUMNS)
    columns = json.loads(about.read_text(encoding="utf-8"))["tableSchema"]["columns"]
    assert [c["name"] for c in columns] == list(rows[0])
    assert all(c["dc:description"] for c in columns)


def test_json_lines(mirror: Mirror, tmp_path: Path) -> None:
    store, observations = mirror
    path = tmp_path / "observations.jsonl.gz"
    assert write_json_lines(store, path) == len(observations)
    first = path.read_bytes()
    lines = gzip.decompress(first).splitlines()
    assert [json.loads(line)["id"] for line in lines] == [o.id for o in observations]
    assert lines == [store.observations.record(o.id) for o in observations]
    assert b'"private_' not in gzip.decompress(first)
    write_json_lines(store, path)
    assert path.read_bytes() == first


def test_geojson(mirror: Mirror, tmp_path: Path) -> None:
    store, observations = mirror
    path = tmp_path / "observations.geojson"
    assert write_geojson(store, path) == len(observations)
    features = FeatureCollection.model_validate_json(path.read_bytes()).features
    assert [f.id for f in features] == [o.id for o in observations]
    expected = [
        {n: v.isoformat() if isinstance(v, date) else v for n, v in row.items()} for row in typed(observations)
    ]
    assert [f.properties for f in features] == expected
    check_places([f.geometry and f.geometry.model_dump() for f in features], observations)


def check_places(geometries: list[dict[str, Any] | None], observations: list[Observation]) -> None:
    """Points as served, cells of 0.2 degrees that hold what was served, and nothing for private ones."""
    for geometry, o in zip(geometries, observations, strict=True):
        hidden = o.latitude is None or o.longitude is None or abs(float(o.latitude)) > 90
        if hidden:
            assert geometry is None
        elif o.obscured or "obscured" in (o.geoprivacy, o.taxon_geoprivacy):
            ring = geometry["coordinates"][0]
            west, south, east, north = (f(p[i] for p in ring) for f in (min, max) for i in (0, 1))
            assert (len(ring), geometry["type"]) == (5, "Polygon")
            assert (east - west, north - south) == pytest.approx((0.2, 0.2))
            assert (south * 5, west * 5) == pytest.approx((round(south * 5), round(west * 5)))
            assert south <= float(o.latitude) <= north
            assert west <= float(o.longitude) <= east
        else:
            assert geometry["type"] == "Point"
            assert tuple(geometry["coordinates"]) == (float(o.longitude), float(o.latitude))


def test_geopackage(mirror: Mirror, tmp_path: Path) -> None:
    store, observations = mirror
    path = tmp_path / "exports" / "observations.gpkg"
    assert write_geopackage(store, path) == len(observations)
    assert [name for name, _ in pyogrio.list_layers(path)] == ["observations"]
    info = pyogrio.read_info(path, layer="observations")
    assert (info["crs"], info["features"]) == ("EPSG:4326", len(observations))
    meta, table = pyogrio.read_arrow(path)
    expected = [{n: without_nul(value) for n, value in row.items()} for row in typed(observations)]
    assert table.drop_columns([meta["geometry_name"]]).to_pylist() == expected
    frame = pyogrio.read_dataframe(path)
    check_places([g and g.__geo_interface__ for g in frame.geometry], observations)
    assert [p.name for p in path.parent.iterdir()] == ["observations.gpkg"]


def test_parquet(mirror: Mirror, tmp_path: Path) -> None:
    store, observations = mirror
    path = tmp_path / "observations.parquet"
    assert write_parquet(store, path) == len(observations)
    table = pq.read_table(path)
    assert table.drop_columns(["photos", "geometry"]).to_pylist() == typed(observations)
    photos = [[(p["id"], p["license_code"], p["files"]) for p in row] for row in table["photos"].to_pylist()]
    assert photos == [
        [(p.id, p.license_code, [f"images/{f.path}" for f in p.files]) for p in o.photos] for o in observations
    ]
    frame = geopandas.read_parquet(path)
    assert frame.crs.to_authority() == ("OGC", "CRS84")
    check_places([g and g.__geo_interface__ for g in frame.geometry], observations)


def test_parquet_without_geometries(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inat_crawler.outputs.arrow.find_spec", lambda name: None)
    store, observations = mirror
    assert write_parquet(store, tmp_path / "x.parquet") == len(observations)
    schema = pq.read_schema(tmp_path / "x.parquet")
    assert "geometry" not in schema.names
    assert b"geo" not in (schema.metadata or {})


def test_photos_and_their_credits(mirror: Mirror, tmp_path: Path) -> None:
    store, observations = mirror
    photos = [(o, p) for o in observations for p in o.photos]
    files = [(o, p, f) for o, p in photos for f in p.files]
    assert write_photos(store, tmp_path / "photos.tsv") == len(files)
    with (tmp_path / "photos.tsv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row, (o, p, f) in zip(rows, files, strict=True):
        assert (row["observation_id"], row["photo_id"], row["size"]) == (str(o.id), str(p.id), f.size)
        assert (row["file"], row["license_code"]) == (f"images/{f.path}", p.license_code or "")
        assert bool(row["license_url"]) == (p.license_code not in (None, "", "gfdl"))
        assert row["attribution"].split() == " ".join(p.attribution.split()).split()
    assert (tmp_path / "photos.tsv").read_bytes().count(b"\n") == len(files) + 1

    assert write_attribution(store, tmp_path / "ATTRIBUTION.md") == len(photos)
    text = (tmp_path / "ATTRIBUTION.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    assert sorted(line[2:].partition(":")[0] for line in lines) == sorted(
        ", ".join(f.path for f in p.files) for _, p in photos
    )
    assert "<script" not in text
    reserved = sum(not p.license_code for _, p in photos)
    assert f"| All rights reserved | {reserved} |" in text


def test_image_folder(mirror: Mirror, tmp_path: Path) -> None:
    store, observations = mirror
    (tmp_path / "images").mkdir()
    shown = {p.id: o for o in observations for p in o.photos if o.taxon_id is not None}
    for photo in (p for o in observations for p in o.photos):
        for file in photo.files:
            (tmp_path / "images" / str(file.path)).write_bytes(file.sha256.encode())
    folder = tmp_path / "exports" / "imagefolder"
    assert write_image_folder(store, folder) == len(shown)
    splits = read_image_folder(folder)
    assert splits.keys() <= SPLITS.keys()
    rows = [row for each in splits.values() for row in each]
    assert sorted(row["photo_id"] for row in rows) == sorted(shown)
    observers = [{row["observer_id"] for row in each} for each in splits.values()]
    assert sum(map(len, observers)) == len(set.union(*observers)), "an observer is in two splits"
    for each in splits.values():
        for row in each:
            assert row["size"] == "original", "medium is not there, and this is the next larger"
            assert row["bytes"] == row["sha256"].encode()

    write_image_folder(store, folder, "square", 7)
    other = read_image_folder(folder)
    assert {row["size"] for each in other.values() for row in each} == {"square"}
    assert [p.name for p in folder.parent.iterdir()] == ["imagefolder"]


def read_image_folder(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """By the documented rules: each metadata.jsonl names its files by `file_name`, below its own folder."""
    splits = {}
    for metadata in folder.glob("*/metadata.jsonl"):
        rows = [json.loads(line) for line in metadata.read_text(encoding="utf-8").splitlines()]
        links = {p for p in metadata.parent.rglob("*") if p.is_symlink()}
        assert {metadata.parent / row["file_name"] for row in rows} == links
        assert len({frozenset(row) for row in rows}) == 1
        for row in rows:
            path = metadata.parent / row["file_name"]
            assert not Path(path.readlink()).is_absolute()
            row["bytes"] = path.read_bytes()
        splits[metadata.parent.name] = rows
    return splits


def test_a_photo_of_two_observers_is_in_one_split(store: Store, tmp_path: Path) -> None:
    save(store, *(observation(n, 100, n, taxon_id=1, user_id=n) for n in range(1, 30)))
    for n in range(1, 30):
        for photo_id, sha256 in ((100, "same photo"), (n, "same bytes" if n % 2 else f"{n}")):
            row = PhotoFile("medium", "u", "copied", f"{n}_{photo_id}M.jpg", bytes=1, sha256=sha256)
            store.files.save([(n, photo_id, row)])
    (tmp_path / "images").mkdir()
    assert write_image_folder(store, tmp_path / "exports" / "imagefolder") == 1 + 1 + 14


def test_equal_photos_that_are_had_in_different_sizes_are_one(store: Store, tmp_path: Path) -> None:
    save(store, *(observation(n, n, taxon_id=1, user_id=n) for n in (1, 2)))
    for n, size in ((1, "square"), (2, "square"), (2, "medium")):
        store.files.save([(n, n, PhotoFile(size, "u", "downloaded", f"{n}{size}.jpg", bytes=1, sha256=size))])
    assert write_image_folder(store, tmp_path / "exports" / "imagefolder") == 1


def test_seeds_split_the_observers_about_as_they_should() -> None:
    for seed in range(3):
        splits = list(splits_of(range(2000), seed).values())
        shares = {split: splits.count(split) / 2000 for split in SPLITS}
        assert shares == pytest.approx(SPLITS, abs=0.03)
    assert splits_of(range(50), 1) != splits_of(range(50), 2)


def test_an_observer_stays_in_a_split_while_the_mirror_grows() -> None:
    few, many = splits_of(range(300), 5), splits_of(range(3000), 5)
    assert {n: many[n] for n in few} == few
    for n in range(12):
        splits = splits_of([*range(n), None], 0)
        assert n < 2 or set(splits.values()) == set(SPLITS)


def test_an_empty_mirror_has_all_formats(store: Store, tmp_path: Path) -> None:
    writers = {
        "a.csv": write_csv, "a.jsonl.gz": write_json_lines, "a.geojson": write_geojson, "a.gpkg": write_geopackage,
        "a.parquet": write_parquet, "photos.tsv": write_photos, "ATTRIBUTION.md": write_attribution,
        "imagefolder": write_image_folder,
    }  # fmt: skip
    for name, write in writers.items():
        assert write(store, tmp_path / name) == 0, name
        assert (tmp_path / name).exists()
    assert FeatureCollection.model_validate_json((tmp_path / "a.geojson").read_bytes()).features == []
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 0
