"""Mail that comes in: only a signed address unsubscribes, reports count once, programs are ignored, replies reach staff."""

from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.feedback.apply import apply_due_events
from newsletter.inbound import addresses, forward_replies, process_mail, reading_order, replies
from newsletter.inbound.forward_replies import forget_reply, forward_waiting_replies, retry_forwards
from newsletter.inbound.notices import notify_inbound_problems
from newsletter.inbound.process_mail import handle_mail, handle_waiting_mails
from newsletter.inbound.store import RETENTION, delete_old_inbound_mails, store_mail
from newsletter.models import Delivery, InboundForward, InboundMail, Publication, Send, StaffNotice
from newsletter.models.feedback import Bounce
from newsletter.providers.base.contract import BatchCall, Outcome, Verdict
from newsletter.sending.adapters import current_adapter
from subscribers.erasing.erasure import erase_person
from subscribers.links.signed_links import Purpose, link_keys, make_link
from subscribers.links.unsubscribe_addresses import make_addresses
from subscribers.models import ConsentEvent, CountedUnsubscribe, Reason, Reply, StayQuestion, Subscriber, Suppression
from tests.support.feedback_reports import make_send
from tests.support.fixtures import NOW, make_approver
from tests.support.inbound_mails import BOUNCE, COMPLAINT, INBOUND_ADDRESS, make_reply
from tests.support.protected_terms import protect

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def send(fake_provider: Any, settings: Any) -> Any:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    settings.NEWSLETTER_INBOUND_ADDRESS = INBOUND_ADDRESS
    yield make_send(recipients=3)
    current_adapter().close()


def people() -> list[Subscriber]:
    return list(Subscriber.objects.order_by("pk"))


def take(mail: EmailMessage | bytes, *, now: Any = LATER, cut: bool = False) -> InboundMail:
    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
    return handle_mail(store_mail(raw=raw, origin="imap", cut=cut, now=now), now=now)


def address_of(person: Subscriber, send: Send) -> str:
    list_id = bytes.fromhex(send.issue.publication.mailing_list.public_id)
    make = make_addresses(link_keys()[0], inbound_address=INBOUND_ADDRESS, mailing_list=list_id, mailing=send.pk)
    return make([person.uuid.bytes])[0]


def return_mail_of(person: Subscriber, send: Send, *, report: bytes = BOUNCE) -> bytes:
    """Return a report about the person's mail of this send."""
    public_id = send.issue.publication.mailing_list.public_id
    link = make_link(
        purpose=Purpose.UNSUBSCRIBE, subscriber_uuid=person.uuid, public_id=public_id, now=NOW, mailing=send.pk
    )
    return report.replace(b"https://news.example.org/u/TOKEN", link.encode())


def is_subscribed(person: Subscriber) -> bool:
    return person.subscriptions.open().exists()


@pytest.mark.parametrize("change", [str, str.upper])
@pytest.mark.requirement("M11")
@pytest.mark.postgres
def test_the_signed_address_unsubscribes_only_its_person(send: Send, change: Any) -> None:
    ana, bo, _ = people()
    row = take(make_reply(to=change(address_of(ana, send)), sender=bo.email, text="", subject="unsubscribe"))
    assert (row.kind, row.state, row.raw) == ("unsubscribe", "done", None)
    assert (is_subscribed(ana), is_subscribed(bo)) == (False, True)
    assert ConsentEvent.objects.get(kind="left").source == "mail"
    assert CountedUnsubscribe.objects.get().mailing == send.pk


@pytest.mark.requirement("M11")
def test_a_forged_mail_unsubscribes_nobody_and_goes_to_staff(send: Send) -> None:
    ana, *_ = people()
    token = address_of(ana, send).partition("+")[2].partition("@")[0]
    forged = "".join("b" if letter == "a" else "a" for letter in token[:4]) + token[4:]
    for to in (INBOUND_ADDRESS, f"replies+{forged}@news.example.org", f"replies+{'a' * 48}@news.example.org"):
        row = take(make_reply(to=to, sender=ana.email, subject="unsubscribe", text=f"unsubscribe {to}"))
        assert (row.kind, row.state) == ("reply", "to_send_on")
    assert is_subscribed(ana)


