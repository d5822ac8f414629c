"""Licenses of observations and photos: what a code means, where its text is, and which are let through?

Source of the codes: the `license` parameters of `/v1/observations`. No code, or an empty one, means that the owner
reserves all rights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ALL_RIGHTS_RESERVED = "all rights reserved"
ANY, OPEN = "any", "open"


@dataclass(frozen=True)
class License:
    """A license: its usual name and the address of its text."""

    name: str
    url: str


def _creative_commons(terms: str) -> License:
    return License(f"CC {terms.upper()} 4.0", f"https://creativecommons.org/licenses/{terms}/4.0/")


LICENSES: Mapping[str, License] = {
    "cc0": License("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    **{
        f"cc-{terms}": _creative_commons(terms)
        for terms in ("by", "by-nc", "by-nd", "by-sa", "by-nc-nd", "by-nc-sa")
    },
    "pd": License("Public Domain", "https://creativecommons.org/publicdomain/mark/1.0/"),
}


def license_name(code: str | None) -> str:
    """What a license is called; a code that is not known is shown as it is.

    >>> license_name("cc-by-nc"), license_name(None), license_name(""), license_name("gfdl")
    ('CC BY-NC 4.0', 'all rights reserved', 'all rights reserved', 'gfdl')
    """
    if not code:
        return ALL_RIGHTS_RESERVED
    known = LICENSES.get(code.lower())
    return known.name if known else code


def license_url(code: str | None) -> str:
    """Address of the license's text; empty when all rights are reserved, or for a code that is not known.

    >>> license_url("CC-BY"), license_url(None)
    ('https://creativecommons.org/licenses/by/4.0/', '')
    """
    known = LICENSES.get((code or "").lower())
    return known.url if known else ""


def allowed_codes(wanted: str) -> tuple[str, ...] | None:
    """The codes that `image_licenses` lets through; None for all, those without a code too.

    >>> allowed_codes("any"), allowed_codes("cc0,cc-by")
    (None, ('cc0', 'cc-by'))
    """
    if wanted == ANY:
        return None
    return tuple(LICENSES) if wanted == OPEN else tuple(wanted.split(","))


def credit(attribution: str | None, code: str | None, name: str | None) -> str:
    """The credit line of a photo: the sentence that iNaturalist gives, or one like it.

    >>> credit(None, "cc-by", "Ana"), credit(" ", None, None)
    ('(c) Ana, some rights reserved (CC BY)', '(c) unknown, all rights reserved')
    """
    if attribution and attribution.strip():
        return attribution
    if (code or "").lower() in ("cc0", "pd"):
        return f"{name or 'unknown'}, no rights reserved ({license_name(code)})"
    if not code:
        return f"(c) {name or 'unknown'}, {ALL_RIGHTS_RESERVED}"
    return f"(c) {name or 'unknown'}, some rights reserved ({code.upper().replace('CC-', 'CC ')})"
