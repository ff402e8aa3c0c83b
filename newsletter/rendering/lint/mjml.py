"""Checks the MJML that contributors write, file by file: elements, attributes, values, nesting, and the compiler's traps.

The compiler itself says nothing of any of these, or says it without a line. It reads templates; it fills none.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from newsletter.rendering.lint.mjml_values import check_value

_TABLE = Path(__file__).with_name("mjml_table.json")
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>mjml|mj-[\w-]*)(?P<rest>(?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(?P<empty>/?)>", re.DOTALL
)
_ATTRIBUTE = re.compile(r"""(?P<name>[\w:-]+)\s*=\s*(?:"(?P<value>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'>]+))""")
FILLED_MARK = "\x00"
"""Stands in a template's text wherever a value is filled in, so that what depends on it is not judged."""
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
    """``file`` is relative to the folder, ``line`` counts from 1."""

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
    """Every problem of every ``.mjml.j2`` file under a folder like ``templates/email``."""
    found: list[MjmlProblem] = []
    for path in sorted(folder.rglob("*.mjml.j2")):
        source = path.read_text(encoding="utf-8")
        root = {"blocks": "mj-body", "layouts": ""}.get(path.parent.name)
        if root == "" and "{% extends" in source:
            root = "mj-body"
        name = path.relative_to(folder).as_posix()
        found += [MjmlProblem(name, line, problem) for line, problem in check_mjml(source, inside=root)]
    return found


def check_mjml(source: str, *, inside: str | None) -> Iterator[tuple[int, str]]:
    """(line, problem) of one template. ``inside`` is the element that it stands in, "" for none, None for unknown."""
    text = _JINJA.sub(_blank_out_jinja, source)
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
            yield f"<{name}> stands outside <mjml>"
        return
    if parent == "mj-wrapper" and name == "mj-raw":
        yield "<mj-raw> in <mj-wrapper> ends up among Outlook's conditions. Put it outside"
        return
    allowed = table[parent]["children"] if parent in table else []
    if parent == "mj-class":
        yield "<mj-class> can hold no defaults for other elements"
    elif allowed is not None and name not in allowed:
        places = sorted(other for other, row in table.items() if row["children"] and name in row["children"])
        where = f". It stands in {', '.join(f'<{place}>' for place in places[:4])}" if places else ""
        yield f"<{name}> cannot stand in <{parent}>{where}"


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
    elif FILLED_MARK not in value and (problem := check_value(known[name], value)):
        yield f"{name} of <{element}>: {problem}"


def _blank_out_jinja(match: re.Match[str]) -> str:
    """Jinja out of the way, line for line; what fills in a value leaves a mark."""
    mark = FILLED_MARK if match.group().startswith("{{") else " "
    return "".join("\n" if char == "\n" else mark for char in match.group())


def _suggest_name(word: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


@cache
def _read_table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return table


def _all_attributes(table: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: kind for row in table.values() for name, kind in row["attributes"].items()}
