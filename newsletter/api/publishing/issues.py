"""API calls about the drafting of issues: make one, read it, change its subject, check it, preview it. Staff approve and send."""

from dataclasses import asdict

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Status
from wagtail.log_actions import log

from newsletter.api.calls.access import ApiKeyAuth, get_key, label_caller, require_all_lists
from newsletter.api.calls.handle_call import repeats
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.saving import keep_approvals
from newsletter.api.publishing.drafting import edit_draft, find_issue_by_id, show_issue
from newsletter.api.publishing.key_scope import find_visible_issue, find_visible_publication
from newsletter.api.publishing.receipts import router
from newsletter.api.publishing.schemas import (
    ChecksAnswer,
    FindingAnswer,
    IssueAnswer,
    IssueChange,
    MailAnswer,
    NewIssue,
    ProblemAnswer,
    RehearsalAnswer,
    ReviewRequest,
    VersionAnswer,
)
from newsletter.common.errors import NotFound, WrongState
from newsletter.common.translation import translate
from newsletter.issue_checks.find_problems import find_problems
from newsletter.issue_checks.variant_groups import find_variant_groups
from newsletter.issues.approval.acknowledge import find_acknowledged
from newsletter.issues.approval.request_approval import request_approval
from newsletter.issues.planning.close_issue import delete_unused_draft
from newsletter.issues.planning.create_issue import Beginning, create_issue, parse_future_due
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.revisions import SEALED_STATES, freeze_revision
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.issues.variants.rehearse import rehearse_send
from newsletter.issues.variants.store_variants import make_variants
from newsletter.models import ApiKey, ApiScope, Issue, IssueRevision, Variant
from newsletter.rendering.mail import split
from newsletter.sending.notices.proofs import make_sample_mail
from subscribers.models import Segment

READING, WRITING = ApiKeyAuth(ApiScope.ISSUES_READ), ApiKeyAuth(ApiScope.ISSUES_WRITE)


@router.post("issues", auth=WRITING, response={201: IssueAnswer}, summary="Make an issue")
def make_issue(request: HttpRequest, data: NewIssue) -> Status[IssueAnswer]:
    """Make a draft on demand: from the rules, as a copy, or empty. Staff check, approve and send it."""
    key = get_key(request)
    with transaction.atomic():
        issue = create_issue(
            publication=find_visible_publication(key, data.publication),
            beginning=Beginning(data.beginning),
            by=None,
            now=timezone.now(),
            original=find_visible_issue(key, str(data.copy_of)) if data.copy_of else None,
            segment=_find_segment(key, data.segment) if data.segment else None,
            due=data.due,
        )
        log(instance=issue, action="wagtail.create", data={"key": key.name, "key_id": key.pk})
    return Status(201, show_issue(find_issue_by_id(request, issue.pk)))


@router.get("issues/{int:issue}", auth=READING, response=IssueAnswer, summary="Read an issue")
def read_issue(request: HttpRequest, issue: int) -> IssueAnswer:
    """Return the issue as staff see it, with its blocks. `issues/{issue}/receipt` is what may be public."""
    return show_issue(find_issue_by_id(request, issue))


@router.patch("issues/{int:issue}", auth=WRITING, response=IssueAnswer, summary="Propose a subject")
def change_issue(request: HttpRequest, issue: int, data: IssueChange) -> IssueAnswer:
    """Set subject or preheader of a draft. 409 once it is approved: the API withdraws no approval."""
    values = data.model_dump(exclude_unset=True)
    with edit_draft(request, issue, fields=sorted(values)) as row:
        for name, value in values.items():
            setattr(row, name, value)
    return show_issue(row)


@router.delete("issues/{int:issue}", auth=WRITING, response={204: None}, summary="Delete a draft")
@transaction.atomic
def delete_draft(request: HttpRequest, issue: int) -> Status[None]:
    """Delete a draft on demand that nobody approved, sent or proofed. Only staff skip or cancel another."""
    key, row = get_key(request), find_issue_by_id(request, issue)
    check_unchanged(request, show_issue(row))
    name, publication = str(row), row.publication
    delete_unused_draft(row)
    log(instance=publication, action="newsletter.delete", data={"key": key.name, "key_id": key.pk, "issue": name})
    return Status(204, None)


