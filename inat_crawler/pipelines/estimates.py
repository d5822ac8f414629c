"""How large a photo will be: what is reserved before it is asked for, learned from those that came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from inat_crawler.api.photos import TYPICAL_BYTES

FIRST = 4  # so many tell nothing of the largest
FEW = 30  # below so many the largest says little of the next


@dataclass
class Seen:
    """Files of one kind that came: how many, bytes in all, bytes of the largest."""

    count: int = 0
    bytes: int = 0
    largest: int = 0


class Estimates:
    """Bytes of a file by its size and extension; `known` says what the mirror holds, by size."""

    def __init__(self, known: Mapping[str, tuple[int, int, int]]) -> None:
        self.known = {size: Seen(*values) for size, values in known.items()}
        self.seen: dict[tuple[str, str], Seen] = {}

    def learn(self, size: str, extension: str, n: int) -> None:
        """A file of this kind came with so many bytes."""
        seen = self.seen.setdefault((size, extension), Seen())
        seen.count += 1
        seen.bytes += n
        seen.largest = max(seen.largest, n)

    def of(self, size: str, extension: str, limit: float = inf) -> tuple[float, float]:
        """Bytes to expect, and bytes that the next one will hardly exceed.

        The first of a kind is expected to take no more than a tenth of the limit: else, under a small one, none
        would ever be tried, and nothing learned.

        >>> estimates = Estimates({})
        >>> estimates.of("square", "jpg"), estimates.of("square", "jpg", limit=10_000)
        ((6000, 24000), (1000.0, 24000))
        >>> estimates.learn("square", "jpg", 4000)
        >>> estimates.of("square", "jpg")
        (4000.0, 24000.0)
        """
        seen = self.seen.get((size, extension)) or self.known.get(size) or Seen()
        if not seen.count:
            return min(TYPICAL_BYTES[size], limit / 10), 4 * TYPICAL_BYTES[size]
        # So many small ones make it less likely that a large one is next, and yet one may be.
        unlikely = 4 * TYPICAL_BYTES[size] * min(1.0, FIRST / seen.count) ** 2
        return seen.bytes / seen.count, max(unlikely, seen.largest * (2.0 if seen.count < FEW else 1.25))
