"""The content of a mail template: its hash, its merge fields, and the mail that it makes with values.

Fields are written `{amount}`. A value is plain text: it cannot contain markup, a link or a field of the renderer.
"""

import hashlib
import re
from collections.abc import Mapping
from html import escape
from urllib.parse import quote, urlsplit

import orjson

from newsletter.common.errors import DomainError
from newsletter.common.text import clean_line
from newsletter.models import MailTemplate, MailTemplateText
from newsletter.models.sending.template_mails import MAX_FIELDS, MAX_VALUE_LENGTH
from newsletter.providers.base.contract import Mail
from newsletter.rendering.blocks import Block, Button, Document, Note
from newsletter.rendering.phrases import find_text_direction
from newsletter.rendering.pipeline import render
from newsletter.sending.notices.system_mail import Sender

FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FIELD = re.compile(r"\{([^{}]*)\}")
_RENDERER = re.compile(r"\{\{|\}\}|__pv_")
_LINK = re.compile(r"://|\bwww\.", re.IGNORECASE)
TEXTS = ("subject", "preheader", "body", "button_label", "button_url", "reason")


class BadTemplate(DomainError):
    """A text or a field of a mail template cannot be used. The message says what to change."""


class BadValues(DomainError):
    """The values of a mail do not fit the fields of its template."""


def hash_template(template: MailTemplate) -> str:
    """Return the SHA-256 of everything that an approval covers: sender, fields with samples, texts of all languages."""
    texts = template.texts.order_by("language").values_list("language", *TEXTS)
    content = [template.publication_id, sorted(template.fields.items()), [list(row) for row in texts]]
    return hashlib.sha256(orjson.dumps(content)).hexdigest()


def is_approved(template: MailTemplate) -> bool:
    return bool(template.approved_sha256) and template.approved_sha256 == hash_template(template)


def find_text(template: MailTemplate, language: str) -> MailTemplateText | None:
    """Return the text in a language (“es” for “es-MX”), else in the publication's language."""
    texts = {text.language: text for text in template.texts.all()}
    usual = template.publication.language
    preferred = (language, language.split("-")[0], usual, usual.split("-")[0])
    return next((texts[code] for code in preferred if code in texts), None)


def check_fields(fields: Mapping[str, str]) -> None:
    """Raise BadTemplate for a field that has no proper name or sample."""
    if len(fields) > MAX_FIELDS:
        raise BadTemplate("A template has at most %(limit)s fields. Remove some.", limit=MAX_FIELDS)
    for name, sample in fields.items():
        if not FIELD_NAME.fullmatch(name):
            raise BadTemplate(
                "“%(name)s” is no name of a field. Use lower-case letters, digits and underscores, such as first_name.",
                name=name,
            )
        try:
            check_value(name, sample)
        except BadValues as error:
            raise BadTemplate(error.message) from error


def check_value(name: str, value: str) -> None:
    """Raise BadValues unless the value is one short line of text that cannot be taken for a link or a field."""
    if not value or value != clean_line(value, max_length=MAX_VALUE_LENGTH):
        raise BadValues(
            "The value of “%(name)s” must be one line of 1 to %(limit)s characters without spaces at its ends.",
            name=name,
            limit=MAX_VALUE_LENGTH,
        )
    if _RENDERER.search(value) or _LINK.search(value):
        raise BadValues(
            "The value of “%(name)s” contains a web address or braces. Write links in the template, not in values.",
            name=name,
        )


def check_values(template: MailTemplate, values: Mapping[str, str]) -> None:
    """Raise BadValues for a missing, unknown or unusable value."""
    missing, unknown = template.fields.keys() - values.keys(), values.keys() - template.fields.keys()
    if missing:
        raise BadValues("The value of “%(name)s” is missing. The template needs it.", name=min(missing))
    if unknown:
        raise BadValues(
            "The template has no field “%(name)s”. It has: %(known)s.",
            name=min(unknown),
            known=", ".join(template.fields) or "–",
        )
    for name, value in values.items():
        check_value(name, value)


def check_text(text: MailTemplateText, *, fields: Mapping[str, str]) -> None:
    """Raise BadTemplate for an empty text, a field that is not declared, or a button without a safe link."""
    if not (text.subject and text.body and text.reason):
        raise BadTemplate("A mail needs a subject, a text, and why people get it. Write all three.")
    for name in TEXTS:
        written = getattr(text, name)
        if _RENDERER.search(written):
            raise BadTemplate("Write a field in single braces, such as {amount}.")
        for field in _FIELD.findall(written):
            if field not in fields:
                raise BadTemplate(
                    "The text uses {%(field)s}, which is not among the fields. Add it there.", field=field
                )
    if bool(text.button_label) != bool(text.button_url):
        raise BadTemplate("A button needs a label and a link. Write both, or none.")
    if text.button_url:
        parts = urlsplit(text.button_url)
        if parts.scheme not in ("https", "http") or not parts.hostname or "{" in parts.netloc:
            raise BadTemplate(
                "Write a whole link, such as https://example.org/gifts/. A field can only be behind the host."
            )


def fill_fields(written: str, values: Mapping[str, str]) -> str:
    """Return the text with a value in the place of each field."""
    return _FIELD.sub(lambda found: values[found[1]], written)


def render_template_mail(text: MailTemplateText, values: Mapping[str, str], *, sender: Sender) -> Mail:
    """Return the mail with these values. It has no tracking and no personal link of ours."""

    def fill(written: str) -> str:
        return fill_fields(written, values)

    paragraphs = [fill(part.strip()) for part in re.split(r"\n\s*\n", text.body) if part.strip()]
    html = "".join(f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in paragraphs)
    blocks: list[Block] = [Note(body_html=html, body_text="\n\n".join(paragraphs))]
    if text.button_url:
        url = _FIELD.sub(lambda found: quote(values[found[1]], safe=""), text.button_url)
        blocks.append(Button(label=fill(text.button_label), url=url))
    mail = render(
        Document(
            subject=fill(text.subject),
            preheader=fill(text.preheader),
            language=text.language,
            direction=find_text_direction(text.language),
            brand=sender.look,
            blocks=tuple(blocks),
            publication=sender.look.name,
            reason=fill(text.reason),
            personal=False,
        )
    )
    return Mail(
        subject=mail.subject,
        html=mail.html,
        text=mail.text,
        from_name=sender.name,
        from_email=sender.email,
        reply_to=sender.reply_to,
        headers={"Auto-Submitted": "auto-generated"},
    )
