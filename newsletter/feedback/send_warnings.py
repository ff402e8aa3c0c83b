"""Warn staff early of complaints and bounces, and pause sends because of complaints at one mailbox domain.

A paused send has its own notice, so it gets no warning too. Complaints at a domain are counted over a week and over all
issues of a publication, as mailbox providers count them.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, Exists, OuterRef, Q, Subquery, When

from newsletter.common.messages import Message, Quantity
from newsletter.feedback.adjust_pace import ADDRESS_DOMAIN
from newsletter.feedback.automatic_pause import (
    MIN_COMPLAINTS,
    WARN_COMPLAINT_SHARE,
    SendCounts,
    count_problems,
    describe_share,
    is_complaint_rate_too_high,
    pause_by_rule,
)
from newsletter.feedback.reported_deliveries import ACCEPTED_STATES, count_by_account, find_unreported_batches
from newsletter.models import Delivery, DeliveryException, Issue, Publication, Send
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.settling.delivered_bitmap import DeliveredBits
from subscribers.models import Subscriber

WEEK = timedelta(days=7)
WARN_BOUNCE_SHARE = 0.02
MIN_BOUNCES = 5
_SPAM_RULES = (AutomaticPause.Rule.COMPLAINTS, AutomaticPause.Rule.DOMAIN)


@dataclass(frozen=True)
class SendWarning:
    """A warning to staff, sent once for each ``key``. ``issue`` is the page to open."""

    key: str
    issue: Issue
    subject: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class DomainComplaints:
    """The week's complaints at one mailbox domain.

    ``delivered`` is how many people there have the mail. If an account reports no deliveries of a send, or did not when it
    accepted a batch, they are the people whose mail it accepted.
    """

    name: str
    complained: int
    delivered: int


def check_recent_sends(*, now: datetime) -> list[SendWarning]:
    """Check the sends of the last week. Pause what must stop and return the warnings to staff."""
    week = Send.objects.filter(started_at__gt=now - WEEK, purged_at__isnull=True).exclude(recipients=0)
    publications = Publication.objects.filter(pk__in=week.values("issue__publication")).order_by("pk")
    domain_warnings = [warning for publication in publications for warning in _check_domains(publication, now=now)]
    return [*(warning for send in week.select_related("issue") for warning in _check_send(send)), *domain_warnings]


def count_domain_complaints(publication: Publication, *, now: datetime) -> list[DomainComplaints]:
    """Return the mailbox domains with enough complaints this week."""
    sends = Send.objects.filter(issue__publication=publication, started_at__gt=now - WEEK, purged_at__isnull=True)
    domain = Subscriber.objects.filter(pk=OuterRef("delivery__subscriber_id")).values(domain=ADDRESS_DOMAIN)
    people = DeliveryException.objects.filter(
        complained_at__gt=now - WEEK, delivery__proof=False, delivery__batch__send__in=sends
    )
    counted = people.values(domain=Subquery(domain)).annotate(people=Count("pk")).filter(people__gte=MIN_COMPLAINTS)
    enough = {name: complained for name, complained in counted.values_list("domain", "people") if name}
    delivered = _count_delivered(enough, sends=list(sends.values_list("pk", flat=True)) if enough else [])
    return [
        DomainComplaints(name, complained, max(delivered[name], complained))
        for name, complained in sorted(enough.items())
    ]


def _count_delivered(complaints: Mapping[str, int], *, sends: Sequence[int]) -> Counter[str]:
    """Count the delivered mails of each domain, up to the number at which its complaints are too few for a warning."""
    missing = {name: int(complained / WARN_COMPLAINT_SHARE) + 1 for name, complained in complaints.items()}
    counted: Counter[str] = Counter()
    for domain in _find_delivered(complaints, sends) if complaints else ():
        if domain not in missing:
            continue
        counted[domain] += 1
        if counted[domain] == missing[domain]:
            del missing[domain]
            if not missing:
                break
    return counted


def _find_delivered(domains: Collection[str], sends: Sequence[int]) -> Iterator[str]:
    """Yield the domain of each mail that somebody at one of the domains has."""
    accounts = count_by_account(sends)
    reporting = {(mails.send, mails.account) for mails in accounts if mails.reports_deliveries}
    unreported = find_unreported_batches(accounts)
    bits = {send: DeliveredBits(send) for send in sorted({send for send, _ in reporting})}
    people = Subscriber.objects.annotate(domain=ADDRESS_DOMAIN).filter(pk=OuterRef("subscriber_id"), domain__in=domains)
    mails = Delivery.objects.filter(Exists(people), batch__send__in=sends, proof=False).annotate(
        domain=people.values("domain")[:1],
        was_accepted=Case(
            When(batch__state__in=ACCEPTED_STATES, then=Q(exception=None) | Q(exception__state="")), default=False
        ),
    )
    fields = ("pk", "batch_id", "batch__send_id", "batch__account", "was_accepted", "domain")
    for pk, batch, send, account, was_accepted, domain in mails.values_list(*fields).iterator(chunk_size=2000):
        is_reported = (send, account) in reporting and batch not in unreported
        if pk in bits[send] if is_reported else was_accepted:
            yield domain


def _check_send(send: Send) -> Iterator[SendWarning]:
    counts = count_problems(send)
    delivered = max(counts.having_the_mail, counts.complained)
    issue = send.issue
    paused_by = set(send.automatic_pauses.values_list("rule", flat=True))
    many = counts.complained >= MIN_COMPLAINTS and counts.complained >= WARN_COMPLAINT_SHARE * delivered
    if many and paused_by.isdisjoint(_SPAM_RULES):
        share = describe_share(counts.complained, delivered)
        yield SendWarning(
            f"complaints-{send.pk}",
            issue,
            Message("%(issue)s: recipients report it as spam", issue=issue),
            (
                Message(
                    "%(complained)s of %(delivered)s recipients reported it as spam (%(share)s). Mailbox providers want "
                    "less than 0.1 %%; at 0.3 %% a send stops automatically.",
                    complained=counts.complained,
                    delivered=Quantity(delivered),
                    share=share,
                ),
                Message(
                    "They were removed from the list. Check what was different about this issue, and who joined lately."
                ),
            ),
        )
    many = counts.hard >= MIN_BOUNCES and counts.hard >= WARN_BOUNCE_SHARE * counts.accepted
    if many and AutomaticPause.Rule.HARD not in paused_by:
        yield _warn_of_bounces(send, counts)


def _warn_of_bounces(send: Send, counts: SendCounts) -> SendWarning:
    share = describe_share(counts.hard, counts.accepted)
    return SendWarning(
        f"bounces-{send.pk}",
        send.issue,
        Message("%(issue)s: many addresses do not exist", issue=send.issue),
        (
            Message(
                "%(hard)s of %(accepted)s addresses do not exist (%(share)s). Above 2 %% mailbox providers consider "
                "a sender careless; at 5 %% a send stops automatically.",
                hard=counts.hard,
                accepted=Quantity(counts.accepted),
                share=share,
            ),
            Message("These addresses are suppressed from now on. Were many people added from an old list?"),
        ),
    )


def _check_domains(publication: Publication, *, now: datetime) -> list[SendWarning]:
    warnings = []
    latest = Send.objects.filter(issue__publication=publication).select_related("issue").order_by("-pk").first()
    for domain in count_domain_complaints(publication, now=now) if latest else []:
        share = describe_share(domain.complained, domain.delivered)
        complaints = Message(
            "%(complained)s of %(delivered)s recipients at %(name)s reported this week’s mail as spam",
            complained=domain.complained,
            delivered=Quantity(domain.delivered),
            name=domain.name,
        )
        if is_complaint_rate_too_high(complained=domain.complained, delivered=domain.delivered):
            reason = Message(
                "Stopped automatically: %(complaints)s (%(share)s; the limit is 0.3 %%). %(name)s may soon refuse all "
                "your mail. Find out what these recipients have in common before resuming.",
                complaints=complaints,
                share=share,
                name=domain.name,
            )
            for send in Send.objects.filter(issue__publication=publication, state=Send.State.SUBMITTING):
                pause_by_rule(send, rule=AutomaticPause.Rule.DOMAIN, cases=domain.complained, reason=reason, now=now)
        if (
            latest
            and domain.complained >= WARN_COMPLAINT_SHARE * domain.delivered
            and not _was_paused(publication, now=now)
        ):
            warnings.append(
                SendWarning(
                    f"domain-{publication.pk}-{domain.name[:60]}-{now:%G-%V}",
                    latest.issue,
                    Message(
                        "%(publication)s: spam reports at %(domain)s", publication=publication.name, domain=domain.name
                    ),
                    (
                        Message(
                            "%(complaints)s (%(share)s). Each mailbox provider counts for itself: above 0.3 %% it may refuse "
                            "all your mail.",
                            complaints=complaints,
                            share=share,
                        ),
                        Message(
                            "They were removed from the list. Are there people at this provider who did not ask to be on it?"
                        ),
                    ),
                )
            )
    return warnings


def _was_paused(publication: Publication, *, now: datetime) -> bool:
    """Return True if complaints paused a send of the publication this week, so that staff were notified already."""
    paused = AutomaticPause.objects.filter(send__issue__publication=publication, at__gt=now - WEEK)
    return paused.filter(rule__in=_SPAM_RULES).exists()
