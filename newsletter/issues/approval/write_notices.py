"""Write notices to staff: a line in the desk, and a mail that a job sends. Nothing here sends mail."""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db.models import Q

from newsletter.common.messages import Message
from newsletter.issues.approval.approval_rules import find_approvers
from newsletter.issues.protected_terms.check import replace_protected_text
from newsletter.models import Issue, Publication, StaffNotice

COMMENT_KEY_PREFIX = "comment-"


def list_approvers_with_address() -> list[User]:
    """Return those who may approve issues, as the rules of approval count them, and who can be mailed."""
    return list(find_approvers().exclude(email=""))


def list_staff_with_permission(name: str) -> list[User]:
    """Return the active staff with an address who have a permission, ``app.codename``."""
    app, _, codename = name.partition(".")
    permission = Permission.objects.filter(content_type__app_label=app, codename=codename)
    allowed = Q(groups__permissions__in=permission) | Q(user_permissions__in=permission)
    people = User.objects.filter(allowed | Q(is_superuser=True), is_active=True)
    return list(people.exclude(email="").distinct().order_by("pk"))


def write_notice(
    publication: Publication,
    key: str,
    subject: str,
    paragraphs: Sequence[str],
    link: str | Callable[[User], str],
    now: datetime,
    *,
    people: Sequence[User] | None = None,
) -> int:
    """Write a notice to each of ``people``, by default everybody who may approve issues, once for each ``key``.

    Somebody without an address has it in the desk only. Return how many have it now and did not have it before.
    """
    had_it = StaffNotice.objects.filter(key=key).count()
    StaffNotice.objects.bulk_create(
        (
            StaffNotice(
                key=key,
                person=person,
                subject=replace_protected_text(subject),
                paragraphs=[replace_protected_text(paragraph) for paragraph in paragraphs],
                link=link if isinstance(link, str) else link(person),
                publication=publication,
                made_at=now,
                sent_at=None if person.email else now,
            )
            for person in (list_approvers_with_address() if people is None else people)
        ),
        ignore_conflicts=True,
    )
    return StaffNotice.objects.filter(key=key).count() - had_it


def notify_hold(issue: Issue, *, now: datetime, by: User | AnonymousUser | None = None) -> None:
    """Write that an issue was held instead of sent, once for each reason. ``by`` caused it and is not notified."""
    paragraphs = [issue.held_reason, Message("Nothing was sent. Check the issue, then release it or send it by hand.")]
    reason_digest = sha256(issue.held_reason.encode()).hexdigest()[:12]
    subject = Message("%(issue)s is held", issue=issue)
    key = f"held-{issue.pk}-{reason_digest}"
    people = _list_other_approvers(by)
    write_notice(issue.publication, key, subject, paragraphs, issue_page_url(issue), now, people=people)


def notify_changed_after_approval(issue: Issue, *, explanation: str, now: datetime, by: User | None = None) -> None:
    """Write that an approved issue changed, so that it needs a new approval. ``by`` made the change and is not notified."""
    paragraphs = [explanation, Message("It is not sent until somebody has read and approved it again.")]
    key = f"changed-{issue.pk}-{issue.approvals.count()}"
    subject = Message("%(issue)s changed and needs a new approval", issue=issue)
    people = _list_other_approvers(by)
    write_notice(issue.publication, key, subject, paragraphs, issue_page_url(issue), now, people=people)


def _list_other_approvers(by: User | AnonymousUser | None) -> list[User]:
    return [person for person in list_approvers_with_address() if by is None or person.pk != by.pk]


def desk_home_url() -> str:
    """Return the URL of the desk's first page."""
    return f"{settings.NEWSLETTER_SITE_URL}/admin/"


def new_issue_url(publication: Publication, *, beginning: str = "") -> str:
    """Return the URL of the page that makes an issue of the publication. ``beginning`` is how it begins."""
    begins = f"&beginning={beginning}" if beginning else ""
    return f"{settings.NEWSLETTER_SITE_URL}/admin/issues/new/?publication={publication.pk}{begins}"


def issue_page_url(issue: Issue) -> str:
    """Return the URL of the issue's overview in the desk."""
    return f"{settings.NEWSLETTER_SITE_URL}/admin/issues/{issue.pk}/overview/"
