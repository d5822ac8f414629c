"""Asking the API which place, taxon, user or project a name means. `api.names` reads the answers.

A crawl asks with `choices` before it begins, and `scrapy places` and `scrapy taxa` with `show`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from scrapy.crawler import AsyncCrawlerProcess, CrawlerProcessBase

from inat_crawler.api.names import (
    KINDS,
    LISTED,
    Candidate,
    Found,
    Kind,
    as_json,
    choose,
    exact,
    is_id,
    names_in,
    read_found,
    table,
    with_ids,
)
from inat_crawler.api.texts import printable
from inat_crawler.asking import Asked
from inat_crawler.client import ApiClient, is_ending
from inat_crawler.errors import ArgumentError, CrawlError, EndingError, PageError, RefusedError, SpentError
from inat_crawler.starting import check_token_setting

__all__ = ["choices", "exit_status", "find", "names_in", "resolve", "show"]

SLUG = re.compile(r"[\w.-]+")
TOO_MANY = 429
UNKNOWN = (404, 422)  # how the API says of an id, a slug or a login that there is none


async def resolve(client: ApiClient, arguments: Mapping[str, str]) -> dict[str, str]:
    """The arguments with names replaced by ids.

    Raises ArgumentError for a name that fits none or several, PageError and EndingError as the client does.
    """
    chosen = await choices(client, arguments)
    return with_ids(arguments, {name: candidate.id for name, candidate in chosen.items()})


async def choices(client: ApiClient, arguments: Mapping[str, str]) -> dict[str, Candidate]:
    """What each name in the arguments means; raises as `resolve` does."""
    chosen = {
        argument: choose(KINDS[argument], name, await find(client, KINDS[argument], name))
        for argument, name in names_in(arguments).items()
    }
    if is_ending(client.crawler):  # told so after the last answer was asked for: nothing may follow
        raise EndingError("the crawl was ended before it began")
    return chosen


async def find(client: ApiClient, kind: Kind, name: str) -> Found:
    """The candidates for a name, an id, a slug or a login."""
    if is_id(name):
        return await by_key(client, kind, name)
    params = {"q": name, "per_page": str(LISTED)}
    found = await client.get(f"{kind.path}/autocomplete", params, partial(read_found, kind))
    if kind.has_slugs and SLUG.fullmatch(name) and not exact(found, name):
        # The autocomplete lists only the first, and searches some kinds by their titles alone.
        try:
            own = await by_key(client, kind, name)
        except PageError:  # it may be unable to say, or the name is a bad key
            if not found.candidates:
                raise
            return found
        return own if own.candidates else found
    return found


async def by_key(client: ApiClient, kind: Kind, key: str) -> Found:
    """The one with this id, slug or login; none if there is none."""
    try:
        return await client.get(f"{kind.path}/{quote(key)}", {}, partial(read_found, kind))
    except RefusedError as error:
        if error.status in UNKNOWN:
            return Found((), 0)
        raise


def exit_status(error: Exception) -> int:
    """The exit status for an error while names were asked for: 1 where asking again helps nothing, else 3.

    >>> exit_status(RefusedError("no", 422)), exit_status(PageError("cannot reach the API"))
    (1, 3)
    """
    if isinstance(error, RefusedError):
        return 1 if 400 <= error.status < 500 and error.status != TOO_MANY else 3
    return 3 if isinstance(error, (PageError, EndingError, SpentError)) else 1


def told(error: Exception) -> str:
    """An error as text; what the API says may hold anything, only a list of names has lines of its own."""
    return str(error) if isinstance(error, ArgumentError) else printable(str(error))


def show(process: CrawlerProcessBase | None, kind: Kind, name: str, for_machines: bool) -> int:
    """Ask for a name, print the candidates, return the exit status: 0 some, 1 none or no name, 3 not answered."""
    assert isinstance(process, AsyncCrawlerProcess)
    try:
        if not name:
            raise ArgumentError(kind.argument, "say a name, or an id")
        check_token_setting(process.settings)
    except CrawlError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    asked = Asked(process, partial(find, kind=kind, name=name))
    process.start()
    try:
        found: Found = asked.result()
    except CrawlError as error:
        print(f"error: {told(error)}", file=sys.stderr)
        return exit_status(error)
    if for_machines:
        print(json.dumps(as_json(found)))
    elif found.candidates:
        print("\n".join(table(kind, found)))
    else:
        print(f"error: iNaturalist knows no {kind.argument} of this name: {name!r}", file=sys.stderr)
    return 0 if found.candidates else 1
