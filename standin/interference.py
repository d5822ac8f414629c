"""Records that arrive, change and vanish while somebody is paging."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from standin.generate import Generator
from standin.search import Searcher
from standin.world import World

BEFORE_ANY = 20


@dataclass
class Interference:
    """So many of each before every page of a search, until `maximum` of each; `done` tells which."""

    insert: int = 0
    delete: int = 0
    edit: int = 0
    maximum: int = BEFORE_ANY
    done: dict[str, list[int]] = field(default_factory=lambda: {"inserted": [], "deleted": [], "edited": []})

    def strike(self, world: World, searcher: Searcher, generator: Generator, rng: random.Random) -> None:
        """Deletes and edits fall on random records of the default query."""
        self.done["inserted"] += generator.insert(self._left("inserted", self.insert), {})
        for number in self._victims("deleted", self.delete, world, searcher, rng):
            world.delete(number)
        for number in self._victims("edited", self.edit, world, searcher, rng):
            world.edit(number, {"description": f"edited for the {len(self.done['edited'])}th time"})

    def _left(self, kind: str, wanted: int) -> int:
        return max(0, min(wanted, self.maximum - len(self.done[kind])))

    def _victims(self, kind: str, wanted: int, world: World, searcher: Searcher, rng: random.Random) -> list[int]:
        count = self._left(kind, wanted)
        if not count:
            return []
        present = [n for n in searcher.matching(default_query(world)) if n in world.entries]
        chosen = rng.sample(present, min(count, len(present)))
        self.done[kind] += chosen
        return chosen


def default_query(world: World) -> dict[str, str]:
    """The query that the generated observations match."""
    place = str(world.catalog.default_place)
    return {"place_id": place, "geo": "true", "identified": "true", "rank": "species"}
