"""The page of who sends in our name: what it says, that it says reports are not verified, and the files it takes."""

import gzip
from datetime import timedelta
from typing import Any

import lxml.html
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from wagtail.models import ModelLogEntry

from newsletter.content.parsing.aggregate_reports.sandboxed import MAX_FILE_BYTES
from newsletter.desk.dmarc import page
from newsletter.models import DmarcReport, Publication
from tests.support.aggregate_reports import OTHER, keep_sample_reports, make_record, make_report
from tests.support.desk import sign_in
from tests.support.fixtures import make_publication

pytestmark = pytest.mark.django_db
PAGE = "/admin/dmarc/"


@pytest.fixture(autouse=True)
def publication() -> Publication:
    return make_publication()


def see(client: Client, query: str = "") -> str:
    """Return the text of the page's main part on one line."""
    main = lxml.html.fromstring(client.get(PAGE + query).content.decode()).find(".//main")
    assert main is not None
    return " ".join(main.text_content().split())


def add(client: Client, *bodies: bytes) -> str:
    files = [SimpleUploadedFile(f"{number}.xml.gz", body) for number, body in enumerate(bodies)]
    answer = client.post(PAGE, {"reports": files}, follow=True)
    return " ".join(lxml.html.fromstring(answer.content.decode()).text_content().split())


def test_without_reports_the_page_says_how_they_come(settings: Any) -> None:
    client = sign_in("admin")
    said = see(client)
    assert "No reports of these days are here." in said
    assert "This installation does not receive reports by mail." in said
    settings.NEWSLETTER_INBOUND_ADDRESS = "replies@news.example.org"
    assert "We read reports that are mailed to replies@news.example.org automatically." in see(client)


def test_the_page_says_who_sends_and_what_to_do() -> None:
    domain = keep_sample_reports(now=timezone.now())
    said = see(sign_in("admin"))
    for text in (
        domain,
        "13,812 mails passed; 238 failed.",
        f"24 from {OTHER} failed: unknown sender.",
        "24 refused",
        "124 from 198.51.100.7 failed: a service that sends as esp.example.",
        "124 to spam",
        "54 from 2001:db8:0:25:5054:ff:fe12:3456 failed: signature broken.",
        "24 from 198.51.100.40 failed: forwarded mail.",
        "12 from 192.0.2.10 failed: other mail of yours from there passes.",
        "Enterprise Outlook, google.com, Yahoo",
        f"The policy at {domain} is none.",
        "Look at each service, unknown sender and broken signature below first",
        "Too large",
    ):
        assert text in said, said


def test_the_page_says_that_nobody_verifies_reports() -> None:
    said = see(sign_in("admin"))
    assert "Nobody verifies who wrote a report, so nothing changes automatically. You decide." in said


def test_the_period_can_be_changed() -> None:
    keep_sample_reports(now=timezone.now() - timedelta(days=45))
    client = sign_in("admin")
    assert "No reports of these days" in see(client)
    assert "13,812 mails passed" in see(client, "?days=90")
    assert "No reports of these days" in see(client, "?days=9999")


def test_names_in_a_report_are_shown_as_text() -> None:
    xml = make_report(ends=timezone.now(), reporter="&lt;script&gt;alert(1)&lt;/script&gt;")
    client = sign_in("admin")
    add(client, xml)
    shown = client.get(PAGE).content.decode()
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert(1)" not in shown


def test_only_the_largest_sources_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MAX_SOURCES_SHOWN", 1)
    failed = (
        make_record(source=f"203.0.113.{number}", mails=number, dkim="fail", signed_by="") for number in (1, 2, 3)
    )
    client = sign_in("admin")
    add(client, make_report(*failed, ends=timezone.now()))
    said = see(client)
    assert "3 from 203.0.113.3 failed" in said
    assert "203.0.113.1" not in said
    assert "and 2 more servers" in said


def test_files_are_added_by_hand_and_each_refusal_is_named() -> None:
    client, now = sign_in("admin"), timezone.now()
    good = gzip.compress(make_report(ends=now))
    said = add(client, good, good, b"Hello")
    assert "1 report was added." in said
    assert "1.xml.gz: Came before." in said
    assert "2.xml.gz: No report, or damaged." in said
    assert DmarcReport.objects.get().origin == "hand"
    entry = ModelLogEntry.objects.get(action="newsletter.dmarc_added")
    assert entry.data == {"added": 1, "refused": 2}
    assert "reports were added" not in add(client, b"Hello")


def test_no_file_too_many_or_one_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in("admin")
    assert client.post(PAGE, {}).status_code == 400
    assert "at most 20" in add(client, *[b"x"] * (page.MAX_FILES + 1))
    assert "larger than 10 MB" in add(client, b"x" * (MAX_FILE_BYTES + 1))
    assert not DmarcReport.objects.exists()


@pytest.mark.parametrize("role", ["writer", "editor", "approver", "data"])
def test_only_administrators_see_and_add_reports(role: str) -> None:
    client = sign_in(role)
    assert client.get(PAGE).status_code in (302, 403)
    add(client, make_report(ends=timezone.now()))
    assert not DmarcReport.objects.exists()
    assert PAGE not in client.get("/admin/").content.decode()


def test_an_empty_report_file_says_what_to_do() -> None:
    page = sign_in("admin").post(PAGE, {"reports": SimpleUploadedFile("report.xml", b"")}).content.decode()
    assert "The file is empty. Save it again" in page
