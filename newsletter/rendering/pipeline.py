"""Render a document to a mail: templates, MJML, HTML with inlined styles, and the text part.

The same document makes the same bytes.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import filterfalse, takewhile
from pathlib import Path

from jinja2 import Environment, Template
from markupsafe import Markup, escape

from newsletter.common.messages import Message
from newsletter.rendering.blocks import Block, Document, EventCard, Events, Note, SchemaBlock, iter_pictures
from newsletter.rendering.clean_text import finish_lines, number_links
from newsletter.rendering.compile import check_source, compile_mjml, inline_styles, reserve_picture_space
from newsletter.rendering.errors import TemplateError
from newsletter.rendering.mail import RenderedMail, hash_mail
from newsletter.rendering.prepare import PreparedDocument, prepare
from newsletter.rendering.schemas import load_schemas
from newsletter.rendering.template_context import (
    build_block_context,
    build_document_context,
    build_style_context,
    find_template_kind,
)
from newsletter.rendering.templates import as_markup, default_templates, fill_template, make_environment
from newsletter.rendering.tokens import assert_tokens_kept
from newsletter.rendering.typography import add_soft_hyphens

# Above this size of HTML, stories after the first few show only their titles.
_SHORTEN_ABOVE_BYTES = 95_000
_FULL_STORY_LIMITS = (1000, 12, 8, 4, 0)
# Invisible characters after the preheader, so that inboxes do not show the beginning of the body there.
_PREHEADER_FILLER = "\u034f\u200c\u00a0" * 60
_DARK_RULES = "parts/dark.css.j2"
_MARK = re.compile(r'<div data-block="[^"]*" hidden(?:="")?></div>')
LAYOUTS = ("letter", "plain", "events_first", "digest", "announcement", "event_notice", "appeal")


def render(document: Document, *, templates: Path | None = None, marked: bool = False) -> RenderedMail:
    """Return the mail of one variant, with tokens for personal values. ``templates`` is a folder like ``templates/email``.

    ``marked`` puts a hidden element before each block, and one after the last, for a page that shows where they are.
    Nobody is sent such a mail.
    Raise MergeError for a wrong personal field, TemplateError for a block that cannot become HTML, and TokenLostError
    if a step loses a personal value.
    """
    folder = (templates or default_templates()).resolve()
    environment = make_environment(folder)
    if document.layout not in LAYOUTS:
        raise TemplateError(
            Message(
                "There is no layout “%(layout)s”. Choose one of %(layouts)s.",
                layout=document.layout,
                layouts=", ".join(LAYOUTS),
            )
        )
    prepared = prepare(_arrange(document), schemas=load_schemas(folder if templates else None))
    html, in_html = "", _hyphenate(prepared)
    for max_full_stories in _FULL_STORY_LIMITS:
        html = _render_html(environment, in_html, max_full_stories=max_full_stories, marked=marked)
        if len(_MARK.sub("", html).encode()) <= _SHORTEN_ABOVE_BYTES:
            break
    text = _render_text(environment, prepared)
    variables = prepared.variables.sorted_variables()
    return RenderedMail(
        subject=prepared.subject,
        preheader=prepared.preheader,
        html=html,
        text=text,
        variables=variables,
        sha256=hash_mail(subject=prepared.subject, html=html, text=text, variables=variables),
    )


def _arrange(document: Document) -> Document:
    """Return the document with the blocks in the order of its layout: “events first” has events after the greeting."""
    if document.layout != "events_first":
        return document
    greeting = tuple(takewhile(lambda block: isinstance(block, Note), document.blocks))
    blocks = document.blocks[len(greeting) :]
    return replace(document, blocks=(*greeting, *filter(_has_event, blocks), *filterfalse(_has_event, blocks)))


def _has_event(block: Block) -> bool:
    return isinstance(block, EventCard) or (isinstance(block, Events) and bool(block.events))


def _hyphenate(prepared: PreparedDocument) -> PreparedDocument:
    """Return the document for HTML, with soft hyphens in long words."""
    document = prepared.document
    softened = {
        name: add_soft_hyphens(getattr(document, name), language=document.language)
        for name in ("blocks", "headline", "publication", "reason")
    }
    return replace(prepared, document=replace(document, **softened))


def _render_html(environment: Environment, prepared: PreparedDocument, *, max_full_stories: int, marked: bool) -> str:
    document = prepared.document
    style = build_style_context(document)
    context = build_document_context(prepared, family="u") | style | {"full": max_full_stories}
    pieces: list[tuple[Block, str]] = []
    for position, block in enumerate(document.blocks):
        for html in _list_staff_html(block):
            check_source(html, block=block.key, kind=find_template_kind(block))
        piece = _fill_block(
            environment, "mjml", block, context | build_block_context(document, position), layout=document.layout
        )
        check_source(piece, block=block.key, kind=find_template_kind(block))
        pieces.append((block, piece))
    marked_pieces = [f"{_mark(block.key)}{piece}" if marked else piece for block, piece in pieces]
    layout = context | {
        "blocks": [as_markup(piece) for piece in ([*marked_pieces, _mark("")] if marked else marked_pieces)],
        "preheader": prepared.preheader_html,
        "filler": _PREHEADER_FILLER,
        "dark_rules": lambda at: _fill_dark_rules(
            environment, environment.get_template(_DARK_RULES), style["dark"], at
        ),
    }
    mjml = fill_template(environment, f"layouts/{document.layout}.mjml.j2", layout)
    try:
        html = compile_mjml(mjml)
    except TemplateError:
        for block, piece in pieces:
            shell = f"<mjml><mj-body>{piece}</mj-body></mjml>"
            compile_mjml(shell, block=block.key, kind=find_template_kind(block))
        raise
    return reserve_picture_space(inline_styles(html), pictures=iter_pictures((document.brand, document.blocks)))


@lru_cache(maxsize=100)
def _fill_dark_rules(environment: Environment, template: Template, dark: object, at: str) -> Markup:
    """Return the rules for dark mode, each after ``at``. The environment makes another template if the file changes."""
    return as_markup(fill_template(environment, str(template.name), {"dark": dark, "at": at}))


def _mark(key: str) -> str:
    # The compiler drops the indentation of a block only after a line break.
    return f'<mj-raw><div data-block="{escape(key)}" hidden></div></mj-raw>\n'


def _render_text(environment: Environment, prepared: PreparedDocument) -> str:
    document = prepared.document
    context = build_document_context(prepared, family="t")
    blocks = [
        _fill_block(
            environment, "txt", block, context | build_block_context(document, position), layout=document.layout
        ).strip("\n")
        for position, block in enumerate(document.blocks)
    ]
    links: list[str] = []
    if document.brand.text_links == "end" and document.personal:
        blocks = [number_links(block, links=links) for block in blocks]
    filled = fill_template(
        environment,
        f"layouts/{document.layout}.txt.j2",
        context | {"blocks": [block for block in blocks if block], "links": links},
    )
    text = finish_lines(filled)
    assert_tokens_kept(before=filled, after=text, step=Message("text part"))
    return text


def _fill_block(
    environment: Environment, part: str, block: Block, context: Mapping[str, object], *, layout: str
) -> str:
    """Return one filled block, by the template of the layout if it has one of its own."""
    kind = find_template_kind(block)
    layout_template = f"layouts/{layout}/{kind}.{part}.j2"
    return fill_template(
        environment, f"blocks/{kind}.{part}.j2", context, instead=(layout_template,), block=block.key, kind=kind
    )


def _list_staff_html(block: Block) -> list[str]:
    """Return the HTML that staff wrote. It is checked before it becomes a part of ours."""
    match block:
        case Note(body_html=html):
            return [html]
        case SchemaBlock(values=values):
            return [value["html"] for value in values.values() if isinstance(value, dict)]
        case _:
            return []
