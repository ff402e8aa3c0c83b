"""Write the notices about issues: one was assembled, waits for an approval, was not sent, or would look different now."""

from collections.abc import Callable
from datetime import date, datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from newsletter.common.messages import Message, Quantity, describe_hours
from newsletter.common.text import escape_merge_fields
from newsletter.issues.approval.approval_rules import find_first_of_two, find_manual_approval_reason, is_automatic
from newsletter.issues.approval.decision_links import make_decision_url
from newsletter.issues.approval.design_since_approval import find_redesigned_issues
from newsletter.issues.approval.reopen_uncovered import (
    find_waiting_notices,
    make_needs_person_key,
    make_not_sent_key_prefix,
    make_second_approval_key,
)
from newsletter.issues.approval.write_notices import (
    desk_home_url,
    issue_page_url,
    new_issue_url,
    write_notice,
)
from newsletter.issues.assembly.assemble import Assembly
from newsletter.issues.assembly.first_draft import find_unread_sources
from newsletter.issues.planning.create_issue import Beginning
from newsletter.issues.snapshot.resolve import hash_approved_content, resolve_content
from newsletter.issues.variants.reader_zones import find_first_hour
from newsletter.models import Issue, Publication, Slot
from newsletter.monitoring.process_figures import find_running_versions
from newsletter.sending.deliverability.domains import find_domain_error

_IF_NEWS_COME = Message("If a story or an event comes before then, the issue is made after all.")
_WRITE_YOURSELF = Message("To send something else, write an issue yourself.")


def notify_assembly(assembly: Assembly, *, now: datetime) -> None:
    """Queue a notice that an issue was assembled, or that its slot was skipped."""
    slot, issue, publication = assembly.slot, assembly.issue, assembly.slot.publication
    due_on, _, time = slot.due_local.partition("T")
    day = date.fromisoformat(due_on)
    when = Message("%(day)s at %(time)s (%(zone)s)", day=day, time=time, zone=publication.zone)
    if issue is None:
        subject = Message("%(name)s: nothing will be sent on %(due_local)s", name=publication.name, due_local=day)
        # The reason of any other slot names them itself.
        unread = _describe_failing_sources(publication) if slot.kind == Issue.Kind.DIGEST else []
        paragraphs, link = [slot.reason, *unread], desk_home_url()
        if slot.kind == Slot.Kind.ISSUE:
            paragraphs += [_IF_NEWS_COME, _WRITE_YOURSELF] if slot.due_at > now else [_WRITE_YOURSELF]
            link = new_issue_url(publication, beginning=Beginning.EMPTY)
        write_notice(publication, f"skipped-{slot.pk}", subject, paragraphs, link, now)
    else:
        people = issue.announced_people or 0
        reason = find_manual_approval_reason(issue, people=people) if is_automatic(issue) else ""
        paragraphs = [
            _describe_next_step(issue, when, needs_person=bool(reason) or not is_automatic(issue)),
            *_describe_first_hour(issue, now=now),
            Message("Its subject: %(subject)s", subject=escape_merge_fields(issue.default_subject)),
            reason or _describe_recipients(people),
            *_describe_failing_sources(publication),
        ]
        subject = Message("%(issue)s is ready to read", issue=issue)
        key = make_needs_person_key(issue) if reason else f"assembled-{slot.pk}"
        write_notice(publication, key, subject, paragraphs, _decision_link(issue, now=now), now)


def notify_not_assembled(slot: Slot, *, reason: str, now: datetime) -> None:
    """Queue a notice, once for each slot, that its issue could not be made."""
    publication = slot.publication
    due_on, _, time = slot.due_local.partition("T")
    day = date.fromisoformat(due_on)
    subject = Message("%(name)s: the issue of %(due_local)s could not be made", name=publication.name, due_local=day)
    when = Message("%(day)s at %(time)s (%(zone)s)", day=day, time=time, zone=publication.zone)
    paragraphs = [reason, _describe_attempts(slot, when)]
    link = desk_home_url()
    if slot.kind == Slot.Kind.ISSUE:
        paragraphs.append(_WRITE_YOURSELF)
        link = new_issue_url(publication, beginning=Beginning.EMPTY)
    write_notice(publication, f"unassembled-{slot.pk}", subject, paragraphs, link, now)


