"""Remove the shortcodes of WordPress, its plug-ins and page builders from text."""

import re

_NAMES = (
    r"gallery|embed|audio|video|playlist|caption|wp_caption|contact-form(?:-7)?|gravityform|ninja_form|wpforms|mc4wp_form"
    r"|give_form|tweet|youtube|vimeo|instagram|facebook|rev_slider|elementor-template|soundcloud|googlemaps|toc"
)
_BUILDERS = r"(?:vc|et_pb|fusion|av|su|cs|fl|mk|ux|nectar|wpbakery|tatsu|x|ultimate)_\w+"
_WITH_TEXT = re.compile(
    r"\[(caption|wp_caption|embed|gallery|video|audio|playlist|youtube)\b[^\[\]]{0,2000}\].{0,4000}?\[/\1\]",
    re.S | re.I,
)
_KNOWN = re.compile(rf"\[/?(?:{_NAMES}|{_BUILDERS})(?:\s[^\[\]]{{0,2000}})?/?\]", re.IGNORECASE)
_WITH_VALUES = re.compile(r"\[[a-z][\w-]{1,40}\s[^\[\]=]{0,200}=\s*[\"'“”″&\w][^\[\]]{0,2000}\]", re.IGNORECASE)
_CLOSED = re.compile(r"\[([a-z][\w-]{1,40})\](?P<inner>[^\[]{0,4000})\[/\1\]", re.S | re.I)
_UNCLOSED_END = re.compile(rf"\[(?:{_NAMES}|{_BUILDERS})\b[^\[\]]{{0,2000}}$", re.IGNORECASE)


def remove_shortcodes(text: str) -> str:
    """Remove shortcodes. Keep the content of one that encloses text, unless it is a caption or an address."""
    if "[" not in text:
        return text
    closes = "[/" in text
    bare = _WITH_VALUES.sub(" ", _KNOWN.sub(" ", _WITH_TEXT.sub(" ", text) if closes else text))
    bare = _CLOSED.sub(r" \g<inner> ", bare) if closes else bare
    return _UNCLOSED_END.sub("", bare)
