"""One observation as the stand-in keeps it: the record, what search compares, and its bytes, made once."""

from __future__ import annotations

import zlib
from functools import cached_property

import orjson

from standin.catalog import Record
from standin.clock import instant

GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"


class Entry:
    """Immutable: a change makes a new entry. `private` holds the `private_*` keys that owners see."""

    def __init__(self, record: Record, private: Record | None = None, planted: bool = False) -> None:
        self.record = record
        self.private = private or {}
        self.planted = planted
        self.id: int = record["id"]
        self.created = instant(record["created_at"])
        self.updated = instant(record["updated_at"])

    def visible(self, authorized: bool) -> Record:
        """The record as this caller sees it."""
        levels = (self.record.get("geoprivacy"), self.record.get("taxon_geoprivacy"))
        hidden = "obscured" in levels or "private" in levels
        return {**self.record, **self.private} if self.planted or (authorized and hidden) else self.record

    def part(self, authorized: bool) -> Part:
        return self.owner_part if authorized else self.public_part

    @cached_property
    def public_part(self) -> Part:
        return Part(orjson.dumps(self.visible(False)))

    @cached_property
    def owner_part(self) -> Part:
        return Part(orjson.dumps(self.visible(True)))


class Part:
    """A piece of a page, plain and deflated; the latter ends on a byte, so pieces can be strung together."""

    def __init__(self, plain: bytes) -> None:
        self.plain = plain

    @cached_property
    def deflated(self) -> bytes:
        squeeze = zlib.compressobj(4, zlib.DEFLATED, -15)
        return squeeze.compress(self.plain) + squeeze.flush(zlib.Z_FULL_FLUSH)


COMMA = Part(b",")


class Page:
    """A whole answer put together from parts: plain, or as one gzip member without compressing anew."""

    def __init__(self, head: bytes, parts: list[Part], tail: bytes = b"]}") -> None:
        between = [COMMA] * (2 * len(parts) - 1 if parts else 0)
        between[::2] = parts
        self._parts = [Part(head), *between, Part(tail)]

    @cached_property
    def plain(self) -> bytes:
        return b"".join(part.plain for part in self._parts)

    @cached_property
    def gzipped(self) -> bytes:
        end = zlib.compressobj(4, zlib.DEFLATED, -15).flush(zlib.Z_FINISH)
        check = zlib.crc32(self.plain).to_bytes(4, "little") + (len(self.plain) % 2**32).to_bytes(4, "little")
        return b"".join([GZIP_HEAD, *(part.deflated for part in self._parts), end, check])


def page_of(parts: list[Part], total: int, page: int, per_page: int) -> Page:
    """The API's envelope; its `per_page` never exceeds the number of results, as in the API's source."""
    shown = min(total, per_page)
    head = b'{"total_results":%d,"page":%d,"per_page":%d,"results":[' % (total, page, shown)
    return Page(head, parts)


def plain_page(results: list[Record], per_page: int) -> Page:
    """One page of places, taxa, users or projects."""
    parts = [Part(orjson.dumps(row)) for row in results[:per_page]]
    return page_of(parts, len(results), 1, per_page)
