"""The demo: starts a stand-in iNaturalist, crawls a marine park from it, and shows what came of it."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

from standin.client import REPOSITORY, Standin

OUTPUT = Path("output/demo")
COMMAND = ["crawl", "observations", "-a", "place_id=128892", "-a", f"output={OUTPUT}"]


def main() -> int:
    """Run the demo; returns the exit status of the crawl."""
    with Standin(observations=60) as standin:
        print(f"A stand-in iNaturalist answers at {standin.api_root}. Crawling it with:\n")
        print(f"    scrapy {' '.join(COMMAND)}\n", flush=True)
        environment = {**os.environ, "INAT_API_ROOT": standin.api_root, "INAT_API_REQUESTS_PER_MINUTE": "0"}
        command = [sys.executable, "-m", "scrapy", *COMMAND, "-L", "WARNING"]
        status = subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode  # noqa: S603
    if status == 0:
        show(REPOSITORY / OUTPUT)
    return status


def show(output: Path) -> None:
    """Say where everything lies, and the first lines of the table."""
    photos = [p for p in (output / "images").iterdir() if p.is_file()]
    megabytes = sum(p.stat().st_size for p in photos) / 1e6
    print(f"Done. In {OUTPUT}/:")
    print(f"    images/         {len(photos)} photos, {megabytes:.0f} MB, as they were served")
    print("    dataFrame.csv   the table of all observations, tab-separated; its first lines:\n")
    with (output / "dataFrame.csv").open(encoding="utf-8", newline="\n") as table:
        for line in islice(table, 6):
            print("   ", line.rstrip("\n").replace("\t", " | ")[:140])
    print("\n    crawl.json      the account of this run: what was asked, what was got, what is missing")
    print("    feed/           what this run found new or changed")
    print("    observations.sqlite   the store, with the complete records")
    print("\nFor the real thing: make crawl PLACE=128892")


if __name__ == "__main__":
    sys.exit(main())
