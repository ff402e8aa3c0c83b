"""Watches how the mail is taken: warns staff early, and stops a send by what one mailbox domain says of it (B2, B3).

A send that a rule stopped is told of as such, so it is not warned of as well.
A domain is counted over a week and over all issues of a publication, for that is how its provider counts.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.common.messages import Message, Quantity
from newsletter.feedback.automatic_pause import (
    MIN_COMPLAINTS,
    SendCounts,
    count_problems,
    format_share,
    is_complaint_rate_too_high,
    pause_by_rule,
)
from newsletter.models import Delivery, DeliveryException, Issue, Publication, Send
from newsletter.models.feedback import AutomaticPause
from newsletter.sending.settling.delivered import DeliveredBits
from subscribers.models import Subscriber

WEEK = timedelta(days=7)
WARN_COMPLAINT_SHARE = 0.0008
WARN_BOUNCE_SHARE = 0.02
MIN_BOUNCES = 5
_SPAM_RULES = (AutomaticPause.Rule.COMPLAINTS, AutomaticPause.Rule.DOMAIN)


@dataclass(frozen=True)
class SendWarning:
    """What staff are to hear, once for each ``key``. ``issue`` is where it stands to be looked at."""

    key: str
    issue: Issue
    subject: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class DomainComplaints:
    """What the readers at one mailbox domain did with a week's issues. ``heard_of`` is how many of them have the mail."""

    name: str
    complained: int
    heard_of: int


def check_recent_sends(*, now: datetime) -> list[SendWarning]:
    """Look at the sends of the last week. Stops what must be stopped; returns what staff are to be told."""
    week = Send.objects.filter(started_at__gt=now - WEEK, forgotten_at__isnull=True).exclude(recipients=0)
    publications = Publication.objects.filter(pk__in=week.values("issue__publication")).order_by("pk")
    of_domains = [warning for publication in publications for warning in _check_domains(publication, now=now)]
    return [*(warning for send in week.select_related("issue") for warning in _check_send(send)), *of_domains]


def count_domain_complaints(publication: Publication, *, now: datetime) -> list[DomainComplaints]:
    """The mailbox domains of which complaints came this week; the few others are not counted."""
    sends = list(
        Send.objects.filter(issue__publication=publication, started_at__gt=now - WEEK, forgotten_at__isnull=True)
    )
    people = DeliveryException.objects.filter(
        delivery__batch__send__in=sends, delivery__proof=False, complained_at__gt=now - WEEK
    ).values_list("delivery__subscriber_id", flat=True)
    addresses = Subscriber.objects.filter(pk__in=list(people)).values_list("email", flat=True)
    counted = Counter(address.rpartition("@")[2].lower() for address in addresses)
    enough = {name: complained for name, complained in counted.items() if complained >= MIN_COMPLAINTS}
    return [
        DomainComplaints(name, complained, max(_count_delivered_at(name, sends=sends), complained))
        for name, complained in sorted(enough.items())
    ]


def _count_delivered_at(domain: str, *, sends: Collection[Send]) -> int:
    there = Subscriber.objects.filter(email__iendswith=f"@{domain}").values("pk")
    total = 0
    for send in sends:
        bits = DeliveredBits(send)
        rows = Delivery.objects.filter(batch__send=send, proof=False, subscriber_id__in=there)
        total += sum(pk in bits for pk in rows.values_list("pk", flat=True).iterator(chunk_size=10_000))
    return total


def _check_send(send: Send) -> Iterator[SendWarning]:
    counts = count_problems(send)
    heard_of = counts.delivered or counts.accepted
    issue = send.issue
    stopped_by = set(send.automatic_pauses.values_list("rule", flat=True))
    many = counts.complained >= MIN_COMPLAINTS and counts.complained >= WARN_COMPLAINT_SHARE * heard_of
    if many and stopped_by.isdisjoint(_SPAM_RULES):
        share = format_share(counts.complained, heard_of)
        yield SendWarning(
            f"complaints-{send.pk}",
            issue,
            Message("%(issue)s: readers report it as spam", issue=issue),
            (
                Message(
                    "%(complained)s of %(heard_of)s readers reported it as spam (%(share)s). Mailbox providers want "
                    "less than 0.1 %%; at 0.3 %% a send stops by itself.",
                    complained=counts.complained,
                    heard_of=Quantity(heard_of),
                    share=share,
                ),
                Message(
                    "They were taken off the list. Look at what this issue had that others had not, and at who "
                    "joined lately."
                ),
            ),
        )
    many = counts.hard >= MIN_BOUNCES and counts.hard >= WARN_BOUNCE_SHARE * counts.accepted
    if many and AutomaticPause.Rule.HARD not in stopped_by:
        yield _warn_of_bounces(send, counts)


def _warn_of_bounces(send: Send, counts: SendCounts) -> SendWarning:
    share = format_share(counts.hard, counts.accepted)
    return SendWarning(
        f"bounces-{send.pk}",
        send.issue,
        Message("%(issue)s: many addresses do not exist", issue=send.issue),
        (
            Message(
                "%(hard)s of %(accepted)s addresses do not exist (%(share)s). Above 2 %% mailbox providers take "
                "a sender for careless; at 5 %% a send stops by itself.",
                hard=counts.hard,
                accepted=Quantity(counts.accepted),
                share=share,
            ),
            Message("These addresses are barred from now on. Were many people added from an old list?"),
        ),
    )


def _check_domains(publication: Publication, *, now: datetime) -> list[SendWarning]:
    warnings = []
    latest = Send.objects.filter(issue__publication=publication).select_related("issue").order_by("-pk").first()
    for domain in count_domain_complaints(publication, now=now) if latest else []:
        share = format_share(domain.complained, domain.heard_of)
        told = Message(
            "%(complained)s of %(heard_of)s readers at %(name)s reported this week's mail as spam",
            complained=domain.complained,
            heard_of=Quantity(domain.heard_of),
            name=domain.name,
        )
        if is_complaint_rate_too_high(complained=domain.complained, heard_of=domain.heard_of):
            why = Message(
                "Stopped by itself: %(told)s (%(share)s; the limit is 0.3 %%). %(name)s may soon refuse all "
                "mail of yours. Find out what these readers have in common before resuming.",
                told=told,
                share=share,
                name=domain.name,
            )
            for send in Send.objects.filter(issue__publication=publication, state=Send.State.SUBMITTING):
                pause_by_rule(send, rule=AutomaticPause.Rule.DOMAIN, cases=domain.complained, why=why, now=now)
        if (
            latest
            and domain.complained >= WARN_COMPLAINT_SHARE * domain.heard_of
            and not _is_stopped(publication, now=now)
        ):
            warnings.append(
                SendWarning(
                    f"domain-{publication.pk}-{domain.name[:60]}-{now:%G-%V}",
                    latest.issue,
                    Message("%(name)s: spam reports at %(name_2)s", name=publication.name, name_2=domain.name),
                    (
                        Message(
                            "%(told)s (%(share)s). A mailbox provider counts by itself: above 0.3 %% it may refuse all your "
                            "mail.",
                            told=told,
                            share=share,
                        ),
                        Message(
                            "They were taken off the list. Are there readers at this provider who did not ask to be on it?"
                        ),
                    ),
                )
            )
    return warnings


def _is_stopped(publication: Publication, *, now: datetime) -> bool:
    """Return True if spam reports stopped a send of the publication this week: staff have had the mail about it."""
    stopped = AutomaticPause.objects.filter(send__issue__publication=publication, at__gt=now - WEEK)
    return stopped.filter(rule__in=_SPAM_RULES).exists()
