"""Send single mails of the system: confirmations to subscribers and notices to staff.

They contain nothing that a stranger typed, except a reply that is sent on to staff, as text. Most have no unsubscribe
headers, because they answer a request.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape

from django.conf import settings
from django.contrib.auth.models import User
from wagtail.users.models import UserProfile

from newsletter.issues.snapshot.resolve import resolve_logo
from newsletter.issues.variants.documents import make_optional_picture
from newsletter.models import Brand, Publication
from newsletter.providers.base.contract import Adapter, BatchCall, Mail, Outcome, Recipient
from newsletter.rendering.blocks import Block, Button, Document, Note
from newsletter.rendering.blocks import Brand as Look
from newsletter.rendering.phrases import find_text_direction
from newsletter.rendering.pipeline import render
from newsletter.sending.notices.single_mails import deliver_single
from subscribers.addresses.normalise import to_ascii


@dataclass(frozen=True)
class Sender:
    """The sender of a notice and how it looks."""

    name: str
    email: str
    reply_to: str
    look: Look
    language: str = "en"


def find_staff_language(person: User) -> str:
    """Return the language that a member of staff chose for the desk, such as “es”, else the installation's own."""
    chosen = UserProfile.objects.filter(user=person).values_list("preferred_language", flat=True).first()
    return chosen or settings.LANGUAGE_CODE


def make_sender(publication: Publication) -> Sender:
    return Sender(
        name=publication.from_name,
        email=publication.from_email,
        reply_to=publication.reply_to,
        look=make_notice_brand(publication.brand),
        language=publication.language,
    )


def add_logos(sender: Sender, brand: Brand) -> Sender:
    """Return the sender with the logos of its brand, for mail to people who do not know the sender's mail yet."""
    logo, dark = (make_optional_picture(resolve_logo(one, alt=brand.name)) for one in (brand.logo, brand.logo_dark))
    return replace(sender, look=replace(sender.look, logo=logo, logo_dark=dark))


def make_notice_brand(brand: Brand) -> Look:
    """Return the brand without pictures, so that a notice loads nothing."""
    return Look(
        name=brand.name,
        postal_address=brand.postal_address,
        colour=brand.colour,
        accent=brand.accent,
        background=brand.background,
        font=brand.font,
        heading_font=brand.heading_font,
        radius=brand.radius,
        masthead=brand.masthead,
    )


def send_notice(
    *,
    adapter: Adapter,
    sender: Sender,
    to: str,
    key: str,
    subject: str,
    paragraphs: Sequence[str],
    button: tuple[str, str] | None,
    reason: str,
    now: datetime,
    unsubscribe: tuple[str, str] | None = None,
) -> Outcome:
    """Mail one address in one attempt. The same mail needs the same ``key``, so that the provider recognises a repeat.

    ``unsubscribe`` is the label and the link of a second button, for a mail that answers no request.

    While the provider asks to wait, the mail is not handed over and the outcome is THROTTLED.
    """
    blocks: list[Block] = [
        Note(body_html="".join(f"<p>{escape(line)}</p>" for line in paragraphs), body_text="\n\n".join(paragraphs))
    ]
    if button:
        blocks.append(Button(label=button[0], url=button[1]))
    headers = {"Auto-Submitted": "auto-generated"}
    if unsubscribe:
        blocks.append(Button(label=unsubscribe[0], url=unsubscribe[1]))
        headers |= {"List-Unsubscribe": f"<{unsubscribe[1]}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    mail = render(
        Document(
            subject=subject,
            preheader="",
            language=sender.language,
            direction=find_text_direction(sender.language),
            brand=sender.look,
            blocks=tuple(blocks),
            publication=sender.look.name,
            reason=reason,
            personal=False,
        )
    )
    call = BatchCall(
        key=key,
        issue="notices",
        variant=key.split("-")[0],
        mail=Mail(
            subject=mail.subject,
            html=mail.html,
            text=mail.text,
            from_name=sender.name,
            from_email=sender.email,
            reply_to=sender.reply_to,
            headers=headers,
        ),
        people=[Recipient(delivery=1, address=to_ascii(to), variables={})],
    )
    return deliver_single(adapter=adapter, call=call, now=now)
