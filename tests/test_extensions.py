"""When a crawl is complete, and with which status it ends."""

from __future__ import annotations

from typing import Any

import pytest

from inat_crawler.extensions import exit_status, is_complete

FINISHED = {"finish_reason": "finished"}


def got(missing: int = 0, malformed: int = 0, **observations: Any) -> dict[str, Any]:
    everything = {"asked": 30, "stored": 30, "read_to_the_end": True, "malformed": [None] * malformed}
    return {"observations": everything | observations, "photos": {"missing": missing}}


@pytest.mark.parametrize(
    ("got", "limit_met", "stats", "complete"),
    [
        (got(), False, FINISHED, True),
        (got(stored=31), False, FINISHED, True),
        (got(stored=29), False, FINISHED, False),
        (got(read_to_the_end=False), False, FINISHED, False),
        (got(read_to_the_end=False, stored=10), True, FINISHED, True),
        (got(missing=1), False, FINISHED, False),
        (got(missing=1), True, FINISHED, False),
        (got(malformed=1), False, FINISHED, False),
        (got(), False, {"finish_reason": "shutdown"}, False),
        (got(), False, FINISHED | {"inat/error": "x"}, False),
        (got(), False, FINISHED | {"inat/defect": "x"}, False),
        (got(), False, FINISHED | {"feedexport/failed_count/FileFeedStorage": 1}, False),
    ],
)
def test_complete(got: dict[str, Any], limit_met: bool, stats: dict[str, Any], complete: bool) -> None:
    assert is_complete(got, limit_met, stats) is complete


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
