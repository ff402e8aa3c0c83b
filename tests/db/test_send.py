"""From an approved issue to the receipt, compared with the ledger of a fake provider."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from newsletter.common.errors import InvariantViolated, NotAllowed, NotApproved, NotReady, WrongState
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.hold import hold_issue, release_issue
from newsletter.models import Attempt, Batch, Delivery, DeliveryException, Issue, Send, Variant
from newsletter.providers.base.contract import Outcome, Verdict
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.batch_claim import claim_batch
from newsletter.sending.dispatching.outcome import record_outcome
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import prepare_send, start_send
from newsletter.sending.settling.issue_status import status_of
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.sweep import finish_sends, settle_expired_leases, sweep
from subscribers.links.signed_links import link_keys
from subscribers.links.unsubscribe_addresses import read_token
from subscribers.models import MailingList, Reason, Subscriber, Subscription
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.provider_faults import Fault, answer, too_many
from tests.support.sends import Clock, make_ready_issue, send_issue, start_ready_send

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def mailgun(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    return fake_provider


def test_everybody_gets_the_issue_once_and_the_receipt_says_so(mailgun):
    issue = make_ready_issue()
    send = send_issue(issue)
    assert mailgun.accepted_counts() == {f"person{number}@example.com": 1 for number in range(25)}
    assert [len(entry.recipients) for entry in mailgun.ledger] == [10, 10, 5]
    status = status_of(Issue.objects.get())
    assert status["state"] == "sent"
    assert status["send"]["state"] == "submitted"
    audience = {"candidates": 25, "excluded": {}, "recipients": 25, "list": "weekly", "segments": []}
    assert status["audience"] == audience
    assert status["deliveries"] == {"pending": 0, "accepted": 25, "rejected": 0, "skipped": 0, "uncertain": 0}
    assert status["batches"] == {"accepted": 3}
    assert send.sha256 == issue.approvals.get().sha256


@pytest.mark.requirement("M11")
def test_with_inbound_mail_each_mail_has_a_signed_address_too(mailgun, settings):
    settings.NEWSLETTER_INBOUND_ADDRESS = "replies@news.example.org"
    send = send_issue(make_ready_issue(recipients=2))
    for person in Subscriber.objects.all():
        (mail,) = mailgun.mailbox(person.email)
        link, address = mail.headers["List-Unsubscribe"].split(", ")
        assert link.startswith("<http://127.0.0.1:8000/u/")
        token = address.removeprefix("<mailto:replies+").removesuffix("@news.example.org?subject=unsubscribe>")
        target = read_token(token, keys=link_keys(), lists=MailingList.objects.values_list("public_id", flat=True))
        assert (target.subscriber_uuid, target.mailing) == (person.uuid, send.pk)
        assert mail.headers["Reply-To"] == f"replies+i{send.issue.public_id}@news.example.org"


@pytest.mark.requirement("M5")
@pytest.mark.requirement("U1")
def test_every_mail_has_one_click_headers_list_id_and_own_links(mailgun):
    send_issue(make_ready_issue(recipients=2))
    (first,), (second,) = mailgun.mailbox("person0@example.com"), mailgun.mailbox("person1@example.com")
    link = first.headers["List-Unsubscribe"].strip("<>")
    assert link.startswith("http://127.0.0.1:8000/u/")
    assert first.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert first.headers["List-Id"].endswith(".news.example.org>")
    issue = Issue.objects.get().public_id
    assert first.headers["Feedback-ID"] == second.headers["Feedback-ID"] == f"{issue}:weekly:issue:newsexampleorg"
    assert first.headers["X-Entity-Ref-ID"] == issue
    assert list(first.headers)[:5] == [
        "Feedback-ID",
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "X-Entity-Ref-ID",
    ]
    assert link in first.html
    assert link in first.text
    assert link not in second.html
    assert "__pv_" not in first.html + first.text + first.subject + str(first.headers)


def test_excluded_people_are_counted_by_reason_and_candidates_add_up(mailgun):
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 5)
    people = list(Subscriber.objects.order_by("pk"))
    Subscription.objects.filter(subscriber=people[0]).update(basis="consent_double_opt_in")
    suppress(address_hash=bytes(people[1].address_hash), reason=Reason.STAFF, now=NOW)
    send = send_issue(make_issue(publication, approved=True))
    receipt = make_receipt(send)
    assert receipt.excluded == {"suppressed:staff": 1, "unconfirmed": 1}
    assert (receipt.candidates, receipt.recipients) == (5, 3)
    assert set(mailgun.accepted_counts()) == {f"person{number}@example.com" for number in (2, 3, 4)}


def test_recipients_get_their_own_events_in_one_render_each(mailgun):
    publication = make_publication(radius_km=80)
    make_story("The first verdict")
    make_event("Vigil by the river", where=LONDON)
    make_event("Clinic open day", where=HOUSTON, zone="America/Chicago")
    add_subscribers(publication, 4, where=LONDON)
    add_subscribers(publication, 3, where=HOUSTON, start=10)
    add_subscribers(publication, 2, start=20)
    send_issue(make_issue(publication, approved=True))
    assert Variant.objects.count() == 3
    assert "Vigil by the river" in mailgun.mailbox("person0@example.com")[0].html
    assert "Clinic open day" not in mailgun.mailbox("person0@example.com")[0].html
    assert "Clinic open day" in mailgun.mailbox("person10@example.com")[0].text
    assert "Vigil" not in mailgun.mailbox("person20@example.com")[0].html


def test_starting_a_send_twice_gives_one_send(mailgun):
    issue = make_ready_issue()
    first = send_issue(issue)
    issue.refresh_from_db()
    assert start_send(issue=issue, now=NOW) == first
    assert len(mailgun.ledger) == 3


def test_the_tables_refuse_a_second_delivery_send_or_batch(mailgun):
    issue = make_ready_issue()
    send = send_issue(issue)
    delivery, batch = Delivery.objects.first(), Batch.objects.first()
    assert delivery is not None
    assert batch is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(
            issue=issue, batch=batch, subscriber_id=delivery.subscriber_id, address_hash=delivery.address_hash
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Send.objects.create(issue=issue, revision=send.revision, sha256=send.sha256, provider="x", made_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.create(send=send, seq=batch.seq, variant=batch.variant, part=99, size=1, key="another")
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.bulk_create([Attempt(batch=batch, number=7 + n, people=1, started_at=NOW) for n in range(2)])


@pytest.mark.requirement("F15")
def test_people_who_unsubscribe_after_the_freeze_are_skipped(mailgun):
    issue = make_ready_issue()
    send = start_send(issue=issue, now=NOW)
    leaver = Subscriber.objects.get(email="person3@example.com")
    unsubscribe_from_list(subscriber=leaver, mailing_list=issue.publication.mailing_list, now=NOW)
    clock = Clock()
    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert "person3@example.com" not in mailgun.accepted_counts()
    assert make_receipt(send).deliveries == {"pending": 0, "accepted": 24, "rejected": 0, "skipped": 1, "uncertain": 0}
    exception = DeliveryException.objects.get()
    assert (exception.code, exception.reason) == ("unsubscribed", "unsubscribed after the audience was frozen")


@pytest.mark.requirement("F17")
def test_an_issue_edited_after_approval_is_not_sent(mailgun):
    issue = make_ready_issue()
    Issue.objects.filter(pk=issue.pk).update(subject="Something else")
    issue.refresh_from_db()
    with pytest.raises(NotApproved, match="changed after it was approved"):
        start_send(issue=issue, now=NOW)
    assert mailgun.ledger == []
    assert not Send.objects.exists()


def test_an_issue_edited_before_the_freeze_is_not_sent(mailgun):
    issue = make_ready_issue()
    approval = issue.approvals.get()
    send = Send.objects.create(
        issue=issue, revision=approval.revision, sha256=approval.sha256, provider="mailgun", made_at=NOW
    )
    Issue.objects.filter(pk=issue.pk).update(subject="Something else")
    issue.refresh_from_db()
    with pytest.raises(NotApproved):
        prepare_send(send=Send.objects.get(pk=send.pk), now=NOW)
    assert Send.objects.get().state == Send.State.CANCELLED
    assert Delivery.objects.count() == 0


def test_an_unapproved_issue_is_refused_with_what_to_do(mailgun):
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 1)
    with pytest.raises(NotApproved, match="newsletter approve weekly/1"):
        start_send(issue=make_issue(publication), now=NOW)


def test_an_empty_audience_cannot_be_approved(mailgun):
    publication = make_publication()
    make_story("The first verdict")
    with pytest.raises(NotReady, match="Nobody would get"):
        make_issue(publication, approved=True)


@pytest.mark.requirement("P9")
def test_a_missing_postal_address_cannot_be_approved(mailgun):
    publication = make_publication()
    publication.brand.postal_address = ""
    publication.brand.save()
    make_story("The first verdict")
    add_subscribers(publication, 1)
    with pytest.raises(NotReady, match="postal address"):
        make_issue(publication, approved=True)


def test_a_held_issue_is_not_sent_until_released(mailgun):
    issue = make_ready_issue()
    hold_issue(issue=issue, reason="Waiting for the court's decision")
    with pytest.raises(NotReady, match="Waiting for the court"):
        start_send(issue=issue, now=NOW)
    release_issue(issue=issue)
    assert send_issue(issue).state == Send.State.SUBMITTED
    with pytest.raises(WrongState, match="too late to hold"):
        hold_issue(issue=issue, reason="too late")


@pytest.mark.requirement("F6")
def test_a_call_without_an_answer_is_uncertain_and_not_repeated(mailgun):
    mailgun.fault_on(2, Fault("reset_after_accepting"))
    send = send_issue(make_ready_issue())
    assert send.state == Send.State.NEEDS_ATTENTION
    assert "10 people" in send.reason
    assert max(mailgun.accepted_counts().values()) == 1
    assert make_receipt(send).deliveries["uncertain"] == 10
    assert Issue.objects.get().state == Issue.State.SENDING
    assert len(mailgun.ledger) == 3


@pytest.mark.requirement("F4")
def test_a_throttled_call_waits_as_long_as_asked_and_is_repeated(mailgun):
    mailgun.fault_next(too_many("30"))
    clock = Clock()
    send = send_issue(make_ready_issue(recipients=5), clock)
    assert send.state == Send.State.SUBMITTED
    assert clock.now - NOW >= timedelta(seconds=30)
    assert set(mailgun.accepted_counts().values()) == {1}
    assert list(Attempt.objects.order_by("number").values_list("number", "outcome")) == [
        (1, "throttled"),
        (2, "accepted"),
    ]


@pytest.mark.requirement("F19")
def test_a_refused_key_pauses_the_send_at_the_first_call(mailgun):
    mailgun.fault_always(answer(401, b"Forbidden"))
    send = send_issue(make_ready_issue())
    assert send.state == Send.State.PAUSED
    assert len(mailgun.ledger) == 1
    assert make_receipt(send).deliveries["pending"] == 25


@pytest.mark.requirement("F1")
def test_a_worker_lost_during_the_call_leaves_its_batch_uncertain(mailgun):
    send = start_ready_send(recipients=5)
    claim = claim_batch(batch_id=Batch.objects.get().pk, provider="mailgun", now=NOW)
    assert claim is not None
    assert settle_expired_leases(now=NOW + timedelta(seconds=44)) == 0
    assert settle_expired_leases(now=NOW + timedelta(seconds=46)) == 1
    assert Batch.objects.get().state == Batch.State.UNCERTAIN
    assert not Attempt.objects.filter(ended_at__isnull=True).exists()
    finish_sends(now=NOW)
    send.refresh_from_db()
    assert send.state == Send.State.NEEDS_ATTENTION


@pytest.mark.requirement("F22")
def test_a_worker_that_returns_after_its_lease_changes_nothing(mailgun):
    start_ready_send(recipients=5)
    claim = claim_batch(batch_id=Batch.objects.get().pk, provider="mailgun", now=NOW)
    assert claim is not None
    settle_expired_leases(now=NOW + timedelta(seconds=46))
    assert not record_outcome(claim=claim, outcome=Outcome(verdict=Verdict.NOT_SENT), now=NOW + timedelta(seconds=130))
    assert Batch.objects.get().state == Batch.State.UNCERTAIN


@pytest.mark.requirement("F12")
def test_a_batch_is_claimed_by_one_worker_only(mailgun):
    start_ready_send(recipients=5)
    batch = Batch.objects.get()
    assert claim_batch(batch_id=batch.pk, provider="mailgun", now=NOW) is not None
    assert claim_batch(batch_id=batch.pk, provider="mailgun", now=NOW) is None


def test_a_changed_variant_is_never_sent(mailgun):
    issue = make_ready_issue(recipients=5)
    send = start_send(issue=issue, now=NOW)
    variant = Variant.objects.get()
    with pytest.raises(InvariantViolated, match="written once"):
        variant.save()
    Variant.objects.update(html=variant.html.replace("verdict", "ruling"))
    clock = Clock()
    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert send.state == Send.State.PAUSED
    assert "was changed after it was approved" in send.reason
    assert mailgun.ledger == []


def test_approving_needs_the_permission_and_the_content_seen(mailgun):
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 1)
    issue = make_issue(publication)
    with pytest.raises(NotAllowed, match="approver"):
        approve_issue(issue=issue, by=User.objects.create(username="writer@example.org"), now=NOW)
    with pytest.raises(NotApproved, match="edited after you opened it"):
        approve_issue(issue=issue, by=make_approver(), now=NOW, seen_sha256="0" * 64)


def test_hostile_names_and_titles_reach_nobody_raw(mailgun):
    publication = make_publication(intro='Dear {{ first_name | default:"friend" }},')
    make_story("<script>alert(1)</script> {{ 7*7 }} %recipient.email% __pv_h_name__ “tell”")
    add_subscribers(publication, 2)
    Subscriber.objects.filter(email="person0@example.com").update(name='"><img src=x onerror=alert(1)>')
    Subscriber.objects.filter(email="person1@example.com").update(name="")
    send_issue(make_issue(publication, approved=True))
    first, second = mailgun.mailbox("person0@example.com")[0], mailgun.mailbox("person1@example.com")[0]
    assert "<script>" not in first.html
    assert "<img src=x" not in first.html
    assert "&lt;script&gt;" in first.html
    assert "person0@example.com" not in first.html + first.text + first.subject
    assert "49" not in first.subject
    assert "Dear friend," in second.text
    assert "None" not in second.html


def test_regions_are_named_in_the_language_of_the_mail(mailgun):
    publication = make_publication(language="es", intro='Noticias de {{ region | default:"tu país" }}.')
    make_story("La clínica abre", language="es")
    add_subscribers(publication, 1, where=LONDON)
    send_issue(make_issue(publication, approved=True))
    assert "Noticias de Inglaterra." in mailgun.mailbox("person0@example.com")[0].text


def test_the_outbox_holds_complete_mails_an_index_and_one_line_per_person(settings, tmp_path):
    settings.NEWSLETTER_DATA_DIR = tmp_path
    issue = make_ready_issue(recipients=12)
    send = send_issue(issue)
    folder = tmp_path / "outbox" / issue.public_id
    assert send.state == Send.State.SUBMITTED
    assert (folder / "index.html").is_file()
    assert sum(len(file.read_text().splitlines()) for file in folder.glob("batches/*.jsonl")) == 12
    assert len(list(folder.glob("*/*.eml"))) == 3


def test_a_send_to_files_ends_without_its_folder():
    send = start_ready_send()
    send.batches.update(state="accepted", settled_at=NOW)
    assert send.provider == "outbox"
    assert [ended.pk for ended in sweep(adapter=current_adapter(), clock=lambda: NOW)] == [send.pk]
    assert Send.objects.get().state == "submitted"
