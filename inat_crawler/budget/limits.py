"""The limits of a service: what the settings allow, and what nobody may raise for iNaturalist's own hosts.

Whether a host is one of iNaturalist's is decided for each request: a record from elsewhere may show a photo of
iNaturalist's hosts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from w3lib.url import safe_url_string

from inat_crawler.errors import SettingError

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
SHORTEST_HOUR = 0.1  # seconds, for tests
# What iNaturalist asks for (its API's documentation, "recommended practices"): setting -> at most.
PUBLISHED: Mapping[str, int] = {
    "INAT_API_REQUESTS_PER_MINUTE": 60,
    "INAT_API_REQUESTS_PER_DAY": 10_000,
    "INAT_MEDIA_BYTES_PER_HOUR": 5_000_000_000,
    "INAT_MEDIA_BYTES_PER_DAY": 24_000_000_000,
}
UNITS = {"API": "requests", "MEDIA": "bytes"}
# Amazon's names for one bucket: below a name of its own, or as the first part of a path.
OPEN_DATA = re.compile(r"inaturalist-open-data\.s3[a-z0-9.-]*\.amazonaws\.com")


@dataclass(frozen=True)
class Limit:
    """At most `amount` requests or bytes in any `seconds` seconds."""

    amount: float
    seconds: float
    unit: str
    period: str

    def __str__(self) -> str:
        """As a user reads it.

        >>> str(Limit(55, 60.0, "requests", "minute")), str(Limit(4_750_000_000, 3600.0, "bytes", "hour"))
        ('55 requests a minute', '4.75 GB an hour')
        """
        article = "an" if self.period == "hour" else "a"
        return f"{shown(self.amount, self.unit)} {article} {self.period}"


def shown(amount: float, unit: str) -> str:
    """An amount of requests or bytes as a user reads it.

    >>> shown(9500, "requests"), shown(1, "bytes"), shown(51_300, "bytes"), shown(31_260_000_000, "bytes")
    ('9,500 requests', '1 B', '51.3 kB', '31.3 GB')
    """
    if unit != "bytes":
        return f"{amount:,.0f} {unit}"
    for power, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if amount >= power:
            return f"{amount / power:.3g} {name}"
    return f"{amount:.0f} B"


class Limits:
    """The limits that the settings give, and for whom."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        """Raises SettingError for what is no number, and for what the API's own host may not have."""
        self.api_root = as_sent(str(settings["INAT_API_ROOT"]))
        given = {name: read_limit(name, settings[name], self.api_root) for name in PUBLISHED}
        hour = hour_seconds(settings["INAT_BUDGET_HOUR_SECONDS"], self.api_root)
        self.requests = in_force(given, "API", hour)
        self.media = in_force(given, "MEDIA", hour)
        capped = {n: min(value or PUBLISHED[n], PUBLISHED[n]) for n, value in given.items()}
        self.inaturalist_media = in_force(capped, "MEDIA", HOUR)
        self.exempt = exempt_hosts(settings["INAT_MEDIA_EXEMPT_HOSTS"])
        # What is used counts in these periods, whether or not this process has a limit for them: others may.
        self.request_periods = (MINUTE, 24 * hour)
        self.media_periods = tuple({hour, 24 * hour, HOUR, DAY})

    @property
    def interval(self) -> float:
        """Seconds from one request to the API to the next; 0: as fast as it answers."""
        return next((limit.seconds / limit.amount for limit in self.requests if limit.period == "minute"), 0.0)

    @property
    def requests_key(self) -> str:
        """Under which key requests to the API count."""
        return f"requests {service(self.api_root)}"

    def media_of(self, url: str) -> tuple[str, tuple[Limit, ...]]:
        """Under which key the bytes of this photo count, and its limits; none for a host without any.

        All media hosts of one service share one key.
        """
        own = is_inaturalist(url)
        key = f"media {service(url if own else self.api_root)}"
        if self.exempt & {host_and_port(url), host_and_port(url).rpartition(":")[0]}:
            return key, ()
        return key, self.inaturalist_media if own else self.media


def in_force(given: Mapping[str, float], kind: str, hour: float) -> tuple[Limit, ...]:
    """The limits of a kind (API or MEDIA) that are not 0, the shorter period first."""
    seconds = {"minute": MINUTE, "hour": hour, "day": 24 * hour}
    found = []
    for name, amount in given.items():
        period = name.rpartition("_")[2].lower()
        if name.startswith(f"INAT_{kind}_") and amount:
            found.append(Limit(amount, seconds[period], UNITS[kind], period))
    return tuple(found)


