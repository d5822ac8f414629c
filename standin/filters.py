"""The search filters of `/v1/observations`: parameter names and values in, one test of an entry out.

A name that is not in `FILTERS` filters nothing, exactly as at the real API.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from standin.catalog import RANK_LEVELS, Record
from standin.clock import instant
from standin.entries import Entry
from standin.geometry import number, within_box, within_circle

Params = dict[str, str]
Test = Callable[[Entry], bool]
Filter = Callable[[str], Test | None]


def build(params: Params) -> Test:
    """All filters of a query at once."""
    asked = {name: value for name, value in params.items() if name in FILTERS and value not in ("", "any")}
    tests = [FILTERS[name](value) for name, value in asked.items()]
    tests += [_ranks(params), within_box(params), within_circle(params), _term(params), *_fields(params)]
    active = [test for test in tests if test]
    return lambda entry: all(test(entry) for test in active)


def values(text: str) -> list[str]:
    return [value.strip() for value in text.split(",") if value.strip()]


def date_parse(text: str) -> float | None:
    """Seconds of a date as JavaScript would read it; None where it would give up."""
    for read in (instant, lambda value: parsedate_to_datetime(value).timestamp()):
        try:
            return read(text)
        except (ValueError, TypeError):
            continue
    return None


def term(read: Callable[[Record], object]) -> Filter:
    """`true` and `false` select, other values filter nothing; a record without the value matches neither."""

    def make(value: str) -> Test | None:
        wanted = value == "true"
        return (lambda entry: read(entry.record) is wanted) if value in ("true", "false") else None

    return make


def flag(key: str) -> Filter:
    return term(lambda record: bool(record.get(key)))


def taxon_flag(key: str) -> Filter:
    return term(lambda record: (record.get("taxon") or {}).get(key))


def exists(key: str) -> Filter:
    return term(lambda record: record.get(key) is not None)


def one_of(read: Callable[[Record], object]) -> Filter:
    """The value, as text, is in the comma-separated list; letter case does not count."""

    def make(value: str) -> Test:
        wanted = {item.lower() for item in values(value)}
        return lambda entry: str(read(entry.record)).lower() in wanted

    return make


def any_of(read: Callable[[Record], list[object]]) -> Filter:
    def make(value: str) -> Test:
        wanted = {item.lower() for item in values(value)}
        return lambda entry: any(str(item).lower() in wanted for item in read(entry.record))

    return make


def without(make_positive: Filter) -> Filter:
    def make(value: str) -> Test | None:
        test = make_positive(value)
        return (lambda entry: not test(entry)) if test else None

    return make


def since(key: str) -> Filter:
    """Inclusive: by local date where the value is a date, by instant where it has a time."""

    def make(value: str) -> Test | None:
        limit = date_parse(value)
        if limit is None:
            return None
        if len(value) == len("2020-12-31"):
            return lambda entry: _date(entry, key) >= value
        return lambda entry: (moment := _moment(entry, key)) is not None and moment >= limit

    return make


def until(key: str) -> Filter:
    def make(value: str) -> Test | None:
        limit = date_parse(value)
        if limit is None:
            return None
        if len(value) == len("2020-12-31"):
            return lambda entry: "" < _date(entry, key) <= value
        return lambda entry: (moment := _moment(entry, key)) is not None and moment <= limit

    return make


def on_day(key: str) -> Filter:
    return lambda value: lambda entry: _date(entry, key) == value


def detail(part: str) -> Filter:
    return one_of(lambda record: (record.get("observed_on_details") or {}).get(part))


def updated_since(value: str) -> Test | None:
    limit = date_parse(value)
    return None if limit is None else lambda entry: entry.updated >= math.floor(limit)


def accuracy(above: bool) -> Filter:
    def make(value: str) -> Test | None:
        limit = number(value)
        if limit is None:
            return None

        def test(entry: Entry) -> bool:
            known = entry.record.get("positional_accuracy")
            return known is not None and (known > limit if above else known < limit)

        return test

    return make


def privacy(key: str) -> Filter:
    """`open` also means that nothing was set."""
    return one_of(lambda record: record.get(key) or "open")


def search_text(value: str) -> Test:
    wanted = value.lower()

    def test(entry: Entry) -> bool:
        record, taxon = entry.record, entry.record.get("taxon") or {}
        fields = [
            taxon.get("name"),
            taxon.get("preferred_common_name"),
            record.get("description"),
            record.get("place_guess"),
            *(record.get("tags") or []),
        ]
        return any(wanted in str(field).lower() for field in fields if field)

    return test


def taxon_name(value: str) -> Test:
    wanted = value.lower()

    def test(entry: Entry) -> bool:
        taxon = entry.record.get("taxon") or {}
        return any(wanted in str(taxon.get(key) or "").lower() for key in ("name", "preferred_common_name"))

    return test


def _date(entry: Entry, key: str) -> str:
    field = "observed_on" if key == "observed" else "created_at"
    return str(entry.record.get(field) or "")[:10]


def _moment(entry: Entry, key: str) -> float | None:
    if key == "created":
        return entry.created
    text = entry.record.get("time_observed_at") or entry.record.get("observed_on")
    return instant(text) if text else None


def _ranks(params: Params) -> Test | None:
    low, high = RANK_LEVELS.get(params.get("lrank", "")), RANK_LEVELS.get(params.get("hrank", ""))
    if not params.get("lrank") and not params.get("hrank"):
        return None
    return lambda e: (low or 0) <= (e.record.get("taxon") or {}).get("rank_level", -1) <= (high or 100)


def _term(params: Params) -> Test | None:
    if not params.get("term_id"):
        return None
    terms, wanted = values(params["term_id"]), values(params.get("term_value_id", ""))
    return lambda entry: any(
        str(a["controlled_attribute_id"]) in terms and (not wanted or str(a["controlled_value_id"]) in wanted)
        for a in entry.record.get("annotations") or []
    )


def _fields(params: Params) -> list[Test]:
    """`field:NAME=value`, by observation field; an empty value asks for the field alone."""
    asked = [(name, value) for name, value in params.items() if name.startswith("field:")]
    return [_field(name.removeprefix("field:").lower(), value.lower()) for name, value in asked]


def _field(name: str, value: str) -> Test:
    return lambda entry: any(
        str(item["name"]).lower() == name and value in ("", str(item["value"]).lower())
        for item in entry.record.get("ofvs") or []
    )


_taxon_line = any_of(lambda r: (r.get("taxon") or {}).get("ancestor_ids") or [])
_user = any_of(lambda r: [r["user"]["id"], r["user"]["login"]])
_number_of = one_of(lambda r: r["id"])

FILTERS: dict[str, Filter] = {
    "place_id": any_of(lambda r: r.get("place_ids") or []),
    "taxon_id": _taxon_line,
    "taxon_ids": _taxon_line,
    "without_taxon_id": without(_taxon_line),
    "taxon_name": taxon_name,
    "q": search_text,
    "iconic_taxa": one_of(lambda r: (r.get("taxon") or {}).get("iconic_taxon_name") or "unknown"),
    "rank": one_of(lambda r: (r.get("taxon") or {}).get("rank")),
    "geo": exists("geojson"),
    "identified": exists("taxon"),
    "acc": exists("positional_accuracy"),
    "photos": flag("photos"),
    "sounds": flag("sounds"),
    "licensed": flag("license_code"),
    "captive": term(lambda r: r.get("captive")),
    "spam": term(lambda r: r.get("spam")),
    "mappable": term(lambda r: r.get("mappable")),
    "out_of_range": term(lambda r: r.get("out_of_range")),
    "quality_grade": one_of(lambda r: r.get("quality_grade")),
    "verifiable": term(lambda r: r.get("quality_grade") != "casual"),
    "license": one_of(lambda r: r.get("license_code") or "none"),
    "photo_license": any_of(lambda r: [p.get("license_code") or "none" for p in r.get("photos") or []]),
    "user_id": _user,
    "user_login": _user,
    "not_user_id": without(_user),
    "project_id": any_of(lambda r: r.get("project_ids") or []),
    "id": _number_of,
    "not_id": without(_number_of),
    "uuid": one_of(lambda r: r.get("uuid")),
    "site_id": one_of(lambda r: r.get("site_id")),
    "d1": since("observed"),
    "d2": until("observed"),
    "created_d1": since("created"),
    "created_d2": until("created"),
    "observed_on": on_day("observed"),
    "on": on_day("observed"),
    "created_on": on_day("created"),
    "year": detail("year"),
    "month": detail("month"),
    "day": detail("day"),
    "hour": detail("hour"),
    "geoprivacy": privacy("geoprivacy"),
    "taxon_geoprivacy": privacy("taxon_geoprivacy"),
    "acc_above": accuracy(above=True),
    "acc_below": accuracy(above=False),
    "updated_since": updated_since,
    **{key: taxon_flag(key) for key in ("native", "introduced", "threatened", "endemic")},
}
