"""Check that a logo is SVG Tiny PS, the only form that BIMI allows."""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from newsletter.common.messages import Message, Quantity

MAX_BYTES = 32_768
_SVG = "{http://www.w3.org/2000/svg}"
_FORBIDDEN = frozenset(
    {
        "script",
        "image",
        "foreignObject",
        "animate",
        "animateTransform",
        "animateMotion",
        "animateColor",
        "set",
        "handler",
    }
    | {"a", "audio", "video", "filter", "style", "iframe", "listener"}
)
_NUMBER = re.compile(r"[+-]?\d{0,9}(?:\.\d{1,9})?")
_OUTSIDE = re.compile(r"url\(\s*['\"]?(?!\s*['\"]?#)", re.IGNORECASE)


def find_logo_problems(raw: bytes) -> list[Message]:
    """Return what keeps a logo from being used, [] if nothing does."""
    if len(raw) > MAX_BYTES:
        return [
            Message("it has %(size)s bytes, more than %(limit)s", size=Quantity(len(raw)), limit=Quantity(MAX_BYTES))
        ]
    try:
        root = fromstring(raw, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return [Message("it is not readable XML, or it has a document type or entities")]
    if root.tag != f"{_SVG}svg":
        return [Message("it is not an SVG image")]
    return [*_check_root(root), *_check_elements(root)]


def _check_root(root: Element) -> Iterator[Message]:
    if root.get("baseProfile") != "tiny-ps":
        yield Message('it lacks baseProfile="tiny-ps"')
    if root.get("version") != "1.2":
        yield Message('it lacks version="1.2"')
    if root.get("x") is not None or root.get("y") is not None:
        yield Message("its first element has x or y")
    title = root.find(f"{_SVG}title")
    if title is None or not (title.text or "").strip():
        yield Message("it has no title")
    box = (root.get("viewBox") or "").replace(",", " ").split()
    if len(box) != 4 or not all(_NUMBER.fullmatch(part) and part.strip("+-.") for part in box):
        yield Message("it has no viewBox")
    elif float(box[2]) != float(box[3]) or float(box[2]) <= 0:
        yield Message("its viewBox is not square")


def _check_elements(root: Element) -> Iterator[Message]:
    """Yield the first forbidden element, the first script and the first reference to something outside."""
    names = {element.tag.rpartition("}")[2] for element in root.iter() if isinstance(element.tag, str)}
    if forbidden := sorted(names & _FORBIDDEN):
        yield Message("it has the forbidden element <%(name)s>", name=forbidden[0])
    attributes = [(name.rpartition("}")[2], value) for element in root.iter() for name, value in element.attrib.items()]
    if any(name.lower().startswith("on") for name, _ in attributes):
        yield Message("it has a script in an attribute")
    if any(
        (name == "href" and not value.strip().startswith("#")) or _OUTSIDE.search(value) for name, value in attributes
    ):
        yield Message("it refers to something outside the file")
