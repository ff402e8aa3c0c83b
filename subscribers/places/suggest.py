"""Suggestions for a town while its name is typed. `find_place` reads each suggestion as that town."""

from subscribers.places.areas import find_areas_named
from subscribers.places.disambiguation import describe, describe_closely
from subscribers.places.search import find_place
from subscribers.places.towns import Town, find_towns_starting

_TOWNS_EXAMINED = 60


def suggest_towns(text: str, *, limit: int = 8) -> list[str]:
    """Return towns with a name that begins with the text, the largest first: "Houston, Texas, United States".

    Text after a comma narrows to a country or region ("Cambridge, MA"). At least two letters are needed.
    """
    name, _, rest = text.partition(",")
    if len(name.strip()) < 2:
        return []
    within = find_areas_named(rest.strip()) if rest.strip() else []
    names: list[str] = []
    for town in find_towns_starting(name, limit=_TOWNS_EXAMINED * (10 if within else 1)):
        if within and not any(area.contains(town) for area in within):
            continue
        name = next((text for text in (describe(town), describe_closely(town)) if _resolves_to(text, town)), "")
        if name and name not in names:
            names.append(name)
            if len(names) == limit:
                break
    return names


def _resolves_to(name: str, town: Town) -> bool:
    return find_place(name).place == town
