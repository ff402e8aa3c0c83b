"""One module decides who may be mailed, and every candidate is counted."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from subscribers.audience.counting import count_audience, count_lists
from subscribers.audience.eligibility import (
    ANY_FREQUENCY,
    EVERY_ISSUE,
    candidates,
    eligible,
    explain_ineligible,
    list_contactable,
)
from subscribers.models import (
    Basis,
    EndReason,
    Frequency,
    Reason,
    Scope,
    Segment,
    StayQuestion,
    Subscription,
    Suppression,
)
from subscribers.people.growth import count_growth
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.people import NOW, make_list, make_member, make_person, subscribe
from tests.support.query_plans import watch_plans

_LATER, _BEFORE = NOW + timedelta(days=9), NOW - timedelta(days=9)
_SUBSCRIPTIONS: list[dict[str, Any]] = [
    {},
    {"basis": Basis.DOUBLE_OPT_IN},
    {"basis": Basis.DOUBLE_OPT_IN, "confirmed_at": NOW},
    {"basis": Basis.CASL_IMPLIED, "expires_at": NOW},
    {"basis": Basis.CASL_IMPLIED, "expires_at": _LATER},
    {"paused_until": _LATER},
    {"paused_until": NOW},
    {"frequency": Frequency.MONTHLY},
    {"frequency": Frequency.EVENTS, "paused_until": _LATER},
    {"ended_at": NOW, "end_reason": EndReason.STAFF},
]
_QUESTIONS: list[dict[str, Any]] = [
    {},
    {"sent_at": _BEFORE},
    {"sent_at": _BEFORE, "resting_since": NOW},
    {"sent_at": _BEFORE, "resting_since": NOW, "answered_at": NOW},
]

pytestmark = [pytest.mark.postgres, pytest.mark.django_db, pytest.mark.requirement("S1")]


def test_people_with_any_basis_are_eligible_except_the_unconfirmed() -> None:
    weekly = make_list()
    for place, basis in enumerate(Basis.values):
        ends = NOW + timedelta(days=1) if basis == Basis.CASL_IMPLIED else None
        subscribe(make_person(f"person{place}@example.org"), weekly, basis=basis, expires_at=ends)
    count = count_audience(mailing_list=weekly, now=NOW)
    assert (count.candidates, count.eligible, count.excluded) == (6, 5, {"unconfirmed": 1})


def test_a_confirmed_double_opt_in_is_eligible() -> None:
    weekly = make_list()
    subscribe(make_person(), weekly, basis=Basis.DOUBLE_OPT_IN, confirmed_at=NOW)
    assert eligible(mailing_list=weekly, now=NOW).count() == 1


def test_members_of_another_list_are_no_candidates() -> None:
    weekly, events = make_list(), make_list("events")
    make_member(events)
    assert count_audience(mailing_list=weekly, now=NOW).candidates == 0


def test_only_suppressions_of_all_mail_or_this_list_exclude() -> None:
    weekly, events = make_list(), make_list("events")
    people = [make_member(weekly, f"person{number}@example.org") for number in range(3)]
    suppress(address_hash=bytes(people[0].address_hash), reason=Reason.HARD, now=NOW)
    suppress(address_hash=bytes(people[1].address_hash), reason=Reason.STAFF, mailing_list=weekly, now=NOW)
    suppress(address_hash=bytes(people[2].address_hash), reason=Reason.STAFF, mailing_list=events, now=NOW)
    assert count_audience(mailing_list=weekly, now=NOW).excluded == {"suppressed:hard": 1, "suppressed:staff": 1}
    assert [row.subscriber_id for row in eligible(mailing_list=weekly, now=NOW)] == [people[2].pk]


def test_several_suppressions_exclude_once_for_the_most_severe() -> None:
    weekly = make_list()
    person = make_member(weekly)
    for reason in (Reason.SOFT_LIMIT, Reason.LEGAL, Reason.HARD):
        suppress(address_hash=bytes(person.address_hash), reason=reason, now=NOW)
    assert count_audience(mailing_list=weekly, now=NOW).excluded == {"suppressed:legal": 1}


def test_a_lifted_suppression_excludes_nobody() -> None:
    weekly = make_list()
    person = make_member(weekly)
    suppress(address_hash=bytes(person.address_hash), reason=Reason.HARD, now=NOW)
    Suppression.objects.update(removed_at=NOW, removal_reason="typing error repaired")
    assert count_audience(mailing_list=weekly, now=NOW).eligible == 1


def test_a_segment_narrows_candidates_and_not_only_the_eligible() -> None:
    weekly = make_list()
    make_member(weekly, "ada@example.org", giving="donor")
    subscribe(make_person("bea@example.org", giving="donor"), weekly, basis=Basis.DOUBLE_OPT_IN)
    make_member(weekly, "cy@example.org")
    donors = Segment.objects.create(slug="donors", name="Donors", rule={"giving": "donor"})
    count = count_audience(mailing_list=weekly, segment=donors, now=NOW)
    assert (count.candidates, count.eligible, count.excluded) == (2, 1, {"unconfirmed": 1})


def test_candidates_are_eligible_plus_excluded_whatever_the_people() -> None:
    weekly, events = make_list(), make_list("events")
    dice = random.Random(11)
    for number in range(120):
        person = make_person(f"person{number}@example.org", giving=dice.choice(["none", "donor"]))
        state = dice.choice(["confirmed", "waiting", "ended", "none"])
        if state != "none":
            subscribe(
                person,
                weekly,
                frequency=dice.choice(list(Frequency)),
                paused_until=dice.choice([None, NOW, NOW + timedelta(days=9)]),
                basis=Basis.DOUBLE_OPT_IN if state == "waiting" else Basis.CONSENT,
                ended_at=NOW if state == "ended" else None,
                end_reason=EndReason.STAFF if state == "ended" else "",
            )
        for _ in range(dice.randrange(3)):
            Suppression.objects.get_or_create(
                address_hash=bytes(person.address_hash),
                reason=dice.choice(Reason.values),
                **dice.choice(
                    [
                        {"scope": Scope.ALL, "mailing_list": None},
                        {"scope": Scope.LIST, "mailing_list": weekly},
                        {"scope": Scope.LIST, "mailing_list": events},
                    ]
                ),
                defaults={"at": NOW},
            )
    donors = Segment.objects.create(slug="donors", name="Donors", rule={"giving": "donor"})
    for segment in (None, donors):
        count = count_audience(mailing_list=weekly, segment=segment, now=NOW)
        assert count.candidates == count.eligible + sum(count.excluded.values())
        assert count.eligible == eligible(mailing_list=weekly, segment=segment, now=NOW).count()
        members = Subscription.objects.filter(mailing_list=weekly).open()
        assert count.candidates == (members.filter(subscriber__giving="donor") if segment else members).count()
        for subscription in members.select_related("subscriber"):
            fit = eligible(mailing_list=weekly, segment=segment, now=NOW).filter(pk=subscription.pk).exists()
            assert fit == (
                not explain_ineligible(
                    subscription.subscriber, mailing_list=weekly, segment=segment, now=NOW, frequencies=EVERY_ISSUE
                )
            )


@pytest.mark.parametrize("frequencies", [EVERY_ISSUE, ANY_FREQUENCY])
def test_counts_from_indexes_agree_with_the_reason_of_each_person(frequencies: frozenset[Frequency]) -> None:
    lists = make_list(), make_list("events")
    dice = random.Random(5)
    for number in range(150):
        person = make_person(f"person{number}@example.org")
        for one in dice.sample(lists, dice.randrange(3)):
            subscribe(person, one, **dice.choice(_SUBSCRIPTIONS))
        if dice.random() < 0.2:
            StayQuestion.objects.create(
                subscriber=person, mailing_list=lists[0], asked_at=NOW, **dice.choice(_QUESTIONS)
            )
        if dice.random() < 0.2:
            scope = dice.choice([None, *lists])
            suppress(address_hash=bytes(person.address_hash), reason=Reason.HARD, mailing_list=scope, now=NOW)
    seen = set()
    for one in lists:
        rows = candidates(mailing_list=one, now=NOW, frequencies=frequencies)
        reasons = Counter(rows.values_list("exclusion_reason", flat=True))
        people = reasons.pop("")
        counted = count_audience(mailing_list=one, now=NOW, frequencies=frequencies)
        assert (counted.eligible, counted.excluded) == (people, reasons)
        assert counted.candidates == people + reasons.total()
        if frequencies is ANY_FREQUENCY:
            assert count_lists(now=NOW)[one.pk] == counted
        seen |= set(reasons)
    assert seen >= {"unconfirmed", "implied_consent_ran_out", "resting", "paused", "suppressed:hard"}


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="reads plans of SQLite")
def test_lists_are_counted_without_reading_the_people_on_them() -> None:
    make_member(make_list())
    with watch_plans() as plans:
        count_lists(now=NOW)
    assert plans.queries == 1
    ((scanned, _sql),) = plans.scans
    assert scanned == {"subscribers_subscription", "subscribers_suppression"}


@pytest.mark.requirement("U8")
def test_someone_who_leaves_is_gone_from_the_live_check_at_once() -> None:
    weekly = make_list()
    stays, leaves, reports = (make_member(weekly, f"{name}@example.org") for name in ("ada", "bea", "cy"))
    unsubscribe_from_list(subscriber=leaves, mailing_list=weekly, now=NOW)
    suppress(address_hash=bytes(reports.address_hash), reason=Reason.COMPLAINT, now=NOW)
    fit = eligible(mailing_list=weekly, now=NOW, frequencies=ANY_FREQUENCY)
    assert [row.subscriber_id for row in fit] == [stays.pk]


def test_mail_reaches_people_of_its_frequency_and_counts_the_others() -> None:
    weekly = make_list()
    for frequency in Frequency:
        subscribe(make_person(f"{frequency}@example.org"), weekly, frequency=frequency)
    words = {Frequency.EVERY: "every_issue", Frequency.MONTHLY: "monthly", Frequency.EVENTS: "events_only"}
    for frequency in Frequency:
        count = count_audience(mailing_list=weekly, now=NOW, frequencies={frequency})
        others = {word: 1 for other, word in words.items() if other is not frequency}
        assert (count.candidates, count.eligible, count.excluded) == (3, 1, others)
        chosen = eligible(mailing_list=weekly, now=NOW, frequencies={frequency})
        assert [row.frequency for row in chosen] == [frequency]
    both = count_audience(mailing_list=weekly, now=NOW, frequencies={Frequency.EVERY, Frequency.EVENTS})
    assert (both.eligible, both.excluded) == (2, {"monthly": 1})
    assert count_audience(mailing_list=weekly, now=NOW).eligible == 1


def test_a_pause_stops_all_mail_until_it_ends() -> None:
    weekly = make_list()
    subscribe(make_person(), weekly, paused_until=NOW)
    just_before = NOW - timedelta(seconds=1)
    paused = count_audience(mailing_list=weekly, now=just_before, frequencies=ANY_FREQUENCY)
    assert (paused.eligible, paused.excluded) == (0, {"paused": 1})
    assert not eligible(mailing_list=weekly, now=just_before, frequencies=ANY_FREQUENCY).exists()
    assert eligible(mailing_list=weekly, now=NOW).count() == 1
    assert list_contactable(mailing_list=weekly).count() == 1


def test_the_audience_is_one_statement_that_can_be_inserted_from() -> None:
    weekly = make_list()
    make_member(weekly)
    nowhere = Segment.objects.create(slug="nowhere", name="Nowhere", rule={"near": "London, GB", "km": 5})
    sql, params = (
        eligible(mailing_list=weekly, segment=nowhere, now=NOW).values("subscriber_id").query.sql_with_params()
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM ({sql}) AS people", params)
        assert cursor.fetchone() == (0,)


def test_staff_read_why_somebody_gets_no_mail() -> None:
    weekly = make_list(name="Weekly")
    stranger = make_person("stranger@example.org")
    waiting = make_person("waiting@example.org")
    subscribe(waiting, weekly, basis=Basis.DOUBLE_OPT_IN)
    suppressed = make_member(weekly, "suppressed@example.org")
    suppress(address_hash=bytes(suppressed.address_hash), reason=Reason.HARD, now=NOW)
    donors = Segment.objects.create(slug="donors", name="Donors", rule={"giving": "donor"})
    fine = make_member(weekly, "fine@example.org")
    assert explain_ineligible(stranger, mailing_list=weekly, now=NOW) == "Not on the list Weekly."
    assert explain_ineligible(waiting, mailing_list=weekly, now=NOW) == "Has not yet confirmed by mail."
    assert (
        explain_ineligible(suppressed, mailing_list=weekly, now=NOW)
        == "Must not be mailed: the address does not exist."
    )
    assert (
        explain_ineligible(fine, mailing_list=weekly, segment=donors, now=NOW) == "Does not match the segment Donors."
    )
    assert explain_ineligible(fine, mailing_list=weekly, now=NOW) == ""
    rests = make_person("rests@example.org")
    subscribe(rests, weekly, paused_until=NOW + timedelta(days=30), frequency=Frequency.MONTHLY)
    assert explain_ineligible(rests, mailing_list=weekly, now=NOW) == "Paused until 4 April 2026."
    later = NOW + timedelta(days=31)
    assert explain_ineligible(rests, mailing_list=weekly, now=later) == ""
    assert (
        explain_ineligible(rests, mailing_list=weekly, now=later, frequencies=EVERY_ISSUE)
        == "Chose another frequency: once a month."
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"basis": "hope"},
        {"basis": Basis.CONSENT, "evidence": ""},
        {"ended_at": NOW},
        {"end_reason": EndReason.STAFF},
    ],
)
@pytest.mark.requirement("P2")
def test_a_subscription_needs_a_basis_evidence_and_an_end_reason(fields: dict[str, object]) -> None:
    weekly, person = make_list(), make_person()
    with pytest.raises(IntegrityError), transaction.atomic():
        subscribe(person, weekly, **fields)


def test_a_person_has_one_open_subscription_to_a_list() -> None:
    weekly, person = make_list(), make_person()
    for days in range(2):
        subscribe(person, weekly, ended_at=NOW + timedelta(days=days), end_reason=EndReason.UNSUBSCRIBE)
    subscribe(person, weekly)
    with pytest.raises(IntegrityError), transaction.atomic():
        subscribe(person, weekly)


def test_growth_counts_who_agreed_on_this_list_only() -> None:
    weekly, events = make_list(), make_list("events")
    for number in range(4):
        person = make_person(f"person{number}@example.org")
        subscribe(person, weekly, basis=Basis.CONSENT if number else Basis.DOUBLE_OPT_IN)
        subscribe(person, events, basis=Basis.DOUBLE_OPT_IN)
    subscribe(make_person("left@example.org"), weekly, ended_at=NOW, end_reason=EndReason.STAFF)
    assert [count_growth(mailing_list=one, weeks=1, now=NOW)[-1].people for one in (weekly, events)] == [3, 0]
