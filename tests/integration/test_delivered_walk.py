"""Two issues go out by an API and by a real postfix: to a canary and readers in a real dovecot, and back by mail.

Who got which mail is read in the mailboxes. What each step does in detail is proved by the tests of its own part.
"""

import html
import json
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from newsletter.feedback.comparing.compare import compare_due_sends
from newsletter.inbound.canaries.accounts import Account, add_mailbox
from newsletter.inbound.settings import parse_sources
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.models import CountComparison, InboundMail, Issue, Publication, Send
from newsletter.models.feedback import Bounce
from newsletter.sending.adapters import find_issue_counters
from subscribers.models import Reason, Subscriber, Suppression
from tests.integration import opendkim
from tests.integration.charity import GONE, MAILBOXES, READERS, STAFF, Charity, check_receipt
from tests.integration.mail_servers import CANARY, MISSING, PASSWORD, USER, MailServers, are_installed, run_mail_servers
from tests.support.canaries import make_canary_issue, make_key
from tests.support.desk import sign_in
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, make_approver, make_story
from tests.support.provider_issue_counts import CountedIssue
from tests.support.provider_webhooks import SIGNING_KEY
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db(transaction=True)
NEXT_WEEK = timedelta(days=7)
SAME_FIELDS = (
    "From",
    "To",
    "Subject",
    "Reply-To",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[MailServers]:
    if not are_installed() or not opendkim.is_installed():
        pytest.skip(f"{MISSING} Or OpenDKIM is not.")
    folder = tmp_path / "opendkim"
    folder.mkdir()
    with (
        opendkim.run_opendkim(folder, key=make_key()[0]) as milter,
        run_mail_servers(milter=milter, more=MAILBOXES) as started,
    ):
        yield started


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as running:
        yield running


@pytest.fixture
def charity(
    servers: MailServers,
    fake_provider: FakeProvider,
    live_server: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Charity]:
    """Its first account is a provider's API, its second is postfix; a canary and the address for replies are in dovecot."""
    monkeypatch.setenv("SSL_CERT_FILE", str(servers.authority))
    made = Charity(fake_provider, servers)
    settings.NEWSLETTER_PRODUCTION = True
    settings.NEWSLETTER_SITE_URL = live_server.url
    settings.NEWSLETTER_PROVIDER_URL = f"{made.provider_url}&webhook_key={SIGNING_KEY}"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": made.second_url}
    settings.NEWSLETTER_ACCOUNT_AWAY_MINUTES = 1
    settings.NEWSLETTER_INBOUND = parse_sources([made.inbound_url])
    settings.NEWSLETTER_INBOUND_ADDRESS = USER
    add_mailbox(Account(CANARY, "127.0.0.1", servers.imap, CANARY, PASSWORD), now=made.clock())
    yield made
    made.close()


def test_an_issue_is_delivered_and_everybody_can_prove_it(
    charity: Charity, site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    issue = make_canary_issue(site, recipients=8, stale_hours=0, second_account="backup", reply_to=STAFF)
    send = _send_while_the_provider_goes_away(charity, issue)
    by_api, by_smtp = (charity.list_recipients(issue, account=account) for account in ("default", "backup"))
    assert charity.count_mails(issue) == dict.fromkeys(READERS, 1)
    leaver, other = (Subscriber.objects.get(email=address) for address in by_smtp[:2])
    writer = Subscriber.objects.get(email=by_api[0])

    _check_explained(charity, issue, other, file=tmp_path / "smtp.eml", capsys=capsys)
    _check_explained(charity, issue, writer, file=tmp_path / "api.eml", capsys=capsys)

    _leave_reply_and_bounce(charity, issue, leaver=leaver, writer=writer)
    receipt = check_receipt(send, accepted=8)
    assert (receipt.bounced, receipt.unsubscribed) == (1, 1)
    _compare_with_both(charity, send)

    second = _add_issue(site, "The second verdict")
    sent = _send_by_the_provider_alone(charity, second)
    staying = set(READERS) - {leaver.email}
    assert charity.count_mails(second) == dict.fromkeys(staying, 1)
    _compare_with_the_provider(charity, sent, people=6)
    call_command("explain", leaver.email, second.reference)
    assert "They did not get it" in capsys.readouterr().out
    assert charity.count_mails(issue) == dict.fromkeys(READERS, 1)
    call_command("status", second.reference, "--json")
    status = json.loads(capsys.readouterr().out)
    assert status["deliveries"] == check_receipt(sent, accepted=6).deliveries
    assert status["delivered"] == 6


def _send_while_the_provider_goes_away(charity: Charity, issue: Issue) -> Send:
    """Send the first call by the API and, because it answers no further one, the rest by postfix. Canaries are around both."""
    send = charity.start(issue)
    first = charity.look_for_canary()
    assert (first.result, first.placement, first.copies) == ("good", "inbox", 1), first.findings
    assert charity.api.accepted_counts() == {CANARY: 1}
    charity.work(calls=0)
    charity.work(calls=1)
    charity.api.stop_listening()
    ended = charity.finish(send)
    charity.api.start_listening()
    assert ended.state == "submitted", ended.reason
    move = ended.account_moves.get()
    assert (move.from_account, move.to_account, move.code, move.people) == ("default", "backup", "away", 6)
    receipt = check_receipt(ended, accepted=8)
    assert {account: own["accepted"] for account, own in receipt.accounts.items()} == {"default": 2, "backup": 6}
    last = charity.look_for_canary()
    assert (last.turn, last.result, last.copies) == ("last", "good", 1), last.findings
    return ended


def _check_explained(
    charity: Charity, issue: Issue, person: Subscriber, *, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Compare the mail in dovecot with `newsletter explain --mail` and with the page “The mail as it was sent”."""
    received = charity.find_mail(person, issue)
    call_command("explain", person.email, issue.reference, mail=file)
    assert "byte for byte" in capsys.readouterr().out
    explained = message_from_bytes(file.read_bytes(), policy=SMTP)
    assert isinstance(explained, EmailMessage)
    assert {name: received[name] for name in SAME_FIELDS} == {name: explained[name] for name in SAME_FIELDS}
    assert _read_parts(received) == _read_parts(explained)

    page = f"/admin/people/{person.pk}/issues/{issue.pk}/mail/"
    client = sign_in("data", email=f"data-{person.pk}@example.org")
    assert "byte for byte" in client.get(page).content.decode()
    shown = html.unescape(client.get(f"{page}text/").content.decode())
    lines = [line for line in _read_parts(received)[0].splitlines() if "http" not in line]
    assert len(lines) > 10
    assert [line for line in lines if line not in shown] == []


def _leave_reply_and_bounce(charity: Charity, issue: Issue, *, leaver: Subscriber, writer: Subscriber) -> None:
    """Answer mails as they were received. The report that one address does not exist comes from postfix by itself."""
    address = str(charity.find_mail(leaver, issue)["List-Unsubscribe"]).partition("<mailto:")[2].partition("?")[0]
    charity.write(sender=leaver.email, to=address, text="")
    reply_to = str(charity.find_mail(writer, issue)["Reply-To"])
    charity.write(sender=writer.email, to=reply_to, text="Thank you for the verdict.")
    charity.read_inbound(mails=3)
    assert sorted(InboundMail.objects.values_list("kind", flat=True)) == ["bounce", "reply", "unsubscribe"]

    assert not leaver.subscriptions.open().exists()
    bounce, gone = Bounce.objects.get(), Subscriber.objects.get(email=GONE)
    assert (bounce.delivery.subscriber_id, bounce.bounce_class, bounce.status) == (gone.pk, "hard", "5.1.1")
    assert Suppression.objects.filter(address_hash=gone.address_hash, reason=Reason.HARD).exists()

    (sent_on,) = charity.forward_waiting_replies()
    assert sent_on["Reply-To"] == writer.email
    assert "Thank you for the verdict." in _read_parts(sent_on)[0]


def _add_issue(site: Site, title: str) -> Issue:
    """Return next week's issue, approved."""
    make_story(title, url=site.put("/second", "<p>story</p>"))
    slot = get_or_create_slot(publication=Publication.objects.get(), due="2026-03-12T09:00", now=NOW + NEXT_WEEK)
    issue = assemble_slot(slot=slot, now=NOW + NEXT_WEEK).issue
    assert issue is not None
    approve_issue(issue=issue, by=make_approver(), now=NOW + NEXT_WEEK)
    return issue


def _send_by_the_provider_alone(charity: Charity, issue: Issue) -> Send:
    send = charity.start(issue)
    assert charity.look_for_canary().result == "good"
    ended = charity.finish(send)
    receipt = check_receipt(ended, accepted=6)
    assert sum(receipt.excluded.values()) == receipt.candidates - 6
    charity.report_delivered(ended)
    return ended


def _compare_with_both(charity: Charity, send: Send) -> None:
    """Compare the API's mails with the API's counts. The report says why those of postfix are not compared."""
    charity.report_delivered(send)
    _compare_with_the_provider(charity, send, people=2)
    page = sign_in("admin").get(f"/admin/issues/{send.issue_id}/report/").content.decode()
    assert "Only the mails that went through this account are counted here." in page
    assert "This provider does not count by issue: A mail server does not count." in page


def _compare_with_the_provider(charity: Charity, send: Send, *, people: int) -> None:
    """Let the provider count what it accepted of the issue, and compare a day later."""
    taken = [entry for entry in charity.api.accepted() if send.issue.public_id in _list_tags(entry)]
    assert sum(len(entry.recipients) for entry in taken) == people
    charity.api.counted[send.issue.public_id] = CountedIssue(accepted=people, delivered=people)
    assert compare_due_sends(counters=find_issue_counters(), now=charity.clock() + timedelta(hours=25)) == 1
    row = CountComparison.objects.get(send=send)
    assert (row.account, row.result, row.figure) == ("default", "equal", "")
    assert (row.accepted, row.provider_accepted) == (people, people)
    assert (row.delivered, row.provider_delivered) == (people, people)


def _list_tags(entry: Any) -> tuple[str, ...]:
    return tuple(entry.form.mail_for(entry.recipients[0]).tags)


def _read_parts(mail: EmailMessage) -> tuple[str, str]:
    """Return the plain text and the HTML."""
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert rich is not None
    text, page = (part.get_content().replace("\r\n", "\n").rstrip("\n") for part in (plain, rich))
    return text, page
