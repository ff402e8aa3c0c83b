"""The finished brands that an organisation can start from, one file each in ``brands/``, without names or addresses."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from newsletter.common.errors import NotFound


@dataclass(frozen=True)
class Starter:
    """A look: colours as ``#rrggbb``, fonts as CSS lists, ``radius`` in pixels, ``masthead`` plain, band or rule.

    ``kind`` is the kind of organisation that it was made for; any other may choose it.
    """

    slug: str
    kind: str
    label: str
    about: str
    colour: str
    accent: str
    background: str
    font: str
    heading_font: str
    radius: int
    masthead: str

    @property
    def picture(self) -> str:
        """Return the static file that shows it, light and dark. ``make email-looks`` draws it."""
        return f"newsletter/looks/{self.slug}.jpg"

    def look(self) -> dict[str, str | int]:
        """Return the values that it sets on a brand, by field."""
        names = (field.name for field in fields(self) if field.name not in {"slug", "kind", "label", "about"})
        return {name: getattr(self, name) for name in names}


@cache
def load_starters() -> Mapping[str, Starter]:
    """Return all starters by slug, ordered by name."""
    folder = files("newsletter.organisation").joinpath("brands")
    fields_by_slug = {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }
    return {slug: Starter(slug=slug, **fields_by_slug[slug]) for slug in sorted(fields_by_slug)}


def find_starter(slug: str) -> Starter:
    """Return the starter. Raises NotFound with the known names."""
    starters = load_starters()
    if slug in starters:
        return starters[slug]
    near = get_close_matches(slug.casefold(), starters, n=1, cutoff=0.5)
    hint = f"Did you mean “{near[0]}”?" if near else f"There are {', '.join(starters)}."
    raise NotFound(f"There is no brand “{slug}” to start from. {hint}")
