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
    """An opening or closing tag. ``inside`` are the names open around it, ``problem`` is why it cannot stand there.

    ``line`` counts from 1 and is known for problems alone (0: it is the end of the text that is at problem).
    """

    name: str
    line: int
    inside: tuple[str, ...]
    problem: str = ""


def walk_tags(source: str, *, max_depth: int) -> Iterator[Tag]:
    """Each opening tag, and each problem: a wrong closing tag, nesting beyond ``max_depth``, a tag that is never closed.

    Stops at the first problem. Comments, and what stands in style, script and title, are passed over.
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
        if len(stack) > max_depth:
            yield Tag(name, _line(source, match), inside, f"nests more than {max_depth} tags in each other")
            return
    if stack:
        yield Tag(stack[-1], 0, tuple(stack), f"never closes <{stack[-1]}>")


def _line(source: str, match: re.Match[str]) -> int:
    return source.count("\n", 0, match.start()) + 1


def find_tag_problem(source: str, *, max_depth: int = 1000) -> Tag | None:
    """The first tag that cannot stand where it does, or None."""
    return next((tag for tag in walk_tags(source, max_depth=max_depth) if tag.problem), None)
