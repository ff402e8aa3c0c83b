"""The domain of From is compared with the signature's and the return path's, as far as the settings name them."""

import pytest

from newsletter.providers.base.contract import MailDomains
from newsletter.sending.deliverability.domain_checks.alignment import check_alignment
from newsletter.sending.deliverability.domain_checks.check_domain import check_sender_domain
from newsletter.sending.deliverability.domain_checks.sender import Sender
from tests.support.dns_server import DnsServer
from tests.support.sender_checks import DOMAIN, GOOD, NO_WEB, URLS, by_code, look, sender_of


@pytest.mark.parametrize(
    ("known", "code", "level"),
    [
        (MailDomains(), "alignment.unknown", "advice"),
        (MailDomains(signing=DOMAIN), "alignment.good", "ok"),
        (MailDomains(signing="mg.example.org"), "alignment.good", "ok"),
        (MailDomains(signing="example.net"), "alignment.missing", "warning"),
        (MailDomains(signing="example.net", bounce="b.example.org"), "alignment.good", "ok"),
        (MailDomains(bounce="example.org"), "alignment.good", "ok"),
        (MailDomains(bounce="example.net"), "alignment.dkim-only", "advice"),
    ],
)
def test_domains_of_one_organisation_are_aligned(known: MailDomains, code: str, level: str, server: DnsServer) -> None:
    server.texts.update(GOOD)
    found = by_code(check_alignment(Sender(DOMAIN, known=known), server.make_dns()))
    assert {name: finding.level for name, finding in found.items()} == {code: level}


@pytest.mark.parametrize(
    ("tag", "known"), [("adkim", MailDomains(signing="mg.example.org")), ("aspf", MailDomains(bounce="b.example.org"))]
)
def test_a_strict_policy_wants_equal_domains(tag: str, known: MailDomains, server: DnsServer) -> None:
    server.texts["_dmarc.example.org"] = [f"v=DMARC1; p=none; {tag}=s"]
    assert "alignment.good" not in by_code(check_alignment(Sender(DOMAIN, known=known), server.make_dns()))


def test_two_customers_of_one_public_suffix_are_not_aligned(server: DnsServer) -> None:
    server.texts["_dmarc.co.example"] = ["v=DMARC1; p=none; psd=y"]
    sender = Sender("one.co.example", known=MailDomains(signing="two.co.example"))
    assert list(by_code(check_alignment(sender, server.make_dns()))) == ["alignment.missing"]


def test_settings_name_the_domains_that_they_decide() -> None:
    assert sender_of(URLS["mailgun"]).known == MailDomains(signing=DOMAIN, bounce=DOMAIN)
    assert sender_of(URLS["postmark"]).known == MailDomains()
    assert sender_of("smtp://mail.example.org").known == MailDomains(bounce=DOMAIN, server="mail.example.org")
    assert sender_of("smtps://mail.example.org?return_path=b@Bounces.example.org").known == MailDomains(
        bounce="bounces.example.org", server="mail.example.org"
    )
    assert sender_of("smtp://localhost:25").known == MailDomains(bounce=DOMAIN)


def test_a_domain_with_all_records_is_good(server: DnsServer) -> None:
    server.texts.update(GOOD)
    assert sorted(look(server)) == [
        "alignment.good",
        "bimi.needs-dmarc",
        "complaints.yahoo",
        "dkim.good",
        "dmarc.good",
        "mta-sts.no-mail",
        "spf.good",
    ]


def test_dns_without_any_answer_is_a_warning_for_each_check(server: DnsServer) -> None:
    server.broken.update({DOMAIN, f"_dmarc.{DOMAIN}", f"pic._domainkey.{DOMAIN}"})
    findings = list(check_sender_domain(sender_of(), dns=server.make_dns(), fetcher=NO_WEB))
    assert [finding.level for finding in findings if finding.code == "dns.not-looked-up"] == ["warning"] * 3 + [
        "advice"
    ] * 4
