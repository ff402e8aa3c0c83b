"""Mail goes through a real Postfix: to its mailboxes, with its refusals, and with the bounces that we asked for."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from newsletter.providers.base.contract import Outcome, Verdict
from newsletter.providers.smtp.account import MailServer, Security
from newsletter.providers.smtp.adapter import Smtp
from tests.integration.organisation import READERS, Organisation
from tests.integration.postfix import MAX_BYTES, Postfix, can_run, run_postfix
from tests.support.certificate import make_certificate
from tests.support.misbehaving_server import misbehaving_server, respond
from tests.support.processes import wait_until
from tests.support.provider_fixtures import make_call, make_mail, make_recipient


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("postfix"))


@pytest.fixture(scope="module")
def postfix(certificate: Path) -> Iterator[Postfix]:
    if not can_run():
        pytest.skip("Postfix is not installed, or the tests do not run as root.")
    with run_postfix(certificate) as running:
        yield running


@pytest.fixture
def adapter(postfix: Postfix) -> Iterator[Smtp]:
    made = Smtp(server=MailServer("127.0.0.1", postfix.port, Security.NONE), return_path="bounces@example.org")
    yield made
    made.close()


def say_verdict(outcome: Outcome, delivery: int) -> tuple[Verdict, str]:
    return outcome.people.get(delivery, (outcome.verdict, outcome.reason))


def test_each_person_finds_their_own_mail_in_the_mailbox(adapter: Smtp, postfix: Postfix) -> None:
    people = [make_recipient(n, address=f"own{n}@example.com", name=f"Łucja {n}") for n in range(10)]
    assert adapter.deliver(make_call(*people)).verdict is Verdict.ACCEPTED
    for number in range(10):
        (mail,) = postfix.wait_for_mails(f"own{number}@example.com")
        assert mail["Subject"] == f"Good news for Łucja {number}"
        assert mail["List-Unsubscribe"] == f"<https://example.org/u/token-{number}?list=1&from=mail>"
        assert mail["Return-Path"] == "<bounces@example.org>"
        text = mail.get_body(("plain",))
        assert text is not None
        assert f"Dear Łucja {number}," in text.get_content()


def test_a_batch_goes_over_one_connection(adapter: Smtp, postfix: Postfix) -> None:
    adapter.deliver(make_call(*(make_recipient(n, address=f"one{n}@example.com") for n in range(10))))
    adapter.deliver(make_call(*(make_recipient(n, address=f"two{n}@example.com") for n in range(10)), key="batch-2"))
    adapter.close()
    wait_until(lambda: "mail=20 rcpt=20 data=20 quit=1" in postfix.read_log(), what="one session of twenty mails")


def test_an_unknown_mailbox_is_refused_and_the_others_get_their_mail(adapter: Smtp, postfix: Postfix) -> None:
    people = [make_recipient(1, address="a1@example.com"), make_recipient(2, address="unknown@example.com")]
    outcome = adapter.deliver(make_call(*people, make_recipient(3, address="a3@example.com")))
    verdict, reason = say_verdict(outcome, 2)
    assert (outcome.verdict, verdict) == (Verdict.ACCEPTED, Verdict.REJECTED)
    assert "answer 550" in reason
    postfix.wait_for_mails("a1@example.com")
    postfix.wait_for_mails("a3@example.com")


def test_an_address_in_another_script_finds_its_mailbox(adapter: Smtp, postfix: Postfix) -> None:
    assert adapter.deliver(make_call(make_recipient(1, address="jörg@example.com"))).verdict is Verdict.ACCEPTED
    (mail,) = postfix.wait_for_mails("jörg@example.com")
    assert mail["To"] == "jörg@example.com"


def test_a_bounce_comes_to_the_return_path_and_names_the_mail(adapter: Smtp, postfix: Postfix) -> None:
    call = replace(make_call(make_recipient(7, address="ana+x=y@gone.example")), mailing="weekly/12")
    outcome = adapter.deliver(call)
    assert outcome.verdict is Verdict.ACCEPTED
    (bounce,) = postfix.wait_for_mails("bounces@example.org")
    assert bounce.get_content_type() == "multipart/report"
    said = bounce.as_string()
    envelope_id = outcome.provider_id.partition("@")[0]
    assert f"Original-Envelope-Id: {envelope_id}" in said
    assert re.search(r"Original-Recipient: rfc822;ana(\+2B|\+)x(\+3D|=)y@gone\.example", said)
    assert "text/rfc822-headers" in said
    assert "Leave:" not in said


def test_a_mail_above_the_limit_of_the_server_is_not_sent(adapter: Smtp) -> None:
    outcome = adapter.deliver(make_call(make_recipient(1), mail=make_mail(html="<p>" + "x" * MAX_BYTES + "</p>")))
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
    assert f"{MAX_BYTES:,}" in outcome.reason


def test_the_connection_is_encrypted_with_a_certificate_that_is_known(
    postfix: Postfix, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = MailServer("127.0.0.1", postfix.port, Security.STARTTLS)
    refused = Smtp(server=server).deliver(make_call(make_recipient(1, address="tls@example.com")))
    assert (refused.verdict, refused.stop) == (Verdict.REJECTED, True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    adapter = Smtp(server=server)
    assert adapter.deliver(make_call(make_recipient(1, address="tls@example.com"))).verdict is Verdict.ACCEPTED
    adapter.close()
    (mail,) = postfix.wait_for_mails("tls@example.com")
    assert "with ESMTPS" in str(mail["Received"])


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an organisation that is opened after this mail its readers through a real provider."""
    monkeypatch.setenv("NEWSLETTER_ONLY_TO", "example.org")


def test_an_organisation_sends_an_issue_through_postfix(
    allowed: None, organisation: Organisation, postfix: Postfix
) -> None:
    organisation.install.set_provider(f"smtp://127.0.0.1:{postfix.port}?return_path=bounces@example.org")
    with misbehaving_server() as site:
        day = format_datetime(datetime.now(UTC) - timedelta(days=1))
        item = f"<item><title>A new bridge</title><link>{site.url}/bridge</link><pubDate>{day}</pubDate></item>"
        feed = f'<rss version="2.0"><channel><title>News</title>{item}</channel></rss>'
        site.routes["/feed"] = respond(feed.encode(), Content_Type="application/rss+xml")
        organisation.add_source("News", kind="feed", url=f"{site.url}/feed")
        organisation.ingest_well()
    organisation.assemble()
    organisation.approve()
    assert organisation.send_now() == 0
    deliveries = organisation.status()["deliveries"]
    assert (deliveries["accepted"], deliveries["uncertain"]) == (len(READERS), 0)
    for reader in READERS:
        (mail,) = postfix.wait_for_mails(reader)
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail["Message-ID"].endswith("@news.example.org>")
