"""Staff limit how many mails one person gets; the audience page and the preference centre say what follows."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from wagtail.models import ModelLogEntry

from newsletter.models import Issue, MailLimits, Publication, Send
from newsletter.sending.freezing.start import start_send
from subscribers.links.signed_links import Purpose
from subscribers.models import Frequency, Segment, Subscriber, Subscription
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.page_html import compact_html
from tests.support.people import path_to

pytestmark = pytest.mark.django_db
PAGE = "/admin/limits/"


def read(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return compact_html(response.content.decode())


def test_a_number_of_months_before_all_calendars_is_refused() -> None:
    page = sign_in("admin").post(PAGE, {"silent_months": "77777", "questions_per_day": "500"})
    assert page.status_code == 200
    assert 'value="77777"' in page.content.decode()
    assert not MailLimits.objects.exists()


def test_an_administrator_sets_and_removes_the_limit() -> None:
    make_publication()
    client = sign_in("admin")
    saved = client.post(PAGE, {"mails_in_7_days": "3", "questions_per_day": "500"}, follow=True).content.decode()
    assert "Saved. It holds for every send that starts from now on." in saved
    assert MailLimits.objects.get().mails_in_7_days == 3
    assert ModelLogEntry.objects.get(action="wagtail.edit").data == {
        "mails_in_7_days": 3,
        "silent_months": None,
        "questions_per_day": 500,
    }
    client.post(PAGE, {"mails_in_7_days": "", "questions_per_day": "500"})
    assert MailLimits.objects.get().mails_in_7_days is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [("0", "With 0, nobody would get any newsletter. Enter 1 or more."), ("many", "Enter a whole number.")],
)
def test_an_invalid_limit_is_refused(typed: str, said: str) -> None:
    shown = sign_in("admin").post(PAGE, {"mails_in_7_days": typed}).content.decode()
    assert said in shown
    assert f'value="{typed}"' in shown
    assert not MailLimits.objects.exists()


def test_the_page_lists_publications_with_those_first_that_come_first() -> None:
    make_publication()
    make_publication(slug="rights", name="Rights", priority="high")
    Publication.objects.filter(slug="rights").update(schedule="0 9 * * mon,thu")
    shown = read(sign_in("admin"), PAGE)
    planned = '</td><td data-label="Planned in the next 28 days">'
    first = f'Rights</a></td><td data-label="Priority">High: others leave room for it{planned}8 issues'
    second = f'The weekly letter</a></td><td data-label="Priority">Normal{planned}4 issues'
    assert shown.index(first) < shown.index(second)


def test_the_audience_page_counts_whom_the_limit_leaves_out() -> None:
    weekly = make_publication(stories=1)
    rights = make_publication(slug="rights", name="Rights", stories=1)
    Publication.objects.filter(pk=rights.pk).update(mailing_list=weekly.mailing_list)
    MailLimits.objects.create(pk=1, mails_in_7_days=1)
    add_subscribers(weekly, 2)
    make_story("The water case")
    start_send(issue=make_issue(weekly, approved=True), now=NOW)
    add_subscribers(weekly, 1, start=7)
    make_story("The prison letter")
    issue = make_issue(Publication.objects.get(pk=rights.pk))
    shown = read(sign_in("editor"), f"/admin/issues/{issue.pk}/audience/")
    assert "would get more mails in 7 days than the limit for one person allows" in shown


def preferences_of(person: Subscriber) -> str:
    return read(Client(), path_to(person, person.subscriptions.get().mailing_list, Purpose.PREFERENCES))


@time_machine.travel(NOW + timedelta(days=1), tick=False)  # a month with four Thursdays
def test_the_preference_centre_says_how_many_mails_a_person_gets() -> None:
    weekly = make_publication()
    (person,) = add_subscribers(weekly, 1)
    assert "You get about 4 mails a month from us." in preferences_of(person)
    Publication.objects.update(schedule="0 9 * * *")
    assert "You get about 30 mails a month from us." in preferences_of(person)
    MailLimits.objects.create(pk=1, mails_in_7_days=2)
    assert "You get about 8 mails a month from us." in preferences_of(person)
    Subscription.objects.update(frequency=Frequency.MONTHLY)
    assert "You get about 1 mail a month from us." in preferences_of(person)


@time_machine.travel(NOW + timedelta(days=1), tick=False)  # a month with four Thursdays
def test_a_rule_that_ended_closes_no_preference_page() -> None:
    """A rule about who was sent an issue ends when that list is deleted, 90 days after the issue."""
    weekly = make_publication()
    (person,) = add_subscribers(weekly, 1)
    other = make_publication(slug="other", name="Other")
    segment = Segment.objects.create(slug="had-it", name="Had it", rule={"received": "weekly/1"})
    Publication.objects.filter(pk=other.pk).update(mailing_list=weekly.mailing_list, segment=segment)
    assert "You get about 4 mails a month from us." in preferences_of(person)


def test_last_month_counts_no_issue_for_a_segment_without_the_person() -> None:
    weekly = make_publication()
    (person,) = add_subscribers(weekly, 1)
    make_story("The first verdict")
    issue = make_issue(weekly, approved=True)
    start_send(issue=issue, now=NOW)
    segment = Segment.objects.create(slug="fr", name="French", rule={"language": "fr"})
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        Send.objects.update(state=Send.State.SUBMITTED, started_at=NOW)
        assert "Last month that was 1 mail" in preferences_of(person)
        Issue.objects.update(segment=segment, slot=None)
        assert "Last month that was" not in preferences_of(person)
        Issue.objects.update(segment=None)
        Publication.objects.update(segment=segment)
        assert "Last month that was" not in preferences_of(person)


@pytest.mark.parametrize("change", ["events", "paused", "off", "segment", "no digest"])
def test_an_unknown_number_of_mails_is_not_shown(change: str) -> None:
    weekly = make_publication()
    (person,) = add_subscribers(weekly, 1)
    match change:
        case "events":
            Subscription.objects.update(frequency=Frequency.EVENTS)
        case "paused":
            Subscription.objects.update(paused_until=timezone.now() + timedelta(days=10))
        case "off":
            Publication.objects.update(enabled=False)
        case "segment":
            segment = Segment.objects.create(slug="fr", name="French", rule={"language": "fr"})
            Publication.objects.update(segment=segment)
        case "no digest":
            Subscription.objects.update(frequency=Frequency.MONTHLY)
            Publication.objects.update(monthly_digest=False)
    assert "a month from us" not in preferences_of(person)