def test_a_mail_to_many_signed_addresses_uses_few(send: Send, monkeypatch: Any) -> None:
    monkeypatch.setattr("newsletter.inbound.addresses.MAX_UNSUBSCRIBES", 2)
    take(make_reply(to=", ".join(address_of(person, send) for person in people())))
    assert [is_subscribed(person) for person in people()] == [False, False, True]


@pytest.mark.postgres
def test_the_same_mail_has_one_effect(send: Send) -> None:
    ana, *_ = people()
    for _ in range(3):
        take(make_reply(sender=ana.email))
    assert InboundMail.objects.count() == InboundForward.objects.count() == Reply.objects.count() == 1


@pytest.mark.postgres
def test_two_processes_act_on_a_mail_once(send: Send, monkeypatch: Any) -> None:
    row = store_mail(raw=make_reply().as_bytes(), origin="imap", now=LATER)
    parse = process_mail.parse_mail_in_sandbox

    def meanwhile(raw: Any) -> Any:
        monkeypatch.setattr(process_mail, "parse_mail_in_sandbox", parse)
        handle_mail(InboundMail.objects.get(), now=LATER)
        return parse(raw)

    monkeypatch.setattr(process_mail, "parse_mail_in_sandbox", meanwhile)
    assert handle_mail(row, now=LATER).state == "to_send_on"
    assert InboundForward.objects.count() == 1


@pytest.mark.requirement("S2")
@pytest.mark.postgres
def test_a_bounce_by_mail_suppresses_whoever_it_is_about(send: Send) -> None:
    ana, bo, _ = people()
    assert take(return_mail_of(ana, send)).kind == "bounce"
    apply_due_events(clock=lambda: LATER)
    bounce = Bounce.objects.get()
    assert (bounce.bounce_class, bounce.status) == ("hard", "5.1.1")
    assert "(address)" in bounce.reason
    assert bounce.delivery == Delivery.objects.get(subscriber_id=ana.pk)
    assert Suppression.objects.get().address_hash == ana.address_hash
    assert (is_subscribed(ana), is_subscribed(bo)) == (True, True)


def test_a_refusal_of_the_sender_marks_no_person(send: Send) -> None:
    ana, *_ = people()
    report = BOUNCE.replace(b"Status: 5.1.1", b"Status: 5.7.1").replace(b"550 5.1.1", b"550 5.7.1")
    take(return_mail_of(ana, send, report=report))
    apply_due_events(clock=lambda: LATER)
    assert (Bounce.objects.get().bounce_class, Suppression.objects.count()) == ("block", 0)


def test_an_unclear_failure_is_not_taken_for_a_dead_address(send: Send) -> None:
    ana, *_ = people()
    unclear = BOUNCE.replace(b"Status: 5.1.1", b"Status: 5.0.0").replace(b"550 5.1.1", b"554")
    take(return_mail_of(ana, send, report=unclear))
    apply_due_events(clock=lambda: LATER)
    assert Bounce.objects.get().bounce_class == "soft"


def test_a_delay_is_not_a_bounce(send: Send) -> None:
    ana, *_ = people()
    delayed = BOUNCE.replace(b"Action: failed", b"Action: delayed").replace(b"Status: 5.1.1", b"Status: 4.4.1")
    take(return_mail_of(ana, send, report=delayed))
    apply_due_events(clock=lambda: LATER)
    assert not Bounce.objects.exists()