def read_limit(name: str, value: object, api_root: str) -> float:
    """A limit; 0 means none, which only a host not iNaturalist's own may have.

    Raises SettingError for what is no number, and for more than iNaturalist asks for.

    >>> read_limit("INAT_API_REQUESTS_PER_DAY", "1000", "http://127.0.0.1:8000/v1")
    1000.0
    """
    try:
        limit = float(str(value))
    except ValueError:
        raise SettingError(name, "not a number", value) from None
    if not 0 <= limit < float("inf"):
        raise SettingError(name, "not a number from 0 up", value)
    if not 0 < limit <= PUBLISHED[name] and is_inaturalist(api_root):
        raise SettingError(name, f"iNaturalist asks for {PUBLISHED[name]} or fewer, and more than 0", value)
    return limit


def hour_seconds(value: object, api_root: str) -> float:
    """How long an "hour" lasts; a "day" is 24 of them. Raises SettingError.

    >>> hour_seconds("10", "http://127.0.0.1:8000/v1")
    10.0
    """
    name = "INAT_BUDGET_HOUR_SECONDS"
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = 0.0
    if not SHORTEST_HOUR <= seconds <= HOUR:
        raise SettingError(name, f"not a number of seconds from {SHORTEST_HOUR} to {HOUR:.0f}", value)
    if seconds != HOUR and is_inaturalist(api_root):
        raise SettingError(name, f"an hour of iNaturalist's lasts {HOUR:.0f} seconds", value)
    return seconds


def exempt_hosts(value: object) -> frozenset[str]:
    """Hosts (with or without a port) whose photos do not count. Raises SettingError.

    >>> sorted(exempt_hosts("inaturalist-open-data.s3.amazonaws.com, photos.example:8080"))
    ['inaturalist-open-data.s3.amazonaws.com', 'photos.example:8080']
    """
    name = "INAT_MEDIA_EXEMPT_HOSTS"
    parts = value if isinstance(value, list | tuple) else str(value or "").split(",")
    hosts = frozenset(str(part).strip().lower() for part in parts if str(part).strip())
    for host in hosts:
        if not is_host(host):
            raise SettingError(name, "not a host", host)
        if is_inaturalist(f"https://{host}") and not OPEN_DATA.fullmatch(host.partition(":")[0]):
            raise SettingError(name, "of iNaturalist's hosts only the open-data bucket may be exempt", host)
    return hosts


def is_host(text: str) -> bool:
    """Is this the name or the number of a host, perhaps with a port?

    >>> [is_host(text) for text in ("photos.example:8080", "[::1]:80", "[1.2]", "photos.example/")]
    [True, True, False, False]
    """
    try:
        urlsplit(f"https://{text}")
    except ValueError:
        return False
    return bool(re.fullmatch(r"[a-z0-9._-]+(:[0-9]+)?|\[[0-9a-f:.]+\](:[0-9]+)?", text))


def as_sent(url: str) -> str:
    """An address as Scrapy sends it: there are many ways to write one.

    >>> as_sent(" HTTPS://API.iNaturalist.org/v1"), as_sent("http://static\uff0einaturalist.org/photos/1")
    ('https://api.inaturalist.org/v1', 'http://static.inaturalist.org/photos/1')
    """
    sent = safe_url_string(url)
    parts = urlsplit(sent)
    host = unquote(parts.hostname or "")
    return sent if host == parts.hostname else sent.replace(parts.hostname or "", host, 1)


def host_and_port(url: str) -> str:
    """Host and port of an address, which is where a server sees requests.

    >>> host_and_port("https://API.inaturalist.org./v1"), host_and_port("http://127.0.0.1:8000/v1")
    ('api.inaturalist.org:443', '127.0.0.1:8000')
    """
    parts = urlsplit(as_sent(url))
    host = (parts.hostname or "").rstrip(".")
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{parts.port or (80 if parts.scheme == 'http' else 443)}"


def service(url: str) -> str:
    """Whose limits an address falls under: all hosts of iNaturalist's share theirs.

    >>> service("https://static.inaturalist.org/photos/1/square.jpg"), service("http://127.0.0.1:8000/v1")
    ('inaturalist.org', '127.0.0.1:8000')
    """
    return "inaturalist.org" if is_inaturalist(url) else host_and_port(url)


def is_inaturalist(url: str) -> bool:
    """Is this one of iNaturalist's own hosts?

    >>> [is_inaturalist(f"https://{host}/") for host in ("api.inaturalist.org", "127.0.0.1:8000")]
    [True, False]
    >>> is_inaturalist("https://inaturalist-open-data.s3.us-east-1.amazonaws.com/photos/1/square.jpg")
    True
    """
    parts = urlsplit(as_sent(url))
    host = (parts.hostname or "").rstrip(".")
    if OPEN_DATA.fullmatch(host):
        return True
    if re.fullmatch(r"s3[a-z0-9.-]*\.amazonaws\.com", host):
        return "inaturalist-open-data" in parts.path
    return host == "inaturalist.org" or host.endswith(".inaturalist.org")
