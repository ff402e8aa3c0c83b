"""Pause a send automatically if going on would harm its recipients or the sender's reputation."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Q

from newsletter.common.messages import Message, Quantity
from newsletter.common.translation import format_percent
from newsletter.feedback.reported_deliveries import AccountMails, count_by_account, find_unreported_batches
from newsletter.models import DeliveryException, Send, SenderDelay, transition
from newsletter.models.feedback import Bounce
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.providers.base.webhooks.sender_refusal_codes import WHAT_TO_CHANGE, SenderCause, find_cause

HARD_BOUNCE_MIN_ACCEPTED = 500
MAX_HARD_BOUNCE_SHARE = 0.05
COMPLAINTS_MIN_DELIVERED = 1000
MAX_COMPLAINT_SHARE = 0.003
WARN_COMPLAINT_SHARE = 0.0008
MIN_COMPLAINTS = 3
REFUSAL_RULES = (AutomaticPause.Rule.AUTHENTICATION, AutomaticPause.Rule.SENDER)
"""The rules about refusals and delays that count the whole send."""
_OTHER_CAUSES = (SenderCause.SERVERS, SenderCause.RATE, SenderCause.REPUTATION)
MIN_REFUSED = 20
MAX_REFUSED_SHARE = 0.05


@dataclass(frozen=True)
class SendCounts:
    """Counts of people of one send, without proofs.

    ``accepted`` counts mails that the provider accepted, even if they failed later. ``unauthenticated`` counts mails that
    were refused or delayed because the domain is not authenticated, ``refused`` those with another cause at the sender;
    ``what_to_change`` is about these. ``having_the_mail`` counts delivered mails, or accepted ones of an account that reports
    no deliveries, or did not when it accepted them.
    """

    accepted: int
    having_the_mail: int
    hard: int
    complained: int
    unauthenticated: int
    refused: int = 0
    what_to_change: str = ""


def pause_failing_sends(*, send_ids: Collection[int], now: datetime) -> list[Send]:
    """Pause the running sends among these that break a rule. Return them."""
    paused = []
    for send in Send.objects.filter(pk__in=list(send_ids), state=Send.State.SUBMITTING).order_by("pk"):
        for rule, cases, reason in find_broken_rules(count_problems(send)):
            if not _is_new_level(send, rule=rule, cases=cases):
                continue
            if pause_by_rule(send, rule=rule, cases=cases, reason=reason, now=now):
                paused.append(send)
            break
    return paused


def pause_by_rule(send: Send, *, rule: AutomaticPause.Rule, cases: int, reason: str, now: datetime) -> bool:
    """Pause a running send, unless staff resumed it knowing nearly as many cases. Return True if this call paused it."""
    if not _is_new_level(send, rule=rule, cases=cases):
        return False
    submitting = [Send.State.SUBMITTING]
    if not transition(send, from_states=submitting, to=Send.State.PAUSED, reason=reason, code=Send.Code.NONE):
        return False
    AutomaticPause.objects.update_or_create(send=send, rule=rule, defaults={"cases": cases, "at": now})
    return True


def record_known_refusals(send: Send, *, now: datetime) -> None:
    """Record the counts of the refusal rules for a send that PACE pauses: staff who resume it know these refusals.

    Without that, the next report pauses the resumed send by another rule for the same mails.
    """
    for rule, cases, _ in find_broken_rules(count_problems(send)):
        if rule in REFUSAL_RULES:
            AutomaticPause.objects.update_or_create(send=send, rule=rule, defaults={"cases": cases, "at": now})


def is_complaint_rate_too_high(*, complained: int, delivered: int) -> bool:
    """Return True if the complaint rate is above what mailbox providers tolerate.

    ``delivered`` is the number of people who have the mail.
    """
    few = delivered < COMPLAINTS_MIN_DELIVERED
    return complained >= MIN_COMPLAINTS and (few or complained >= MAX_COMPLAINT_SHARE * delivered)


def find_broken_rules(counts: SendCounts) -> list[tuple[AutomaticPause.Rule, int, str]]:
    """Return (rule, cases, reason) of each rule that the counts break, the most serious first."""
    broken: list[tuple[AutomaticPause.Rule, int, str]] = []
    delivered = max(counts.having_the_mail, counts.complained)
    if is_complaint_rate_too_high(complained=counts.complained, delivered=delivered):
        why = Message(
            "Stopped automatically: %(complained)s of %(delivered)s recipients reported this issue as spam "
            "(%(share)s; the limit is 0.3 %%). Mailbox providers block senders above the limit. Before resuming, "
            "check who is on the list and how they joined.",
            complained=counts.complained,
            delivered=Quantity(delivered),
            share=describe_share(counts.complained, delivered),
        )
        broken.append((AutomaticPause.Rule.COMPLAINTS, counts.complained, why))
    if counts.accepted >= HARD_BOUNCE_MIN_ACCEPTED and counts.hard >= MAX_HARD_BOUNCE_SHARE * counts.accepted:
        why = Message(
            "Stopped automatically: %(hard)s of %(accepted)s addresses do not exist (%(share)s; the limit is 5 "
            "%%). They are suppressed from now on. Is this an old list? Resume when you know where they came "
            "from.",
            hard=counts.hard,
            accepted=Quantity(counts.accepted),
            share=describe_share(counts.hard, counts.accepted),
        )
        broken.append((AutomaticPause.Rule.HARD, counts.hard, why))
    if _are_many(counts.unauthenticated, accepted=counts.accepted):
        why = Message(
            "Stopped automatically: mail servers refused %(unauthenticated)s of %(accepted)s mails because your domain "
            "does not prove that they are yours (SPF, DKIM, DMARC). Nobody was suppressed. Run `newsletter "
            "doctor`, repair the domain’s records, then resume.",
            unauthenticated=counts.unauthenticated,
            accepted=Quantity(counts.accepted),
        )
        broken.append((AutomaticPause.Rule.AUTHENTICATION, counts.unauthenticated, why))
    if _are_many(counts.refused, accepted=counts.accepted):
        why = Message(
            "Stopped automatically: mail servers refused or delayed %(refused)s of %(accepted)s mails because of the "
            "sender. Nobody was suppressed. %(what_to_change)s",
            refused=counts.refused,
            accepted=Quantity(counts.accepted),
            what_to_change=counts.what_to_change,
        )
        broken.append((AutomaticPause.Rule.SENDER, counts.refused, why))
    return broken


def _are_many(mails: int, *, accepted: int) -> bool:
    return mails >= MIN_REFUSED and mails >= MAX_REFUSED_SHARE * accepted


def count_problems(send: Send) -> SendCounts:
    """Count the problems of a send from its rows."""
    accounts = count_by_account([send.pk])
    rows = DeliveryException.objects.filter(delivery__batch__send=send, delivery__proof=False)
    complained = rows.filter(complained_at__isnull=False).count()
    bounces = Bounce.objects.filter(delivery__batch__send=send, delivery__proof=False)
    refusals = count_refusals(send)
    other_refusals = SenderRefusals(
        {cause: mails for cause, mails in refusals.by_cause.items() if cause in _OTHER_CAUSES}
    )
    return SendCounts(
        accepted=sum(account.accepted for account in accounts),
        having_the_mail=_count_having_the_mail(accounts, complained=complained),
        hard=bounces.filter(bounce_class=Bounce.Class.HARD).count(),
        complained=complained,
        unauthenticated=refusals.by_cause.get(SenderCause.AUTHENTICATION, 0),
        refused=other_refusals.mails,
        what_to_change=other_refusals.what_to_change,
    )


def _count_having_the_mail(accounts: Sequence[AccountMails], *, complained: int) -> int:
    """Count the people who have the mail, as far as anybody can know. If complaints are few, missing reports do not matter."""
    people = sum(account.having_the_mail for account in accounts)
    if complained < max(MIN_COMPLAINTS, WARN_COMPLAINT_SHARE * people):
        return people
    return people + sum(find_unreported_batches(accounts).values())


def record_refusals(*, send_ids: Collection[int]) -> None:
    """Note on the sends that mail servers refuse or delay their sender, unless they have a more serious reason."""
    for send in Send.objects.filter(pk__in=list(send_ids)).order_by("pk"):
        refusals = count_refusals(send)
        if not refusals.mails:
            continue
        reason = Message(
            "Mail servers refuse or delay this mail because of the sender, not the recipient: %(mails)s so far "
            "(%(statuses)s). The recipients stay on the list. %(what_to_change)s",
            mails=refusals.mails,
            statuses=", ".join(sorted(refusals.statuses)[:4]),
            what_to_change=refusals.what_to_change,
        )
        replaceable = Q(reason="") | Q(code=Send.Code.SENDER_REFUSED)
        Send.objects.filter(replaceable, pk=send.pk).update(reason=reason, code=Send.Code.SENDER_REFUSED)


def _is_new_level(send: Send, *, rule: AutomaticPause.Rule, cases: int) -> bool:
    """Return True if the rule is new to the send, or if the cases have doubled since it last paused the send."""
    earlier_cases = AutomaticPause.objects.filter(send=send, rule=rule).values_list("cases", flat=True).first()
    return earlier_cases is None or cases >= 2 * earlier_cases


def describe_share(part: int, total: int) -> str:
    """Return the part in percent, or “all of them” if the whole is unknown."""
    return format_percent(100 * part / total) if total else Message("all of them")


@dataclass(frozen=True)
class SenderRefusals:
    """The number of mails by cause, each mail once, and the codes of the mail servers."""

    by_cause: Mapping[SenderCause, int]
    statuses: frozenset[str] = field(default_factory=frozenset)

    @property
    def mails(self) -> int:
        return sum(self.by_cause.values())

    @property
    def what_to_change(self) -> str:
        """Return what to change for the commonest cause, "" without any."""
        if not self.by_cause:
            return ""
        return WHAT_TO_CHANGE[max(self.by_cause, key=lambda cause: (self.by_cause[cause], cause.value))]


def count_refusals(send: Send) -> SenderRefusals:
    """Return the mails of a send, without proofs, that a code of the form x.7.y refused or delayed."""
    is_code = Q(status__startswith="4.7.") | Q(status__startswith="5.7.")
    blocks = Bounce.objects.filter(
        is_code, delivery__batch__send=send, delivery__proof=False, bounce_class=Bounce.Class.BLOCK
    )
    bounced = Bounce.objects.filter(delivery__batch__send=send).values("delivery")
    delays = SenderDelay.objects.filter(delivery__batch__send=send, delivery__proof=False).exclude(delivery__in=bounced)
    by_status: Counter[str] = Counter()
    for rows in (blocks.values_list("status"), delays.values_list("status")):
        by_status.update(dict(rows.order_by().annotate(mails=Count("pk"))))
    by_cause: Counter[SenderCause] = Counter()
    for status, mails in by_status.items():
        by_cause[find_cause(status)] += mails
    return SenderRefusals(by_cause, frozenset(by_status))
