"""Check the mail's HTML for what mail programs, screen readers and spam filters cannot handle, contrast included."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from lxml.html import HtmlElement, document_fromstring

from newsletter.common.messages import Message
from newsletter.common.personal_tokens import TOKEN, format_token
from newsletter.rendering.clean_text import join_lines, safe_picture_url, safe_url, tidy_line
from newsletter.rendering.colours import MIN_CONTRAST_RATIO, contrast, normalise_colour
from newsletter.rendering.lint.findings import Finding, is_vague, make_vague_link_finding

_FORBIDDEN_TAGS = frozenset(
    {
        "script",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "button",
        "select",
        "textarea",
        "svg",
        "math",
        "video",
        "audio",
    }
    | {"base", "link", "applet", "frame", "frameset"}
)
_PERSONAL_LINK = re.compile(rf"{TOKEN.pattern}(?:\?case=[A-Za-z0-9_-]+)?")
_DOCTYPE = re.compile(r"\s*<!DOCTYPE html", re.IGNORECASE)
_HEX = re.compile(r"#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?\b")
_SKIPPED = frozenset({"head", "style", "script", "title"})


def check_page(html: str, *, language: str, postal_address: str) -> Iterator[Finding]:
    """Return findings on one HTML document."""
    if not html.strip():
        yield Finding("error", "html-empty", Message("The mail has no HTML. Render the issue again."))
        return
    if not _DOCTYPE.match(html):
        yield Finding(
            "error", "doctype", Message("The HTML does not begin with its doctype, so old browsers lay it out wrongly.")
        )
    if re.search(r"data:image", html, re.IGNORECASE):
        yield Finding(
            "error", "data-image", Message("An image is written into the mail itself. Many mail programs hide those.")
        )
    root = document_fromstring(html)
    yield from _check_head(root, language)
    yield from _check_tags(root)
    for image in root.iter("img"):
        yield from _check_image(image)
    for link in root.iter("a"):
        yield from _check_link(link)
    yield from _check_headings(root)
    yield from check_contrast(root)
    yield from _check_legal_requirements(root, postal_address)


def _check_head(root: HtmlElement, language: str) -> Iterator[Finding]:
    lang = (root.get("lang") or "").strip().lower()
    if lang in {"", "und"} or lang != language.lower():
        yield Finding(
            "error", "lang", Message("The HTML does not say which language it is in, so screen readers guess.")
        )
    if not (root.findtext(".//title") or "").strip():
        yield Finding("error", "title", Message("The HTML has no title. Give the issue a subject."))


def _check_tags(root: HtmlElement) -> Iterator[Finding]:
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    for name in sorted({str(element.tag) for element in elements} & _FORBIDDEN_TAGS):
        yield Finding(
            "error",
            "forbidden-tag",
            Message("The mail holds a <%(name)s>, which mail programs remove or distrust.", name=name),
        )
    if any(name.lower().startswith("on") for element in elements for name in element.attrib):
        yield Finding(
            "error", "script", Message("A tag of the mail holds a script (an on… attribute). Mail cannot run scripts.")
        )
    ids = Counter(element.get("id") for element in elements if element.get("id"))
    for name in sorted(str(name) for name, times in ids.items() if times > 1):
        yield Finding(
            "error", "duplicate-id", Message("Two parts of the mail have the same id, “%(name)s”.", name=name)
        )
    tables = (table for table in root.iter("table") if table.find(".//th") is None)
    if any(table.get("role") != "presentation" for table in tables):
        yield Finding(
            "error",
            "table-role",
            Message("A layout table does not say so (role=presentation): screen readers read cells."),
        )


def _check_image(image: HtmlElement) -> Iterator[Finding]:
    source = image.get("src") or ""
    if image.get("alt") is None:
        yield Finding(
            "error",
            "alt",
            Message("The image %(source)s has no description for those who cannot see it.", source=source[-60:]),
        )
    if not safe_picture_url(source):
        yield Finding(
            "error",
            "image-source",
            Message("The image %(value)s has no web address that mail can load.", value=source[:60] or "(none)"),
        )
    if not (image.get("width") or "").isdigit():
        yield Finding(
            "error",
            "image-width",
            Message("The image %(source)s has no width in pixels: Outlook shows it too large.", source=source[-60:]),
        )


def _check_link(link: HtmlElement) -> Iterator[Finding]:
    href = (link.get("href") or "").strip()
    words = tidy_line(link.text_content()) or " ".join(image.get("alt") or "" for image in link.iter("img")).strip()
    label = words[:60] or href[:60]
    if not _PERSONAL_LINK.fullmatch(href) and not safe_url(href):
        yield Finding(
            "error",
            "link-scheme",
            Message(
                "The link “%(named)s” goes to “%(target)s”: only http, https, mailto and tel can be.",
                named=label,
                target=href[:60],
            ),
        )
    if not words:
        yield Finding(
            "error",
            "link-text",
            Message("The link to %(target)s has no words that could be read out.", target=href[:60]),
        )
    elif is_vague(words):
        yield make_vague_link_finding(words)


def _check_headings(root: HtmlElement) -> Iterator[Finding]:
    levels = [int(str(element.tag)[1]) for element in root.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    if levels.count(1) != 1:
        yield Finding(
            "error",
            "h1",
            Message("The mail has %(levels)s main headings; it needs exactly one.", levels=levels.count(1)),
        )
    for before, after in pairwise(levels):
        if after > before + 1:
            yield Finding(
                "warning",
                "heading-order",
                Message("A heading of level %(after)s follows one of level %(before)s.", after=after, before=before),
            )
            break


def _check_legal_requirements(root: HtmlElement, postal_address: str) -> Iterator[Finding]:
    hrefs = {link.get("href") for link in root.iter("a")}
    if format_token("u_unsubscribe") not in hrefs:
        yield Finding(
            "error", "unsubscribe", Message("The mail has no link to unsubscribe. It must not be sent without one.")
        )
    if format_token("u_preferences") not in hrefs:
        yield Finding("error", "preferences", Message("The mail has no link to the reader’s choices."))
    if postal_address and join_lines(postal_address) not in tidy_line(root.text_content()):
        yield Finding(
            "error", "postal-address", Message("The organisation’s postal address is missing from the mail’s footer.")
        )


def check_contrast(root: HtmlElement) -> Iterator[Finding]:
    """Return one finding for each pair of colours whose contrast is below 4.5."""
    seen: set[tuple[str, str]] = set()
    stack: list[tuple[HtmlElement, str, str]] = [(root, "#000000", "#ffffff")]
    while stack:
        element, ink, ground = stack.pop()
        if not isinstance(element.tag, str) or element.tag in _SKIPPED:
            continue
        style = _declarations(element)
        if style.get("display", "").startswith("none"):
            continue
        ink = _colour(style.get("color", "")) or ink
        back = style.get("background-color") or style.get("background") or element.get("bgcolor") or ""
        ground = _colour(back) or ground
        text = (element.text or "") + "".join(child.tail or "" for child in element)
        if text.strip() and (ink, ground) not in seen and contrast(ink, ground) < MIN_CONTRAST_RATIO:
            seen.add((ink, ground))
            yield Finding(
                "error",
                "contrast",
                Message(
                    "“%(text)s” is hard to read: %(ink)s on %(ground)s has a contrast of %(ink_2)s, and "
                    "%(readable)s is needed. Choose a darker or a lighter colour.",
                    text=" ".join(text.split())[:60],
                    ink=ink,
                    ground=ground,
                    ink_2=f"{contrast(ink, ground):.1f}",
                    readable=MIN_CONTRAST_RATIO,
                ),
            )
        stack.extend((child, ink, ground) for child in reversed(element))


def _declarations(element: HtmlElement) -> dict[str, str]:
    pairs = (part.partition(":") for part in (element.get("style") or "").split(";"))
    return {name.strip().lower(): value.replace("!important", "").strip() for name, _, value in pairs if value}


def _colour(value: str) -> str:
    match = _HEX.search(value)
    return normalise_colour(match.group(), fallback="") if match else ""
