"""Writes the organisation's colours as a style sheet, so that pages need no style in their markup."""

import hashlib
import re
from collections.abc import Mapping

from subscribers.people.publishing_hooks import Branding

_COLOUR = re.compile(r"#[0-9a-f]{6}\Z")
_NAME = re.compile(r"[a-z-]+\Z")


def write_stylesheet(branding: Branding) -> str:
    """CSS variables for both schemes. Nothing but colours and one list of font names gets in."""
    font = re.sub(r"[^\w ,'\"-]", "", branding.display_font)
    display = f":root{{--display:{font}}}\n" if font else ""
    return f"{display}{_rule(branding.light)}@media (prefers-color-scheme:dark){{{_rule(branding.dark)}}}\n"


def branding_version(branding: Branding) -> str:
    """A few characters that change with the branding."""
    return hashlib.sha256(repr(branding).encode()).hexdigest()[:8]


def _rule(colours: Mapping[str, str]) -> str:
    pairs = (f"--{name}:{value}" for name, value in colours.items() if _NAME.match(name) and _COLOUR.match(value))
    return f":root{{{';'.join(pairs)}}}\n"
