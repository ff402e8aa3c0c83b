"""Staff set up a welcome, approve, pause, skip and turn off its mails, and see who got each and who is in it."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.feedback.explaining.explain_welcome import describe_steps
from newsletter.feedback.explaining.rebuild_mail import MailNotShown, Match, rebuild_mail
from newsletter.feedback.sent_mails import list_missed_mails, list_sent_mails
from newsletter.issues.approval.void_changed import void_changed_approvals
from newsletter.models import Issue, Publication
from newsletter.sending.settling.issue_status import status_of
from subscribers.models import Subscription
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, make_publication
from tests.support.page_html import compact_html
from tests.support.welcome import LATER, join, list_steps, run_welcome, turn_on_welcome

pytestmark = pytest.mark.django_db
SOON = NOW + 2 * LATER


@pytest.fixture
def weekly() -> Publication:
    return make_publication()


def read(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return unescape(compact_html(response.content.decode()))


def page_of(publication: Publication) -> str:
    return reverse("newsletter_welcome", args=[publication.pk])


def press(client: Client, issue: Issue, step: str, **fields: str) -> str:
    answer = client.post(reverse("newsletter_welcome_step", args=[issue.pk, step]), fields, follow=True)
    return unescape(compact_html(answer.content.decode()))


def test_a_welcome_is_set_up_by_one_button_and_approved_on_its_page(weekly: Publication) -> None:
    writer, approver = sign_in("writer"), sign_in("approver")
    assert "This publication has no welcome yet" in read(writer, page_of(weekly))
    done = writer.post(reverse("newsletter_welcome_set_up", args=[weekly.pk]), follow=True)
    assert "Three mails are drafted" in done.content.decode()
    first = Issue.objects.get(kind="welcome", number=1)
    overview = read(approver, reverse("newsletter_issue_overview", args=[first.pk]))
    assert "Each new subscriber gets it as soon as they confirm." in overview
    assert "Once it is approved, everybody who joins the list from then on gets it." in overview
    assert "Send now" not in overview
    assert "0 recipients" not in overview
    fields = {
        name: overview.split(f'name="{name}" value="')[1].split('"')[0] for name in ("sha256", "audience", "people")
    }
    looked = [name.split('"')[0] for name in overview.split('name="warning" value="')[1:]]
    approved = approver.post(
        reverse("newsletter_issue_step", args=[first.pk, "approve"]), {**fields, "warning": looked, "looked": "yes"}
    )
    assert approved.status_code == 302
    first.refresh_from_db()
    assert (first.state, first.on_since is not None) == ("approved", True)
    assert "By approver@example.org" in read(approver, reverse("newsletter_issue_overview", args=[first.pk]))
    assert ModelLogEntry.objects.filter(action="newsletter.welcome_set_up").count() == 1


def test_the_page_says_how_many_got_each_mail_and_who_is_in_it(weekly: Publication) -> None:
    turn_on_welcome(weekly)
    join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    shown = read(sign_in("admin"), page_of(weekly))
    assert "1 person got it." in shown
    assert "1 person is to get at least one more mail." in shown
    assert "Mail 2 on 7 March" in shown
    assert "new@example.com" not in shown
    assert "March 2026" in shown
    assert "Only staff who look after people see who they are." in read(sign_in("writer"), page_of(weekly))


def test_a_mail_is_paused_and_resumed_by_buttons(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    approver = sign_in("approver")
    assert "Paused. People who join now wait for it" in press(approver, first, "pause")
    run_welcome(SOON)
    home = read(approver, "/admin/")
    assert "The weekly letter, welcome mail 1 is paused" in home
    assert "1 person waits for it." in home
    assert list_steps(person)[0] == "waiting"
    assert "Resumed." in press(approver, first, "resume")
    run_welcome(SOON + LATER)
    assert list_steps(person)[0] == "accepted"


def test_a_writer_cannot_resume_what_an_approver_may(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    writer = sign_in("writer")
    press(writer, first, "pause")
    assert "may not resume a welcome" in press(writer, first, "resume")
    assert Issue.objects.get(pk=first.pk).held


def test_a_later_mail_is_skipped_and_its_days_are_changed(weekly: Publication) -> None:
    _first, second, third = turn_on_welcome(weekly)
    writer = sign_in("writer")
    assert "Turned off. Whoever waited" in press(writer, second, "turn-off")
    assert Issue.objects.get(pk=second.pk).on_since is None
    assert "Saved. It holds for people who wait" in press(writer, third, "days", days="7")
    assert Issue.objects.get(pk=third.pk).delay_days == 7
    for typed, said in (("x", "Enter a number of days."), ("3", "so that the mails keep their order")):
        assert said in press(writer, third, "days", days=typed)


def test_the_page_says_who_loses_a_mail_before_it_is_turned_off(weekly: Publication) -> None:
    _first, _second, third = turn_on_welcome(weekly)
    writer = sign_in("writer")
    assert "They get no further mail of it" not in read(writer, page_of(weekly))
    join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    shown = read(writer, page_of(weekly))
    assert "1 person is in the welcome. They get no further mail of it, also not if you turn it on again." in shown
    assert "1 person waits for this mail. They go on with the next mail and never get this one." in shown
    before_button, *_ = shown.split(">Turn off the welcome</button>")
    assert before_button.rfind("<details") > before_button.rfind("</details>"), "one press alone turns nothing off"
    assert shown.count("<summary>Skip this mail …") == 2
    last = "1 person waits for this mail. They never get it, and their welcome ends."
    assert shown.count(last) == 1
    assert last in shown.split('id="nl-mail-3"')[1]
    press(writer, third, "turn-off")
    assert last in read(writer, page_of(weekly)).split('id="nl-mail-2"')[1].split('id="nl-mail-3"')[0]
    assert "<li>1 person: " in read(writer, page_of(weekly))


def test_home_names_a_welcome_that_an_edit_paused(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    Issue.objects.filter(pk=first.pk).update(state="draft")
    join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    home = read(sign_in("approver"), "/admin/")
    assert "Its approval was withdrawn. It goes on once it is approved again. 1 person waits for it." in home


def test_the_page_names_what_changed_since_the_approval(weekly: Publication, settings: Any) -> None:
    first, *_ = turn_on_welcome(weekly, steps=1)
    before = settings.NEWSLETTER_SITE_URL
    settings.NEWSLETTER_SITE_URL = "https://news.example.org"
    ((_issue, changes),) = void_changed_approvals(now=NOW)
    moved = f"the address of this installation, from {before} to https://news.example.org"
    assert changes == [moved]
    page = read(sign_in("approver"), page_of(weekly))
    assert f"Since it was approved, this changed: {moved}. It goes on once it is approved again." in page
    Issue.objects.filter(pk=first.pk).update(subject="Hello")
    assert f"this changed: {moved}; the subject." in read(sign_in("approver"), page_of(weekly))


def test_the_list_and_the_page_of_a_welcome_show_the_same_state(weekly: Publication) -> None:
    turn_on_welcome(weekly, steps=0)
    approver = sign_in("approver")
    page = read(approver, page_of(weekly))
    assert page.count("Waiting for approval") == 3
    assert read(approver, "/admin/issues/").count('nl-tag--waits">Waiting for approval') == 3
    assert page.count("Approve the first mail of the welcome first. The later ones follow it.") == 2


def test_home_names_a_new_welcome_once(weekly: Publication) -> None:
    turn_on_welcome(weekly, steps=0)
    home = read(sign_in("approver"), "/admin/")
    assert "The welcome of The weekly letter is not on yet" in home
    assert "welcome mail 2" not in home


def test_home_names_the_later_mails_that_wait_for_approval(weekly: Publication) -> None:
    turn_on_welcome(weekly, steps=1)
    home = read(sign_in("approver"), "/admin/")
    assert "is not on yet" not in home
    assert home.count("New subscribers do not get it until it is approved.") == 2


@pytest.mark.parametrize(
    ("route", "fields", "said"),
    [
        ("newsletter_issue_time", {"due": "2030-01-01T09:00"}, "has no time: each new subscriber gets it"),
        ("newsletter_issue_close", {"reason": "no more"}, "Turn it off on the page of the welcome"),
    ],
)
def test_a_welcome_mail_has_no_time_and_cannot_be_cancelled(
    weekly: Publication, route: str, fields: dict[str, str], said: str
) -> None:
    first, *_ = turn_on_welcome(weekly, steps=0)
    answer = sign_in("approver").post(reverse(route, args=[first.pk]), fields)
    assert said in unescape(answer.content.decode())


def test_an_approved_mail_is_edited_while_it_is_on(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    writer = sign_in("writer")
    with time_machine.travel(SOON, tick=False):
        answer = writer.post(reverse("newsletter_issue_withdraw_to_edit", args=[first.pk]), follow=True)
    assert answer.status_code == 200
    assert Issue.objects.get(pk=first.pk).state == "draft"


def test_a_paused_send_is_shown_on_the_mails_page(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    first.sends.update(state="paused", reason="too many complaints")
    shown = read(sign_in("approver"), reverse("newsletter_issue_overview", args=[first.pk]))
    assert "Too many complaints." in shown
    assert "Resume" in shown


def test_the_page_of_a_person_and_explain_name_the_welcome(weekly: Publication) -> None:
    first, second, third = turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    other = join(weekly.mailing_list, "other@example.com", at=NOW - timedelta(days=9))
    assert [mail.issue for mail in list_sent_mails(person)] == ["The weekly letter, welcome mail 1"]
    assert {mail.issue_id for mail in list_missed_mails(person)} == {third.pk, second.pk}
    assert list_missed_mails(other) == []
    now = SOON + LATER
    with time_machine.travel(now, tick=False):
        assert "Written to a file" in explain_issue(first, person=person, now=now).outcome
        assert "They get it on 7 March 2026" in explain_issue(second, person=person, now=now).outcome
        assert "Not a recipient" in explain_issue(first, person=other, now=now).outcome
        assert rebuild_mail(first, person=person).match is Match.EXACT
        with pytest.raises(MailNotShown, match="They get it on 7 March 2026"):
            rebuild_mail(second, person=person)
    Subscription.objects.filter(subscriber=person).update(ended_at=now, end_reason="unsubscribe")
    run_welcome(now)
    assert "they unsubscribed" in explain_issue(second, person=person, now=now).outcome


def test_the_data_export_has_each_step(weekly: Publication) -> None:
    turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    assert [(row["issue"], row["state"]) for row in describe_steps(person)] == [
        ("The weekly letter, welcome mail 1", "accepted"),
        ("The weekly letter, welcome mail 2", "waiting"),
        ("The weekly letter, welcome mail 3", "waiting"),
    ]


def test_the_status_of_a_welcome_mail_is_its_send_of_the_month(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    status = status_of(Issue.objects.get(pk=first.pk))
    assert (status["issue"], status["state"], status["deliveries"]["accepted"]) == ("weekly/welcome-1", "approved", 1)
