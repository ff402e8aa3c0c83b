"""The job that asks DNS keeps the policy that applies and since when reports are asked for; silence is known by sends."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.models import DmarcReport, IssueRevision, Publication, Send, SenderDomain
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.refresh_domains import add_report_state, refresh_sender_domains
from tests.support.dns_server import DnsServer, serve_dns
from tests.support.fixtures import NOW
from tests.support.sender_checks import DOMAIN, GOOD
from tests.support.sends import make_ready_issue

pytestmark = pytest.mark.django_db
ADDRESS = "replies@news.example.org"
NAME = "_dmarc.example.org"


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    settings.NEWSLETTER_INBOUND_ADDRESS = ADDRESS


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with serve_dns() as running:
        yield running


def ask(server: DnsServer, text: str | None, *, now: datetime = NOW) -> SenderDomain:
    server.texts.update(GOOD)
    server.texts[NAME] = [text] if text else []
    refresh_sender_domains(now=now, dns=server.make_dns(), even_if_checked=True)
    return SenderDomain.objects.get()


def test_the_policy_is_kept_if_only_a_further_account_is_real(
    publication: Publication, server: DnsServer, settings: Any
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org?endpoint=http://127.0.0.1:9"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "postmark://a-real-key@"}
    Publication.objects.update(account="backup")
    row = ask(server, f"v=DMARC1; p=reject; rua=mailto:{ADDRESS}")
    assert (row.policy, row.reports_since, row.findings) == ("reject", NOW, [])


def test_the_policy_is_kept_with_the_domain_of_its_record(publication: Publication, server: DnsServer) -> None:
    row = ask(server, "v=DMARC1; p=reject; sp=quarantine")
    assert (row.policy_domain, row.policy, row.policy_tag) == ("example.org", "quarantine", "sp")
    assert row.reports_since is None
    row = ask(server, None)
    assert (row.policy_domain, row.policy, row.policy_tag) == ("", "", "")


@pytest.mark.parametrize(
    ("text", "policy", "tag"),
    [
        ("v=DMARC1; p=quarantine", "quarantine", "p"),
        ("v=DMARC1; p=reject; sp=none", "none", "sp"),
        ("v=DMARC1; p=reject; sp=wrong", "reject", "p"),
        ("v=DMARC1; p=reject; t=y", "quarantine", "t"),
        ("v=DMARC1; p=reject; sp=quarantine; t=y", "none", "t"),
        ("v=DMARC1; p=none; t=y", "none", "p"),
        ("v=DMARC1; p=reject; sp=none; t=y", "none", "sp"),
        ("v=DMARC1; rua=mailto:a@example.org", "none", "p"),
    ],
)
def test_the_tag_that_decides_is_kept(
    publication: Publication, server: DnsServer, text: str, policy: str, tag: str
) -> None:
    row = ask(server, text)
    assert (row.policy, row.policy_tag) == (policy, tag)


def test_the_first_day_with_our_address_stays(publication: Publication, server: DnsServer) -> None:
    asked = f"v=DMARC1; p=none; rua=mailto:{ADDRESS}"
    assert ask(server, asked).reports_since == NOW
    assert ask(server, asked, now=NOW + timedelta(days=3)).reports_since == NOW
    server.broken.update({NAME, f"_dmarc.{DOMAIN}"})
    row = ask(server, asked, now=NOW + timedelta(days=4))
    assert (row.policy, row.reports_since) == ("none", NOW), "DNS did not answer"
    server.broken.clear()
    assert ask(server, "v=DMARC1; p=none", now=NOW + timedelta(days=5)).reports_since is None


def make_silence(*, asked: int = 10, sent: int | None = 4, last: int | None = None) -> Sender:
    """Return the sender with its state, from days ago: reports asked for, an issue sent, the last report."""
    issue = make_ready_issue(recipients=1)
    SenderDomain.objects.create(
        domain=DOMAIN,
        policy_domain="example.org",
        policy="none",
        policy_tag="sp",
        reports_since=NOW - timedelta(days=asked),
    )
    if sent is not None:
        at = NOW - timedelta(days=sent)
        Send.objects.create(
            issue=issue,
            revision=IssueRevision.objects.latest("pk"),
            provider="mailgun",
            sha256="0" * 64,
            state="submitted",
            recipients=1,
            made_at=at,
            started_at=at,
        )
    if last is not None:
        at = NOW - timedelta(days=last)
        DmarcReport.objects.create(
            reporter="a", report_id="1", domain="example.org", begins_at=at, ends_at=at, received_at=at, origin="imap"
        )
    return add_report_state(Sender(DOMAIN), now=NOW)


def test_silence_after_a_send_is_reported() -> None:
    assert make_silence().reports_missed
    assert not add_report_state(Sender("example.net"), now=NOW).reports_missed


def test_an_old_report_is_silence_too() -> None:
    state = make_silence(last=9)
    assert state.reports_missed
    assert state.last_report_at == NOW - timedelta(days=9)


@pytest.mark.parametrize("days", [{"asked": 5}, {"sent": None}, {"sent": 1}, {"sent": 8}, {"last": 3}])
def test_nothing_is_missed_without_a_week_a_send_or_after_a_report(days: dict[str, Any]) -> None:
    assert not make_silence(**days).reports_missed
