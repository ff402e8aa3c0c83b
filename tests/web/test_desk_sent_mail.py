"""The page of a mail as it was sent: for staff who may see people, on record, and with links that do nothing."""

import re

import pytest

from newsletter.issues.variants.mail_links import list_destinations
from newsletter.models import AuditEntry, Batch, Delivery, DeliveryException, Issue, Publication, Variant
from newsletter.models.feedback import Bounce
from newsletter.sending.freezing.start import start_send
from subscribers.erasing.erasure import erase_person
from subscribers.models import Subscriber
from subscribers.people.rename import rename_person
from tests.support.desk import sign_in
from tests.support.fixtures import NOW
from tests.support.page_html import compact_html
from tests.support.sends import make_ready_issue, send_issue

pytestmark = pytest.mark.django_db(transaction=True)


def send_mails(**publication: object) -> tuple[Issue, Subscriber]:
    issue = make_ready_issue(recipients=2, **publication)
    send_issue(issue)
    return issue, Subscriber.objects.order_by("pk")[0]


def page_of(issue: Issue, person: Subscriber, *, part: str = "") -> str:
    return f"/admin/people/{person.pk}/issues/{issue.pk}/mail/{part and part + '/'}"


def test_the_page_shows_the_mail_with_what_became_of_it() -> None:
    issue, person = send_mails()
    shown = sign_in("data").get(page_of(issue, person)).content.decode()
    assert "The first verdict" in shown
    assert "byte for byte" in shown
    assert "Written to a file; not sent" in shown
    assert "batch 1, attempt 1" in shown
    assert person.email not in shown
    assert page_of(issue, person, part="mail") in shown
    dark = sign_in("data").get(page_of(issue, person) + "?part=dark").content.decode()
    assert page_of(issue, person, part="dark") in dark
    other = sign_in("data").get(page_of(issue, person) + "?part=nothing").content.decode()
    assert page_of(issue, person, part="mail") in other


def test_the_page_of_a_person_leads_to_the_mails_that_were_sent() -> None:
    issue, person = send_mails()
    desk = sign_in("data")
    assert page_of(issue, person) in desk.get(f"/admin/people/{person.pk}/").content.decode()
    assert page_of(issue, person) in desk.get(f"/admin/people/{person.pk}/issues/{issue.pk}/").content.decode()


def test_a_mail_that_was_not_sent_has_no_link_and_says_why() -> None:
    issue = make_ready_issue(recipients=1)
    start_send(issue=issue, now=NOW)
    person, desk = Subscriber.objects.get(), sign_in("data")
    assert page_of(issue, person) not in desk.get(f"/admin/people/{person.pk}/").content.decode()
    sentence = "Nothing was handed to the provider for this person"
    assert sentence in desk.get(page_of(issue, person)).content.decode()
    assert sentence in desk.get(page_of(issue, person, part="text")).content.decode()
    skipped = {"state": "skipped", "reason": "unsubscribed after the audience was frozen", "at": NOW}
    DeliveryException.objects.create(delivery=Delivery.objects.get(), **skipped)
    Batch.objects.update(state="accepted")
    assert page_of(issue, person) not in desk.get(f"/admin/people/{person.pk}/").content.decode()


@pytest.mark.parametrize("part", ["mail", "dark", "text"])
def test_no_link_in_the_shown_mail_unsubscribes_or_counts_a_click(part: str) -> None:
    issue, person = send_mails(clicks=Publication.Clicks.COUNTS)
    assert list_destinations(Variant.objects.get().html)
    answer = sign_in("data").get(page_of(issue, person, part=part))
    shown = answer.content.decode()
    assert not re.search(r"/(u|p|r)/[A-Za-z0-9_-]{16,}", shown)
    assert "#a-link-of-the-reader" in shown
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]


def test_each_look_at_a_mail_is_in_the_staff_log_once() -> None:
    issue, person = send_mails()
    desk = sign_in("data")
    looks = AuditEntry.objects.filter(action="newsletter.saw_mail", object_id=str(person.pk))
    desk.get(page_of(issue, person))
    desk.get(page_of(issue, person, part="mail"))
    assert looks.get().data == {"publication": issue.publication.slug, "issue": issue.reference}
    desk.get(page_of(issue, person))
    assert looks.count() == 2
    looks.delete()
    desk.get(page_of(issue, person, part="text"))
    assert looks.count() == 1


def test_only_staff_who_may_see_people_see_a_mail() -> None:
    issue, person = send_mails()
    for role in ("writer", "editor", "approver"):
        for part in ("", "mail"):
            assert sign_in(role).get(page_of(issue, person, part=part)).status_code == 404
    desk = sign_in("data")
    assert desk.get(page_of(issue, person, part="inbox")).status_code == 404
    assert desk.get(f"/admin/people/999/issues/{issue.pk}/mail/").status_code == 404
    assert desk.get(f"/admin/people/{person.pk}/issues/999/mail/").status_code == 404


def test_the_page_says_what_cannot_be_proved() -> None:
    issue, person = send_mails(subject='{{ first_name | default:"Friend" }}: {lead_headline}')
    rename_person(person=person, name="Another Name", now=NOW)
    shown = sign_in("data").get(page_of(issue, person)).content.decode()
    assert "byte for byte" not in shown
    assert "Something changed since this mail was sent" in shown


def test_the_mail_of_an_erased_person_is_gone_with_them() -> None:
    issue, person = send_mails()
    pk = person.pk
    erase_person(subscriber=person, by="data@example.org", now=NOW)
    desk = sign_in("data")
    shown = desk.get(f"/admin/people/{pk}/issues/{issue.pk}/mail/")
    assert "This person was erased" in shown.content.decode()
    assert desk.get(f"/admin/people/{pk}/issues/{issue.pk}/mail/mail/").status_code == 404


def test_a_bounce_is_shown_with_its_code() -> None:
    issue, person = send_mails()
    delivery = Delivery.objects.get(subscriber_id=person.pk)
    DeliveryException.objects.create(delivery=delivery, at=NOW, bounced_at=NOW)
    Bounce.objects.create(delivery=delivery, bounce_class="hard", status="5.1.1", reason="No such user", at=NOW)
    shown = compact_html(sign_in("data").get(page_of(issue, person)).content.decode())
    assert "The address does not exist (5.1.1): No such user" in shown
