"""Tells staff by mail what happened while nobody was at the desk. What is to be told is a row; it is sent until it was taken."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db.models import Q
from django.utils import translation

from newsletter.common.messages import Message, Quantity
from newsletter.common.translation import translate
from newsletter.issues.approval.approval_rules import find_manual_approval_reason, is_automatic
from newsletter.issues.approval.decision_links import make_decision_url
from newsletter.issues.assembly.assemble import Assembly
from newsletter.issues.protected_terms.check import replace_protected_text
from newsletter.issues.snapshot.plain_text import escape_merge_fields
from newsletter.issues.snapshot.resolve import hash_content, resolve_content
from newsletter.jobs.export_notices import EXPORT_KEY_PREFIX
from newsletter.jobs.held_signup_notices import HELD_SIGNUPS_KEY_PREFIX
from newsletter.models import Issue, Publication, Source, StaffNotice
from newsletter.providers.base.contract import Adapter, Verdict
from newsletter.sending.notices.single_mails import may_be_repeated, must_wait
from newsletter.sending.notices.system_mail import find_staff_language, send_notice, sender_of
from newsletter.sending.provider import current_adapter

log = logging.getLogger(__name__)
BATCH_LIMIT = 50
_WHY = Message("You get this because you may approve issues.")
_WHY_EXPORT = Message("You get this because you look after the people.")


def notify_assembly(assembly: Assembly, *, now: datetime) -> None:
    """An issue waits to be read, or a slot was skipped."""
    slot, issue, publication = assembly.slot, assembly.issue, assembly.slot.publication
    when = f"{slot.due_local.replace('T', ' at ')} ({publication.zone})"
    if issue is None:
        subject = Message(
            "%(name)s: nothing goes out on %(due_local)s", name=publication.name, due_local=slot.due_local[:10]
        )
        words = [slot.reason, *_describe_failing_sources(publication)]
        write_notice(publication, f"skipped-{slot.pk}", subject, words, _home_url(), now)
    else:
        first, many = _describe_next_step(issue, when)
        words = [
            first,
            Message("Its subject: %(subject)s", subject=escape_merge_fields(issue.subject)),
            many,
            *_describe_failing_sources(publication),
        ]
        write_notice(
            publication,
            f"assembled-{slot.pk}",
            Message("%(issue)s is ready to read", issue=issue),
            words,
            _decision_link(issue, now=now),
            now,
        )


def notify_hold(issue: Issue, *, now: datetime) -> None:
    """An issue did not go out when it should have. Each reason is told once."""
    words = [issue.held_reason, Message("Nothing of it was sent. Look at it, then release it or send it by hand.")]
    why = sha256(issue.held_reason.encode()).hexdigest()[:12]
    write_notice(
        issue.publication,
        f"held-{issue.pk}-{why}",
        Message("%(issue)s is held", issue=issue),
        words,
        issue_page_url(issue),
        now,
    )


def notify_second_approvals(*, now: datetime) -> None:
    """Issues that one person has approved and that a second one must."""
    for issue in Issue.objects.filter(state=Issue.State.IN_REVIEW).select_related("publication", "slot"):
        approval = issue.approvals.filter(withdrawn_at__isnull=True, person__isnull=False).order_by("at").first()
        if approval is None:
            continue
        words = [
            Message(
                "%(person)s has approved it. So many people get it that a second person has to.", person=approval.person
            ),
            Message("Without a second approval nothing goes out."),
        ]
        key = f"second-{issue.pk}-{approval.sha256[:16]}"
        write_notice(
            issue.publication,
            key,
            Message("%(issue)s waits for a second approval", issue=issue),
            words,
            _decision_link(issue, now=now),
            now,
        )


def notify_approval_needed(issue: Issue, *, why: str, now: datetime) -> None:
    """An automatic issue did not go out at its time, because a rule asks for a person."""
    words = [why, Message("Nothing of it was sent. Without approval nothing goes out.")]
    key = f"waits-{issue.pk}-{issue.approvals.count()}"
    write_notice(
        issue.publication,
        key,
        Message("%(issue)s waits for an approval", issue=issue),
        words,
        _decision_link(issue, now=now),
        now,
    )


def notify_changed_after_approval(issue: Issue, *, what: Sequence[str], now: datetime) -> None:
    """What an approved issue shows is no longer what was approved."""
    words = [
        Message("After it was approved, this changed: %(what)s.", what="; ".join(what).removesuffix(".")),
        Message("It does not go out until somebody has read it again and approved it."),
    ]
    key = f"changed-{issue.pk}-{issue.approvals.count()}"
    write_notice(
        issue.publication,
        key,
        Message("%(issue)s changed and needs a new approval", issue=issue),
        words,
        issue_page_url(issue),
        now,
    )


def send_due_notices(*, now: datetime, adapter: Adapter | None = None) -> int:
    """Send what is to be told; a mail that was surely not taken is tried again. Returns how many were taken."""
    adapter = adapter or current_adapter()
    taken = 0
    waiting = StaffNotice.objects.filter(sent_at__isnull=True).select_related("person", "publication__brand")
    for notice in waiting[:BATCH_LIMIT]:
        if must_wait(adapter=adapter, now=now):
            break
        if StaffNotice.objects.filter(pk=notice.pk, sent_at__isnull=True).update(sent_at=now):
            taken += _send(notice, adapter, now=now)
    return taken


def find_approvers() -> list[User]:
    may = Permission.objects.filter(content_type__app_label="newsletter", codename="approve_issue")
    people = User.objects.filter(Q(groups__permissions__in=may) | Q(user_permissions__in=may), is_active=True)
    return list(people.exclude(email="").distinct().order_by("pk"))


def write_notice(
    publication: Publication,
    key: str,
    subject: str,
    paragraphs: Sequence[str],
    link: str | Callable[[User], str],
    now: datetime,
) -> None:
    """Everybody who may approve is to hear of it, once for each ``key``."""
    StaffNotice.objects.bulk_create(
        (
            StaffNotice(
                key=key,
                person=person,
                subject=replace_protected_text(subject)[:300],
                paragraphs=[replace_protected_text(paragraph) for paragraph in paragraphs],
                link=link if isinstance(link, str) else link(person),
                publication=publication,
                made_at=now,
            )
            for person in find_approvers()
        ),
        ignore_conflicts=True,
    )


def _send(notice: StaffNotice, adapter: Adapter, *, now: datetime) -> int:
    language = find_staff_language(notice.person)
    with translation.override(language):
        outcome = send_notice(
            adapter=adapter,
            sender=replace(sender_of(notice.publication), language=language.partition("-")[0]),
            to=notice.person.email,
            key=f"staff-{notice.pk}",
            subject=escape_merge_fields(translate(replace_protected_text(notice.subject))),
            paragraphs=[
                escape_merge_fields(translate(replace_protected_text(paragraph))) for paragraph in notice.paragraphs
            ],
            button=(translate(Message("Open it in the desk")), notice.link),
            now=now,
            reason=translate(
                _WHY_EXPORT if notice.key.startswith((EXPORT_KEY_PREFIX, HELD_SIGNUPS_KEY_PREFIX)) else _WHY
            ),
        )
    if may_be_repeated(outcome):
        StaffNotice.objects.filter(pk=notice.pk).update(sent_at=None)
        log.warning("Staff could not be told and will be: %s", outcome.reason)
    return int(outcome.verdict is Verdict.ACCEPTED)


def _describe_next_step(issue: Issue, when: str) -> tuple[str, str]:
    """What happens next, and to how many people it goes or why a person must approve it."""
    people = issue.announced_people or 0
    many = (
        Message("It goes to %(people)s people.", people=Quantity(people))
        if people != 1
        else Message("It goes to 1 person.")
    )
    why = find_manual_approval_reason(issue, people=people) if is_automatic(issue) else ""
    if is_automatic(issue) and not why:
        return Message("%(issue)s goes out on %(when)s unless somebody holds it.", issue=issue, when=when), many
    waits = Message(
        "%(issue)s waits for your approval. It is due on %(when)s; without approval nothing goes out.",
        issue=issue,
        when=when,
    )
    return waits, why or many


def _decision_link(issue: Issue, *, now: datetime) -> Callable[[User], str]:
    """Each approver's own link to the page on which one decides about what the issue says now."""
    sha256 = hash_content(resolve_content(issue))
    return lambda person: make_decision_url(issue=issue.public_id, sha256=sha256, person=person.pk, now=now)


def _describe_failing_sources(publication: Publication) -> list[str]:
    """The sources of which something may be missing, because they could not be read (F14)."""
    chosen = publication.sources.values_list("pk", flat=True)
    failing = Source.objects.filter(enabled=True, failures__gt=0).order_by("name")
    names = list((failing.filter(pk__in=chosen) if chosen else failing).values_list("name", flat=True))
    return (
        [Message("What is new there may be missing, for it could not be read: %(names)s.", names=", ".join(names))]
        if names
        else []
    )


def issue_page_url(issue: Issue) -> str:
    return f"{settings.NEWSLETTER_SITE_URL}/admin/issues/{issue.pk}/overview/"


def _home_url() -> str:
    return f"{settings.NEWSLETTER_SITE_URL}/admin/"
