"""The core of the archive: an observation as an occurrence, term by term.

Where the standard leaves a choice, it is made as in the archive that iNaturalist itself publishes, so that records
of both can be matched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter

from inat_crawler.api.coordinates import OBSCURED, cell, is_obscured, point, uncertainty
from inat_crawler.api.pages import observation_page, user_page
from inat_crawler.items import Observation
from inat_crawler.outputs.darwin_core.columns import Column, always, license_text

PRIVATE = "private"
WGS84 = "EPSG:4326"
# Iconic taxon -> its kingdom in iNaturalist's taxonomy.
KINGDOMS: Mapping[str, str] = {
    **{kingdom: kingdom for kingdom in ("Animalia", "Chromista", "Fungi", "Plantae", "Protozoa")},
    **dict.fromkeys(
        ("Actinopterygii", "Amphibia", "Arachnida", "Aves", "Insecta", "Mammalia", "Mollusca", "Reptilia"),
        "Animalia",
    ),
}
# What is grown rather than kept, in the words of the vocabulary http://rs.tdwg.org/dwcdoe/values/.
GROWN = ("Fungi", "Plantae")
_ADDRESS = re.compile(r"https?://[^/\s]+/observations/([0-9]+)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DAY.pattern + r"T[0-9]{2}:[0-9]{2}[0-9:.]*(Z|[-+][0-9]{2}:?[0-9]{2})?")


def occurrence_id(observation: Observation) -> str:
    """Its address, as iNaturalist publishes it; the one on the main site when the record has none of that form.

    >>> occurrence_id(Observation(7, uri="https://example.net/7")), occurrence_id(Observation(7))
    ('https://www.inaturalist.org/observations/7', 'https://www.inaturalist.org/observations/7')
    >>> occurrence_id(Observation(7, uri="http://naturewatch.org.nz/observations/7"))
    'http://naturewatch.org.nz/observations/7'
    """
    its_own = _ADDRESS.fullmatch(observation.uri or "")
    return its_own[0] if its_own and its_own[1] == str(observation.id) else page(observation)


def page(observation: Observation) -> str:
    return observation_page(observation.id)


def observer_id(observation: Observation) -> str | None:
    return None if observation.user_id is None else user_page(observation.user_id)


def event_date(observation: Observation) -> str | None:
    """The moment with its offset, else the day; None when neither is a date.

    A moment that falls on another day than `observed_on` is not trusted.

    >>> event_date(Observation(7, observed_on="2026-05-01", time_observed_at="2026-05-01T23:10:00-08:00"))
    '2026-05-01T23:10:00-08:00'
    >>> event_date(Observation(7, observed_on="2026-05-01", time_observed_at="2026-05-02T07:10:00Z"))
    '2026-05-01'
    >>> event_date(Observation(7, observed_on="2026-02-30")) is None
    True
    """
    day, moment = _valid(observation.observed_on, _DAY), _valid(observation.time_observed_at, _MOMENT)
    return moment if moment and day in (None, moment[:10]) else day


def _valid(text: str | None, form: re.Pattern[str]) -> str | None:
    """The text if it has this form and its numbers are on the calendar and the clock."""
    if not text or not form.fullmatch(text):
        return None
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return None
    return text


def event_time(observation: Observation) -> str | None:
    return (event_date(observation) or "")[len("YYYY-MM-DDT") :] or None


def _number_in_date(start: int, end: int) -> Callable[[Observation], int | None]:
    """Year, month or day: digits of the date as a number."""

    def number(observation: Observation) -> int | None:
        date = event_date(observation)
        return int(date[start:end]) if date else None

    return number


def kingdom(observation: Observation) -> str | None:
    return KINGDOMS.get(observation.iconic_taxon_name or "")


def degree_of_establishment(observation: Observation) -> str | None:
    """How it lives there, when it is kept or grown; of others nothing is known: wild is not the same as native.

    >>> [degree_of_establishment(Observation(7, captive=c, iconic_taxon_name=t))
    ...  for c, t in ((True, "Plantae"), (True, "Aves"), (True, None), (False, "Aves"), (None, None))]
    ['cultivated', 'captive', 'captive', None, None]
    """
    if not observation.captive:
        return None
    return "cultivated" if kingdom(observation) in GROWN else "captive"


def latitude(observation: Observation) -> str | None:
    return observation.latitude if point(observation) else None


def longitude(observation: Observation) -> str | None:
    return observation.longitude if point(observation) else None


def datum(observation: Observation) -> str | None:
    return WGS84 if point(observation) else None


def footprint(observation: Observation) -> str | None:
    around = cell(observation)
    return around.wkt() if around else None


def footprint_system(observation: Observation) -> str | None:
    return WGS84 if cell(observation) else None


def information_withheld(observation: Observation) -> str | None:
    """What is known to iNaturalist and not shown, and why.

    >>> information_withheld(Observation(7, geoprivacy="private"))
    'Coordinates hidden at the request of the observer'
    >>> there = {"latitude": "38.45", "longitude": "-9.05", "public_positional_accuracy": 28_132}
    >>> information_withheld(Observation(7, taxon_geoprivacy="obscured", **there))
    'Coordinate uncertainty increased to 28132 m to protect a threatened taxon'
    >>> information_withheld(Observation(7, **there)) is None
    True
    """
    if point(observation) is None:
        return _with_reasons("Coordinates hidden", observation, PRIVATE) if _is_private(observation) else None
    if not is_obscured(observation):
        return None
    return _with_reasons(
        f"Coordinate uncertainty increased to {uncertainty(observation)} m", observation, OBSCURED
    )


def _is_private(observation: Observation) -> bool:
    return PRIVATE in (observation.geoprivacy, observation.taxon_geoprivacy)


def _with_reasons(what: str, observation: Observation, geoprivacy: str) -> str:
    """What is withheld and who wants that; of those obscured for neither reason iNaturalist does not tell it."""
    who = {
        "at the request of the observer": observation.geoprivacy,
        "to protect a threatened taxon": observation.taxon_geoprivacy,
    }
    return f"{what} {' and '.join(why for why, choice in who.items() if choice == geoprivacy)}".strip()


def data_generalizations(observation: Observation) -> str | None:
    if cell(observation) is None:
        return None
    return "Coordinates are a random point in the 0.2 x 0.2 degree cell, in footprintWKT, that holds the true ones"


def license_of(observation: Observation) -> str:
    return license_text(observation.license_code)


OCCURRENCE: tuple[Column[Observation], ...] = (
    Column("dwc:occurrenceID", "Address that identifies it, as iNaturalist publishes it.", occurrence_id),
    Column("dwc:basisOfRecord", "`HumanObservation`.", always("HumanObservation")),
    Column("dwc:institutionCode", "`iNaturalist`.", always("iNaturalist")),
    Column("dwc:collectionCode", "`Observations`.", always("Observations")),
    Column("dwc:datasetName", "`iNaturalist observations`.", always("iNaturalist observations")),
    Column("dwc:catalogNumber", "iNaturalist's id of the observation.", attrgetter("id")),
    Column("dwc:otherCatalogNumbers", "Its UUID.", attrgetter("uuid")),
    Column("dcterms:modified", "When it was last edited, with its offset.", attrgetter("updated_at")),
    Column("dcterms:references", "Its page.", page),
    Column("dcterms:license", "Address of its license; without one `all rights reserved`.", license_of),
    Column("dcterms:rightsHolder", "As recordedBy.", attrgetter("observer")),
    Column("dwc:recordedBy", "Observer's name, else the login.", attrgetter("observer")),
    Column("dwc:recordedByID", "Address of the observer's page.", observer_id),
    Column("foaf:nick", "Observer's login.", attrgetter("user_login")),
    Column("dwc:occurrenceStatus", "`present`.", always("present")),
    Column(
        "dwc:degreeOfEstablishment",
        "`cultivated` for captive plants and fungi, `captive` for others; empty when it is not captive: "
        "wild does not tell native from introduced.",
        degree_of_establishment,
    ),
    Column("dwc:occurrenceRemarks", "Notes of the observer.", attrgetter("description")),
    Column(
        "dwc:eventDate",
        "Date and time with its offset, where known and on the day of `observed_on`, else the date; "
        "empty when it is no date.",
        event_date,
    ),
    Column("dwc:eventTime", "Time in eventDate.", event_time),
    Column("dwc:year", "Year in eventDate.", _number_in_date(0, 4)),
    Column("dwc:month", "Month in eventDate.", _number_in_date(5, 7)),
    Column("dwc:day", "Day in eventDate.", _number_in_date(8, 10)),
    Column("dwc:verbatimLocality", "Place as written.", attrgetter("place_guess")),
    Column(
        "dwc:decimalLatitude",
        "Degrees north, digit for digit as served; empty when private, or off the globe.",
        latitude,
    ),
    Column("dwc:decimalLongitude", "Degrees east, likewise.", longitude),
    Column("dwc:geodeticDatum", "`EPSG:4326` (WGS 84) where there are coordinates.", datum),
    Column(
        "dwc:coordinateUncertaintyInMeters",
        "Uncertainty of these coordinates, obscuration included; of obscured ones without it, the distance to the "
        "farthest corner of the cell. Never 0, which the standard forbids: empty.",
        uncertainty,
    ),
    Column("dwc:footprintWKT", "Cell that holds the true place of an obscured one.", footprint),
    Column("dwc:footprintSRS", "`EPSG:4326` where there is a footprint.", footprint_system),
    Column("dwc:informationWithheld", "That coordinates are hidden or obscured, and why.", information_withheld),
    Column("dwc:dataGeneralizations", "What was done to obscured coordinates.", data_generalizations),
    Column("dwc:verbatimIdentification", "Name as the observer wrote it.", attrgetter("species_guess")),
    Column(
        "dwc:identificationVerificationStatus", "`casual`, `needs_id` or `research`.", attrgetter("quality_grade")
    ),
    Column("dwc:taxonID", "iNaturalist's id of the taxon.", attrgetter("taxon_id")),
    Column("dwc:scientificName", "Scientific name of the taxon.", attrgetter("taxon_name")),
    Column("dwc:taxonRank", "Rank of the taxon.", attrgetter("taxon_rank")),
    Column("dwc:kingdom", "Kingdom of the big group it belongs to, where that is known.", kingdom),
    Column("dwc:vernacularName", "Common name of the taxon, in English.", attrgetter("taxon_common_name")),
)
