"""What goes wrong on purpose: a list of faults, each with the requests it strikes and how often."""

from __future__ import annotations

import io
import random
import re
import struct
import zlib
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from PIL import Image

from standin.photos import ADDRESS

# Faults that answer in place of the real response, and those that spoil it on its way.
INSTEAD = {"status", "echo", "reset", "html200", "empty", "bomb"}
SPOIL = {"truncate", "short", "invalid_json", "wrong_format", "slow"}
DECLARED = 30_000  # pixels each way, far over any decoder's limit


@dataclass
class Fault:
    """`where` is `api`, `photos` or a pattern searched in path and query; `ids` and `sizes` narrow it.

    The first `after` matching requests pass; then each is struck with `probability`, at most `times` times.
    `retry_after` is text in seconds or the word `http-date`, meaning three seconds from now as a date. `location`
    is where a status of 3xx sends to. `echo` is a `status` whose body shows the headers of the request,
    once plainly and once with escapes.
    """

    where: str
    kind: str
    status: int = 503
    retry_after: str | None = None
    location: str | None = None
    probability: float = 1.0
    times: int | None = None
    after: int = 0
    seconds: float = 1.0
    ids: list[int] | None = None
    sizes: list[str] | None = None
    seen: int = field(default=0, init=False)
    struck: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in INSTEAD | SPOIL:
            raise ValueError(f"unknown kind of fault: {self.kind!r}")

    def concerns(self, role: str, path: str) -> bool:
        if self.where in ("api", "photos"):
            if (self.where == "api") != (role == "api"):
                return False
        elif not re.search(self.where, path):
            return False
        return self._names(path.partition("?")[0])

    def _names(self, path: str) -> bool:
        match = ADDRESS.match(path)
        numbers = [int(n) for n in re.findall(r"\d+", match[1] if match else path.rpartition("/")[2])]
        if self.ids is not None and not set(self.ids) & set(numbers):
            return False
        return self.sizes is None or bool(match and match[2] in self.sizes)

    def strikes(self, rng: random.Random) -> bool:
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.struck >= self.times):
            return False
        if self.probability < 1 and rng.random() >= self.probability:
            return False
        self.struck += 1
        return True

    def headers(self, now: float) -> dict[str, str]:
        date = formatdate(now + 3, usegmt=True)
        retry_after = date if self.retry_after == "http-date" else self.retry_after
        named = {"Retry-After": retry_after, "Location": self.location}
        return {name: value for name, value in named.items() if value is not None}


class Faults:
    """The faults in force, in the order in which they were added; the first that strikes wins."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(f"{seed}/faults")
        self._faults: list[Fault] = []

    def add(self, description: dict[str, Any]) -> None:
        self._faults.append(Fault(**description))

    def clear(self) -> None:
        self._faults.clear()

    def listed(self) -> list[dict[str, Any]]:
        return [dict(vars(fault)) for fault in self._faults]

    def pick(self, role: str, path: str) -> Fault | None:
        for fault in self._faults:
            if fault.concerns(role, path) and fault.strikes(self._rng):
                return fault
        return None


def bomb(extension: str) -> bytes:
    """A tiny image file whose header declares an enormous picture: PNG for `png`, else JPEG."""
    if extension.lower() == "png":
        header = b"IHDR" + struct.pack(">IIBBBBB", DECLARED, DECLARED, 8, 2, 0, 0, 0)
        chunks = [header, b"IDAT" + zlib.compress(b"\0" * 64), b"IEND"]
        framed = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks]
        return b"\x89PNG\r\n\x1a\n" + b"".join(framed)
    content = bytearray(tiny("JPEG"))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", DECLARED, DECLARED)
    return bytes(content)


def tiny(kind: str) -> bytes:
    """A whole file of 8 x 8 pixels, for a photo that comes in another format than its name says."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (90, 120, 60)).save(out, kind)
    return out.getvalue()


def other_format(extension: str) -> bytes:
    return tiny("JPEG" if extension.lower() in ("png", "gif") else "PNG")
