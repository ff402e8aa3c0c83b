"""Completes the name of a town while it is being typed. Every suggestion, given to `find_place`, means that very town."""

from subscribers.places.areas import areas_called
from subscribers.places.choosing import describe, describe_closely
from subscribers.places.search import find_place
from subscribers.places.towns import Place, towns_starting

_LOOKED_AT = 60


def suggest_towns(text: str, *, most: int = 8) -> list[str]:
    """Towns whose name, or one of whose names, begins so: "Houston, Texas, United States"; the largest first.

    What follows a comma narrows to a country or region ("Cambridge, MA"). At least two letters are needed.
    """
    name, _, rest = text.partition(",")
    if len(name.strip()) < 2:
        return []
    within = areas_called(rest.strip()) if rest.strip() else []
    found: list[str] = []
    for town in towns_starting(name, most=_LOOKED_AT * (10 if within else 1)):
        if within and not any(area.holds(town) for area in within):
            continue
        said = next((text for text in (describe(town), describe_closely(town)) if _means(text, town)), "")
        if said and said not in found:
            found.append(said)
            if len(found) == most:
                break
    return found


def _means(said: str, town: Place) -> bool:
    return find_place(said).place == town
