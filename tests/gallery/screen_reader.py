"""Write what a screen reader says on a page, in its order, from Chromium's accessibility tree.

One line is one stop of a screen reader. What is never said is left out: layers of layout and soft hyphens. Names of roles
that differ between versions of Chromium are made equal. Text of invisible characters only is a line “blank”.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from playwright.sync_api import Page

Node = dict[str, Any]
Children = Callable[[Node], list[Node]]

NAMELESS = "WITHOUT A NAME"
_INVISIBLE = re.compile("[\u00ad\u034f\u200b-\u200f\u2060-\u2069\ufeff]")
_SPACE = re.compile(r"\s+")
_SAME_ROLES = {
    "img": "image",
    "gridcell": "cell",
    "LayoutTable": "table",
    "LayoutTableRow": "row",
    "LayoutTableCell": "cell",
}
_TRANSPARENT = frozenset(
    ("none", "generic", "GenericContainer", "Section", "Legend", "LabelText", "strong", "emphasis", "time", "Abbr")
) | frozenset(
    ("HeaderAsNonLandmark", "FooterAsNonLandmark", "SectionHeader", "SectionFooter", "sectionheader", "sectionfooter")
)
_SAID_ELSEWHERE = frozenset({"InlineTextBox", "ListMarker", "LineBreak", "MenuListPopup"})
_LINES = frozenset(
    {"heading", "paragraph", "listitem", "cell", "columnheader", "rowheader", "caption", "alert", "status"}
)
_CONTAINERS = frozenset(
    ("list", "article", "main", "navigation", "banner", "contentinfo", "complementary", "search", "region", "form")
) | frozenset(("group", "radiogroup", "figure", "blockquote", "table", "row", "rowgroup", "Details"))
_STATES = ("checked", "expanded", "required", "invalid", "disabled")


def read_aloud(page: Page) -> str:
    """Return what is heard on an open page, one line a stop."""
    session = page.context.new_cdp_session(page)
    try:
        nodes: list[Node] = session.send("Accessibility.getFullAXTree")["nodes"]
    finally:
        session.detach()
    by_id = {node["nodeId"]: node for node in nodes}

    def find_children(node: Node) -> list[Node]:
        return [by_id[one] for one in node.get("childIds", ()) if one in by_id]

    return "\n".join((f"page: {_name(nodes[0])}", *_list_lines(nodes[0], find_children, indent=""))) + "\n"


def _list_lines(node: Node, find_children: Children, *, indent: str) -> Iterator[str]:
    """Yield the lines of a node's children."""
    for child in find_children(node):
        role = _role(child)
        if role in _TRANSPARENT:
            yield from _list_lines(child, find_children, indent=indent)
        elif role in _LINES and not _holds_lines(child, find_children):
            yield f"{indent}{_label(child, find_children)}: {_write_line(child, find_children)}"
        elif role in _LINES | _CONTAINERS:
            name = "" if role == "listitem" else _name(child)
            yield f"{indent}{_label(child, find_children)}{f': {name}' if name else ''}"
            yield from _list_lines(child, find_children, indent=indent + "  ")
        elif role not in _SAID_ELSEWHERE and (said := _say(child, find_children)):
            yield f"{indent}{said}"


def _holds_lines(node: Node, find_children: Children) -> bool:
    """Return True if something within a line is a line of its own."""
    return any(
        _role(child) in _LINES | _CONTAINERS or (_role(child) in _TRANSPARENT and _holds_lines(child, find_children))
        for child in find_children(node)
    )


def _write_line(node: Node, find_children: Children) -> str:
    """Return the text of a line, with its links and images in brackets."""
    said = []
    for child in find_children(node):
        role = _role(child)
        if role == "StaticText":
            said.append(_raw_name(child))
        elif role == "LineBreak":
            said.append(" ")
        elif role in _TRANSPARENT:
            said.append(_write_line(child, find_children))
        elif role not in _SAID_ELSEWHERE:
            said.append(f"[{_say(child, find_children)}]")
    return _clean("".join(said)) or "blank"


def _say(node: Node, find_children: Children) -> str:
    """Return one stop: a text, a link, an image or a control with its state. Return "" for the space between elements."""
    role = _role(node)
    if role == "StaticText":
        raw = _raw_name(node)
        return f"text: {words}" if (words := _clean(raw)) else "blank" if raw.strip(" \t\n\r") else ""
    if role == "link" and any(_role(one) == "image" for one in _descend(node, find_children)):
        role = "link, image"
    states = "".join(_say_state(node, name) for name in _STATES)
    value = _clean(str(node.get("value", {}).get("value", "")))
    description = _clean(node.get("description", {}).get("value", ""))
    said = f"{role}{states}: {_name(node) or NAMELESS}"
    return said + (f" = {value}" if value else "") + (f" ({description})" if description else "")


def _say_state(node: Node, name: str) -> str:
    value = _find_property(node, name)
    if name in {"checked", "expanded"} and value is not None:
        return f", {name}" if value in (True, "true") else f", not {name}"
    return f", {name}" if value in (True, "true") else ""


def _label(node: Node, find_children: Children) -> str:
    match _role(node):
        case "heading":
            return f"heading {_find_property(node, 'level')}"
        case "paragraph":
            return "text"
        case "listitem":
            return "-"
        case "list":
            return f"list of {sum(_role(one) == 'listitem' for one in _descend(node, find_children))}"
        case role:
            return str(_find_property(node, "roledescription") or role)


def _find_property(node: Node, name: str) -> object:
    return next((one["value"].get("value") for one in node.get("properties", ()) if one["name"] == name), None)


def _descend(node: Node, find_children: Children) -> Iterator[Node]:
    for child in find_children(node):
        yield child
        yield from _descend(child, find_children)


def _role(node: Node) -> str:
    role = "none" if node["ignored"] else str(node["role"]["value"])
    return _SAME_ROLES.get(role, role)


def _name(node: Node) -> str:
    return _clean(_raw_name(node))


def _raw_name(node: Node) -> str:
    return str(node.get("name", {}).get("value", ""))


def _clean(text: str) -> str:
    return _SPACE.sub(" ", _INVISIBLE.sub("", text)).strip()
