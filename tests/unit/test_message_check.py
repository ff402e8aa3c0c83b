"""A received message proves who sent it, or the check says what is wrong and what to do."""

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.management import CommandError, call_command

from newsletter.common.errors import NotReady
from newsletter.management.commands import doctor
from newsletter.sending.deliverability.dkim_signatures import Signature
from newsletter.sending.deliverability.domain_checks.lookup import NoAnswer
from newsletter.sending.deliverability.findings import Finding
from newsletter.sending.deliverability.message_check import SIGNED_HEADERS, _check_signature, check_received_message
from tests.support.provider_fixtures import corpus

MAIL = b"""From: Open Door <news@news.example.org>\r
To: reader@example.com\r
Subject: A letter\r
Date: Thu, 05 Mar 2026 09:00:00 +0000\r
Message-ID: <1@news.example.org>\r
List-Unsubscribe: <https://letter.example.org/u/abc>\r
List-Unsubscribe-Post: List-Unsubscribe=One-Click\r
\r
Hello,\r
how are you?\r
"""
SIGNED = [name.lower().encode() for name in SIGNED_HEADERS]


class Key:
    def __init__(self, bits: int) -> None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        self.pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        public = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.record = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


@pytest.fixture(scope="module")
def key() -> Key:
    return Key(2048)


def sign(
    mail: bytes, key: Key, *, domain: str = "news.example.org", headers: list[bytes] | None = None, length: bool = False
) -> bytes:
    signer = dkim.DKIM(mail)
    line = signer.sign(
        b"s1",
        domain.encode(),
        key.pem,
        include_headers=headers or SIGNED,
        length=length,
        canonicalize=(b"relaxed", b"relaxed"),
    )
    return line + mail


def dns(**records: str) -> Callable[[str], list[str]]:
    """Stub DNS: domain, with dots as underscores, to the record of its selector s1."""
    known = {f"s1._domainkey.{name.replace('_', '.')}": record for name, record in records.items()}
    return lambda name: [known[name]] if name in known else []


def look(raw: bytes, find: Callable[[str], list[str]], *, receiver: str = "") -> list[Finding]:
    return list(check_received_message(raw, find=find, receiver=receiver))


def faults(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.level, finding.says) for finding in findings if finding.level != "ok"]


@pytest.mark.requirement("M8")
def test_a_correctly_signed_message_has_no_problem(key: Key) -> None:
    findings = look(sign(MAIL, key), dns(news_example_org=key.record))
    assert faults(findings) == []
    assert [finding.check for finding in findings] == [
        "sender",
        "one-click unsubscribe",
        "DKIM signature",
        "signature of news.example.org",
    ]


@pytest.mark.requirement("M8")
def test_an_address_to_unsubscribe_by_mail_is_signed_with_its_line(key: Key) -> None:
    link = b"<https://letter.example.org/u/abc>"
    mail = MAIL.replace(link, link + b",\r\n <mailto:replies+abc@letter.example.org?subject=unsubscribe>")
    findings = look(sign(mail, key), dns(news_example_org=key.record))
    assert faults(findings) == []
    assert "to unsubscribe by mail" in findings[1].says
    forged = sign(mail, key).replace(b"+abc", b"+abd")
    assert "not valid" in faults(look(forged, dns(news_example_org=key.record)))[0][1]


@pytest.mark.requirement("M8")
def test_a_message_with_other_line_ends_can_be_checked(key: Key) -> None:
    pasted = b"\xef\xbb\xbf\n\n" + sign(MAIL, key).replace(b"\r\n", b"\n")
    assert faults(look(pasted, dns(news_example_org=key.record))) == []


@pytest.mark.requirement("M8")
def test_a_parent_domain_may_sign_and_a_sibling_proves_nothing(key: Key) -> None:
    above = sign(MAIL, key, domain="example.org")
    assert faults(look(above, dns(example_org=key.record))) == []
    [(level, says)] = faults(look(sign(MAIL, key, domain="mailgun.org"), dns(mailgun_org=key.record)))
    assert level == "error"
    assert says == "It is signed by mailgun.org, not by news.example.org, so it proves nothing about the sender."
    assert faults(look(sign(MAIL, key, domain="org"), dns(org=key.record)))[0][0] == "error"


