"""A protected term holds issues and sends, and no proof or notice contains it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from newsletter.common.errors import NotReady
from newsletter.issues.approval.approve import approve_by_policy, approve_issue
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.protected_terms.terms import (
    remove_terms,
    reveal_term,
)
from newsletter.jobs.notices.about_issues import notify_assembly
from newsletter.jobs.scheduler_jobs import start_due_sends
from newsletter.models import (
    Attempt,
    Batch,
    Issue,
    ProtectedTerm,
    Send,
    StaffNotice,
    Variant,
)
from newsletter.sending.dispatching.batch_claim import claim_batch, find_due_batches
from newsletter.sending.freezing.start import start_send
from newsletter.sending.limits.send_window import enforce_send_window, pause_protected
from newsletter.sending.notices.proofs import send_proofs
from newsletter.sending.settling.send_controls import resume_send
from tests.support.fixtures import (
    DUE,
    NOW,
    add_subscribers,
    make_approver,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.protected_terms import (  # noqa: F401  a fixture
    MASKED,
    SECRET,
    in_calendar,
    in_story,
    in_subject,
    keeper,
    make_issue_with_event,
    protect,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.requirement("V3")
def test_a_term_added_after_approval_holds_the_issue_with_a_notice(issue: Issue) -> None:
    in_story(issue)
    approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    protect(SECRET)
    start_due_sends(now=Issue.objects.get(pk=issue.pk).slot.due_at)
    assert_held(issue)


@pytest.mark.requirement("V3")
def test_an_automatic_issue_is_held_with_a_notice() -> None:
    publication = make_publication(approval="auto")
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    make_approver()
    in_subject(issue)
    protect(SECRET)
    with pytest.raises(NotReady, match="protected term"):
        approve_by_policy(issue=Issue.objects.get(pk=issue.pk), now=NOW)
    start_due_sends(now=issue.slot.due_at)
    assert_held(issue)


def assert_held(issue: Issue) -> None:
    issue.refresh_from_db()
    assert issue.held
    assert MASKED in issue.held_reason
    notice = StaffNotice.objects.get()
    assert MASKED in notice.paragraphs[0]
    assert "uintanilla" not in repr((notice.subject, notice.paragraphs, issue.held_reason)).lower()
    assert not Send.objects.exclude(state="cancelled").exists()


@pytest.mark.requirement("V3")
def test_the_freeze_searches_again(issue: Issue) -> None:
    from newsletter.sending.freezing.start import prepare_requested_sends, request_send

    in_story(issue)
    approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    request_send(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    protect(SECRET)
    assert prepare_requested_sends(now=NOW) == [issue]
    assert Send.objects.get().state == "cancelled"
    assert MASKED in Issue.objects.get(pk=issue.pk).held_reason


@pytest.mark.requirement("V3")
def test_a_running_send_pauses_until_the_term_is_removed(issue: Issue) -> None:
    in_story(issue)
    approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    send = start_send(issue=Issue.objects.get(pk=issue.pk), now=NOW)
    terms = protect(SECRET)
    assert pause_protected() == [issue]
    send.refresh_from_db()
    assert (send.state, MASKED in send.reason) == ("paused", True)
    resume_send(send=send, by=make_approver())
    enforce_send_window(now=NOW)
    send.refresh_from_db()
    assert send.state == "paused"
    remove_terms(ids=[term.pk for term in terms], by=keeper())
    resume_send(send=send, by=make_approver())
    enforce_send_window(now=NOW)
    send.refresh_from_db()
    assert send.state == "submitting"


def on_its_way(issue: Issue, settings: Any) -> tuple[Send, list[int]]:
    """A send of an issue that says the secret, in batches of one person."""
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=1"
    approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    send = start_send(issue=Issue.objects.get(pk=issue.pk), now=NOW)
    return send, list(send.batches.order_by("seq").values_list("pk", flat=True))


def may_be_claimed(batch: int) -> bool:
    """Return True if a worker can claim the batch now. Put it back afterwards."""
    claim = claim_batch(batch_id=batch, provider="outbox", now=NOW)
    Attempt.objects.filter(batch=batch).delete()
    Batch.objects.filter(pk=batch).update(state=Batch.State.PENDING, attempt_number=0)
    return claim is not None


@pytest.mark.requirement("V3")
def test_a_new_term_stops_claims_even_before_a_sweep(issue: Issue, settings: Any) -> None:
    in_story(issue)
    send, batches = on_its_way(issue, settings)
    assert may_be_claimed(batches[0])
    terms = protect(SECRET)
    assert find_due_batches(now=NOW) == []
    assert not any(map(may_be_claimed, batches))
    enforce_send_window(now=NOW)
    resume_send(send=Send.objects.get(), by=make_approver())
    assert not any(map(may_be_claimed, batches))
    remove_terms(ids=[term.pk for term in terms], by=keeper())
    assert all(map(may_be_claimed, batches))


@pytest.mark.requirement("V3")
def test_a_send_without_the_new_term_continues_once_searched(issue: Issue, settings: Any) -> None:
    send, batches = on_its_way(issue, settings)
    protect(SECRET)
    assert not may_be_claimed(batches[0])
    assert pause_protected() == []
    assert all(map(may_be_claimed, batches))
    protect("Another Name")
    assert not may_be_claimed(batches[0])
    enforce_send_window(now=NOW)
    assert all(map(may_be_claimed, batches))


@pytest.mark.requirement("V3")
def test_a_new_send_was_searched_for_every_term(issue: Issue, settings: Any) -> None:
    protect(SECRET)
    _, batches = on_its_way(issue, settings)
    assert all(map(may_be_claimed, batches))


@pytest.mark.requirement("V3")
def test_a_repeated_batch_was_searched_like_the_others(issue: Issue, settings: Any) -> None:
    """The words are in no block: only the mail itself has them, as from a template."""
    send, batches = on_its_way(issue, settings)
    (first, *_others) = batches
    variant = Variant.objects.get(pk=Batch.objects.get(pk=first).variant_id)
    own = Variant(
        issue=issue, revision=variant.revision, key="own", public_id="own", language="en", subject="",
        html=f"<p>{SECRET}</p>", text=SECRET, sha256="own",
    )  # fmt: skip
    own.save()
    Batch.objects.filter(pk=first).update(variant=own, state=Batch.State.UNCERTAIN)
    protect(SECRET)
    assert pause_protected() == [issue]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one transaction after the other")
@pytest.mark.requirement("V3")
def test_terms_are_numbered_in_the_order_of_their_commits(issue: Issue, settings: Any) -> None:
    """Else a send that was searched for the second would count as searched for the first, which nobody could see yet."""
    send, batches = on_its_way(issue, settings)
    keeper()

    def add_second() -> None:
        try:
            protect("Another Name")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            protect(SECRET)
            second = pool.submit(add_second)
            with pytest.raises(TimeoutError):
                second.result(timeout=1)
        second.result(timeout=20)
    first, last = ProtectedTerm.objects.order_by("pk")
    assert reveal_term(term=first, by=keeper()) == SECRET


@pytest.mark.requirement("V3")
def test_a_proof_with_a_term_is_refused(issue: Issue) -> None:
    in_subject(issue)
    protect(SECRET)
    from newsletter.issue_checks.variant_groups import EMPTY_GROUP

    by = make_approver()
    with pytest.raises(NotReady, match="protected term"):
        send_proofs(issue=Issue.objects.get(pk=issue.pk), group=EMPTY_GROUP, to=[by], by=by, now=NOW)


@pytest.mark.requirement("V3")
def test_the_notice_about_an_issue_does_not_contain_the_term() -> None:
    publication = make_publication()
    make_story(f"How {SECRET} came home")
    make_approver()
    protect(SECRET)
    assembly = assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW)
    notify_assembly(assembly, now=NOW)
    notice = StaffNotice.objects.get()
    assert "uintanilla" not in repr((notice.subject, notice.paragraphs))
    assert "Read it in the desk." in notice.paragraphs[1]
