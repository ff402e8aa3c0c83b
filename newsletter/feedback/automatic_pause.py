"""Stops a send by itself where going on would harm readers or the sender's name, and says why in words (B2, B3, B5)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, Sum

from newsletter.common.messages import Message, Quantity
from newsletter.models import Batch, DeliveryException, Send, move
from newsletter.models.feedback import AutomaticPause, Bounce
from newsletter.providers.base.webhooks.bounces import AUTHENTICATION
from newsletter.sending.settling.delivered import count_delivered

HARD_BOUNCE_MIN_ACCEPTED = 500
MAX_HARD_BOUNCE_SHARE = 0.05
COMPLAINTS_MIN_DELIVERED = 1000
MAX_COMPLAINT_SHARE = 0.003
MIN_COMPLAINTS = 3
MIN_UNAUTHENTICATED = 20
MAX_UNAUTHENTICATED_SHARE = 0.05
REFUSED = Message("Mail servers refuse this mail because of the sender, not the reader")


@dataclass(frozen=True)
class SendCounts:
    """People of one send, proofs left out. ``accepted`` is what the provider took, whatever became of it later."""

    accepted: int
    delivered: int
    hard: int
    complained: int
    unproven: int


def pause_failing_sends(*, send_ids: Collection[int], now: datetime) -> list[Send]:
    """Pause those of the sends that are running and break a rule. Returns them."""
    paused = []
    for send in Send.objects.filter(pk__in=list(send_ids), state=Send.State.SUBMITTING).order_by("pk"):
        for rule, cases, why in find_broken_rules(count_problems(send)):
            if not _is_new_level(send, rule=rule, cases=cases):
                continue
            if pause_by_rule(send, rule=rule, cases=cases, why=why, now=now):
                paused.append(send)
            break
    return paused


def pause_by_rule(send: Send, *, rule: AutomaticPause.Rule, cases: int, why: str, now: datetime) -> bool:
    """Pause a running send by a rule, unless a person resumed it knowing as much. Returns whether this call did."""
    if not _is_new_level(send, rule=rule, cases=cases):
        return False
    if not move(send, of=[Send.State.SUBMITTING], to=Send.State.PAUSED, reason=why[:500]):
        return False
    AutomaticPause.objects.update_or_create(send=send, rule=rule, defaults={"cases": cases, "at": now})
    return True


def is_complaint_rate_too_high(*, complained: int, heard_of: int) -> bool:
    """Whether so many of so many are more than mailbox providers bear."""
    few = heard_of < COMPLAINTS_MIN_DELIVERED
    return complained >= MIN_COMPLAINTS and (few or complained >= MAX_COMPLAINT_SHARE * heard_of)


def find_broken_rules(counts: SendCounts) -> list[tuple[AutomaticPause.Rule, int, str]]:
    """(rule, cases, the reason in words) of each rule that the numbers break, the gravest first."""
    broken: list[tuple[AutomaticPause.Rule, int, str]] = []
    heard_of = counts.delivered or counts.accepted
    if is_complaint_rate_too_high(complained=counts.complained, heard_of=heard_of):
        why = Message(
            "Stopped by itself: %(complained)s of %(heard_of)s readers reported this issue as spam "
            "(%(complained_2)s; the limit is 0.3 %%). Look at who is on the list and how they came there "
            "before resuming; mailbox providers block senders above it.",
            complained=counts.complained,
            heard_of=Quantity(heard_of),
            complained_2=format_share(counts.complained, heard_of),
        )
        broken.append((AutomaticPause.Rule.COMPLAINTS, counts.complained, why))
    if counts.accepted >= HARD_BOUNCE_MIN_ACCEPTED and counts.hard >= MAX_HARD_BOUNCE_SHARE * counts.accepted:
        why = Message(
            "Stopped by itself: %(hard)s of %(accepted)s addresses do not exist (%(hard_2)s; the limit is 5 "
            "%%). Is this an old list? They are barred from now on. Resume when you know where they came "
            "from.",
            hard=counts.hard,
            accepted=Quantity(counts.accepted),
            hard_2=format_share(counts.hard, counts.accepted),
        )
        broken.append((AutomaticPause.Rule.HARD, counts.hard, why))
    if counts.unproven >= MIN_UNAUTHENTICATED and counts.unproven >= MAX_UNAUTHENTICATED_SHARE * counts.accepted:
        why = Message(
            "Stopped by itself: mail servers refused %(unproven)s of %(accepted)s mails because your domain "
            "could not prove that they are yours (SPF, DKIM, DMARC). Nobody was barred. Run `newsletter "
            "doctor`, repair the domain's records, then resume.",
            unproven=counts.unproven,
            accepted=Quantity(counts.accepted),
        )
        broken.append((AutomaticPause.Rule.AUTHENTICATION, counts.unproven, why))
    return broken


def count_problems(send: Send) -> SendCounts:
    """Count from rows."""
    taken = send.batches.filter(state__in=[Batch.State.ACCEPTED, Batch.State.PARTIAL])
    accepted: int = taken.aggregate(people=Sum("size"))["people"] or 0
    rows = DeliveryException.objects.filter(delivery__batch__send=send, delivery__proof=False)
    otherwise = rows.exclude(state="").filter(delivery__batch__in=taken).count()
    complained = rows.filter(complained_at__isnull=False).count()
    bounces = Bounce.objects.filter(delivery__batch__send=send, delivery__proof=False).aggregate(
        hard=Count("pk", filter=Q(bounce_class=Bounce.Final.HARD)),
        unproven=Count("pk", filter=Q(bounce_class=Bounce.Final.BLOCK, status__in=AUTHENTICATION)),
    )
    return SendCounts(
        accepted=accepted - otherwise,
        delivered=count_delivered(send),
        hard=bounces["hard"],
        complained=complained,
        unproven=bounces["unproven"],
    )


def record_refusals(*, send_ids: Collection[int]) -> None:
    """Write on the sends that mail is refused because of the sender, where no graver reason stands there."""
    blocks = Bounce.objects.filter(delivery__batch__send__in=list(send_ids), bounce_class=Bounce.Final.BLOCK)
    counted = blocks.filter(status__startswith="5.7.").values_list("delivery__batch__send").annotate(mails=Count("pk"))
    for send_id, mails in counted.order_by():
        codes = blocks.filter(delivery__batch__send=send_id, status__startswith="5.7.").order_by("status")
        told = ", ".join(codes.values_list("status", flat=True).distinct()[:4])
        reason = Message(
            "%(refused)s: %(mails)s so far (%(told)s). The readers stay on the list.",
            refused=REFUSED,
            mails=mails,
            told=told,
        )
        Send.objects.filter(Q(reason="") | Q(reason__startswith=REFUSED), pk=send_id).update(reason=reason[:500])


def _is_new_level(send: Send, *, rule: AutomaticPause.Rule, cases: int) -> bool:
    """A person who resumes a send has seen the number: it stops again at twice as many."""
    known = AutomaticPause.objects.filter(send=send, rule=rule).values_list("cases", flat=True).first()
    return known is None or cases >= 2 * known


def format_share(part: int, whole: int) -> str:
    """In percent, with two digits where it is less than one."""
    share = 100 * part / whole if whole else 100.0
    return (f"{share:.1f} %" if share >= 1 else f"{share:.2f} %") if whole else Message("all of them")
