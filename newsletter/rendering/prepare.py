"""Clean a document for the templates: tidy text, safe links, tokens in place of personal fields.

Every text field of every block is cleaned by its name, so that a field added later is cleaned too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from html import unescape
from typing import Any, TypeVar

from markupsafe import Markup

from newsletter.common.messages import Message
from newsletter.rendering.amounts import list_currency_codes, parse_amount, parse_day
from newsletter.rendering.block_schema import BlockSchema, FieldSchema, blank_value
from newsletter.rendering.blocks import Block, Brand, Document, Picture, SchemaBlock
from newsletter.rendering.clean_text import (
    join_lines,
    safe_picture_url,
    safe_url,
    shorten,
    tidy_line,
    tidy_lines,
    tidy_paragraphs,
)
from newsletter.rendering.colours import normalise_colour
from newsletter.rendering.errors import TemplateError
from newsletter.rendering.merge import fill_defaults, merge_as_html, merge_html, merge_text
from newsletter.rendering.schemas import load_schemas
from newsletter.rendering.templates import as_markup
from newsletter.rendering.tokens import TokenRegistry, escape_token_lookalikes

MAX_LENGTHS = {"title": 200, "headline": 200, "subject": 500, "heading": 200, "topic": 80, "label": 80, "button": 80}
MAX_LENGTHS |= {"teaser": 320, "where": 200, "when": 200, "distance": 80, "day": 4, "month": 12, "who": 200, "alt": 400}
_PARAGRAPH_FIELDS = frozenset({"text", "note", "reason"})
_LINK_PAIR_FIELDS = frozenset({"links", "social"})
_LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_MAX_PICTURE_WIDTH = 4000
_MAX_CORNER_RADIUS = 24
MASTHEADS = ("plain", "band", "rule")
_DEFAULT_BRAND = Brand(name="")
_Data = TypeVar("_Data", Block, Brand)


@dataclass(frozen=True)
class PreparedDocument:
    """The input of a layout. Names that end in ``_html`` are HTML with h tokens; the other texts have t tokens."""

    document: Document
    title: str
    subject: str
    preheader: str
    preheader_html: Markup
    summary: str
    summary_html: Markup
    variables: TokenRegistry


def prepare(document: Document, *, schemas: Mapping[str, BlockSchema] | None = None) -> PreparedDocument:
    """Return the cleaned document. ``schemas`` are those of the templates in use.

    Raise MergeError, with the block, for a wrong personal field, and TemplateError for a block without a schema.
    """
    schemas = load_schemas() if schemas is None else schemas
    registry = TokenRegistry() if document.personal else TokenRegistry(variables={})
    subject, preheader = tidy_line(document.subject), tidy_line(document.preheader)
    summary = preheader if document.summary is None else tidy_line(document.summary)
    cleaned = replace(
        document,
        brand=_clean_brand(document.brand),
        blocks=tuple(
            _clean_schema_block(block, registry, schemas)
            if isinstance(block, SchemaBlock)
            else _clean_block(block, registry)
            for block in document.blocks
        ),
        headline=_clean_text("title", fill_defaults(document.headline, block="headline")),
        edition=_clean_text("title", document.edition),
        publication=_clean_text("title", document.publication),
        direction="rtl" if document.direction == "rtl" else "ltr",
        language=tidy_line(document.language) or "en",
        reason=_clean_text("reason", document.reason),
        urls={name: _clean_url(url) for name, url in document.urls.items()},
    )
    return PreparedDocument(
        document=cleaned,
        title=escape_token_lookalikes(fill_defaults(subject, block="subject")),
        subject=merge_text(subject, registry=registry, block="subject"),
        preheader=merge_text(preheader, registry=registry, block="preheader"),
        preheader_html=as_markup(merge_as_html(preheader, registry=registry, block="preheader")),
        summary=merge_text(summary, registry=registry, block="preheader"),
        summary_html=as_markup(merge_as_html(summary, registry=registry, block="preheader")),
        variables=registry,
    )


def _clean_block(block: Block, registry: TokenRegistry) -> Block:
    merged: dict[str, str] = {}
    if hasattr(block, "body_html"):
        merged["body_html"] = as_markup(merge_html(tidy_lines(block.body_html), registry=registry, block=block.key))
    if hasattr(block, "body_html") and hasattr(block, "body_text"):
        text = tidy_lines(block.body_text)
        text += _list_missing_links(block.body_html, of=text)
        merged["body_text"] = merge_text(text, registry=registry, block=block.key)
    return _clean_data(block, overrides=merged)


def _clean_schema_block(block: SchemaBlock, registry: TokenRegistry, schemas: Mapping[str, BlockSchema]) -> SchemaBlock:
    schema = schemas.get(block.kind)
    if schema is None:
        raise TemplateError(
            Message("There is no template for a block of the kind “%(kind)s”.", kind=block.kind), block=block.key
        )
    values = {
        field.name: _clean_value(field, block.values.get(field.name), key=block.key, registry=registry)
        for field in schema.fields
    }
    return replace(block, values=values)


def _clean_value(field: FieldSchema, value: Any, *, key: str, registry: TokenRegistry) -> Any:
    if value is None:
        return blank_value(field)
    match field.kind:
        case "rich":
            html, text = tidy_lines(value["html"]), tidy_lines(value["text"])
            text += _list_missing_links(html, of=text)
            return {
                "html": as_markup(merge_html(html, registry=registry, block=key)),
                "text": merge_text(text, registry=registry, block=key),
            }
        case "picture":
            return _clean_picture(value)
        case "link":
            return _clean_url(value)
        case "lines":
            return tuple(
                escape_token_lookalikes(shorten(line, field.most)) for item in value if (line := tidy_line(item))
            )
        case "amount":
            return parse_amount(value)
        case "day":
            return parse_day(value)
        case "currency":
            return value if value in list_currency_codes() else ""
        case "rows":
            rows = (
                {part.name: _clean_value(part, row.get(part.name), key=key, registry=registry) for part in field.fields}
                for row in value
            )
            return tuple(row for row in rows if any(row.values()))[: field.max_rows]
        case "choice":
            return value if value in dict(field.options) else blank_value(field)
        case _:
            tidy = tidy_paragraphs(value) if field.kind == "paragraphs" else tidy_line(value)
            return escape_token_lookalikes(shorten(tidy, field.most))


def _list_missing_links(html: str, *, of: str) -> str:
    """Return the links that the plain text lacks, one a line."""
    words_by_url = {
        _clean_url(unescape(url)): tidy_line(unescape(_TAG.sub("", words))) for url, words in _LINK.findall(html)
    }
    lines = [f"{words}: {url}" for url, words in words_by_url.items() if url and url not in of]
    return "\n\n" + "\n".join(lines) if lines else ""


def _clean_brand(brand: Brand) -> Brand:
    colours = {
        name: normalise_colour(getattr(brand, name), fallback=getattr(_DEFAULT_BRAND, name))
        for name in ("colour", "accent", "background")
    }
    fonts = {"font": _clean_font(brand.font) or _DEFAULT_BRAND.font, "heading_font": _clean_font(brand.heading_font)}
    shape = {
        "radius": min(max(brand.radius, 0), _MAX_CORNER_RADIUS),
        "masthead": brand.masthead if brand.masthead in MASTHEADS else _DEFAULT_BRAND.masthead,
    }
    return _clean_data(brand, overrides=colours | fonts | shape)


def _clean_font(font: str) -> str:
    cleaned = "".join(char for char in font.replace('"', "'") if char.isalnum() or char in " ,'-_").strip()
    return cleaned if cleaned.count("'") % 2 == 0 else ""


def _clean_data(data: _Data, *, overrides: dict[str, Any]) -> _Data:
    return replace(data, **{f.name: overrides.get(f.name, _clean(f.name, getattr(data, f.name))) for f in fields(data)})


def _clean(name: str, value: Any) -> Any:
    match value:
        case str():
            return (
                _clean_url(value) if name in {"url", "website"} or name.endswith("_url") else _clean_text(name, value)
            )
        case Picture():
            return _clean_picture(value)
        case tuple() if name in _LINK_PAIR_FIELDS:
            return tuple((_clean_text("title", text), _clean_url(url)) for text, url in value)
        case tuple():
            return tuple(_clean(name, item) for item in value)
        case bool() | int() | None:
            return value
        case _:
            return replace(value, **{f.name: _clean(f.name, getattr(value, f.name)) for f in fields(value)})


def _clean_picture(picture: Picture) -> Picture | None:
    url = safe_picture_url(picture.url)
    if not url or not 0 < picture.width <= _MAX_PICTURE_WIDTH or picture.height <= 0:
        return None
    colour = normalise_colour(picture.colour, fallback="")
    return replace(picture, url=_clean_url(url), alt=_clean_text("alt", picture.alt), colour=colour)


def _clean_url(url: str) -> str:
    return safe_url(url).replace("__pv_", "_%5Fpv_")


def _clean_text(name: str, text: str) -> str:
    if name == "postal_address":
        text = join_lines(text)
    tidy = tidy_paragraphs(text) if name in _PARAGRAPH_FIELDS else tidy_line(text)
    return escape_token_lookalikes(shorten(tidy, MAX_LENGTHS[name]) if name in MAX_LENGTHS else tidy)
