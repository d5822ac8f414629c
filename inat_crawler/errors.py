"""The failure map: what can stop a crawl, who raises it, and what stops.

Every error here is expected trouble: its text is one line a user can act on, and no traceback is shown for
it. Anything else that is raised is a defect of the program and keeps its traceback.
"""

from datetime import datetime


class CrawlError(Exception):
    """Base of all expected trouble. The text is for the user: name, rule, value."""


class ArgumentError(CrawlError):
    """A spider argument that breaks its rule. Raised by ``api.query``; nothing has been requested.

    >>> str(ArgumentError("d1", "not a date (YYYY-MM-DD)", "2024-13-01"))
    "spider argument `d1`: not a date (YYYY-MM-DD): '2024-13-01'"
    >>> str(ArgumentError("page", "the crawler pages by id itself"))
    'spider argument `page`: the crawler pages by id itself'
    """

    def __init__(self, name: str, rule: str, value: object = None) -> None:
        self.name, self.rule, self.value = name, rule, value
        shown = "" if value is None else f": {value!r}"
        super().__init__(f"spider argument `{name}`: {rule}{shown}")


class AmbiguousError(ArgumentError):
    """A name that fits several. Raised by ``api.names``; nothing is crawled. A line for each follows the first."""

    def __init__(self, name: str, rule: str, value: object, table: str) -> None:
        super().__init__(name, rule, value)
        self.table = table

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self.table}"


class SettingError(CrawlError):
    """A setting that breaks its rule. Raised where it is read, before anything is requested.

    >>> str(SettingError("INAT_API_REQUESTS_PER_MINUTE", "not a number", "many"))
    "setting INAT_API_REQUESTS_PER_MINUTE: not a number: 'many'"
    """

    def __init__(self, name: str, rule: str, value: object = None) -> None:
        shown = "" if value is None else f": {value!r}"
        super().__init__(f"setting {name}: {rule}{shown}")


class PageError(CrawlError):
    """A page that is not what the API promises, or that does not come.

    Raised by ``api.paging`` and, when it was asked for often enough, by ``client``: then it stops the crawl.
    """


class RefusedError(PageError):
    """A request that the API refuses, however often it is asked. Raised by ``client``; it stops the crawl."""

    def __init__(self, message: str, status: int) -> None:
        self.status = status
        super().__init__(message)


class EndingError(CrawlError):
    """The crawl was told to end. Raised where something would wait or be asked; what is under way is finished."""


class BudgetError(CrawlError):
    """The ledger of the budget cannot be used. Raised by ``budget``: without it no host with limits is asked."""


class BusyError(BudgetError):
    """The ledger is held by another process just now. Whoever waits for a turn tries again."""


class SpentError(CrawlError):
    """A day's budget is spent, or a host asks to come back later. Raised by ``turns``; it stops the crawl.

    `come_back_at` is when it may go on (ISO 8601, to the minute); `paused`: it is the host that wants it so.
    """

    def __init__(self, message: str, come_back_at: str, paused: bool = False) -> None:
        self.come_back_at = come_back_at
        self.paused = paused
        moment = datetime.fromisoformat(come_back_at).strftime("%Y-%m-%d %H:%M %Z")
        super().__init__(f"{message}: come back after {moment} with the same command; -a wait=true waits for that")


class PostponedError(CrawlError):
    """A photo that must wait longer than records should wait for it. Raised by ``turns``; its turn comes later."""


class RecordError(CrawlError):
    """A record that cannot be read. Raised by ``api.records``; counted and listed, the others go on."""

    def __init__(self, observation_id: int | None, reason: str) -> None:
        self.observation_id = observation_id
        self.reason = reason
        super().__init__(f"observation {observation_id}: {reason}")


class PhotoError(CrawlError):
    """A photo that cannot be had. Raised by ``pipelines``; its text is the reason kept in the store.

    `again`: it may be had when it is asked for again.
    """

    def __init__(self, reason: str, again: bool = True) -> None:
        self.again = again
        super().__init__(reason)


class UnwantedError(CrawlError):
    """A photo whose license turns out not to be among those wanted. Raised by ``pipelines``."""


class FormatError(CrawlError):
    """A format that cannot be made here. Raised by ``publishing``; what was made before stays."""


class StoreError(CrawlError):
    """A store that cannot serve this crawl: another query's, or a newer version's. Raised by ``store``."""


class LockedError(CrawlError):
    """An output that another crawl holds. Raised by ``extensions``; nothing has been requested."""