@pytest.mark.requirement("M8")
def test_a_second_signature_of_the_provider_does_no_harm(key: Key) -> None:
    both = sign(sign(MAIL, key), key, domain="mailgun.org")
    assert faults(look(both, dns(news_example_org=key.record, mailgun_org=key.record))) == []


@pytest.mark.parametrize(
    "left_out", ["List-Unsubscribe", "List-Unsubscribe-Post", "Subject", "Date", "To", "Message-ID"]
)
@pytest.mark.requirement("M8")
def test_headers_that_the_signature_does_not_cover_are_named(key: Key, left_out: str) -> None:
    headers = [name for name in SIGNED if name != left_out.lower().encode()]
    findings = look(sign(MAIL, key, headers=headers), dns(news_example_org=key.record))
    assert faults(findings) == [("error", f"It does not cover {left_out}.")]
    assert "Mailbox providers accept one-click unsubscribe only" in findings[-1].do


@pytest.mark.requirement("M8")
def test_a_signature_of_only_the_beginning_is_an_error(key: Key) -> None:
    raw = sign(MAIL, key, length=True) + b"Buy this.\r\n"
    assert faults(look(raw, dns(news_example_org=key.record))) == [
        ("error", "It covers only the beginning of the text (l=).")
    ]


@pytest.mark.parametrize(("bits", "level"), [(1024, "warning"), (1023, "error"), (768, "error"), (2048, "ok")])
@pytest.mark.requirement("M8")
def test_a_short_key_is_reported(bits: int, level: str) -> None:
    headers = frozenset(name.lower() for name in SIGNED_HEADERS)
    said = list(_check_signature(Signature(domain="news.example.org", selector="s1", headers=headers, bits=bits)))[-1]
    assert said.level == level
    assert level == "ok" or said.says == f"Its key has {bits} bits."


@pytest.mark.requirement("M8")
def test_the_key_size_is_that_of_the_key_in_dns() -> None:
    weak = Key(1024)
    assert faults(look(sign(MAIL, weak), dns(news_example_org=weak.record))) == [("warning", "Its key has 1024 bits.")]


@pytest.mark.requirement("M8")
def test_a_change_or_a_missing_key_makes_the_signature_invalid(key: Key) -> None:
    raw, find = sign(MAIL, key), dns(news_example_org=key.record)
    for changed in (raw.replace(b"how are you", b"give me money"), raw.replace(b"A letter", b"A bill")):
        [(level, says)] = faults(look(changed, find))
        assert level == "error"
        assert says.startswith("The signature of news.example.org is not valid: ")
    assert "there is no key at s1._domainkey.news.example.org" in faults(look(raw, dns()))[0][1]
    assert faults(look(raw, dns(news_example_org="v=DKIM1; p=")))[0][0] == "error"
    assert faults(look(MAIL, find)) == [("error", "The message is not signed.")]


@pytest.mark.requirement("M8")
def test_the_one_click_headers_are_checked_as_received(key: Key) -> None:
    find = dns(news_example_org=key.record)
    for old, new, says in (
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b"", "not both there"),
        (b"https://letter", b"http://letter", "not HTTPS"),
        (b"=One-Click", b"=Two-Click", "is not “List-Unsubscribe=One-Click”"),
    ):
        found = faults(look(sign(MAIL.replace(old, new), key), find))
        assert any(says in one for _, one in found), found


@pytest.mark.requirement("M8")
@pytest.mark.parametrize(
    ("lines", "signed", "level"),
    [(0, False, ""), (1, True, "ok"), (1, False, "warning"), (2, True, "warning")],
)
def test_a_feedback_id_counts_only_once_and_signed(key: Key, lines: int, signed: bool, level: str) -> None:
    mail = b"Feedback-ID: a:weekly:issue:newsexampleorg\r\n" * lines + MAIL
    sealed = sign(mail, key, headers=[*SIGNED, *([b"feedback-id"] if signed else [])])
    found = check_received_message(sealed, find=dns(news_example_org=key.record))
    assert [finding.level for finding in found if finding.check == "Feedback-ID"] == ([level] if level else [])


