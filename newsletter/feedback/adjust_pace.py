"""Slow a send while a mailbox provider refuses or delays its sender. Pause it if that continues, else raise its pace again.

Each step is a row. The pace is a second limit, in addition to that of the account.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, Min, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Lower, StrIndex, Substr

from newsletter.common.messages import Message
from newsletter.feedback.automatic_pause import REFUSAL_RULES, pause_by_rule, record_known_refusals
from newsletter.feedback.reported_deliveries import ACCEPTED_STATES
from newsletter.models import Attempt, Delivery, PaceStep, Send, SenderDelay
from newsletter.models.feedback import Bounce
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.providers.base.webhooks.mailbox_providers import list_mailbox_domains, name_mailbox_provider
from newsletter.providers.base.webhooks.sender_refusal_codes import WHAT_TO_CHANGE, SenderCause, find_cause
from newsletter.sending.limits.each_send import act_on_each
from newsletter.sending.limits.rate_limit import set_pace
from subscribers.models import Subscriber

MIN_REPORTS, MAX_SHARE = 5, 0.02
MAX_HALVINGS = 3
"""The pace is halved at most this often. If reports go on after that, the send pauses."""
SETTLES_AFTER = timedelta(minutes=10)
"""Reports come late, so a step is judged after this time."""
QUIET_FOR = timedelta(minutes=30)
MIN_QUIET_MAILS, MIN_QUIET_MAILS_ELSEWHERE = 20, 500
"""Mails without a report that raise the pace: at the reporting mailbox provider, or anywhere if few people there are left."""
MEASURED_FOR = timedelta(minutes=10)
MIN_PEOPLE_PER_MINUTE = 10
MAX_GROUPS = 1000
"""At most this many pairs of a code and a domain are read, the most frequent first."""
ADDRESS_DOMAIN = Lower(Substr("email", StrIndex("email", Value("@")) + 1))
"""The domain of a subscriber's address."""


@dataclass
class MailboxReports:
    """The mails of a send that one mailbox provider refused or delayed because of the sender, by code."""

    mailbox: str
    by_status: Counter[str] = field(default_factory=Counter)
    mails: int = 0

    @property
    def total(self) -> int:
        return self.by_status.total()

    @property
    def status(self) -> str:
        """The commonest code."""
        return max(sorted(self.by_status), key=lambda status: self.by_status[status])


def adjust_paces(*, now: datetime) -> list[PaceStep]:
    """Take the step that is due for each running send. Return them. Safe to repeat, in any number of processes.

    An error in one send does not stop others.
    """
    running = Send.objects.filter(state=Send.State.SUBMITTING, recipients__gt=0).select_related("issue").order_by("pk")
    steps = act_on_each(running, partial(adjust_pace, now=now), failure="The pace of send %s was not adjusted")
    return [step for _, step in steps if step]


def adjust_pace(send: Send, *, now: datetime) -> PaceStep | None:
    """Slow, pause or raise one send if that is due. Return the step."""
    last = _find_last(send)
    since = _find_start(send, last)
    if since is None or since > now:
        # The clock was set back: the newest reports decide.
        since = now - QUIET_FOR
    if last is not None and now - since < SETTLES_AFTER:
        return None
    worst = _find_worst(send, since=since)
    if worst is None:
        return _raise(send, last=last, since=since, now=now) if last and now - since >= QUIET_FOR else None
    return _slow(send, worst, last=last, now=now)


def describe_slowing(step: PaceStep) -> Message:
    """Return what staff should change, by the code of the mailbox provider."""
    return WHAT_TO_CHANGE[find_cause(step.status)]


