"""The demo: starts a stand-in iNaturalist, crawls a marine park from it, and shows what came of it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

from standin.client import REPOSITORY, Standin

OUTPUT = Path("output/demo")
SHOWN = {"id": 10, "taxon.name": 26, "observed_on": 11, "quality_grade": 13, "Latitude": 12, "Longitude": 12}
LEDGER = Path("output/demo-budget.sqlite")  # its own: the demo must not use up what real crawls may
COMMAND = ["crawl", "observations", "-a", "place_id=128892", "-a", f"output={OUTPUT}"]


def main() -> int:
    """Run the demo; returns the exit status of the crawl."""
    shutil.rmtree(REPOSITORY / OUTPUT, ignore_errors=True)  # another stand-in's: its addresses are gone
    with Standin(observations=60) as standin:
        settings = {
            "INAT_API_ROOT": standin.api_root,
            "INAT_CONTACT": "demo@example.org",
            "INAT_BUDGET_URL": f"sqlite:///{LEDGER}",
        }
        print(
            "A small iNaturalist is running on this machine, with 60 invented and deliberately odd observations."
        )
        print("Crawling it with:\n")
        for name, value in settings.items():
            print(f"    {name}={value} \\")
        print("    .venv/bin/scrapy", " ".join(COMMAND), "\n", flush=True)
        command = [sys.executable, "-m", "scrapy", *COMMAND, "-L", "WARNING"]
        environment = {**os.environ, **settings}
        status = subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode  # noqa: S603
    if status == 0:
        show(REPOSITORY / OUTPUT)
    return status


def show(output: Path) -> None:
    """Say whether it is complete, where everything lies, and the first lines of the table."""
    account = json.loads((output / "crawl.json").read_text(encoding="utf-8"))
    observations, photos = account["observations"], account["photos"]
    megabytes = sum(p.stat().st_size for p in (output / "images").iterdir() if p.is_file()) / 1e6
    print(f"Complete: {observations['stored']} of {observations['asked']} observations,", end=" ")
    print(f"{photos['wanted'] - photos['missing']} of {photos['wanted']} photo files. In {OUTPUT}/:\n")
    print(f"    images/               the photos, {megabytes:.0f} MB, byte for byte as they were served")
    print("    dataFrame.csv         the table of all observations, tab-separated")
    print("    report.html           a page to look at: open it in a browser")
    print("    photos.tsv            license and credit of each photo; ATTRIBUTION.md for readers")
    print("    crawl.json            the account: what was asked, what was got, what is missing")
    print("    feed/                 what this run found new or changed")
    print("    changes.tsv           the log of all runs: new, changed, gone")
    print("    observations.sqlite   the store, with the complete records\n")
    print("The first lines of the table, some of its columns:\n")
    with (output / "dataFrame.csv").open(encoding="utf-8", newline="") as table:
        for row in [{n: n for n in SHOWN}, *islice(csv.DictReader(table, delimiter="\t"), 5)]:
            print("   ", "  ".join(f"{row[name]:<{width}.{width}}" for name, width in SHOWN.items()))
    print("\nMaps and archives of it: .venv/bin/scrapy publish output/demo --format all")
    print("For the real thing: make crawl PLACE=128892")


if __name__ == "__main__":
    sys.exit(main())
