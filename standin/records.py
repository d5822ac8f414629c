"""One ordinary observation in the full shape of `/v1/observations`; `oddities` come on top."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import datetime

from standin import texts
from standin.catalog import Catalog, Record
from standin.clock import local_iso
from standin.photos import Host, Hosts, Photo

OPEN = ["cc-by-nc"] * 3 + ["cc-by", "cc0", "cc-by-sa", "cc-by-nc-sa", "cc-by-nd", "cc-by-nc-nd"]
EXTENSIONS = ["jpg"] * 45 + ["jpeg"] * 45 + ["JPG"] * 4 + ["png"] * 3 + ["gif"] * 2
SHAPES = [(1.0, 0.75), (0.75, 1.0), (1.0, 2 / 3), (0.5625, 1.0), (1.0, 1.0)]
OFFSETS = [-480, -300, -180, 0, 60, 330, 570, 600]


@dataclass(frozen=True)
class Draft:
    """What is fixed before a record is written: identity, time of creation, its user's offset in minutes."""

    id: int
    created: float
    offset: int
    user: Record
    present: float


class Writer:
    """Writes records; all chance of one record hangs on the seed and its id alone."""

    def __init__(self, catalog: Catalog, hosts: Hosts, seed: int, original_pixels: int) -> None:
        self.catalog = catalog
        self.hosts = hosts
        self.seed = seed
        self.original_pixels = original_pixels
        self.next_photo = 1_000_000

    def rng(self, number: int) -> random.Random:
        return random.Random(f"{self.seed}/{number}")

    def write(self, draft: Draft) -> Record:
        """An observation in the default place, with location, identified to species."""
        rng = self.rng(draft.id)
        taxon = rng.choice(self.catalog.species)
        record = {**_numbers(draft, rng), **_times(draft, rng), **_empties(), **_taxon_keys(taxon, rng)}
        record["place_ids"] = self.catalog.place_ids(self.catalog.default_place)
        record["user"] = draft.user
        record["quality_grade"] = rng.choice(["research", "research", "research", "needs_id", "casual"])
        name = taxon.get("preferred_common_name", taxon["name"])
        record["species_guess"] = rng.choice([name, name, name, *texts.GUESSES])
        record["description"] = rng.choice([None, None, *texts.PLAIN])
        record["place_guess"] = rng.choice(texts.SPOTS)
        record["license_code"] = rng.choice([None, *OPEN])
        record["tags"] = rng.sample(texts.TAGS, k=rng.choice([0, 0, 0, 1, 2]))
        record["project_ids"] = rng.choice([[], [], [311], [5531], [311, 5531]])
        record["project_ids_without_curator_id"] = record["project_ids"]
        place_at(record, 38.4 + rng.random() * 0.1, -9.2 + rng.random() * 0.4, rng)
        converse(record, rng, rng.choice([1, 1, 1, 2]))
        count = rng.choices([0, 1, 2, 3, 4, 5, 6], [10, 53, 20, 9, 4, 2, 2])[0]
        self.set_photos(record, [self.new_photo(record["license_code"], rng) for _ in range(count)])
        return record

    def new_photo(self, license_code: str | None, rng: random.Random, extension: str | None = None) -> Record:
        """A photo's JSON, mostly of the observation's license, with an id no other photo has."""
        self.next_photo += rng.randint(1, 9)
        if rng.random() < 0.1:
            license_code = rng.choice([None, *OPEN])
        width, height = (round(side * self.original_pixels) for side in rng.choice(SHAPES))
        version = str(rng.randint(1_400_000_000, 1_700_000_000)) if rng.random() < 0.33 else ""
        extension = rng.choice(EXTENSIONS) if extension is None else extension
        # The open host holds open licenses only; the other one holds some of them as well.
        host: Host = "open" if license_code and rng.random() < 0.94 else "static"
        photo = Photo(self.next_photo, host, extension, version, width, height)
        return {
            "id": photo.id,
            "uuid": make_uuid(rng),
            "license_code": license_code or None,
            "url": photo.url(self.hosts),
            "attribution": "",
            "flags": [],
            "hidden": False,
            "original_dimensions": {"width": width, "height": height},
        }

    def set_photos(self, record: Record, photos: list[Record]) -> None:
        """Give a record these photos in this order, with the observation photos that say so."""
        name = record["user"]["name"] or record["user"]["login"]
        shown = [{**photo, "attribution": attribution(name, photo["license_code"])} for photo in photos]
        rng = self.rng(record["id"])
        record["photos"] = shown
        record["observation_photos"] = [
            {"id": photo["id"] + 7, "position": position, "uuid": make_uuid(rng), "photo": photo}
            for position, photo in enumerate(shown)
        ]


def attribution(name: str, license_code: str | None) -> str:
    """The ready sentence of a photo.

    >>> attribution("Ana", "cc-by-nc"), attribution("Ana", None)
    ('(c) Ana, some rights reserved (CC BY-NC)', '(c) Ana, all rights reserved')
    """
    if not license_code:
        return f"(c) {name}, all rights reserved"
    if license_code == "cc0":
        return f"{name}, no rights reserved (CC0)"
    return f"(c) {name}, some rights reserved ({license_code.upper().replace('CC-', 'CC ')})"


