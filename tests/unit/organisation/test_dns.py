"""What DNS says about a sender's domain becomes findings that say what to do."""

from collections.abc import Iterator, Mapping
from socketserver import BaseRequestHandler, UDPServer
from threading import Thread

import dns.message
import dns.name
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from newsletter.providers.registry import ADAPTERS
from newsletter.sending.deliverability.domain_records import NoAnswer, check_sender_domain, find_txt_records
from newsletter.sending.deliverability.findings import Finding

GOOD = {
    "news.example.org": ["v=spf1 include:mailgun.org ~all"],
    "pic._domainkey.news.example.org": ["k=rsa; p=MIGf"],
    "_dmarc.example.org": ["v=DMARC1; p=none"],
}


def look(zone: Mapping[str, list[str]], *, provider: str = "mailgun") -> dict[str, Finding]:
    findings = check_sender_domain(
        "news.example.org", wanted=ADAPTERS[provider].dns, find=lambda name: zone.get(name, [])
    )
    return {finding.check.split(" ")[0]: finding for finding in findings}


def test_a_domain_with_all_records_is_ok_and_the_parents_dmarc_counts() -> None:
    assert {finding.level for finding in look(GOOD).values()} == {"ok"}


def test_a_domain_without_records_is_told_which_to_add() -> None:
    found = look({})
    assert {name: finding.level for name, finding in found.items()} == {
        "SPF": "error",
        "DKIM": "warning",
        "DMARC": "error",
    }
    assert "include:mailgun.org" in found["SPF"].do
    assert "v=DMARC1; p=none" in found["DMARC"].do


def test_two_spf_records_are_an_error_because_receivers_then_use_none() -> None:
    finding = look(GOOD | {"news.example.org": ["v=spf1 -all", "v=spf1 include:mailgun.org ~all"]})["SPF"]
    assert (finding.level, "one record" in finding.do) == ("error", True)


def test_an_spf_record_of_another_provider_is_a_warning() -> None:
    assert look(GOOD | {"news.example.org": ["v=spf1 include:other.example ~all"]})["SPF"].level == "warning"


def test_a_provider_with_a_bounce_domain_of_its_own_only_warns_about_spf() -> None:
    assert look({}, provider="postmark")["SPF"].level == "warning"


@pytest.mark.parametrize("provider", sorted(ADAPTERS))
def test_every_provider_needs_a_dmarc_policy(provider: str) -> None:
    assert look({}, provider=provider)["DMARC"].level == "error"


def test_keys_with_unknown_names_are_not_searched_for() -> None:
    assert sorted(look({}, provider="ses")) == ["DMARC", "SPF"]


def test_a_dns_that_does_not_answer_is_a_warning_only() -> None:
    def fail(name: str) -> list[str]:
        raise NoAnswer(f"DNS did not answer about {name}.")

    findings = list(check_sender_domain("example.org", wanted=ADAPTERS["mailgun"].dns, find=fail))
    assert [finding.level for finding in findings] == ["warning"] * 3


class _Zone(BaseRequestHandler):
    def handle(self) -> None:
        data, socket = self.request
        query = dns.message.from_wire(data)
        name = query.question[0].name
        answer = dns.message.make_response(query)
        if name == dns.name.from_text("long.example.org."):
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", '"v=spf1 " "-all"'))
        elif name == dns.name.from_text("broken.example.org."):
            answer.set_rcode(dns.rcode.SERVFAIL)
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        socket.sendto(answer.to_wire(), self.client_address)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A name server on loopback in place of this machine's."""
    with UDPServer(("127.0.0.1", 0), _Zone) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        ours = dns.resolver.Resolver(configure=False)
        ours.nameservers, ours.port = ["127.0.0.1"], server.server_address[1]
        monkeypatch.setattr(dns.resolver, "Resolver", lambda: ours)
        yield
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("resolver")
def test_records_in_pieces_are_joined_and_a_missing_name_has_none() -> None:
    assert find_txt_records("long.example.org") == ["v=spf1 -all"]
    assert find_txt_records("none.example.org") == []


@pytest.mark.usefixtures("resolver")
def test_a_failing_name_server_is_no_answer() -> None:
    with pytest.raises(NoAnswer, match=r"about broken\.example\.org"):
        find_txt_records("broken.example.org")
