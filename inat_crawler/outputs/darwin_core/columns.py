"""What a column of a Darwin Core Archive is: a term, what stands in it, and how that becomes one cell of text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from inat_crawler.api.licenses import license_name, license_url
from inat_crawler.outputs.rows import iri

Item = TypeVar("Item")

# Control characters, tabs and line breaks among them, the separators of lines and paragraphs, surrogates, and what
# Unicode says is no character: readers split at some of these, UTF-8 or XML forbids the others.
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")


@dataclass(frozen=True)
class Column(Generic[Item]):
    """A column: its term with its prefix, its documentation, and its value for an item."""

    term: str
    doc: str
    value: Callable[[Item], object]

    @property
    def name(self) -> str:
        """Name in the header: the term without its prefix."""
        return self.term.partition(":")[2]

    @property
    def iri(self) -> str:
        """The term in full.

        >>> Column("dwc:recordedBy", "Who saw it.", str).iri
        'http://rs.tdwg.org/dwc/terms/recordedBy'
        """
        return iri(self.term)


def always(value: str) -> Callable[[object], str]:
    """The same value for every item."""
    return lambda item: value


def plain(value: object) -> str:
    r"""A value as one cell: null is empty; tabs, line breaks and control characters become one space.

    >>> [plain(v) for v in (None, 0, "a\tb\r\n\x85c", ' "=1" ')]
    ['', '0', 'a b c', ' "=1" ']
    """
    text = "" if value is None else str(value)
    # Most are printable: to ask is much faster than to replace.
    return text if text.isprintable() else _BREAKS.sub(" ", text)


def line(cells: Sequence[str]) -> bytes:
    r"""A line of a data file. No cell is quoted: none has what would call for it.

    >>> line(["7", "é", ""])
    b'7\t\xc3\xa9\t\n'
    """
    return ("\t".join(cells) + "\n").encode()


def row(key: int, columns: Sequence[Column[Item]], item: Item) -> bytes:
    """The line of an item: the id of its observation, then its columns."""
    return line([str(key), *(plain(column.value(item)) for column in columns)])


def license_text(code: str | None) -> str:
    """The address of the license, else its name: never empty, lest somebody takes the archive's for it.

    >>> license_text("cc-by"), license_text(""), license_text("gfdl")
    ('https://creativecommons.org/licenses/by/4.0/', 'all rights reserved', 'gfdl')
    """
    return license_url(code) or license_name(code)