def place_at(record: Record, lat: float, lng: float, rng: random.Random) -> None:
    """Coordinates with as many digits as the user's device happened to write."""
    digits = rng.choice([3, 4, 5, 6, 7, 10, 13])
    record["location"] = f"{lat:.{digits}f},{lng:.{rng.choice([digits, digits + 1])}f}"
    north, east = (float(text) for text in record["location"].split(","))
    record["geojson"] = {"type": "Point", "coordinates": [east, north]}
    record["positional_accuracy"] = rng.choice([3, 8, 15, 61, 244, 2500])
    record["public_positional_accuracy"] = record["positional_accuracy"]


def converse(record: Record, rng: random.Random, count: int) -> None:
    """Identifications by `count` users, the first by the observer."""
    record["identifications"] = [identification(record, rng, own=number == 0) for number in range(count)]
    record["identifications_count"] = max(0, count - 1)
    record["num_identification_agreements"] = max(0, count - 1)
    record["non_owner_ids"] = record["identifications"][1:]
    record["reviewed_by"] = sorted({item["user"]["id"] for item in record["identifications"]})


def identification(record: Record, rng: random.Random, own: bool) -> Record:
    user = record["user"]
    return {
        "id": rng.randrange(10**8),
        "uuid": make_uuid(rng),
        "user": user,
        "taxon": record["taxon"],
        "taxon_id": record["community_taxon_id"],
        "created_at": record["created_at"],
        "current": True,
        "created_at_details": record["created_at_details"],
        "body": rng.choice(texts.BODIES),
        "flags": [],
        "category": "improving" if own else "supporting",
        "own_observation": own,
        "vision": False,
        "disagreement": None,
        "previous_observation_taxon_id": None,
        "spam": False,
        "hidden": False,
        "moderator_actions": [],
        "taxon_change": None,
    }


def details(text: str) -> Record:
    moment = datetime.fromisoformat(text)
    return {
        "date": text[:10],
        "week": moment.isocalendar().week,
        "month": moment.month,
        "hour": moment.hour,
        "year": moment.year,
        "day": moment.day,
    }


def make_uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _numbers(draft: Draft, rng: random.Random) -> Record:
    votes = rng.choice([0, 0, 0, 1, 2])
    return {
        "id": draft.id,
        "uuid": make_uuid(rng),
        "site_id": 1,
        "oauth_application_id": rng.choice([None, 2, 3]),
        "uri": f"https://www.inaturalist.org/observations/{draft.id}",
        "cached_votes_total": votes,
        "faves_count": votes,
        "comments_count": 0,
        "num_identification_disagreements": 0,
        "geo_score": round(rng.random(), 4),
        "map_scale": None,
        "captive": rng.random() < 0.04,
        "out_of_range": rng.choice([None, False]),
        "spam": False,
        "mappable": True,
        "obscured": False,
    }


def _times(draft: Draft, rng: random.Random) -> Record:
    seen = draft.created - rng.choice([0, 60, 3600, 86400, 30 * 86400])
    updated = min(draft.present, draft.created + rng.expovariate(1 / (200 * 86400)))
    observed, created = local_iso(seen, draft.offset), local_iso(draft.created, draft.offset)
    day = observed[:10]
    return {
        "time_observed_at": observed,
        "observed_on": day,
        "created_at": created,
        "observed_on_string": rng.choice([observed, day.replace("-", "/"), f"{day} 10:15"]),
        "observed_on_details": details(observed),
        "created_at_details": details(created),
        "updated_at": local_iso(max(updated, draft.created), draft.offset),
        "time_zone_offset": created[-6:],
        "created_time_zone": "Etc/UTC",
        "observed_time_zone": "Etc/UTC",
    }


def _taxon_keys(taxon: Record, rng: random.Random) -> Record:
    return {
        "taxon": taxon,
        "community_taxon_id": taxon["id"],
        "ident_taxon_ids": taxon["ancestor_ids"],
        "identifications_most_agree": True,
        "identifications_some_agree": True,
        "identifications_most_disagree": False,
        "owners_identification_from_vision": rng.random() < 0.3,
    }


def _empties() -> Record:
    lists = (
        "annotations",
        "comments",
        "faves",
        "flags",
        "observation_sounds",
        "ofvs",
        "outlinks",
        "project_ids_with_curator_id",
        "project_observations",
        "quality_metrics",
        "sounds",
        "votes",
    )
    nulls = (
        "geoprivacy",
        "taxon_geoprivacy",
        "context_geoprivacy",
        "context_user_geoprivacy",
        "context_taxon_geoprivacy",
    )
    preferences: Record = {"prefers_community_taxon": None}
    return {**{key: [] for key in lists}, **dict.fromkeys(nulls), "preferences": preferences}
