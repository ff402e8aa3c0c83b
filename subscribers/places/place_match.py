"""The result of reading a text that names a place."""

from dataclasses import dataclass

from subscribers.places.towns import Town


@dataclass(frozen=True)
class PlaceMatch:
    """The meaning of a text. If ``place`` is None, nothing or too much matches, and ``reason`` tells people which.

    ``country`` and ``region`` are what is certain even without a town; ``is_area`` means that the text names only them.
    ``candidates`` come best first. ``point`` is the centre of the postcode's district, if a table has it.
    """

    place: Town | None = None
    ambiguous: bool = False
    candidates: tuple[Town, ...] = ()
    reason: str = ""
    country: str = ""
    region: str = ""
    is_area: bool = False
    point: tuple[float, float] | None = None
