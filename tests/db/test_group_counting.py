"""Groups of a whole list are counted from an index and the few whom something excludes, as if each person were looked at."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants import count_recipients, rehearse
from newsletter.issues.variants.reader_zones import count_by_zone
from newsletter.issues.variants.recipient_groups import REFERENCES, count_groups, find_groups, find_recipients
from newsletter.issues.variants.rehearse import rehearse_send
from newsletter.models import Issue, MailLimits, Story
from subscribers.audience.counting import AudienceCount
from subscribers.audience.eligibility import ANY_FREQUENCY, EVERY_ISSUE, eligible
from subscribers.audience.group_counting import can_group_by_index, count_groups_of_list
from subscribers.audience.zones import find_zone_of
from subscribers.models import (
    Basis,
    EndReason,
    Frequency,
    MailingList,
    Reason,
    Segment,
    StayQuestion,
    Subscriber,
    Subscription,
    Topic,
)
from subscribers.unsubscribing.suppression import suppress
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_issue,
    make_place,
    make_publication,
    make_story,
)
from tests.support.group_queries import find_group_queries
from tests.support.people import make_list, make_member, make_person, subscribe

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]

_LATER, _BEFORE = NOW + timedelta(days=9), NOW - timedelta(days=9)
_SUBSCRIPTIONS: list[dict[str, Any]] = [
    {},
    {},
    {"basis": Basis.DOUBLE_OPT_IN},
    {"basis": Basis.DOUBLE_OPT_IN, "confirmed_at": NOW},
    {"basis": Basis.SOFT_OPT_IN},
    {"basis": Basis.CASL_IMPLIED, "expires_at": NOW},
    {"basis": Basis.CASL_IMPLIED, "expires_at": _LATER},
    {"paused_until": _LATER},
    {"paused_until": NOW},
    {"frequency": Frequency.MONTHLY},
    {"frequency": Frequency.EVENTS},
    {"frequency": Frequency.EVENTS, "paused_until": _LATER},
]
_QUESTIONS: list[dict[str, Any]] = [
    {"sent_at": _BEFORE},
    {"sent_at": _BEFORE, "resting_since": NOW},
    {"sent_at": _BEFORE, "resting_since": NOW, "answered_at": NOW},
]
_PLACES = [LONDON, {**HOUSTON, "zone": "America/Chicago"}, None]
Change = Callable[[Issue], object]


def make_population(lists: list[MailingList], *, seed: int, people: int = 150) -> None:
    """Create people with random choices, each on some of the lists, some of whom left before or may not be mailed."""
    dice = random.Random(seed)
    places = [make_place(where) if where else None for where in _PLACES]
    topic = Topic.objects.create(slug="water", name="Water")
    for number in range(people):
        person = make_person(
            f"person{number}@example.org",
            place=dice.choice(places),
            giving=dice.choice(["none", "donor", "monthly"]),
            radius_km=dice.choice([None, None, 0, 50]),
            timezone=dice.choice(["", "", "Europe/Berlin", "Nowhere/Land"]),
            language=dice.choice(["", "en", "es", "ES-mx"]),
        )
        person.topics.set([topic] if dice.random() < 0.3 else [])
        for one in dice.sample(lists, dice.randrange(len(lists) + 1)):
            if dice.random() < 0.2:
                subscribe(person, one, ended_at=NOW, end_reason=EndReason.STAFF)
            if dice.random() < 0.9:
                subscribe(person, one, **dice.choice(_SUBSCRIPTIONS))
        if dice.random() < 0.2:
            StayQuestion.objects.create(
                subscriber=person, mailing_list=lists[0], asked_at=_BEFORE, **dice.choice(_QUESTIONS)
            )
        if dice.random() < 0.2:
            scope = dice.choice([None, *lists])
            suppress(address_hash=bytes(person.address_hash), reason=Reason.HARD, mailing_list=scope, now=NOW)


def look_at_each(
    mailing_list: MailingList, *, frequencies: frozenset[Frequency], zone: str
) -> Counter[tuple[str, int, str, int, str]]:
    rows = eligible(mailing_list=mailing_list, frequencies=frequencies, now=NOW).select_related("subscriber__place")
    return Counter(describe(row.subscriber, row, zone=zone) for row in rows)


def describe(person: Subscriber, row: Subscription, *, zone: str) -> tuple[str, int, str, int, str]:
    own_zone = find_zone_of(person, default=zone) if zone else ""
    return own_zone, person.place_id or 0, person.giving, person.radius_km or 0, row.frequency


@pytest.mark.parametrize("seed", range(4))
def test_groups_of_lists_are_those_of_their_people(seed: int) -> None:
    lists = [make_list(), make_list("events"), make_list("third")]
    make_population(lists, seed=seed)
    frequencies_of_sends = (EVERY_ISSUE, EVERY_ISSUE | {Frequency.EVENTS}, ANY_FREQUENCY)
    for one, frequencies, zone in product(lists, frequencies_of_sends, ("", "Europe/London")):
        case = one.slug, frequencies, zone
        by_person = look_at_each(one, frequencies=frequencies, zone=zone)
        assert len(by_person) > 5, case
        with CaptureQueriesContext(connection) as queries:
            counted = count_groups_of_list(mailing_list=one, frequencies=frequencies, now=NOW, default_zone=zone)
        assert counted == by_person, case
        assert len([query for query in queries if "COUNT(" in query["sql"]]) == 1, case


def test_a_person_whom_several_conditions_exclude_is_subtracted_once() -> None:
    weekly = make_list()
    make_member(weekly, "ada@example.org")
    person = make_person("bea@example.org")
    subscribe(person, weekly, frequency=Frequency.MONTHLY, paused_until=_LATER)
    for reason in (Reason.HARD, Reason.COMPLAINT):
        suppress(address_hash=bytes(person.address_hash), reason=reason, now=NOW)
    assert count_groups_of_list(mailing_list=weekly, frequencies=EVERY_ISSUE, now=NOW) == {
        ("", 0, "none", 0, "every"): 1
    }


def test_a_list_without_people_has_no_groups() -> None:
    make_member(make_list())
    assert count_groups_of_list(mailing_list=make_list("events"), frequencies=EVERY_ISSUE, now=NOW) == {}


def test_only_a_whole_list_is_grouped_by_the_index(settings: Any) -> None:
    weekly = make_list()
    make_member(weekly)
    donors = Segment.objects.create(slug="donors", name="Donors", rule={"giving": "donor"})
    assert can_group_by_index(mailing_list=weekly, now=NOW, frequencies=EVERY_ISSUE)
    assert not can_group_by_index(mailing_list=weekly, now=NOW, frequencies=EVERY_ISSUE, segment=donors)
    assert not can_group_by_index(mailing_list=weekly, now=NOW, frequencies=EVERY_ISSUE, charitable=False)
    assert not can_group_by_index(mailing_list=weekly, now=NOW, frequencies={Frequency.MONTHLY})
    settings.SUBSCRIBERS_ONLY_TO = ["ada@example.org"]
    assert not can_group_by_index(mailing_list=weekly, now=NOW, frequencies=EVERY_ISSUE)


def suppress_one(person: Subscriber) -> None:
    suppress(address_hash=bytes(person.address_hash), reason=Reason.HARD, now=NOW)


def let_rest(person: Subscriber) -> None:
    weekly = MailingList.objects.get(slug="weekly")
    StayQuestion.objects.create(subscriber=person, mailing_list=weekly, asked_at=_BEFORE, **_QUESTIONS[1])


def change(**fields: Any) -> Callable[[Subscriber], object]:
    return lambda person: Subscription.objects.filter(subscriber=person).update(**fields)


def join_another_list(person: Subscriber) -> None:
    other, _ = MailingList.objects.get_or_create(slug="other", defaults={"name": "Other"})
    subscribe(person, other, frequency=Frequency.MONTHLY)


@pytest.mark.parametrize(
    "concern",
    [
        suppress_one,
        let_rest,
        change(basis=Basis.DOUBLE_OPT_IN),
        change(basis=Basis.CASL_IMPLIED, expires_at=NOW),
        change(paused_until=_LATER),
        change(frequency=Frequency.MONTHLY),
        join_another_list,
    ],
    ids=["suppressed", "resting", "unconfirmed", "expired", "paused", "monthly", "monthly on another list"],
)
def test_a_list_is_read_by_person_if_something_may_exclude_many(concern: Callable[[Subscriber], object]) -> None:
    publication = make_publication()
    people = add_subscribers(publication, 100)
    few = 10 if connection.vendor == "sqlite" else 2
    make_story("The first verdict")
    issue = make_issue(publication)
    for person in people[:few]:
        concern(person)
    assert groups_by_index(issue)
    concern(people[few])
    assert not groups_by_index(issue)


def groups_by_index(issue: Issue) -> bool:
    with CaptureQueriesContext(connection) as queries:
        count_groups(issue, content=resolve_content(issue), now=NOW)
    (sql,) = find_group_queries(queries.captured_queries)
    return '"is_added"' in sql


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL plans by the number of rows")
def test_sqlite_reads_everybody_only_for_a_list_of_many_of_them() -> None:
    weekly, small = make_list(), make_list("small")
    for number in range(9):
        make_member(weekly, f"person{number}@example.org")
    for number in range(3):
        make_member(small, f"other{number}@example.org")
    assert can_group_by_index(mailing_list=weekly, now=NOW, frequencies=EVERY_ISSUE)
    assert not can_group_by_index(mailing_list=small, now=NOW, frequencies=EVERY_ISSUE)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="reads plans of SQLite")
def test_sqlite_groups_everybody_in_the_order_of_the_index() -> None:
    weekly = make_list()
    make_member(weekly)
    for zone in ("", "Europe/London"):
        with CaptureQueriesContext(connection) as queries:
            count_groups_of_list(mailing_list=weekly, frequencies=EVERY_ISSUE, now=NOW, default_zone=zone)
        (sql,) = (query["sql"] for query in queries if "COUNT(" in query["sql"])
        with connection.cursor() as cursor:
            steps = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
        others = next(place for place, step in enumerate(steps) if step == "UNION ALL")
        assert "SCAN subscribers_subscriber USING COVERING INDEX subscriber_groups" in steps[:others], steps
        assert not [step for step in steps[:others] if "TEMP B-TREE" in step], steps


def with_topics(issue: Issue) -> None:
    issue.publication.interests = "only"
    issue.publication.save()
    for story in Story.objects.all():
        story.topics.set(Topic.objects.all())


def with_segment(issue: Issue) -> None:
    issue.segment = Segment.objects.create(slug="donors", name="Donors", rule={"giving": "donor"})


def with_limit(issue: Issue) -> None:
    MailLimits.objects.update_or_create(pk=1, defaults={"mails_in_7_days": 1})


def with_digest(issue: Issue) -> None:
    issue.kind = Issue.Kind.DIGEST


def with_welcome(issue: Issue) -> None:
    issue.kind, issue.number = Issue.Kind.WELCOME, 1


def with_nothing(issue: Issue) -> None:
    pass


def make_draft(change: Change) -> tuple[Issue, IssueContent]:
    publication = make_publication(send_at="local")
    make_population([publication.mailing_list, make_list("events")], seed=3, people=40)
    subscribe(make_person("monthly@example.org"), publication.mailing_list, frequency=Frequency.MONTHLY)
    add_subscribers(publication, 3_000)  # so that few of all may be excluded
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as PostgreSQL does by itself, but not for rows that are not committed
    make_story("The first verdict")
    issue = make_issue(publication)
    change(issue)
    return issue, resolve_content(issue)


@pytest.mark.parametrize(
    "change",
    [with_nothing, with_topics, with_segment, with_limit, with_digest, with_welcome],
    ids=lambda one: one.__name__,
)
def test_groups_of_an_issue_are_those_of_its_recipients(change: Change) -> None:
    issue, content = make_draft(change)
    if change in (with_nothing, with_welcome):
        assert groups_by_index(issue)
    by_person = Counter(find_recipients(issue, content=content, now=NOW).values_list(*REFERENCES))
    assert by_person
    assert Counter({key_of(group): group.people for group in find_groups(issue, content=content, now=NOW)}) == by_person
    with_zones: Counter[tuple[Any, ...]] = Counter()
    for _zone, group in count_groups(issue, content=content, now=NOW, with_zones=True):
        with_zones[key_of(group)] += group.people
    assert with_zones == by_person


def key_of(group: Any) -> tuple[Any, ...]:
    return tuple(getattr(group, name.removesuffix("_ref") + suffix(name)) for name in REFERENCES)


def suffix(name: str) -> str:
    return {"place_ref": "_id", "radius_ref": "_km"}.get(name, "")


def test_a_rehearsal_counts_its_groups_and_zones_in_one_statement() -> None:
    issue, content = make_draft(with_nothing)
    zones = count_by_zone(issue, content=content, now=NOW)
    assert zones.keys() == {"Europe/London", "America/Chicago", "Europe/Berlin"}
    with CaptureQueriesContext(connection) as queries:
        rehearsal = rehearse_send(issue, now=NOW)
    assert rehearsal.zones == zones
    assert sum(zones.values()) == rehearsal.recipients == sum(version.people for version in rehearsal.versions)
    assert len(find_group_queries(queries.captured_queries)) == 1


@pytest.mark.parametrize(
    "write", [lambda issue: add_subscribers(issue.publication, 3, start=5), lambda issue: end_all()]
)
def test_a_rehearsal_adds_up_if_people_join_or_leave_during_it(
    write: Callable[[Issue], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = make_publication()
    suppress_one(add_subscribers(publication, 5)[0])
    make_story("The first verdict")
    issue = make_issue(publication)
    count = count_recipients.count_people

    def count_before_the_write(*args: Any, **kwargs: Any) -> AudienceCount:
        counted = count(*args, **kwargs)
        write(issue)
        return counted

    monkeypatch.setattr(rehearse, "count_people", count_before_the_write)
    require_sums(rehearse_send(issue, now=NOW))


def end_all() -> None:
    Subscription.objects.update(ended_at=NOW, end_reason=EndReason.STAFF)


def test_a_rehearsed_welcome_mail_counts_everybody_on_the_list() -> None:
    publication = make_publication()
    suppress_one(add_subscribers(publication, 5)[0])
    make_story("The first verdict")
    issue = make_issue(publication)
    with_welcome(issue)
    rehearsal = rehearse_send(issue, now=NOW)
    require_sums(rehearsal)
    assert rehearsal.recipients == 4
    assert rehearsal.candidates == 5


def require_sums(rehearsal: rehearse.Rehearsal) -> None:
    recipients = rehearsal.recipients
    assert sum(version.people for version in rehearsal.versions) == recipients
    assert sum(rehearsal.languages.values()) == recipients
    assert sum(rehearsal.zones.values()) == recipients
    assert sum(rehearsal.topics.values()) == recipients
    assert rehearsal.candidates == recipients + sum(rehearsal.excluded.values())
