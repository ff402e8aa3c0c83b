"""Write the rules of a mail's sheet into style attributes, in few bytes. Premailer decides the style of each kind of element.

Two elements are of one kind if they have the same tag, classes and style, and the same classes around them that the sheet
asks for. Premailer styles one sample of each kind, which is cached: another variant of an issue has few new kinds.
Mail programs show the shorter mail in the same way. Gmail cuts off a mail after 102 kB.
"""

import logging
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import cssutils
from lxml import etree

# Premailer reads these when it is imported. Its default of 128 cached rules is less than one brand has.
os.environ.setdefault("PREMAILER_CACHE", "LRU")
os.environ.setdefault("PREMAILER_CACHE_MAXSIZE", "5000")
import premailer

IGNORE = ' data-premailer="ignore"'
"""The attribute of a sheet that stays in the mail."""
_OPTIONS: dict[str, Any] = {
    "allow_network": False,
    "disable_validation": True,
    "keep_style_tags": False,
    "strip_important": False,
    "remove_classes": False,
    "align_floating_images": False,
    "include_star_selectors": False,
    "disable_basic_attributes": ["width", "height", "align", "valign", "bgcolor"],
}
"""With these, Premailer changes nothing of an element but its style."""
_MAX_CACHED_SHEETS = 200
_MAX_CACHED_KINDS = 5_000
"""The most kinds in the caches of all sheets together."""
_TAG = re.compile("[a-z][a-z0-9]*")
_CLASS = r"\.[A-Za-z_][\w-]*"
_SIMPLE_SELECTOR = re.compile(rf"((?:(?:{_CLASS})+ )*)({_TAG.pattern}|(?={_CLASS}))(?:{_CLASS})*")
"""A tag or classes, within ancestors that have classes."""
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

cssutils.log.setLevel(logging.CRITICAL)
cssutils.ser.prefs.minimizeColorHash = False  # six digits stay six, which classic Outlook needs

_Around = tuple[tuple[str, ...], ...]
_Kind = tuple[_Around, str, str, str]
"""The classes that a sheet asks for around an element, outermost first, and the element's own tag, class and style."""


@dataclass(frozen=True)
class _Sheet:
    """The rules of a sheet, each with the classes that it needs.

    ``find_elements`` returns the elements that may get a style: an element and its descendants. It is None if a selector is
    not simple: then the complete page is used. ``ancestor_classes`` are those that selectors ask for around an element.
    ``styles`` is a cache.
    """

    rules: list[tuple[frozenset[str], Any]]
    leftover: list[Any]
    ancestor_classes: frozenset[str] = frozenset()
    find_elements: Callable[[Any], Any] | None = None
    styles: dict[_Kind, str] = field(default_factory=dict)


_SHEETS: dict[tuple[str, int], _Sheet] = {}


class _Inliner(premailer.Premailer):
    """A Premailer that caches the rules of a sheet, and skips those whose classes a mail does not have."""

    def read_sheet(self, css: str, index: int) -> _Sheet:
        key = (css, index)
        sheet = _SHEETS.get(key)
        if sheet is None:
            if len(_SHEETS) >= _MAX_CACHED_SHEETS:
                _SHEETS.clear()
            sheet = _SHEETS[key] = _make_sheet(*super()._parse_style_rules(css, index))
        return sheet

    def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[list[Any], list[Any]]:
        sheet = self.read_sheet(css_body, ruleset_index)
        html = self.html if isinstance(self.html, str) else etree.tostring(self.html, encoding="unicode")
        used = find_classes(html)
        return [rule for classes, rule in sheet.rules if classes <= used], list(sheet.leftover)


def inline(html: str) -> str:
    """Return the HTML with its sheets in style attributes. A sheet that has ``IGNORE`` stays."""
    html = html.strip()
    tree: Any = etree.fromstring(html, etree.HTMLParser()).getroottree()
    page = tree.getroot()
    sheets: list[Any] = [sheet for sheet in page.iter("style") if sheet.get("data-premailer") != "ignore"]
    if len(sheets) != 1 or "media" in sheets[0].attrib or not _style_elements(page, sheets[0].text or ""):
        return str(_Inliner(html, **_OPTIONS).transform(pretty_print=False)).replace(IGNORE, "")
    sheets[0].getparent().remove(sheets[0])
    document = tree if html.startswith(tree.docinfo.doctype) else page
    return etree.tostring(document, method="html", encoding="utf-8").decode().replace(IGNORE, "")


def _make_sheet(rules: list[Any], leftover: list[Any]) -> _Sheet:
    required = [(find_required_classes(rule[1]), rule) for rule in rules]
    selectors = [_SIMPLE_SELECTOR.fullmatch(rule[1]) for rule in rules]
    if leftover or not all(selectors):
        return _Sheet(required, leftover)
    simple = [match for match in selectors if match]
    tags = sorted({match[2] for match in simple if match[2]})
    return _Sheet(
        required,
        leftover,
        ancestor_classes=frozenset(name for match in simple for name in find_required_classes(match[1])),
        find_elements=etree.XPath(
            f"descendant-or-self::*[{' or '.join(['@class', *(f'self::{tag}' for tag in tags)])}]"
        ),
    )


