"""Send the links that people asked for: preferences, their data, a new address. They never wait behind a bulk send."""

import logging
from dataclasses import replace
from datetime import datetime

from newsletter.common.languages import best_page_language
from newsletter.jobs.confirmation_mails import find_sender
from newsletter.models import Publication
from newsletter.providers.base.contract import Adapter
from newsletter.sending.adapters import current_adapter
from newsletter.sending.limits.installation_hold import is_held
from newsletter.sending.notices.single_mails import claim_each, name_call, settle_queued_mail
from newsletter.sending.notices.system_mail import Sender, SystemMail, make_sender, send_notice
from subscribers.models import MailedLink
from subscribers.people.link_mail_texts import write_link_mail
from subscribers.people.mailed_links import Kind, list_due_links, make_mailed_link_url

log = logging.getLogger(__name__)
BATCH_LIMIT = 100


def send_due_links(*, now: datetime) -> int:
    """Send the due links, claiming each row first. Return how many the provider accepted.

    If the provider asks us to wait, or does not answer, the rest stays due.
    """
    if not MailedLink.objects.filter(MailedLink.due_by(now)).exists() or is_held():
        return 0
    other_sender = find_any_sender()
    if other_sender is None:
        log.error("There is no publication yet, so mails with links have no sender. Create one.")
        return 0
    adapter = current_adapter()
    sent = 0
    for link in claim_each(list_due_links(now=now), adapter=adapter, limit=BATCH_LIMIT, now=now):
        sender = find_sender(link.mailing_list) or other_sender
        sent += _send(link, sender=sender, adapter=adapter, now=now)
    return sent


def has_waiting_link(*, now: datetime) -> bool:
    """Return True if a mail with a link can be sent, so one waits for the provider."""
    return list_due_links(now=now).exists() and Publication.objects.exists()


def find_any_sender() -> Sender | None:
    """Return the sender of the first publication, or None if there is none."""
    publication = Publication.objects.select_related("brand").order_by("pk").first()
    return make_sender(publication) if publication else None


def _send(link: MailedLink, *, sender: Sender, adapter: Adapter, now: datetime) -> int:
    language = best_page_language([link.subscriber.language, sender.language]) or "en"
    mail = write_link_mail(kind=Kind(link.kind), organisation=sender.look.name, language=language)
    outcome = send_notice(
        SystemMail(
            subject=mail.subject,
            paragraphs=[mail.text],
            button=(mail.button, make_mailed_link_url(link=link, now=now)),
            reason=mail.reason,
        ),
        adapter=adapter,
        sender=replace(sender, language=language),
        to=link.new_email or link.subscriber.email,
        key=name_call("link", link),
        now=now,
    )
    return settle_queued_mail(link, outcome, what="A mail with a link")
