"""Mail the notices that wait. Each is a row first, and is sent until the provider accepts it."""

from dataclasses import replace
from datetime import datetime

from django.utils import translation

from newsletter.common.messages import Message
from newsletter.common.text import escape_merge_fields
from newsletter.common.translation import translate
from newsletter.inbound.canaries.notices import MAILBOX_KEY_PREFIX
from newsletter.inbound.notices import KEY_PREFIX as INBOUND_KEY_PREFIX
from newsletter.issues.approval.write_notices import COMMENT_KEY_PREFIX
from newsletter.issues.assembly.source_notices import KEY_PREFIX as SOURCE_KEY_PREFIX
from newsletter.issues.protected_terms.check import replace_protected_text
from newsletter.jobs.notices.about_people import EXPORT_KEY_PREFIX, HELD_SIGNUPS_KEY_PREFIX, WEBHOOK_KEY_PREFIX
from newsletter.jobs.staff_link_mails import ACCOUNT_KEY_PREFIX
from newsletter.models import Publication, StaffNotice
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.sending.adapters import account_adapter, can_mail_leave
from newsletter.sending.notices.single_mails import must_wait, name_call, settle_queued_mail
from newsletter.sending.notices.system_mail import SystemMail, find_staff_language, make_sender, send_notice

BATCH_LIMIT = 50
_FOR_APPROVERS = Message("You get this because you may approve issues.")
_FOR_COMMENTS = Message("You get this because somebody mentioned you in a comment, or answered a comment of yours.")
_FOR_DATA_STAFF = Message("You get this because you look after people’s data.")
_FOR_SOURCES = Message("You get this because you may change sources.")
_FOR_ACCOUNTS = Message("You get this because it is about an account of the desk.")
_FOR_WEBHOOKS = Message("You get this because you may change webhooks.")
_FOR_CANARIES = Message("You get this because you may change canary mailboxes.")
_REASONS = {
    ACCOUNT_KEY_PREFIX: _FOR_ACCOUNTS,
    COMMENT_KEY_PREFIX: _FOR_COMMENTS,
    SOURCE_KEY_PREFIX: _FOR_SOURCES,
    WEBHOOK_KEY_PREFIX: _FOR_WEBHOOKS,
    MAILBOX_KEY_PREFIX: _FOR_CANARIES,
    EXPORT_KEY_PREFIX: _FOR_DATA_STAFF,
    HELD_SIGNUPS_KEY_PREFIX: _FOR_DATA_STAFF,
    INBOUND_KEY_PREFIX: _FOR_DATA_STAFF,
}
"""Why somebody gets a notice, by the beginning of its key. Any other notice is for approvers."""


def has_waiting_notice(*, now: datetime) -> bool:
    """Return True if a notice waits for the provider."""
    return StaffNotice.objects.filter(StaffNotice.due_by(now)).exists()


def send_due_notices(*, now: datetime) -> int:
    """Send the waiting notices and retry those that were certainly not accepted. Return how many were accepted.

    While the first account accepts nothing, such as with a wrong key, they go through their publication's second account.
    """
    accepted = 0
    waiting = StaffNotice.objects.filter(StaffNotice.due_by(now)).select_related("person", "publication__brand")
    if not _can_take(DEFAULT_ACCOUNT, now=now):
        second = {*Publication.objects.values_list("second_account", flat=True)}
        waiting = waiting.filter(publication__second_account__in=[name for name in second if _can_take(name, now=now)])
    for notice in waiting[:BATCH_LIMIT]:
        accounts = (DEFAULT_ACCOUNT, notice.publication.second_account)
        account = next((name for name in accounts if _can_take(name, now=now)), None)
        if account is not None and notice.claim(now=now):
            accepted += _send(notice, account, now=now)
    return accepted


def _can_take(account: str, *, now: datetime) -> bool:
    """Return True if the account may send a mail now. A second account may not if its mails reach nobody."""
    if account != DEFAULT_ACCOUNT and not (account and can_mail_leave(account)):
        return False
    return not must_wait(adapter=account_adapter(account), now=now, account=account)


def _send(notice: StaffNotice, account: str, *, now: datetime) -> int:
    language = find_staff_language(notice.person)
    with translation.override(language):
        outcome = send_notice(
            SystemMail(
                subject=escape_merge_fields(translate(replace_protected_text(notice.subject))),
                paragraphs=[
                    escape_merge_fields(translate(replace_protected_text(paragraph))) for paragraph in notice.paragraphs
                ],
                button=(translate(Message("Open it in the desk")), notice.link),
                reason=translate(_explain_recipient(notice.key)),
            ),
            adapter=account_adapter(account),
            account=account,
            sender=replace(make_sender(notice.publication), language=language.partition("-")[0]),
            to=notice.person.email,
            key=name_call("staff", notice),
            now=now,
        )
    return settle_queued_mail(notice, outcome, what="A notice to staff")


def _explain_recipient(key: str) -> Message:
    """Return why somebody gets the notice with this key."""
    return next((reason for prefix, reason in _REASONS.items() if key.startswith(prefix)), _FOR_APPROVERS)
