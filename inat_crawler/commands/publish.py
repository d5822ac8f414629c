"""`scrapy publish DIR --format NAME[,NAME...]`: what is handed on, made from the store without a single request.

0: all that was asked for is there; 1: there is no mirror, or a format is unknown or cannot be made here; 3: it
could not be written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scrapy.commands import ScrapyCommand, ScrapyHelpFormatter
from scrapy.exceptions import UsageError
from scrapy.settings import SETTINGS_PRIORITIES

from inat_crawler.api.checks import formats
from inat_crawler.api.formats import ALL, FORMATS, chosen_formats
from inat_crawler.api.photos import SIZES
from inat_crawler.errors import CrawlError, FormatError
from inat_crawler.held import HeldMirror
from inat_crawler.publishing import Made, Publisher, available


class Help(ScrapyHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the list of formats."""


class Command(ScrapyCommand):
    """Make formats of a mirror."""

    requires_project = True

    def syntax(self) -> str:
        return "[options] <folder of a mirror>"

    def short_desc(self) -> str:
        return "Make what is handed on of a mirror: archives, tables, maps, a page"

    def long_desc(self) -> str:
        lines = [f"  {each.name:<12} {each.doc}" for each in FORMATS.values()]
        return "\n".join(["Makes formats of a mirror from its store, without a request:", *lines])

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.formatter_class = Help
        names = f"{', '.join(FORMATS)}, or {ALL}"
        parser.add_argument("--format", default="", metavar="NAME[,NAME...]", help=names)
        parser.add_argument("--image-size", choices=list(SIZES), help="of the imagefolder (default: medium)")
        parser.add_argument("--seed", type=int, help="of the imagefolder's splits (default: 0)")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        super().process_options(args, opts)
        if self.settings and self.settings.getpriority("LOG_LEVEL") != SETTINGS_PRIORITIES["cmdline"]:
            self.settings.set("LOG_LEVEL", "WARNING", priority="cmdline")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        self.exitcode = 0
        try:
            output, names = self.checked(args, opts.format)
            options = {"imagefolder": image_options(opts)}
            self.publish(output, names, {name: each for name, each in options.items() if each})
        except (CrawlError, UsageError) as error:
            print(f"error: {error}", file=sys.stderr)
            self.exitcode = 1
        except OSError as error:
            print(f"error: cannot be written: {error}", file=sys.stderr)
            self.exitcode = 3

    def checked(self, args: Sequence[str], wanted: str) -> tuple[Path, list[str]]:
        """The folder, and the formats that can be made; those of `all` that cannot are named."""
        if len(args) != 1:
            raise UsageError(f"name one folder: {' '.join(args)!r}")
        if not wanted:
            raise UsageError(f"name formats: --format {','.join(FORMATS)}, or --format {ALL}")
        try:
            names, missing = available(chosen_formats(formats(wanted)))
        except ValueError as error:
            raise FormatError(f"option --format: {error}: {wanted!r}") from None
        for what in missing.values():
            print(f"left out: {what}", file=sys.stderr)
        return Path(args[0]).expanduser().absolute(), names

    def publish(self, output: Path, names: Sequence[str], options: Mapping[str, Mapping[str, Any]]) -> None:
        with HeldMirror(output, self.settings["INAT_STORE_URL"] if self.settings else "") as mirror:
            publisher = Publisher(mirror.store, output)
            for name in names:
                try:
                    print(line(publisher.publish(name, options.get(name)), output), flush=True)
                except FormatError as error:  # a library that is there and broken: the others can be made
                    print(f"error: {error}", file=sys.stderr)
                    self.exitcode = 3


def image_options(opts: argparse.Namespace) -> dict[str, Any]:
    """The options of the image folder that were given."""
    given = {"size": opts.image_size, "seed": opts.seed}
    return {name: value for name, value in given.items() if value is not None}


def line(made: Made, output: Path) -> str:
    """What became of a format, in one line."""
    paths = ", ".join(str(path.relative_to(output)) for path in made.paths)
    what = {"imagefolder": "photos", "attribution": "photo files"}.get(made.format, "observations")
    return f"{made.format}: {paths} ({'unchanged' if made.rows is None else f'{made.rows:,} {what}'})"