def test_a_bounce_without_our_signed_link_changes_nothing(send: Send) -> None:
    """Somebody else could have written it."""
    ana, *_ = people()
    for report in (BOUNCE, BOUNCE.replace(b"nobody@example.com", ana.email.encode())):
        assert take(report).kind == "bounce"
    apply_due_events(clock=lambda: LATER)
    assert not Suppression.objects.exists()


@pytest.mark.requirement("S3")
def test_a_complaint_by_mail_suppresses(send: Send) -> None:
    ana, *_ = people()
    assert take(return_mail_of(ana, send, report=COMPLAINT)).kind == "complaint"
    apply_due_events(clock=lambda: LATER)
    assert Suppression.objects.get().reason == Reason.COMPLAINT


def test_a_bounce_of_a_mail_whose_row_is_gone_counts_for_the_address(send: Send) -> None:
    ana, *_ = people()
    report = return_mail_of(ana, send)
    Delivery.objects.all().delete()
    take(report)
    apply_due_events(clock=lambda: LATER)
    assert Suppression.objects.get().reason == Reason.HARD


@pytest.mark.postgres
def test_a_report_about_an_erased_person_is_forgotten(send: Send) -> None:
    ana, *_ = people()
    report = return_mail_of(ana, send)
    erase_person(subscriber=ana, now=LATER, by="kim")
    assert (take(report).state, take(return_mail_of(ana, send, report=COMPLAINT)).state) == ("done", "done")
    apply_due_events(clock=lambda: LATER)
    assert not Suppression.objects.filter(reason__in=[Reason.HARD, Reason.COMPLAINT]).exists()


def test_out_of_office_is_ignored_and_nothing_of_it_is_kept(send: Send) -> None:
    ana, *_ = people()
    row = take(make_reply(sender=ana.email, text="I am away", **{"Auto-Submitted": "auto-replied"}))
    assert (row.kind, row.state, row.raw, row.text, row.sender) == ("automatic", "done", None, "", "")
    assert not Reply.objects.exists()
    assert not InboundForward.objects.exists()


def test_a_mail_from_our_own_address_ends_there(send: Send) -> None:
    for sender in (INBOUND_ADDRESS, f"Open Door <{INBOUND_ADDRESS.upper()}>", "replies+i1@news.example.org"):
        assert take(make_reply(sender=sender)).kind == "automatic"


def test_a_reply_is_sent_on_once_and_then_forgotten(send: Send, fake_provider: Any) -> None:
    ana, *_ = people()
    row = take(make_reply(sender=f"Ana <{ana.email}>", to=f"replies+i{send.issue.public_id}@news.example.org"))
    assert row.issue == send.issue
    assert forward_waiting_replies(now=LATER) == 1
    assert forward_waiting_replies(now=LATER) == 0
    (mail,) = fake_provider.mailbox("hello@example.org")
    assert mail.subject == "Reply: Re: News"
    assert mail.headers["Reply-To"] == ana.email
    assert mail.headers["Auto-Submitted"] == "auto-generated"
    assert f"Ana <{ana.email}> wrote on" in mail.text
    assert "Thank you for the letter." in mail.text
    assert str(send.issue) in mail.text
    row.refresh_from_db()
    assert (row.state, row.text, row.sender, row.subject, row.raw) == ("done", "", "", "", None)


def test_a_reply_counts_as_life(send: Send) -> None:
    ana, bo, _ = people()
    StayQuestion.objects.create(
        subscriber=ana, mailing_list=send.issue.publication.mailing_list, asked_at=NOW, sent_at=NOW
    )
    take(make_reply(sender=ana.email, to=f"replies+i{send.issue.public_id}@news.example.org"))
    take(make_reply(sender=bo.email))
    assert StayQuestion.objects.get().answered_at == LATER
    first, second = Reply.objects.order_by("pk")
    assert (first.subscriber, first.issue, first.origin, first.by) == (ana, send.issue.pk, "mail", "")
    assert (second.subscriber, second.issue) == (bo, None)


