"""Replace personal fields in staff text, ``{{ first_name | default:"friend" }}``, with tokens.

Only staff text may have such fields: text of stories and events never goes through here.
"""

import html
import re
from difflib import get_close_matches

from newsletter.common.messages import Message
from newsletter.common.personal_tokens import format_token
from newsletter.rendering.clean_text import tidy_line
from newsletter.rendering.errors import MergeError
from newsletter.rendering.tokens import Context, TokenRegistry, escape_token_lookalikes

FIELDS = ("first_name", "name", "city", "region")
MAX_DEFAULT_LENGTH = 100
_EXAMPLE = '{{ first_name | default:"friend" }}'
_OPEN = re.compile(r"\{\{|\{%")
_FIELD = re.compile(
    r"""\{\{\s*(?P<name>[^\s|{}<>]+)\s*(?:\|\s*default\s*:\s*(?:"(?P<a>[^"{}<>]*)"|“(?P<b>[^”{}<>]*)”|'(?P<c>[^'{}<>]*)'|"""
    r"""‘(?P<d>[^’{}<>]*)’|„(?P<e>[^“{}<>]*)“|«(?P<f>[^»{}<>]*)»|&quot;(?P<g>[^{}<>]*?)&quot;|&\#34;(?P<h>[^{}<>]*?)&\#34;)\s*)?\}\}"""
)
_TAG = re.compile(r"<[^>]*>")
_IN_TAG = re.compile(r"\{\{|\{%|%7B%7B", re.IGNORECASE)


def merge_text(text: str, *, registry: TokenRegistry, block: str) -> str:
    """Return plain staff text with ``t`` tokens in place of its fields. Raise MergeError, with block and field."""
    return _merge(text, registry=registry, context="t", block=block)


def merge_as_html(text: str, *, registry: TokenRegistry, block: str) -> str:
    """Return plain staff text as HTML, with ``h`` tokens in place of its fields. Raise MergeError."""
    return _merge(html.escape(text, quote=False), registry=registry, context="h", block=block)


def merge_html(body: str, *, registry: TokenRegistry, block: str) -> str:
    """Return sanitised staff HTML with ``h`` tokens in place of its fields. Raise MergeError, also for one in a tag."""
    for tag in _TAG.finditer(body):
        if _IN_TAG.search(tag.group()):
            raise MergeError(
                Message(
                    "A personal field is inside a link or another tag. Use personal fields in text "
                    "only: take it out of the link’s address."
                ),
                text=tag.group()[:80],
                block=block,
            )
    return _merge(body, registry=registry, context="h", block=block)


def fill_defaults(text: str, *, block: str = "") -> str:
    """Return plain staff text with each field's default. Raise MergeError."""
    registry = TokenRegistry()
    merged = _merge(text, registry=registry, context="t", block=block)
    for token, variable in registry.variables.items():
        merged = merged.replace(format_token(token), variable.default)
    return merged


def show_defaults(text: str) -> str:
    """Return plain staff text with each field's default, or “…”, for lists and reports. An invalid field stays as it is."""

    def show(field: re.Match[str]) -> str:
        return (_find_quoted(field) or "…") if field["name"] in FIELDS else field[0]

    return _FIELD.sub(show, text).replace("\u2060", "")


def _merge(text: str, *, registry: TokenRegistry, context: Context, block: str) -> str:
    out: list[str] = []
    at = 0
    while opening := _OPEN.search(text, at):
        out.append(escape_token_lookalikes(text[at : opening.start()]))
        out.append(_token(text, opening.start(), registry=registry, context=context, block=block))
        at = text.index("}}", opening.start()) + 2
    out.append(escape_token_lookalikes(text[at:]))
    return "".join(out)


def _token(text: str, at: int, *, registry: TokenRegistry, context: Context, block: str) -> str:
    match = _FIELD.match(text, at)
    piece = text[at : at + 60]
    if match is None:
        raise MergeError(
            Message(
                "“%(piece)s” is not a personal field that the newsletter understands. Write it like "
                "%(example)s, or, to show the braces as text, put a space between them.",
                piece=piece,
                example=_EXAMPLE,
            ),
            text=piece,
            block=block,
        )
    name = match["name"]
    if name not in FIELDS:
        raise MergeError(_explain_unknown_field(name), text=match.group(), field=name, block=block)
    default = _read_default(match, piece=piece, context=context, block=block)
    return registry.token(name=name, default=escape_token_lookalikes(default), context=context)


def _explain_unknown_field(name: str) -> Message:
    near = get_close_matches(name.casefold().replace("-", "_"), FIELDS, n=1, cutoff=0.5)
    hint = (
        Message("Did you mean “%(near)s”?", near=near[0])
        if near
        else Message("The fields are %(fields)s.", fields=", ".join(FIELDS))
    )
    return Message("There is no personal field “%(name)s”. %(hint)s", name=name, hint=hint)


def _find_quoted(match: re.Match[str]) -> str:
    return next((match[group] for group in "abcdefgh" if match[group] is not None), "")


def _read_default(match: re.Match[str], *, piece: str, context: Context, block: str) -> str:
    """Return the text for people without the value. Raise MergeError if it is missing or too long."""
    name = match["name"]
    quoted = _find_quoted(match)
    default = tidy_line(html.unescape(quoted) if context == "h" else quoted)
    if not default:
        raise MergeError(
            Message(
                "The personal field “%(name)s” needs a default for people of whom it is not known. "
                'Write {{ %(name)s | default:"…" }}, for example %(example)s.',
                name=name,
                example=_EXAMPLE,
            ),
            text=match.group(),
            field=name,
            block=block,
        )
    if len(default) > MAX_DEFAULT_LENGTH:
        raise MergeError(
            Message(
                "The default of “%(name)s” is longer than %(longest_default)s characters. Use a word or two.",
                name=name,
                longest_default=MAX_DEFAULT_LENGTH,
            ),
            text=piece,
            field=name,
            block=block,
        )
    return default
