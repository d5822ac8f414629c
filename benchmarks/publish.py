"""`python -m benchmarks.publish`: seconds and peak memory of every format, for a small and a large mirror.

Each format is made in a process of its own. The mirrors are invented: records of about 10 kB, two photos an
observation with three files each, of which only the rows are there.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from inat_crawler.api.formats import FORMATS
from inat_crawler.api.query import Query
from inat_crawler.api.records import read_record
from inat_crawler.items import Observation, Page, PhotoFile
from inat_crawler.publishing import Publisher
from inat_crawler.store import Store, sqlite_in

QUERY = Query({"place_id": "128892"})
FIRST_DAY = datetime(2012, 1, 1, tzinfo=UTC)
LICENSES = ("cc-by-nc", "cc-by", "cc0", None)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publish", description=__doc__)
    parser.add_argument("--observations", type=int, default=100_000, help="of the large mirror (default 100000)")
    parser.add_argument("--small", type=int, default=10_000, help="of the small one (default 10000)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--make", nargs=2, metavar=("FORMAT", "DIR"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        print(json.dumps(measured(options.make[0], Path(options.make[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        small, large = (filled(Path(folder), n) for n in (options.small, options.observations))
        results = [compare(name, small, large) for name in FORMATS]
    print(table(results, options.small, options.observations))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2), encoding="utf-8")


def filled(folder: Path, many: int) -> Path:
    """A folder with the store of a mirror of so many observations."""
    output = folder / str(many)
    output.mkdir()
    store = Store.of(sqlite_in(output), QUERY)
    rng, started = random.Random(many), time.monotonic()  # noqa: S311 - data, not secrets
    for start in range(0, many, 200):
        observations = [invented(rng, i + 1) for i in range(start, min(start + 200, many))]
        window = store.windows.open(0, None)
        store.save_page(Page(window, replace(window, cursor=1), observations))
        store.files.save(row for o in observations for row in files(o))
    store.close()
    print(f"made a mirror of {many:,} observations in {time.monotonic() - started:.0f} s", file=sys.stderr)
    return output


def invented(rng: random.Random, number: int) -> Observation:
    """An observation of one of 800 species, by one of 500 people."""
    taxon, user = int(rng.paretovariate(0.7)) % 800 + 1, int(rng.paretovariate(0.7)) % 500 + 1
    seen = FIRST_DAY + timedelta(seconds=rng.randrange(400_000_000))
    obscured = rng.random() < 0.05
    return read_record(
        {
            "id": number,
            "uuid": f"{number:032x}",
            "uri": f"https://www.inaturalist.org/observations/{number}",
            "quality_grade": rng.choice(("research", "needs_id", "casual")),
            "taxon": {"id": taxon, "name": f"Genus species{taxon}", "rank": "species"},
            "observed_on": seen.date().isoformat(),
            "time_observed_at": seen.isoformat(),
            "created_at": (seen + timedelta(days=1)).isoformat(),
            "updated_at": (seen + timedelta(days=2)).isoformat(),
            "location": f"{38.4 + rng.random() / 5:.6f},{-9.2 + rng.random() / 5:.6f}",
            "public_positional_accuracy": 28_000 if obscured else rng.randrange(5, 200),
            "obscured": obscured,
            "license_code": rng.choice(LICENSES),
            "user": {"id": user, "login": f"user{user}", "name": f"Observer {user}"},
            "photos": [photo(rng, number * 2 + n) for n in range(2)],
            "comments": [{"body": rng.randbytes(4500).hex()}],
        }
    )


def photo(rng: random.Random, photo_id: int) -> dict[str, Any]:
    code = rng.choice(LICENSES)
    return {
        "id": photo_id,
        "url": f"https://inaturalist-open-data.s3.amazonaws.com/photos/{photo_id}/square.jpg",
        "license_code": code,
        "attribution": f"(c) Somebody, {'some rights' if code else 'all rights'} reserved",
        "original_dimensions": {"width": 2048, "height": 1536},
    }


def files(observation: Observation) -> Iterator[tuple[int, int, PhotoFile]]:
    """Rows of three files a photo, which are not there."""
    for each in observation.photos:
        for n, (size, letters) in enumerate((("square", "Sq"), ("medium", "M"), ("original", "O")), 1):
            name, digest = f"{observation.id}_{each.id}{letters}.jpg", f"{each.id:060x}{n:04x}"
            row = PhotoFile(size, str(each.url), "downloaded", name, bytes=n * 10_000, sha256=digest)
            yield observation.id, each.id, row


def compare(name: str, small: Path, large: Path) -> dict[str, Any]:
    return {"format": name, "small": in_a_process(name, small), "large": in_a_process(name, large)}


def in_a_process(name: str, output: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.publish", "--make", name, str(output)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measured(name: str, output: Path) -> dict[str, float]:
    """Make one format; seconds, peak memory in MB, size of what was made in MB."""
    store = Store.of(sqlite_in(output), QUERY)
    started = time.monotonic()
    made = Publisher(store, output).publish(name)
    seconds = time.monotonic() - started
    store.close()
    size = sum(path.stat().st_size for path in made.paths if path.is_file())
    peak = peak_kb() / 1000
    return {"seconds": round(seconds, 2), "peak_mb": round(peak, 1), "size_mb": round(size / 1e6, 2)}


def peak_kb() -> int:
    """Peak memory of this process; Linux counts that of its parent into `ru_maxrss`."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def table(results: list[dict[str, Any]], small: int, large: int) -> str:
    lines = [f"{'format':<12} {'seconds':>9} {'MB made':>9} {'peak MB':>9} {'of that with':>13} {'ratio':>6}"]
    lines.append(f"{'':<12} {large:>9,} {large:>9,} {large:>9,} {small:>13,}")
    for each in results:
        few, many = each["small"], each["large"]
        ratio = many["peak_mb"] / few["peak_mb"]
        lines.append(
            f"{each['format']:<12} {many['seconds']:>9.1f} {many['size_mb']:>9.1f} {many['peak_mb']:>9.0f} "
            f"{few['peak_mb']:>13.0f} {ratio:>6.2f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
