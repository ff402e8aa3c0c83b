"""For any person and issue: whether they get it, and why they get each of its parts or do not."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.models import Issue, Publication, Variant
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscriber, Subscription, Topic
from tests.support.desk import sign_in
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_appeal,
    make_event,
    make_issue,
    make_publication,
    make_story,
)

pytestmark = pytest.mark.django_db(transaction=True)


def make_topical_issue(*, approved: bool = False, **changes: object) -> tuple[Issue, Subscriber]:
    """Return an issue with a story of a topic of the reader and one of another, an event in London and an appeal."""
    publication = make_publication(interests="only", **changes)
    water, prisons = (Topic.objects.create(slug=slug, name=slug.title()) for slug in ("water", "prisons"))
    make_story("The water case", days_old=1).topics.add(water)
    make_story("The prison letter", days_old=2).topics.add(prisons)
    make_story("A word to all", days_old=3)
    make_event("Vigil by the river", where=LONDON)
    make_event("A talk in Houston", where=HOUSTON)
    make_appeal(headline="Keep the clinic open")
    (person,) = add_subscribers(publication, 1, where=LONDON)
    person.topics.add(water)
    return make_issue(publication, approved=approved), person


def explain(issue: Issue, person: Subscriber) -> dict[str, tuple[bool, str]]:
    explained = explain_issue(issue, person=person, now=NOW)
    return {reason.title: (reason.shown, reason.why) for reason in explained.reasons}


def test_each_part_of_an_issue_has_its_reason() -> None:
    issue, person = make_topical_issue()
    assert explain(issue, person) == {
        "The water case": (True, "It has one of their topics."),
        "The prison letter": (False, "It has none of their topics."),
        "A word to all": (True, "It is for everybody."),
        "Vigil by the river": (True, "It is 0 km from London."),
        "A talk in Houston": (False, "It is 7,803 km away; they get events within 80 km."),
        "Keep the clinic open": (True, "It is for everybody for whom no other appeal is meant."),
    }
    assert explain_issue(issue, person=person, now=NOW).outcome == "They get it when it is sent."


def test_an_issue_that_was_sent_is_explained_by_what_was_known_then() -> None:
    issue, person = make_topical_issue(approved=True)
    start_send(issue=issue, now=NOW)
    before = explain(issue, person)
    person.topics.clear()
    Publication.objects.update(interests="off")
    assert explain(Issue.objects.get(), person) == before
    assert explain_issue(issue, person=person, now=NOW).outcome == "Still to send"


def test_a_sent_issue_is_explained_by_the_choices_of_the_person() -> None:
    publication = make_publication(interests="first")
    water = Topic.objects.create(slug="water", name="Water")
    make_story("The water case", days_old=1).topics.add(water)
    make_story("A word to all", days_old=2)
    chosen = add_subscribers(publication, 3, where=LONDON)
    for one in chosen:
        one.topics.add(water)
    (nothing_chosen,) = add_subscribers(publication, 1, where=LONDON, start=10)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=NOW)
    assert Variant.objects.count() == 1
    assert explain(issue, chosen[0])["The water case"] == (True, "It has one of their topics.")
    sentence = "They chose no topic, or none decides about stories."
    assert explain(issue, nothing_chosen)["The water case"] == (True, sentence)


def test_a_person_left_out_of_a_sent_issue_keeps_the_reason_of_then() -> None:
    issue, person = make_topical_issue(approved=True)
    Subscription.objects.filter(subscriber=person).update(paused_until=NOW + timedelta(days=2))
    (other,) = add_subscribers(issue.publication, 1, start=20)
    start_send(issue=issue, now=NOW)
    explained = explain_issue(Issue.objects.get(), person=person, now=NOW + timedelta(days=3))
    assert explained.outcome == "They did not get it: they had paused their mail."
    assert explained.reasons == []
    assert explain_issue(issue, person=other, now=NOW).outcome == "Still to send"


def test_somebody_who_may_not_be_mailed_has_the_reason() -> None:
    issue, person = make_topical_issue()
    Subscription.objects.update(paused_until=NOW + timedelta(days=2))
    explained = explain_issue(issue, person=person, now=NOW)
    assert explained.outcome == "Not a recipient. Paused until 6 March 2026."
    assert explained.reasons == []


def test_somebody_for_whom_nothing_is_left_has_the_reason_of_each_part() -> None:
    issue, person = make_topical_issue()
    Subscription.objects.update(frequency="events")
    Subscriber.objects.update(place=None)
    explained = explain_issue(issue, person=Subscriber.objects.get(), now=NOW)
    assert explained.outcome == "No email: they want only nearby events, and there are none"
    assert ("A word to all", False, "They chose only events near them.") in [
        (reason.title, reason.shown, reason.why) for reason in explained.reasons
    ]
    assert ("Vigil by the river", False, "Their location is unknown.") in [
        (reason.title, reason.shown, reason.why) for reason in explained.reasons
    ]


def test_a_rare_choice_is_explained() -> None:
    issue, person = make_topical_issue(max_variants=1)
    add_subscribers(issue.publication, 2, where=LONDON, start=5)
    assert explain(issue, person)["The prison letter"] == (
        True,
        "It has none of their topics, but their choice is too rare for a version of its own.",
    )


def test_the_command_says_it_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    issue, person = make_topical_issue()
    call_command("explain", person.email, issue.reference)
    said = capsys.readouterr().out
    assert "They get it when it is sent." in said
    assert "no   story  “The prison letter”: It has none of their topics." in said


def test_the_command_refuses_an_unknown_person_or_issue() -> None:
    issue, person = make_topical_issue()
    with pytest.raises(CommandError, match="No subscriber has this address"):
        call_command("explain", "nobody@example.org", issue.reference)
    with pytest.raises(CommandError, match="There is no issue"):
        call_command("explain", person.email, "weekly/99")


def test_the_page_of_a_person_leads_to_the_reasons() -> None:
    issue, person = make_topical_issue()
    client = sign_in("data")
    page = f"/admin/people/{person.pk}/issues/{issue.pk}/"
    assert page in client.get(f"/admin/people/{person.pk}/").content.decode()
    shown = client.get(page).content.decode()
    assert "It has none of their topics." in shown
    assert person.email not in shown
    assert sign_in("writer").get(page).status_code == 404


def test_an_unfinished_issue_says_that_it_cannot_be_explained_yet() -> None:
    issue, person = make_topical_issue()
    issue.body.append(("button", {"label": "", "url": ""}))
    issue.save()
    shown = sign_in("data").get(f"/admin/people/{person.pk}/issues/{issue.pk}/").content.decode()
    assert "nl-unsure" in shown
    assert timezone.now() > issue.made_at
