"""Stand-ins for the tests of the stand-in: one that all may read, one for each test that changes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from standin.client import Standin


@pytest.fixture(scope="session")
def standin() -> Iterator[Standin]:
    """300 matching observations; never changed."""
    with Standin(observations=300, original_pixels=600) as running:
        yield running


@pytest.fixture
def world() -> Iterator[Standin]:
    """40 matching observations of one's own."""
    with Standin(observations=40, original_pixels=600) as running:
        yield running
