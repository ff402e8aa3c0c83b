"""Under another address key than the one of the database, nobody is stored who may be on record already."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from newsletter.feedback.apply import apply_due_events, has_waiting_event
from newsletter.inbound.canaries.accounts import Account, add_mailbox
from newsletter.inbound.process_mail import handle_mail, handle_waiting_mails
from newsletter.inbound.store import store_mail
from newsletter.models import CanaryMailbox, InboundMail, ProviderEvent
from newsletter.sending.limits.installation_hold import get_installation
from subscribers.consent.signup import SignupRequest, request_subscription
from subscribers.consent.signup_limits import MAX_SIGNUPS_PER_ADDRESS
from subscribers.identity import OtherAddressKey
from subscribers.importing.writing.import_steps import set_import_terms
from subscribers.links.signed_links import Purpose
from subscribers.models import HeldSignup, ImportState, MailingList, Reason, Reply, Subscriber, Suppression
from subscribers.people.bulk_update import PersonUpdate, update_people
from subscribers.people.lookup import find_person
from subscribers.unsubscribing.suppress_email import suppress_email
from tests.support.api import call, create_key
from tests.support.desk import sign_in
from tests.support.feedback_reports import (
    LATER,
    apply_reports,
    brevo_event,
    deliveries_of,
    find_suppressions,
    make_send,
)
from tests.support.inbound_mails import make_reply
from tests.support.people import NOW, make_list, make_member, path_to
from tests.support.people_imports import import_text, keep_draft, make_terms, run_pending
from tests.support.signup import join

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
RIGHT_KEY = "the key that this database has had, of 32 bytes"
OTHER_KEY = "another key of addresses, also of 32 bytes"


@pytest.fixture
def weekly(settings: Any) -> MailingList:
    """Return a list whose one member was stored under another key than the one of now."""
    settings.SUBSCRIBERS_ADDRESS_KEY = RIGHT_KEY
    get_installation(now=NOW)
    mailing_list = make_list()
    make_member(mailing_list, "ada@example.org")
    settings.SUBSCRIBERS_ADDRESS_KEY = OTHER_KEY
    return mailing_list


def test_a_sign_up_stores_nobody(weekly: MailingList) -> None:
    request = SignupRequest(email="ada@example.org", mailing_list=weekly, wording="Yes", source="form")
    with pytest.raises(OtherAddressKey, match="this was not done"):
        request_subscription(request, now=NOW)
    assert Subscriber.objects.count() == 1


def test_a_doubtful_sign_up_is_not_held_under_it(weekly: MailingList) -> None:
    for number in range(MAX_SIGNUPS_PER_ADDRESS + 1):
        answer = join(Client(), weekly, email=f"b{number}@example.org")
        assert answer.status_code == 503
    assert not HeldSignup.objects.exists()


def test_a_program_does_not_read_that_a_person_to_change_is_unknown(weekly: MailingList) -> None:
    with pytest.raises(OtherAddressKey):
        update_people([PersonUpdate(email="ada@example.org", giving="donor")], by="a program", now=NOW)


def test_an_import_stores_nobody(weekly: MailingList) -> None:
    with pytest.raises(OtherAddressKey, match="Set the key that belongs to it"):
        import_text(weekly, "email\nada@example.org\n")
    assert Subscriber.objects.count() == 1


def test_an_import_in_the_desk_ends_with_the_reason(weekly: MailingList) -> None:
    batch = keep_draft(weekly, "email\nada@example.org\n")
    set_import_terms(batch, terms=make_terms(batch), now=NOW)
    run_pending()
    batch.refresh_from_db()
    assert batch.state == ImportState.FAILED
    assert "another NEWSLETTER_ADDRESS_KEY" in str(batch.problem)
    assert Subscriber.objects.count() == 1


def test_a_new_address_is_not_stored_and_its_page_asks_to_try_again(weekly: MailingList) -> None:
    person = Subscriber.objects.get()
    answer = Client().post(path_to(person, weekly, Purpose.CONFIRM_ADDRESS))
    assert (answer.status_code, answer["Retry-After"]) == (503, "120")
    assert "Your link is still valid" in answer.content.decode()
    assert Subscriber.objects.get().email == "ada@example.org"


def test_the_sign_up_page_asks_to_try_again_and_speaks_of_no_link(weekly: MailingList) -> None:
    answer = join(Client(), weekly)
    assert answer.status_code == 503
    page = answer.content.decode()
    assert "so nothing was changed" in page
    assert "Your link" not in page


def test_an_address_that_another_system_names_is_not_suppressed_under_it(weekly: MailingList) -> None:
    with pytest.raises(OtherAddressKey):
        suppress_email(email="ada@example.org", reason=Reason.COMPLAINT, now=NOW)
    assert not Suppression.objects.exists()


def test_nobody_reads_that_a_person_on_record_is_unknown(weekly: MailingList) -> None:
    with pytest.raises(OtherAddressKey):
        find_person("ada@example.org")


def test_a_page_that_cannot_find_the_person_promises_no_mail(weekly: MailingList) -> None:
    assert Client().post("/my-mail", {"email": "ada@example.org"}).status_code == 503


def test_a_program_does_not_read_that_a_suppressed_address_may_be_mailed(weekly: MailingList) -> None:
    answer = call("post", "suppressions/find", {"email": "ada@example.org"}, key=create_key("people:read"))
    assert (answer.status_code, answer.json()["code"]) == (503, "address_key_differs")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_ids", [True, False])
def test_a_reported_complaint_waits_for_the_right_key(settings: Any, has_ids: bool) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=10"
    get_installation(now=NOW)
    delivery = deliveries_of(make_send())[0]
    complaint = brevo_event("spam", delivery, **({} if has_ids else {"X-Mailin-custom": ""}))
    right, settings.SUBSCRIBERS_ADDRESS_KEY = settings.SUBSCRIBERS_ADDRESS_KEY, OTHER_KEY
    apply_reports(complaint)
    later = LATER + timedelta(hours=1)
    assert apply_due_events(clock=lambda: later) == 0
    assert not Suppression.objects.exists()
    settings.SUBSCRIBERS_ADDRESS_KEY = right
    assert apply_due_events(clock=lambda: later) == 1
    assert find_suppressions(delivery) == {Reason.COMPLAINT}


def test_a_waiting_report_keeps_no_job_busy_under_another_key(weekly: MailingList, settings: Any) -> None:
    ProviderEvent.objects.create(provider="brevo", key="1", kind="complained", received_at=NOW, retry_at=NOW, body={})
    assert not has_waiting_event(by=NOW)
    settings.SUBSCRIBERS_ADDRESS_KEY = RIGHT_KEY
    assert has_waiting_event(by=NOW)


def test_a_reply_waits_for_the_right_key(weekly: MailingList, settings: Any) -> None:
    raw = make_reply(sender="ada@example.org")
    row = store_mail(raw=raw.as_bytes(), origin="brevo", now=NOW)
    assert handle_mail(row, now=NOW).state == InboundMail.State.WAITING
    assert handle_waiting_mails(now=NOW) == 0
    settings.SUBSCRIBERS_ADDRESS_KEY = RIGHT_KEY
    assert handle_waiting_mails(now=NOW) == 1
    row.refresh_from_db()
    assert bytes(row.sender_hash or b"") == bytes(Subscriber.objects.get().address_hash)
    assert Reply.objects.get().subscriber == Subscriber.objects.get()


def test_a_canary_is_not_stored_under_it(weekly: MailingList) -> None:
    account = Account("ada@example.org", "127.0.0.1", 143, "ada", "secret")
    with pytest.raises(OtherAddressKey):
        add_mailbox(account, now=NOW)
    page = sign_in("admin").post("/admin/canaries/", {**vars(account)}).content.decode()
    assert "another NEWSLETTER_ADDRESS_KEY" in page
    assert not CanaryMailbox.objects.exists()


def test_a_search_for_an_address_says_why_it_finds_nobody(weekly: MailingList) -> None:
    right = Permission.objects.get(content_type__app_label="subscribers", codename="reveal")
    Group.objects.get(name="data").permissions.remove(right)
    desk = sign_in("data")
    for path in ("/admin/people/?q=ada@example.org", "/admin/search/?q=ada@example.org"):
        assert "another NEWSLETTER_ADDRESS_KEY" in desk.get(path).content.decode()
    assert "another NEWSLETTER_ADDRESS_KEY" not in desk.get("/admin/people/?q=Leeds").content.decode()


def test_a_program_that_changes_people_does_not_read_that_they_are_unknown(weekly: MailingList) -> None:
    changes = {"people": [{"email": "ada@example.org", "giving": "donor"}]}
    answer = call("patch", "people", changes, key=create_key("people:write"))
    assert (answer.status_code, answer.json()["code"]) == (503, "address_key_differs")


def test_unsubscribing_works_under_any_key(weekly: MailingList) -> None:
    person = Subscriber.objects.get()
    assert Client().post(path_to(person, weekly), {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not person.subscriptions.filter(ended_at__isnull=True).exists()
