"""Text that others wrote, as it can be shown."""

from unicodedata import category


def printable(text: str) -> str:
    r"""Text of others as it can be shown on a terminal: what is not printable is escaped.

    >>> print(printable("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    return "".join(c if c.isprintable() or category(c) == "Zs" else ascii(c)[1:-1] for c in text)
