"""`newsletter doctor` finds what is wrong, says what to do, and shows no key."""

import json
import socket
from collections import namedtuple
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from newsletter.content.fetching.errors import HostNotFound
from newsletter.content.ingesting.read_source import describe_failed_reading
from newsletter.models import Brand, Publication, Source
from newsletter.organisation.accounts.staff import add_staff
from newsletter.organisation.health import machine, sending
from newsletter.organisation.health.content import check_publications
from newsletter.organisation.health.machine import check_data_folder, check_disk, check_site_url
from newsletter.organisation.health.run_checks import examine
from newsletter.organisation.health.sending import check_senders
from newsletter.rendering.errors import TemplateError
from newsletter.sending.deliverability.findings import Finding
from subscribers.models import MailingList, Segment
from tests.support.dns_server import DnsServer, serve_dns
from tests.support.sender_checks import GOOD

pytestmark = pytest.mark.django_db
PASSWORD = "a-calm-harbour-morning"
KEY = "key-that-nobody-may-see"
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def publication() -> Publication:
    brand = Brand.objects.create(
        name="Open Door", postal_address="1 Example Street, Leeds", privacy_url="https://example.org/privacy/"
    )
    return Publication.objects.create(
        slug="weekly",
        name="The weekly letter",
        brand=brand,
        mailing_list=MailingList.objects.create(slug="weekly", name="The weekly letter"),
        from_name="Open Door",
        from_email="letter@news.example.org",
        schedule="0 9 * * thu",
    )


@pytest.fixture
def server() -> Iterator[DnsServer]:
    """A name server that knows nothing."""
    with serve_dns() as running:
        yield running


def find_all() -> list[Finding]:
    with serve_dns() as server:
        found = list(examine(dns=server.make_dns()))
        assert server.asked == []
    return found


def levels() -> dict[str, Finding]:
    return {finding.check: finding for finding in find_all()}


def test_a_fresh_machine_has_no_errors_and_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("doctor")
    said = capsys.readouterr().out
    assert "newsletter init" in said
    assert "newsletter staff add EMAIL --role admin" in said
    assert "no errors." in said