def test_dns_without_an_answer_is_a_warning(key: Key) -> None:
    def silent(name: str) -> list[str]:
        raise NoAnswer("DNS did not answer.")

    assert faults(look(sign(MAIL, key), silent)) == [("warning", "DNS did not answer.")]


@pytest.mark.requirement("M9")
def test_only_the_topmost_result_of_the_named_receiver_counts(key: Key) -> None:
    find, signed = dns(news_example_org=key.record), sign(MAIL, key)
    good = (
        b"Authentication-Results: mx.example.net; dkim=pass header.d=news.example.org;\r\n"
        b" spf=pass smtp.mailfrom=x@example.org; dmarc=pass header.from=example.org\r\n"
    )
    bad = b"Authentication-Results: mx.example.net; dkim=fail header.d=news.example.org; spf=pass; dmarc=fail\r\n"
    forged = good.replace(b"mx.example.net", b"mx.forged.example")
    assert faults(look(good + signed, find, receiver="MX.example.net")) == []
    assert [level for level, _ in faults(look(bad + good + signed, find, receiver="mx.example.net"))] == [
        "error",
        "error",
    ]
    [(level, says)] = faults(look(forged + signed, find, receiver="mx.example.net"))
    assert level == "error"
    assert says.startswith("Not verified: no field of mx.example.net. Fields of mx.forged.example are there")
    assert faults(look(forged + signed, find)) == []
    silent = b"Authentication-Results: mx.example.net; none\r\n"
    assert {level for level, _ in faults(look(silent + signed, find, receiver="mx.example.net"))} == {"warning"}
    garbled = b"Authentication-Results: mx.example.net; ((((\r\n"
    assert "Not verified" in faults(look(garbled + signed, find, receiver="mx.example.net"))[0][1]


@pytest.mark.parametrize(
    "raw", [b"", b"Hello, this is only text.", b"\x00" * 100, b"Subject: no sender\r\n\r\nx", MAIL + b"x" * 5_000_000]
)
def test_text_that_is_not_a_message_is_refused(raw: bytes) -> None:
    with pytest.raises(NotReady):
        look(raw, dns())


def test_a_broken_message_never_crashes_the_check(key: Key) -> None:
    whole, find, chance = sign(MAIL, key), dns(news_example_org=key.record), random.Random(6)
    for _ in range(400):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(raw))
            raw[at : at + chance.randint(0, 4)] = bytes(chance.randrange(256) for _ in range(chance.randint(0, 3)))
        try:
            look(bytes(raw), find, receiver="mx.example.net")
        except NotReady:
            continue


def test_the_command_reads_a_file_and_fails_on_errors(
    key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "find_txt_records", dns(news_example_org=key.record))
    file = tmp_path / "proof.eml"
    file.write_bytes(sign(MAIL, key))
    call_command("doctor", "--message", str(file), "--json")
    assert json.loads(capsys.readouterr().out)["ok"] is True
    file.write_bytes(MAIL)
    with pytest.raises(CommandError, match="DKIM signature"):
        call_command("doctor", "--message", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("doctor", "--message", str(tmp_path / "nothing"))
    with pytest.raises(CommandError, match="needs --message"):
        call_command("doctor", "--receiver", "mx.example.net")


def test_real_messages_do_not_crash_the_check() -> None:
    files = sorted(file for file in corpus("dkim").rglob("*") if file.is_file())
    assert files
    for file in files:
        look(file.read_bytes(), dns())


def test_advice_on_signing_names_a_mail_server_too(key: Key) -> None:
    good, weak = dns(news_example_org=key.record), Key(1024)
    failed = b"Authentication-Results: mx.example.net; dmarc=fail\r\n" + sign(MAIL, key)
    advice = [
        finding.do
        for findings in (
            look(MAIL, good),
            look(sign(MAIL, key).replace(b"Open Door", b"Open Gate", 1), good),
            look(sign(MAIL, key, domain="mailgun.org"), dns(mailgun_org=key.record)),
            look(sign(MAIL, weak), dns(news_example_org=weak.record)),
            look(failed, good, receiver="mx.example.net"),
        )
        for finding in findings
        if "your provider’s pages" in finding.do
    ]
    assert len(advice) >= 5
    assert [text for text in advice if "your mail server" not in text] == []
