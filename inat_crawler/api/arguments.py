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
    geoprivacy,
    grades,
    iconic,
    id_or_login,
    id_or_slug,
    ids,
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
    "where": (
        Argument("place_id", ids, "128892", "Inside any of these places."),
        Argument("not_in_place", ids, "6744", "Outside all of these places."),
        Argument("nelat", latitude, "47.9", "North edge of a box."),
        Argument("nelng", longitude, "8.9", "East edge of a box."),
        Argument("swlat", latitude, "47.3", "South edge of a box."),
        Argument("swlng", longitude, "8.1", "West edge of a box; east of nelng: over the antimeridian."),
        Argument("lat", latitude, "47.37", "Latitude of a circle's center."),
        Argument("lng", longitude, "8.54", "Longitude of a circle's center."),
        Argument("radius", number("0.001", "20040"), "5", "A circle's radius in km; 10 if not given."),
        Argument("geo", boolean, "true", "Has coordinates.", default="true"),
        Argument("mappable", boolean, "true", "Is drawn on iNaturalist's maps."),
        Argument("acc", boolean, "true", "States how accurate its position is."),
        Argument("acc_above", meters, "10", "Position less accurate than this many meters."),
        Argument("acc_below", meters, "1000", "Position more accurate than this many meters."),
        Argument("acc_below_or_unknown", meters, "1000", "As acc_below, or with no stated accuracy."),
        Argument("geoprivacy", geoprivacy, "open", "The observer's choice to hide the position."),
        Argument("taxon_geoprivacy", geoprivacy, "obscured", "Position hidden because of the taxon."),
        Argument("obscuration", obscuration, "none", "Position hidden for either of these reasons."),
        Argument("out_of_range", boolean, "true", "Outside the taxon's known range."),
        Argument("expected_nearby", boolean, "true", "Where iNaturalist's range model expects the taxon."),
    ),
    "what": (
        Argument("taxon_id", ids, "3,47126", "One of these taxa or what belongs to them."),
        Argument("exact_taxon_id", ids, "47126", "One of these taxa itself."),
        Argument("without_taxon_id", ids, "43584", "None of these taxa nor what belongs to them."),
        Argument("taxon_name", text, "Lynx lynx", "A scientific or common name matches."),
        Argument("ident_taxon_id", ids, "41963", "Somebody identified it as one of these."),
        Argument("iconic_taxa", iconic, "Aves,Fungi", "One of the large groups."),
        Argument("list_id", one_id, "945029", "A taxon on this list."),
        Argument("identified", boolean, "true", "Has a taxon.", default="true"),
        Argument("rank", ranks, "genus,species", "Taxon of these ranks.", default="species"),
        Argument("hrank", rank, "genus", "Taxon of this rank or a lower one."),
        Argument("lrank", rank, "species", "Taxon of this rank or a higher one."),
        Argument("taxon_is_active", boolean, "true", "Taxon in current use."),
        Argument("native", boolean, "true", "Native where it was seen."),
        Argument("introduced", boolean, "true", "Introduced where it was seen."),
        Argument("endemic", boolean, "true", "Endemic where it was seen."),
        Argument("threatened", boolean, "true", "Threatened where it was seen."),
        Argument("cs", list_of(text), "nt,vu", "Conservation status code, in the place if one is given."),
        Argument("csa", list_of(text), "IUCN Red List", "Authority that gave a conservation status."),
        Argument("csi", iucn, "CR,EN", "IUCN category. The API drops NT silently; cs=nt finds those."),
    ),
    "people and projects": (
        Argument("user_id", users, "1,loarie", "Observed by one of these (id or login)."),
        Argument("user_login", list_of(login), "loarie", "Observed by one of these (login)."),
        Argument("not_user_id", users, "42", "Observed by none of these."),
        Argument("ident_user_id", users, "42", "Identified by one of these."),
        Argument("unobserved_by_user_id", id_or_login, "42", "Of a taxon that this user has never observed."),
        Argument("viewer_id", one_id, "42", "The user whose reviews `reviewed` asks about."),
        Argument("reviewed", boolean, "false", "Marked as reviewed by viewer_id."),
        Argument("site_id", ids, "1", "Belongs to one of these national sites of the network."),
        Argument("project_id", projects, "city-nature-challenge-2024", "In one of these projects."),
        Argument("not_in_project", projects, "806", "In none of these projects."),
        Argument("apply_project_rules_for", id_or_slug, "806", "Would fit this project's rules."),
        Argument("not_matching_project_rules_for", id_or_slug, "806", "Would not fit this project's rules."),
        Argument("pcid", boolean, "true", "Identified by a curator of the project."),
    ),
    "when": (
        Argument("d1", day, "2024-01-01", "Observed on this day or later."),
        Argument("d2", day, "2024-12-31", "Observed on this day or earlier."),
        Argument("observed_on", day, "2024-05-01", "Observed on this day."),
        Argument("year", years, "2023,2024", "Observed in these years."),
        Argument("month", months, "5,6", "Observed in these months of any year."),
        Argument("day", days, "1", "Observed on these days of any month."),
        Argument("hour", list_of(integer(0, 23)), "22,23", "Observed in these hours of the day."),
        Argument("created_d1", moment, "2024-01-01", "Uploaded at this time or later."),
        Argument("created_d2", moment, "2024-12-31", "Uploaded at this time or earlier."),
        Argument("created_on", day, "2024-05-01", "Uploaded on this day."),
        Argument("created_year", years, "2024", "Uploaded in these years."),
        Argument("created_month", months, "5,6", "Uploaded in these months of any year."),
        Argument("created_day", days, "1", "Uploaded on these days of any month."),
        Argument("updated_since", moment, "2024-05-01T06:00:00Z", "Changed at this time or later."),
    ),
    "quality, media, licenses": (
        Argument("photos", boolean, "true", "Has a photo."),
        Argument("sounds", boolean, "true", "Has a sound."),
        Argument("license", licenses, "cc-by,cc0", "License of the record."),
        Argument("photo_license", licenses, "cc-by,cc0", "License of at least one of its photos."),
        Argument("sound_license", licenses, "cc-by,cc0", "License of at least one of its sounds."),
        Argument("licensed", boolean, "true", "The record has a license."),
        Argument("photo_licensed", boolean, "true", "At least one photo has a license."),
        Argument("quality_grade", grades, "research", "Its quality grade."),
        Argument("verifiable", boolean, "true", "Research grade or on the way to it."),
        Argument("captive", boolean, "false", "Captive or cultivated."),
        Argument("identifications", agreement, "most_agree", "How far identifiers agree."),
        Argument("popular", boolean, "true", "Somebody's favorite."),
        Argument("spam", boolean, "false", "Flagged as spam."),
        Argument("id_please", boolean, "true", "Has the old 'ID, please' mark, out of use."),
        Argument("observation_accuracy_experiment_id", ids, "1", "In this accuracy experiment."),
    ),
    "annotations and fields": (
        Argument("term_id", ids, "1", "Annotated with these terms (1 is life stage)."),
        Argument("term_value_id", ids, "2", "Annotated with these values of the term."),
        Argument("without_term_id", one_id, "1", "Not annotated with this term."),
        Argument("without_term_value_id", ids, "2", "Not annotated with these values of the term."),
        Argument("term_id_or_unknown", ids, "1", "As term_id, or not annotated with the term."),
        Argument("annotation_user_id", users, "42", "Annotated by one of these users."),
        Argument("ofv_datatype", field_types, "dna", "Has an observation field of these types."),
    ),
    "records": (
        Argument("id", ids, "1,2,3", "These observations."),
        Argument("not_id", ids, "4", "All but these observations."),
        Argument("id_above", integer(0, MAX_ID), "200000000", "Ids above this one."),
        Argument("id_below", one_id, "200001000", "Ids below this one."),
        Argument("q", text, "albino", "These words in names, tags, description or place."),
        Argument("search_on", one_of("names", "tags", "description", "place"), "tags", "Where q looks."),
    ),
    "names in the records": (
        Argument("locale", language, "pt", "Language of the common names."),
        Argument("preferred_place_id", one_id, "7122", "Common names as used in this place."),
    ),
    "fetching": (
        Argument("output", text, "zurich", "Directory of the mirror."),
        Argument("images", images, "all", "Which photos to fetch.", default="first"),
        Argument("sizes", sizes, "large", "Sizes of the photos.", default="square,medium,original"),
        Argument("limit", one_id, "500", "Stop after this many observations."),
        Argument("per_page", integer(1, 200), "50", "Observations per request.", default="200"),
        Argument("everything", boolean, "true", "Yes, do mirror the whole world.", default="false"),
    ),
}
# fmt: on

ARGUMENTS: Mapping[str, Argument] = {each.name: each for group in GROUPS.values() for each in group}
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
