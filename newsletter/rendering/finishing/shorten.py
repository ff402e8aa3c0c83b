"""Write a mail in fewer bytes. Mail programs show the same: Gmail cuts off what is beyond 102 kB."""

import re
from functools import lru_cache

_STYLE = re.compile(r"(<style[^>]*>)(.*?)(</style>)", re.DOTALL)
_SPACE_AROUND = re.compile(r"\s*([{};,>])\s*")
_SPACE_BEFORE_VALUE = re.compile(r":\s+")
_SPACE_BEFORE_IMPORTANT = re.compile(r"\s+!important")
_COMMENT_OR_LITERAL = re.compile(
    r"""/\*.*?\*/|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\burl\([^"')]*\)""", re.DOTALL | re.IGNORECASE
)
_PLACEHOLDER = re.compile("\0([0-9]+)\0")
_RULE = re.compile(r"([^{};@]+)(\{[^{}]*\})")
_EMPTY_CONDITION = re.compile(r"@(?:media|supports)\b[^{};@]*\{\s*\}")
_ATTRIBUTE = re.compile(r"""\[(?:"[^"]*"|'[^']*'|[^\]"'])*\]""")
_CLASS_NAME = re.compile(r"\.([A-Za-z_][\w-]*)")
# These begin with letters and look back after them, which is several times as fast as a \b before them.
_CLASSES = re.compile(r"""class(?<!\wclass)=["']([^"']*)""")
_STYLE_ATTRIBUTE = re.compile(r"""style(?<!\wstyle)=(?:"[^"\n]*"|'[^'\n]*')""")
_SAME_COLOUR_TWICE = re.compile(r"\bbackground:(#[0-9a-f]{6});(?=background-color:\1\b)")
_TABLE = re.compile(r"<table\b[^>]*>")
_OUTLOOK_CLASS = re.compile(r' class="[^"]*-outlook"')
_FULL_WIDTH = re.compile(r' class="mj-outlook-group-fix mj-column-per-100(?: ([^"]+))?"')
_OF_MAIL_PROGRAMS = frozenset({"moz-text-html", "a6S", "aBn", "im", "ExternalClass", "ReadMsgBody"})
"""Classes that mail programs add to a mail or put around it: Thunderbird, Gmail and older Outlook.com."""


def shorten(html: str) -> str:
    """Return the HTML without spaces, rules, attributes, classes and colours that change nothing.

    A table has no border unless it says so. A column of the whole width has its width in its style, too.
    """
    shortened = _STYLE_ATTRIBUTE.sub(lambda found: _shorten_attribute(found[0]), html)
    shortened = _TABLE.sub(lambda found: _OUTLOOK_CLASS.sub("", found[0].replace(' border="0"', "", 1)), shortened)
    shortened = _FULL_WIDTH.sub(lambda found: f' class="{found[1]}"' if found[1] else "", shortened)
    used = frozenset(find_classes(shortened) | _OF_MAIL_PROGRAMS)
    return _STYLE.sub(lambda found: _shorten_style(found, used=used), shortened)


def find_classes(html: str) -> set[str]:
    """Return the classes of all elements."""
    return {name for names in set(_CLASSES.findall(html)) for name in names.split()}


def find_required_classes(selector: str) -> frozenset[str]:
    """Return the classes without which a selector matches nothing. Of one with brackets or escapes, none is certain."""
    if "(" in selector or "\\" in selector:
        return frozenset()
    return frozenset(_CLASS_NAME.findall(_ATTRIBUTE.sub("", selector)))


@lru_cache(maxsize=5_000)
def _shorten_attribute(style: str) -> str:
    return _SAME_COLOUR_TWICE.sub("", style.replace("; ", ";").replace(", ", ","))


def _shorten_style(found: re.Match[str], *, used: frozenset[str]) -> str:
    sheet = _shorten_sheet(found[2], used=used)
    return f"{found[1]}{sheet}{found[3]}" if sheet else ""


@lru_cache(maxsize=500)
def _shorten_sheet(css: str, *, used: frozenset[str]) -> str:
    """Return a sheet without rules for other classes. Each rule has a line of its own: spam filters distrust long lines.

    Strings and addresses are replaced by numbers meanwhile, so that no sign in them is taken for a part of a rule.
    """
    literals: list[str] = []
    css = _COMMENT_OR_LITERAL.sub(lambda found: _set_aside(found[0], literals), css)
    css = _SPACE_BEFORE_IMPORTANT.sub("!important", _SPACE_BEFORE_VALUE.sub(":", css))
    css = _SPACE_AROUND.sub(r"\1", css).replace(";}", "}").strip()
    css = _RULE.sub(lambda rule: _keep_selectors(rule[1], rule[2], used=used), css)
    css = _EMPTY_CONDITION.sub("", css).replace("}", "}\n").strip()
    return _PLACEHOLDER.sub(lambda found: literals[int(found[1])], css)


def _set_aside(found: str, literals: list[str]) -> str:
    """Return the placeholder of a string or address, "" for a comment."""
    if found.startswith("/*"):
        return ""
    literals.append(found)
    return f"\0{len(literals) - 1}\0"


def _keep_selectors(selectors: str, declarations: str, *, used: frozenset[str]) -> str:
    """Return the rule for the selectors that can match. One with brackets is kept whole: a comma may be within them."""
    if "(" in selectors:
        return f"{selectors}{declarations}"
    kept = [one for one in selectors.split(",") if find_required_classes(one) <= used]
    return f"{','.join(kept)}{declarations}" if kept else ""
