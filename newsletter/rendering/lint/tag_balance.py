"""Find tags that do not close in order, for mail programs and for Outlook, which reads text that others skip as comments."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.common.messages import Message
from newsletter.rendering.lint.findings import Finding

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
_TAG = re.compile(
    r"<!--.*?-->|<(?P<close>/?)(?P<name>[A-Za-z][\w:-]*+)(?:[^>\"'/]++|\"[^\"]*+\"|'[^']*+'|/(?!>))*+(?P<empty>/?)>",
    re.DOTALL,
)
_RAW = re.compile(r"(<(style|script|title)\b[^>]*>).*?(</\2>)", re.DOTALL | re.IGNORECASE)
_NOT_OUTLOOK = re.compile(r"<!--\[if !mso[^\]]*\]><!-->.*?<!--<!\[endif\]-->", re.DOTALL)
_OUTLOOK = re.compile(r"<!--\[if [^\]]*\]>(.*?)<!\[endif\]-->", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
MAX_DEPTH = 1000


@dataclass(frozen=True)
class Tag:
    """An opening tag or a problem. ``inside`` are the names of the open tags around it.

    ``line`` counts from 1; it is 0 for a tag without problem, and for one that is never closed.
    """

    name: str
    line: int
    inside: tuple[str, ...]
    problem: str = ""


def walk_tags(source: str, *, max_depth: int) -> Iterator[Tag]:
    """Return each opening tag, up to the first problem: a wrong or missing closing tag, or nesting beyond ``max_depth``.

    Comments, and the content of style, script and title, are skipped.
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
                around = f"<{inside[-1]}>" if inside else Message("no tag")
                yield Tag(
                    name,
                    _find_line(source, match),
                    inside,
                    Message("closes <%(name)s> while %(around)s is open", name=name, around=around),
                )
                return
            continue
        yield Tag(name, 0, inside)
        if match["empty"] or name in VOID:
            continue
        stack.append(name)
        if len(stack) > max_depth:
            yield Tag(
                name,
                _find_line(source, match),
                inside,
                Message("nests more than %(max_depth)s tags", max_depth=max_depth),
            )
            return
    if stack:
        yield Tag(stack[-1], 0, tuple(stack), Message("never closes <%(name)s>", name=stack[-1]))


def _find_line(source: str, match: re.Match[str]) -> int:
    return source.count("\n", 0, match.start()) + 1


def find_tag_problem(source: str, *, max_depth: int = MAX_DEPTH) -> Tag | None:
    """Return the first tag with a problem, or None."""
    return next((tag for tag in walk_tags(source, max_depth=max_depth) if tag.problem), None)


def check_balance(html: str) -> Iterator[Finding]:
    """Return findings on tag balance, stray Outlook conditions and links inside links."""
    plain, outlook = view_for_others(html), view_for_outlook(html)
    for view, name in ((plain, Message("mail programs")), (outlook, "Outlook")):
        if "<![endif]" in view or "<!--" in view or "-->" in view:
            yield Finding(
                "error",
                "stray-condition",
                Message("For %(name)s, an Outlook condition is opened or closed twice.", name=name),
            )
        elif problem := find_tag_problem(view, max_depth=MAX_DEPTH):
            yield Finding(
                "error",
                "tag-balance",
                Message(
                    "For %(name)s, the HTML %(problem)s (line %(line)s).",
                    name=name,
                    problem=problem.problem,
                    line=problem.line,
                ),
            )
    if any(tag.name == "a" and "a" in tag.inside for tag in walk_tags(plain, max_depth=MAX_DEPTH)):
        yield Finding(
            "error",
            "nested-link",
            Message("A link is inside another link, so only one of them would work. Separate them."),
        )


def view_for_outlook(html: str) -> str:
    """Return the HTML as classic Outlook reads it."""
    return _COMMENT.sub("", _OUTLOOK.sub(r"\1", _NOT_OUTLOOK.sub("", html)))


def view_for_others(html: str) -> str:
    """Return the HTML as all other mail programs read it."""
    return _COMMENT.sub("", html)
