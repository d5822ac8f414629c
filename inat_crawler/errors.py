"""The failure map: what can stop a crawl, who raises it, and what stops.

Every error here is expected trouble: its text is one line a user can act on, and no traceback is shown for
it. Anything else that is raised is a defect of the program and keeps its traceback.
"""


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
        self.name = name
        shown = "" if value is None else f": {value!r}"
        super().__init__(f"spider argument `{name}`: {rule}{shown}")
