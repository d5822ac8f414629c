"""Where a mirror lies, and the settings of its crawl that follow from the spider arguments."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import filelock

from inat_crawler.api.query import FetchOptions, Query
from inat_crawler.errors import ArgumentError, LockedError, SettingError, StoreError
from inat_crawler.items import TABLE_COLUMNS

FEED_FIELDS = {**TABLE_COLUMNS, "change": "change"}
TOKEN_PAGE = "https://www.inaturalist.org/users/api_token"  # noqa: S105 - where to get one


def check_api_root(root: str) -> None:
    """Raise SettingError unless this is an address on the web.

    >>> check_api_root("http://127.0.0.1:8000/v1")
    """
    try:
        parts = urlsplit(root)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return
    except ValueError:
        pass
    raise SettingError("INAT_API_ROOT", "not an address that begins with https:// or http://", root)


def check_token(token: str, api_root: str) -> str:
    """The token to send, less spaces around it. Raises SettingError, which never shows it.

    >>> check_token("eyJhbGciOiJIUzUxMiJ9.e30.x-_ ", "https://api.inaturalist.org/v1")
    'eyJhbGciOiJIUzUxMiJ9.e30.x-_'
    """
    if not token.strip():
        raise SettingError(
            "INAT_API_TOKEN", f"`private=true` needs it in the environment; log in and see {TOKEN_PAGE}"
        )
    if not re.fullmatch("[A-Za-z0-9._~+/=-]+", token.strip()):
        rule = f"not a token (not shown here): of what {TOKEN_PAGE} says, only the text in quotes after api_token"
        raise SettingError("INAT_API_TOKEN", rule)
    parts = urlsplit(api_root)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise SettingError(
            "INAT_API_ROOT", "a token is sent by https:// only, anybody could read it here", api_root
        )
    return token.strip()


def is_loopback(host: str) -> bool:
    """Is this the machine itself?

    >>> [is_loopback(host) for host in ("127.0.0.9", "::1", "localhost", "127.0.0.1.example.org")]
    [True, True, True, False]
    """
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def number_setting(name: str, value: object, unit: str, most: float) -> float:
    """A setting that is a number of something from 0 to `most`. Raises SettingError.

    >>> number_setting("INAT_BACKOFF_SECONDS", "0.5", "seconds", 3600)
    0.5
    """
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise SettingError(name, f"not a number of {unit} from 0 to {most:.0f}", value)
    return number


def days_between_audits(setting: object) -> float:
    """The setting INAT_AUDIT_EVERY_DAYS. Raises SettingError."""
    return number_setting("INAT_AUDIT_EVERY_DAYS", setting, "days", 36_500)


def progress_seconds(setting: object) -> float:
    """The setting INAT_PROGRESS_SECONDS. Raises SettingError."""
    return number_setting("INAT_PROGRESS_SECONDS", setting, "seconds", 86_400)


def output_folder(query: Query, options: FetchOptions, root: str) -> Path:
    """Where this crawl writes."""
    try:
        return Path(options.output or Path(root) / query.slug).expanduser().absolute()
    except RuntimeError as error:  # an unknown user's ~
        raise ArgumentError("output", str(error), options.output) from None


def lock_output(output: Path) -> filelock.BaseFileLock:
    """Hold the output for this process alone; the system lets go of it however the process ends.

    Raises LockedError when another crawl holds it, StoreError when it cannot be written.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        for folder in (output / name for name in ("images", "gone", "withdrawn", "feed", "exports")):
            if folder.is_symlink() or folder.exists():
                folder.mkdir(exist_ok=True)  # raises if something else has the name
        lock = filelock.FileLock(output / ".lock")
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise LockedError(f"another crawl is running on this output: {output}") from None
    except OSError as error:
        raise StoreError(f"the output cannot be written: {output}: {error.strerror}") from None
    return lock


def own_settings(output: Path, options: FetchOptions) -> dict[str, Any]:
    """What the other components need to know of the arguments."""
    return {
        "INAT_OUTPUT": str(output),
        "INAT_WANTS": options.wants,
        "INAT_PUBLISH": options.publish,
        "INAT_LIMIT": options.limit or 0,
        "INAT_REPAIR": options.repair,
        "INAT_KEEP_GONE": options.keep_gone,
        "INAT_WAIT": options.wait,
    }


def scrapy_settings(output: Path, options: FetchOptions) -> dict[str, Any]:
    """Scrapy's own settings for this crawl; -s, -o and -O have the last word."""
    start = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    feed = {
        "format": "tsv",
        "fields": FEED_FIELDS,
        "item_filter": "inat_crawler.exporters.NewOrChanged",
        "store_empty": False,
    }
    return {
        "IMAGES_STORE": str(output / "images"),
        "FEEDS": {(output / "feed" / f"{start}.tsv").as_uri(): feed},
        # Scrapy takes twice as many more from the spider: the next page is asked for when one page is under way.
        "CONCURRENT_ITEMS": max(1, min(100, options.per_page // 2)),
    }
