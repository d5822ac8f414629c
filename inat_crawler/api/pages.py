"""Addresses of the pages of iNaturalist's site, made from ids alone."""

from __future__ import annotations

SITE = "https://www.inaturalist.org"


def observation_page(observation_id: int) -> str:
    """Address of an observation's page.

    >>> observation_page(7)
    'https://www.inaturalist.org/observations/7'
    """
    return f"{SITE}/observations/{observation_id}"


def photo_page(photo_id: int) -> str:
    """Address of a photo's page."""
    return f"{SITE}/photos/{photo_id}"


def user_page(user_id: int) -> str:
    """Address of a person's page."""
    return f"{SITE}/users/{user_id}"
