"""Show a mail in other fonts than its first: programs have few of the fonts that a stack names."""

import re
import shutil
import subprocess

from tests.gallery.validators import Unavailable

FONTS = {"narrow": ("Liberation Serif", "Liberation Sans"), "wide": ("DejaVu Serif", "DejaVu Sans")}
"""The serif and sans fonts that take the place of missing ones: as narrow as Times, as wide as Verdana."""
_FAMILIES = re.compile(r"""(font-family:)([^;}<>]*?)(?=[;}]|(?<=serif)["'])""")


def without_fonts(html: str, *, width: str) -> str:
    """Return the mail as if no font that it names were there, and the program's own were ``narrow`` or ``wide``.

    Raise Unavailable if the fonts are not installed.
    """
    serif, sans = FONTS[width]
    _require_fonts(serif, sans)

    def change(found: re.Match[str]) -> str:
        generic = found[2].rsplit(",", 1)[-1].strip()
        return f"{found[1]}{serif if generic == 'serif' else sans}"

    return _FAMILIES.sub(change, html)


def require_emoji_font() -> None:
    """Raise Unavailable if no font has emoji: their boxes have another width, and show nothing."""
    if not _list_families(":charset=1f389"):
        raise Unavailable("no font has emoji (Debian: apt install fonts-noto-color-emoji)")


def _list_families(pattern: str) -> str:
    if not shutil.which("fc-list"):
        raise Unavailable("fontconfig is not installed (Debian: apt install fontconfig)")
    return subprocess.run(["fc-list", pattern, "family"], capture_output=True, text=True, check=True).stdout


def _require_fonts(*families: str) -> None:
    listed = _list_families(":")
    for family in families:
        if family not in listed:
            raise Unavailable(
                f"the font {family} is not installed (Debian: apt install fonts-liberation fonts-dejavu-core)"
            )