def _style_elements(page: Any, css: str) -> bool:
    """Give the elements of a page their styles. Return False, without a change, if only the whole page decides."""
    sheet = _Inliner("", **_OPTIONS).read_sheet(css, 0)
    if sheet.find_elements is None:
        return False
    elements = sheet.find_elements(page)
    # Among the samples, a sheet with a class would be one more sheet.
    if not all(_TAG.fullmatch(element.tag) and element.tag != "style" for element in elements):
        return False
    around = _find_around(elements, sheet.find_elements, class_names=sheet.ancestor_classes)
    kinds: list[_Kind] = [
        (around.get(element, ()), element.tag, element.get("class", ""), element.get("style", ""))
        for element in elements
    ]
    styles = _find_styles(css, sheet, frozenset(kinds))
    if styles is None:
        return False
    for element, kind in zip(elements, kinds, strict=True):
        if styles[kind]:
            element.set("style", styles[kind])
    return True


def _find_around(
    elements: list[Any], find_elements: Callable[[Any], Any], *, class_names: frozenset[str]
) -> dict[Any, _Around]:
    """Return which of ``class_names`` are around elements, given in the order of the page. Leave out elements without any."""
    around: dict[Any, _Around] = {}
    for outer in elements:
        if classes := class_names.intersection(outer.get("class", "").split()):
            for inner in find_elements(outer):
                if inner is not outer:
                    around[inner] = (*around.get(inner, ()), tuple(sorted(classes)))
    return around


def _find_styles(css: str, sheet: _Sheet, kinds: Collection[_Kind]) -> Mapping[_Kind, str] | None:
    """Return the style of each kind of element, from the cache or by Premailer. Return None if one cannot have a sample."""
    styles = {kind: style for kind in kinds if (style := sheet.styles.get(kind)) is not None}
    missing = [kind for kind in kinds if kind not in styles]
    if not missing:
        return styles
    page = etree.Element("html")
    etree.SubElement(etree.SubElement(page, "head"), "style").text = css
    body = etree.SubElement(page, "body")
    try:
        samples = [_add_sample(body, kind) for kind in missing]
    except ValueError:  # lxml reads control characters in a page and refuses them as values
        return None
    _Inliner(page, **_OPTIONS).transform()
    new = {kind: sample.get("style", "") for kind, sample in zip(missing, samples, strict=True)}
    _keep_styles(sheet, new)
    return styles | new


def _keep_styles(sheet: _Sheet, new: Mapping[_Kind, str]) -> None:
    """Add styles to the cache of a sheet, and empty those of all sheets first if they are too many."""
    sheets = list(_SHEETS.values())
    if sum(len(cached.styles) for cached in sheets) + len(new) > _MAX_CACHED_KINDS:
        for cached in sheets:
            cached.styles.clear()
    sheet.styles.update(new)


def _add_sample(body: Any, kind: _Kind) -> Any:
    around, tag, classes, style = kind
    parent = body
    for names in around:
        parent = etree.SubElement(parent, "div", {"class": " ".join(names)})
    return etree.SubElement(
        parent, tag, {name: value for name, value in (("class", classes), ("style", style)) if value}
    )


def shorten(html: str) -> str:
    """Return the HTML without spaces, rules, attributes, classes and colours that change nothing.

    By default, a table has no border. A column of the whole width has its width in its style, too.
    """
    shortened = _STYLE_ATTRIBUTE.sub(lambda match: _shorten_attribute(match[0]), html)
    shortened = _TABLE.sub(lambda match: _OUTLOOK_CLASS.sub("", match[0].replace(' border="0"', "", 1)), shortened)
    shortened = _FULL_WIDTH.sub(lambda match: f' class="{match[1]}"' if match[1] else "", shortened)
    used = frozenset(find_classes(shortened) | _OF_MAIL_PROGRAMS)
    return _STYLE.sub(lambda match: _shorten_style(match, used=used), shortened)


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


def _shorten_style(match: re.Match[str], *, used: frozenset[str]) -> str:
    sheet = _shorten_sheet(match[2], used=used)
    return f"{match[1]}{sheet}{match[3]}" if sheet else ""


@lru_cache(maxsize=500)
def _shorten_sheet(css: str, *, used: frozenset[str]) -> str:
    """Return a sheet without rules for other classes. Each rule is on its own line: spam filters distrust long lines.

    Strings and addresses are replaced by numbers during this, so that no sign in them looks like a part of a rule.
    """
    literals: list[str] = []
    css = _COMMENT_OR_LITERAL.sub(lambda match: _set_aside(match[0], literals), css)
    css = _SPACE_BEFORE_IMPORTANT.sub("!important", _SPACE_BEFORE_VALUE.sub(":", css))
    css = _SPACE_AROUND.sub(r"\1", css).replace(";}", "}").strip()
    css = _RULE.sub(lambda rule: _keep_selectors(rule[1], rule[2], used=used), css)
    css = _EMPTY_CONDITION.sub("", css).replace("}", "}\n").strip()
    return _PLACEHOLDER.sub(lambda match: literals[int(match[1])], css)


def _set_aside(text: str, literals: list[str]) -> str:
    """Return the placeholder of a string or address, "" for a comment."""
    if text.startswith("/*"):
        return ""
    literals.append(text)
    return f"\0{len(literals) - 1}\0"


def _keep_selectors(selectors: str, declarations: str, *, used: frozenset[str]) -> str:
    """Return the rule for the selectors that can match. One with brackets is kept whole: a comma may be within them."""
    if "(" in selectors:
        return f"{selectors}{declarations}"
    used_selectors = [selector for selector in selectors.split(",") if find_required_classes(selector) <= used]
    return f"{','.join(used_selectors)}{declarations}" if used_selectors else ""
