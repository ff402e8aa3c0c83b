"""Comment on an issue, answer, resolve and reopen. People who are mentioned, and people who wrote before, are notified."""

import re
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db import transaction
from django.db.models import Q, QuerySet

from newsletter.common.errors import NotAllowed, NotFound, NotReady
from newsletter.common.messages import Message
from newsletter.issues.approval.write_notices import COMMENT_KEY_PREFIX, write_notice
from newsletter.issues.comments.block_labels import label_blocks
from newsletter.models import Comment, Issue

OPENING_PERMISSIONS = ("view_issue", "change_issue", "approve_issue", "send_issue")
"""Each of them opens an issue in the desk."""
_MENTION = re.compile(r"(?<![\w.+@-])@([\w+-]+(?:[.@+-]+\w+)*)")


@transaction.atomic
def add_comment(
    *, issue: Issue, text: str, by: User, now: datetime, block: str = "", notify: Iterable[User] = ()
) -> Comment:
    """Comment on a block of the issue, by its id, or with "" on the whole issue. ``notify`` are mentioned too.

    Raises NotAllowed, NotReady (no text); NotFound for an unknown block or a mention of nobody.
    """
    require_issue_staff(by)
    label = ""
    if block:
        label = label_blocks(issue).get(block, "")
        if not label:
            raise NotFound(
                "The block was deleted or not saved yet, so the comment was not saved. Choose another block."
            )
    text = _require_text(text)
    mentioned = [*find_mentioned(text), *notify]
    comment = Comment.objects.create(issue=issue, block=block, block_label=label, text=text, person=by, at=now)
    _notify(comment, mentioned=mentioned, writers=[], by=by, now=now)
    return comment


@transaction.atomic
def answer_comment(*, comment: Comment, text: str, by: User, now: datetime, notify: Iterable[User] = ()) -> Comment:
    """Answer a comment. An answer to a resolved one opens it again. Raises NotAllowed, NotReady, NotFound."""
    require_issue_staff(by)
    text = _require_text(text)
    mentioned = [*find_mentioned(text), *notify]
    answers = comment.answers.select_related("person")
    writers = [
        written.person for written in (comment, *answers) if written.person is not None and written.person.is_active
    ]
    answer = Comment.objects.create(issue_id=comment.issue_id, parent=comment, text=text, person=by, at=now)
    Comment.objects.filter(pk=comment.pk).update(resolved_at=None, resolved_by=None)
    _notify(answer, mentioned=mentioned, writers=writers, by=by, now=now)
    return answer


def resolve_comment(*, comment: Comment, by: User, now: datetime) -> None:
    """Mark a comment as resolved; safe to repeat. Raises NotAllowed."""
    require_issue_staff(by)
    _threads(comment).filter(resolved_at__isnull=True).update(resolved_at=now, resolved_by=by)


def reopen_comment(*, comment: Comment, by: User) -> None:
    """Take back that a comment is resolved; safe to repeat. Raises NotAllowed."""
    require_issue_staff(by)
    _threads(comment).update(resolved_at=None, resolved_by=None)


def comment_url(comment: Comment) -> str:
    """Return the URL that opens the comment on its issue's page."""
    return f"{settings.NEWSLETTER_SITE_URL}/admin/issues/{comment.issue_id}/overview/#nl-comment-{comment.pk}"


def _threads(comment: Comment) -> QuerySet[Comment]:
    return Comment.objects.filter(pk=comment.pk, parent__isnull=True)


def _require_text(text: str) -> str:
    if not text.strip():
        raise NotReady("Write the comment first. Nothing was saved.")
    return text.strip()


def _notify(comment: Comment, *, mentioned: Iterable[User], writers: Iterable[User], by: User, now: datetime) -> None:
    """Notify each person once: the mentioned ones of the mention, the other writers of the answer."""
    issue = Issue.objects.select_related("publication").get(pk=comment.issue_id)
    mentioned_others = {person.pk: person for person in mentioned if person.pk != by.pk}
    earlier_writers = {
        person.pk: person for person in writers if person.pk not in mentioned_others and person.pk != by.pk
    }
    where = comment.parent.block_label if comment.parent else comment.block_label
    paragraphs = [
        *([Message("About: %(block)s", block=where)] if where else []),
        *filter(None, comment.text.splitlines()),
    ]
    for subject, people in (
        (Message("%(by)s mentioned you in a comment on %(issue)s", by=by, issue=issue), mentioned_others),
        (Message("%(by)s answered a comment on %(issue)s", by=by, issue=issue), earlier_writers),
    ):
        key = f"{COMMENT_KEY_PREFIX}{comment.pk}"
        write_notice(
            issue.publication, key, subject, paragraphs, comment_url(comment), now, people=list(people.values())
        )


def find_issue_staff() -> list[User]:
    """Return the active staff who may open issues, by name."""
    permissions = Permission.objects.filter(content_type__app_label="newsletter", codename__in=OPENING_PERMISSIONS)
    allowed = Q(groups__permissions__in=permissions) | Q(user_permissions__in=permissions) | Q(is_superuser=True)
    return list(User.objects.filter(allowed, is_active=True).distinct().order_by("username"))


def may_open_issues(person: User | AnonymousUser) -> bool:
    return any(person.has_perm(f"newsletter.{name}") for name in OPENING_PERMISSIONS)


def require_issue_staff(person: User | AnonymousUser) -> None:
    """Raise NotAllowed if the person may not open issues."""
    if not may_open_issues(person):
        raise NotAllowed(
            "%(by)s may not open issues. An administrator can give the role “writer” or “editor”.", by=person
        )


def find_mentioned(text: str) -> list[User]:
    """Return the staff whom the text mentions: `@name` with the exact name of an account.

    Raises NotFound with the names that no such person has.
    """
    names = dict.fromkeys(_MENTION.findall(text))
    staff = {person.username: person for person in find_issue_staff()}
    unknown = [name for name in names if name not in staff]
    if unknown:
        raise NotFound(
            "Nobody who may open issues is called %(names)s, so the comment was not saved. Write the name of an account, "
            "such as @ann@example.org, or choose the person under “Notify”.",
            names=", ".join(f"“{name}”" for name in unknown),
        )
    return [staff[name] for name in names]
