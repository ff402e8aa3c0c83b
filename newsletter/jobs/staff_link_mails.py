"""Send staff the links with which they choose a password, and notify them of changes of their account."""

from dataclasses import replace
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.utils import translation

from newsletter.common.messages import Message
from newsletter.common.translation import translate
from newsletter.identity_provider.settings import get_identity_provider
from newsletter.issues.approval.write_notices import desk_home_url, list_staff_with_permission, write_notice
from newsletter.jobs.link_mails import find_any_sender
from newsletter.models import AuditEntry, Publication, StaffLink
from newsletter.organisation.accounts.staff_links import answer_password_requests, make_staff_link_url
from newsletter.providers.base.contract import Adapter
from newsletter.sending.adapters import current_adapter
from newsletter.sending.notices.single_mails import claim_each, settle_queued_mail
from newsletter.sending.notices.system_mail import Sender, SystemMail, find_staff_language, send_notice

BATCH_LIMIT = 50
ACCOUNT_KEY_PREFIX = "staff-account-"
LOOK_BACK = timedelta(days=1)
_TEXTS = {
    StaffLink.Kind.INVITATION: (
        Message("You are invited to the newsletter desk"),
        Message("Choose your own password to start. The link works once and for 7 days."),
        Message("Choose a password"),
        Message("You get this because an administrator gave you an account."),
    ),
    StaffLink.Kind.PASSWORD: (
        Message("Choose a new password for the newsletter desk"),
        Message("The link works once and for one hour. If you did not ask for it, ignore this email: nothing changes."),
        Message("Choose a new password"),
        Message("You get this because somebody asked for a new password for your account."),
    ),
}
_CHANGES = {
    "newsletter.password_set": Message("The password of your newsletter account was changed"),
    "newsletter.factor_forgotten": Message("The second factor of your newsletter account was removed"),
}
_FACTOR_LOST = "newsletter.factor_lost"


def send_due_staff_links(*, now: datetime) -> int:
    """Answer the waiting requests and send the open links that were not sent. Return how many the provider accepted."""
    answer_password_requests(now=now)
    due = _list_due(now)
    sender = find_any_sender() if due.exists() else None
    if sender is None:
        return 0
    adapter = current_adapter()
    links = claim_each(due, adapter=adapter, limit=BATCH_LIMIT, now=now)
    return sum(_send(link, sender=sender, adapter=adapter, now=now) for link in links)


def has_waiting_staff_link(*, now: datetime) -> bool:
    """Return True if a link for staff can be sent, so one waits for the provider."""
    return _list_due(now).exists() and Publication.objects.exists()


def notify_account_changes(*, now: datetime) -> None:
    """Queue notices for staff whose password or second factor changed, and for administrators about a lost second factor.

    The staff log has the changes. The first publication is the sender.
    """
    changed, lost = _list_entries(now, actions=list(_CHANGES)), _list_entries(now, actions=[_FACTOR_LOST])
    publication = Publication.objects.order_by("pk").first() if changed or lost else None
    if publication is None:
        return
    for entry, person in changed:
        if (entry.data or {}).get("by_link") == StaffLink.Kind.INVITATION:
            continue
        paragraphs = [Message("If you did not want this, tell an administrator now.")]
        subject = _CHANGES[entry.action]
        key = f"{ACCOUNT_KEY_PREFIX}{entry.pk}"
        write_notice(publication, key, subject, paragraphs, desk_home_url(), now, people=[person])
    for entry, person in lost:
        if not Authenticator.objects.filter(user=person, created_at__lt=entry.timestamp).exists():
            continue
        write_notice(
            publication,
            f"{ACCOUNT_KEY_PREFIX}{entry.pk}",
            Message("%(person)s cannot give the code of their second factor", person=person),
            [
                Message("Ask %(person)s in person or by phone whether this is true.", person=person),
                Message("If it is, remove the second factor on the page of this account."),
            ],
            f"{desk_home_url()}users/edit/{person.pk}/",
            now,
            people=[
                administrator
                for administrator in list_staff_with_permission("auth.change_user")
                if administrator.pk != person.pk
            ],
        )


def _list_due(now: datetime) -> QuerySet[StaffLink]:
    due = StaffLink.objects.filter(StaffLink.due_by(now), expires_at__gt=now)
    return due.exclude(person__email="").select_related("person", "made_by").order_by("pk")


def _send(link: StaffLink, *, sender: Sender, adapter: Adapter, now: datetime) -> int:
    language = find_staff_language(link.person)
    subject, text, button, reason = choose_texts(link)
    with translation.override(language):
        outcome = send_notice(
            SystemMail(
                subject=translate(subject),
                paragraphs=[translate(paragraph) for paragraph in (*_name_maker(link), text)],
                button=(translate(button), make_staff_link_url(link)),
                reason=translate(reason),
            ),
            adapter=adapter,
            sender=replace(sender, language=language.partition("-")[0]),
            to=link.person.email,
            key=f"access-{link.pk}-{int(now.timestamp())}",
            now=now,
        )
    return settle_queued_mail(link, outcome, what="A link for staff")


def _name_maker(link: StaffLink) -> list[Message]:
    """Return the sentence that names the administrator who made the link: people trust a mail from somebody they know."""
    if link.made_by is None:
        return []
    name = link.made_by.get_full_name() or link.made_by.email or link.made_by.username
    if link.kind == StaffLink.Kind.INVITATION:
        return [Message("%(administrator)s gave you an account.", administrator=name)]
    return [Message("%(administrator)s had this link sent to you.", administrator=name)]


def choose_texts(link: StaffLink) -> tuple[Message, Message, Message, Message]:
    """Return the texts of a link. An invitation names the identity provider, if staff sign in with one."""
    subject, text, button, reason = _TEXTS[StaffLink.Kind(link.kind)]
    provider = get_identity_provider()
    if provider is None or link.kind != StaffLink.Kind.INVITATION:
        return subject, text, button, reason
    text = Message(
        "Sign in with %(name)s, with the address that this mail came to. The link works once and for 7 days.",
        name=provider.name,
    )
    return subject, text, Message("Sign in"), reason


def _list_entries(now: datetime, *, actions: list[str]) -> list[tuple[AuditEntry, User]]:
    """Return the entries of the last day about accounts that exist and are on."""
    kind = ContentType.objects.get_for_model(User)
    entries = list(AuditEntry.objects.filter(content_type=kind, action__in=actions, timestamp__gt=now - LOOK_BACK))
    people = User.objects.filter(is_active=True).exclude(email="").in_bulk([int(entry.object_id) for entry in entries])
    return [(entry, people[int(entry.object_id)]) for entry in entries if int(entry.object_id) in people]
