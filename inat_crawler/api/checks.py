"""Checks of what a user typed: each returns the canonical text that the API is sent, or raises `ValueError`
with the rule that was broken.
"""

import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from inat_crawler.api.formats import ALL, FORMATS, NONE
from inat_crawler.api.licenses import ANY, OPEN
from inat_crawler.api.licenses import LICENSES as LICENSED
from inat_crawler.api.photos import SIZES

Check = Callable[[str], str]

RANKS = {  # name -> level, as the API compares them for hrank and lrank
    "stateofmatter": 100, "kingdom": 70, "phylum": 60, "subphylum": 57, "superclass": 53, "class": 50,
    "subclass": 47, "infraclass": 45, "subterclass": 44, "superorder": 43, "order": 40, "suborder": 37,
    "infraorder": 35, "parvorder": 34.5, "zoosection": 34, "zoosubsection": 33.5, "superfamily": 33,
    "epifamily": 32, "family": 30, "subfamily": 27, "supertribe": 26, "tribe": 25, "subtribe": 24,
    "genus": 20, "genushybrid": 20, "subgenus": 15, "section": 13, "subsection": 12, "complex": 11,
    "species": 10, "hybrid": 10, "subspecies": 5, "variety": 5, "form": 5, "infrahybrid": 5,
}  # fmt: skip
LICENSES = ("cc0", "cc-by", "cc-by-nc", "cc-by-nd", "cc-by-sa", "cc-by-nc-nd", "cc-by-nc-sa")
ICONIC_TAXA = (
    *("Actinopterygii", "Amphibia", "Animalia", "Arachnida", "Aves", "Chromista", "Fungi"),
    *("Insecta", "Mammalia", "Mollusca", "Plantae", "Protozoa", "Reptilia", "unknown"),
)
MAX_ID = 2**31 - 1  # a longer number is a slip of the keyboard, and slips in ids answer 500

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?"


def one_of(*words: str) -> Check:
    """One of these words in any case, written as declared.

    >>> one_of("Aves", "Fungi")("aves")
    'Aves'
    """
    known = {word.lower(): word for word in words}

    def check(value: str) -> str:
        if value.lower() not in known:
            raise ValueError(f"not one of {', '.join(words)}")
        return known[value.lower()]

    return check


def integer(minimum: int, maximum: int) -> Check:
    """A whole number in a closed range.

    >>> integer(1, 12)("05")
    '5'
    """

    def check(value: str) -> str:
        # The length comes first: Python refuses to read numbers of thousands of digits.
        if not re.fullmatch("[0-9]{1,20}", value) or not minimum <= int(value) <= maximum:
            raise ValueError(f"not a whole number from {minimum} to {maximum}")
        return str(int(value))

    return check


def number(minimum: str, maximum: str) -> Check:
    """A decimal number in a closed range, without useless zeros.

    >>> number("-90", "90")("47.50")
    '47.5'
    """
    low, high = Decimal(minimum), Decimal(maximum)

    def check(value: str) -> str:
        if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) or not low <= Decimal(value) <= high:
            raise ValueError(f"not a number from {minimum} to {maximum}")
        return format(Decimal(value).normalize() + 0, "f")  # + 0 turns -0 into 0

    return check