def test_a_reply_of_somebody_unknown_is_sent_on_too(send: Send, fake_provider: Any) -> None:
    take(make_reply(sender="stranger@example.net"))
    forward_waiting_replies(now=LATER)
    assert fake_provider.mailbox("hello@example.org")[0].headers["Reply-To"] == "stranger@example.net"
    assert not Reply.objects.exists()


@pytest.mark.parametrize("reply_to", ["", INBOUND_ADDRESS])
def test_without_an_address_for_replies_data_staff_get_them(send: Send, fake_provider: Any, reply_to: str) -> None:
    """An address for replies that is our own would send each reply in a circle."""
    Publication.objects.update(reply_to=reply_to)
    User.objects.create_superuser("dan", "dan@example.org")
    make_approver("writes@example.org")
    take(make_reply())
    forward_waiting_replies(now=LATER)
    assert len(fake_provider.mailbox("dan@example.org")) == 1
    assert fake_provider.mailbox("writes@example.org") == []


def test_a_reply_that_nobody_can_get_waits_in_the_desk(send: Send) -> None:
    Publication.objects.update(reply_to="")
    User.objects.update(email="")
    row = take(make_reply())
    assert (row.state, row.text) == ("not_sent_on", "Thank you for the letter.")
    User.objects.create_superuser("dan", "dan@example.org")
    row.refresh_from_db()
    assert retry_forwards(row)
    assert not retry_forwards(row)
    assert forward_waiting_replies(now=LATER) == 1


@pytest.mark.postgres
def test_text_of_a_stranger_stays_text(send: Send, fake_provider: Any) -> None:
    nasty = "<script>alert(1)</script> {{ name }} {% if %} __pv_t_unsubscribe__ %s %(x)s"
    take(make_reply(text=nasty, subject="{{ 7*7 }} %(x)s __pv_t_name__", sender='"<b>{{x}}</b>" <ana@example.com>'))
    assert forward_waiting_replies(now=LATER) == 1
    (mail,) = fake_provider.mailbox("hello@example.org")
    assert "<script>" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert "%s %(x)s" in " ".join(mail.text.split())


def test_a_persons_links_in_a_quoted_letter_are_hidden(send: Send, fake_provider: Any) -> None:
    ana, *_ = people()
    link = make_link(purpose=Purpose.UNSUBSCRIBE, subscriber_uuid=ana.uuid, public_id="0" * 16, now=NOW)
    take(make_reply(text=f"Thanks!\n> Unsubscribe: {link}"))
    forward_waiting_replies(now=LATER)
    (mail,) = fake_provider.mailbox("hello@example.org")
    assert "/u/…" in mail.text
    assert link not in mail.text + mail.html


def test_a_reply_with_a_protected_term_stays_in_the_desk(send: Send, fake_provider: Any) -> None:
    protect("Ilyana")
    row = take(make_reply(text="How is Ilyana?"))
    assert forward_waiting_replies(now=LATER) == 1
    (mail,) = fake_provider.mailbox("hello@example.org")
    assert "Ilyana" not in mail.text + mail.html + mail.subject
    assert "/admin/replies/" in mail.text
    row.refresh_from_db()
    assert (row.state, row.text) == ("not_sent_on", "How is Ilyana?")
    assert forget_reply(row, from_state=InboundMail.State.NOT_SENT_ON)


def test_attachments_are_named_with_their_location(send: Send, fake_provider: Any) -> None:
    mail = make_reply()
    mail.add_attachment(b"x", maintype="image", subtype="jpeg", filename="photo.jpg")
    take(mail)
    InboundMail.objects.update(origin="imap")
    forward_waiting_replies(now=LATER)
    (sent,) = fake_provider.mailbox("hello@example.org")
    assert "photo.jpg. You find it in the mailbox, in the folder Handled" in " ".join(sent.text.split())


