"""The Darwin Core Archive: read back by python-dwca-reader, row for row and cell for cell."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from dwca.read import DwCAReader
from test_store import had, observation, save

from inat_crawler.api.records import read_record
from inat_crawler.items import Observation, Page, Photo
from inat_crawler.outputs.darwin_core import write_archive
from inat_crawler.outputs.darwin_core.columns import Column, plain
from inat_crawler.outputs.darwin_core.multimedia import MULTIMEDIA
from inat_crawler.outputs.darwin_core.occurrence import OCCURRENCE
from inat_crawler.outputs.rows import NAMESPACES
from inat_crawler.store import Store, schema

ROOT = Path(__file__).resolve().parents[2]
RECORDS = os.environ.get("INAT_TEST_RECORDS")
OBSCURED = {"latitude": "38.45", "longitude": "-9.05", "obscured": True}
QUERY_TEXT = "q='<b> \"&\" ]]> \0\ufffe' 🦀"
URL = "https://host/photos/50/square.jpeg?1545367617"

TEXTS = {
    "a\tb": "a b",
    "a\r\nb": "a b",
    "a\rb\n": "a b ",
    "a\vb\fc\x1cd\x1de\x1ef\x85g\u2028h\u2029i": "a b c d e f g h i",
    "\0": " ",
    "\x1b[2J": " [2J",
    "\ufffe": " ",
    'a"b': 'a"b',
    '"': '"',
    "'": "'",
    "=1+1": "=1+1",
    " x ": " x ",
    "🦀": "🦀",
    "\\N": "\\N",
    "\\t": "\\t",
    "": "",
    "<b>&amp;": "<b>&amp;",
    "\ufeffx": "\ufeffx",
}


class Archive:
    """What python-dwca-reader finds in an archive."""

    def __init__(self, store: Store, path: Path) -> None:
        self.count = write_archive(store, path)
        with DwCAReader(str(path)) as reader:
            assert reader.descriptor.core.type == NAMESPACES["dwc"] + "Occurrence"
            assert reader.descriptor.extensions_type == ["http://rs.gbif.org/terms/1.0/Multimedia"]
            assert set(reader.orphaned_extension_rows()["multimedia.txt"]) == set()
            self.rows = {row.id: short(row.data, OCCURRENCE) for row in reader}
            self.photos = {row.id: [short(e.data, MULTIMEDIA) for e in row.extensions] for row in reader}
            self.metadata = reader.metadata
            as_text = {"dtype": str, "keep_default_na": False, "quoting": csv.QUOTE_NONE}
            self.table = reader.pd_read("occurrence.txt", **as_text)
        with zipfile.ZipFile(path) as file:
            self.names = file.namelist()
            self.eml = file.read("eml.xml").decode()

    def texts(self, name: str) -> list[str | None]:
        return [element.text for element in self.metadata.iter(name)]


def short(data: dict[str, str], columns: tuple[Column[Any], ...]) -> dict[str, str]:
    names = {column.iri: column.name for column in columns}
    assert list(data) == list(names)
    return {names[iri]: value for iri, value in data.items()}


def occurrence(store: Store, path: Path, **columns: object) -> dict[str, str]:
    """The row of an observation that has these columns."""
    save(store, observation(7, **columns))  # type: ignore[arg-type]
    return Archive(store, path / "a.zip").rows["7"]


def test_a_whole_observation(store: Store, tmp_path: Path) -> None:
    whole = observation(
        7,
        uuid="f0e1",
        uri="https://www.inaturalist.org/observations/7",
        quality_grade="research",
        taxon_id=48482,
        taxon_name="Haematopus bachmani",
        taxon_rank="species",
        taxon_common_name="Black Oystercatcher",
        iconic_taxon_name="Aves",
        species_guess="oystercatcher",
        observed_on="2026-05-01",
        time_observed_at="2026-05-01T13:20:57-08:00",
        updated_at="2026-05-02T08:00:00-08:00",
        latitude="37.6200",
        longitude="-122.0",
        public_positional_accuracy=15,
        obscured=False,
        place_guess="Hayward, CA",
        captive=False,
        license_code="cc-by-nc",
        description="On a rock.",
        user_id=3,
        user_login="ana",
        user_name="Ana Lima",
    )
    whole.photos = [Photo(50, 0, URL, "jpeg", "cc-by", "(c) Ana Lima, some rights reserved (CC BY)")]
    save(store, whole)
    store.files.save([(7, 50, had(size, f"7{size}.jpg")) for size in ("square", "medium")])
    archive = Archive(store, tmp_path / "exports" / "dwca.zip")
    assert archive.count == 1
    assert archive.names == ["occurrence.txt", "multimedia.txt", "meta.xml", "eml.xml"]
    assert archive.rows == {
        "7": {
            "occurrenceID": "https://www.inaturalist.org/observations/7",
            "basisOfRecord": "HumanObservation",
            "institutionCode": "iNaturalist",
            "collectionCode": "Observations",
            "datasetName": "iNaturalist observations",
            "catalogNumber": "7",
            "otherCatalogNumbers": "f0e1",
            "modified": "2026-05-02T08:00:00-08:00",
            "references": "https://www.inaturalist.org/observations/7",
            "license": "https://creativecommons.org/licenses/by-nc/4.0/",
            "rightsHolder": "Ana Lima",
            "recordedBy": "Ana Lima",
            "recordedByID": "https://www.inaturalist.org/users/3",
            "nick": "ana",
            "occurrenceStatus": "present",
            "degreeOfEstablishment": "",
            "occurrenceRemarks": "On a rock.",
            "eventDate": "2026-05-01T13:20:57-08:00",
            "eventTime": "13:20:57-08:00",
            "year": "2026",
            "month": "5",
            "day": "1",
            "verbatimLocality": "Hayward, CA",
            "decimalLatitude": "37.6200",
            "decimalLongitude": "-122.0",
            "geodeticDatum": "EPSG:4326",
            "coordinateUncertaintyInMeters": "15",
            "footprintWKT": "",
            "footprintSRS": "",
            "informationWithheld": "",
            "dataGeneralizations": "",
            "verbatimIdentification": "oystercatcher",
            "identificationVerificationStatus": "research",
            "taxonID": "48482",
            "scientificName": "Haematopus bachmani",
            "taxonRank": "species",
            "kingdom": "Animalia",
            "vernacularName": "Black Oystercatcher",
        }
    }
    assert archive.photos == {
        "7": [
            {
                "type": "StillImage",
                "format": "image/jpeg",
                "identifier": "https://host/photos/50/original.jpeg?1545367617",
                "references": "https://www.inaturalist.org/photos/50",
                "created": "2026-05-01T13:20:57-08:00",
                "creator": "Ana Lima",
                "publisher": "iNaturalist",
                "license": "https://creativecommons.org/licenses/by/4.0/",
                "rightsHolder": "Ana Lima",
                "rights": "(c) Ana Lima, some rights reserved (CC BY)",
            }
        ]
    }


def test_an_observation_of_which_nothing_is_known(store: Store, tmp_path: Path) -> None:
    row = occurrence(store, tmp_path)
    assert {name: value for name, value in row.items() if value} == {
        "occurrenceID": "https://www.inaturalist.org/observations/7",
        "basisOfRecord": "HumanObservation",
        "institutionCode": "iNaturalist",
        "collectionCode": "Observations",
        "datasetName": "iNaturalist observations",
        "catalogNumber": "7",
        "references": "https://www.inaturalist.org/observations/7",
        "license": "all rights reserved",
        "occurrenceStatus": "present",
    }


def test_every_declared_term_is_in_the_archive() -> None:
    declared = {f.metadata["term"] for f in fields(Observation) if f.metadata.get("term")}
    assert declared <= {column.term for column in OCCURRENCE}


def test_every_text_is_read_back(store: Store, tmp_path: Path) -> None:
    save(
        store,
        *(
            replace(observation(i, description=t, taxon_common_name=t), photos=[Photo(i, 0, URL, attribution=t)])
            for i, t in enumerate(TEXTS, 1)
        ),
    )
    archive = Archive(store, tmp_path / "a.zip")
    newest_first = list(TEXTS.values())[::-1]
    assert archive.table["occurrenceRemarks"].tolist() == newest_first
    assert list(archive.rows) == [str(n) for n in range(len(TEXTS), 0, -1)]
    assert [row["occurrenceRemarks"] for row in archive.rows.values()] == newest_first
    assert [row["vernacularName"] for row in archive.rows.values()] == newest_first, "the last column"
    credits = [photo["rights"] for photos in archive.photos.values() for photo in photos]
    assert [c for c, t in zip(credits, newest_first, strict=True) if c != t] == [
        "(c) unknown, all rights reserved"
    ] * sum(not t.strip() for t in TEXTS), "the last column"


@pytest.mark.parametrize(
    ("columns", "point", "meters", "footprint", "withheld"),
    [
        (
            {**OBSCURED, "geoprivacy": "obscured", "public_positional_accuracy": 28_132},
            "38.45 -9.05",
            "28132",
            "POLYGON ((-9.2 38.4, -9.0 38.4, -9.0 38.6, -9.2 38.6, -9.2 38.4))",
            "Coordinate uncertainty increased to 28132 m at the request of the observer",
        ),
        (
            {**OBSCURED, "taxon_geoprivacy": "obscured", "geoprivacy": "obscured"},
            "38.45 -9.05",
            "21178",
            "POLYGON ((-9.2 38.4, -9.0 38.4, -9.0 38.6, -9.2 38.6, -9.2 38.4))",
            "Coordinate uncertainty increased to 21178 m "
            "at the request of the observer and to protect a threatened taxon",
        ),
        (
            {**OBSCURED, "public_positional_accuracy": 0},
            "38.45 -9.05",
            "21178",
            "POLYGON ((-9.2 38.4, -9.0 38.4, -9.0 38.6, -9.2 38.6, -9.2 38.4))",
            "Coordinate uncertainty increased to 21178 m",
        ),
        (
            {"geoprivacy": "private", "obscured": True, "public_positional_accuracy": 27_000},
            " ",
            "",
            "",
            "Coordinates hidden at the request of the observer",
        ),
        ({"taxon_geoprivacy": "private"}, " ", "", "", "Coordinates hidden to protect a threatened taxon"),
        ({"latitude": "0.0", "longitude": "0.0", "public_positional_accuracy": 0}, "0.0 0.0", "", "", ""),
        ({"latitude": "91", "longitude": "0", "public_positional_accuracy": 5}, " ", "", "", ""),
        ({**OBSCURED, "latitude": "1e400"}, " ", "", "", ""),
        (
            {**OBSCURED, "latitude": "1e-99999999999999999999", "public_positional_accuracy": 9},
            "1e-99999999999999999999 -9.05",
            "9",
            "POLYGON ((-9.2 0.0, -9.0 0.0, -9.0 0.2, -9.2 0.2, -9.2 0.0))",
            "Coordinate uncertainty increased to 9 m",
        ),
        ({"latitude": "38.45"}, " ", "", "", ""),
        ({}, " ", "", "", ""),
    ],
)
def test_coordinates(
    store: Store, tmp_path: Path, columns: dict[str, Any], point: str, meters: str, footprint: str, withheld: str
) -> None:
    row = occurrence(store, tmp_path, **columns)
    assert f"{row['decimalLatitude']} {row['decimalLongitude']}" == point
    assert row["geodeticDatum"] == ("EPSG:4326" if point.strip() else "")
    assert row["coordinateUncertaintyInMeters"] == meters
    assert row["footprintWKT"] == footprint
    assert row["footprintSRS"] == ("EPSG:4326" if footprint else "")
    assert row["informationWithheld"] == withheld
    assert ("random point" in row["dataGeneralizations"]) == bool(footprint)


def test_private_coordinates_stay_in_the_store(store: Store, tmp_path: Path) -> None:
    private = {"private_latitude": "38.123456", "private_longitude": "-9.654321"}
    seen = [observation(7, geoprivacy="private", **private), observation(8, **OBSCURED, **private)]  # type: ignore[arg-type]
    store.save_page(Page(None, None, seen, private=True))
    write_archive(store, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"123456" not in everything
    assert b"654321" not in everything


@pytest.mark.parametrize(
    ("observed_on", "time_observed_at", "date", "time", "parts"),
    [
        (
            "2026-05-01",
            "2026-05-01T23:59:00.5+05:45",
            "2026-05-01T23:59:00.5+05:45",
            "23:59:00.5+05:45",
            "2026 5 1",
        ),
        ("2026-12-31", None, "2026-12-31", "", "2026 12 31"),
        (None, "2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z", "10:00:00Z", "2026 5 1"),
        ("2026-05-01", "2026-05-02T07:10:00Z", "2026-05-01", "", "2026 5 1"),
        ("2026-05-01", "noon", "2026-05-01", "", "2026 5 1"),
        ("2026-02-30", "2026-02-30T10:00:00Z", "", "", "  "),
        ("0000-00-00", "2026-05-01T25:00:00Z", "", "", "  "),
        ("2026-W18-5", "20260501T100000Z", "", "", "  "),
        ("1 May 2026", "", "", "", "  "),
        ("٢٠٢٦-٠٥-٠١", "2026-05-01T10:00\n", "", "", "  "),
    ],
)
def test_dates(
    store: Store,
    tmp_path: Path,
    observed_on: str | None,
    time_observed_at: str | None,
    date: str,
    time: str,
    parts: str,
) -> None:
    row = occurrence(store, tmp_path, observed_on=observed_on, time_observed_at=time_observed_at)
    assert (row["eventDate"], row["eventTime"]) == (date, time)
    assert f"{row['year']} {row['month']} {row['day']}" == parts


@pytest.mark.parametrize(
    ("code", "license"),
    [
        (None, "all rights reserved"),
        ("", "all rights reserved"),
        ("CC0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("cc-by-nc-sa", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
        ("pd", "https://creativecommons.org/publicdomain/mark/1.0/"),
        ("gfdl", "gfdl"),
    ],
)
def test_licenses(store: Store, tmp_path: Path, code: str | None, license: str) -> None:
    save(store, replace(observation(7, license_code="cc-by"), photos=[Photo(50, 0, URL, license_code=code)]))
    save(store, replace(observation(8, license_code=code), photos=[Photo(51, 0, URL, license_code="cc-by")]))
    archive = Archive(store, tmp_path / "a.zip")
    assert (archive.rows["8"]["license"], archive.photos["7"][0]["license"]) == (license, license)
    assert archive.rows["7"]["license"] == "https://creativecommons.org/licenses/by/4.0/"


def test_photos_that_can_be_shown(store: Store, tmp_path: Path) -> None:
    photos = [
        Photo(50, 0, "https://host/photos/50/square.JPG", "jpg"),
        Photo(51, 1, URL, "jpeg", hidden=True),
        Photo(52, 2, None),
        Photo(53, 3, "javascript:alert(1)"),
        Photo(54, 4, "https://host/photos/54/square.?1413389481", ""),
        Photo(55, 5, "https://[/square.jpg"),
        Photo(56, 6, "https://host/photos/56/square.xyz", "xyz"),
    ]
    save(store, replace(observation(8), photos=photos), replace(observation(7), photos=photos[:1]))
    archive = Archive(store, tmp_path / "a.zip")
    assert [(p["identifier"], p["format"]) for p in archive.photos["8"]] == [
        ("https://host/photos/50/original.JPG", "image/jpeg"),
        ("https://host/photos/54/original.?1413389481", ""),
        ("https://host/photos/56/original.xyz", ""),
    ]
    assert [p["identifier"] for p in archive.photos["7"]] == ["https://host/photos/50/original.JPG"], "shown twice"


def test_an_empty_mirror(store: Store, tmp_path: Path) -> None:
    archive = Archive(store, tmp_path / "a.zip")
    assert (archive.count, archive.rows) == (0, {})
    assert archive.texts("pubDate") == archive.texts("coverage") == []
    assert "The last crawl has not come to its end" in archive.eml
    assert "Observations: none. Photos: none." in archive.eml


def test_what_is_told_of_the_whole(store: Store, tmp_path: Path) -> None:
    save(
        store,
        observation(9, 90, latitude="10", longitude="170.5", observed_on="2026-05-03", license_code="cc0"),
        observation(8, **OBSCURED, time_observed_at="2025-01-01T10:00:00Z", license_code="CC0"),  # type: ignore[arg-type]
        observation(7, license_code="cc-by"),
    )
    started_at = "2026-06-01T10:00:00+00:00"
    crawl = store.begin_crawl(started_at, {})
    account = {"query": QUERY_TEXT, "url": "https://x/?a=1&b=2", "started_at": started_at, "complete": True}
    store.finish_crawl(crawl, account | {"observations": {"stored": 3, "asked": 3}, "limited": False})
    archive = Archive(store, tmp_path / "a.zip")
    assert archive.texts("alternateIdentifier") == ["https://x/?a=1&b=2"]
    assert archive.texts("title") == ["iNaturalist observations: q='<b> \"&\" ]]>  ' 🦀"]
    assert archive.texts("pubDate") == ["2026-06-01"]
    assert archive.texts("dateStamp") == [started_at]
    assert archive.texts("calendarDate") == ["2025-01-01", "2026-05-03"]
    box = [archive.texts(f"{side}BoundingCoordinate")[0] for side in ("west", "east", "south", "north")]
    assert box == ["-9.200000", "170.500000", "10.000000", "38.600000"]
    abstract, rights = archive.texts("para")[1], archive.texts("para")[3]
    assert abstract == (
        "Observations: 3. Photos: 1. The last crawl began at 2026-06-01T10:00:00+00:00. "
        "The mirror was complete after the last crawl, with 3 of 3 observations."
    )
    assert str(rights).endswith(
        "Observations: 2 CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/), "
        "1 CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/). Photos: 1 all rights reserved."
    )
    assert str(archive.texts("citation")[0]).startswith("iNaturalist contributors (2026). ")

    store.begin_crawl("2026-06-02T10:00:00+00:00", {})
    archive = Archive(store, tmp_path / "a.zip")
    assert archive.texts("pubDate") == ["2026-06-02"]
    assert "The last crawl has not come to its end" in archive.eml


def test_one_mirror_of_several(store: Store, tmp_path: Path) -> None:
    other = {"key": "0", "query": "{}", "text": "", "created_at": "2026-01-01"}
    with store.database.writing() as db:
        db.execute(sa.insert(schema.mirrors).values(other))
    assert Archive(store, tmp_path / "a.zip").texts("title") == ["iNaturalist observations: unknown"]


def test_the_same_store_makes_the_same_bytes(store: Store, tmp_path: Path) -> None:
    save(store, *(observation(i, i * 10, **OBSCURED) for i in range(1, 20)))  # type: ignore[arg-type]
    one, other = tmp_path / "1.zip", tmp_path / "other" / "2.zip"
    for path in (one, other, other):
        assert write_archive(store, path) == 19
    assert one.read_bytes() == other.read_bytes()
    made = {p.name for p in tmp_path.iterdir() if not p.name.startswith("observations.sqlite")}
    assert made == {"1.zip", "other"}
    assert [p.name for p in other.parent.iterdir()] == ["2.zip"]


def test_what_fails_leaves_the_archive_as_it_was(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "exports" / "dwca.zip"
    save(store, observation(7, 70))
    write_archive(store, path)
    before = path.read_bytes()
    with store.database.writing() as db:
        db.execute(sa.text("DROP TABLE photos"))
    with pytest.raises(sa.exc.OperationalError):
        write_archive(store, path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["dwca.zip"]


@pytest.mark.skipif(not RECORDS, reason="INAT_TEST_RECORDS is not set")
def test_real_records(store: Store, tmp_path: Path) -> None:
    lines = Path(str(RECORDS)).read_bytes().splitlines()
    save(store, *(read_record(orjson.loads(line)) for line in lines))
    archive = Archive(store, tmp_path / "a.zip")
    stored = list(store.whole.each())
    assert archive.count == len(lines) == len(stored)
    assert list(archive.rows) == [str(o.id) for o in stored]
    for o in stored:
        row = archive.rows[str(o.id)]
        assert row == {column.name: plain(column.value(o)) for column in OCCURRENCE}
        assert row["scientificName"] == (o.taxon_name or "")
        assert row["decimalLatitude"] == (o.latitude or "")
        assert row["eventDate"] == (o.time_observed_at or o.observed_on or "")
        assert row["occurrenceRemarks"].split() == (o.description or "").split()
        assert len(archive.photos[str(o.id)]) == sum(not p.hidden for p in o.photos)


def test_the_templates_are_found_in_a_zip_file(store: Store, tmp_path: Path) -> None:
    """Scrapyd runs the project from an egg, without unpacking it."""
    package, egg = ROOT / "inat_crawler", tmp_path / "inat_crawler.egg"
    with zipfile.ZipFile(egg, "w") as file:
        for path in package.rglob("*"):
            if path.suffix in (".py", ".j2"):
                file.write(path, path.relative_to(ROOT))
    store.close()
    program = (
        "import inat_crawler, pathlib, sys; from inat_crawler.outputs.darwin_core import write_archive; "
        "from inat_crawler.store import Store; store = Store(sys.argv[1]); store.database.mirror_id = 1; "
        "write_archive(store, pathlib.Path(sys.argv[2])); print(inat_crawler.__file__)"
    )
    command = [sys.executable, "-c", program, f"sqlite:///{tmp_path}/observations.sqlite", str(tmp_path / "a.zip")]
    environment = {**os.environ, "PYTHONPATH": str(egg)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(egg))
    assert zipfile.is_zipfile(tmp_path / "a.zip")


def test_the_templates_are_packaged() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    packaged = {path for pattern in data["inat_crawler"] for path in (ROOT / "inat_crawler").glob(pattern)}
    assert set((ROOT / "inat_crawler").rglob("*.j2")) <= packaged
