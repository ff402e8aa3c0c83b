"""Tells staff by mail what happened while nobody was at the desk."""

import logging

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db.models import Q

from newsletter.issues.assemble import Assembly
from newsletter.issues.body import literal
from newsletter.models import Issue, Publication
from newsletter.sending.notice import send_notice, sender_of
from newsletter.sending.provider import current_adapter

log = logging.getLogger(__name__)


def tell_staff(assembly: Assembly) -> None:
    """One mail to each person who may approve: an issue waits, or a slot was skipped, with a link."""
    publication = assembly.slot.publication
    subject, paragraphs, link = _words(assembly, publication)
    for person in find_approvers():
        send_notice(
            adapter=current_adapter(),
            sender=sender_of(publication),
            to=person.email,
            key=f"staff-{assembly.slot.pk}-{person.pk}",
            subject=subject,
            paragraphs=paragraphs,
            button=("Open it in the desk", link),
            reason="You get this because you may approve issues.",
        )


def find_approvers() -> list[User]:
    may = Permission.objects.filter(content_type__app_label="newsletter", codename="approve_issue")
    people = User.objects.filter(Q(groups__permissions__in=may) | Q(user_permissions__in=may), is_active=True)
    return list(people.exclude(email="").distinct().order_by("pk"))


def _words(assembly: Assembly, publication: Publication) -> tuple[str, list[str], str]:
    slot, issue = assembly.slot, assembly.issue
    desk = f"{settings.NEWSLETTER_SITE_URL}/admin/"
    when = f"{slot.due_local.replace('T', ' at ')} ({publication.zone})"
    if issue is None:
        return f"{publication.name}: nothing goes out on {slot.due_local[:10]}", [slot.reason], desk
    return (
        f"{issue} is ready to read",
        [_next(issue, when), f"Its subject: {literal(issue.subject)}"],
        f"{desk}issues/{issue.pk}/overview/",
    )


def _next(issue: Issue, when: str) -> str:
    if issue.publication.approval == Publication.ApprovalPolicy.AUTO:
        return f"{issue} goes out on {when} unless somebody holds it."
    return f"{issue} waits for your approval. It is due on {when}; without approval nothing goes out."
