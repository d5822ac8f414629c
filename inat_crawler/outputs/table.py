"""`dataFrame.csv`: the table of the original script, column for column, made from the store with pandas.

It differs from what the script wrote in this only: whole numbers stay whole, coordinates keep every digit,
and a text with a lone carriage return is quoted, so that every text is read back as it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import TextIO, cast

import pandas as pd

from inat_crawler.items import TABLE_COLUMNS
from inat_crawler.outputs.beside import beside
from inat_crawler.store import Store


def write_table(store: Store, path: Path) -> int:
    """Write the table beside and rename it to `path`; returns the number of rows. Memory stays flat."""
    with beside(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        lines = cast(TextIO, _Lines(file))
        _frame([], 0).to_csv(lines, sep="\t", lineterminator="\r\n")
        count = 0
        for rows in store.observations.rows(list(TABLE_COLUMNS)):
            _frame([tuple(row.values()) for row in rows], count).to_csv(
                lines, sep="\t", lineterminator="\r\n", header=False
            )
            count += len(rows)
    return count


def _frame(rows: list[tuple[object, ...]], start: int) -> pd.DataFrame:
    """Rows under the table's column names, their index counted from `start`.

    >>> print(_frame([(7, "Tringa", None, None, None, None, None, 12, "-9.0", "38.40")], 3).to_csv(sep=";"))
    ;id;taxon.name;quality_grade;time_observed_at;species_guess;license_code;observed_on;community_taxon_id;Longitude;Latitude
    3;7;Tringa;;;;;;12;-9.0;38.40
    <BLANKLINE>
    """
    index = pd.RangeIndex(start, start + len(rows))
    # dtype object: a column of whole numbers with gaps would become 47459.0
    return pd.DataFrame(rows, columns=list(TABLE_COLUMNS.values()), index=index, dtype=object)


class _Lines:
    r"""A text file that ends its lines with `\n` though `\r\n` is written.

    The csv module quotes a carriage return only when the line terminator holds one.
    """

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, line: str) -> int:
        """Write one line: the csv module writes each row with its terminator in one call."""
        return self.file.write(line.removesuffix("\r\n") + "\n")
