"""Lint the MJML of mail templates: elements, attributes, values, nesting, and what the compiler gets wrong.

The compiler accepts most of these errors silently, or reports them without a line. Run it on a folder of templates:

    python -m tests.gallery.mjml_lint [templates/email]
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from newsletter.rendering.templates import default_templates

_TABLE = Path(__file__).with_name("mjml_table.json")
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>mjml|mj-[\w-]*)(?P<rest>(?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(?P<empty>/?)>", re.DOTALL
)
_ATTRIBUTE = re.compile(r"""(?P<name>[\w:-]+)\s*=\s*(?:"(?P<value>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'>]+))""")
# It replaces each value that a template fills in, so that attributes with such a value are not checked.
FILLED_MARK = "\x00"
_UNIT = re.compile(r"unit(?P<negative>WithNegative)?\((?P<units>[^)]*)\)(?:\{(?P<min_count>\d),(?P<max_count>\d)\})?")
_ENUM = re.compile(r"enum\((.*)\)")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}|transparent|inherit|rgba?\([\d.,%\s]+\)")
_SHORT = re.compile(r"#[0-9a-fA-F]{3}")
_UNSUPPORTED_ELEMENTS = {
    "mj-include": "loses the widths of what it includes. Use {% include %}",
    "mj-html-attributes": "is not known to the compiler. Write the attribute where it belongs",
    "mj-selector": "is not known to the compiler. Write the attribute where it belongs",
}
_INEFFECTIVE_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "mj-body": frozenset({"id"}),
    "mj-hero": frozenset({"border-radius", "inner-padding"}),
    "mj-button": frozenset({"title"}),
    "mj-image": frozenset({"sizes", "border-top", "border-bottom", "border-left", "border-right"}),
    "mj-table": frozenset({"role"}),
    "mj-wrapper": frozenset({"gap"}),
    "mj-social-element": frozenset({"icon-position", "srcset", "sizes"}),
}


@dataclass(frozen=True)
class MjmlProblem:
    """One problem of a template. ``file`` is relative to the folder, ``line`` counts from 1."""

    file: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.problem}."


@dataclass(frozen=True)
class _Element:
    name: str
    line: int
    attributes: str


def check_templates(folder: Path) -> list[MjmlProblem]:
    """Return the problems of all ``.mjml.j2`` files under a folder like ``templates/email``."""
    found: list[MjmlProblem] = []
    for path in sorted(folder.rglob("*.mjml.j2")):
        source = path.read_text(encoding="utf-8")
        root = {"blocks": "mj-body", "layouts": ""}.get(path.parent.name)
        if path.parent.parent.name == "layouts":
            root = "mj-body"
        if root == "" and "{% extends" in source:
            root = "mj-body"
        name = path.relative_to(folder).as_posix()
        found += [MjmlProblem(name, line, problem) for line, problem in check_mjml(source, inside=root)]
    return found


def check_mjml(source: str, *, inside: str | None) -> Iterator[tuple[int, str]]:
    """Return (line, problem) pairs of one template. ``inside`` is its parent element, "" for none, None if unknown."""
    text = _JINJA.sub(_blank_jinja, source)
    stack: list[str | None] = [inside]
    for match in _TAG.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        name = match["name"]
        if match["close"]:
            if len(stack) > 1 and stack[-1] == name:
                stack.pop()
            else:
                yield line, f"</{name}> closes where {f'<{stack[-1]}>' if stack[-1] else 'nothing'} is open"
                return
            continue
        yield from _check_element(_Element(name, line, match["rest"]), parent=stack[-1])
        if not match["empty"]:
            stack.append(name)
    if len(stack) > 1:
        yield text.count("\n") + 1, f"<{stack[-1]}> is never closed"


def _check_element(element: _Element, *, parent: str | None) -> Iterator[tuple[int, str]]:
    table, name, line = _read_table(), element.name, element.line
    if name in _UNSUPPORTED_ELEMENTS:
        yield line, f"<{name}> {_UNSUPPORTED_ELEMENTS[name]}"
        return
    if name not in table and not (parent == "mj-attributes" and name in {"mj-all", "mj-class"}):
        yield line, f"there is no element <{name}>{_suggest_name(name, table)}"
        return
    yield from ((line, problem) for problem in _check_nesting(name, parent, table))
    known = table.get(name, {}).get("attributes", {})
    for match in _ATTRIBUTE.finditer(element.attributes):
        at = line + element.attributes.count("\n", 0, match.start())
        if match["single"] is not None or match["bare"] is not None:
            yield at, f"{match['name']} of <{name}> must stand in double quotes"
            continue
        if parent == "mj-attributes":
            if name == "mj-class":
                continue
            known = known or _all_attributes(table)
        for problem in _check_attribute(name, match["name"], match["value"], known):
            yield at, problem


