"""Write a mail in fewer bytes. Mail programs show the same: Gmail cuts off what is beyond 102 kB."""

import re

_STYLE = re.compile(r"(<style[^>]*>)(.*?)(</style>)", re.DOTALL)
_SPACE_AROUND = re.compile(r"\s*([{};,>])\s*")
_SPACE_BEFORE_VALUE = re.compile(r":\s+")
_SPACE_BEFORE_IMPORTANT = re.compile(r"\s+!important")
_RULE = re.compile(r"([^{}@]+)(\{[^{}]*\})")
_CLASS_NAME = re.compile(r"\.([A-Za-z_][\w-]*)")
_CLASSES = re.compile(r"""\bclass=["']([^"']*)""")
_STYLE_ATTRIBUTE = re.compile(r"""\bstyle=(["'])(?:(?!\1).)*\1""")
_SAME_COLOUR_TWICE = re.compile(r"\bbackground:(#[0-9a-f]{6});(?=background-color:\1\b)")
_TABLE = re.compile(r"<table\b[^>]*>")
_OUTLOOK_CLASS = re.compile(r' class="[^"]*-outlook"')
_FULL_WIDTH = re.compile(r' class="mj-outlook-group-fix mj-column-per-100(?: ([^"]+))?"')
_OF_MAIL_PROGRAMS = frozenset({"moz-text-html"})
"""Classes that mail programs put around a mail."""


def shorten(html: str) -> str:
    """Return the HTML without spaces, rules, attributes, classes and colours that change nothing.

    A table has no border unless it says so. A column of the whole width has its width in its style, too.
    """
    shortened = _STYLE_ATTRIBUTE.sub(lambda found: _shorten_attribute(found[0]), html)
    shortened = _TABLE.sub(lambda found: _OUTLOOK_CLASS.sub("", found[0].replace(' border="0"', "", 1)), shortened)
    shortened = _FULL_WIDTH.sub(lambda found: f' class="{found[1]}"' if found[1] else "", shortened)
    used = {name for names in _CLASSES.findall(shortened) for name in names.split()} | _OF_MAIL_PROGRAMS
    return _STYLE.sub(lambda found: f"{found[1]}{_shorten_sheet(found[2], used=used)}{found[3]}", shortened)


def _shorten_attribute(style: str) -> str:
    return _SAME_COLOUR_TWICE.sub("", style.replace("; ", ";").replace(", ", ","))


def _shorten_sheet(css: str, *, used: set[str]) -> str:
    """Return a sheet without rules for other classes. Each rule has a line of its own: spam filters distrust long lines."""
    css = _SPACE_BEFORE_IMPORTANT.sub("!important", _SPACE_BEFORE_VALUE.sub(":", css))
    css = _SPACE_AROUND.sub(r"\1", css).replace(";}", "}").strip()
    css = _RULE.sub(lambda rule: _keep_selectors(rule[1], rule[2], used=used), css)
    return css.replace("}", "}\n").strip()


def _keep_selectors(selectors: str, declarations: str, *, used: set[str]) -> str:
    kept = [one for one in selectors.split(",") if used.issuperset(_CLASS_NAME.findall(one))]
    return f"{','.join(kept)}{declarations}" if kept else ""
