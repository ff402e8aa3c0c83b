"""Setting what is known of many people at once: whole rows, in order, the same again changes nothing, nobody is added."""

import pytest

from subscribers.models import ConsentEvent, Reason, Subscriber, Subscription, Suppression, Topic
from subscribers.people.bulk_update import Outcome, PersonUpdate, RowResult, update_people
from subscribers.segments.attributes import read_attributes, write_attributes
from subscribers.unsubscribing.suppress_email import BadReason, suppress_email
from tests.support.people import NOW, make_list, make_member, make_person

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
TEXAS = {"country": "US", "region": "TX", "town": "Houston"}


def change(*changes: PersonUpdate) -> list[RowResult]:
    return update_people(changes, by="API: donor database", now=NOW)


def test_a_row_sets_what_it_names_and_leaves_the_rest() -> None:
    law, art = (Topic.objects.create(slug=slug, name=slug.title()) for slug in ("law", "art"))
    ada = make_person("ada@example.org", giving="donor")
    ada.topics.add(art)
    write_attributes([(ada.pk, {"shoe": "7", "badge": "gold"})])
    rows = change(PersonUpdate("ADA@example.org", topics=["law"], attributes={"Shoe": "", "Since": "2019"}, **TEXAS))
    assert rows == [RowResult(Outcome.CHANGED)]
    ada.refresh_from_db()
    assert (ada.giving, ada.place.region, ada.place.town) == ("donor", "US-TX", "Houston")
    assert list(ada.topics.all()) == [law]
    assert read_attributes(ada) == {"badge": "gold", "since": "2019"}
    event = ConsentEvent.objects.get()
    assert (event.kind, event.by) == ("preferences", "API: donor database")
    assert event.data == {"region": "US-TX", "topics": ["law"], "attributes": ["shoe", "since"]}


def test_the_same_call_again_changes_nothing_and_records_nothing() -> None:
    Topic.objects.create(slug="law", name="Law")
    make_person("ada@example.org")
    row = PersonUpdate("ada@example.org", giving="monthly", topics=["law"], attributes={"since": "2019"}, **TEXAS)
    assert change(row) == [RowResult(Outcome.CHANGED)]
    assert change(row) == [RowResult(Outcome.UNCHANGED)]
    assert ConsentEvent.objects.count() == 1


def test_an_empty_value_takes_a_thing_away() -> None:
    topic = Topic.objects.create(slug="law", name="Law")
    ada = make_person("ada@example.org", giving="donor")
    ada.topics.add(topic)
    change(PersonUpdate("ada@example.org", **TEXAS))
    assert change(PersonUpdate("ada@example.org", giving="none", topics=[], country=""))[0].outcome is Outcome.CHANGED
    ada.refresh_from_db()
    assert (ada.giving, ada.place, list(ada.topics.all())) == ("none", None, [])


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (PersonUpdate("no address"), "email address"),
        (PersonUpdate("ada@example.org", giving="often"), "Use none, donor or monthly"),
        (PersonUpdate("ada@example.org", topics=["lore"]), "no topic “lore”. The topics are: law"),
        (PersonUpdate("ada@example.org", giving="donor", country="Atlantis"), "Atlantis"),
        (PersonUpdate("ada@example.org", giving="donor", attributes={"!!": "x"}), "needs a letter or digit"),
        (
            PersonUpdate("ada@example.org", giving="donor", attributes={f"a{n}": "x" for n in range(51)}),
            "50 extra fields",
        ),
    ],
)
def test_an_invalid_row_is_refused_whole_and_the_others_are_applied(row: PersonUpdate, why: str) -> None:
    Topic.objects.create(slug="law", name="Law")
    ada, bob = make_person("ada@example.org"), make_person("bob@example.org")
    refused, taken = change(row, PersonUpdate("bob@example.org", giving="donor"))
    assert refused.outcome is Outcome.REFUSED
    assert why in refused.reason
    assert taken == RowResult(Outcome.CHANGED)
    for person in (ada, bob):
        person.refresh_from_db()
    assert (ada.giving, ada.place, bob.giving) == ("none", None, "donor")


