"""Tags of MJML and HTML one by one, in the order of the text: whether they close in order. It repairs nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
_TAG = re.compile(
    r"<!--.*?-->|<(?P<close>/?)(?P<name>[A-Za-z][\w:-]*)(?:[^>\"']|\"[^\"]*\"|'[^']*')*?(?P<empty>/?)>", re.DOTALL
)
_RAW = re.compile(r"(<(style|script|title)\b[^>]*>).*?(</\2>)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Tag:
    """An opening or closing tag. ``inside`` are the names open around it, ``fault`` is why it cannot stand there.

    ``line`` counts from 1 and is known for faults alone (0: it is the end of the text that is at fault).
    """

    name: str
    line: int
    inside: tuple[str, ...]
    fault: str = ""


def walk_tags(source: str, *, deepest: int) -> Iterator[Tag]:
    """Each opening tag, and each fault: a wrong closing tag, nesting beyond ``deepest``, a tag that is never closed.

    Stops at the first fault. Comments, and what stands in style, script and title, are passed over.
    """
    source = _RAW.sub(lambda match: match[1] + "\n" * match.group().count("\n") + match[3], source)
    stack: list[str] = []
    for match in _TAG.finditer(source):
        name = (match["name"] or "").lower()
        if not name:
            continue
        inside = tuple(stack)
        if match["close"]:
            if not stack or stack.pop() != name:
                around = f"<{inside[-1]}>" if inside else "nothing"
                yield Tag(name, _line(source, match), inside, f"closes <{name}> where {around} is open")
                return
            continue
        yield Tag(name, 0, inside)
        if match["empty"] or name in VOID:
            continue
        stack.append(name)
        if len(stack) > deepest:
            yield Tag(name, _line(source, match), inside, f"nests more than {deepest} tags in each other")
            return
    if stack:
        yield Tag(stack[-1], 0, tuple(stack), f"never closes <{stack[-1]}>")


def _line(source: str, match: re.Match[str]) -> int:
    return source.count("\n", 0, match.start()) + 1


def find_fault(source: str, *, deepest: int = 1000) -> Tag | None:
    """The first tag that cannot stand where it does, or None."""
    return next((tag for tag in walk_tags(source, deepest=deepest) if tag.fault), None)
