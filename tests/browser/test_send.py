"""Starting and watching a send in a real browser on the demo."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from newsletter.demo.sample_week import LOGIN
from tests.support.desk_browser import IN_CHROMIUM, do_beside

pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]


LINK_OF_THE_MAIL = f"""
from datetime import UTC, datetime
from django.contrib.auth.models import User
from newsletter.issues.approval.decision_links import make_decision_url
from newsletter.issues.approval.request_approval import request_approval
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue
now = datetime.now(UTC)
sent = Issue.objects.get(publication__slug="weekly", state="sent")
issue = create_issue(publication=sent.publication, beginning=Beginning.COPY, by=None, now=now, original=sent)
Issue.objects.filter(pk=issue.pk).update(subject="What we do next")
issue.refresh_from_db()
request_approval(issue=issue, asked_by="Somebody", now=now)
sha256 = hash_content(resolve_content(issue))
person = User.objects.get(email="{LOGIN.email}").pk
print(make_decision_url(issue=issue.public_id, sha256=sha256, person=person, now=now))
"""


def test_an_approver_sends_an_issue_and_watches_its_progress(page: Page, site: str) -> None:
    """The page updates without a reload."""
    page.goto(f"{site}/admin/")
    page.get_by_role("link", name=re.compile("Review and approve: El boletín")).click()
    page.get_by_role("button", name="Approve this version").click()
    page.get_by_role("link", name="Send now …").click()
    expect(page.get_by_role("heading", name=re.compile("Write El boletín mensual No. 1 to files now"))).to_be_visible()
    page.get_by_role("button", name=re.compile("Write to files")).click()
    expect(page.get_by_text("Delivery summary")).to_be_visible()
    expect(page.locator(".nl-issue__state .nl-tag")).to_have_text("Written to files")


def test_an_approver_decides_by_the_mailed_link_on_a_phone(page: Page, site: str, own_demo_folder: Path) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    page.goto(do_beside(site, own_demo_folder, LINK_OF_THE_MAIL))
    approve = page.get_by_role("button", name="Approve this version")
    mail, button = page.locator(".nl-frame").bounding_box(), approve.bounding_box()
    assert mail is not None
    assert button is not None
    assert mail["y"] < button["y"]
    approve.click()
    expect(page.locator(".nl-issue__state .nl-tag")).to_have_text("Approved")