def _check_nesting(name: str, parent: str | None, table: Mapping[str, Any]) -> Iterator[str]:
    if parent is None or (parent and parent not in table and parent != "mj-class"):
        return
    if parent == "":
        if name != "mjml":
            yield f"<{name}> is outside <mjml>"
        return
    if parent == "mj-wrapper" and name == "mj-raw":
        yield "<mj-raw> in <mj-wrapper> ends up among Outlook's conditions. Put it outside"
        return
    allowed = table[parent]["children"] if parent in table else []
    if parent == "mj-class":
        yield "<mj-class> can hold no defaults for other elements"
    elif allowed is not None and name not in allowed:
        places = sorted(other for other, row in table.items() if row["children"] and name in row["children"])
        hint = f". It belongs in {', '.join(f'<{place}>' for place in places[:4])}" if places else ""
        yield f"<{name}> cannot stand in <{parent}>{hint}"


def _check_attribute(element: str, name: str, value: str, known: Mapping[str, str]) -> Iterator[str]:
    if name not in known:
        yield f"<{element}> has no attribute {name}{_suggest_name(name, known)}"
    elif name in _INEFFECTIVE_ATTRIBUTES.get(element, frozenset()):
        yield f"{name} of <{element}> has no effect with the compiler in use. Take it out"
    elif name == "mj-class" and len(value.split()) > 1:
        yield f"<{element}> has several mj-class names, of which compilers take different ones. Give it one"
    elif element == "mj-style" and name == "inline":
        yield "inline of <mj-style> has no effect. Begin the style with /*inline*/ instead"
    elif element == "mj-hero" and name == "mode" and value == "fluid-height":
        yield 'mode="fluid-height" of <mj-hero> comes out broken. Use fixed-height'
    elif FILLED_MARK not in value and (problem := _check_value(known[name], value)):
        yield f"{name} of <{element}>: {problem}"


def _blank_jinja(match: re.Match[str]) -> str:
    """Return blanks for a piece of Jinja, with its line ends, and a mark if it fills in a value."""
    mark = FILLED_MARK if match.group().startswith("{{") else " "
    return "".join("\n" if char == "\n" else mark for char in match.group())


def _suggest_name(name: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


@cache
def _read_table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return table


def _all_attributes(table: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: kind for row in table.values() for name, kind in row["attributes"].items()}


def _check_value(kind: str, value: str) -> str:
    """Return what is wrong with a value of an MJML type, such as unit(px,%){1,4} or enum(…), or ""."""
    if match := _UNIT.fullmatch(kind):
        return _check_units(value, match)
    if match := _ENUM.fullmatch(kind):
        options = match[1].split(",")
        return "" if value in options else f"“{value}” is none of {', '.join(filter(None, options))}"
    if kind == "color":
        if _SHORT.fullmatch(value):
            return f"write “{value}” with six digits, which Outlook needs"
        return "" if _COLOUR.fullmatch(value) else f"“{value}” is not a colour such as #1f4e5f"
    if kind == "integer":
        return "" if value.isdigit() else f"“{value}” is not a whole number"
    if kind == "boolean":
        return "" if value in {"true", "false"} else f"“{value}” is neither true nor false"
    return ""


def _check_units(value: str, kind: re.Match[str]) -> str:
    parts = value.split()
    if not int(kind["min_count"] or 1) <= len(parts) <= int(kind["max_count"] or 1):
        return f"“{value}” has {len(parts)} lengths"
    units = kind["units"].split(",")
    sign = "-?" if kind["negative"] else ""
    keywords = [unit for unit in units if unit.isalpha() and unit not in {"px", "em"}]
    suffixes = "|".join(re.escape(unit) for unit in units if unit not in keywords)
    for part in parts:
        if part == "0" and "" not in units:
            return "write 0px for 0: the compiler drops the whole value otherwise"
        if part not in keywords and not re.fullmatch(rf"{sign}\d+(?:\.\d+)?(?:{suffixes})", part):
            return f"“{part}” is not a length such as 10{units[0]}"
    return ""


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default_templates()
    problems = check_templates(folder)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
