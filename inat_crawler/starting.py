"""Whether a crawl can start: the settings that must be right before anything is asked."""

from __future__ import annotations

from pathlib import Path

from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings

from inat_crawler.api.query import FetchOptions, Query
from inat_crawler.errors import SettingError
from inat_crawler.mirror import (
    check_api_root,
    check_token,
    days_between_audits,
    output_folder,
    own_settings,
    progress_seconds,
)
from inat_crawler.publishing import available


def check_start(settings: BaseSettings, query: Query, options: FetchOptions) -> Path:
    """Whether a crawl could start with these settings, as far as it shows before anything is asked; its output.

    Raises SettingError, ArgumentError and FormatError.
    """
    check_api_root(settings["INAT_API_ROOT"])
    token_of(settings, options)
    days_between_audits(settings["INAT_AUDIT_EVERY_DAYS"])
    progress_seconds(settings["INAT_PROGRESS_SECONDS"])
    available(options.publish)
    output = output_folder(query, options, settings["INAT_OUTPUT_ROOT"])
    for name, value in own_settings(output, options).items():
        if settings.getpriority(name) is not None:
            raise SettingError(name, "follows from the spider arguments, -s may not set it", value)
    return output


def token_of(settings: BaseSettings, options: FetchOptions) -> str:
    """The token to send, none unless private coordinates are wanted. Raises SettingError."""
    check_token_setting(settings)
    return check_token(settings["INAT_API_TOKEN"] or "", settings["INAT_API_ROOT"]) if options.private else ""


def check_token_setting(settings: BaseSettings) -> None:
    """Raise SettingError unless the token is from the environment, or none is set."""
    if (settings.getpriority("INAT_API_TOKEN") or 0) > SETTINGS_PRIORITIES["project"]:
        rule = "read from the environment only: a command line, or a schedule, would show it to others"
        raise SettingError("INAT_API_TOKEN", rule)
