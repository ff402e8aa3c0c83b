"""``make email-support``: which mail programs show what our mails use, by the published data of Can I email.

``caniemail.json`` has its results, with date and licence. ``email_support.toml`` says what readers see where a feature is
missing. A feature that a mail uses must be in one of the two. Below 90 % of the tested programs it must have a fallback.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cssutils
from lxml.html import HtmlElement, document_fromstring

from tests.gallery.documents import gallery_mails

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "email-support.md"
MIN_SHARE = 0.9
_TABLE, _DECLARED = Path(__file__).with_name("caniemail.json"), Path(__file__).with_name("email_support.toml")
# Only classic Outlook reads these.
_CONDITIONAL = re.compile(r"<!--\[if mso.*?<!\[endif\]-->", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SELECTORS = {
    r">": "css-selector-child",
    r"\[": "css-selector-attribute",
    r"#": "css-selector-id",
    r"\.": "css-selector-class",
    r"[\w\])] +[\w.#\[]": "css-selector-descendant",
    r"::after": "css-pseudo-element-after",
    r":hover": "css-pseudo-class-hover",
    r":first-child": "css-pseudo-class-first-child",
}
_UNITS = {
    "px": "css-unit-px",
    "em": "css-unit-em",
    "%": "css-unit-percent",
    "rem": "css-unit-rem",
    "ch": "css-unit-ch",
    "vw": "css-unit-vw",
}
_SIDES = frozenset({"top", "right", "bottom", "left"})
_ELEMENTS = {
    **dict.fromkeys(("table", "tbody", "tr", "td", "th"), "html-table"),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "html-h1-h6"),
    **dict.fromkeys(("ul", "ol", "li"), "html-lists"),
    **dict.fromkeys(("b", "strong"), "html-strong"),
}
_PROPERTY_GROUP = re.compile(
    r"^(?:-webkit-|-moz-)?(margin|padding|border)-(?:top|right|bottom|left|color|width|style)$"
)


@dataclass(frozen=True)
class Support:
    """Count the tested mail programs that show a feature fully, partly or not at all, and name those that do not."""

    title: str
    full: int
    partly: int
    missing: tuple[str, ...]

    @property
    def share(self) -> float:
        """The share of programs that show it at least partly."""
        return (self.full + self.partly) / (self.full + self.partly + len(self.missing))


def main() -> None:
    PAGE.write_text(write_page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")


def find_features(html: str) -> set[str]:
    """Return what a mail uses: names of Can I email, or ``property NAME``, ``element NAME`` or ``attribute NAME``."""
    root = document_fromstring(_COMMENT.sub("", _CONDITIONAL.sub("", html)))
    found = {"html-doctype", "html-style"}
    for element in root.iter():
        if isinstance(element, HtmlElement) and isinstance(element.tag, str):
            found |= _find_in_element(element)
    for sheet in root.iter("style"):
        found |= _find_in_sheet(sheet.text or "")
        found |= {"css-at-media"} if sheet.get("media") else set()
    return found


def check_support(features: Iterable[str]) -> Iterator[str]:
    """Yield an error for each feature that is not in the table, or has too little support and no fallback."""
    table, declared = load_table(), load_declared()
    for feature in sorted(set(features)):
        if feature in declared:
            continue
        if feature not in table:
            yield f"{feature} is used, but neither caniemail.json nor email_support.toml has it"
        elif table[feature].share < MIN_SHARE:
            share = f"{table[feature].share:.0%}"
            yield f"{feature} is shown by {share} of mail programs only: declare its fallback in email_support.toml"


@cache
def load_table() -> dict[str, Support]:
    """Return the support of each feature that was tested anywhere."""
    data = json.loads(_TABLE.read_text(encoding="utf-8"))
    table = {}
    for name, feature in data["features"].items():
        results = feature["results"]
        missing = tuple(client for client, result in zip(data["clients"], results, strict=True) if result == "n")
        if results.strip("u"):
            table[name] = Support(feature["title"], results.count("y"), results.count("a"), missing)
    return table


@cache
def load_declared() -> dict[str, str]:
    """Return what readers see without a feature."""
    declared: dict[str, str] = tomllib.loads(_DECLARED.read_text(encoding="utf-8"))["fallbacks"]
    return declared


@cache
def find_used_features() -> frozenset[str]:
    """Return what the mails of the gallery use."""
    return frozenset(feature for _, mail in gallery_mails().values() for feature in find_features(mail.html))


def write_page() -> str:
    """Return the reference page."""
    data, table, declared = json.loads(_TABLE.read_text(encoding="utf-8")), load_table(), load_declared()
    used = find_used_features()
    known = sorted((table[name].share, name) for name in used & table.keys())
    others = sorted(used - table.keys())
    rows = [_write_row(table[name], declared.get(name, "")) for _share, name in known]
    lines = [
        "<!-- Written by `make email-support`; change tests/gallery/email_support.toml. -->",
        "# What mail programs show of our emails",
        "",
        f"The mails of the gallery use {len(used)} features of HTML and CSS. {len(known)} of them are in the data that",
        f"[Can I email]({data['source']}) published on {data['date']} under the MIT licence, © 2019 HTeuMeuLeu.",
        f"It has {len(data['clients'])} mail programs, each counted once whatever its number of users. The share is that of the",
        "programs, of those tested, that show a feature at least partly, in the newest version tested. Parts for classic",
        "Outlook alone are left out.",
        "",
        f"A feature below {MIN_SHARE:.0%} has a fallback: what readers see without it. The others are essential.",
        "`make email-check` and a test fail if a mail uses a feature that is not here.",
        "",
        "| feature | share | fully | partly | not | not in | without it |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        "## Not in that data",
        "",
        "| feature | without it |",
        "|---|---|",
        *(f"| {name} | {declared.get(name, '')} |" for name in others),
    ]
    return "\n".join(lines) + "\n"


def _write_row(support: Support, fallback: str) -> str:
    title = support.title.replace("|", "\\|").replace("<", "\\<")
    named = ", ".join(support.missing[:4])
    more = f" and {len(support.missing) - 4} more" if len(support.missing) > 4 else ""
    counts = f"{int(100 * support.share)}% | {support.full} | {support.partly} | {len(support.missing)}"
    return f"| {title} | {counts} | {named}{more} | {fallback or 'essential'} |"


def _find_in_element(element: HtmlElement) -> set[str]:
    table = load_table()
    tag = str(element.tag)
    name = _ELEMENTS.get(tag, f"html-{tag}")
    found = {name if name in table else f"element {tag}"}
    for attribute in element.attrib:
        slug = f"html-{attribute}"
        if attribute not in ("style", "class", "id", "href", "src", "alt", "title"):
            found.add(slug if slug in table else f"attribute {attribute}")
    if tag == "meta" and element.get("name") == "color-scheme":
        found.add("html-meta-color-scheme")
    source = element.get("src", "")
    found |= {"image-png"} if source.endswith(".png") else {"image-jpg"} if source.endswith(".jpg") else set()
    return found | _find_in_style(element.get("style", ""))


@cache
def _find_in_style(style: str) -> frozenset[str]:
    declarations = cssutils.parseStyle(style, validate=False)
    return frozenset(name for one in declarations for name in _name_property(one.name, one.value))


@cache
def _find_in_sheet(css: str) -> frozenset[str]:
    found: set[str] = set()
    for rule in cssutils.parseString(css, validate=False):
        inner = [rule]
        if rule.type == rule.MEDIA_RULE:
            inner = list(rule.cssRules)
            is_dark = "prefers-color-scheme" in rule.media.mediaText
            found.add("css-at-media-prefers-color-scheme" if is_dark else "css-at-media")
        for one in inner:
            if one.type == one.STYLE_RULE:
                found |= {slug for mark, slug in _SELECTORS.items() if re.search(mark, one.selectorText)}
                found |= _find_in_style(one.style.cssText)
                found |= {"css-important"} if "!important" in one.style.cssText else set()
                found |= {"css-selector-grouping"} if "," in one.selectorText else set()
    return frozenset(found)


def _name_property(name: str, value: str) -> set[str]:
    group = _PROPERTY_GROUP.match(name)
    if name in _SIDES:
        return {"css-left-right-top-bottom"}
    slug = f"css-{group[1] if group else name.removeprefix('-webkit-')}"
    found = {slug if slug in load_table() else f"property {name}"}
    found |= {"css-display-none"} if (name, value) == ("display", "none") else set()
    return found | {known for unit, known in _UNITS.items() if re.search(rf"\d{unit}(?!\w)", value)}


if __name__ == "__main__":
    main()
