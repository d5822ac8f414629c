"""What observations refer to: the places, taxa, users and projects of the stand-in, in the API's shapes."""

from __future__ import annotations

import unicodedata
from typing import Any

Record = dict[str, Any]

DEFAULT_PLACE = 128892
LIFE = 48460
# fmt: off
RANK_LEVELS = {
    "stateofmatter": 100, "kingdom": 70, "phylum": 60, "class": 50, "order": 40, "family": 30, "genus": 20,
    "species": 10, "subspecies": 5,
}
ICONIC = {
    1: "Animalia", 3: "Aves", 20978: "Amphibia", 26036: "Reptilia", 40151: "Mammalia",
    47178: "Actinopterygii", 47115: "Mollusca", 47119: "Arachnida", 47158: "Insecta",
    47126: "Plantae", 47170: "Fungi", 47686: "Protozoa", 48222: "Chromista",
}
# id, slug, name, display name, admin level, ancestors. Two parks of nearly one name make a look-up ambiguous.
PLACES: list[tuple[int, str, str, str, int | None, list[int]]] = [
    (97391, "europe", "Europe", "Europe", -10, []),
    (7122, "portugal", "Portugal", "Portugal", 0, [97391]),
    (10282, "setubal", "Setúbal", "Setúbal, PT", 10, [97391, 7122]),
    (DEFAULT_PLACE, "parque-marinho-luiz-saldanha", "Parque Marinho Luiz Saldanha",
     "Parque Marinho Luiz Saldanha, Portugal", None, [97391, 7122, 10282]),
    (129001, "parque-natural-da-arrabida", "Parque Natural da Arrábida",
     "Parque Natural da Arrábida, PT", None, [97391, 7122, 10282]),
    (129002, "parque-natural-arrabida", "Parque Natural Arrábida",
     "Parque Natural Arrábida, Setúbal, PT", None, [97391, 7122, 10282]),
    (97394, "north-america", "North America", "North America", -10, []),
    (1, "united-states", "United States", "United States", 0, [97394]),
    (14, "california", "California", "California, US", 10, [97394, 1]),
]
ELSEWHERE = [97394, 1, 14]
# id, parent, rank, name, common name. Parents stand before their children.
TAXA: list[tuple[int, int, str, str, str | None]] = [
    (1, LIFE, "kingdom", "Animalia", "Animals"), (47126, LIFE, "kingdom", "Plantae", "Plants"),
    (47170, LIFE, "kingdom", "Fungi", "Fungi"), (48222, LIFE, "kingdom", "Chromista", "Kelp and Allies"),
    (2, 1, "phylum", "Chordata", "Chordates"), (47115, 1, "phylum", "Mollusca", "Mollusks"),
    (47120, 1, "phylum", "Arthropoda", "Arthropods"), (47534, 1, "phylum", "Cnidaria", "Cnidarians"),
    (47549, 1, "phylum", "Echinodermata", "Echinoderms"), (48221, 48222, "phylum", "Ochrophyta", None),
    (3, 2, "class", "Aves", "Birds"), (47178, 2, "class", "Actinopterygii", "Ray-finned Fishes"),
    (40151, 2, "class", "Mammalia", "Mammals"), (47114, 47115, "class", "Gastropoda", "Gastropods"),
    (47459, 47115, "class", "Cephalopoda", "Cephalopods"), (47158, 47120, "class", "Insecta", "Insects"),
    (4342, 3, "family", "Laridae", "Gulls and Terns"), (47308, 47178, "family", "Sparidae", "Porgies"),
    (49010, 47178, "family", "Blenniidae", "Combtooth Blennies"),
    (41479, 40151, "family", "Delphinidae", None),
    (50090, 47114, "family", "Chromodorididae", None), (47460, 47459, "family", "Octopodidae", None),
    (47922, 47158, "family", "Nymphalidae", "Brush-footed Butterflies"),
    (47605, 47534, "family", "Actiniidae", None), (47669, 47549, "family", "Asteriidae", None),
    (52642, 47126, "family", "Cistaceae", "Rock-rose Family"), (55120, 48221, "family", "Fucaceae", None),
    (4343, 4342, "genus", "Larus", None), (49110, 47308, "genus", "Diplodus", None),
    (49011, 49010, "genus", "Parablennius", None), (41480, 41479, "genus", "Tursiops", None),
    (50091, 50090, "genus", "Felimare", None), (47461, 47460, "genus", "Octopus", None),
    (47923, 47922, "genus", "Vanessa", None), (47606, 47605, "genus", "Anemonia", None),
    (47670, 47669, "genus", "Marthasterias", None), (52643, 52642, "genus", "Cistus", None),
    (55121, 55120, "genus", "Fucus", None),
    (204533, 4343, "species", "Larus michahellis", "Yellow-legged Gull"),
    (4360, 4343, "species", "Larus fuscus", "Lesser Black-backed Gull"),
    (182381, 49110, "species", "Diplodus sargus", "White Seabream"),
    (182382, 49110, "species", "Diplodus vulgaris", "Common Two-banded Seabream"),
    (117301, 49011, "species", "Parablennius pilicornis", "Ringneck Blenny"),
    (117302, 49011, "species", "Parablennius gattorugine", "Tompot Blenny"),
    (41482, 41480, "species", "Tursiops truncatus", "Common Bottlenose Dolphin"),
    (326580, 50091, "species", "Felimare cantabrica", None),
    (326581, 50091, "species", "Felimare villafranca", "Villafranca's Sea Slug"),
    (50481, 47461, "species", "Octopus vulgaris", "Common Octopus"),
    (49133, 47923, "species", "Vanessa atalanta", "Red Admiral"),
    (130401, 47606, "species", "Anemonia viridis", "Snakelocks Anemone"),
    (119081, 47670, "species", "Marthasterias glacialis", "Spiny Starfish"),
    (78990, 52643, "species", "Cistus ladanifer", "Gum Rockrose"),
    (58041, 55121, "species", "Fucus vesiculosus", "Bladder Wrack"),
]
USERS: list[tuple[int, str, str | None]] = [
    (1201, "mar_azul", "Inês Marçal"), (1202, "tomas_oliveira", "Tomás Oliveira"),
    (1203, "blenny_hunter", None), (1204, "j-prado", "J. Prado, Jr."), (1205, "nudibranquio", ""),
    (1206, "diver77", "Dana \"Fin\" Ivers"),
    (1207, "yuki_umi", "海野 雪"), (1208, "sea.urchin", "Ana =Lima"),
    (1209, "rockpooler", "Rosie O'Pool"),
    (1210, "gaivota", "Maria Gaivota"), (1211, "ola_norge", "Ola Ødegård"), (1212, "crabby", "🦀 Crabby"),
]
PROJECTS = [
    (311, "marine-life-of-arrabida", "Marine Life of Arrábida", DEFAULT_PLACE),
    (5531, "nudibranchs-of-portugal", "Nudibranchs of Portugal", 7122),
    (13857, "tidepool-weekend", "Tidepool Weekend", None),
]
# Only to be looked up, nothing was observed there or of it: names that several have, or that break a terminal.
HOMONYM_PLACES: list[tuple[int, str, str, str, int | None, list[int]]] = [
    (130001, "santiago", "Santiago", "Santiago, CL", 10, []),
    (130002, "santiago-cv", "Santiago", "Santiago, CV", 10, []),
    (130003, "praia", "Praia\x1b[2J\x9b31m", "Praia <b>da\r\nRocha</b>\u202e, PT", None, [97391, 7122]),
]
HOMONYM_TAXA: list[tuple[int, int, str, str, str | None]] = [
    (4571, 3, "genus", "Morus", "Gannets"), (53345, 47126, "genus", "Morus", "Mulberries"),
    (47458, 47459, "order", "Octopoda", "Octopus"),
    (53346, 47126, "species", "Xanthium \x1b]0;title\x07", "Cocklebur <script>\tx\u2028"),
]
HOMONYM_USERS: list[tuple[int, str, str | None]] = [
    (1301, "maria", "M. Silva"), (1302, "maria_b", "Maria"), (1303, "ms", "Maria"),
    (1304, "esc_ape", "Esc\x1b[31m Ape"),
]
HOMONYM_PROJECTS = [
    (13858, "tidepool-weekend-2", "Tidepool Weekend 2", None), (13859, "ghosts", "Ghosts\x1b[2J", None),
]
# fmt: on
ENDEMIC, INTRODUCED, THREATENED = {326580}, {130401, 4360}, {41482, 58041}


