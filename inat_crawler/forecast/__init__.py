"""What a crawl will take: observations, requests, photos, bytes, and the time under the limits.

Values in, values out: what the API said, what the mirror holds, and the limits. Nobody is asked here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inat_crawler.api.paging import MOST_IDS
from inat_crawler.api.photos import TYPICAL_BYTES
from inat_crawler.api.query import FetchOptions, Query
from inat_crawler.api.sample import Sample, all_have_photos
from inat_crawler.budget.forecast import Used, binding, seconds_under
from inat_crawler.budget.limits import Limit, Limits
from inat_crawler.store.holdings import Holdings

ENOUGH_FILES = 20  # so many of a size, and their mean says more than what is typical


@dataclass(frozen=True)
class Counts:
    """What the API said: how many match, how many of them have photos (None: not asked), and a sample of them."""

    matching: int
    with_photos: int | None = None
    sample: Sample = field(default_factory=Sample)


@dataclass(frozen=True)
class SizeForecast:
    """The files of one size: `wanted` in all, `had`; mean bytes of those to come, and where that is from."""

    size: str
    wanted: int
    had: int
    had_bytes: int
    mean: float
    source: str

    @property
    def left(self) -> int:
        return max(0, self.wanted - self.had)

    @property
    def left_bytes(self) -> int:
        return round(self.left * self.mean)


@dataclass(frozen=True)
class Forecast:
    """What a crawl will take. `left` observations are to be read, `had` are stored, `photos` are wanted in all."""

    options: FetchOptions
    matching: int
    had: int
    left: int
    requests: int
    photos: int
    sizes: tuple[SizeForecast, ...]
    times: tuple[tuple[Limit, float], ...]
    binding: tuple[Limit, float] | None
    exempt: tuple[str, ...]
    holdings: Holdings

    @property
    def observations(self) -> int:
        """How many the mirror will hold."""
        return self.had + self.left

    @property
    def had_files(self) -> int:
        return sum(s.had for s in self.sizes)

    @property
    def had_bytes(self) -> int:
        return sum(s.had_bytes for s in self.sizes)

    @property
    def left_files(self) -> int:
        return sum(s.left for s in self.sizes)

    @property
    def left_bytes(self) -> int:
        return sum(s.left_bytes for s in self.sizes)


def make_forecast(
    query: Query,
    options: FetchOptions,
    limits: Limits,
    counts: Counts,
    holdings: Holdings,
    audit_is_due: bool = False,
    used: Mapping[Limit, Used] | None = None,
) -> Forecast:
    """The forecast; `used` is what earlier crawls have spent of the limits already."""
    left = observations_left(counts.matching, options, holdings)
    photos = photos_wanted(left, query, options, counts, holdings)
    sizes = size_forecasts(options, photos, counts.sample, holdings)
    requests = requests_left(left, counts.matching, options, holdings, audit_is_due)
    need = {"requests": float(requests), "bytes": float(sum(s.left_bytes for s in sizes))}
    every, spent = [*limits.requests, *limits.media], used or {}
    return Forecast(
        options=options,
        matching=counts.matching,
        had=holdings.observations,
        left=left,
        requests=requests,
        photos=photos,
        sizes=sizes,
        times=tuple((limit, seconds_under(limit, need, spent.get(limit, ()))) for limit in every),
        binding=binding(every, need, spent),
        exempt=tuple(sorted(limits.exempt)),
        holdings=holdings,
    )


def observations_left(matching: int, options: FetchOptions, holdings: Holdings) -> int:
    """How many are still to be read.

    >>> observations_left(300, FetchOptions(limit=100), Holdings(observations=30))
    70
    """
    asked = matching if options.limit is None else min(matching, options.limit)
    return max(0, asked - holdings.observations)


def requests_left(
    left: int, matching: int, options: FetchOptions, holdings: Holdings, audit_is_due: bool = False
) -> int:
    """Requests to the API when nothing changes meanwhile.

    Pages; an empty one at their end; where something was read before, one for what is new and two for what was
    edited; one to compare the counts; and where ids are compared, the pages of these.

    >>> requests_left(450, 450, FetchOptions(), Holdings())
    5
    >>> requests_left(100, 450, FetchOptions(limit=100), Holdings())
    1
    >>> requests_left(0, 450, FetchOptions(), Holdings(450, begun=True, finished=True))
    4
    """
    limited, pages = options.limit is not None, -(-left // options.per_page)
    if options.limit is not None and holdings.observations >= options.limit:
        return 0
    to_the_end = options.limit is None or options.limit > matching
    reading = pages + (to_the_end and not holdings.finished) + holdings.begun
    if limited:
        return reading
    compares = options.audit == "always" or audit_is_due or holdings.observations > matching
    return reading + 2 * holdings.begun + 1 + (-(-matching // MOST_IDS) + 1 if compares else 0)


def is_audit_due(holdings: Holdings, days: float, now: datetime) -> bool:
    """Will ids be compared because the last time is long ago?

    >>> first, then = "2026-01-01T00:00:00Z", datetime.fromisoformat("2026-02-01T00:00:00Z")
    >>> is_audit_due(Holdings(audited_at=first), 30, then), is_audit_due(Holdings(), 30, then)
    (True, False)
    """
    before = holdings.audited_at
    return before is not None and now - datetime.fromisoformat(before) >= timedelta(days=days)


def photos_wanted(left: int, query: Query, options: FetchOptions, counts: Counts, holdings: Holdings) -> int:
    """Wanted photos in all: what is stored is known, and so are the first ones when all were counted.

    >>> photos_wanted(30, Query({}), FetchOptions(), Counts(40, 36), Holdings(10, photos=8))
    36
    """
    if options.images == "first" and options.limit is None and counts.with_photos is not None:
        return max(counts.with_photos, holdings.photos)
    return holdings.photos + round(left * photos_each(query, options, counts, holdings))


def photos_each(query: Query, options: FetchOptions, counts: Counts, holdings: Holdings) -> float:
    """Wanted photos per observation that is to be read; as in the mirror where the API was not asked."""
    if options.images == "none":
        return 0.0
    if counts.with_photos is None and not counts.sample.observations and holdings.observations:
        return holdings.photos / holdings.observations
    known = all_have_photos(query.params) if options.image_licenses is None else None
    if known is not None:
        rate = float(known)
    elif counts.with_photos is not None:
        rate = min(1.0, counts.with_photos / max(1, counts.matching))
    else:
        rate = counts.sample.with_photos_rate
    return rate * (counts.sample.photos_each if options.images == "all" else 1.0)


def size_forecasts(
    options: FetchOptions, photos: int, sample: Sample, holdings: Holdings
) -> tuple[SizeForecast, ...]:
    """The files of each size that is wanted."""
    sizes: Sequence[str] = options.sizes if options.images != "none" else ()
    return tuple(
        SizeForecast(size, photos, *holdings.had.get(size, (0, 0)), *mean_bytes(size, sample, holdings))
        for size in sizes
    )


def is_known(size: str, holdings: Holdings) -> bool:
    """Are enough files of this size had for their mean to be taken?"""
    return holdings.all_files.get(size, (0, 0))[0] >= ENOUGH_FILES


def mean_bytes(size: str, sample: Sample, holdings: Holdings) -> tuple[float, str]:
    """Mean bytes of a file of this size, and where that is from: the mirror's own, the sample's, or typical.

    >>> mean_bytes("medium", Sample(), Holdings(all_files={"medium": (1234, 123_400_000)}))
    (100000.0, 'mean of 1,234 files there')
    >>> mean_bytes("square", Sample(), Holdings())
    (6000.0, 'typical')
    """
    many, total = holdings.all_files.get(size, (0, 0))
    if is_known(size, holdings):
        return total / many, f"mean of {many:,} files there"
    if size == "original" and sample.measured:
        return sample.original_bytes / sample.measured, f"from the pixels of {sample.measured:,} photos"
    return float(TYPICAL_BYTES[size]), "typical"
