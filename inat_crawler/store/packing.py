"""What is stored of an observation besides its columns: the complete record, packed, and what is made from it."""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime
from typing import Any

from inat_crawler.items import Observation

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_compressor = zstd.ZstdCompressor(level=3)


def derived_columns(observation: Observation) -> dict[str, Any]:
    """Columns that are made from an observation: when it was created as an instant, and its packed record."""
    assert observation.record is not None
    return {
        "created_instant": instant(observation.created_at),
        "record": _compressor.compress(observation.record, mode=zstd.ZstdCompressor.FLUSH_FRAME),
        "record_digest": record_digest(observation),
    }


def record_digest(observation: Observation) -> str:
    """Digest of the complete record."""
    return hashlib.blake2b(observation.record or b"", digest_size=16).hexdigest()


def unpack(packed: bytes) -> bytes:
    """The complete record as JSON."""
    return zstd.decompress(packed)


def instant(time: str | None) -> float:
    """Seconds since 1970 of an ISO 8601 time, UTC if it has no offset; 0 for none or one that cannot be read.

    >>> instant("2020-11-08T13:20:57-08:00") - instant("2020-11-08T13:20:57+00:00")
    28800.0
    """
    try:
        moment = datetime.fromisoformat(time or "")
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
