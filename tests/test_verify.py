"""`scrapy verify`: every file of a mirror against its store."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import PLACE, ROOT, crawl, own_settings
from test_crawl import SEARCH, photo_paths
from test_sync import in_step, photos_asked

from standin.client import Standin

Start = Callable[..., Standin]


def verify(output: Path, *options: str, api_root: str = "http://127.0.0.1:1/v1") -> tuple[int, list[str], str]:
    """Exit status, lines, and what was said besides."""
    environment = {**os.environ, "INAT_API_ROOT": api_root, **own_settings(output.parent)}
    command = [sys.executable, "-m", "scrapy", "verify", *options, str(output)]
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def flip_a_bit(path: Path) -> None:
    """Same size, same time of modification, one other bit."""
    stat, body = path.stat(), bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_mirror_is_verified_and_repaired(standin: Start, output: Path) -> None:
    park = standin(observations=40)
    run = crawl(park, output, PLACE, "images=all", "sizes=square,medium")
    good = run.photos()
    assert verify(output) == (0, [f"{len(good)} files: {len(good)} right, 0 damaged or missing; {output}"], "")

    flipped, cut, gone = sorted(good)[3:6]
    flip_a_bit(output / "images" / flipped)
    (output / "images" / cut).write_bytes(good[cut][:-40])
    (output / "images" / gone).unlink()
    status, lines, _ = verify(output)
    assert status == 3
    said = {line.partition(":")[0]: line for line in lines[:-1]}
    assert said.keys() == {flipped, cut, gone}
    assert "other bytes than were fetched" in said[flipped]
    assert f"{len(good[cut]) - 40} bytes, not {len(good[cut])}" in said[cut]
    assert "missing" in said[gone]
    observation = re.split(r"\D", gone)[0]
    assert re.search(rf"\(observation {observation}, photo \d+ (square|medium)\)", said[gone])
    assert lines[-1].startswith(f"{len(good)} files: {len(good) - 3} right, 3 damaged or missing")

    asked, pages = photos_asked(park), len(park.requests("api"))
    status, lines, log = verify(output, "--repair", api_root=park.api_root)
    assert status == 0, log
    assert lines[-1].startswith(f"{len(good)} files: {len(good)} right")
    assert photos_asked(park) - asked == 3
    assert len(park.requests("api")) == pages, "no observation is asked for"
    in_step(park, crawl(park, output, PLACE, "images=all", "sizes=square,medium"), "all", "square,medium")
    assert set(photo_paths(park).values()) <= {1, 2}


@pytest.mark.long
def test_what_cannot_be_repaired(standin: Start, output: Path) -> None:
    park = standin(observations=20)
    run = crawl(park, output, PLACE, "sizes=square")
    name = sorted(run.photos())[2]
    (output / "images" / name).unlink()
    chosen = int(re.split(r"\D", name)[0])
    park.add_fault("photos", "status", status=404, ids=[park.record(chosen)["photos"][0]["id"]])
    status, lines, _ = verify(output, "--repair", api_root=park.api_root)
    assert status == 3
    assert lines[-2].startswith("no file: not had: 404 (observation ")
    assert verify(output)[0] == 3
    park.clear_faults()
    assert verify(output, "--repair", api_root=park.api_root)[0] == 0


@pytest.mark.long
def test_a_narrowed_mirror_is_repaired_as_wide_as_it_was(standin: Start, output: Path) -> None:
    park = standin(observations=20)
    good = crawl(park, output, PLACE, "images=all", "sizes=square,small").photos()
    assert crawl(park, output, PLACE, "images=none").status == 0
    several = next(i for i in park.ids(**SEARCH) if len(park.record(i)["photos"]) > 1)
    lost = [n for n in good if n.startswith(str(several)) and "S." in n]
    for name in lost:
        (output / "images" / name).unlink()
    assert len(lost) > 1
    assert verify(output, "--repair", api_root=park.api_root)[0] == 0
    assert crawl(park, output, PLACE, "images=none").photos() == good


def test_folders_without_a_mirror(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        status, lines, said = verify(folder)
        assert (status, lines) == (1, [])
        assert said == f"error: no mirror lies there (no observations.sqlite): {folder}\n"
    assert list(tmp_path.iterdir()) == []