def day(value: str) -> str:
    """A date of the calendar.

    >>> day("2024-02-29")
    '2024-02-29'
    """
    try:
        if re.fullmatch(_DATE, value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass  # the right shape, but no such day
    raise ValueError("not a date (YYYY-MM-DD)")


def moment(value: str) -> str:
    """A date, or a date and time: in UTC to the second, as the API reads it. No offset means UTC.

    >>> moment("2024-05-01T02:30:00+02:00")
    '2024-05-01T00:30:00Z'
    """
    try:
        if not re.fullmatch(_DATE + _TIME, value):
            return day(value)
        when = datetime.fromisoformat(value)
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
        return when.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    except (ValueError, OverflowError):  # overflow: an offset that leads out of the years 1 to 9999
        raise ValueError("not a date or time (YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ)") from None


def login(value: str) -> str:
    """A user's login. Digits alone are refused: the API would take them for an id.

    >>> login("loarie")
    'loarie'
    """
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", value) or value.isdigit():
        raise ValueError("not a login (letters, digits, hyphens and underscores, not digits alone)")
    return value


def id_or_login(value: str) -> str:
    """A user's id or login.

    >>> id_or_login("0042")
    '42'
    """
    return one_id(value) if value.isdigit() else login(value)


def id_or_slug(value: str) -> str:
    """A project's id, or the slug in its address: a title in any script makes one.

    >>> id_or_slug("city-nature-challenge-2024")
    'city-nature-challenge-2024'
    """
    if value.isdigit():
        return one_id(value)
    if not re.fullmatch(r"[\w.-]+", value):
        raise ValueError("not a project's id or slug")
    return value


def name_or_id(value: str) -> str:
    """A name, which the API will be asked for, or an id, which it will not.

    >>> name_or_id("Octopus vulgaris"), name_or_id("050481")
    ('Octopus vulgaris', '50481')
    """
    if re.fullmatch("[0-9 ]+(,[0-9 ]*)+", value):
        raise ValueError("not one name or one id (several ids go into the argument whose name ends in _id)")
    return one_id(value) if value.isascii() and value.isdigit() else value


def language(value: str) -> str:
    """A language code as iNaturalist names its translations.

    >>> language("pt-BR")
    'pt-BR'
    """
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise ValueError("not a language code (as in pt or pt-BR)")
    return value


def list_of(check: Check, order: Sequence[str] = ()) -> Check:
    """Values separated by commas: each checked, repeats dropped, sorted, so that one set has one text.

    Words sort by their place in `order`, otherwise numbers by size before words by letter.

    >>> list_of(integer(1, 99))("10, 9,9")
    '9,10'
    """

    def place(value: str) -> tuple[int, str]:
        if value in order:
            return order.index(value), value
        return (len(value), value) if value.isdigit() else (sys.maxsize, value)  # no leading zeros here

    def check_all(value: str) -> str:
        parts = [part.strip() for part in value.split(",")]
        if "" in parts:
            raise ValueError("an empty value between commas")
        return ",".join(sorted({check(part) for part in parts}, key=place))

    return check_all


text: Check = str  # what is empty or has control characters is refused for all arguments alike
boolean = one_of("true", "false")
one_id = integer(1, MAX_ID)
ids = list_of(one_id)
users = list_of(id_or_login)
projects = list_of(id_or_slug)
rank = one_of(*RANKS)
ranks = list_of(rank)
iconic = list_of(one_of(*ICONIC_TAXA))
iucn = list_of(one_of("LC", "VU", "EN", "CR", "EW", "EX"))
grades = list_of(one_of("casual", "needs_id", "research"))
agreement = one_of("most_agree", "most_disagree", "some_agree")
licenses = list_of(one_of(*LICENSES))
field_types = list_of(one_of("text", "numeric", "date", "time", "datetime", "taxon", "dna"))
images = one_of("first", "all", "none")
_each_license = list_of(one_of(*LICENSED), list(LICENSED))
sizes = list_of(one_of(*SIZES), list(SIZES))
_each_format = list_of(one_of(*FORMATS), list(FORMATS))
years, months, days = list_of(integer(1000, 9999)), list_of(integer(1, 12)), list_of(integer(1, 31))
meters = integer(0, 100_000_000)
latitude, longitude = number("-90", "90"), number("-180", "180")
obscuration = list_of(one_of("none", "obscured", "private"))
geoprivacy = list_of(one_of("open", "obscured", "private", "obscured_private"))


def image_licenses(value: str) -> str:
    """`any`, `open`, or licenses separated by commas.

    >>> image_licenses("CC-BY,cc0"), image_licenses("Open")
    ('cc0,cc-by', 'open')
    """
    if value.lower() in (ANY, OPEN):
        return value.lower()
    try:
        return _each_license(value)
    except ValueError as error:
        raise ValueError(f"{error}; or {ANY}, or {OPEN}") from None


def formats(value: str) -> str:
    """`all`, `none`, or formats separated by commas.

    >>> formats("report, table"), formats("ALL")
    ('table,report', 'all')
    """
    if value.lower() in (ALL, NONE):
        return value.lower()
    return _each_format(value)
