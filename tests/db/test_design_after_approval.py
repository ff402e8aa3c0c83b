"""An update between the approval and the send: what is sent, and what staff are notified of."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from newsletter.common.messages import Message
from newsletter.issues.approval import design_since_approval
from newsletter.issues.approval.approve import approve_by_policy, approve_issue, withdraw_approvals
from newsletter.issues.approval.design_since_approval import (
    MAX_MAILS_COMPARED,
    compare_design,
    find_redesigned_issues,
    known_designs,
)
from newsletter.issues.approval.hold import release_issue
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.revisions import freeze_revision
from newsletter.issues.variants import render as rendering
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.issues.variants.store_variants import make_variants
from newsletter.jobs.notices.about_issues import notify_redesigned_issues
from newsletter.jobs.scheduler_jobs import start_due_sends
from newsletter.models import Batch, Delivery, Issue, IssueRevision, ReaderGroup, RunningProcess, StaffNotice, Variant
from newsletter.rendering.blocks import Document
from newsletter.rendering.errors import TemplateError
from newsletter.rendering.mail import RenderedMail, hash_mail
from newsletter.rendering.pipeline import render as render_of_pipeline
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscriber
from tests.support.fixtures import (
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.welcome import turn_on_welcome

pytestmark = pytest.mark.django_db(transaction=True)
DUE_AT = datetime.fromisoformat("2026-03-05T09:00:00+00:00")


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    known_designs.clear()
    yield
    known_designs.clear()


@pytest.fixture
def update(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that replaces the program by a version that draws mails with this class."""

    def render(document: Document, *, look: str) -> RenderedMail:
        mail = render_of_pipeline(document)
        html = mail.html.replace("<body", f'<body class="{look}"')
        sha256 = hash_mail(subject=mail.subject, html=html, text=mail.text, variables=mail.variables)
        return replace(mail, html=html, sha256=sha256)

    def install(look: str) -> None:
        monkeypatch.setattr(rendering, "render", lambda document: render(document, look=look))
        known_designs.clear()

    return install


def make_approved_issue(*, approved: bool | None = None, **rules: object) -> Issue:
    publication = make_publication(**rules)
    make_story("The first verdict")
    make_event("Vigil by the river", where=LONDON)
    add_subscribers(publication, 2)
    return make_issue(publication, approved=not rules if approved is None else approved)


def find_mail(person: Subscriber) -> Variant:
    return Batch.objects.get(deliveries=Delivery.objects.get(subscriber_id=person.pk)).variant


def notify() -> list[str]:
    notify_redesigned_issues(now=NOW)
    return list(StaffNotice.objects.filter(key__startswith="design-").order_by("pk").values_list("subject", flat=True))


@pytest.mark.postgres
def test_approvers_are_notified_once_of_each_new_design(update: Callable[[str], None]) -> None:
    issue = make_approved_issue()
    assert notify() == []
    update("second")
    assert len(notify()) == len(notify()) == 1
    notice = StaffNotice.objects.get(key__startswith="design-")
    assert "would look different now" in notice.subject
    assert notice.link.endswith(f"/admin/issues/{issue.pk}/overview/")
    update("third")
    assert len(notify()) == 2
    issue.refresh_from_db()
    assert (issue.state, issue.held) == ("approved", False)


def test_no_notice_is_written_for_an_issue_that_nobody_approved(update: Callable[[str], None]) -> None:
    issue = make_approved_issue()
    withdraw_approvals(issue=issue, now=NOW)
    update("second")
    assert notify() == []


def test_an_automatic_approval_is_followed_by_the_notice_too(update: Callable[[str], None]) -> None:
    make_approver()
    issue = make_approved_issue(approval="auto")
    approve_by_policy(issue=issue, now=NOW)
    update("second")
    assert len(notify()) == 1


@pytest.mark.postgres
def test_mails_made_for_the_approval_are_sent_as_they_were_approved(update: Callable[[str], None]) -> None:
    issue = make_approved_issue()
    approved = Variant.objects.get()
    update("second")
    send = start_send(issue=issue, now=DUE_AT)
    assert (send.state, send.recipients) == ("submitting", 2)
    sent = Batch.objects.get().variant
    assert (sent.pk, sent.html, sent.text) == (approved.pk, approved.html, approved.text)


def test_mails_made_before_an_update_are_made_again_for_the_approval(update: Callable[[str], None]) -> None:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    revision = freeze_revision(issue=issue, now=NOW)
    content = IssueContent.from_json(revision.content)
    make_variants(revision=revision, groups=find_groups(issue, content=content, now=NOW))
    update("second")
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    assert notify() == []
    start_send(issue=issue, now=DUE_AT)
    assert 'class="second"' in Batch.objects.get().variant.html
    assert Variant.objects.get().shown_items.exists()


