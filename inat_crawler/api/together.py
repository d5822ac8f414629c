"""What search arguments must be besides right each by itself: whole filters, and bounds the right way round."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from inat_crawler.api.checks import RANKS
from inat_crawler.errors import ArgumentError

BOX = ("nelat", "nelng", "swlat", "swlng")
VALUE_OF = ("term_id", "term_id_or_unknown")
NEEDS: tuple[tuple[str, tuple[str, ...]], ...] = (  # name, one of which must be there: else the API drops it
    *((corner, (other,)) for corner in BOX for other in BOX if other != corner),
    *(
        ("lat", ("lng",)),
        ("lng", ("lat",)),
        ("radius", ("lat",)),
        ("lat", ("radius",)),
        ("search_on", ("q",)),
    ),
    *(("reviewed", ("viewer_id",)), ("viewer_id", ("reviewed",))),
    *(("term_value_id", VALUE_OF), ("without_term_value_id", VALUE_OF)),
    ("term_id_or_unknown", ("term_value_id", "without_term_value_id")),
)


def same_or_earlier(start: str, end: str) -> bool:
    """Whether a period makes sense. A bare day means all of it.

    >>> same_or_earlier("2024-05-01T06:00:00Z", "2024-05-01")
    True
    """
    precision = min(len(start), len(end))
    return start[:precision] <= end[:precision]


IN_ORDER: tuple[tuple[str, str, Callable[[str, str], bool], str], ...] = (
    ("d1", "d2", same_or_earlier, "later than"),
    ("created_d1", "created_d2", same_or_earlier, "later than"),
    ("swlat", "nelat", lambda south, north: Decimal(south) <= Decimal(north), "north of"),
    ("lrank", "hrank", lambda low, high: RANKS[low] <= RANKS[high], "above"),
    ("acc_above", "acc_below", lambda low, high: int(low) < int(high), "not less than"),
    ("id_above", "id_below", lambda low, high: int(low) < int(high), "not less than"),
)


def check_together(params: Mapping[str, str]) -> None:
    """Refuse what makes no sense together: half a filter, or bounds the wrong way round."""
    for name, others in NEEDS:
        if name in params and not any(other in params for other in others):
            needed = " or ".join(f"`{other}`" for other in others)
            raise ArgumentError(name, f"needs {needed} as well", params[name])
    for low, high, fits, fault in IN_ORDER:
        if low in params and high in params and not fits(params[low], params[high]):
            raise ArgumentError(low, f"{fault} `{high}` ({params[high]})", params[low])