def test_fifty_attributes_count_with_those_that_are_there() -> None:
    ada = make_person("ada@example.org")
    write_attributes([(ada.pk, {f"a{n}": "x" for n in range(50)})])
    assert change(PersonUpdate("ada@example.org", attributes={"more": "x"}))[0].outcome is Outcome.REFUSED
    assert change(PersonUpdate("ada@example.org", attributes={"more": "x", "a0": ""}))[0].outcome is Outcome.CHANGED
    assert len(read_attributes(ada)) == 50


def test_unknown_people_are_not_added_and_a_repeated_person_is_refused() -> None:
    make_person("ada@example.org")
    rows = change(
        PersonUpdate("new@example.org", giving="donor"),
        PersonUpdate("ada@example.org", giving="donor"),
        PersonUpdate("Ada@example.org", giving="none"),
    )
    assert [row.outcome for row in rows] == [Outcome.UNKNOWN, Outcome.CHANGED, Outcome.REFUSED]
    assert Subscriber.objects.get().giving == "donor"


def test_a_thousand_rows_take_few_questions(django_assert_max_num_queries: object) -> None:
    for topic in ("law", "art"):
        Topic.objects.create(slug=topic, name=topic)
    for number in range(100):
        make_person(f"p{number}@example.org")
    rows = [
        PersonUpdate(f"p{n}@example.org", giving="donor", topics=["law"], attributes={"since": "2019"}, **TEXAS)
        for n in range(100)
    ]
    with django_assert_max_num_queries(25):  # type: ignore[operator]
        assert {answer.outcome for answer in change(*rows)} == {Outcome.CHANGED}


def test_an_outside_unsubscribe_applies_once_also_to_unknown_addresses() -> None:
    weekly = make_list("weekly")
    ada = make_member(weekly, "ada@example.org")
    for changed in (True, False):
        done = suppress_email(email="ada@example.org", reason="unsubscribe", mailing_list=weekly, by="API: x", now=NOW)
        assert done is changed
    assert not Subscription.objects.filter(subscriber=ada).open().exists()
    assert suppress_email(email="new@example.org", reason="unsubscribe", now=NOW) is True
    assert not Subscriber.objects.filter(email="new@example.org").exists()
    assert sorted(Suppression.objects.values_list("scope", "reason")) == [
        ("all", "unsubscribe"),
        ("list", "unsubscribe"),
    ]


def test_other_reasons_are_kept_and_an_unknown_one_is_refused() -> None:
    make_person("ada@example.org")
    suppress_email(email="ada@example.org", reason="legal", note="a letter", by="API: x", now=NOW)
    row = Suppression.objects.get()
    assert (row.reason, row.scope, row.note) == (Reason.LEGAL, "all", "a letter")
    with pytest.raises(BadReason, match="Use one of unsubscribe"):
        suppress_email(email="ada@example.org", reason="erasure", now=NOW)


def test_the_note_stays_with_a_person_who_left_too() -> None:
    weekly = make_list("weekly")
    make_member(weekly, "ada@example.org")
    suppress_email(email="ada@example.org", reason="unsubscribe", mailing_list=weekly, note="by telephone", now=NOW)
    suppress_email(email="ada@example.org", reason="unsubscribe", note="by letter", now=NOW)
    assert sorted(Suppression.objects.values_list("scope", "note")) == [("all", "by letter"), ("list", "by telephone")]


@pytest.mark.parametrize("reason", ["complaint", "hard"])
@pytest.mark.requirement("S3")
def test_complaints_and_hard_bounces_suppress_all_mail(reason: str) -> None:
    suppress_email(email="ada@example.org", reason=reason, mailing_list=make_list("weekly"), now=NOW)
    assert Suppression.objects.get().scope == "all"