def test_a_new_approval_after_an_update_sends_the_new_design(update: Callable[[str], None]) -> None:
    issue = make_approved_issue()
    update("second")
    assert len(notify()) == 1
    withdraw_approvals(issue=issue, now=NOW)
    issue.refresh_from_db()
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    assert len(notify()) == 1
    start_send(issue=issue, now=DUE_AT)
    assert 'class="second"' in Batch.objects.get().variant.html
    assert Delivery.objects.count() == 2


def test_a_second_approval_after_an_update_changes_no_mail(update: Callable[[str], None]) -> None:
    issue = make_approved_issue(second_approval_above=1)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    approved = Variant.objects.get()
    update("second")
    approve_issue(issue=issue, by=make_approver("second"), now=NOW)
    assert Variant.objects.get().html == approved.html


def test_a_preview_after_an_update_has_the_new_design(update: Callable[[str], None], tmp_path: Path) -> None:
    issue = make_approved_issue()
    withdraw_approvals(issue=issue, now=NOW)
    issue.refresh_from_db()
    update("second")
    call_command("preview", issue.reference, out=tmp_path)
    assert 'class="second"' in Variant.objects.get().html


def test_a_new_group_of_readers_gets_the_new_design(update: Callable[[str], None]) -> None:
    issue = make_approved_issue()
    approved = Variant.objects.get()
    update("second")
    (newcomer,) = add_subscribers(issue.publication, 1, where=LONDON, start=2)
    send = start_send(issue=issue, now=DUE_AT)
    assert send.recipients == 3
    assert 'class="second"' in find_mail(newcomer).html
    assert "Vigil by the river" in find_mail(newcomer).html
    assert find_mail(Subscriber.objects.get(email="person0@example.com")).html == approved.html


def test_a_mail_of_another_day_has_the_new_design(update: Callable[[str], None]) -> None:
    issue = make_approved_issue()
    update("second")
    send = start_send(issue=issue, now=DUE_AT + timedelta(days=2))
    assert send.state == "submitting"
    assert 'class="second"' in Variant.objects.get().html


def test_an_update_during_a_send_changes_no_mail_of_it(update: Callable[[str], None]) -> None:
    issue = make_approved_issue()
    send = start_send(issue=issue, now=DUE_AT)
    prepared = Variant.objects.get()
    update("second")
    assert notify() == []
    assert start_send(issue=issue, now=DUE_AT).pk == send.pk
    assert Variant.objects.get().html == prepared.html
    assert Delivery.objects.count() == 2


def fail(document: Document) -> RenderedMail:
    raise TemplateError(Message("There is no template for a block of the kind “band”."))


def test_a_mail_that_can_no_longer_be_made_counts_as_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    make_approved_issue()
    monkeypatch.setattr(rendering, "render", fail)
    assert len(notify()) == 1


def test_an_issue_is_held_if_a_new_mail_of_it_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    issue = make_approved_issue()
    add_subscribers(issue.publication, 1, where=LONDON, start=2)
    monkeypatch.setattr(rendering, "render", fail)
    start_due_sends(now=DUE_AT)
    issue.refresh_from_db()
    assert (issue.state, issue.held) == ("approved", True)
    assert not Delivery.objects.exists()
    monkeypatch.undo()
    release_issue(issue=issue)
    start_due_sends(now=DUE_AT)
    assert Delivery.objects.count() == 3


def test_one_mail_that_cannot_be_made_hides_no_other_issue(monkeypatch: pytest.MonkeyPatch) -> None:
    """An extension's code can raise anything."""
    make_approved_issue()

    def fail_with_a_defect(document: Document) -> RenderedMail:
        raise KeyError("band")

    monkeypatch.setattr(rendering, "render", fail_with_a_defect)
    assert len(notify()) == 1
    known_designs.clear()
    assert len(notify()) == 1


def test_a_revision_that_cannot_be_read_hides_no_other_issue(update: Callable[[str], None]) -> None:
    issue = make_approved_issue()
    old = IssueRevision.objects.create(
        issue=issue, number=99, sha256="0" * 64, content={"schema_version": 0}, made_at=NOW
    )
    assert compare_design(old.pk) == ""
    IssueRevision.objects.filter(pk=old.pk).update(content={"schema_version": 1})
    assert compare_design(old.pk) == ""


