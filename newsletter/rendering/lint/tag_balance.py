"""Whether tags close in order, for mail programs and for Outlook, which reads what others take for comments."""

import re
from collections.abc import Iterator

from newsletter.common.messages import Message
from newsletter.rendering.lint.findings import Finding
from newsletter.rendering.lint.tags import find_tag_problem, walk_tags

_NOT_OUTLOOK = re.compile(r"<!--\[if !mso[^\]]*\]><!-->.*?<!--<!\[endif\]-->", re.DOTALL)
_OUTLOOK = re.compile(r"<!--\[if [^\]]*\]>(.*?)<!\[endif\]-->", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_MAX_DEPTH = 1000


def check_balance(html: str) -> Iterator[Finding]:
    """Findings on tag balance, stray conditions and links inside links."""
    plain, outlook = view_for_others(html), view_for_outlook(html)
    for view, name in ((plain, Message("mail programs")), (outlook, "Outlook")):
        if "<![endif]" in view or "<!--" in view or "-->" in view:
            yield Finding(
                "error",
                "stray-condition",
                Message("For %(name)s, an Outlook condition is opened or closed twice.", name=name),
            )
        elif problem := find_tag_problem(view, max_depth=_MAX_DEPTH):
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
    if any(tag.name == "a" and "a" in tag.inside for tag in walk_tags(plain, max_depth=_MAX_DEPTH)):
        yield Finding(
            "error", "nested-link", Message("A link stands inside another link: only one of them would work.")
        )


def view_for_outlook(html: str) -> str:
    """The HTML as classic Outlook reads it."""
    return _COMMENT.sub("", _OUTLOOK.sub(r"\1", _NOT_OUTLOOK.sub("", html)))


def view_for_others(html: str) -> str:
    """The HTML as every other mail program reads it."""
    return _COMMENT.sub("", html)
