"""Kept messages are shown in the language of whoever reads them: reasons of holds, slots, sources and assemblies, and mails."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation
from django.utils.html import escape
from wagtail.users.models import UserProfile

from newsletter.common.translation import translate
from newsletter.content.ingesting.ingest import ingest_source
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.jobs.notices.mail_notices import send_due_notices
from newsletter.jobs.scheduler_jobs import assemble_due, start_due_sends
from newsletter.models import Issue, Publication, Slot, Source, StaffNotice, Variant
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from tests.support.desk import sign_in
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import DUE, NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.page_html import compact_html
from tests.support.web_site import serve_site

pytestmark = pytest.mark.django_db


@pytest.fixture
def spanish() -> Client:
    client = sign_in("approver")
    UserProfile.objects.update_or_create(user=User.objects.get(), defaults={"preferred_language": "es"})
    return client


@pytest.fixture
def mailgun(fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    return fake_provider


def in_spanish(message: str) -> str:
    """Return the message in Spanish, and make sure that this is not its English text."""
    with translation.override("es"):
        text = translate(message)
    assert text != message
    return text.rstrip(".")


def page(client: Client, path: str) -> str:
    with time_machine.travel(NOW, tick=False):
        return compact_html(client.get(path).content.decode())


def test_the_reason_of_a_held_issue(spanish: Client, publication: Publication) -> None:
    make_story("The clinic opens")
    add_subscribers(publication, 3)
    issue = make_issue(publication)
    start_due_sends(now=issue.slot.due_at + timedelta(hours=7))
    issue.refresh_from_db()
    assert issue.held_reason.startswith("It was due on 5 March 2026 at 09:00, and was not approved in time.")
    assert escape(in_spanish(issue.held_reason)) in page(spanish, f"/admin/issues/{issue.pk}/overview/")


def test_the_reason_of_a_skipped_slot(spanish: Client, publication: Publication) -> None:
    slot = get_or_create_slot(publication=publication, due=DUE, now=NOW)
    assemble_slot(slot=slot, now=NOW)
    slot.refresh_from_db()
    assert slot.state == Slot.State.SKIPPED
    assert escape(in_spanish(slot.reason)) in page(spanish, "/admin/")


def test_the_error_of_a_source(spanish: Client, publication: Publication) -> None:
    with serve_site() as site:
        source = Source.objects.create(name="Gone", kind=Source.Kind.FEED, url=f"{site.url}/gone.xml")
        ingest_source(source=source, now=NOW)
    source.refresh_from_db()
    error = in_spanish(source.error)
    assert escape(error[:120]) in page(spanish, "/admin/sources/")
    assert escape(error) in page(spanish, f"/admin/sources/edit/{source.pk}/")


def test_the_reasons_of_an_assembly(spanish: Client, publication: Publication) -> None:
    make_story("The clinic opens")
    issue = Issue.objects.get(pk=make_issue(publication).pk)
    (reason,) = (one for one in issue.reasons if one["title"] == "The clinic opens")
    assert escape(in_spanish(reason["why"])) in page(spanish, f"/admin/issues/{issue.pk}/overview/")


def test_a_mail_to_staff(mailgun: FakeProvider, publication: Publication) -> None:
    reader = make_approver("ines@example.org")
    UserProfile.objects.create(user=reader, preferred_language="es")
    publication.approval = Publication.ApprovalPolicy.APPROVE
    publication.save()
    make_story("The clinic opens")
    assemble_due(now=NOW)
    send_due_notices(now=NOW)
    notice = StaffNotice.objects.get()
    (mail,) = mailgun.mailbox(reader.email)
    text = " ".join(mail.text.split())
    assert mail.subject == in_spanish(notice.subject)
    assert in_spanish(notice.paragraphs[0]) in text


def test_the_kinds_of_candidates_and_the_days_of_a_schedule(spanish: Client, publication: Publication) -> None:
    make_story("La clínica abre sus puertas")
    add_subscribers(publication, 1)
    issue = make_issue(publication)
    assert '<td class="nl-quiet">historia</td>' in page(spanish, f"/admin/issues/{issue.pk}/overview/")
    assert "cada jueves" in page(spanish, "/admin/publications/").lower()
    assert "Jueves" not in page(spanish, "/admin/publications/")


def test_the_versions_in_a_report(spanish: Client, publication: Publication) -> None:
    make_story("The clinic opens")
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    with time_machine.travel(NOW, tick=False):
        run_send(send=start_send(issue=issue, now=NOW), adapter=current_adapter())
    assert Variant.objects.get().label == "The same for everybody"
    report = spanish.get(f"/admin/issues/{issue.pk}/report/").content.decode()
    assert "Lo mismo para todo el mundo" in report
    assert "The same for everybody" not in report
