"""The mail of one person is made again as it was handed to the provider, and it is said if that cannot be proved."""

import json
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from newsletter.common.errors import InvariantViolated
from newsletter.feedback.explaining.find_delivery import find_delivery
from newsletter.feedback.explaining.rebuild_mail import MailNotShown, Match, mask_links, rebuild_mail
from newsletter.models import Attempt, Batch, Delivery, DeliveryException, Issue, SenderDomain, Variant
from newsletter.rendering.mail import hash_mail
from newsletter.rendering.tokens import Variable
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.retention import RETENTION, delete_old_deliveries
from subscribers.identity import identify
from subscribers.models import Subscriber
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW
from tests.support.mail_server import PASSWORD, USER, MailServer, serve_mail
from tests.support.provider_faults import Fault
from tests.support.sends import make_ready_issue, send_issue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with serve_mail() as running:
        settings.NEWSLETTER_PROVIDER_URL = f"smtp://{USER}:{PASSWORD}@127.0.0.1:{running.port}"
        settings.NEWSLETTER_PRODUCTION = True
        yield running
        current_adapter().close()


@pytest.fixture
def mailgun(fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    return fake_provider


def make_personal_issue(recipients: int = 3) -> Issue:
    """Return an approved issue whose subject has the reader's first name, with recipients who have names."""
    issue = make_ready_issue(recipients=recipients, subject='{{ first_name | default:"Friend" }}: {lead_headline}')
    for number, person in enumerate(Subscriber.objects.order_by("pk")):
        Subscriber.objects.filter(pk=person.pk).update(name=f"Ana <{number}> & O’Neil")
    return issue


def find_person(number: int = 0) -> Subscriber:
    return Subscriber.objects.order_by("pk")[number]


def test_the_mail_made_again_has_the_bytes_that_a_mail_server_got(server: MailServer, tmp_path: Path) -> None:
    issue = make_personal_issue()
    domain = issue.publication.from_email.rpartition("@")[2]
    SenderDomain.objects.create(domain=domain, findings=[], provider="smtp", looked_at=timezone.now())
    send_issue(issue)
    assert len(server.mails) == 3
    for taken in server.mails:
        person = Subscriber.objects.get(email=taken.recipient)
        rebuilt = rebuild_mail(issue, person=person)
        assert rebuilt.match is Match.EXACT
        html, text = taken.message.get_body(["html"]), taken.message.get_body(["plain"])
        assert html is not None
        assert text is not None
        assert rebuilt.subject == taken.message["Subject"]
        assert rebuilt.html.rstrip("\n") == html.get_content().replace("\r\n", "\n").rstrip("\n")
        assert rebuilt.text.rstrip("\n") == text.get_content().replace("\r\n", "\n").rstrip("\n")
        call_command("explain", person.email, issue.reference, mail=tmp_path / "mail.eml")
        written = message_from_bytes((tmp_path / "mail.eml").read_bytes(), policy=SMTP)
        sent = {name: value for name, value in taken.message.items() if name not in ("Date", "Message-ID")}
        assert {name: written[name] for name in sent if name != "Content-Type"} == {
            name: value for name, value in sent.items() if name != "Content-Type"
        }


def test_the_mail_made_again_is_the_one_that_a_provider_merged(mailgun: FakeProvider) -> None:
    issue = make_personal_issue()
    send_issue(issue)
    for number in range(3):
        person = find_person(number)
        (received,) = mailgun.mailbox(person.email)
        rebuilt = rebuild_mail(issue, person=person)
        assert rebuilt.match is Match.EXACT
        assert (rebuilt.subject, rebuilt.html, rebuilt.text) == (received.subject, received.html, received.text)


@pytest.mark.parametrize("changed", [{"name": "Somebody Else"}, {"uuid": "0" * 32}])
def test_a_changed_value_is_reported(mailgun: FakeProvider, changed: dict[str, str]) -> None:
    issue = make_personal_issue()
    send_issue(issue)
    Subscriber.objects.filter(pk=find_person().pk).update(**changed)
    assert rebuild_mail(issue, person=find_person()).match is Match.CHANGED
    assert rebuild_mail(issue, person=find_person(1)).match is Match.EXACT


def test_another_address_setting_or_no_fingerprint_is_reported(mailgun: FakeProvider, settings: Any) -> None:
    issue = make_personal_issue()
    send_issue(issue)
    new = {"email": "new@example.com", "address_hash": identify("new@example.com")}
    Subscriber.objects.filter(pk=find_person().pk).update(**new)
    assert rebuild_mail(issue, person=find_person()).match is Match.OTHER_ADDRESS
    settings.NEWSLETTER_INBOUND_ADDRESS = "mail@inbound.example.org"
    assert rebuild_mail(issue, person=find_person(1)).match is Match.CHANGED
    Attempt.objects.update(fingerprints=b"")
    assert rebuild_mail(issue, person=find_person(1)).match is Match.UNKNOWN


def test_a_call_without_an_answer_keeps_its_fingerprints(mailgun: FakeProvider) -> None:
    issue = make_personal_issue()
    mailgun.fault_always(Fault("reset_after_accepting"))
    send = start_send(issue=issue, now=NOW)
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(send.batches.get().pk)
    assert send.batches.get().state == Batch.State.UNCERTAIN
    assert rebuild_mail(issue, person=find_person()).match is Match.EXACT


def test_one_of_several_attempts_does_not_prove_what_arrived(mailgun: FakeProvider) -> None:
    issue = make_personal_issue()
    send_issue(issue)
    made = Attempt.objects.get()
    earlier = Attempt.objects.create(
        batch=made.batch,
        number=made.number + 1,
        people=made.people,
        started_at=NOW,
        ended_at=NOW,
        outcome="uncertain",
        fingerprints=b"another",
    )
    assert rebuild_mail(issue, person=find_person()).match is Match.ONE_OF_SEVERAL
    Attempt.objects.filter(pk=earlier.pk).update(fingerprints=made.fingerprints)
    assert rebuild_mail(issue, person=find_person()).match is Match.EXACT


def test_a_call_that_was_not_made_keeps_no_fingerprint(mailgun: FakeProvider) -> None:
    issue = make_personal_issue()
    mailgun.stop_listening()
    send = start_send(issue=issue, now=NOW)
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(send.batches.get().pk)
    assert bytes(Attempt.objects.get().fingerprints) == b""
    with pytest.raises(MailNotShown, match="Nothing was handed to the provider for this person"):
        rebuild_mail(issue, person=find_person())


def test_the_masked_mail_has_no_personal_link(mailgun: FakeProvider) -> None:
    issue = make_personal_issue()
    send_issue(issue)
    rebuilt = rebuild_mail(issue, person=find_person())
    masked = mask_links(rebuilt, link="#nowhere")
    for part in (rebuilt.html, rebuilt.text):
        assert "/u/" in part
    for part in (masked.html, masked.text, masked.subject):
        assert "/u/" not in part
        assert "/p/" not in part
    assert "#nowhere" in masked.text


def test_the_page_says_why_there_is_no_mail_to_show(mailgun: FakeProvider, tmp_path: Path) -> None:
    issue = make_personal_issue()
    outsider = Subscriber.objects.create(
        email="new@example.com", address_hash=identify("new@example.com"), created_at=NOW
    )
    with pytest.raises(MailNotShown, match="This issue was not sent yet"):
        rebuild_mail(issue, person=outsider)
    send = send_issue(issue)
    with pytest.raises(MailNotShown, match="they were not on its list"):
        rebuild_mail(issue, person=outsider)
    with pytest.raises(CommandError, match="they were not on its list"):
        call_command("explain", outsider.email, issue.reference, mail=tmp_path / "mail.eml")
    first, second = (Delivery.objects.get(subscriber_id=find_person(number).pk) for number in range(2))
    skipped = {"state": "skipped", "reason": "unsubscribed after the audience was frozen", "at": NOW}
    DeliveryException.objects.create(delivery=first, **skipped)
    with pytest.raises(MailNotShown, match="unsubscribed after the audience was frozen"):
        rebuild_mail(issue, person=find_person())
    person = Subscriber.objects.get(pk=second.subscriber_id)
    failure = {"state": "rejected", "code": "render_failure", "reason": "the mail could not be made", "at": NOW}
    DeliveryException.objects.create(delivery=second, **failure)
    with pytest.raises(MailNotShown, match="the mail could not be made"):
        rebuild_mail(issue, person=person)
    delete_old_deliveries(now=(send.ended_at or NOW) + RETENTION + timedelta(days=1))
    assert find_delivery(issue, person=person.pk) is None
    with pytest.raises(MailNotShown, match="90 days after it was sent"):
        rebuild_mail(issue, person=person)
    assert bytes(Attempt.objects.get().fingerprints) == b""


def test_a_mail_that_lacks_a_value_or_was_altered_is_not_shown(mailgun: FakeProvider) -> None:
    issue = make_personal_issue()
    send_issue(issue)
    variant = Variant.objects.get()
    kept = {"html": variant.html, "variables": variant.variables}
    Variant.objects.filter(pk=variant.pk).update(html=variant.html + "<p>altered</p>")
    with pytest.raises(InvariantViolated, match="was changed after it was approved"):
        rebuild_mail(issue, person=find_person())
    Variant.objects.filter(pk=variant.pk).update(**kept)
    Subscriber.objects.filter(pk=find_person().pk).update(name="")
    nameless = [{**one, "default": ""} for one in variant.variables]
    sha256 = hash_mail(
        subject=variant.subject,
        html=variant.html,
        text=variant.text,
        variables=[Variable(**one) for one in nameless],
    )
    Variant.objects.filter(pk=variant.pk).update(variables=nameless, sha256=sha256)
    with pytest.raises(MailNotShown, match="needs a value of the person that is not stored any more"):
        rebuild_mail(issue, person=find_person())


def test_the_command_writes_the_part_that_the_ending_names(
    mailgun: FakeProvider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    issue = make_personal_issue()
    send_issue(issue)
    person = find_person()
    rebuilt = rebuild_mail(issue, person=person)
    for name, content in (("mail.html", rebuilt.html), ("mail.txt", rebuilt.text)):
        call_command("explain", person.email, issue.reference, mail=tmp_path / name)
        assert (tmp_path / name).read_bytes() == content.encode()
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    said = capsys.readouterr().out
    assert "byte for byte" in said
    assert "Message-ID" not in said
    call_command("explain", person.email, issue.reference, mail=tmp_path / "mail.eml")
    assert "the Message-ID and the lines between the parts of the file are ours" in capsys.readouterr().out
    with pytest.raises(CommandError, match="cannot be written to: No such file or directory"):
        call_command("explain", person.email, issue.reference, mail=tmp_path / "none" / "mail.txt")
    capsys.readouterr()
    call_command("explain", person.email, issue.reference, mail=tmp_path / "mail.txt", json=True)
    assert json.loads(capsys.readouterr().out)["mail"]["is_exact"] is True
    with pytest.raises(CommandError, match=r"end in \.eml, \.html or \.txt"):
        call_command("explain", person.email, issue.reference, mail=tmp_path / "mail.doc")
    assert not (tmp_path / "mail.doc").exists()
