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
from django.db.models import QuerySet
from wagtail.users.models import UserProfile

from newsletter.issues.snapshot.resolve import resolve_logo
from newsletter.issues.variants.documents import make_optional_picture
from newsletter.models import Brand, Publication
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.contract import Adapter, BatchCall, Mail, Outcome, Recipient
from newsletter.rendering.blocks import Brand as Look
from newsletter.rendering.blocks import Button, Document, Note
from newsletter.rendering.phrases import find_text_direction
from newsletter.rendering.pipeline import render
from newsletter.sending.notices.single_mails import deliver_single
from subscribers.addresses.normalise import to_ascii
from subscribers.models import MailingList


@dataclass(frozen=True)
class Sender:
    """The sender of a notice and how it looks."""

    name: str
    email: str
    reply_to: str
    look: Look
    language: str = "en"


@dataclass(frozen=True, kw_only=True)
class SystemMail:
    """The texts of a mail of the system. `reason` tells its recipient why they get it.

    `button` is a label and a link. So is `unsubscribe`, the second button of a mail that answers no request.
    """

    subject: str
    paragraphs: Sequence[str]
    button: tuple[str, str] | None
    reason: str
    unsubscribe: tuple[str, str] | None = None


def find_staff_language(person: User) -> str:
    """Return the language that a member of staff chose for the desk, such as “es”, else the installation's own."""
    chosen = UserProfile.objects.filter(user=person).values_list("preferred_language", flat=True).first()
    return chosen or settings.LANGUAGE_CODE


def list_lists_with_sender() -> QuerySet[MailingList]:
    """Return the lists that a publication sends to. Mails about others have no sender, and wait for one."""
    return MailingList.objects.filter(pk__in=Publication.objects.order_by().values("mailing_list"))


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
    logo, dark = (make_optional_picture(resolve_logo(image, alt=brand.name)) for image in (brand.logo, brand.logo_dark))
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
    mail: SystemMail,
    *,
    adapter: Adapter,
    sender: Sender,
    to: str,
    key: str,
    now: datetime,
    account: str = DEFAULT_ACCOUNT,
) -> Outcome:
    """Mail one address in one attempt. The same mail needs the same ``key``, so that the provider recognises a repeat.

    ``adapter`` is that of the account.

    While the provider asks to wait, the mail is not handed over and the outcome is THROTTLED.
    """
    call = BatchCall(
        key=key,
        issue="notices",
        variant=key.split("-")[0],
        mail=_render(mail, sender=sender),
        people=[Recipient(delivery=1, address=to_ascii(to), variables={})],
    )
    return deliver_single(adapter=adapter, call=call, now=now, account=account)


def _render(mail: SystemMail, *, sender: Sender) -> Mail:
    text = Note(
        body_html="".join(f"<p>{escape(line)}</p>" for line in mail.paragraphs), body_text="\n\n".join(mail.paragraphs)
    )
    buttons = [Button(label=label, url=url) for label, url in filter(None, (mail.button, mail.unsubscribe))]
    headers = {"Auto-Submitted": "auto-generated"}
    if mail.unsubscribe:
        link = mail.unsubscribe[1]
        headers |= {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    rendered = render(
        Document(
            subject=mail.subject,
            preheader="",
            language=sender.language,
            direction=find_text_direction(sender.language),
            brand=sender.look,
            blocks=(text, *buttons),
            publication=sender.look.name,
            reason=mail.reason,
            personal=False,
        )
    )
    return Mail(
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        from_name=sender.name,
        from_email=sender.email,
        reply_to=sender.reply_to,
        headers=headers,
    )
