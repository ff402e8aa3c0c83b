"""Write the rules of a sheet into the style attributes of a mail. Premailer decides the style of each kind of element.

Two elements are of one kind if they have the same tag, classes and style, and the same classes around them that the sheet
asks for. Premailer styles one sample of each kind, which is cached: another variant of an issue has few new kinds.
"""

import logging
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import cssutils
from lxml import etree

from newsletter.rendering.finishing.shorten import find_classes, find_required_classes

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

cssutils.log.setLevel(logging.CRITICAL)
cssutils.ser.prefs.minimizeColorHash = False  # six digits stay six, which classic Outlook needs

_Around = tuple[tuple[str, ...], ...]
_Kind = tuple[_Around, str, str, str]
"""The classes that a sheet asks for around an element, outermost first, and the element's own tag, class and style."""


@dataclass(frozen=True)
class _Sheet:
    """The rules of a sheet, each with the classes that it needs.

    ``find_elements`` finds what may get a style in an element and itself. It is None if a selector is not simple: then
    the whole page decides. ``ancestor_classes`` are those that selectors ask for around an element. ``styles`` is a cache.
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
    whole = tree if html.startswith(tree.docinfo.doctype) else page
    return etree.tostring(whole, method="html", encoding="utf-8").decode().replace(IGNORE, "")


def _make_sheet(rules: list[Any], leftover: list[Any]) -> _Sheet:
    required = [(find_required_classes(rule[1]), rule) for rule in rules]
    selectors = [_SIMPLE_SELECTOR.fullmatch(rule[1]) for rule in rules]
    if leftover or not all(selectors):
        return _Sheet(required, leftover)
    found = [match for match in selectors if match]
    tags = sorted({match[2] for match in found if match[2]})
    return _Sheet(
        required,
        leftover,
        ancestor_classes=frozenset(name for match in found for name in find_required_classes(match[1])),
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
    around = _find_around(elements, sheet.find_elements, asked=sheet.ancestor_classes)
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
    elements: list[Any], find_elements: Callable[[Any], Any], *, asked: frozenset[str]
) -> dict[Any, _Around]:
    """Return the classes asked for around elements, which are in the order of the page. Elements without any are left out."""
    around: dict[Any, _Around] = {}
    for outer in elements:
        if own := asked.intersection(outer.get("class", "").split()):
            for inner in find_elements(outer):
                if inner is not outer:
                    around[inner] = (*around.get(inner, ()), tuple(sorted(own)))
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
