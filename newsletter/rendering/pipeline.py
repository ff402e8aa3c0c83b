"""Document to mail: templates, MJML, HTML with inlined styles, and the text part. Same document, same bytes."""

from pathlib import Path
from typing import Any

from jinja2 import Environment

from newsletter.rendering.blocks import (
    AppealBlock,
    Block,
    Button,
    Divider,
    Document,
    Events,
    ImageBlock,
    LeadStory,
    Note,
    Quote,
    Related,
    StoryCards,
)
from newsletter.rendering.colours import dark_palette, light_palette
from newsletter.rendering.compile import check_source, compile_mjml, inline_styles
from newsletter.rendering.errors import TemplateError
from newsletter.rendering.mail import RenderedMail, hash_mail
from newsletter.rendering.prepare import Prepared, prepare
from newsletter.rendering.templates import as_markup, default_templates, fill_template, make_environment
from newsletter.rendering.tokens import assert_tokens_kept, fence
from newsletter.rendering.words import word

KINDS: dict[type[Block], str] = {
    Note: "note",
    LeadStory: "lead_story",
    StoryCards: "story_cards",
    Events: "events",
    AppealBlock: "appeal",
    Related: "related",
    Quote: "quote",
    ImageBlock: "image",
    Button: "button",
    Divider: "divider",
}
_ROOMY = 95_000  # bytes of HTML beyond which stories after the first few show their titles alone
_FULL_CARDS = (1000, 12, 8, 4, 0)
_FILLER = "\u034f\u200c\u00a0" * 60
_NETWORKS = {"linkedin": "LinkedIn", "youtube": "YouTube", "tiktok": "TikTok", "x": "X", "whatsapp": "WhatsApp"}


def render(document: Document, *, templates: Path | None = None) -> RenderedMail:
    """The mail of one variant, with tokens for personal values. ``templates`` is a folder like ``templates/email``.

    Raises MergeError for a personal field that is not right, TemplateError for a block that cannot become HTML, and
    TokenLost where a step loses a personal value.
    """
    environment = make_environment((templates or default_templates()).resolve())
    prepared = prepare(document)
    html = ""
    for full_cards in _FULL_CARDS:
        html = _render_html(environment, prepared, full_cards=full_cards)
        if len(html.encode()) <= _ROOMY:
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


def kind_of(block: Block) -> str:
    """The name of a block's templates. Raises TemplateError for a block that has none."""
    if type(block) not in KINDS:
        raise TemplateError(f"There is no template for a block of type {type(block).__name__}.", block=block.key)
    return KINDS[type(block)]


def _render_html(environment: Environment, prepared: Prepared, *, full_cards: int) -> str:
    document = prepared.document
    context = _context(prepared, family="u") | {"full": full_cards}
    light = light_palette(
        colour=document.brand.colour, accent=document.brand.accent, background=document.brand.background
    )
    dark = dark_palette(colour=document.brand.colour, accent=document.brand.accent)
    rtl = document.direction == "rtl"
    context |= {"light": light, "dark": dark, "start": "right" if rtl else "left", "end": "left" if rtl else "right"}
    pieces: list[tuple[Block, str]] = []
    for position, block in enumerate(document.blocks):
        if isinstance(block, Note):
            check_source(block.body_html, block=block.key, kind=kind_of(block))
        piece = _fill_block(environment, "mjml", block, context | _extras(document, position))
        check_source(piece, block=block.key, kind=kind_of(block))
        pieces.append((block, piece))
    layout = context | {
        "blocks": [as_markup(piece) for _, piece in pieces],
        "preheader": prepared.preheader_html,
        "filler": _FILLER,
        "dark_rules": lambda at: as_markup(fill_template(environment, "parts/dark.css.j2", {"at": at, "dark": dark})),
    }
    mjml = fill_template(environment, "layouts/letter.mjml.j2", layout)
    try:
        html = compile_mjml(mjml)
    except TemplateError:
        for block, piece in pieces:
            shell = f"<mjml><mj-body>{piece}</mj-body></mjml>"
            compile_mjml(shell, block=block.key, kind=kind_of(block))
        raise
    return inline_styles(html)


def _render_text(environment: Environment, prepared: Prepared) -> str:
    document = prepared.document
    context = _context(prepared, family="t")
    blocks = [
        _fill_block(environment, "txt", block, context | _extras(document, position)).strip("\n")
        for position, block in enumerate(document.blocks)
    ]
    filled = fill_template(
        environment, "layouts/letter.txt.j2", context | {"blocks": [block for block in blocks if block]}
    )
    lines = [line.rstrip() for line in filled.split("\n")]
    kept = [line for at, line in enumerate(lines) if line or (at and lines[at - 1])]
    text = "\n".join(kept).strip("\n") + "\n"
    assert_tokens_kept(before=filled, after=text, step="text part")
    return text


def _fill_block(environment: Environment, part: str, block: Block, context: dict[str, Any]) -> str:
    kind = kind_of(block)
    return fill_template(
        environment, f"blocks/{kind}.{part}.j2", context | {"block": block}, block=block.key, kind=kind
    )


def _context(prepared: Prepared, *, family: str) -> dict[str, Any]:
    document = prepared.document
    return {
        "document": document,
        "brand": document.brand,
        "name": document.publication or document.brand.name,
        "title": prepared.title,
        "words": lambda key: word(key, document.language),
        "pills": _pills(document),
        "view_online": document.urls.get("view_online", ""),
        "preferences": fence(f"{family}_preferences"),
        "unsubscribe": fence(f"{family}_unsubscribe"),
    }


def _extras(document: Document, position: int) -> dict[str, Any]:
    """What a block shows beside its own fields: the heading given by us where the caller gave none, and its rule."""
    block, language = document.blocks[position], document.language
    ruled = position > 0 and not isinstance(document.blocks[position - 1], AppealBlock | Divider)
    extras: dict[str, Any] = {"ruled": ruled}
    match block:
        case StoryCards(heading=heading):
            after_lead = any(isinstance(before, LeadStory) for before in document.blocks[:position])
            extras["heading"] = heading or (word("more_stories", language) if after_lead else "")
        case Events(kind=kind, heading=heading, note=note, host_url=host_url):
            extras["heading"] = heading or word(f"events_{kind}", language)
            extras["note"] = note or (word("host_invitation", language) if kind == "host" else "")
            extras["host_url"] = host_url if kind == "host" else ""
        case Related(heading=heading):
            extras["heading"] = heading or word("related", language)
    return extras


def _pills(document: Document) -> list[tuple[str, str]]:
    brand, language = document.brand, document.language
    own = [
        (word("website", language), brand.website),
        (word("give", language), brand.donate_url),
        (word("donor_portal", language), brand.donor_portal_url),
    ]
    social = [(_NETWORKS.get(network.lower(), network[:1].upper() + network[1:]), url) for network, url in brand.social]
    return [(label, url) for label, url in own + social if label and url]
