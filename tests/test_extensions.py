"""When a crawl is complete, and with which status it ends."""

from __future__ import annotations

from typing import Any

import pytest

from inat_crawler.extensions.account import exit_status, is_complete

FINISHED = {"finish_reason": "finished"}


def got(missing: int = 0, malformed: int = 0, **observations: Any) -> dict[str, Any]:
    everything = {"asked": 30, "stored": 30, "read_to_the_end": True, "reconciled": True, "missing": []}
    everything["malformed"] = [None] * malformed
    return {"observations": everything | observations, "photos": {"missing": missing}}


@pytest.mark.parametrize(
    ("got", "limit", "stats", "complete"),
    [
        (got(), 0, FINISHED, True),
        (got(stored=31), 0, FINISHED, False),
        (got(stored=29), 0, FINISHED, False),
        (got(reconciled=False), 0, FINISHED, False),
        (got(missing=1), 0, FINISHED, False),
        (got(malformed=1), 0, FINISHED, False),
        (got(missing=0) | {"observations": got()["observations"] | {"missing": [7]}}, 0, FINISHED, False),
        (got(reconciled=False, read_to_the_end=False), 30, FINISHED, True),
        (got(reconciled=False, read_to_the_end=False), 31, FINISHED, False),
        (got(reconciled=False), 31, FINISHED, True),
        (got(missing=1), 30, FINISHED, False),
        (got(), 0, {"finish_reason": "shutdown"}, False),
        (got(), 0, FINISHED | {"inat/error": "x"}, False),
        (got(), 0, FINISHED | {"inat/defect": "x"}, False),
        (got(), 0, FINISHED | {"feedexport/failed_count/FileFeedStorage": 1}, False),
    ],
)
def test_complete(got: dict[str, Any], limit: int, stats: dict[str, Any], complete: bool) -> None:
    assert is_complete(got, limit, stats) is complete


@pytest.mark.parametrize(
    ("complete", "stored", "stats", "status"),
    [
        (True, 0, {}, 0),
        (False, 0, {}, 3),
        (False, 0, {"inat/query_refused": True}, 1),
        (False, 5, {"inat/query_refused": True}, 3),
    ],
)
def test_exit_status(complete: bool, stored: int, stats: dict[str, Any], status: int) -> None:
    assert exit_status(complete, got(stored=stored), stats) == status
