"""Find the colours of a brand that mails correct or refuse because they are hard to read."""

from dataclasses import dataclass

from newsletter.common.messages import Message
from newsletter.rendering.colours import dark_palette, light_palette, make_readable, normalise_colour

_MAX_COLOUR_DISTANCE = 0.45  # a share of the way to black or white; a colour changed more is another colour
_PAPER_COLOUR = "#fffdf9"


@dataclass(frozen=True)
class ColourAdvice:
    """One use of a colour. ``used`` is what mails show for ``chosen``; ``refused`` means that it is too different."""

    field: str
    scheme: str
    chosen: str
    used: str
    refused: bool
    message: str


def find_colour_problems(*, colour: str, accent: str, background: str) -> tuple[ColourAdvice, ...]:
    """Return every use in which a chosen colour changes, refused ones first. Colours are ``#rrggbb``."""
    light = light_palette(colour=colour, accent=accent, background=background)
    dark = dark_palette(colour=colour, accent=accent)
    uses = (
        ("colour", "light", "Headings", colour, light.heading),
        ("accent", "light", Message("Links"), accent, light.link),
        ("accent", "light", Message("Buttons"), accent, light.button),
        ("colour", "dark", Message("Bands"), colour, dark.band),
        ("accent", "dark", Message("Buttons"), accent, dark.button),
    )
    advices = [_make_advice(*use) for use in uses if use[4] != use[3]]
    return tuple(sorted(advices, key=lambda advice: not advice.refused))


def suggest_readable_colour(colour: str) -> str:
    """Return the nearest colour that is readable on paper. Text that is not a colour gives the default colour."""
    return make_readable(normalise_colour(colour, fallback="#1f4e5f"), on=_PAPER_COLOUR)


def _make_advice(field: str, scheme: str, use: str, chosen: str, used: str) -> ColourAdvice:
    refused = scheme == "light" and _distance(chosen, used) > _MAX_COLOUR_DISTANCE
    if refused:
        message = Message(
            "%(colour)s is too pale to read (%(use)s). Use %(used)s or choose a darker one.",
            use=use,
            colour=chosen,
            used=used,
        )
    else:
        message = (
            Message("%(use)s are shown in %(used)s, so that everybody can read them.", use=use, used=used)
            if scheme == "light"
            else Message(
                "%(use)s in dark mode are shown in %(used)s, so that everybody can read them.", use=use, used=used
            )
        )
    return ColourAdvice(field=field, scheme=scheme, chosen=chosen, used=used, refused=refused, message=message)


def _distance(first: str, second: str) -> float:
    """Return the difference of two colours, 0.0 to 1.0, in the channel that differs most."""
    pairs = ((int(first[at : at + 2], 16), int(second[at : at + 2], 16)) for at in (1, 3, 5))
    return max(abs(left - right) for left, right in pairs) / 255
