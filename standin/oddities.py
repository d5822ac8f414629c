"""What real records hold that a careless reader of them does not expect; each oddity changes one record.

None of them takes a record out of the default query: where a change must not, it is named `strays`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from standin import texts
from standin.catalog import ELSEWHERE, Record
from standin.records import OPEN, Writer, converse, identification, make_uuid, place_at

Change = Callable[[Writer, Record, random.Random], None]


def blank(*keys: str) -> Change:
    return lambda writer, record, rng: record.update(dict.fromkeys(keys))


def say(key: str, text: str) -> Change:
    return lambda writer, record, rng: record.update({key: text})


def no_date(writer: Writer, record: Record, rng: random.Random) -> None:
    record.update(time_observed_at=None, observed_on=None, observed_on_details=None, observed_on_string=None)


def no_community_key(writer: Writer, record: Record, rng: random.Random) -> None:
    del record["community_taxon_id"]


def no_photos(writer: Writer, record: Record, rng: random.Random) -> None:
    writer.set_photos(record, [])


def many_photos(count: int) -> Change:
    def change(writer: Writer, record: Record, rng: random.Random) -> None:
        writer.set_photos(record, [writer.new_photo(record["license_code"], rng) for _ in range(count)])

    return change


def photo_with_extension(extension: str) -> Change:
    def change(writer: Writer, record: Record, rng: random.Random) -> None:
        photo = writer.new_photo(record["license_code"], rng, extension)
        if not extension:
            photo["url"] = photo["url"].partition("?")[0] + "?1413389481"
        writer.set_photos(record, [photo])

    return change


def mixed_licenses(writer: Writer, record: Record, rng: random.Random) -> None:
    writer.set_photos(record, [writer.new_photo(code, rng) for code in (None, "cc-by", "cc-by-nc-nd", "cc0")])


def open_license_on_the_other_host(writer: Writer, record: Record, rng: random.Random) -> None:
    photo = writer.new_photo("cc-by", rng)
    photo["license_code"] = "cc-by"
    photo["url"] = photo["url"].replace(writer.hosts.open + "/", writer.hosts.static + "/", 1)
    writer.set_photos(record, [photo])


def sounds_only(writer: Writer, record: Record, rng: random.Random) -> None:
    writer.set_photos(record, [])
    sound = {
        "id": 4000 + record["id"] % 999,
        "file_url": f"{writer.hosts.static}/sounds/44518.m4a?1564113561",
        "license_code": "cc-by-nc",
        "attribution": "(c) Someone, all rights reserved",
        "flags": [],
        "file_content_type": "audio/mp4",
        "play_local": True,
        "native_sound_id": None,
        "subtype": None,
    }
    record["sounds"] = [sound]
    record["observation_sounds"] = [{"id": 1, "uuid": make_uuid(rng), "sound": sound}]


def obscured(key: str) -> Change:
    """A random point of the 0.2 degree cell stands in the record; the writer keeps the true one aside."""

    def change(writer: Writer, record: Record, rng: random.Random) -> None:
        private = {
            "private_location": record["location"],
            "private_geojson": record["geojson"],
            "private_place_ids": record["place_ids"],
            "private_place_guess": record["place_guess"],
        }
        place_at(record, 38.4 + rng.random() * 0.2, -9.2 + rng.random() * 0.2, rng)
        record.update({key: "obscured", "obscured": True, "positional_accuracy": None, **private})
        record["public_positional_accuracy"] = rng.randint(27_000, 31_000)
        record["place_guess"] = "Setúbal, PT"

    return change


def text_coordinates(writer: Writer, record: Record, rng: random.Random) -> None:
    """Seen in an old obscured record: numbers as text."""
    record["geojson"] = {**record["geojson"], "coordinates": [*map(str, record["geojson"]["coordinates"])]}


def chatty(writer: Writer, record: Record, rng: random.Random) -> None:
    """Comments, annotations, observation fields and a fave, all nested objects."""
    converse(record, rng, 12)
    user = writer.catalog.users[1203]
    comment = {**identification(record, rng, own=False), "body": "so\rmany <b>words</b>\n\n=1+1"}
    shown = ("id", "uuid", "created_at", "created_at_details", "body", "flags", "hidden")
    record["comments"] = [{**{key: comment[key] for key in shown}, "user": user}]
    record["comments_count"] = 1
    record["annotations"] = [
        {
            "uuid": make_uuid(rng),
            "controlled_attribute_id": 12,
            "controlled_value_id": 14,
            "vote_score": 0,
            "concatenated_attr_val": "12|14",
            "user_id": user["id"],
            "user": user,
            "votes": [],
        }
    ]
    record["ofvs"] = [
        {
            "id": 1,
            "uuid": make_uuid(rng),
            "field_id": 7542,
            "datatype": "text",
            "name": "Depth",
            "name_ci": "Depth",
            "value": "12 m",
            "value_ci": "12 m",
            "user_id": user["id"],
        }
    ]


def camera(kind: str) -> Change:
    """A plain jpg photo whose file is peculiar; `generate` tells the photo book by the kind it finds here."""

    def change(writer: Writer, record: Record, rng: random.Random) -> None:
        photo = writer.new_photo("cc-by", rng, "jpg")
        writer.set_photos(record, [photo])
        record["standin_kind"] = (photo["id"], kind)

    return change


def strays_elsewhere(writer: Writer, record: Record, rng: random.Random) -> None:
    place_at(record, 36.6 + rng.random(), -121.9 + rng.random(), rng)
    record["place_ids"] = [*ELSEWHERE]


def strays_without_taxon(writer: Writer, record: Record, rng: random.Random) -> None:
    record.update(taxon=None, community_taxon_id=None, species_guess=None, ident_taxon_ids=[])
    converse(record, rng, 0)


def strays_coarse(writer: Writer, record: Record, rng: random.Random) -> None:
    taxon = rng.choice(writer.catalog.coarse)
    record.update(taxon=taxon, community_taxon_id=taxon["id"], ident_taxon_ids=taxon["ancestor_ids"])


def strays_hidden(writer: Writer, record: Record, rng: random.Random) -> None:
    """Private coordinates: no location at all for others."""
    obscured("geoprivacy")(writer, record, rng)
    record.update(geoprivacy="private", location=None, geojson=None, place_ids=[], place_guess=None)
    record["mappable"] = False


def strays_obscured(writer: Writer, record: Record, rng: random.Random) -> None:
    """Obscured and not publicly in the place, although truly inside."""
    obscured("geoprivacy")(writer, record, rng)
    record["place_ids"] = [97391, 7122]


STRAYS: list[Change] = [
    strays_elsewhere,
    strays_coarse,
    strays_without_taxon,
    blank("location", "geojson"),
    strays_hidden,
    strays_obscured,
]
# Each at least once where there are observations enough for all.
ONCE: list[Change] = [
    no_photos,
    sounds_only,
    many_photos(22),
    many_photos(6),
    many_photos(2),
    mixed_licenses,
    *(photo_with_extension(e) for e in ("", "png", "JPG", "gif", "jpeg")),
    camera("trailing"),
    camera("mpo"),
    open_license_on_the_other_host,
    no_date,
    no_community_key,
    text_coordinates,
    chatty,
    obscured("geoprivacy"),
    obscured("taxon_geoprivacy"),
    say("license_code", ""),
    blank("time_observed_at"),
    blank("species_guess"),
    blank("license_code"),
    blank("community_taxon_id"),
    blank("positional_accuracy"),
    blank("place_guess"),
    blank("description"),
    *(say("species_guess", text) for text in texts.NASTY),
    *(say("description", text) for text in texts.NASTY),
    say("description", "\n".join([*texts.NASTY, *texts.PLAIN] * 4)),
]
# Share of all observations.
OFTEN: list[tuple[float, Change]] = [
    (0.09, blank("species_guess")),
    (0.06, blank("time_observed_at")),
    (0.04, no_date),
    (0.02, say("license_code", "")),
    (0.2, blank("community_taxon_id")),
    (0.25, blank("positional_accuracy")),
    (0.03, obscured("taxon_geoprivacy")),
    (0.02, obscured("geoprivacy")),
    (0.01, sounds_only),
    (0.004, photo_with_extension("")),
    (0.03, chatty),
    (0.05, mixed_licenses),
    (0.02, lambda writer, record, rng: record.update(species_guess=rng.choice(texts.NASTY))),
    (0.05, lambda writer, record, rng: record.update(description=rng.choice(texts.NASTY))),
    (0.3, lambda writer, record, rng: record.update(taxon_geoprivacy=record["taxon_geoprivacy"] or "open")),
    (0.05, lambda writer, record, rng: record.update(license_code=rng.choice(OPEN))),
]