def fold(text: str) -> str:
    """Lower case without accents, as the API's search compares names."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).lower()


class Catalog:
    """Look-ups by id, slug or login, and the autocompletes' searches."""

    def __init__(self, default_place: int = DEFAULT_PLACE) -> None:
        self.default_place = default_place
        self.places = {row[0]: _place(*row) for row in PLACES}
        self.taxa = _taxa()
        self.users = {row[0]: _user(*row) for row in USERS}
        self.projects = {row[0]: _project(*row) for row in PROJECTS}
        self.own_users = [*self.users.values()]
        self.species = [t for t in self.taxa.values() if t["rank"] == "species"]
        self.coarse = [t for t in self.taxa.values() if t["rank"] in ("genus", "family")]
        self.places |= {row[0]: _place(*row) for row in HOMONYM_PLACES}
        self.taxa |= {row[0]: _taxon(row, self.taxa) for row in HOMONYM_TAXA}
        self.users |= {row[0]: _user(*row) for row in HOMONYM_USERS}
        self.projects |= {row[0]: _project(*row) for row in HOMONYM_PROJECTS}
        self.learn({"place_ids": [default_place]})

    def learn(self, record: Record) -> None:
        """Make whatever a foreign record refers to known, so that queries by it are answered."""
        for place in record.get("place_ids") or []:
            if place not in self.places:
                name = f"Place {place}"
                self.places[place] = _place(place, f"place-{place}", name, name, None, [])
        for project in record.get("project_ids") or []:
            if project not in self.projects:
                self.projects[project] = _project(project, f"project-{project}", f"Project {project}", None)
        taxon, user = record.get("taxon"), record.get("user")
        if taxon:
            self.taxa.setdefault(taxon["id"], taxon)
            for ancestor in taxon.get("ancestor_ids") or []:
                self.taxa.setdefault(ancestor, {"id": ancestor, "name": f"Taxon {ancestor}", "rank": "genus"})
        if user:
            self.users.setdefault(user["id"], user)

    def place_ids(self, place: int) -> list[int]:
        return [*self.places[place]["ancestor_place_ids"]]


