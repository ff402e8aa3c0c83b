"""A week at the desk by keyboard: edit, review, fix, proof, approval by another person, send, report.

The pictures of the guides for staff are taken on the way; `make guide-pictures` keeps them.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from newsletter.demo.sample_week import LOGIN
from tests.support.desk_browser import IN_CHROMIUM, do_beside, open_desk, run_beside
from tests.support.guide_pictures import LOOK, take_picture
from tests.support.keyboard import press, tab_to, tick, type_over

PASSWORD = "a-calm-harbour-evening"
EDITOR, APPROVER = "editor@example.org", "approver@example.org"

pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]


@pytest.fixture(scope="module")
def demo_folder(own_demo_folder: Path) -> Path:
    return own_demo_folder


@pytest.fixture
def editor(browser: Browser, site: str, demo_folder: Path) -> Iterator[Page]:
    run_beside(site, demo_folder, "staff", "add", EDITOR, "--role", "editor", "--password-stdin", typed=PASSWORD)
    with open_desk(browser, site, email=EDITOR, password=PASSWORD, **LOOK) as page:
        yield page


@pytest.fixture
def approver(browser: Browser, site: str, demo_folder: Path) -> Iterator[Page]:
    run_beside(site, demo_folder, "staff", "add", APPROVER, "--role", "approver", "--password-stdin", typed=PASSWORD)
    with open_desk(browser, site, email=APPROVER, password=PASSWORD, **LOOK) as page:
        yield page


def test_a_week_from_the_draft_to_the_report(
    browser: Browser, site: str, demo_folder: Path, editor: Page, approver: Page
) -> None:
    with open_desk(browser, site, email=LOGIN.email, password=LOGIN.password, **LOOK) as administrator:
        ask_for_another_person(administrator)
    run_beside(site, demo_folder, "assemble", "weekly", "--due", week_after_next())
    open_draft(editor)
    look_at_two_mails(editor)
    write_a_subject_with_a_wrong_field(editor)
    mend_what_the_check_says(editor)
    send_a_proof(editor)
    approve(approver)
    watch(approver)
    read_the_report(approver)
    decide_from_the_mail(approver, do_beside(site, demo_folder, LINK_OF_THE_MAIL))
    announce_a_correction(editor, do_beside(site, demo_folder, CANCELLED_EVENT))
    look_at_what_is_not_known(approver, do_beside(site, demo_folder, LOST_ANSWER))


LINK_OF_THE_MAIL = f"""
from datetime import UTC, datetime
from django.contrib.auth.models import User
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.approval.decision_links import make_decision_url
from newsletter.models import Issue
issue = Issue.objects.filter(state="draft").first()
person = User.objects.get(email="{APPROVER}")
sha256 = hash_content(resolve_content(issue))
print(make_decision_url(issue=issue.public_id, sha256=sha256, person=person.pk, now=datetime.now(UTC)))
"""
CANCELLED_EVENT = """
from newsletter.models import EventNotice, ShownItem
event = EventNotice.objects.filter(pk__in=ShownItem.objects.filter(kind="event").values("row_id"), online=False).last()
EventNotice.objects.filter(pk=event.pk).update(cancelled=True)
print(event.pk)
"""
LOST_ANSWER = """
from newsletter.models import Attempt, Batch, Send
send = Send.objects.order_by("pk").first()
batch = send.batches.first()
why = "The request was sent, but what became of it is not known: it closed the connection without an answer."
# Called at another account: the outbox, which knows what it wrote, would be called again and settle it within seconds.
Attempt.objects.filter(batch=batch).update(provider="mailgun:another", outcome="uncertain")
Batch.objects.filter(pk=batch.pk).update(state="uncertain", reason=why)
Send.objects.filter(pk=send.pk).update(
    state="needs_attention", reason=f"for {batch.size} people we do not know whether the provider took the mail"
)
print(send.issue_id)
"""


def decide_from_the_mail(page: Page, link: str) -> None:
    page.goto(link)
    expect(page.get_by_role("button", name="Approve this version")).to_be_visible()
    take_picture(page, "decide")


def announce_a_correction(page: Page, event: str) -> None:
    page.goto(f"/admin/events/announce/{event}/")
    expect(page.get_by_role("button", name="Draft the email").first).to_be_visible()
    take_picture(page, "correction")


def look_at_what_is_not_known(page: Page, issue: str) -> None:
    page.goto(f"/admin/issues/{issue}/overview/")
    expect(page.get_by_role("button", name=re.compile("^Mark as accepted: batch"))).to_be_visible()
    page.get_by_role("button", name=re.compile("^Mark as accepted: batch")).evaluate(
        "button => button.closest('li').scrollIntoView({block: 'center'})"
    )
    take_picture(page, "uncertain")


def week_after_next() -> str:
    """Return a Thursday at nine without an issue. The demo has assembled the next one."""
    now = datetime.now(ZoneInfo("Europe/London"))
    nine = now.replace(hour=9, minute=0, second=0, microsecond=0)
    next_one = nine + timedelta(days=(3 - now.weekday()) % 7)
    if next_one <= now:
        next_one += timedelta(days=7)
    return f"{next_one + timedelta(days=7):%Y-%m-%dT%H:%M}"


def ask_for_another_person(page: Page) -> None:
    page.goto("/admin/publications/")
    take_picture(page, "publications")
    page.get_by_role("link", name="The weekly letter", exact=True).click()
    page.get_by_label("A named person approves each issue").check()
    page.get_by_label("Somebody other than the author must approve").select_option("true")
    expect(mail(page).locator("h2").first).to_be_visible()
    show(page, "Approval")
    take_picture(page, "publication-approval")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is saved.")).to_be_visible()


def open_draft(page: Page) -> None:
    page.goto("/admin/")
    expect(
        page.get_by_role("listitem").filter(has_text="The weekly letter No. 2 is waiting for approval")
    ).to_be_visible()
    take_picture(page, "home")
    press(page.get_by_role("link", name="Read: The weekly letter No. 2 is waiting for approval"))
    expect(page.locator(".nl-tag", has_text="Waiting for approval")).to_be_visible()
    take_picture(page, "issue")
    press(page.get_by_role("link", name="Refresh content …"))
    press(page.get_by_role("link", name="Go back"))
    expect(page.locator(".nl-tag", has_text="Waiting for approval")).to_be_visible()
    show(page, "How the content was chosen")
    take_picture(page, "why-these")


def look_at_two_mails(page: Page) -> None:
    press(page.get_by_role("link", name="Edit the issue"))
    expect(mail(page).locator("h2").first).to_be_visible()
    take_picture(page, "editor")
    first = mail(page).locator("body").inner_text()
    choose_next(page.get_by_label("Version"))
    expect(mail(page).locator("body")).not_to_have_text(first, use_inner_text=True)
    take_picture(page, "preview")
    light = mail(page).locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    choose_next(page.get_by_label("Shown as"))
    expect(mail(page).locator("body")).not_to_have_css("background-color", light)
    take_picture(page, "preview-dark")


def write_a_subject_with_a_wrong_field(page: Page) -> None:
    type_over(page.get_by_label("Subject"), "Good news for {{ frist_name }}")
    expect(page.locator("#w-preview-error-banner")).to_contain_text("We cannot show the mail yet")
    expect(mail(page).locator("h2").first).to_be_visible()


def mend_what_the_check_says(page: Page) -> None:
    press(page.get_by_role("button", name="Checks", exact=True), key="Shift+Tab")
    fault = page.locator(".nl-checks-panel li").filter(has_text="frist_name")
    expect(fault).to_contain_text("Fix before sending")
    take_picture(page, "check")
    press(fault.get_by_role("link", name="Edit it in the issue"))
    subject = page.get_by_label("Subject")
    expect(subject).to_be_in_viewport()
    type_over(subject, "Two evenings a week, and a river with a map")
    expect(page.locator(".nl-checks-panel [role=status]")).to_contain_text("All checks passed")
    take_picture(page, "check-mended")
    page.keyboard.press("ControlOrMeta+s")
    expect(page.get_by_text("Two evenings a week, and a river with a map").first).to_be_visible()


def send_a_proof(page: Page) -> None:
    tick(page.get_by_label(EDITOR))
    show(page, "Send a proof to staff")
    take_picture(page, "proof")
    press(page.get_by_role("button", name="Send proof"))
    expect(page.get_by_text(f"{EDITOR}, written to files")).to_be_attached()
    expect(page.get_by_role("button", name="Approve this version")).to_have_count(0)


def approve(page: Page) -> None:
    page.goto("/admin/")
    press(page.get_by_role("link", name="Review and approve: The weekly letter No. 2 is waiting for approval"))
    expect(page.locator(".nl-tag", has_text="Waiting for approval")).to_be_visible()
    take_picture(page, "approve")
    press(page.get_by_role("button", name="Approve this version"))
    expect(page.locator(".nl-tag", has_text="Approved")).to_be_visible()
    take_picture(page, "approved")


def watch(page: Page) -> None:
    press(page.get_by_role("link", name="Send now …"))
    send = page.get_by_role("button", name=re.compile("^Write to files"))
    expect(send).to_be_visible()
    take_picture(page, "send-ask")
    press(send)
    expect(page.get_by_role("heading", name="Delivery summary")).to_be_visible()
    take_picture(page, "send")
    expect(page.locator(".nl-tag").first).to_have_text("Written to files")


def read_the_report(page: Page) -> None:
    press(page.get_by_role("link", name="Report"))
    expect(page.get_by_role("heading", name="Results")).to_be_visible()
    take_picture(page, "report")
    press(page.get_by_role("link", name="Compare issues"))
    expect(page.get_by_role("link", name="No. 2")).to_be_visible()
    take_picture(page, "results")


def choose_next(choices: Locator) -> None:
    tab_to(choices)
    choices.page.keyboard.press("ArrowDown")


def show(page: Page, heading: str) -> None:
    """Scroll this heading to the top."""
    page.get_by_role("heading", name=heading, exact=True).evaluate(
        "heading => heading.scrollIntoView({block: 'start'})"
    )
    page.mouse.wheel(0, -90)
    page.wait_for_timeout(150)


def mail(page: Page) -> FrameLocator:
    return page.frame_locator("#w-preview-iframe")
