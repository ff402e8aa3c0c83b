"""Check a document before it is rendered, so that a finding names the block and field that staff must change."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from html import unescape
from typing import Any

from newsletter.common.messages import Message, Quantity
from newsletter.common.text import count_characters
from newsletter.rendering.block_schema import FieldSchema, blank_value
from newsletter.rendering.blocks import (
    AppealBlock,
    Block,
    Button,
    Document,
    EventCard,
    LeadStory,
    Note,
    Picture,
    SchemaBlock,
    StoryCards,
    iter_pictures,
)
from newsletter.rendering.clean_text import UNSAFE_IN_LINE, safe_picture_url, safe_url, tidy_line
from newsletter.rendering.lint.findings import Finding, is_vague, make_vague_link_finding
from newsletter.rendering.schemas import load_schemas

UNRESOLVED_MARKS = re.compile(r"\{\{|\}\}|\{%|%\}|\*\||\|\*|<mj-|%7B%7B", re.IGNORECASE)
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_STAFF_TEXT_FIELDS = frozenset({"subject", "preheader", "body_html", "body_text"})
_LINK_TEXT = re.compile(r"<a\b[^>]*>(.*?)</a>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
PHONE_SUBJECT_LENGTH = 32
"""Characters of a subject that fit into the list of a phone 360 pixels wide."""
MAX_TOTAL_PICTURE_BYTES, MAX_PICTURE_BYTES = 600 * 1024, 150 * 1024
_LINK_FIELDS = frozenset(
    {
        "url",
        "website",
        "donate_url",
        "donor_portal_url",
        "calendar_url",
        "map_url",
        "host_url",
    }
)


def check_document(document: Document) -> Iterator[Finding]:
    """Return findings on subject, preheader, brand and blocks."""
    yield from _check_subject(document)
    yield from _check_preheader(tidy_line(document.preheader))
    if not tidy_line(document.brand.postal_address):
        yield Finding(
            "error",
            "postal-address",
            Message(
                "The organisation has no postal address. The law of many countries wants one in every "
                "newsletter: write it into the brand."
            ),
            field="postal_address",
        )
    yield from _check_links(document.brand, block="")
    yield from _check_pictures(document)
    for block in document.blocks:
        yield from _check_links(block, block=block.key)
        yield from _check_block(block)


def collect_content_text(value: object) -> str:
    """Return all text of a document except staff text, in one string.

    Template marks in it came with a story; others were left over by a template or an unknown field.
    """
    match value:
        case str():
            return value
        case tuple() | list():
            return "\n".join(collect_content_text(item) for item in value)
        case Mapping():
            return "\n".join(collect_content_text(item) for item in value.values() if not isinstance(item, Mapping))
        case _ if is_dataclass(value):
            names = (field.name for field in fields(value) if field.name not in _STAFF_TEXT_FIELDS)
            return "\n".join(collect_content_text(getattr(value, name)) for name in names)
        case _:
            return ""


def _check_subject(document: Document) -> Iterator[Finding]:
    subject = tidy_line(document.subject)
    if not subject:
        yield Finding("error", "subject-empty", Message("The issue has no subject. Write one."), field="subject")
    if (length := count_characters(subject)) > 150:
        message = Message(
            "The subject has %(subject)s characters; mail programs show about 60. Shorten it.", subject=length
        )
        yield Finding("warning", "subject-long", message, field="subject")
    for field in ("subject", "preheader"):
        if UNSAFE_IN_LINE.search(getattr(document, field).strip()):
            message = Message(
                "The %(field)s holds line breaks or invisible characters. Type it again without them.", field=field
            )
            yield Finding("error", f"{field}-characters", message, field=field)


def _check_preheader(preheader: str) -> Iterator[Finding]:
    if not 40 <= (length := count_characters(preheader)) <= 110:
        message = Message(
            "The preheader %(has)s. Between 40 and 110 read best beside the subject.", has=_say_length(length)
        )
        yield Finding("warning", "preheader-length", message, field="preheader")


def _say_length(length: int) -> Message:
    if not length:
        return Message("is empty")
    if length == 1:
        return Message("has 1 character")
    return Message("has %(preheader)s characters", preheader=length)


def _check_block(block: Block) -> Iterator[Finding]:
    match block:
        case Note(body_html=html, body_text=text, key=key):
            yield from _check_staff_html(html, text, block=key, field="body_html")
        case SchemaBlock():
            yield from _check_schema_block(block)
        case EventCard(event=event, key=key) if not event.url:
            message = Message("“%(title)s” has no link to see more.", title=event.title[:60])
            yield Finding("warning", "no-link", message, block=key, field="url")
        case AppealBlock(url=url, key=key) | Button(url=url, key=key) if not url.strip():
            yield Finding(
                "error",
                "no-link",
                Message("A button has no link. Give it one, or take it out."),
                block=key,
                field="url",
            )
        case LeadStory(story=story, key=key) if not (story.url or story.text):
            yield Finding(
                "warning",
                "no-link",
                Message("“%(title)s” has no link to read on.", title=story.title[:60]),
                block=key,
                field="url",
            )
        case StoryCards(stories=stories, key=key):
            for story in stories:
                if not (story.url or story.text):
                    message = Message("“%(title)s” has no link to read on.", title=story.title[:60])
                    yield Finding("warning", "no-link", message, block=key, field="url")


def _check_staff_html(html: str, text: str, *, block: str, field: str) -> Iterator[Finding]:
    for href in ("".join(groups) for groups in _HREF.findall(html)):
        if not safe_url(unescape(href)):
            message = Message("A link goes to “%(target)s”. Only http, https, mailto and tel can be.", target=href[:60])
            yield Finding("error", "link-scheme", message, block=block, field=field)
    for link_html in _LINK_TEXT.findall(html):
        link_text = tidy_line(unescape(_TAG.sub("", link_html)))
        if is_vague(link_text):
            yield make_vague_link_finding(link_text, block=block, field=field)
    bare = re.sub(r"\{\{[^{}]*\}\}", "", html + text)
    if left := UNRESOLVED_MARKS.search(bare):
        message = Message(
            '“%(bare)s” looks like a field of another system. Write {{ first_name | default:"friend" }}.',
            bare=bare[max(0, left.start() - 15) : left.end() + 25],
        )
        yield Finding("error", "unresolved", message, block=block, field=field)


def _check_schema_block(block: SchemaBlock) -> Iterator[Finding]:
    """Check a block by its schema: blank required fields, links, formatted text, the parts of each row."""
    schema = load_schemas().get(block.kind)
    for field in schema.fields if schema else ():
        yield from _check_schema_field(field, block.values.get(field.name), block=block.key)


def _check_schema_field(field: FieldSchema, value: Any, *, block: str, row: int = 0) -> Iterator[Finding]:
    """Check a field of a block, or of one of its rows: the first row is 1."""
    value = value or blank_value(field)
    html = value["html"] if field.kind == "rich" else ""
    if field.required and not (html.strip() if field.kind == "rich" else value):
        message = (
            Message("“%(label)s” is empty in row %(row)s. Fill it in, or take the row out.", label=field.label, row=row)
            if row
            else Message("“%(label)s” is empty. Fill it in, or take the block out.", label=field.label)
        )
        yield Finding("error", "field-empty", message, block=block, field=field.name)
    if field.kind == "rich":
        yield from _check_staff_html(html, value["text"], block=block, field=field.name)
    if field.kind == "rows":
        for number, values in enumerate(value, 1):
            for part in field.fields:
                yield from _check_schema_field(part, values.get(part.name), block=block, row=number)
    if field.kind == "link" and value and not safe_url(value):
        message = Message(
            "A link goes to “%(value)s”. Only http, https, mailto and tel can be, so it is left out.",
            value=value[:60],
        )
        yield Finding("error", "link-scheme", message, block=block, field=field.name)
    if isinstance(value, Picture):
        yield from _check_links(value, block=block, field=field.name)


def _check_pictures(document: Document) -> Iterator[Finding]:
    """Check the file sizes of the pictures, together and each, if known."""
    pictures = {picture.url: picture for picture in iter_pictures(document)}.values()
    total = sum(picture.weight for picture in pictures)
    if total > MAX_TOTAL_PICTURE_BYTES:
        message = Message(
            "The images weigh %(total)s kB together; more than %(max_size)s kB loads slowly on "
            "a phone. Take out an image or two, or show the later stories without.",
            total=Quantity(total // 1024),
            max_size=MAX_TOTAL_PICTURE_BYTES // 1024,
        )
        yield Finding("warning", "pictures-weight", message)
    for picture in pictures:
        if picture.weight > MAX_PICTURE_BYTES:
            message = Message(
                "The image “%(alt)s” weighs %(weight)s kB. Use a smaller one.",
                alt=picture.alt[:60],
                weight=Quantity(picture.weight // 1024),
            )
            yield Finding("warning", "picture-weight", message)


def _check_links(value: object, *, block: str, field: str = "") -> Iterator[Finding]:
    match value:
        case Picture(url=url, alt=alt):
            if not safe_picture_url(url):
                message = Message(
                    "The image “%(url)s” has no web address that mail can load, so it is left out.", url=url[:60]
                )
                yield Finding("error", "image-source", message, block=block, field=field)
            elif not alt.strip() and block:
                message = Message("An image has no description for those who cannot see it. Write what it shows.")
                yield Finding("warning", "alt-empty", message, block=block, field=field)
        case str() if field in _LINK_FIELDS and value.strip() and not safe_url(value):
            message = Message(
                "A link goes to “%(value)s”. Only http, https, mailto and tel can be, so it is left out.",
                value=value[:60],
            )
            yield Finding("error", "link-scheme", message, block=block, field=field)
        case tuple() if field in {"links", "social"}:
            for _, url in value:
                yield from _check_links(url, block=block, field="url")
        case tuple():
            for item in value:
                yield from _check_links(item, block=block, field=field)
        case _ if is_dataclass(value):
            for part in fields(value):
                yield from _check_links(getattr(value, part.name), block=block, field=part.name)