def _slow(send: Send, worst: MailboxReports, *, last: PaceStep | None, now: datetime) -> PaceStep | None:
    current = send.people_per_minute or _measure_pace(send, now=now)
    if current is None:
        return None
    if _count_slowed(send) >= MAX_HALVINGS or current <= MIN_PEOPLE_PER_MINUTE:
        reason = Message(
            "Stopped automatically. %(mailbox)s refused or delayed %(reports)s of %(mails)s mails because of the sender "
            "(%(status)s), also after the send was slowed. Nobody was suppressed. %(what_to_change)s",
            mailbox=worst.mailbox,
            reports=worst.total,
            mails=worst.mails,
            status=worst.status,
            what_to_change=WHAT_TO_CHANGE[find_cause(worst.status)],
        )
        with transaction.atomic():
            rule = AutomaticPause.Rule.PACE
            if not pause_by_rule(send, rule=rule, cases=worst.total, reason=reason, now=now):
                return None
            record_known_refusals(send, now=now)
            return _add_step(send, PaceStep.Code.PAUSED, last=last, people_per_minute=current, now=now, worst=worst)
    slower = max(current // 2, MIN_PEOPLE_PER_MINUTE)
    return _add_step(send, PaceStep.Code.SLOWED, last=last, people_per_minute=slower, now=now, worst=worst)


def _raise(send: Send, *, last: PaceStep, since: datetime, now: datetime) -> PaceStep | None:
    if send.people_per_minute is None or not _was_quiet(send, since=since, now=now):
        return None
    if _count_slowed(send) <= 1:
        return _add_step(send, PaceStep.Code.ENDED, last=last, people_per_minute=None, now=now)
    faster = 2 * send.people_per_minute
    return _add_step(send, PaceStep.Code.RAISED, last=last, people_per_minute=faster, now=now)


def _was_quiet(send: Send, *, since: datetime, now: datetime) -> bool:
    """Return True if enough mails left since then and reports about them had time to come. Hours without mail are no proof."""
    until = now - SETTLES_AFTER
    mailbox = send.pace_steps.exclude(mailbox="").order_by("-number").values_list("mailbox", flat=True).first()
    if mailbox and _count_mails(send, mailbox, since=since, until=until, limit=MIN_QUIET_MAILS) >= MIN_QUIET_MAILS:
        return True
    enough = MIN_QUIET_MAILS_ELSEWHERE
    return _count_mails(send, None, since=since, until=until, limit=enough) >= enough


def _add_step(
    send: Send,
    code: PaceStep.Code,
    *,
    last: PaceStep | None,
    people_per_minute: int | None,
    now: datetime,
    worst: MailboxReports | None = None,
) -> PaceStep | None:
    """Write a step and change the pace. Return None if another process took the step first."""
    number = last.number + 1 if last else 1
    try:
        with transaction.atomic():
            step = PaceStep.objects.create(
                send=send,
                number=number,
                code=code,
                mailbox=worst.mailbox[:255] if worst else "",
                status=worst.status if worst else "",
                reports=worst.total if worst else 0,
                mails=worst.mails if worst else 0,
                people_per_minute=people_per_minute,
                at=now,
            )
            set_pace(send, people_per_minute=people_per_minute, now=now)
    except IntegrityError:
        if not PaceStep.objects.filter(send=send, number=number).exists():
            raise
        return None
    return step


def _find_last(send: Send) -> PaceStep | None:
    return send.pace_steps.order_by("-number").first()


def _find_start(send: Send, last: PaceStep | None) -> datetime | None:
    """Return the start of the judged period: the last step or a later pause. Staff who resume a send know the earlier reports."""
    moments = send.automatic_pauses.filter(rule__in=REFUSAL_RULES).values_list("at", flat=True)
    return max([*moments, *([last.at] if last else [])], default=send.started_at)


def _count_slowed(send: Send) -> int:
    """Return how many halvings hold now."""
    level = 0
    for code in send.pace_steps.order_by("number").values_list("code", flat=True):
        if code == PaceStep.Code.SLOWED:
            level += 1
        elif code == PaceStep.Code.RAISED:
            level -= 1
        elif code == PaceStep.Code.ENDED:
            level = 0
    return level


def _measure_pace(send: Send, *, now: datetime) -> int | None:
    """Return the people per minute since the first call of the last ten minutes; None without any.

    Before that call, the send waited: for its start, for quiet hours to end, or for somebody to resume it.
    """
    calls = Attempt.objects.filter(batch__send=send, pk__gt=send.resumed_after_attempt, started_at__lte=now)
    first = calls.filter(started_at__gt=now - MEASURED_FOR).aggregate(at=Min("started_at"))["at"]
    since = first or max(now - MEASURED_FOR, send.started_at or now)
    done = send.batches.filter(settled_at__gt=since).aggregate(people=Sum("size"))["people"] or 0
    minutes = max((now - since).total_seconds() / 60, 1.0)
    return max(round(done / minutes), 2 * MIN_PEOPLE_PER_MINUTE) if done else None


def _find_worst(send: Send, *, since: datetime) -> MailboxReports | None:
    """Return the mailbox provider with the highest share of reports about mails since then, if it exceeds the limit."""
    candidates = []
    for reports in _count_reports(send, since=since).values():
        if reports.total < MIN_REPORTS:
            continue
        # With more mails the share is below the limit, however many they are.
        enough = int(reports.total / MAX_SHARE) + 1
        reports.mails = _count_mails(send, reports.mailbox, since=since, limit=enough)
        if reports.total > MAX_SHARE * reports.mails:
            candidates.append(reports)
    return max(candidates, key=lambda worst: (worst.total / worst.mails, worst.total, worst.mailbox), default=None)


def _count_reports(send: Send, *, since: datetime) -> Mapping[str, MailboxReports]:
    """Count the reports about mails of `_accepted_since`, each mail once: a refusal counts instead of a delay.

    The database groups them, so that only a row for each code and domain is read.
    """
    reports: dict[str, MailboxReports] = {}
    for status, domain, mails in _list_reports(send, since=since):
        if domain and find_cause(status) is not SenderCause.OTHER:
            mailbox = name_mailbox_provider(domain)
            reports.setdefault(mailbox, MailboxReports(mailbox)).by_status[status] += mails
    return reports


def _list_reports(send: Send, *, since: datetime) -> Iterator[tuple[str, str | None, int]]:
    """Yield (code, domain, mails), the most frequent first."""
    about = _accepted_since(send, since=since, path="delivery__")
    is_code = Q(status__startswith="4.7.") | Q(status__startswith="5.7.")
    people = Subscriber.objects.filter(pk=OuterRef("delivery__subscriber_id"))
    domain = Subquery(people.annotate(domain=ADDRESS_DOMAIN).values("domain")[:1])
    refusals = Bounce.objects.filter(about, is_code, bounce_class=Bounce.Class.BLOCK).annotate(domain=domain)
    grouped = refusals.values_list("status", "domain").annotate(mails=Count("pk")).order_by("-mails")
    yield from grouped[:MAX_GROUPS]
    delays = SenderDelay.objects.filter(about, is_code).annotate(domain=domain)
    bounce = ("delivery__bounce__bounce_class", "delivery__bounce__status")
    waiting = delays.values_list("status", "domain", *bounce).annotate(mails=Count("pk")).order_by("-mails")
    for status, name, bounce_class, refusal, mails in waiting[:MAX_GROUPS]:
        if bounce_class != Bounce.Class.BLOCK or find_cause(refusal) is SenderCause.OTHER:
            yield status, name, mails


def _count_mails(send: Send, mailbox: str | None, *, since: datetime, limit: int, until: datetime | None = None) -> int:
    """Return how many mails of `_accepted_since` are for people at this mailbox provider, or at any; at most the limit."""
    mails = Delivery.objects.filter(_accepted_since(send, since=since))
    if until is not None:
        mails = mails.filter(batch__settled_at__lte=until)
    if mailbox is not None:
        people = Subscriber.objects.annotate(domain=ADDRESS_DOMAIN).filter(pk=OuterRef("subscriber_id"))
        mails = mails.filter(Exists(people.filter(domain__in=list_mailbox_domains(mailbox))))
    return mails.values("pk")[:limit].count()


def _accepted_since(send: Send, *, since: datetime, path: str = "") -> Q:
    """Return the condition for the mails that are judged: those that the provider accepted since then.

    Reports come late. Those about earlier mails say nothing about the pace since then.
    """
    fields = {"batch__send": send, "batch__state__in": ACCEPTED_STATES, "batch__settled_at__gt": since, "proof": False}
    is_accepted = Q(**{f"{path}exception__isnull": True}) | Q(**{f"{path}exception__state": ""})
    return Q(is_accepted, **{f"{path}{name}": value for name, value in fields.items()})
