"""Home for those who look after people: what of people waits for them, and nothing that they may not open."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.utils import timezone

from newsletter.desk.home.panel import growth_context
from newsletter.models import Publication
from subscribers.consent.held_signups import hold_signup
from subscribers.consent.signup import SignupRequest
from subscribers.exporting.export_requests import allow_export
from subscribers.models import ExportRequest, MailingList, Subscription
from tests.support.desk import sign_in
from tests.support.fixtures import add_subscribers, make_issue, make_source, make_story
from tests.support.people import make_person

pytestmark = pytest.mark.django_db


def ask_for_file(of: str) -> ExportRequest:
    asked_by = User.objects.get(username=of)
    now = timezone.now()
    return ExportRequest.objects.create(
        asked_by=asked_by, asked_at=now, reason="Print run", people_when_asked=600, max_people=630
    )


def test_home_lists_exports_held_sign_ups_and_expiring_consent(publication: Publication) -> None:
    ann, bob = sign_in("data", email="ann@example.org"), sign_in("data", email="bob@example.org")
    now, weekly = timezone.now(), MailingList.objects.get()
    asked = ask_for_file("ann@example.org")
    hold_signup(
        SignupRequest(email="cy@example.org", mailing_list=weekly, wording="Yes", source="page"), reason="many", now=now
    )
    Subscription.objects.create(
        subscriber=make_person("dee@example.org"),
        mailing_list=weekly,
        basis="casl_implied",
        evidence="Donated",
        requested_at=now,
        expires_at=now + timedelta(days=30),
    )
    page = bob.get("/admin/").content.decode()
    assert "ann@example.org wants to export 600 people" in page
    assert "1 sign-up is waiting for a decision" in page
    assert "The implied consent of 1 person expires soon" in page
    assert "wants to export" not in ann.get("/admin/").content.decode()
    allow_export(request=asked, by=User.objects.get(username="bob@example.org"), now=now)
    assert "Your export of 600 people was approved" in ann.get("/admin/").content.decode()
    assert "a file of" not in bob.get("/admin/").content.decode()


def test_nobody_reads_of_pages_that_they_may_not_open(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    make_source("Field offices", failures=2, error="The site did not answer.")
    sign_in("data", email="ann@example.org")
    ask_for_file("ann@example.org")
    data, writer, admin = (sign_in(role).get("/admin/").content.decode() for role in ("data", "writer", "admin"))
    assert f"/admin/issues/{issue.pk}/" not in data
    assert "cannot be read" not in data
    assert f"{issue} is waiting for approval" in writer
    assert "cannot be read" not in writer
    assert "wants to export" not in writer
    assert all(said in admin for said in ("is waiting for approval", "cannot be read", "wants to export"))


def test_the_growth_chart_begins_with_the_first_people(publication: Publication) -> None:
    add_subscribers(publication, 3)
    Subscription.objects.update(requested_at=timezone.now(), confirmed_at=timezone.now())
    (chart,) = growth_context(RequestFactory().get("/"), now=timezone.now())["growth_charts"]
    assert chart.count("<tr>") - 1 <= 2


def test_a_list_without_people_gets_no_chart(publication: Publication) -> None:
    (shown,) = growth_context(RequestFactory().get("/"), now=timezone.now())["growth_charts"]
    assert shown == f"<p><strong>{publication.mailing_list}</strong> No subscribers yet.</p>"
