"""An approximation of the dark mode that Gmail and Outlook force on a mail by inverting its colours.

They publish no rule, and each version differs a little. Images stay as they are.
"""

import colorsys
import re

_STYLE = re.compile(r"""(\sstyle=(["']))(.*?)(\2)""", re.IGNORECASE | re.DOTALL)
_BGCOLOR = re.compile(r'(\sbgcolor=")(#[0-9a-fA-F]{3,6})(")', re.IGNORECASE)
_HEX = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
_DARKEST, _MIDDLE, _LIGHTEST = 0.11, 0.5, 0.93
_SATURATION_FACTOR = 0.2  # a near-white that is barely tinted counts as fully saturated
_DEFAULT_STYLE = "<style>html,body{background:#1b1b1b!important;color:#e6e6e6}</style></head>"


def force_dark(html: str) -> str:
    """Return the mail with light backgrounds darkened and dark text lightened. Its own dark rules are ignored."""
    html = _STYLE.sub(lambda match: match[1] + _invert_style(match[3]) + match[4], html)
    html = _BGCOLOR.sub(lambda match: match[1] + darken(match[2]) + match[3], html)
    return html.replace("</head>", _DEFAULT_STYLE, 1)


def darken(colour: str) -> str:
    """Return a light background colour as a dark one. A dark one stays."""
    hue, light, saturation = _to_hls(colour)
    return colour if light < _MIDDLE else _to_hex(hue, max(1 - light, _DARKEST), saturation * _SATURATION_FACTOR)


def lighten(colour: str) -> str:
    """Return a dark text colour as a light one. A light one stays."""
    hue, light, saturation = _to_hls(colour)
    return colour if light >= _MIDDLE else _to_hex(hue, min(1 - light, _LIGHTEST), saturation)


def _invert_style(style: str) -> str:
    return ";".join(_invert_declaration(declaration) for declaration in style.split(";"))


def _invert_declaration(declaration: str) -> str:
    name = declaration.partition(":")[0].strip().lower()
    if name.startswith(("background", "border")):
        return _HEX.sub(lambda match: darken(match.group()), declaration)
    if name == "color":
        return _HEX.sub(lambda match: lighten(match.group()), declaration)
    return declaration


def _to_hls(colour: str) -> tuple[float, float, float]:
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return colorsys.rgb_to_hls(red, green, blue)


def _to_hex(hue: float, light: float, saturation: float) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, light, saturation))
