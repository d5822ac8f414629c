"""The page as text: templates with autoescaping, data as JSON that cannot end its block, and the security policy.

The policy names the page's own scripts and styles by their hashes. Nothing else runs, whatever a text says.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES = "outputs/templates"
STYLES = ("vendor/leaflet.css", "report/report.css")
_PARTS = ("elements", "data", "filters", "ground", "map", "charts", "tables", "gallery", "report")
SCRIPTS = ("vendor/leaflet.js", "vendor/chart.umd.min.js", *(f"report/{part}.js" for part in _PARTS))
NOTICES = ("vendor/leaflet.LICENSE.txt", "vendor/chart.LICENSE.txt")
# Inside of a script block only these could end it, or end a line of JavaScript; as escapes they stay JSON.
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def render(**values: Any) -> Iterator[str]:
    """The page piece by piece; values that are iterators are read as they are needed."""
    environment = Environment(
        loader=PackageLoader("inat_crawler", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(moment=moment, embedded=embedded, count="{:,}".format)
    styles, scripts = [own(name) for name in STYLES], [own(name) for name in SCRIPTS]
    notices = [str(own(name)) for name in NOTICES]
    shared = {"styles": styles, "scripts": scripts, "policy": policy(styles, scripts), "notices": notices}
    return environment.get_template("report/report.html.j2").generate(**shared, **values)


@cache
def own(name: str) -> Markup:
    """A file of ours or of a library, to stand in the page as it is; its lines end as a browser reads them."""
    return Markup(files("inat_crawler").joinpath(_TEMPLATES, name).read_text(encoding="utf-8"))  # noqa: S704


def policy(styles: Iterable[str], scripts: Iterable[str]) -> str:
    """The content security policy: own scripts and styles, images from the disk and from the page; no address.

    >>> policy(["a{}"], [])
    "default-src 'none'; script-src 'none'; style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; \
img-src 'self' data: file:; base-uri 'none'; form-action 'none'"
    """
    return (
        f"default-src 'none'; script-src {_hashes(scripts)}; style-src {_hashes(styles)}; "
        "img-src 'self' data: file:; base-uri 'none'; form-action 'none'"
    )


def _hashes(blocks: Iterable[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() for block in blocks)
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"


def embedded(value: Any) -> Markup:
    """A value as JSON that may stand in a script block.

    >>> print(embedded(["</script>", "a&b", 1]))
    ["\\u003c/script\\u003e","a\\u0026b",1]
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPES))  # noqa: S704


def moment(text: str | None) -> str:
    """A moment as it is read by people.

    >>> moment("2026-05-01T10:00:07+00:00"), moment(None), moment("soon")
    ('2026-05-01 10:00 UTC', 'unknown', 'soon')
    """
    try:
        return datetime.fromisoformat(text or "").astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError):
        return text or "unknown"
