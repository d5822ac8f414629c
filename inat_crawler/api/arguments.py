"""The spider arguments, one declaration each: name, check, example, meaning, default.

How arguments work together is in `query`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from inat_crawler.api.checks import (
    MAX_ID,
    Check,
    agreement,
    boolean,
    day,
    days,
    field_types,
    formats,
    geoprivacy,
    grades,
    iconic,
    id_or_login,
    id_or_slug,
    ids,
    image_licenses,
    images,
    integer,
    iucn,
    language,
    latitude,
    licenses,
    list_of,
    login,
    longitude,
    meters,
    moment,
    months,
    name_or_id,
    number,
    obscuration,
    one_id,
    one_of,
    projects,
    rank,
    ranks,
    sizes,
    text,
    users,
    years,
)


@dataclass(frozen=True)
class Argument:
    """One spider argument: how it is checked, what it means, and its default if it has one."""

    name: str
    check: Check
    example: str
    doc: str
    default: str | None = None


# fmt: off
GROUPS: Mapping[str, tuple[Argument, ...]] = {
    "as people say it": (
        Argument("url", text, "https://www.inaturalist.org/observations?place_id=128892&taxon_id=47459", "What the site's Explore page shows at this address."),
        Argument("place", name_or_id, "Parque Marinho Luiz Saldanha", "Inside the place of this name."),
        Argument("taxon", name_or_id, "Octopus vulgaris", "The taxon of this scientific or common name, or anything that belongs to it."),
        Argument("user", name_or_id, "loarie", "Observed by the person with this login or name."),
        Argument("project", name_or_id, "City Nature Challenge 2024", "In the project of this title."),
    ),
    "where": (
        Argument("place_id", ids, "128892", "Inside any of these places."),
        Argument("not_in_place", ids, "6744", "Outside all of these places."),
        Argument("nelat", latitude, "47.9", "North edge of a box. A box needs all four edges."),
        Argument("nelng", longitude, "8.9", "East edge of a box."),
        Argument("swlat", latitude, "47.3", "South edge of a box, not north of `nelat`."),
        Argument("swlng", longitude, "8.1", "West edge of a box. If it lies east of `nelng`, the box crosses the 180th meridian."),
        Argument("lat", latitude, "47.37", "Latitude of a circle's center; needs `lng`."),
        Argument("lng", longitude, "8.54", "Longitude of a circle's center; needs `lat`."),
        Argument("radius", number("0.001", "20040"), "5", "Radius of the circle in kilometers. 10 if you give only the center."),
        Argument("geo", boolean, "true", "Has coordinates (for you to see).", default="true"),
        Argument("mappable", boolean, "true", "Is drawn on iNaturalist's maps."),
        Argument("acc", boolean, "true", "States how accurate its position is."),
        Argument("acc_above", meters, "10", "Position less accurate than this."),
        Argument("acc_below", meters, "1000", "Position more accurate than this; those that state nothing are left out."),
        Argument("acc_below_or_unknown", meters, "1000", "As `acc_below`, with those that state nothing."),
        Argument("geoprivacy", geoprivacy, "open", "What the observer chose to show of the position."),
        Argument("taxon_geoprivacy", geoprivacy, "obscured", "What is shown because of the taxon's conservation status."),
        Argument("obscuration", obscuration, "none", "What is shown, whichever the reason."),
        Argument("out_of_range", boolean, "true", "Outside the range that iNaturalist knows for the taxon."),
        Argument("expected_nearby", boolean, "true", "Where iNaturalist's model of ranges expects the taxon."),
    ),
    "what": (
        Argument("taxon_id", ids, "3,47126", "One of these taxa, or anything that belongs to them."),
        Argument("exact_taxon_id", ids, "47126", "One of these taxa itself, nothing below."),
        Argument("without_taxon_id", ids, "43584", "None of these taxa, nor what belongs to them."),
        Argument("taxon_name", text, "Lynx lynx", "A scientific or common name. A name that matches nothing finds nothing; an id is safer."),
        Argument("ident_taxon_id", ids, "41963", "Somebody identified it as one of these, whatever it is now."),
        Argument("iconic_taxa", iconic, "Aves,Fungi", "One of the large groups with an icon."),
        Argument("list_id", one_id, "945029", "The taxon is on this list."),
        Argument("identified", boolean, "true", "Has a taxon.", default="true"),
        Argument("rank", ranks, "genus,species", "The taxon has one of these ranks.", default="species"),
        Argument("hrank", rank, "genus", "The taxon has this rank or a lower one."),
        Argument("lrank", rank, "species", "The taxon has this rank or a higher one."),
        Argument("taxon_is_active", boolean, "true", "The taxon is in current use (not replaced by a newer one)."),
        Argument("native", boolean, "true", "Native where it was seen."),
        Argument("introduced", boolean, "true", "Introduced where it was seen."),
        Argument("endemic", boolean, "true", "Found nowhere else than where it was seen."),
        Argument("threatened", boolean, "true", "Threatened where it was seen."),
        Argument("cs", list_of(text), "nt,vu", "Code of a conservation status; with `place_id`, the status there."),
        Argument("csa", list_of(text), "IUCN Red List", "Authority that gave the status; with `place_id`, the status there."),
        Argument("csi", iucn, "CR,EN", "IUCN category; with `place_id`, the one there. NT is not accepted, because iNaturalist drops it silently: use `cs=nt`."),
    ),
    "people and projects": (
        Argument("user_id", users, "1,loarie", "Observed by one of these people."),
        Argument("user_login", list_of(login), "loarie", "The same, by login only."),
        Argument("not_user_id", users, "42", "Observed by none of these people."),
        Argument("ident_user_id", users, "42", "Identified by one of these people."),
        Argument("unobserved_by_user_id", id_or_login, "42", "Of a taxon that this person has never observed."),
        Argument("viewer_id", one_id, "42", "The person that `reviewed` is about; needs `reviewed`."),
        Argument("reviewed", boolean, "false", "That person has marked it as reviewed; needs `viewer_id`."),
        Argument("site_id", ids, "1", "Belongs to one of these sites of the iNaturalist network (1 is inaturalist.org)."),
        Argument("project_id", projects, "city-nature-challenge-2024", "In one of these projects. A slug is the name in the project's address."),
        Argument("not_in_project", projects, "806", "In none of these projects."),
        Argument("apply_project_rules_for", id_or_slug, "806", "Would fit the rules of this project, whether or not it is in it."),
        Argument("not_matching_project_rules_for", id_or_slug, "806", "Would not fit the rules of this project."),
        Argument("pcid", boolean, "true", "Identified by a curator of the project (of any project if none is given)."),
    ),
    "when": (
        Argument("d1", day, "2024-01-01", "Observed on this day or later."),
        Argument("d2", day, "2024-12-31", "Observed on this day or earlier."),
        Argument("observed_on", day, "2024-05-01", "Observed on this day."),
        Argument("year", years, "2023,2024", "Observed in these years."),
        Argument("month", months, "5,6", "Observed in these months, of any year."),
        Argument("day", days, "1", "Observed on these days, of any month."),
        Argument("hour", list_of(integer(0, 23)), "22,23", "Observed in these hours of the day."),
        Argument("created_d1", moment, "2024-01-01", "Uploaded then or later."),
        Argument("created_d2", moment, "2024-12-31", "Uploaded then or earlier."),
        Argument("created_on", day, "2024-05-01", "Uploaded on this day."),
        Argument("created_year", years, "2024", "Uploaded in these years."),
        Argument("created_month", months, "5,6", "Uploaded in these months, of any year."),
        Argument("created_day", days, "1", "Uploaded on these days, of any month."),
        Argument("updated_since", moment, "2024-05-01T06:00:00Z", "Changed then or later. Not every change counts as one for iNaturalist."),
    ),
    "quality, media, licenses": (
        Argument("photos", boolean, "true", "Has a photo."),
        Argument("sounds", boolean, "true", "Has a sound."),
        Argument("license", licenses, "cc-by,cc0", "License of the record (not of its photos)."),
        Argument("photo_license", licenses, "cc-by,cc0", "License of at least one of its photos; others may differ."),
        Argument("sound_license", licenses, "cc-by,cc0", "License of at least one of its sounds; others may differ."),
        Argument("licensed", boolean, "true", "The record has a license at all."),
        Argument("photo_licensed", boolean, "true", "At least one photo has a license."),
        Argument("quality_grade", grades, "research", "Its quality grade."),
        Argument("verifiable", boolean, "true", "Grade needs_id or research."),
        Argument("captive", boolean, "false", "Captive or cultivated."),
        Argument("identifications", agreement, "most_agree", "How far the identifications agree with its taxon."),
        Argument("popular", boolean, "true", "At least one person's favorite."),
        Argument("spam", boolean, "false", "Flagged as spam. Not in iNaturalist's documentation, though its own pages use it."),
        Argument("id_please", boolean, "true", "Has the old mark \"ID, please\", which is no longer in use."),
        Argument("observation_accuracy_experiment_id", ids, "1", "Part of one of iNaturalist's experiments on accuracy."),
    ),
    "annotations and fields": (
        Argument("term_id", ids, "1", "Annotated with one of these terms (1 is life stage)."),
        Argument("term_value_id", ids, "2", "Annotated with one of these values (2 is adult); needs `term_id` or `term_id_or_unknown`."),
        Argument("without_term_id", one_id, "1", "Not annotated with this term."),
        Argument("without_term_value_id", ids, "2", "Not annotated with these values; needs `term_id` or `term_id_or_unknown`."),
        Argument("term_id_or_unknown", ids, "1", "As `term_id`, but also those not annotated with the term; needs `term_value_id` or `without_term_value_id`."),
        Argument("annotation_user_id", users, "42", "Annotated by one of these people."),
        Argument("ofv_datatype", field_types, "dna", "Has an observation field of one of these types."),
    ),
    "records": (
        Argument("id", ids, "1,2,3", "These observations."),
        Argument("not_id", ids, "4", "All but these observations."),
        Argument("id_above", integer(0, MAX_ID), "200000000", "Observations with a higher id than this."),
        Argument("id_below", one_id, "200001000", "Observations with a lower id than this."),
        Argument("q", text, "albino", "Words in names, tags, description or place."),
        Argument("search_on", one_of("names", "tags", "description", "place"), "tags", "Where `q` looks; needs `q`."),
    ),
    "names in the records": (
        Argument("locale", language, "pt", "Language of the common names."),
        Argument("preferred_place_id", one_id, "7122", "Common names as they are used in this place."),
    ),
    "fetching": (
        Argument("output", text, "luiz-saldanha", "Where the mirror lives; without it, a folder named after the query below `INAT_OUTPUT_ROOT` (default: `output`)."),
        Argument("images", images, "all", "Which photos of an observation are fetched.", default="first"),
        Argument("image_licenses", image_licenses, "open", "Which photos may be fetched, photo by photo: `any`, `open` (CC0, public domain, and all Creative Commons licenses), or a list. A photo without a license has all rights reserved. One whose license is no longer among these goes to `withdrawn/`.", default="any"),
        Argument("sizes", sizes, "large", "In which sizes: 75, 100, 240, 500, 1024 and at most 2048 pixels on the longer side.", default="square,medium,original"),
        Argument("publish", formats, "table,dwca,gpkg", "What is made of the mirror after the crawl: any of the formats of `scrapy publish`, `all` for which the libraries are there, or `none`.", default="table,attribution,report"),
        Argument("limit", one_id, "500", "Stop when the mirror holds this many observations, newest first. A later run with a larger limit, or none, goes on below; with the same it asks nothing: a limited mirror is not brought in step."),
        Argument("per_page", integer(1, 200), "50", "Observations per request. Fewer only means more requests.", default="200"),
        Argument("audit", one_of("auto", "always"), "always", "Compare all ids with the API: when the counts differ or the last time is long ago, or in any case. `always` and a `limit` exclude each other.", default="auto"),
        Argument("private", boolean, "true", "Ask with the token in `INAT_API_TOKEN`, and keep the true coordinates that it shows in two columns of the store. Without it no token is sent. A `repair` needs none.", default="false"),
        Argument("keep_gone", boolean, "true", "Observations that are gone stay in the table, and their photos in `images/`; they get a tombstone all the same.", default="false"),
        Argument("wait", boolean, "true", "When a day's budget is spent, sleep until it may go on. Otherwise the crawl ends then, and the same command goes on from there.", default="false"),
        Argument("repair", boolean, "true", "Ask for no observations: only fetch files that were tried, or had, and are not there. `scrapy verify --repair` does this.", default="false"),
        Argument("everything", boolean, "true", "Yes, I mean the whole world.", default="false"),
    ),
}
# fmt: on

ARGUMENTS: Mapping[str, Argument] = {each.name: each for group in GROUPS.values() for each in group}
WORDS = frozenset(each.name for each in GROUPS["as people say it"])
FETCHING = frozenset(each.name for each in GROUPS["fetching"])
NAMING = frozenset(each.name for each in GROUPS["names in the records"])

REFUSED: Mapping[str, str] = {
    "page": "the crawler pages by id itself",
    "order": "the crawler pages by id itself and needs its own order",
    "order_by": "the crawler pages by id itself and needs its own order",
    "only_id": "the answer would hold ids instead of observations",
    "ttl": "the crawler decides what may come from a cache",
    "fields": "the mirror keeps whole records",
    "read_term_id_and_value_id_as_pairs": "lists are sorted here, which would tear the pairs apart",
}
