"""Give the pictures of a mail their height, and a colour and a readable description until they are loaded."""

import re
from collections.abc import Iterable

from markupsafe import escape

from newsletter.rendering.blocks import Picture
from newsletter.rendering.colours import choose_text_colour, normalise_colour

_IMAGE = re.compile(r"""<img\b(?:[^>"]++|"[^"]*+")*+>""")
_SOURCE, _WIDTH = re.compile(r"""\bsrc="([^"]*)\""""), re.compile(r"""\bwidth="(\d+)\"""")
_CLASSES = re.compile(r"""\bclass=["']([^"']*)""")

_LINKED_IMAGE = re.compile(r"(<a\b(?![^>]*\bstyle=)[^>]*)>(?=<img\b)")


def style_descriptions(html: str) -> str:
    """Return the HTML whose linked pictures have descriptions like those of others: not underlined as the text of a link."""
    return _LINKED_IMAGE.sub(r'\1 style="text-decoration:none">', html)


def reserve_picture_space(html: str, *, pictures: Iterable[Picture]) -> str:
    """Return the HTML whose pictures have their height, and their dominant colour behind them until they are loaded.

    The description of a picture is written on the colour. Both are in one rule of a style, so no mail program shows the ink of
    one without the other: classic Outlook reads no rule for screens.
    """
    by_url, rules = {str(escape(picture.url)): picture for picture in pictures}, {}

    def change(found: re.Match[str]) -> str:
        tag, source, width = found[0], _SOURCE.search(found[0]), _WIDTH.search(found[0])
        picture = by_url.get(source[1]) if source else None
        if picture is None:
            return tag
        if width and "height:auto" in tag:
            height = max(1, round(int(width[1]) * picture.height / picture.width))
            tag = tag.replace(width[0], f'{width[0]} height="{height}"', 1)
        if not picture.colour:
            return tag
        # Three digits instead of six: the mail is shorter, and the eye sees no difference.
        digits = "".join(f"{round(int(picture.colour[at : at + 2], 16) / 17):x}" for at in (1, 3, 5))
        shade = f"c{digits}"
        ink = choose_text_colour(normalise_colour(digits, fallback=""))
        rules[shade] = f"img.{shade}{{background:#{digits}!important;color:{ink}!important}}"
        if _CLASSES.search(tag):
            return _CLASSES.sub(lambda known: f"{known[0]} {shade}", tag, count=1)
        return tag.replace("<img", f'<img class="{shade}"', 1)

    changed = _IMAGE.sub(change, html)
    if not rules:
        return changed
    style = f"<style>@media only screen{{{''.join(rules[shade] for shade in sorted(rules))}}}</style>"
    return changed.replace("</head>", f"{style}\n</head>", 1)
