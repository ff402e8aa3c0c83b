"""Notices in the desk: one's own, counted while unread, and each leads to where it can be settled."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.issues.approval.decision_links import make_decision_url
from newsletter.issues.approval.write_notices import new_issue_url
from newsletter.models import Issue, Publication, StaffNotice
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, make_issue, make_story

pytestmark = pytest.mark.django_db
NOTICES = "/admin/notices/"


@pytest.fixture
def approver(publication: Publication) -> Client:
    client = sign_in("approver")
    person = User.objects.get(username="approver@example.org")
    for number in (1, 2):
        StaffNotice.objects.create(
            key=f"one-{number}",
            person=person,
            subject=f"No. {number} is ready to read",
            paragraphs=["It waits for your approval."],
            link=f"http://127.0.0.1:8000/admin/issues/{number}/overview/",
            publication=publication,
            made_at=NOW,
        )
    return client


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The first verdict")
    return make_issue(publication)


def test_the_menu_counts_unread_notices_and_the_page_lists_them(approver: Client) -> None:
    assert "Notices (2 unread)" in approver.get("/admin/").content.decode()
    page = approver.get(NOTICES).content.decode()
    assert "No. 1 is ready to read" in page
    assert "It waits for your approval." in page


def test_opening_a_notice_marks_it_read_and_leads_to_its_page(approver: Client) -> None:
    first, second = StaffNotice.objects.order_by("pk")
    answer = approver.post(NOTICES, {"open": str(first.pk)})
    assert answer.headers["Location"] == first.link
    assert list(StaffNotice.objects.filter(read_at__isnull=True)) == [second]


def test_all_shown_notices_are_marked_read_and_not_newer_ones(approver: Client) -> None:
    first, second = StaffNotice.objects.order_by("pk")
    approver.post(NOTICES, {"newest": str(first.pk)})
    assert list(StaffNotice.objects.filter(read_at__isnull=True)) == [second]


def test_a_page_that_a_mail_leads_to_marks_its_notices_as_read(approver: Client, issue: Issue) -> None:
    own = StaffNotice.objects.first()
    for link, unread in (
        (f"http://127.0.0.1:8000/admin/issues/{issue.pk}/overview/", 1),
        (f"http://127.0.0.1:8000/admin/issues/{issue.pk}/overview/#nl-comment-1", 1),
        ("http://127.0.0.1:8000/admin/issues/", 2),
        ("http://127.0.0.1:8000/admin/", 2),
    ):
        StaffNotice.objects.filter(pk=own.pk).update(link=link, read_at=None)
        approver.get("/admin/")
        page = approver.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
        assert f"Notices ({unread} unread)" in page, link


@pytest.mark.parametrize("opened", ["decision", "overview"])
def test_a_page_of_an_issue_marks_each_notice_about_it(approver: Client, issue: Issue, opened: str) -> None:
    first, second = StaffNotice.objects.order_by("pk")
    for notice, hours in ((first, 1), (second, 0)):
        notice.link = make_decision_url(
            issue=issue.public_id, sha256="a" * 64, person=notice.person_id, now=timezone.now() - timedelta(hours=hours)
        )
        notice.save()
    assert first.link != second.link
    address = first.link if opened == "decision" else f"/admin/issues/{issue.pk}/overview/"
    assert "Notices (" not in approver.get(address).content.decode()
    assert not StaffNotice.objects.filter(read_at=None).exists()


def test_a_page_that_does_not_show_what_a_notice_says_leaves_it_unread(
    approver: Client, publication: Publication
) -> None:
    link = new_issue_url(publication)
    StaffNotice.objects.update(link=link)
    page = sign_in("admin", email="approver@example.org").get(link).content.decode()
    assert "Notices (2 unread)" in page


def test_somebody_elses_notices_stay_unread(approver: Client, issue: Issue) -> None:
    link = f"http://127.0.0.1:8000/admin/issues/{issue.pk}/overview/"
    StaffNotice.objects.update(link=link)
    sign_in("writer").get(f"/admin/issues/{issue.pk}/overview/")
    assert StaffNotice.objects.filter(read_at__isnull=True).count() == 2
    approver.get(f"/admin/issues/{issue.pk}/overview/")
    assert not StaffNotice.objects.filter(read_at__isnull=True).exists()


def test_nobody_sees_or_opens_notices_of_others(approver: Client) -> None:
    other = sign_in("admin")
    assert "ready to read" not in other.get(NOTICES).content.decode()
    assert other.post(NOTICES, {"open": str(StaffNotice.objects.first().pk)}).status_code == 404
    assert StaffNotice.objects.filter(read_at__isnull=True).count() == 2
