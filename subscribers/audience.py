"""The one definition of "may be mailed". Nothing else in the product decides it.

Candidates are the people with an open subscription to the list who match the segment; each is either eligible or
excluded for one reason, so `candidates = eligible + excluded` always.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Concat

from subscribers.models import Basis, MailingList, Reason, Segment, Subscriber, Subscription, Suppression
from subscribers.models.subscriptions import MAILABLE
from subscribers.segments import compile_rule

_GRAVEST_FIRST = [
    Reason.LEGAL,
    Reason.ERASURE,
    Reason.COMPLAINT,
    Reason.UNSUBSCRIBE,
    Reason.HARD,
    Reason.SOFT_LIMIT,
    Reason.STAFF,
]
UNCONFIRMED = "unconfirmed"
_CHUNK = 5_000


@dataclass(frozen=True)
class AudienceCount:
    """How many people are on the list and in the segment, and what becomes of them."""

    candidates: int
    eligible: int
    excluded: dict[str, int]


def eligible(*, mailing_list: MailingList, segment: Segment | None = None) -> QuerySet[Subscription]:
    """Everyone who may be mailed now, as one query of subscriptions: one row a person."""
    candidates = _candidates(mailing_list=mailing_list, segment=segment)
    return candidates.filter(MAILABLE, ~_is_suppressed(mailing_list))


def exclusions(*, mailing_list: MailingList, segment: Segment | None = None) -> dict[str, int]:
    """How many candidates may not be mailed, by reason: `unconfirmed` or `suppressed:<reason>`."""
    return count_audience(mailing_list=mailing_list, segment=segment).excluded


def count_audience(*, mailing_list: MailingList, segment: Segment | None = None) -> AudienceCount:
    """Counts candidates, eligible and excluded in one statement, so that the three always agree."""
    rows = (
        _candidates(mailing_list=mailing_list, segment=segment)
        .annotate(why=_why_not(mailing_list))
        .order_by()
        .values("why")
        .annotate(people=Count("pk"))
        .values_list("why", "people")
    )
    counts = dict(rows)
    fit = counts.pop("", 0)
    return AudienceCount(candidates=fit + sum(counts.values()), eligible=fit, excluded=dict(sorted(counts.items())))


def still_eligible(subscriber_ids: Iterable[int], *, mailing_list: MailingList) -> set[int]:
    """Those of these people who may be mailed at this moment; segments are not looked at again.

    People who left, were suppressed or were erased since are missing from the answer.
    """
    remaining = iter(subscriber_ids)
    fit: set[int] = set()
    while chunk := list(islice(remaining, _CHUNK)):
        fit.update(
            eligible(mailing_list=mailing_list).filter(subscriber_id__in=chunk).values_list("subscriber_id", flat=True)
        )
    return fit


def explain_ineligible(subscriber: Subscriber, *, mailing_list: MailingList, segment: Segment | None = None) -> str:
    """Why this person would not get mail of this list, in words; an empty text when they would."""
    open_now = Subscription.objects.filter(subscriber=subscriber, mailing_list=mailing_list).open()
    if not open_now.exists():
        return f"Not on the list {mailing_list.name}."
    why = open_now.annotate(why=_why_not(mailing_list)).values_list("why", flat=True).get()
    if why == UNCONFIRMED:
        return "Has not yet confirmed by mail."
    if why:
        reason = Reason(why.removeprefix("suppressed:"))
        return f"Must not be mailed: {reason.label}."
    if segment is not None and not Subscriber.objects.filter(compile_rule(segment.rule), pk=subscriber.pk).exists():
        return f"Does not match the segment {segment.name}."
    return ""


def _candidates(*, mailing_list: MailingList, segment: Segment | None) -> QuerySet[Subscription]:
    people = Subscription.objects.filter(mailing_list=mailing_list).open()
    if segment is None:
        return people
    return people.filter(subscriber__in=Subscriber.objects.filter(compile_rule(segment.rule)).values("pk"))


def _is_suppressed(mailing_list: MailingList) -> Exists:
    return Exists(Suppression.objects.covering(mailing_list).filter(address_hash=OuterRef("subscriber__address_hash")))


def _why_not(mailing_list: MailingList) -> Case:
    """One word for why a subscription may not be mailed; an empty text when it may."""
    gravity = Case(
        *(When(reason=reason, then=Value(place)) for place, reason in enumerate(_GRAVEST_FIRST)),
        output_field=IntegerField(),
    )
    gravest = (
        Suppression.objects.covering(mailing_list)
        .filter(address_hash=OuterRef("subscriber__address_hash"))
        .order_by(gravity)
        .annotate(why=Concat(Value("suppressed:"), "reason"))
        .values("why")[:1]
    )
    waiting = Q(basis=Basis.DOUBLE_OPT_IN, confirmed_at__isnull=True)
    return Case(When(waiting, then=Value(UNCONFIRMED)), default=Coalesce(Subquery(gravest), Value("")))
