"""A mirror that lies in a folder, held for this process alone: for commands that work on what is there."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from inat_crawler.api.query import Query
from inat_crawler.errors import StoreError
from inat_crawler.files import carry_out
from inat_crawler.mirror import lock_output
from inat_crawler.store import Store, sqlite_in


class HeldMirror:
    """The mirror in a folder, with its lock and its store, until it is closed.

    Raises StoreError when there is none, LockedError when another process holds it.
    """

    def __init__(self, output: Path, store_url: str) -> None:
        if not (store_url or (output / "observations.sqlite").is_file()):
            raise StoreError(f"no mirror lies there (no observations.sqlite): {output}")
        self.output = output
        self.lock = lock_output(output)
        self.store = Store(store_url or sqlite_in(output))
        self.query = Query.from_dict(self.store.sole_query() or account_of(output))
        self.store.open_mirror(self.query)
        carry_out(output / "images", self.store.moves)  # what a killed run had begun

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.store.close()
        self.lock.release()


def account_of(output: Path) -> dict[str, Any]:
    """The account of the last crawl into a folder, for stores that hold many mirrors. Raises StoreError."""
    try:
        account: dict[str, Any] = json.loads((output / "crawl.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"crawl.json does not tell which mirror lies there: {output}: {error}") from None
    return account
