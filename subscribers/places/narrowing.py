"""Take countries, regions and counties off the end of an address: "Leeds, West Yorkshire, UK"."""

from dataclasses import dataclass

from subscribers.places import areas
from subscribers.places.areas import Area
from subscribers.places.towns import Town, find_towns_named


@dataclass(frozen=True)
class Step:
    """A part that names an area, and the areas left by the parts after it. ``peeled``: cut off a longer part."""

    part: str
    before: tuple[Area, ...]
    peeled: bool = False


@dataclass(frozen=True)
class NarrowedAddress:
    """The parts that may name a town (at least one), and the areas in which that town must lie.

    ``steps`` are the parts that name areas, the last of the address first.
    """

    left: tuple[str, ...]
    steps: tuple[Step, ...]
    areas: tuple[Area, ...]

    @property
    def area_parts(self) -> tuple[str, ...]:
        """Return the parts that name areas, those nearest to the town first."""
        return tuple(step.part for step in reversed(self.steps))

    @property
    def has_country(self) -> bool:
        """Return True if the address says in which country the town is."""
        return self.areas != (Area(),)

    def contains(self, place: Town) -> bool:
        """Return True if the town is in one of the areas."""
        return any(area.contains(place) for area in self.areas)


def narrow_address(parts: list[str], within: Area) -> NarrowedAddress:
    """Take areas off the end of an address until one contradicts the others."""
    within_areas: tuple[Area, ...] = (within,)
    left, steps = list(parts), []
    while True:
        part = left[-1]
        areas_named = tuple(areas.intersect_areas(areas.find_areas_named(part), within_areas))
        if areas_named and len(left) > 1:
            steps.append(Step(left.pop(), within_areas))
            within_areas = areas_named
            continue
        if not any(area.contains(place) for area in within_areas for place, _ in find_towns_named(part)):
            rest, end, areas_named = _split_off_area(part, within_areas)
            if end:
                left[-1] = rest
                steps.append(Step(end, within_areas, peeled=True))
                within_areas = areas_named
        return NarrowedAddress(tuple(left), tuple(steps), within_areas)


def _split_off_area(part: str, within_areas: tuple[Area, ...]) -> tuple[str, str, tuple[Area, ...]]:
    """Take an area off the last words of a part ("Austin TX"). Return the rest, the area's words and the areas.

    Lower-case codes count only after a town in the area they name: "austin tx", but not "come to me".
    """
    words = part.split()
    for any_case in (False, True):
        for count in (3, 2, 1):
            if len(words) <= count:
                continue
            rest, end = " ".join(words[:-count]), " ".join(words[-count:])
            called = areas.find_areas_named(end, any_case=any_case)
            areas_named = areas.intersect_areas((area for area in called if area.is_widely_known), within_areas)
            if any_case:
                areas_named = [
                    area for area in areas_named if any(area.contains(place) for place, _ in find_towns_named(rest))
                ]
            if areas_named:
                return rest, end, tuple(areas_named)
    return part, "", within_areas
