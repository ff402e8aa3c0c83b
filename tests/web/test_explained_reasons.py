"""Each reason why a person gets an issue or a part of it, or does not: the command and the person's page say the same."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.core.management import call_command

from newsletter.issues.planning.welcome import set_up_welcome
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.subject_assignment import WAITS
from newsletter.models import EventNotice, Issue, MailLimits, Publication, Story
from newsletter.sending.freezing.start import start_send
from subscribers.models import Case, StayQuestion, Subscriber, Subscription, Topic
from subscribers.people.cases import follow_case
from tests.support.desk import sign_in
from tests.support.event_changes import announce, move_event, publish
from tests.support.fixtures import (
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.limited_blocks import add_limited_note
from tests.support.subject_tests import choose_arm, make_tested_issue

FAR_AHEAD = datetime(2099, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)

Arrange = Callable[[Publication, Subscriber], Issue | None]


def pause(publication: Publication, person: Subscriber) -> None:
    Subscription.objects.update(paused_until=FAR_AHEAD)


def choose_only_events(publication: Publication, person: Subscriber) -> None:
    Subscription.objects.update(frequency="events")
    Subscriber.objects.update(place=None)


def choose_monthly(publication: Publication, person: Subscriber) -> None:
    Subscription.objects.update(frequency="monthly")


def let_topics_choose(publication: Publication, person: Subscriber) -> None:
    Publication.objects.update(interests="only")
    Story.objects.get(title="The water case").topics.add(Topic.objects.create(slug="water", name="Water"))
    person.topics.add(Topic.objects.create(slug="prisons", name="Prisons"))


def follow(publication: Publication, person: Subscriber) -> None:
    case = Case.objects.create(slug="river", name="The river case")
    Story.objects.filter(title="The water case").update(case=case)
    follow_case(subscriber=person, case=case, now=NOW)


def read_a_language_without_a_version(publication: Publication, person: Subscriber) -> None:
    Publication.objects.update(languages=["es"])
    Subscriber.objects.update(language="es")


def send_at_the_local_hour(publication: Publication, person: Subscriber) -> None:
    Publication.objects.update(send_at="local")
    Subscriber.objects.update(place=None, timezone="Asia/Kolkata")


def live_in_a_lost_zone(publication: Publication, person: Subscriber) -> None:
    Publication.objects.update(send_at="local")
    Subscriber.objects.update(place=None, timezone="US/Atlantis")


def wait_for_the_confirmation(publication: Publication, person: Subscriber) -> None:
    Subscription.objects.update(basis="consent_double_opt_in", confirmed_at=None)


def rest(publication: Publication, person: Subscriber) -> None:
    asked = NOW - timedelta(days=40)
    StayQuestion.objects.create(
        subscriber=person,
        mailing_list=publication.mailing_list,
        asked_at=asked,
        sent_at=asked,
        resting_since=NOW - timedelta(days=10),
    )


def live_where_a_story_must_not_be_shown(publication: Publication, person: Subscriber) -> None:
    Story.objects.filter(title="The water case").update(not_in_regions=["GB"])


def reach_the_limit(publication: Publication, person: Subscriber) -> Issue:
    MailLimits.objects.update_or_create(pk=1, defaults={"mails_in_7_days": 1})
    issue = get_it_in_another_issue(publication, person)
    Issue.objects.filter(pk=issue.pk).update(due_at=NOW)
    return Issue.objects.get(pk=issue.pk)


def have_it_all_in_another_issue(publication: Publication, person: Subscriber) -> Issue:
    EventNotice.objects.all().delete()
    return get_it_in_another_issue(publication, person)


def begin_a_welcome(publication: Publication, person: Subscriber) -> Issue:
    return set_up_welcome(publication=publication, by=make_approver(), now=NOW)[0]


def limit_a_note(publication: Publication, person: Subscriber) -> Issue:
    issue = make_issue(publication)
    add_limited_note(issue, "Thank you", giving="monthly")
    return issue


def get_it_in_another_issue(publication: Publication, person: Subscriber) -> Issue:
    start_send(issue=make_issue(publication, approved=True), now=NOW)
    other = Publication.objects.get(pk=publication.pk)
    other.pk, other.slug = None, "other"
    other.save()
    return make_issue(other)


REASONS: list[tuple[Arrange, str]] = [
    (lambda *_: None, "They get it when it is sent."),
    (lambda *_: None, "It is for everybody."),
    (pause, "Not a recipient. Paused until "),
    (choose_monthly, "Not a recipient. Chose another frequency: once a month"),
    (choose_only_events, "No email: they want only nearby events, and there are none"),
    (let_topics_choose, "It has none of their topics."),
    (follow, "First, because they follow the case “The river case”."),
    (read_a_language_without_a_version, "they read Spanish, but nothing in this issue is in that language."),
    (send_at_the_local_hour, "by their own clock (Asia/Kolkata)."),
    (live_in_a_lost_zone, "by the clock of the publication (Europe/London), because we do not know their time zone."),
    (wait_for_the_confirmation, "Not a recipient. Has not yet confirmed by mail."),
    (rest, "Not a recipient. They get no newsletters, because they did not answer whether they still want mail."),
    (
        reach_the_limit,
        "Not a recipient. With it, they would get more mails in 7 days than the limit for one person allows.",
    ),
    (live_where_a_story_must_not_be_shown, "It must not be shown in GB."),
    (have_it_all_in_another_issue, "No email: no story is left for them, and there are no events"),
    (begin_a_welcome, "Not a recipient. It goes only to people who joined the list after it was turned on"),
    (limit_a_note, "It is only for people who match: gives monthly."),
    (get_it_in_another_issue, "They got it in another issue."),
]


@pytest.mark.parametrize(("arrange", "sentence"), REASONS, ids=[sentence for _arrange, sentence in REASONS])
@pytest.mark.requirement("N13")
def test_the_command_and_the_page_give_the_reason(
    arrange: Arrange, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    publication = make_publication()
    make_story("The water case", days_old=1)
    make_story("A word to all", days_old=2)
    make_event("Vigil by the river", where=LONDON)
    (person,) = add_subscribers(publication, 1, where=LONDON)
    issue = arrange(publication, person) or make_issue(Publication.objects.get(pk=publication.pk))
    assert_both_say(sentence, issue=issue, person=person, capsys=capsys)


def test_explain_names_the_subject_or_the_wait_of_a_subject_test(capsys: pytest.CaptureFixture[str]) -> None:
    issue = make_tested_issue(make_publication(clicks="counts"))
    test = resolve_content(issue).subject_test
    of_arm = {choose_arm(test, subscriber_id=person.pk): person for person in Subscriber.objects.all()}
    start_send(issue=issue, now=NOW)
    for arm, version in ((1, "Subject A"), (2, "Subject B"), (WAITS, "Waiting for the subject test")):
        assert_both_say(version, issue=issue, person=of_arm[arm], capsys=capsys)
        assert_both_say("Still to send", issue=issue, person=of_arm[arm], capsys=capsys)


def test_a_correction_is_not_for_people_with_the_current_details(capsys: pytest.CaptureFixture[str]) -> None:
    publication, event = publish()
    move_event(event, starts_at=event.starts_at + timedelta(days=2))
    (person,) = add_subscribers(publication, 1, where=LONDON, start=20)
    sentence = "Not a recipient. It goes only to people who got what it corrects."
    assert_both_say(sentence, issue=announce(event, publication), person=person, capsys=capsys)


def test_a_correction_says_that_what_they_got_has_other_details(capsys: pytest.CaptureFixture[str]) -> None:
    publication, event = publish()
    move_event(event, starts_at=event.starts_at + timedelta(days=2))
    person = Subscriber.objects.earliest("pk")
    sentence = "An issue that they got has other details of it."
    assert_both_say(sentence, issue=announce(event, publication), person=person, capsys=capsys)


def test_an_event_of_a_publication_without_events_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    publication = make_publication(events=0)
    (person,) = add_subscribers(publication, 1, where=LONDON)
    make_story("A word to all")
    issue = make_issue(publication)
    issue.body.append(("events", {"heading": "", "events": [make_event("Vigil by the river", where=LONDON)]}))
    issue.save()
    issue.store_revision()
    assert_both_say("The publication shows no events.", issue=issue, person=person, capsys=capsys)


def assert_both_say(sentence: str, *, issue: Issue, person: Subscriber, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("explain", person.email, str(issue.pk))
    assert sentence in capsys.readouterr().out
    page = sign_in("data").get(f"/admin/people/{person.pk}/issues/{issue.pk}/").content.decode()
    assert sentence in unescape(" ".join(page.split()))