@router.post("issues/{int:issue}/review", auth=WRITING, response=IssueAnswer, summary="Hand an issue to review")
@transaction.atomic
def request_review(request: HttpRequest, issue: int, data: ReviewRequest) -> IssueAnswer:
    """Hand a draft to staff: it waits for approval, and those who may approve it are notified. Nothing is approved or sent."""
    key, now = get_key(request), timezone.now()
    row = find_issue_by_id(request, issue)
    check_unchanged(request, show_issue(row))
    due_at = parse_future_due(data.due, zone=row.publication.zone, now=now) if data.due else None
    with keep_approvals(now=now):
        request_approval(issue=row, asked_by=label_caller(key), due_at=due_at, now=now)
    log(instance=row, action="newsletter.ask", data={"key": key.name, "key_id": key.pk, "due": data.due})
    return show_issue(row)


@router.post("issues/{int:issue}/check", auth=READING, response=ChecksAnswer, summary="Check all versions of an issue")
@repeats(reads=True)
def check_issue(request: HttpRequest, issue: int) -> ChecksAnswer:
    """Run the checks of the desk, and make the mail of each group of readers as it would be sent now.

    If its content cannot become a mail, the answer is 422. A sent issue has the versions that were sent.
    """
    row = find_issue_by_id(request, issue)
    revision, variants = _make_variants(row)
    return ChecksAnswer(
        sha256=revision.sha256,
        problems=_find_problems(row, revision),
        versions=[
            VersionAnswer(
                key=variant.key,
                label=str(variant.label),
                people=sum(group.people for group in variant.groups.all()),
                findings=[FindingAnswer(level=row["level"], message=str(row["message"])) for row in variant.findings],
            )
            for variant in variants
        ],
    )


@router.get("issues/{int:issue}/rehearsal", auth=READING, response=RehearsalAnswer, summary="Rehearse an issue's send")
def rehearse(request: HttpRequest, issue: int) -> RehearsalAnswer:
    """Return who would get the issue now, in numbers by version, language, topic and zone. Nothing is stored or sent."""
    row = find_issue_by_id(request, issue)
    if row.state not in Issue.UNSENT_STATES:
        raise WrongState(
            "%(issue)s is %(state)s: its receipt has the numbers.", issue=row, state=row.get_state_display()
        )
    return RehearsalAnswer.model_validate(asdict(rehearse_send(row, now=timezone.now())))


@router.get(
    "issues/{int:issue}/versions/{str:version}",
    auth=READING,
    response=MailAnswer,
    summary="Preview a version of an issue",
)
def preview_version(request: HttpRequest, issue: int, version: str) -> MailAnswer:
    """Return subject, HTML and text of a version that `check` named, with sample values in the personal fields."""
    row = find_issue_by_id(request, issue)
    stored = Variant.objects.filter(revision__issue=row, key=version).select_related("revision").order_by("-revision")
    variant = stored.first() if version.isprintable() else None
    if variant is None:
        raise NotFound(
            "%(issue)s has no version “%(key)s”. Check it first: the answer names them.", issue=row, key=version
        )
    mail, person = make_sample_mail(variant, site_url=settings.NEWSLETTER_SITE_URL)
    subject, html, text = (split(part).join(person.variables) for part in (mail.subject, mail.html, mail.text))
    return MailAnswer(key=variant.key, subject=subject, html=html, text=text)


def _find_segment(key: ApiKey, slug: str) -> Segment:
    require_all_lists(key, "A segment selects among the people of all lists.")
    row = Segment.objects.filter(slug=slug, archived=False).first()
    if row is None:
        raise NotFound("There is no segment “%(slug)s” in use.", slug=slug)
    return row


def _find_problems(issue: Issue, revision: IssueRevision) -> list[ProblemAnswer]:
    """Return what the checks find now, with what staff acknowledged. An issue that was sent is not checked again."""
    if issue.state in SEALED_STATES:
        return []
    content = IssueContent.from_json(revision.content)
    groups = find_variant_groups(issue, content=content)
    acknowledged = find_acknowledged(issue, sha256=revision.sha256)
    return [
        ProblemAnswer(
            level=problem.level,
            code=problem.code,
            message=translate(problem.message),
            location=problem.location,
            people=problem.people,
            affects_all=problem.affects_all,
            acknowledged=problem.name in acknowledged,
        )
        for problem in find_problems(issue, content, groups=groups, now=timezone.now())
    ]


def _make_variants(issue: Issue) -> tuple[IssueRevision, list[Variant]]:
    """Return the versions that were sent, or those of the issue as it is now, as `newsletter preview` does."""
    sent = issue.sends.exclude(state="cancelled").select_related("revision").first()
    if sent is not None:
        variants = Variant.objects.filter(revision=sent.revision).that_readers_get().prefetch_related("groups")
        return sent.revision, list(variants)
    revision = freeze_revision(issue=issue, now=timezone.now())
    content = IssueContent.from_json(revision.content)
    return revision, make_variants(revision=revision, groups=find_groups(issue, content=content))
