"""Fixtures of the tests that look at a report in Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from reports import Open, Opened, scheme, told
from test_store import QUERY

from inat_crawler.store import Store

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/observations.sqlite")
    store.open_mirror(QUERY)
    yield store
    store.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens a file; at the end of the test nothing may have gone wrong or out."""
    opened: list[Opened] = []

    def open_page(path: Path, width: int = 1280, **options: Any) -> Opened:
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        view = Opened(page)
        page.on("console", lambda message: view.said.append(told(message)))
        page.on("pageerror", lambda error: view.said.append(str(error)))
        page.on("dialog", lambda dialog: (view.said.append("a dialog"), dialog.dismiss()))
        page.on("request", lambda request: view.asked.append(scheme(request)))
        page.goto(path.as_uri())
        opened.append(view)
        return view

    yield open_page
    for view in opened:
        view.page.close()
        assert view.said == []
        assert set(view.asked) <= {"file", "data"}
