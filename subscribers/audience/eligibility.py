"""The definition of “may be mailed”. Nothing else in the product decides it.

Candidates are the people with an open subscription to the list who match the segment. Each is either eligible or
excluded for one reason, so `candidates = eligible + excluded`.
"""

from collections.abc import Set
from datetime import datetime
from typing import Any, Required, TypedDict

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat
from django.utils import timezone

from newsletter.common.messages import Message
from subscribers.audience.recipient_allowlist import get_recipient_allowlist
from subscribers.models import (
    Basis,
    Frequency,
    MailingList,
    Reason,
    Segment,
    StayQuestion,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.models.subscriptions import MAILABLE
from subscribers.segments.compile import compile_rule

_REASONS_BY_SEVERITY = [
    Reason.LEGAL,
    Reason.ERASURE,
    Reason.COMPLAINT,
    Reason.UNSUBSCRIBE,
    Reason.HARD,
    Reason.SOFT_LIMIT,
    Reason.STAFF,
]
UNCONFIRMED = "unconfirmed"
PAUSED = "paused"
RESTING = "resting"
IMPLIED_CONSENT_EXPIRED = "implied_consent_ran_out"
NOT_ON_ALLOWLIST = "outside"
OVER_BUDGET = "over_budget"
NOT_CHARITABLE = "not_charitable"
OTHER_FREQUENCY = {Frequency.EVERY: "every_issue", Frequency.MONTHLY: "monthly", Frequency.EVENTS: "events_only"}
"""The exclusion reason of people who chose this frequency, for mail of another one."""

EVERY_ISSUE = frozenset({Frequency.EVERY})
ANY_FREQUENCY = frozenset(Frequency)
SubscriberIds = QuerySet[Any, int] | RawSQL | None


class AudienceFilters(TypedDict, total=False):
    """The arguments by which `eligible` and `candidates` select people at a moment."""

    mailing_list: Required[MailingList]
    segment: Segment | None
    frequencies: Set[Frequency]
    subscriber_ids: SubscriberIds
    over_budget: Q | None
    charitable: bool


def list_contactable(
    *,
    mailing_list: MailingList,
    segment: Segment | None = None,
    subscriber_ids: SubscriberIds = None,
    now: datetime | None = None,
) -> QuerySet[Subscription]:
    """Return the subscriptions with consent and without a suppression, with any frequency or pause.

    Implied consent that ended before `now` (default: the current time) does not count. ``subscriber_ids`` is a query of
    the only people to consider. There is one row for each person.
    """
    candidates = _candidates(mailing_list=mailing_list, segment=segment, subscriber_ids=subscriber_ids)
    lasting = ~_has_expired(now or timezone.now())
    return candidates.filter(MAILABLE, lasting, ~_is_suppressed(mailing_list))


def eligible(
    *,
    mailing_list: MailingList,
    segment: Segment | None = None,
    now: datetime,
    frequencies: Set[Frequency] = EVERY_ISSUE,
    subscriber_ids: SubscriberIds = None,
    over_budget: Q | None = None,
    charitable: bool = True,
) -> QuerySet[Subscription]:
    """Return the subscriptions that this kind of mail may reach at `now`, one row for each person.

    `frequencies` are the choices that the mail serves. `ANY_FREQUENCY` gives everyone who may be mailed at all.
    `over_budget` is the condition of people who get too many mails. If the mail is not `charitable`, the charitable soft
    opt-in does not cover it.
    """
    chosen_frequency = Q() if frequencies >= ANY_FREQUENCY else Q(frequency__in=sorted(frequencies))
    people = list_contactable(mailing_list=mailing_list, segment=segment, subscriber_ids=subscriber_ids, now=now)
    people = people.filter(~_is_paused(now), chosen_frequency, _is_on_allowlist(), ~_is_resting())
    people = people if charitable else people.exclude(basis=Basis.SOFT_OPT_IN)
    return people if over_budget is None else people.exclude(over_budget)


def candidates(
    *,
    mailing_list: MailingList,
    segment: Segment | None = None,
    now: datetime,
    frequencies: Set[Frequency] = EVERY_ISSUE,
    subscriber_ids: SubscriberIds = None,
    over_budget: Q | None = None,
    charitable: bool = True,
) -> QuerySet[Any]:
    """Return everyone on the list and in the segment, one subscription each, annotated with ``exclusion_reason``.

    The reason is "" for eligible people. Otherwise it is the first that applies: `unconfirmed`, `implied_consent_ran_out`,
    `suppressed:<reason>`, `resting` (did not confirm that they still want mail), `paused`, `every_issue`, `monthly` or
    `events_only` (they chose another kind of mail), `not_charitable` (only the charitable soft opt-in covers them),
    `outside` (not on this installation's recipient allowlist), or `over_budget`.
    """
    people = _candidates(mailing_list=mailing_list, segment=segment, subscriber_ids=subscriber_ids).order_by()
    reason = make_exclusion_reason(
        mailing_list, now=now, frequencies=frequencies, over_budget=over_budget, charitable=charitable
    )
    return people.annotate(exclusion_reason=reason)


def explain_ineligible(
    subscriber: Subscriber,
    *,
    mailing_list: MailingList,
    segment: Segment | None = None,
    now: datetime,
    frequencies: Set[Frequency] = ANY_FREQUENCY,
    over_budget: Q | None = None,
    charitable: bool = True,
) -> str:
    """Return why this person would not get such mail of this list, or "" if they would."""
    open_now = Subscription.objects.filter(subscriber=subscriber, mailing_list=mailing_list).open()
    annotation = make_exclusion_reason(
        mailing_list, now=now, frequencies=frequencies, over_budget=over_budget, charitable=charitable
    )
    subscription = open_now.annotate(exclusion_reason=annotation).first()
    if subscription is None:
        return Message("Not on the list %(name)s.", name=mailing_list.name)
    code = str(getattr(subscription, "exclusion_reason"))  # noqa: B009 annotated above
    if code == UNCONFIRMED:
        return Message("Has not yet confirmed by mail.")
    if code == IMPLIED_CONSENT_EXPIRED and subscription.expires_at:
        return Message("The implied consent ended on %(expires_at)s.", expires_at=subscription.expires_at.date())
    if code == RESTING:
        return Message("They get no newsletters, because they did not answer whether they still want mail.")
    if code == PAUSED and subscription.paused_until:
        return Message("Paused until %(paused_until)s.", paused_until=subscription.paused_until.date())
    if code == NOT_ON_ALLOWLIST:
        return Message("This installation may mail only the addresses in NEWSLETTER_ONLY_TO.")
    if code == OVER_BUDGET:
        return Message("With it, they would get more mails in 7 days than the limit for one person allows.")
    if code == NOT_CHARITABLE:
        return Message("Their charitable soft opt-in covers only mail for your charitable purposes.")
    if code in OTHER_FREQUENCY.values():
        return Message("Chose another frequency: %(label)s.", label=Frequency(subscription.frequency).label)
    if code:
        reason = Reason(code.removeprefix("suppressed:"))
        return Message("Must not be mailed: %(label)s.", label=reason.label)
    if segment is not None and not Subscriber.objects.filter(compile_rule(segment.rule), pk=subscriber.pk).exists():
        return Message("Does not match the segment %(name)s.", name=segment.name)
    return ""


def _candidates(
    *, mailing_list: MailingList, segment: Segment | None, subscriber_ids: SubscriberIds
) -> QuerySet[Subscription]:
    people = Subscription.objects.filter(mailing_list=mailing_list).open()
    if subscriber_ids is not None:
        people = people.filter(subscriber_id__in=subscriber_ids)
    if segment is None:
        return people
    return people.filter(subscriber__in=Subscriber.objects.filter(compile_rule(segment.rule)).values("pk"))


def _is_suppressed(mailing_list: MailingList | OuterRef) -> Exists:
    return Exists(Suppression.objects.covering(mailing_list).filter(address_hash=OuterRef("subscriber__address_hash")))


def _is_paused(now: datetime) -> Q:
    return Q(paused_until__isnull=False, paused_until__gt=now)


def _is_resting() -> Exists:
    """Return the condition of people who did not confirm that they still want mail.

    It depends on no row, because a worker compiles it once and uses it for people who begin to rest later.
    """
    return Exists(StayQuestion.objects.resting().filter(subscriber=OuterRef("subscriber_id")))


def _is_on_allowlist() -> Q:
    only_to = get_recipient_allowlist()
    return only_to.as_q("subscriber__email") if only_to else Q()


def _has_expired(now: datetime) -> Q:
    return Q(expires_at__isnull=False, expires_at__lte=now)


def make_exclusion_reason(
    mailing_list: MailingList | OuterRef,
    *,
    now: datetime,
    frequencies: Set[Frequency],
    over_budget: Q | None = None,
    charitable: bool = True,
) -> Case:
    """Return an expression for the reason code why a subscription may not be mailed, "" if it may."""
    severity = Case(
        *(When(reason=reason, then=Value(rank)) for rank, reason in enumerate(_REASONS_BY_SEVERITY)),
        output_field=IntegerField(),
    )
    most_severe = (
        Suppression.objects.covering(mailing_list)
        .filter(address_hash=OuterRef("subscriber__address_hash"))
        .order_by(severity)
        .annotate(exclusion_reason=Concat(Value("suppressed:"), "reason"))
        .values("exclusion_reason")[:1]
    )
    waiting = Q(basis=Basis.DOUBLE_OPT_IN, confirmed_at__isnull=True)
    chosen = Case(
        When(_is_resting(), then=Value(RESTING)),
        When(_is_paused(now), then=Value(PAUSED)),
        *(
            When(frequency=excluded, then=Value(OTHER_FREQUENCY[excluded]))
            for excluded in sorted(set(Frequency) - frequencies)
        ),
        *([] if charitable else [When(basis=Basis.SOFT_OPT_IN, then=Value(NOT_CHARITABLE))]),
        *([When(~_is_on_allowlist(), then=Value(NOT_ON_ALLOWLIST))] if _is_on_allowlist() else []),
        *([When(over_budget, then=Value(OVER_BUDGET))] if over_budget is not None else []),
        default=Value(""),
    )
    return Case(
        When(waiting, then=Value(UNCONFIRMED)),
        When(_has_expired(now), then=Value(IMPLIED_CONSENT_EXPIRED)),
        When(_is_suppressed(mailing_list), then=Subquery(most_severe)),
        default=chosen,
    )
