"""A crawl of the stand-in as a user would start it, and what it left behind."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import URL

from inat_crawler.budget.limits import PUBLISHED
from standin.client import Standin

ROOT = Path(__file__).resolve().parent.parent
PLACE = "place_id=128892"
DEFAULT_PUBLISH = "publish="


@dataclass
class Crawl:
    """A crawl that has ended: its exit status, what it said, and what it left in its output."""

    status: int
    log: str
    output: Path

    @property
    def account(self) -> dict[str, Any]:
        account: dict[str, Any] = json.loads((self.output / "crawl.json").read_text())
        return account

    def table(self) -> pd.DataFrame:
        return read_table(self.output / "dataFrame.csv")

    def photos(self) -> dict[str, bytes]:
        """Bytes of all photo files by name."""
        folder = self.output / "images"
        return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} if folder.exists() else {}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the store."""
        with sqlite3.connect(self.output / "observations.sqlite") as db:
            rows = db.execute(query).fetchall()
        db.close()
        return rows

    def said(self, level: str) -> list[str]:
        """Messages of this level, less time and logger."""
        return [line.partition(f"{level}: ")[2] for line in self.log.splitlines() if f"] {level}: " in line]


def read_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, index_col=0)


def start(
    api_root: str, output: Path, *arguments: str, before: Callable[[], None] | None = None, **settings: str
) -> subprocess.Popen[str]:
    """Start `scrapy crawl observations`; arguments are those of -a, or options when they begin with a dash.

    It makes the table alone unless they say otherwise, to save time; DEFAULT_PUBLISH is what users get.
    `before` runs in the new process before the program does.
    """
    command = [sys.executable, "-m", "scrapy", "crawl", "observations", "-a", f"output={output}"]
    if not any(argument.startswith("publish=") for argument in arguments):
        arguments = (*arguments, "publish=table")
    for argument in arguments:
        if argument == DEFAULT_PUBLISH:
            continue
        command += [argument] if argument.startswith("-") else ["-a", argument]
    environment = {**os.environ, "INAT_API_ROOT": api_root, **own_settings(output.parent), **settings}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=before,
    )


def own_settings(folder: Path) -> dict[str, str]:
    """Without limits, and with a ledger of their own below this folder for tests that want some."""
    limits = dict.fromkeys(PUBLISHED, "0")
    ledger = URL.create("sqlite", database=str(folder / "budget.sqlite")).render_as_string()
    others = {"INAT_BUDGET_URL": ledger, "INAT_BACKOFF_SECONDS": "0.05", "INAT_CONTACT": "tests@park.example"}
    return {**limits, **others}


def finish(process: subprocess.Popen[str], output: Path) -> Crawl:
    _, log = process.communicate(timeout=120)
    return Crawl(process.returncode, log, output)


def crawl(standin: Standin, output: Path, *arguments: str, **settings: str) -> Crawl:
    """Crawl to the end."""
    return finish(start(standin.api_root, output, *arguments, **settings), output)


def scaled(n: int) -> int:
    """A size of a long test; INAT_TEST_SCALE makes it smaller where time is short."""
    return max(1, int(n * float(os.environ.get("INAT_TEST_SCALE", "1"))))
