"""Forward replies to staff. A reply's text is deleted once the provider accepted it for every address.

A reply with a protected term stays here: staff get a mail without its text and read it in the desk.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime

from newsletter.common.database.future_times import make_ahead_filter
from newsletter.common.errors import BadAddress
from newsletter.common.messages import Message
from newsletter.common.text import escape_merge_fields
from newsletter.common.translation import translate
from newsletter.inbound.read_mailboxes import HANDLED
from newsletter.inbound.replies import address_forwards
from newsletter.inbound.store import IMAP
from newsletter.issues.protected_terms.check import replace_protected_text
from newsletter.models import InboundForward, InboundMail, Publication, transition
from newsletter.providers.base.contract import Adapter, Outcome, Verdict
from newsletter.providers.base.errors import BadBatch, BadMail
from newsletter.sending.adapters import current_adapter
from newsletter.sending.notices.single_mails import may_be_repeated, must_wait
from newsletter.sending.notices.system_mail import Sender, SystemMail, make_sender, send_notice
from subscribers.addresses.normalise import normalise
from subscribers.links.signed_links import mask_tokens

log = logging.getLogger(__name__)
FORWARDS_A_ROUND = 20
CLAIM = timedelta(minutes=10)
"""How long a process may need for one mail. Afterwards, and after an unclear answer, it is sent again: staff may get it twice."""
MAX_ATTEMPTS = 5
MAX_LINES = 300
_State = InboundMail.State


def forward_waiting_replies(*, now: datetime, adapter: Adapter | None = None) -> int:
    """Forward the waiting replies, each once to each address. Return how many the provider accepted."""
    free = (
        Q(claimed_until__isnull=True)
        | Q(claimed_until__lte=now)
        | make_ahead_filter("claimed_until", now=now, wait=CLAIM)
    )
    due = InboundForward.objects.filter(free, sent_at__isnull=True, refusal="", mail__state=_State.TO_SEND_ON)
    waiting = list(due.select_related("mail__publication__brand").order_by("pk")[:FORWARDS_A_ROUND])
    if not waiting:
        return 0
    adapter, accepted = adapter or current_adapter(), 0
    until = monotonic() + CLAIM.total_seconds() / 2  # later, the claims of this round would end too early
    for forward in waiting:
        if monotonic() > until or must_wait(adapter=adapter, now=now):
            break
        claimed = due.filter(pk=forward.pk).update(claimed_until=now + CLAIM, attempts=F("attempts") + 1)
        if claimed:
            accepted += _send(forward, adapter=adapter, now=now)
    return accepted


def has_waiting_forward() -> bool:
    """Return True if a reply is not forwarded yet."""
    return InboundForward.objects.filter(sent_at__isnull=True, refusal="", mail__state=_State.TO_SEND_ON).exists()


def retry_forwards(row: InboundMail) -> bool:
    """Send a held or refused reply on again, for staff who ask for it. Return False if it is not such a reply."""
    with transaction.atomic():
        if not transition(row, from_states=[_State.HELD, _State.NOT_SENT_ON], to=_State.TO_SEND_ON):
            return False
        row.forwards.filter(sent_at__isnull=True).delete()
        address_forwards(row)
    return True


def _send(forward: InboundForward, *, adapter: Adapter, now: datetime) -> int:
    mail = forward.mail
    sender = _make_sender(mail)
    try:
        outcome = (
            _deliver(forward, sender, adapter=adapter, now=now)
            if sender
            else Outcome(Verdict.REJECTED, Message("there is no publication whose address could send it"))
        )
    except (BadAddress, BadBatch, BadMail) as error:
        outcome = Outcome(Verdict.REJECTED, error.message)
    with transaction.atomic():
        _record(forward, outcome, now=now)
        _close_if_done(mail)
    return int(outcome.verdict is Verdict.ACCEPTED)


def _record(forward: InboundForward, outcome: Outcome, *, now: datetime) -> None:
    row = InboundForward.objects.filter(pk=forward.pk)
    if outcome.verdict is Verdict.ACCEPTED:
        row.update(sent_at=now, claimed_until=None)
    elif may_be_repeated(outcome):
        row.update(claimed_until=None, attempts=F("attempts") - 1)
        log.warning("A reply was not forwarded and will be tried again: %s", outcome.reason)
    elif outcome.verdict is Verdict.REJECTED or forward.attempts + 1 >= MAX_ATTEMPTS:
        row.update(refusal=outcome.reason or Message("the provider refused it"), claimed_until=None)
        log.error("A reply could not be forwarded: %s", outcome.reason)


def _close_if_done(mail: InboundMail) -> None:
    """Forget a reply that reached staff. Keep one that nobody got whole."""
    if mail.forwards.filter(sent_at__isnull=True, refusal="").exists():
        return
    if mail.forwards.filter(sent_at__isnull=False).exists() and not is_protected(mail):
        forget_reply(mail, from_state=_State.TO_SEND_ON)
    else:
        transition(mail, from_states=[_State.TO_SEND_ON], to=_State.NOT_SENT_ON)


def forget_reply(mail: InboundMail, *, from_state: InboundMail.State) -> bool:
    """Close a mail and forget who wrote what. Return False if its state is another by now."""
    return transition(
        mail,
        from_states=[from_state],
        to=_State.DONE,
        raw=None,
        sender="",
        sender_name="",
        subject="",
        text="",
        attachments=[],
    )


def is_protected(mail: InboundMail) -> bool:
    """Return True if the reply contains a protected term, so that its text must not leave by mail."""
    searched = "\n".join([mail.subject, mail.sender_name, mail.text, *mail.attachments])
    return replace_protected_text(searched) != searched


def _make_sender(mail: InboundMail) -> Sender | None:
    publication = mail.publication or Publication.objects.select_related("brand").order_by("pk").first()
    if publication is None:
        return None
    return replace(
        make_sender(publication),
        reply_to=_read_address(mail.sender),
        language=settings.LANGUAGE_CODE.partition("-")[0],
    )


def _deliver(forward: InboundForward, sender: Sender, *, adapter: Adapter, now: datetime) -> Outcome:
    mail = forward.mail
    with translation.override(settings.LANGUAGE_CODE):
        if is_protected(mail):
            subject = translate(Message("A reply is waiting in the desk"))
            lines = [translate(Message("This text contains a protected term. Read it in the desk."))]
        else:
            subject = translate(Message("Reply: %(subject)s", subject=mail.subject or "–"))
            lines = [*_describe(mail), *_list_lines(mail.text)]
        return send_notice(
            SystemMail(
                subject=escape_merge_fields(subject),
                paragraphs=[escape_merge_fields(line) for line in lines],
                button=(translate(Message("Open it in the desk")), replies_page_url()) if is_protected(mail) else None,
                reason=translate(Message("You get this because replies to our mails are forwarded to you.")),
            ),
            adapter=adapter,
            sender=sender,
            to=normalise(forward.email),
            key=f"reply-{forward.pk}",
            now=now,
        )


def _describe(mail: InboundMail) -> list[str]:
    """Return the lines above the text: sender, date, issue, and the parts that are not forwarded."""
    sender = f"{mail.sender_name} <{mail.sender}>" if mail.sender_name else mail.sender or "–"
    lines = [
        Message(
            "%(sender)s wrote on %(day)s. Answer this mail to answer the person.",
            sender=sender,
            day=date_format(localtime(mail.received_at), "j M Y, H:i"),
        )
        if _read_address(mail.sender)
        else Message("Somebody wrote without an address to answer to.")
    ]
    if mail.issue:
        lines.append(Message("It is a reply to %(issue)s.", issue=mail.issue))
    if mail.attachments or mail.cut:
        lines.append(_describe_rest(mail))
    return [translate(line) for line in lines]


def _describe_rest(mail: InboundMail) -> Message:
    missing = ", ".join(mail.attachments) or Message("the end of the mail")
    if mail.origin == IMAP:
        return Message(
            "Not forwarded: %(rest)s. You find it in the mailbox, in the folder %(folder)s.",
            rest=missing,
            folder=HANDLED,
        )
    return Message("Not forwarded, and not kept: %(rest)s. Ask the person to send it to you.", rest=missing)


def _list_lines(text: str) -> list[str]:
    lines = [line for line in mask_tokens(text).split("\n") if line.strip()]
    return [*lines[:MAX_LINES], *(["…"] if len(lines) > MAX_LINES else [])]


def replies_page_url() -> str:
    """Return the URL of the desk's page of inbound mail."""
    return f"{settings.NEWSLETTER_SITE_URL}/admin/replies/"


def _read_address(address: str) -> str:
    try:
        return normalise(address)
    except BadAddress:
        return ""
