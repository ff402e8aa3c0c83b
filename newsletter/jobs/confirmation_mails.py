"""Send due confirmation mails. They have their own job, so that they never wait for a bulk send."""

import logging
from dataclasses import replace
from datetime import datetime

from newsletter.common.languages import best_language
from newsletter.models import Publication
from newsletter.providers.base.contract import Adapter
from newsletter.rendering.phrases import find_phrase, find_phrase_of_list
from newsletter.sending.adapters import current_adapter
from newsletter.sending.limits.installation_hold import is_held
from newsletter.sending.notices.single_mails import claim_each, name_call, settle_queued_mail
from newsletter.sending.notices.system_mail import (
    Sender,
    SystemMail,
    add_logos,
    list_lists_with_sender,
    make_sender,
    send_notice,
)
from subscribers.consent.confirmations import list_due_confirmations, make_confirmation_url
from subscribers.models import Confirmation, MailingList

log = logging.getLogger(__name__)
BATCH_LIMIT = 100


def send_due_confirmations(*, now: datetime) -> int:
    """Send the due confirmations, claiming each row first. Return how many the provider accepted.

    If the provider asks us to wait, or does not answer, the rest stays due.
    """
    if not Confirmation.objects.filter(Confirmation.due_by(now)).exists() or is_held():
        return 0
    adapter = current_adapter()
    sent = 0
    due, lists = list_due_confirmations(now=now), list_lists_with_sender()
    for silent in MailingList.objects.exclude(pk__in=lists):
        if due.filter(mailing_list=silent).exists():
            log.error("No publication sends to the list %s, so its confirmations have no sender. Create one.", silent)
    for confirmation in claim_each(due.filter(mailing_list__in=lists), adapter=adapter, limit=BATCH_LIMIT, now=now):
        if sender := find_sender(
            confirmation.mailing_list
        ):  # else its publication went just now, and it is due again later
            sent += _send(confirmation, sender=sender, adapter=adapter, now=now)
    return sent


def has_waiting_confirmation(*, now: datetime) -> bool:
    """Return True if a confirmation can be sent, so one waits for the provider. A new one, or a first sender, is a write."""
    return list_due_confirmations(now=now).filter(mailing_list__in=list_lists_with_sender()).exists()


def find_sender(mailing_list: MailingList) -> Sender | None:
    """Return the sender of a publication of the list, an enabled one if possible.

    A confirmation answers a person's request, so it is sent even if every publication of the list is switched off.
    """
    publications = Publication.objects.select_related("brand__logo", "brand__logo_dark").filter(
        mailing_list=mailing_list
    )
    publication = publications.order_by("-enabled", "pk").first()
    return add_logos(make_sender(publication), publication.brand) if publication else None


def _send(confirmation: Confirmation, *, sender: Sender, adapter: Adapter, now: datetime) -> int:
    name = confirmation.mailing_list.public_name
    language = best_language([confirmation.subscriber.language]) or sender.language
    outcome = send_notice(
        SystemMail(
            subject=find_phrase("confirm_subject", language, list=name),
            paragraphs=[find_phrase_of_list("confirm_text", language, list_name=name, organisation=sender.look.name)],
            button=(find_phrase("confirm_button", language), make_confirmation_url(confirmation=confirmation, now=now)),
            reason=find_phrase("confirm_reason", language, organisation=sender.look.name),
        ),
        adapter=adapter,
        sender=replace(sender, language=language),
        to=confirmation.subscriber.email,
        key=name_call("confirm", confirmation),
        now=now,
    )
    return settle_queued_mail(confirmation, outcome, what="A confirmation")
