"""`scrapy forecast -a place_id=...`: what a crawl with these arguments will take. It writes nothing.

0: told; 1: a wrong argument, or a query that the API refuses; 3: the API cannot be asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import Any

from scrapy.commands import ScrapyCommand
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import SETTINGS_PRIORITIES

from inat_crawler.api.paging import page_params, read_page
from inat_crawler.api.query import FetchOptions, Query, check_arguments, parse_arguments
from inat_crawler.api.sample import SAMPLE_SIZE, Sample, all_have_photos, read_sample
from inat_crawler.asking import Asked
from inat_crawler.budget.ledger import used_up
from inat_crawler.budget.limits import Limits
from inat_crawler.client import ApiClient
from inat_crawler.commands import crawl
from inat_crawler.errors import ArgumentError, CrawlError
from inat_crawler.forecast import Counts, Forecast, is_audit_due, is_known, make_forecast, observations_left
from inat_crawler.forecast.texts import as_json, table
from inat_crawler.items import Window
from inat_crawler.lookup import exit_status, resolve, told
from inat_crawler.mirror import days_between_audits, output_folder
from inat_crawler.starting import check_start
from inat_crawler.store import sqlite_in
from inat_crawler.store.holdings import Holdings, look_into


class Command(crawl.Command):
    """Tell what a crawl will take."""

    def syntax(self) -> str:
        return "[--json] -a place_id=... (any argument of the crawl)"

    def short_desc(self) -> str:
        return "Tell what a crawl would take: requests, photos, bytes, days"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        ScrapyCommand.add_options(self, parser)  # without -o and -O: there are no items
        parser.set_defaults(output=None, overwrite_output=None)
        parser.add_argument("-a", dest="spargs", action="append", default=[], metavar="NAME=VALUE")
        parser.add_argument("--json", action="store_true", help="print JSON: docs/forecast.md")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        super().process_options(args, opts)
        if self.settings and self.settings.getpriority("LOG_LEVEL") != SETTINGS_PRIORITIES["cmdline"]:
            self.settings.set("LOG_LEVEL", "WARNING", priority="cmdline")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        assert isinstance(self.crawler_process, AsyncCrawlerProcess)
        try:
            query, output, forecast = self.forecast(self.crawler_process, args, opts.spargs)
        except (CrawlError, OSError) as error:
            print(f"error: {told(error)}", file=sys.stderr)
            self.exitcode = exit_status(error)
            return
        if opts.json:
            print(json.dumps(as_json(forecast, query, output), indent=2))
        else:
            print(table(forecast, query, output))

    def forecast(self, process: AsyncCrawlerProcess, args: list[str], arguments: dict[str, str]) -> Any:
        """The query and the output as text, and the forecast. Raises CrawlError."""
        if args:
            raise ArgumentError(args[0], "arguments are given as -a name=value")
        query, options = check_arguments(arguments)  # a slip is refused before anything is asked
        if options.repair:
            raise ArgumentError("repair", "asks for no observations; `scrapy verify DIR` says what it would fetch")
        check_start(process.settings, query, options)  # what a crawl would be refused for
        inquiry = Inquiry(process.settings, arguments)
        asked = Asked(process, inquiry.ask, wait=options.wait)
        process.start()
        return asked.result()


class Inquiry:
    """The few questions that a forecast needs."""

    def __init__(self, settings: Any, arguments: dict[str, str]) -> None:
        self.settings = settings
        self.arguments = arguments
        self.limits = Limits(settings)
        self.days = days_between_audits(settings["INAT_AUDIT_EVERY_DAYS"])

    async def ask(self, client: ApiClient) -> tuple[str, str, Forecast]:
        query, options = parse_arguments(await resolve(client, self.arguments))
        output = output_folder(query, options, self.settings["INAT_OUTPUT_ROOT"])
        url = self.settings["INAT_STORE_URL"] or sqlite_in(output)
        holdings = look_into(url, query.key, options.wants)
        counts = await ask_counts(client, query, options, holdings)
        due = is_audit_due(holdings, self.days, datetime.now(UTC))
        used = used_up(self.settings["INAT_BUDGET_URL"], self.limits)
        return str(query), str(output), make_forecast(query, options, self.limits, counts, holdings, due, used)


async def ask_counts(client: ApiClient, query: Query, options: FetchOptions, holdings: Holdings) -> Counts:
    """How many match; and, where that is not known, how many of them have photos, and a sample of them."""
    window = Window(0, query.id_above, query.id_below)
    matching, _ = await client.get("/observations", page_params(query.params, window, 0), read_page)
    left = observations_left(matching, options, holdings)
    says = all_have_photos(query.params)
    if options.images == "none" or not matching or says is False:
        return Counts(matching)
    with_photos, sample = None, Sample()
    if left and says is None and options.image_licenses is None:
        params = page_params({**query.params, "photos": "true"}, window, 0)
        with_photos, _ = await client.get("/observations", params, read_page)
    unknown = "original" in options.sizes and not is_known("original", holdings)
    if unknown or (left and (options.images == "all" or options.image_licenses is not None)):
        _, records = await client.get("/observations", sample_params(query, options, window), read_page)
        sample = read_sample(records, options.wants)
    return Counts(matching, with_photos, sample)


def sample_params(query: Query, options: FetchOptions, window: Window) -> dict[str, str]:
    """Parameters of a sample: any observations, or with a limit the newest, as the crawl takes them."""
    params = page_params(query.params, window, min(SAMPLE_SIZE, options.limit or SAMPLE_SIZE))
    return params if options.limit is not None else params | {"order_by": "random"}