def test_a_program_may_read_the_checks(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("doctor", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert {"check", "level", "says", "do", "means", "code", "records"} == set(told["checks"][0])


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_an_error_ends_with_a_line_that_names_the_checks_that_failed(
    form: list[str], settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.NEWSLETTER_SITE_URL = "http://letter.example.org"
    with pytest.raises(CommandError, match="1 check failed: site URL"):
        call_command("doctor", *form)
    assert "is not HTTPS" in capsys.readouterr().out


def test_everything_set_up_is_well(publication: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEWSLETTER_CORPUS", raising=False)
    add_staff(email="ann@example.org", role="approver", password=PASSWORD)
    found = levels()
    assert [name for name, finding in found.items() if finding.level != "ok"] == ["publication weekly"]
    assert "Nobody who may be mailed" in found["publication weekly"].says


def test_the_label_of_the_provider_is_shown_and_its_key_never(publication: Publication, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = f"mailgun://{KEY}@news.example.org?endpoint=http://127.0.0.1:9&webhook_key={KEY}"
    found = find_all()
    assert any("mailgun (news.example.org)" in finding.says for finding in found)
    assert KEY not in repr(found)
    assert any("is not mailgun's own address" in finding.says for finding in found)


def test_dns_is_checked_only_if_mail_goes_to_a_real_provider(publication: Publication, server: DnsServer) -> None:
    dns = server.make_dns()
    for url in ("outbox://", "nonsense", f"mailgun://{KEY}@news.example.org?endpoint=http://127.0.0.1:9"):
        assert [finding.level for finding in check_senders(url, dns=dns)] == ["ok"]
    assert server.asked == []
    for url in ("", "?endpoint=https://api.eu.mailgun.net"):
        findings = list(check_senders(f"mailgun://{KEY}@news.example.org{url}", dns=dns))
        assert [finding.level for finding in findings] == ["error", "warning", "error", "ok", "ok", "advice", "advice"]
    assert "_dmarc.news.example.org TXT" in server.asked
    Publication.objects.update(from_email="letter@büro@example.org")
    assert [f.level for f in check_senders(f"mailgun://{KEY}@news.example.org", dns=dns)] == ["error"]


def test_a_domain_of_a_further_account_is_not_checked_for_the_default(
    publication: Publication, server: DnsServer
) -> None:
    Publication.objects.update(account="backup")
    assert list(check_senders(f"mailgun://{KEY}@news.example.org", dns=server.make_dns())) == []


def test_records_to_add_are_printed_on_lines_of_their_own(
    publication: Publication,
    server: DnsServer,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = f"mailgun://{KEY}@news.example.org"
    server.texts.update(GOOD | {"_dmarc.example.org": ["v=DMARC1; p=none; pct=100"]})
    monkeypatch.setattr(sending, "SystemDns", server.make_dns)
    with suppress(CommandError):
        call_command("doctor")
    said = capsys.readouterr().out
    lines = [line.strip() for line in said.splitlines()]
    at = lines.index("Name:  _dmarc.example.org")
    assert lines[at + 1 : at + 3] == ["Type:  TXT", "Value: v=DMARC1; p=none"]
    assert "4 pieces of advice" in said
    with suppress(CommandError):
        call_command("doctor", "--json")
    told = json.loads(capsys.readouterr().out)["checks"]
    (found,) = (one for one in told if one["code"] == "dmarc.obsolete-tag")
    assert found["level"] == "advice"
    assert found["records"] == [{"name": "_dmarc.example.org", "type": "TXT", "value": "v=DMARC1; p=none"}]


def test_a_provider_without_a_webhook_key_and_one_that_cannot_be_read(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = f"mailgun://{KEY}@news.example.org?endpoint=http://127.0.0.1:9"
    found = levels()
    assert found["webhooks"].level == "warning"
    assert found["site URL"].level == "warning", "real people could not follow its links"
    settings.NEWSLETTER_PROVIDER_URL = "mailgan://x"
    assert levels()["provider"].level == "error"


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("https://letter.example.org", "ok"),
        ("http://letter.example.org", "error"),
        ("http://192.168.0.4", "error"),
        ("http://127.0.0.1:8000", "ok"),
        ("http://[::1]:8000", "ok"),
        ("http://localhost:8000", "ok"),
        ("letter.example.org", "error"),
        ("https://letter.example.org/news", "error"),
        ("https://letter.example.org?a=1", "error"),
        ("https://letter.example.org:99999", "error"),
        ("https://[letter", "error"),
        ("https://letter.example.org https://example.org", "error"),
    ],
)
def test_a_site_url_that_is_neither_https_nor_loopback_is_an_error(url: str, level: str) -> None:
    assert next(iter(check_site_url(url, production=True, sends_real_mail=False))).level == level


def test_a_site_url_with_a_password_is_an_error_that_does_not_show_it() -> None:
    found = next(iter(check_site_url("https://a:hush@letter.example.org", production=True, sends_real_mail=False)))
    assert found.level == "error"
    assert "hush" not in found.says


def test_a_public_address_with_the_settings_for_trying_out_is_a_warning(settings: Any) -> None:
    settings.NEWSLETTER_SITE_URL = "https://letter.example.org"
    assert levels()["production"].level == "warning"
    settings.ENV = replace(settings.ENV, production=True)
    assert "production" not in levels()


def test_a_missing_postal_address_is_an_error(publication: Publication) -> None:
    Brand.objects.update(postal_address=" ")
    assert levels()["postal address"].level == "error"


def test_a_publication_without_an_approver_is_a_warning(publication: Publication) -> None:
    add_staff(email="ann@example.org", role="editor", password=PASSWORD)
    assert "needs approval, but nobody on the staff may approve" in levels()["staff"].says


def test_a_failing_source_is_named_with_its_error() -> None:
    Source.objects.create(name="Stories", kind="feed", url="https://example.org/f", failures=3, error="Not found.")
    finding = levels()["source Stories"]
    assert finding.level == "warning"
    assert "Not found. (Failed 3 times in a row.)" in finding.says
    assert "Its new stories and events are missing from your issues until it can be read." in finding.says


def test_a_source_that_is_gone_has_each_step_once() -> None:
    error = describe_failed_reading(HostNotFound("No web site is found."))
    Source.objects.create(name="Stories", kind="feed", url="https://example.org/f", failures=3, error=error)
    finding = levels()["source Stories"]
    assert finding.text.count("browser") == finding.text.lower().count("turn") == 1
    assert "https://example.org/f" in finding.do


def test_a_segment_that_leans_on_a_list_that_is_gone_is_an_error(publication: Publication) -> None:
    publication.segment = Segment.objects.create(slug="s", name="S", rule={"list": "gone"})
    publication.save()
    assert [finding.level for finding in check_publications()] == ["error"]
    Segment.objects.update(rule={})
    assert "segment “S”" in next(check_publications()).says


def test_tables_that_wait_for_a_change_are_an_error() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'newsletter'")
    found = levels()
    assert found["database"].do == "Run: newsletter migrate"
    assert "staff" not in found


def test_a_database_that_does_not_answer_is_asked_only_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(machine, "list_missing_migrations", refuse)
    found = levels()
    assert "connection refused" in found["database"].says
    assert "staff" not in found


def test_a_data_folder_that_cannot_be_written_to_is_an_error(settings: Any) -> None:
    settings.NEWSLETTER_DATA_DIR = Path("/proc/none")
    assert levels()["data folder"].level == "error"
    assert check_data_folder(Path("/proc")).level == "error"


@pytest.mark.parametrize(("free", "level"), [(10**8, "error"), (10**9, "warning"), (10**11, "ok")])
def test_low_disk_space_is_reported_early(
    free: int, level: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: Usage(free, 0, free))
    assert check_disk(tmp_path).level == level


def test_templates_that_do_not_work_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(document: object) -> None:
        raise TemplateError("line 3 is wrong")

    monkeypatch.setattr(machine, "render", fail)
    assert "line 3 is wrong" in levels()["templates"].says


def test_a_quick_run_asks_no_other_server_and_says_what_it_left_out(
    publication: Publication, settings: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The identity provider, the mail server, the mailbox and the name servers would refuse the connection."""

    def refuse(*address: Any, **options: Any) -> None:
        raise AssertionError(f"A connection was made: {address}")

    settings.NEWSLETTER_PROVIDER_URL = "smtp://user:secret@127.0.0.1:9"
    settings.NEWSLETTER_PRODUCTION = True
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "sendto", refuse)
    with suppress(CommandError):
        call_command("doctor", "--quick")
    said = capsys.readouterr().out
    assert "database" in said
    assert "publication weekly" in said
    assert "Not checked: identity provider, sign-in at the mail provider" in said
    assert "templates: " not in said
    with pytest.raises(AssertionError, match="A connection was made"):
        call_command("doctor")


def test_a_program_reads_what_a_quick_run_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("doctor", "--quick", "--json")
    assert "domains of senders" in json.loads(capsys.readouterr().out)["left_out"]
    call_command("doctor", "--json")
    assert json.loads(capsys.readouterr().out)["left_out"] == []


@pytest.mark.parametrize("other", [["--after-restore"], ["--message", "mail.eml"]])
def test_a_quick_run_of_something_else_is_refused(other: list[str]) -> None:
    with pytest.raises(CommandError, match="--quick checks the installation"):
        call_command("doctor", "--quick", *other)
