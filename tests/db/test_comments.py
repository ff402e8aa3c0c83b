"""Comments on an issue: what they name, whom they notify, what they keep from happening, and what keeps them."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from newsletter.common.errors import NotAllowed, NotFound, NotReady
from newsletter.issues.approval.approve import approve_by_policy, approve_issue
from newsletter.issues.comments.comment import add_comment, answer_comment, reopen_comment, resolve_comment
from newsletter.issues.planning.close_issue import delete_issue
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.snapshot.revisions import freeze_revision
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.issues.variants.store_variants import make_variants
from newsletter.jobs.scheduler_jobs import start_due_sends
from newsletter.models import Comment, Issue, Publication, StaffNotice
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    return make_issue(publication)


@pytest.fixture
def ann() -> User:
    return make_approver("ann@example.org")


def list_notified() -> list[tuple[str, str]]:
    return [(notice.person.username, str(notice.subject)) for notice in StaffNotice.objects.order_by("pk")]


def test_an_open_comment_refuses_the_approval(issue: Issue, ann: User) -> None:
    comment = add_comment(issue=issue, text="Is this right?", by=ann, now=NOW)
    with pytest.raises(NotReady, match=r"has open comments \(1\), so it cannot be approved"):
        approve_issue(issue=issue, by=ann, now=NOW)
    resolve_comment(comment=comment, by=ann, now=NOW)
    approve_issue(issue=issue, by=ann, now=NOW)
    assert Issue.objects.get().state == Issue.State.APPROVED


def test_an_open_comment_holds_an_automatic_issue(issue: Issue, ann: User) -> None:
    Publication.objects.update(approval=Publication.ApprovalPolicy.AUTO)
    add_comment(issue=issue, text="Is this right?", by=ann, now=NOW)
    issue = Issue.objects.get()
    with pytest.raises(NotReady, match="open comments"):
        approve_by_policy(issue=issue, now=NOW)
    assert issue.due_at is not None
    start_due_sends(now=issue.due_at)
    issue.refresh_from_db()
    assert (issue.held, issue.sends.count()) == (True, 0)
    assert "open comments" in issue.held_reason


def test_a_comment_is_neither_in_the_content_nor_in_the_mail(issue: Issue, ann: User) -> None:
    before = hash_content(resolve_content(issue))
    add_comment(issue=issue, text="Unheard-of words", block=issue.body[0].id, by=ann, now=NOW)
    issue = Issue.objects.get()
    assert hash_content(resolve_content(issue)) == before
    revision = freeze_revision(issue=issue, now=NOW)
    for mail in make_variants(revision=revision, groups=find_groups(issue, content=resolve_content(issue), now=NOW)):
        assert "Unheard-of words" not in mail.html + mail.text


def test_a_comment_keeps_the_name_of_a_block_that_is_deleted(issue: Issue, ann: User) -> None:
    comment = add_comment(issue=issue, text="Shorter?", block=issue.body[0].id, by=ann, now=NOW)
    assert comment.block_label == "Lead story: The clinic opens its doors"
    issue.body = []
    issue.save()
    assert Comment.objects.get().block_label == comment.block_label
    with pytest.raises(NotFound, match="The block was deleted"):
        add_comment(issue=issue, text="Shorter?", block=comment.block, by=ann, now=NOW)


def test_the_name_of_a_block_is_its_text_without_markup(issue: Issue, ann: User) -> None:
    issue.body.append(("note", {"heading": "", "text": "<p>Questions &amp; answers</p><p>Ask us.</p>"}))
    issue.save()
    comment = add_comment(issue=issue, text="Shorter?", block=Issue.objects.get().body[-1].id, by=ann, now=NOW)
    assert comment.block_label == "Note: Questions & answers Ask us."


def test_everybody_who_is_mentioned_is_notified_once(issue: Issue, ann: User) -> None:
    bob, carol = make_approver("bob@example.org"), make_approver("carol@example.org")
    text = "@bob@example.org, please look. And @bob@example.org: today, with @ann@example.org."
    comment = add_comment(issue=issue, text=text, by=ann, now=NOW, notify=[bob, carol])
    says = f"ann@example.org mentioned you in a comment on {issue}"
    assert list_notified() == [("bob@example.org", says), ("carol@example.org", says)]
    assert StaffNotice.objects.all()[0].link.endswith(f"/admin/issues/{issue.pk}/overview/#nl-comment-{comment.pk}")


def test_an_answer_notifies_those_who_wrote_before(issue: Issue, ann: User) -> None:
    bob, carol = make_approver("bob@example.org"), make_approver("carol@example.org")
    comment = add_comment(issue=issue, text="Is this right?", by=ann, now=NOW)
    answer_comment(comment=comment, text="Yes.", by=bob, now=NOW)
    answer_comment(comment=comment, text="I agree with @bob@example.org", by=carol, now=NOW)
    says = f"answered a comment on {issue}"
    assert list_notified() == [
        ("ann@example.org", f"bob@example.org {says}"),
        ("bob@example.org", f"carol@example.org mentioned you in a comment on {issue}"),
        ("ann@example.org", f"carol@example.org {says}"),
    ]


def test_a_mention_of_nobody_is_an_error_that_names_it(issue: Issue, ann: User) -> None:
    User.objects.create(username="zoe@example.org", email="zoe@example.org")
    for text, name in (("Ask @bob", "bob"), ("Ask @zoe@example.org.", "zoe@example.org"), ("@Ann@example.org", "Ann@")):
        with pytest.raises(NotFound, match=f"is called “{name}"):
            add_comment(issue=issue, text=text, by=ann, now=NOW)
    assert not Comment.objects.exists()
    add_comment(issue=issue, text="Write to info@example.org", by=ann, now=NOW)
    assert not StaffNotice.objects.exists()


def test_an_answer_opens_a_resolved_comment_again(issue: Issue, ann: User) -> None:
    comment = add_comment(issue=issue, text="Is this right?", by=ann, now=NOW)
    resolve_comment(comment=comment, by=ann, now=NOW)
    comment.refresh_from_db()
    assert (comment.resolved_at, comment.resolved_by) == (NOW, ann)
    answer_comment(comment=comment, text="No.", by=ann, now=NOW)
    comment.refresh_from_db()
    assert (comment.resolved_at, comment.resolved_by) == (None, None)
    resolve_comment(comment=comment, by=ann, now=NOW)
    reopen_comment(comment=comment, by=ann)
    comment.refresh_from_db()
    assert comment.resolved_at is None


def test_only_staff_who_may_open_issues_comment_on_them(issue: Issue, ann: User) -> None:
    comment = add_comment(issue=issue, text="Is this right?", by=ann, now=NOW)
    other = User.objects.create(username="zoe@example.org")
    for call in (
        lambda: add_comment(issue=issue, text="Me too", by=other, now=NOW),
        lambda: answer_comment(comment=comment, text="Me too", by=other, now=NOW),
        lambda: resolve_comment(comment=comment, by=other, now=NOW),
        lambda: reopen_comment(comment=comment, by=other),
    ):
        with pytest.raises(NotAllowed, match="may not open issues"):
            call()


@pytest.mark.parametrize(
    "broken",
    [
        {"text": ""},
        {"resolved_by": True},
        {"block": "11111111-1111-4111-8111-111111111111"},
        {"parent": True, "resolved_at": NOW},
    ],
)
def test_the_database_refuses_a_comment_without_sense(issue: Issue, ann: User, broken: dict[str, object]) -> None:
    first = add_comment(issue=issue, text="Is this right?", by=ann, now=NOW)
    values = {"text": "Again", **broken}
    values |= {name: row for name, row in (("resolved_by", ann), ("parent", first)) if values.get(name)}
    with pytest.raises(IntegrityError), transaction.atomic():
        Comment.objects.create(issue=issue, person=ann, at=NOW, **values)
    with pytest.raises(NotReady, match="Write the comment first"):
        add_comment(issue=issue, text="  \n", by=ann, now=NOW)


def test_a_deleted_account_leaves_its_comments(issue: Issue, ann: User) -> None:
    bob = User.objects.create_superuser("bob@example.org")
    comment = add_comment(issue=issue, text="Is this right?", by=bob, now=NOW)
    resolve_comment(comment=comment, by=bob, now=NOW)
    bob.delete()
    comment.refresh_from_db()
    assert (comment.person, comment.resolved_by, comment.resolved_at) == (None, None, NOW)


def test_comments_go_with_their_issue(publication: Publication, ann: User) -> None:
    issue = create_issue(publication=publication, beginning=Beginning.EMPTY, by=ann, now=NOW)
    comment = add_comment(issue=issue, text="Is this right?", by=ann, now=NOW)
    answer_comment(comment=comment, text="Yes.", by=ann, now=NOW)
    delete_issue(issue=issue, reason="Made by mistake", by=ann)
    assert not Comment.objects.exists()
