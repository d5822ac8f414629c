"""Who may import whom: the floors of the house, and what each must not know."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    0: ("items", "errors", "signals"),
    1: ("api",),
    2: ("budget", "store", "files", "mirror"),
    3: ("outputs", "forecast"),
    4: ("client", "publishing", "held", "starting", "asking", "turns", "lookup"),
    5: ("handlers", "middlewares", "pipelines", "exporters", "extensions"),
    6: ("spiders", "commands", "cluster"),
}
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
# What outputs have in common, and may import of each other.
SHARED = ("beside", "rows")
# What a room may import besides the floors that lie below all of its floor.
ALLOWED = {
    "errors": set(),
    "signals": set(),
    "budget": {"items", "errors", "budget"},
    "items": set(),
    "api": {"items", "errors", "api"},
    "store": {"items", "errors", "store"},
    "files": {"items", "errors"},
    "mirror": {"items", "errors", "api"},
    "outputs": {"items", "errors", "store", "api", "outputs"},  # of each other only SHARED: see below
    "forecast": {r for f in range(3) for r in FLOORS[f]} | {"forecast"},
    "client": {r for f in range(3) for r in FLOORS[f]},
    "asking": {r for f in range(3) for r in FLOORS[f]} | {"client"},
    "turns": {r for f in range(3) for r in FLOORS[f]} | {"client"},
    "publishing": {r for f in range(4) for r in FLOORS[f]},
    "held": {r for f in range(3) for r in FLOORS[f]},
    "starting": {r for f in range(3) for r in FLOORS[f]} | {"publishing"},
    "lookup": {r for f in range(3) for r in FLOORS[f]} | {"client", "asking", "starting"},
    **{room: {r for f in range(5) for r in FLOORS[f]} | {room} for room in FLOORS[5]},
    **{room: {r for f in range(5) for r in FLOORS[f]} for room in FLOORS[6]},
    "spiders": {r for f in range(5) for r in FLOORS[f]} | {"spiders"},
    "commands": {r for f in range(5) for r in FLOORS[f]} | {"commands"},
}
BARRED = {"scrapy", "twisted"}
NETWORK = {"requests", "httpx", "aiohttp", "urllib.request", "http.client", "socket", "urllib3"}
MODULES = sorted((ROOT / "inat_crawler").rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Dotted names of everything a module imports, at any depth in its code."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "inat_crawler").with_suffix("").parts[0]


def is_allowed(own: str, allowed: set[str]) -> bool:
    """`own` is a dotted name below inat_crawler."""
    return any(own == room or own.startswith(f"{room}.") for room in allowed) or own == "__version__"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_keep_to_the_floors(path: Path) -> None:
    room, names = room_of(path), imports(path)
    own = {n.removeprefix("inat_crawler").removeprefix(".") for n in names if n.split(".")[0] == "inat_crawler"}
    if room in ("__init__", "settings"):
        assert own == set()
        return
    wrong = {n for n in own if n and not is_allowed(n, ALLOWED[room])}
    assert not wrong, f"{room} may not import {wrong}"
    assert "standin" not in {n.split(".")[0] for n in names}
    if FLOOR_OF[room] < 4:
        assert not {n for n in names if n.split(".")[0] in BARRED}
    if room in ("api", "outputs"):
        assert not {n for n in names for client in NETWORK if n == client or n.startswith(f"{client}.")}


def test_outputs_do_not_import_each_other() -> None:
    """The parts of one output do: it is a module, or a package of several."""
    outputs = ROOT / "inat_crawler" / "outputs"
    for path in outputs.rglob("*.py"):
        own = path.relative_to(outputs).with_suffix("").parts[0]
        others = {n.split(".")[2] for n in imports(path) if n.startswith("inat_crawler.outputs.")}
        assert others <= {*SHARED, own}, path


def test_the_stand_in_knows_nothing_of_the_crawler() -> None:
    for path in (ROOT / "standin").rglob("*.py"):
        assert not {n for n in imports(path) if n.split(".")[0] == "inat_crawler"}, path


def test_only_settings_read_the_environment() -> None:
    readers = [p.name for p in MODULES if re.search(r"\benviron\b|getenv", p.read_text())]
    assert readers == ["settings.py"]
