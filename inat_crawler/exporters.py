"""The `tsv` feed format, and which items the feed of a run shows."""

from __future__ import annotations

import dataclasses
import json
from io import BytesIO
from typing import Any

from itemadapter import ItemAdapter
from scrapy.exporters import CsvItemExporter
from scrapy.extensions.feedexport import ItemFilter


class TsvItemExporter(CsvItemExporter):
    r"""Tab-separated values with a header line; text is quoted where it must be, lists are written as JSON.

    Lines end in `\r\n`, as RFC 4180 has it: only then does Python's csv module quote a lone carriage return,
    which would otherwise split the row in other readers.
    """

    def __init__(self, file: BytesIO, **kwargs: Any) -> None:
        super().__init__(file, **{"delimiter": "\t", **kwargs})

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        return cell(value)


def cell(value: Any) -> Any:
    """A value as it stands in a cell: null is empty, what is nested is JSON.

    >>> [cell(v) for v in (0, 0.0, "", None, False, "a\\tb", ["x", 1])]
    [0, 0.0, '', '', False, 'a\\tb', '["x", 1]']
    """
    if value is None:
        return ""
    if isinstance(value, (list, dict)) or dataclasses.is_dataclass(value):
        return json.dumps(value, default=_plain, ensure_ascii=False)
    return value


def _plain(value: Any) -> Any:
    return ItemAdapter(value).asdict()


class NewOrChanged(ItemFilter):
    """Lets through the observations that this run stored as new or changed."""

    def accepts(self, item: Any) -> bool:
        return ItemAdapter(item).get("change") in ("new", "changed")
