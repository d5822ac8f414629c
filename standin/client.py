"""The tests' side of the stand-in: starts it as a process, drives it, ends it for sure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

Record = dict[str, Any]

REPOSITORY = Path(__file__).resolve().parent.parent
TIMEOUT = 60.0


class Standin:
    """A stand-in for the length of a `with` block; `options` are those of the command line, `_` for `-`."""

    def __init__(self, **options: object) -> None:
        self.options = options
        self.api_root = ""
        self._process: subprocess.Popen[str] | None = None

    @property
    def root(self) -> str:
        """The API's address without `/v1`."""
        return self.api_root.removesuffix("/v1")

    @property
    def port(self) -> int:
        return int(self.root.rpartition(":")[2])

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "standin"]
        for name, value in self.options.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        self._process = subprocess.Popen(  # noqa: S603 - this very interpreter
            command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        try:
            self.api_root = self._first_line()
        except BaseException:  # an interrupted start must not leave a process behind
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _first_line(self) -> str:
        output = self._process.stdout if self._process else None
        line = output.readline().strip() if output else ""
        if not line:
            raise RuntimeError(f"the stand-in did not start: {self.options}")
        return line

    def stop(self) -> None:
        """End the process; safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

    # The API, as anybody sees it

    def get(self, path: str, /, **params: object) -> Any:
        """JSON of a path such as `/observations`; an error status raises `urllib.error.HTTPError`."""
        query = f"?{urlencode(params)}" if params else ""
        return json.loads(fetch(self.api_root + path + query))

    # The world

    def insert(self, n: int = 1, photos: int | None = None, **overrides: Any) -> list[int]:
        """New observations in the default query, created now; `photos` says how many each has."""
        return list(self._call("insert", n=n, photos=photos, overrides=overrides))

    def edit(self, id: int, touch: bool = True, **changes: Any) -> Record:
        return dict(self._call("edit", id=id, touch=touch, changes=changes))

    def swap_photos(self, id: int, touch: bool = True) -> Record:
        return dict(self._call("swap_photos", id=id, touch=touch))

    def replace_photo(self, id: int, index: int = 0, touch: bool = True) -> Record:
        return dict(self._call("replace_photo", id=id, index=index, touch=touch))

    def bump_photo_query(self, id: int, index: int = 0, touch: bool = True) -> Record:
        return dict(self._call("bump_photo_query", id=id, index=index, touch=touch))

    def move_photo_host(
        self, id: int, index: int = 0, license_code: str | None = None, touch: bool = True
    ) -> Record:
        return dict(self._call("move_photo_host", id=id, index=index, license_code=license_code, touch=touch))

    def delete(self, *ids: int) -> None:
        self._call("delete", ids=ids)

    def move(self, *ids: int, touch: bool = True) -> None:
        """Out of the default place."""
        self._call("move", ids=ids, touch=touch)

    def plant_private(self, id: int, location: str = "38.446512,-8.991234") -> None:
        self._call("plant_private", id=id, location=location)

    def ids(self, **query: object) -> list[int]:
        """Every id the query matches, newest first; all that exist without a query."""
        return list(self._call("ids", query=query))

    def record(self, id: int) -> Record:
        return dict(self._call("record", id=id))

    def records(self, **query: object) -> list[Record]:
        """The records of `ids`, as searches show them."""
        return list(self._call("records", query=query))

    def private(self, id: int) -> Record:
        """The `private_*` keys that only an authorized caller sees."""
        return dict(self._call("private", id=id))

    def photo(self, id: int, size: str = "original") -> bytes:
        """The exact bytes that the photo host serves."""
        return bytes(self._call("photo", id=id, size=size))

    # Trouble

    def before_page(self, insert: int = 0, delete: int = 0, edit: int = 0, maximum: int = 20) -> None:
        self._call("before_page", insert=insert, delete=delete, edit=edit, maximum=maximum)

    def interference(self) -> dict[str, list[int]]:
        """The ids that `before_page` has `inserted`, `deleted` and `edited`."""
        return dict(self._call("interference"))

    def add_fault(self, where: str, kind: str, **more: object) -> None:
        """See `standin.faults.Fault` for the further arguments."""
        self._call("add_fault", where=where, kind=kind, **more)

    def clear_faults(self) -> None:
        self._call("clear_faults")

    def faults(self) -> list[Record]:
        return list(self._call("faults"))

    def latency(self, seconds: float) -> None:
        self._call("latency", seconds=seconds)

    def set_token(self, token: str | None) -> None:
        """The only token that is valid from now on; whoever sends another, or any if it is None, gets a 401."""
        self._call("set_token", token=token)

    def rate_limit(self, n: int | None, retry_after: str | None = None) -> None:
        self._call("rate_limit", n=n, retry_after=retry_after)

    def index_lag(self, seconds: float, inserts: bool = False) -> None:
        self._call("index_lag", seconds=seconds, inserts=inserts)

    def advance(self, seconds: float) -> float:
        """Skip time in the stand-in; returns its new time."""
        return float(self._call("advance", seconds=seconds))

    # The log

    def requests(self, role: str | None = None) -> list[Record]:
        """All requests but control calls, in order of arrival; `role` is `api`, `open` or `static`."""
        return list(self._call("requests", role=role))

    def connections(self) -> dict[str, dict[str, int]]:
        """`most` at once and `open` now, each per role."""
        return dict(self._call("connections"))

    def reset_log(self) -> None:
        self._call("reset_log")

    def _call(self, name: str, **arguments: object) -> Any:
        body = json.dumps(arguments).encode()
        request = Request(f"{self.root}/control/{name}", body, method="POST")  # noqa: S310 - loopback
        try:
            content = fetch(request)
        except HTTPError as error:
            with error:
                raise ValueError(f"control/{name}: {error.read().decode()}") from None
        return content if name == "photo" else json.loads(content)


def fetch(address: str | Request) -> bytes:
    with urlopen(address, timeout=TIMEOUT) as response:  # noqa: S310 - loopback
        return bytes(response.read())
