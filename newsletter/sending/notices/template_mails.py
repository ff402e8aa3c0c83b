"""Single mails from templates: one row for each request, handed over once. A row whose outcome is unknown is never repeated."""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db.models import QuerySet

from newsletter.common.errors import DomainError, WrongState
from newsletter.common.messages import Message
from newsletter.models import ApiKey, MailTemplate, TemplateMail
from newsletter.models.states import transition
from newsletter.providers.base.contract import Adapter, BatchCall, Outcome, Recipient, Verdict
from newsletter.sending.adapters import current_adapter
from newsletter.sending.limits.installation_hold import is_held
from newsletter.sending.notices.single_mails import deliver_single, log_repeat, may_be_repeated, must_wait
from newsletter.sending.notices.system_mail import Sender, add_logos, make_sender
from newsletter.sending.notices.template_terms import (
    refuse_protected_mail,
    refuse_protected_template,
    refuse_protected_values,
)
from newsletter.sending.notices.template_texts import (
    check_values,
    find_text,
    hash_template,
    is_approved,
    render_template_mail,
)
from subscribers.addresses.normalise import normalise, to_ascii
from subscribers.identity import identify, require_own_key
from subscribers.models import Reason, Subscriber, Suppression

log = logging.getLogger(__name__)
BATCH_LIMIT = 100
RETENTION = timedelta(days=90)
MAX_TO_ONE_ADDRESS, DAY = 10, timedelta(days=1)
LONGEST_CALL = timedelta(minutes=10)
State = TemplateMail.State


class NotApprovedTemplate(WrongState):
    """Nobody approved the template as it is now."""


class SuppressedAddress(WrongState):
    """The address must get no mail, not even about what the person did themselves."""


class TooManyMails(DomainError):
    """One address was to get too many mails in a day."""


def find_forbidding_reason(address_hash: bytes) -> str:
    """Return the reason of a suppression that forbids even such a mail, or "".

    Unsubscribing ends newsletters. A mail about what a person did themselves is not a newsletter.
    """
    live = Suppression.objects.live().filter(address_hash=address_hash).exclude(reason=Reason.UNSUBSCRIBE)
    return live.order_by("pk").values_list("reason", flat=True).first() or ""


def request_mail(
    *,
    template: MailTemplate,
    key: ApiKey,
    idempotency_key: str,
    request_hash: str,
    email: str,
    language: str,
    values: Mapping[str, str],
    now: datetime,
) -> TemplateMail:
    """Store the request for one mail. The worker hands it over.

    Raises:
        BadAddress, BadValues, NotApprovedTemplate, OtherAddressKey, ProtectedTemplate, ProtectedValues, SuppressedAddress,
        TooManyMails.
    """
    require_own_key()
    email = normalise(email)
    if not is_approved(template):
        raise NotApprovedTemplate(
            "The template “%(name)s” is not approved as it is now. Ask an approver.", name=template
        )
    check_values(template, values)
    refuse_protected_template(template)
    address_hash = identify(email)
    language = language or _find_language(address_hash) or template.publication.language
    text = find_text(template, language)
    if text is not None:
        refuse_protected_values(text, values)
    if find_forbidding_reason(address_hash):
        raise SuppressedAddress("This address must get no mail: it failed, complained, was erased or was blocked.")
    recent = TemplateMail.objects.filter(address_hash=address_hash, asked_at__gt=now - DAY)
    if recent.count() >= MAX_TO_ONE_ADDRESS:
        raise TooManyMails(
            "%(limit)s mails to this address were asked for in one day, which is the limit. Wait a day.",
            limit=MAX_TO_ONE_ADDRESS,
        )
    return TemplateMail.objects.create(
        template=template,
        template_sha256=template.approved_sha256,
        api_key=key,
        idempotency_key=idempotency_key,
        request_hash=request_hash,
        email=email,
        address_hash=address_hash,
        language=language,
        values=dict(values),
        asked_at=now,
    )


def send_due_mails(*, now: datetime) -> int:
    """Send the waiting mails, claiming each row first. Return how many the provider accepted.

    If the provider asks us to wait, or does not answer, the rest stays due.
    """
    if not has_waiting_mail() or is_held():
        return 0
    adapter = current_adapter()
    sent = 0
    for mail in list_due_mails(now=now)[:BATCH_LIMIT]:
        if must_wait(adapter=adapter, now=now):
            break
        sent += send_mail(mail, adapter=adapter, now=now)
    return sent


