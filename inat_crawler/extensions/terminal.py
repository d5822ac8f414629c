"""The live display on a terminal: a few lines below the log that are drawn again and again.

Whatever else is written to stderr while it is up is printed above it, whole lines at a time.
"""

from __future__ import annotations

import atexit
import io
import logging
import sys
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from scrapy.utils.log import get_scrapy_root_handler

from inat_crawler.api.texts import printable

WIDE = 60  # columns from which there is room for a bar
ECHO = 3  # columns left free: there the terminal shows ^C, which would break the last line
Row = tuple[str, str]


def is_terminal() -> bool:
    """Can stderr show a display: is it a terminal, and one that can move its cursor?"""
    return sys.stderr.isatty() and Console(file=sys.stderr).is_interactive


def columns() -> int:
    """How wide the terminal is."""
    return Console(file=sys.stderr).width


def logs_to_stderr() -> bool:
    """Does the log go where a display is, and not into a file?"""
    handler = get_scrapy_root_handler()
    return type(handler) is logging.StreamHandler and handler.stream is sys.stderr


class Display:
    """A display on stderr, from `start` to `stop`; a process that ends otherwise stops it too."""

    def __init__(self) -> None:
        self.stderr: TextIO = sys.stderr
        self.console = Console(file=self.stderr, highlight=False, markup=False, emoji=False)
        # Drawn when `show` is called, never by a thread of its own; what happens to be there at the end is wiped.
        self.live = Live(
            console=self.console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False, transient=True
        )
        self.above = Above(self.console, self.stderr)
        self.handler: logging.StreamHandler[TextIO] | None = None

    def start(self) -> None:
        handler = get_scrapy_root_handler()
        if logs_to_stderr() and isinstance(handler, logging.StreamHandler):
            self.handler = handler
            handler.setStream(self.above)
        sys.stderr = self.above
        self.live.start()
        # It would be hidden while the display is up; whoever suspends or kills the crawl should not lose it.
        self.console.show_cursor(True)
        atexit.register(self.stop)

    def show(self, rows: Sequence[Row], notes: Sequence[str], done: float | None) -> None:
        """Draw: rows with their names, what else is to be said, and the part of the work that is done (0 to 1)."""
        self.live.update(drawn(rows, notes, done, self.console.width), refresh=True)

    def stop(self) -> None:
        """Wipe it, and leave stderr and the log as they were. Safe to call twice."""
        atexit.unregister(self.stop)
        sys.stderr = self.stderr
        if self.handler is not None:
            self.handler.setStream(self.stderr)
        self.above.finish()
        self.live.stop()


def drawn(rows: Sequence[Row], notes: Sequence[str], done: float | None, width: int) -> RenderableType:
    """What is shown: each row and note one line, cut off where the terminal ends."""
    table = grid(*((Text(name, style="bold"), one_line(text)) for name, text in rows))
    lines: list[RenderableType] = [table]
    if done is not None and width >= WIDE and notes:
        first, *notes = notes
        lines.append(grid((ProgressBar(total=1.0, completed=done, width=width // 4), one_line(first))))
    lines += [one_line(note) for note in notes if note]
    return Constrain(Group(*lines), width - ECHO)


def grid(*rows: tuple[RenderableType, RenderableType]) -> Table:
    """Two columns, of which the second gives way where there is no room."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, min_width=12)
    table.add_column()  # each text in it is one line that may be cut off
    for row in rows:
        table.add_row(*row)
    return table


def one_line(text: str) -> Text:
    return Text(" ".join(printable(text).split()), no_wrap=True, overflow="ellipsis")


class Above(io.TextIOBase):
    """A stream whose lines are printed above the display, as they are: neither wrapped nor colored."""

    def __init__(self, console: Console, stream: TextIO) -> None:
        self.console = console
        self.stream = stream
        self.rest = ""

    def write(self, text: str) -> int:
        lines, newline, self.rest = (self.rest + text).rpartition("\n")
        if newline:
            self.console.print(Text("".join(c if c in "\n\t" else printable(c) for c in lines)), soft_wrap=True)
        return len(text)

    def finish(self) -> None:
        """Print what was begun and not ended with its line."""
        if self.rest:
            self.write("\n")

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()

    def flush(self) -> None:
        """Each line is flushed as it is printed."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self.stream.errors