class Answering:
    """The adapter of the settings with another answer."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.capabilities = replace(current_adapter().capabilities)
        self.outcomes = list(outcomes)
        self.calls: list[BatchCall] = []

    def deliver(self, call: BatchCall) -> Outcome:
        self.calls.append(call)
        return self.outcomes.pop(0)

    def close(self) -> None: ...


def test_an_unclear_answer_sends_a_reply_again_rather_than_lose_it(send: Send) -> None:
    row = take(make_reply())
    adapter = Answering(Outcome(Verdict.UNCERTAIN, "no answer"), Outcome(Verdict.ACCEPTED, ""))
    assert forward_waiting_replies(now=LATER, adapter=adapter) == 0
    assert forward_waiting_replies(now=LATER + timedelta(minutes=5), adapter=adapter) == 0
    assert len(adapter.calls) == 1
    assert forward_waiting_replies(now=LATER + timedelta(minutes=11), adapter=adapter) == 1
    assert adapter.calls[0].key == adapter.calls[1].key
    row.refresh_from_db()
    assert row.state == "done"


def test_a_refused_reply_is_kept_for_staff(send: Send) -> None:
    row = take(make_reply())
    forward_waiting_replies(now=LATER, adapter=Answering(Outcome(Verdict.REJECTED, "no such mailbox")))
    row.refresh_from_db()
    assert (row.state, row.text) == ("not_sent_on", "Thank you for the letter.")
    assert row.forwards.get().refusal == "no such mailbox"


def test_a_reply_waits_as_long_as_the_provider_asks(send: Send) -> None:
    take(make_reply())
    for minute in range(8):
        adapter = Answering(Outcome(Verdict.THROTTLED, "slow down"))
        forward_waiting_replies(now=LATER + timedelta(hours=minute), adapter=adapter)
    forward = InboundForward.objects.get()
    assert (forward.attempts, forward.refusal, forward.sent_at) == (0, "", None)


def test_unclear_answers_end(send: Send, monkeypatch: Any) -> None:
    monkeypatch.setattr(forward_replies, "MAX_ATTEMPTS", 2)
    row = take(make_reply())
    for hour in range(3):
        adapter = Answering(Outcome(Verdict.UNCERTAIN, "no answer"))
        forward_waiting_replies(now=LATER + timedelta(hours=hour), adapter=adapter)
    row.refresh_from_db()
    assert row.state == "not_sent_on"


def test_two_programs_that_answer_each_other_stop(send: Send, monkeypatch: Any) -> None:
    monkeypatch.setattr(replies, "MAX_OF_SENDER_A_DAY", 2)
    rows = [take(make_reply(sender="robot@example.net", message_id=f"<{n}@example.net>")) for n in range(4)]
    assert [row.state for row in rows] == ["to_send_on", "to_send_on", "held", "held"]
    next_day = take(make_reply(sender="robot@example.net", message_id="<9@x>"), now=LATER + timedelta(days=2))
    assert next_day.state == "to_send_on"


def test_many_senders_are_limited_too(send: Send, monkeypatch: Any) -> None:
    monkeypatch.setattr(replies, "MAX_AN_HOUR", 1)
    rows = [take(make_reply(sender=f"person{n}@example.net")) for n in range(2)]
    assert [row.state for row in rows] == ["to_send_on", "held"]


@pytest.mark.postgres
def test_unreadable_mail_is_kept_and_staff_are_notified_once_a_day(send: Send) -> None:
    User.objects.create_superuser("dan", "dan@example.org")
    row = take(b"\x00\xff")
    assert (row.state, bytes(row.raw or b"")) == ("unreadable", b"\x00\xff")
    for hour in range(3):
        notify_inbound_problems(now=LATER + timedelta(minutes=hour))
    (notice,) = StaffNotice.objects.filter(key__startswith="inbound-")
    assert notice.paragraphs == ["A mail that came in cannot be read."]


def test_a_mail_stored_by_a_webhook_is_handled_by_the_job(send: Send) -> None:
    store_mail(raw=make_reply().as_bytes(), origin="postmark", now=LATER)
    assert handle_waiting_mails(now=LATER) == 1
    assert handle_waiting_mails(now=LATER) == 0
    assert InboundMail.objects.get().state == "to_send_on"


@pytest.mark.parametrize("change", [str, str.upper])
@pytest.mark.requirement("U1")
def test_a_posted_mail_that_unsubscribes_is_read_before_a_flood(send: Send, monkeypatch: Any, change: Any) -> None:
    """A round takes fewer mails than came before it. The recipient is in the field that is put above a posted mail."""
    monkeypatch.setattr(process_mail, "MAILS_A_ROUND", 3)
    ana, *_ = people()
    for number in range(5):
        store_mail(raw=make_reply(message_id=f"<{number}@x>").as_bytes(), origin="postmark", now=LATER)
    posted = (
        f"X-Envelope-To: {change(address_of(ana, send))}\r\n".encode() + make_reply(to="list@example.org").as_bytes()
    )
    store_mail(raw=posted, origin="postmark", now=LATER)
    assert handle_waiting_mails(now=LATER) == 3
    assert not is_subscribed(ana)
    waiting = InboundMail.objects.filter(state="waiting")
    assert waiting.count() == 3
    assert [b"<2@x>" in bytes(row.raw or b"") for row in waiting.order_by("pk")] == [True, False, False]
    assert handle_waiting_mails(now=LATER) == 3
    assert not waiting.exists()


@pytest.mark.postgres
def test_only_so_many_waiting_mails_are_looked_at(send: Send, monkeypatch: Any) -> None:
    """Beyond them, and beyond the beginning of a mail, mails are read in the order of arrival."""
    ana, *_ = people()
    monkeypatch.setattr(reading_order, "MAX_WAITING_SCANNED", 3)
    monkeypatch.setattr(process_mail, "MAILS_A_ROUND", 1)
    late = make_reply(to=address_of(ana, send), text="", message_id="<late@x>").as_bytes()
    far = b"X-Long: " + b"a" * reading_order.HEAD_BYTES + b"\r\n" + late
    for raw in (make_reply(message_id="<1@x>").as_bytes(), make_reply(message_id="<2@x>").as_bytes(), far, late):
        store_mail(raw=raw, origin="postmark", now=LATER)
    handle_waiting_mails(now=LATER)
    assert [row.state for row in InboundMail.objects.order_by("pk")] == ["to_send_on", "waiting", "waiting", "waiting"]
    handle_waiting_mails(now=LATER)
    assert [row.kind for row in InboundMail.objects.order_by("pk")] == ["reply", "", "", "unsubscribe"]


@pytest.mark.postgres
def test_a_round_reads_the_lists_once_and_stops_when_it_is_full(send: Send, monkeypatch: Any) -> None:
    """Few recipients of each mail are checked: anybody can name any number."""
    monkeypatch.setattr(reading_order, "WAITING_SCAN_BATCH_SIZE", 2)
    checked: list[str] = []
    read_token = addresses.read_token
    monkeypatch.setattr(
        addresses, "read_token", lambda tag, **known: (checked.append(tag), read_token(tag, **known))[1]
    )
    forged = ", ".join(f"replies+{letter * 48}@news.example.org" for letter in "abcdefghij")
    for number in range(3):
        mail = make_reply(to=forged, text="", message_id=f"<forged-{number}@x>")
        store_mail(raw=mail.as_bytes(), origin="postmark", now=LATER)
    for person in people():
        store_mail(raw=make_reply(to=address_of(person, send), text="").as_bytes(), origin="postmark", now=LATER)
    with CaptureQueriesContext(connection) as queries:
        assert reading_order.list_waiting(limit=1) == [InboundMail.objects.order_by("pk")[3].pk]
    assert len([query for query in queries if "mailinglist" in query["sql"]]) == 1
    assert len(checked) == 3 * addresses.MAX_UNSUBSCRIBES + 1, "The last two mails are not looked at."


def test_a_flood_to_one_signed_address_leaves_places_for_the_rest(send: Send, monkeypatch: Any) -> None:
    monkeypatch.setattr(process_mail, "MAILS_A_ROUND", 4)
    ana, bo, cleo = people()
    store_mail(raw=BOUNCE, origin="postmark", now=LATER)
    for number in range(5):
        mail = make_reply(to=address_of(ana, send), text="", message_id=f"<flood-{number}@x>")
        store_mail(raw=mail.as_bytes(), origin="postmark", now=LATER)
    for person in (bo, cleo):
        store_mail(raw=make_reply(to=address_of(person, send), text="").as_bytes(), origin="postmark", now=LATER)
    assert handle_waiting_mails(now=LATER) == 4
    assert InboundMail.objects.get(kind="bounce").state == "done"
    assert [is_subscribed(person) for person in (ana, bo, cleo)] == [False, False, False]


def test_a_signed_address_after_forged_ones_unsubscribes(send: Send) -> None:
    ana, *_ = people()
    forged = [f"replies+{letter * 48}@news.example.org" for letter in "abcdefghij"]
    assert take(make_reply(to=", ".join([*forged, address_of(ana, send)]))).kind == "unsubscribe"


@pytest.mark.postgres
def test_a_mail_of_forty_megabytes_keeps_its_beginning_only(send: Send) -> None:
    mail = make_reply(text="Hello")
    mail.add_attachment(b"x" * 40_000_000, maintype="video", subtype="mp4", filename="film.mp4")
    row = take(mail)
    assert (row.kind, row.text, row.cut) == ("reply", "Hello", True)


@pytest.mark.postgres
def test_old_rows_are_deleted_and_open_replies_stay(send: Send) -> None:
    open_reply = take(make_reply())
    take(b"\x00")
    take(make_reply(**{"Auto-Submitted": "auto-replied"}))
    assert delete_old_inbound_mails(now=LATER + RETENTION + timedelta(days=1)) == 2
    assert InboundMail.objects.get() == open_reply


@pytest.mark.postgres
def test_erasing_a_person_deletes_a_reply_that_waits(send: Send) -> None:
    ana, *_ = people()
    take(make_reply(sender=ana.email))
    erase_person(subscriber=ana, now=LATER, by="kim")
    assert not InboundMail.objects.exists()


def test_a_reply_that_was_claimed_by_a_clock_ahead_is_sent_on(send: Send, fake_provider: Any) -> None:
    ana, *_ = people()
    take(make_reply(sender=ana.email, to=f"replies+i{send.issue.public_id}@news.example.org"))
    InboundForward.objects.update(claimed_until=LATER + timedelta(days=400))
    assert forward_waiting_replies(now=LATER) == 1


@pytest.mark.parametrize("ahead", [timedelta(minutes=9), timedelta(hours=1)])
def test_a_reply_that_another_machine_is_sending_is_left_to_it(
    send: Send, fake_provider: Any, ahead: timedelta
) -> None:
    ana, *_ = people()
    take(make_reply(sender=ana.email, to=f"replies+i{send.issue.public_id}@news.example.org"))
    InboundForward.objects.update(claimed_until=LATER + ahead)
    assert forward_waiting_replies(now=LATER) == 0


def test_a_long_round_of_replies_leaves_the_rest_to_the_next(
    send: Send, fake_provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, *_ = people()
    take(make_reply(sender=ana.email, to=f"replies+i{send.issue.public_id}@news.example.org"))
    monkeypatch.setattr(forward_replies, "CLAIM", timedelta(seconds=-1))
    assert forward_waiting_replies(now=LATER) == 0
    monkeypatch.undo()
    assert forward_waiting_replies(now=LATER) == 1