def has_waiting_mail() -> bool:
    """Return True if a mail waits to be sent, or if a call has not returned."""
    return TemplateMail.objects.filter(state__in=[State.WAITING, State.SENDING]).exists()


def list_due_mails(*, now: datetime) -> QuerySet[TemplateMail]:
    """Return the mails that wait, the oldest first. A call that did not return in 10 minutes is uncertain from now on."""
    stale = TemplateMail.objects.filter(state=State.SENDING, sent_at__lt=now - LONGEST_CALL)
    reason = Message("The program stopped while it was handed over. It is not sent again.")
    stale.update(state=State.UNCERTAIN, email="", values={}, reason=reason)
    waiting = TemplateMail.objects.filter(state=State.WAITING).order_by("pk")
    related = ("template__publication__brand__logo", "template__publication__brand__logo_dark")
    return waiting.select_related(*related)


def send_mail(mail: TemplateMail, *, adapter: Adapter, now: datetime) -> int:
    """Claim the row, then hand it over in one attempt. Return 1 if the provider accepted it, else 0."""
    if not transition(mail, from_states=[State.WAITING], to=State.SENDING, sent_at=now):
        return 0
    template = mail.template
    if not is_approved(template) or hash_template(template) != mail.template_sha256:
        _settle(mail, State.FAILED, Message("The approval ended before it was sent."))
        return 0
    if find_forbidding_reason(bytes(mail.address_hash)):
        _settle(mail, State.FAILED, Message("The address was suppressed before it was sent."))
        return 0
    outcome = _deliver(mail, adapter=adapter, now=now)
    if outcome is None:
        return 0
    if may_be_repeated(outcome):
        transition(mail, from_states=[State.SENDING], to=State.WAITING, sent_at=None)
        log_repeat(f"Mail {mail.pk}", outcome)
        return 0
    states = {Verdict.ACCEPTED: State.ACCEPTED, Verdict.UNCERTAIN: State.UNCERTAIN}
    _settle(mail, states.get(outcome.verdict, State.FAILED), outcome.reason)
    return int(outcome.verdict is Verdict.ACCEPTED)


def delete_old_mails(*, now: datetime) -> None:
    """Delete the rows of mails with an outcome after 90 days. A request may then use their idempotency key again."""
    TemplateMail.objects.filter(asked_at__lt=now - RETENTION).exclude(state__in=[State.WAITING, State.SENDING]).delete()


def find_awaiting(hashes: Collection[bytes], since: datetime) -> set[bytes]:
    """Return those of these address hashes for which a mail waits that was requested after this time."""
    waiting = TemplateMail.objects.filter(state__in=[State.WAITING, State.SENDING], asked_at__gt=since)
    awaiting = waiting.filter(address_hash__in=list(hashes)).values_list("address_hash", flat=True)
    return {bytes(address_hash) for address_hash in awaiting}


def forget_mails(hashes: Collection[bytes]) -> None:
    """Delete the rows of a person who is erased. ``hashes`` are those of their addresses."""
    TemplateMail.objects.filter(address_hash__in=hashes).delete()


def _deliver(mail: TemplateMail, *, adapter: Adapter, now: datetime) -> Outcome | None:
    """Hand the mail over. Return None, with the row settled, if it cannot be made."""
    template = mail.template
    text = find_text(template, mail.language)
    if text is None:
        _settle(mail, State.FAILED, Message("The template has no text in this language."))
        return None
    try:
        made = render_template_mail(text, mail.values, sender=find_template_sender(template))
        refuse_protected_mail(made)
        call = BatchCall(
            key=f"mail-{mail.pk}",
            issue="mails",
            variant=template.slug,
            mail=made,
            people=[Recipient(delivery=1, address=to_ascii(mail.email), variables={})],
        )
        return deliver_single(adapter=adapter, call=call, now=now)
    except DomainError as error:
        _settle(mail, State.FAILED, error.message)
        return None


def find_template_sender(template: MailTemplate) -> Sender:
    publication = template.publication
    return add_logos(make_sender(publication), publication.brand)


def _settle(mail: TemplateMail, state: State, reason: str) -> None:
    transition(mail, from_states=[State.SENDING], to=state, reason=reason, email="", values={})
    if state != State.ACCEPTED:
        log.error("Mail %s may not have been sent: %s", mail.pk, reason)


def _find_language(address_hash: bytes) -> str:
    language = Subscriber.objects.filter(address_hash=address_hash).values_list("language", flat=True).first()
    return language or ""
