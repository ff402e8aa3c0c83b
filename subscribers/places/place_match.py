"""What a text that names a place means: the town, or what is certain without one, in words for a person."""

from dataclasses import dataclass

from subscribers.places.towns import Town


@dataclass(frozen=True)
class PlaceMatch:
    """What a text means. ``place`` is None when nothing or too much fits; then ``reason`` says which, for a person.

    ``country`` and ``region`` hold what is certain even without a town; ``is_area`` when the text names them and no
    more. ``candidates`` come best first. ``point`` is the middle of the postcode's district, where a table has it.
    """

    place: Town | None = None
    ambiguous: bool = False
    candidates: tuple[Town, ...] = ()
    reason: str = ""
    country: str = ""
    region: str = ""
    is_area: bool = False
    point: tuple[float, float] | None = None