def _describe_attempts(slot: Slot, when: str) -> str:
    """Say until when we try again. A skipped slot is not tried after its time (`find_slots_to_assemble`)."""
    if slot.state == Slot.State.SKIPPED:
        return Message("Its time is %(when)s. We try again until that time.", when=when)
    hours = int(Issue.GRACE_PERIOD.total_seconds() // 3600)
    return Message(
        "Its time is %(when)s. We try again until %(hours)s after that time.", when=when, hours=describe_hours(hours)
    )


def notify_not_planned(publication: Publication, *, kind: str, reason: str, now: datetime) -> None:
    """Queue a notice, once a day, that the next issue, or the next monthly digest, of a publication cannot be planned."""
    key, name = f"unplanned-{publication.pk}-{now:%Y-%m-%d}", publication.name
    subject = Message("%(name)s: the next issue cannot be planned", name=name)
    effect = Message("Until this is put right, no issue is made at the times of the schedule.")
    if kind == Slot.Kind.DIGEST:
        key = f"digest-{key}"
        subject = Message("%(name)s: the next monthly digest cannot be planned", name=name)
        effect = Message("Until this is put right, no monthly digest is made at the times of its schedule.")
    write_notice(publication, key, subject, [reason, effect], desk_home_url(), now)


def notify_redesigned_issues(*, now: datetime) -> None:
    """Queue a notice about each approved issue whose mails would be made differently now, once for each change.

    The welcome mails of a publication have one notice together. While processes of two versions run, as in a rolling update,
    write none: one version may have made the mails that the other compares.
    """
    if len(find_running_versions(now=now)) > 1:
        return
    welcome: dict[int, list[tuple[Issue, str]]] = {}
    for issue, design in find_redesigned_issues():
        if issue.is_welcome:
            welcome.setdefault(issue.publication_id, []).append((issue, design))
            continue
        subject = Message("The mails of %(issue)s would look different now", issue=issue)
        key = f"design-{issue.pk}-{design}"
        write_notice(issue.publication, key, subject, _describe_redesign(issue), issue_page_url(issue), now)
    for mails in welcome.values():
        _notify_redesigned_welcome(mails, now=now)


def _describe_redesign(issue: Issue) -> list[Message]:
    is_approved = issue.state == Issue.State.APPROVED
    return [
        Message(
            "The mails of %(issue)s would look different if they were made now. This happens after an update of the program "
            "or of an extension. The texts, images and events are as approved.",
            issue=issue,
        ),
        Message(
            "Mails that were made for the approval are sent as they are. Mails that are made later look different: all of "
            "them if the issue is sent on another day than planned, else those of new groups of readers."
        ),
        Message("Look at the preview. If something is wrong, hold the issue before it is sent.")
        if is_approved
        else Message("Somebody still has to approve the issue. Look at the preview before you approve it."),
        Message("To send all mails as they look now, withdraw the approval and approve the issue again."),
    ]


def _notify_redesigned_welcome(mails: list[tuple[Issue, str]], *, now: datetime) -> None:
    issue, _ = mails[0]
    publication = issue.publication
    paragraphs = [
        Message(
            "The welcome mails of %(name)s would look different if they were made now. This happens after an update of the "
            "program or of an extension. Their texts and images are as approved.",
            name=publication.name,
        ),
        Message("They are made again each day, so people who join from tomorrow on get them as they look now."),
        Message("Look at the preview. If something is wrong, withdraw the approval of the mail: then it is not sent."),
    ]
    designs = sha256(" ".join(sorted(design for _, design in mails)).encode()).hexdigest()[:12]
    subject = Message("The welcome mails of %(name)s would look different now", name=publication.name)
    key = f"design-welcome-{publication.pk}-{designs}"
    write_notice(publication, key, subject, paragraphs, issue_page_url(issue), now)


def notify_second_approvals(*, now: datetime) -> None:
    """Queue a notice about each issue that needs two approvals, while one is valid."""
    waiting = Issue.objects.filter(state=Issue.State.IN_REVIEW, publication__second_approval_above__isnull=False)
    for issue in waiting.select_related("publication", "slot"):
        last = issue.approvals.filter(withdrawn_at__isnull=True, person__isnull=False).order_by("at").last()
        if last is None or find_waiting_notices(issue).filter(made_at__gt=last.at).exists():
            continue  # people are not counted again for a notice that exists
        approval = find_first_of_two(issue, now=now)
        if approval is None:
            continue
        paragraphs = [
            Message(
                "%(person)s has approved it. It goes to so many people that a second person must approve it.",
                person=approval.person,
            ),
            Message("Without a second approval nothing is sent."),
        ]
        key = make_second_approval_key(approval)
        subject = Message("%(issue)s is waiting for a second approval", issue=issue)
        write_notice(issue.publication, key, subject, paragraphs, _decision_link(issue, now=now), now)


def notify_approval_needed(issue: Issue, *, reason: str, now: datetime) -> None:
    """Queue a notice that an automatic issue was not sent when due, because a rule requires a person's approval."""
    paragraphs = [reason, Message("This issue was not sent. It will not be sent until somebody approves it.")]
    key = f"{make_not_sent_key_prefix(issue)}{issue.approvals.count()}"
    subject = Message("%(issue)s is waiting for approval", issue=issue)
    write_notice(issue.publication, key, subject, paragraphs, _decision_link(issue, now=now), now)


def _describe_next_step(issue: Issue, when: str, *, needs_person: bool) -> str:
    problem = find_domain_error(issue.publication.from_email, account=issue.publication.account)
    if not needs_person and problem:
        return Message(
            "%(issue)s is due on %(when)s. It is not sent until the sending domain is put right: %(problem)s",
            issue=issue,
            when=when,
            problem=problem.text,
        )
    if not needs_person:
        return Message("%(issue)s will be sent on %(when)s unless somebody holds it.", issue=issue, when=when)
    return Message(
        "%(issue)s is waiting for approval. It is due on %(when)s; without approval nothing is sent.",
        issue=issue,
        when=when,
    )


def _describe_recipients(people: int) -> str:
    if people == 1:
        return Message("It goes to 1 person.")
    return Message("It goes to %(people)s people.", people=Quantity(people))


def _describe_first_hour(issue: Issue, *, now: datetime) -> list[str]:
    """Say when the first people get the issue, if they get it by their own clock before its time."""
    first = find_first_hour(issue, now=now)
    if first is None or issue.due_at is None or first >= issue.due_at:
        return []
    local = first.astimezone(ZoneInfo(issue.publication.zone))
    return [
        Message(
            "Readers get it at that time by their own clock. The first get it on %(day)s at %(time)s (%(zone)s).",
            day=local.date(),
            time=f"{local:%H:%M}",
            zone=issue.publication.zone,
        )
    ]


def _decision_link(issue: Issue, *, now: datetime) -> Callable[[User], str]:
    """Return a function that makes a person's own link to decide about the current content."""
    sha256 = hash_approved_content(resolve_content(issue))
    return lambda person: make_decision_url(issue=issue.public_id, sha256=sha256, person=person.pk, now=now)


def _describe_failing_sources(publication: Publication) -> list[str]:
    """Name the sources that could not be read, so that content may be missing."""
    names = find_unread_sources(publication)
    text = Message("These sources could not be read, so new content may be missing: %(names)s.", names=", ".join(names))
    return [text] if names else []
