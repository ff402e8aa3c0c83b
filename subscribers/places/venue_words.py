"""Words of venues, streets and parts of towns, which tell whether a part of an address can name a town. No data of towns."""

from collections.abc import Iterator

from subscribers.places.names import fold

_VENUES = frozenset(
    """
    the a of and at in on old new main great grand little upper lower north south east west central city town village
    hall halls library libraries museum gallery theatre theater cinema church chapel cathedral abbey temple mosque school
    college university campus academy institute centre center house building block floor room suite hub club pub inn bar
    cafe hotel hostel arena stadium station terminal airport park gardens garden square place plaza market mall court
    castle palace tower bridge quay pier wharf harbour harbor beach hill green common field fields farm lodge studio
    studios arts art community public national royal civic guildhall auditorium pavilion conservatory office offices
    meeting conference exhibition convention sports leisure recreation ground grounds hospital clinic
    rathaus bibliothek mairie mediatheque bibliotheque gare
    """.split()  # noqa: SIM905
)
_STREETS = frozenset(
    """
    road rd street saint avenue ave av lane ln drive dr boulevard blvd bvd way close crescent cres terrace parade highway
    hwy freeway parkway pkwy court ct row walk mews grove rise wynd circus broadway strasse str platz allee weg gasse ring
    rue quai boul chemin route calle avenida plaza
    """.split()  # noqa: SIM905
)
_CIVIC = tuple(
    fold(text)
    for text in (
        "Town Hall", "City Hall", "Cathedral", "Guildhall", "Central Library", "City Library", "Public Library",
        "Railway Station", "Train Station", "Civic Centre", "Civic Center", "Town House", "City Chambers", "Rathaus",
    )
)  # fmt: skip
_BEFORE = ("city of ", "town of ", "central ", "downtown ", "greater ", "inner ", "near ", "metropolitan ")
_AFTER = (" city centre", " city center", " town centre", " town center", " city", " town", " cedex")
_SIDES = ("north ", "south ", "east ", "west ")


def is_venue_only(part: str) -> bool:
    """Return True if a part is made of words of venues alone: "The Old Library"."""
    return all(word in _VENUES for word in fold(part).split())


def is_street(part: str) -> bool:
    """Return True if a part of several words ends as a street does: "London Road"."""
    words = fold(part).split()
    return len(words) > 1 and words[-1] in _STREETS


def without_qualifiers(part: str) -> Iterator[tuple[str, bool]]:
    """Yield the name in "Downtown Houston" or "Quebec City", and whether only a large town can be meant ("North London")."""
    name = fold(part)
    for word in _BEFORE:
        if name.startswith(word):
            yield name.removeprefix(word), False
    for word in _AFTER:
        if name.endswith(word):
            yield name.removesuffix(word), False
    for word in _SIDES:
        if name.startswith(word):
            yield name.removeprefix(word), True


def civic_owner(part: str) -> str:
    """Return what stands before a town hall or the like in "Leeds Town Hall", "" where nothing does."""
    name = fold(part)
    return next((name.removesuffix(word).strip() for word in _CIVIC if name.endswith(f" {word}")), "")