def find(rows: dict[int, Record], key: str, name: str) -> list[Record]:
    """The row of an id, or the rows whose `name` field (slug, login) is `key`."""
    if key.isdigit():
        return [rows[int(key)]] if int(key) in rows else []
    return [row for row in rows.values() if row.get(name) == key]


def complete(rows: dict[int, Record], text: str, fields: tuple[str, ...]) -> list[Record]:
    """The rows with every word of `text` in one of the fields."""
    words = fold(text).split()
    return [
        row
        for row in rows.values()
        if any(all(word in fold(str(row.get(field) or "")) for word in words) for field in fields)
    ]


def _place(number: int, slug: str, name: str, display: str, level: int | None, ancestors: list[int]) -> Record:
    ring = [[-9.3, 38.3], [-8.7, 38.3], [-8.7, 38.6], [-9.3, 38.6], [-9.3, 38.3]]
    box = {"type": "Polygon", "coordinates": [ring]}
    return {
        "id": number,
        "uuid": f"00000000-0000-4000-8000-{number:012d}",
        "slug": slug,
        "name": name,
        "display_name": display,
        "place_type": None if level is None else 8,
        "admin_level": level,
        "bbox_area": 0.18,
        "ancestor_place_ids": [*ancestors, number],
        "location": "38.45,-9.0",
        "bounding_box_geojson": box,
        "geometry_geojson": box,
    }


def _taxa() -> dict[int, Record]:
    rows = {LIFE: _taxon((LIFE, LIFE, "stateofmatter", "Life", "Life"), {})}
    for row in TAXA:
        rows[row[0]] = _taxon(row, rows)
    return rows


def _taxon(row: tuple[int, int, str, str, str | None], parents: dict[int, Record]) -> Record:
    number, parent, rank, name, common = row
    above: list[int] = parents[parent]["ancestor_ids"] if parents else []
    line = [*above, number]
    iconic = next((a for a in reversed(line) if a in ICONIC), None)
    taxon: Record = {
        "id": number,
        "name": name,
        "rank": rank,
        "rank_level": RANK_LEVELS[rank],
        "is_active": True,
        "parent_id": parent if parents else None,
        "ancestor_ids": line,
        "extinct": False,
        "ancestry": "/".join(map(str, above)) or None,
        "min_species_ancestry": ",".join(map(str, line)),
        "iconic_taxon_id": iconic,
        "iconic_taxon_name": ICONIC.get(iconic or 0),
        "observations_count": 1000 + number % 9000,
        "endemic": number in ENDEMIC,
        "introduced": number in INTRODUCED,
        "native": number not in INTRODUCED,
        "threatened": number in THREATENED,
        "default_photo": _portrait(number),
        "atlas_id": None,
        "wikipedia_url": f"https://en.wikipedia.org/wiki/{name.replace(' ', '_')}",
        "flag_counts": {"resolved": 0, "unresolved": 0},
        "current_synonymous_taxon_ids": None,
    }
    if common:  # the key is absent, not null, where a taxon has no common name
        taxon["preferred_common_name"] = common
    return taxon


def _portrait(number: int) -> Record:
    base = f"https://inaturalist-open-data.s3.amazonaws.com/photos/{number}"
    return {
        "id": number,
        "license_code": "cc-by",
        "attribution": "(c) Someone, some rights reserved (CC BY)",
        "url": f"{base}/square.jpg",
        "square_url": f"{base}/square.jpg",
        "medium_url": f"{base}/medium.jpg",
        "original_dimensions": {"width": 2048, "height": 1536},
        "flags": [],
    }


def _user(number: int, login: str, name: str | None) -> Record:
    return {
        "id": number,
        "login": login,
        "name": name,
        "spam": False,
        "suspended": False,
        "orcid": None,
        "created_at": "2011-05-04T09:31:07+00:00",
        "login_autocomplete": login,
        "login_exact": login,
        "name_autocomplete": name,
        "icon": None,
        "icon_url": None,
        "observations_count": number % 700,
        "identifications_count": number % 900,
        "journal_posts_count": 0,
        "activity_count": number % 1600,
        "universal_search_rank": number % 700,
        "roles": [],
        "site_id": 1,
        "preferences": {},
    }


def _project(number: int, slug: str, title: str, place: int | None) -> Record:
    return {
        "id": number,
        "slug": slug,
        "title": title,
        "description": f"All about {title}.",
        "place_id": place,
        "project_type": "",
        "user_id": 1201,
        "user_ids": [1201],
        "icon": None,
        "is_umbrella": False,
        "created_at": "2015-10-27T04:00:07+00:00",
        "updated_at": "2020-02-13T20:31:11+00:00",
    }