def test_a_new_address_key_does_not_change_the_design(settings: Any) -> None:
    issue = make_approved_issue(clicks="counts", approved=True)
    assert "/r/" in Variant.objects.get().html
    settings.SUBSCRIBERS_ADDRESS_KEY = "another key of addresses, also of 32 bytes"
    settings.SUBSCRIBERS_LINK_KEYS = ["another key of links, also long enough"]
    assert compare_design(issue.approvals.get().revision_id) == ""


def test_an_issue_whose_content_changed_too_has_no_notice_of_its_design(update: Callable[[str], None]) -> None:
    issue = make_approved_issue()
    update("second")
    Issue.objects.filter(pk=issue.pk).update(subject="Another subject")
    assert notify() == []


def test_a_send_that_begins_during_the_comparison_has_no_notice(
    update: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = make_approved_issue()
    update("second")

    def compare(revision_id: int) -> str:
        design = compare_design(revision_id)
        start_send(issue=issue, now=DUE_AT)
        return design

    monkeypatch.setattr(design_since_approval, "compare_design", compare)
    assert notify() == []


def test_the_second_approver_is_asked_to_look_at_the_preview(update: Callable[[str], None]) -> None:
    issue = make_approved_issue(second_approval_above=1)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    update("second")
    assert len(notify()) == 1
    paragraphs = " ".join(StaffNotice.objects.get(key__startswith="design-").paragraphs)
    assert "Somebody still has to approve the issue" in paragraphs
    assert "hold the issue" not in paragraphs


def test_a_change_of_any_language_is_a_change_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    issue = make_approved_issue()
    revision = issue.approvals.get().revision
    group = ReaderGroup.objects.get()
    values = {"html": "x", "text": "x", "subject": "x", "sha256": "0" * 64, "issue": issue, "revision": revision}
    for number in range(MAX_MAILS_COMPARED + 2):
        language = "es" if number > MAX_MAILS_COMPARED else "en"
        variant = Variant.objects.create(key=f"k{number}", public_id=f"p{number}", language=language, **values)
        ReaderGroup.objects.create(
            revision=revision, variant=variant, place_id=100 + number, giving=group.giving, radius_km=0,
            frequency="every", interests=0, seen=0, rules=0, language=language, arm=0, people=1,
            fallback=group.fallback, empty_reason="",
        )  # fmt: skip
    changed: set[str] = set()

    def make_again(variant: Variant, *, group: ReaderGroup, content: IssueContent) -> str:
        return f"new {variant.language}" if variant.language in changed else ""

    monkeypatch.setattr(design_since_approval, "_make_again", make_again)
    names = set()
    for languages in (set(), {"en"}, {"en", "es"}):
        changed |= languages
        names.add(compare_design(revision.pk))
    assert len(names) == 3


def test_welcome_mails_of_a_publication_have_one_notice(update: Callable[[str], None]) -> None:
    publication = make_publication()
    make_story("The first verdict")
    turn_on_welcome(publication, steps=3)
    assert notify() == []
    update("second")
    assert len(notify()) == len(notify()) == 1
    notice = StaffNotice.objects.get(key__startswith="design-")
    assert notice.subject == "The welcome mails of The weekly letter would look different now"


def test_designs_of_issues_that_no_longer_wait_are_forgotten() -> None:
    issue = make_approved_issue()
    notify()
    approval = issue.approvals.get()
    assert list(known_designs) == [(approval.pk, approval.revision_id)]
    withdraw_approvals(issue=issue, now=NOW)
    notify()
    assert not known_designs


def add_process(version: str, *, seen_ago: float = 0) -> None:
    seen_at = NOW - timedelta(seconds=seen_ago)
    RunningProcess.objects.create(key=version, web=True, version=version, started_at=seen_at, seen_at=seen_at)


def test_no_notice_is_written_while_two_versions_run(update: Callable[[str], None]) -> None:
    """The new web process made the mails, and the old scheduler compares them."""
    make_approved_issue()
    update("the older one")
    add_process("1.0.0")
    add_process("1.1.0")
    assert notify() == []
    RunningProcess.objects.filter(version="1.0.0").delete()
    assert len(notify()) == 1


def test_a_process_that_stopped_silently_delays_no_notice(update: Callable[[str], None]) -> None:
    make_approved_issue()
    update("second")
    add_process("1.0.0", seen_ago=90)
    add_process("1.1.0")
    assert len(notify()) == 1


def test_an_approval_after_a_notice_is_compared_again(update: Callable[[str], None]) -> None:
    """Another process may make the mails again for the same revision."""
    issue = make_approved_issue()
    update("second")
    assert find_redesigned_issues()
    withdraw_approvals(issue=issue, now=NOW)
    issue.refresh_from_db()
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    assert find_redesigned_issues() == []
