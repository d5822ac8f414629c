"""`scrapy places NAME`: which places iNaturalist has for a name, with their ids; `--json` for machines.

0: some were found; 1: none, or no name was said; 3: the API could not be asked.
"""

from __future__ import annotations

import argparse

from scrapy.commands import ScrapyCommand
from scrapy.settings import SETTINGS_PRIORITIES

from inat_crawler.api.names import KINDS
from inat_crawler.lookup import show


class Command(ScrapyCommand):
    """List the places of a name."""

    requires_project = True
    kind, kinds = KINDS["place"], "places"

    def syntax(self) -> str:
        return "[--json] <name or id>"

    def short_desc(self) -> str:
        return f"List the {self.kinds} that iNaturalist has for a name"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        super().process_options(args, opts)
        if self.settings and self.settings.getpriority("LOG_LEVEL") != SETTINGS_PRIORITIES["cmdline"]:
            self.settings.set("LOG_LEVEL", "WARNING", priority="cmdline")  # its lines are the answer

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        self.exitcode = show(self.crawler_process, self.kind, " ".join(args).strip(), opts.json)
