"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from standin.client import Standin


@pytest.fixture(scope="session", autouse=True)
def ledger_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests use does not count for the user who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INAT_BUDGET_URL", f"sqlite:///{tmp_path_factory.mktemp('budget')}/budget.sqlite")
        yield


@pytest.fixture
def standin() -> Iterator[Callable[..., Standin]]:
    """Start stand-ins that end with the test; originals are small unless the test says otherwise."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Standin(**{"original_pixels": 320, **options}))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "mirror"
