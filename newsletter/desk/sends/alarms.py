"""What keeps mail from people: a hold, the recipient allowlist, or an account that mails nobody. Reads only."""

from typing import TypedDict

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.desk.shell.labels import format_reason
from newsletter.models import Installation
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.sending.accounts import explain_unusable
from newsletter.sending.adapters import writes_to_files
from newsletter.sending.limits.recipient_allowlist import BLOCKED_REASON, is_sending_blocked
from subscribers.audience.recipient_allowlist import get_recipient_allowlist


class AlarmsContext(TypedDict):
    """The context of desk/parts/alarms.html. Each text is "" if there is nothing to say."""

    sending_hold: str
    allowlist_notice: str
    no_mail_notice: str
    provider_url: str


def alarms_context(user: User | AnonymousUser, *, account: str = DEFAULT_ACCOUNT) -> AlarmsContext:
    """Return what keeps mail of an account from people, and where the user can connect a provider."""
    return {
        "sending_hold": describe_hold(),
        "allowlist_notice": describe_allowlist(),
        "no_mail_notice": describe_no_mail(account),
        "provider_url": reverse("newsletter_setup_provider") if user.has_perm("newsletter.add_publication") else "",
    }


def describe_hold() -> str:
    """Return why all sending is on hold, as a sentence, or "" if it is not."""
    row = Installation.objects.filter(pk=1, held=True).first()
    return format_reason(row.reason or _("no reason was given")) if row else ""


def describe_refusal(account: str) -> str:
    """Return why no send starts through the account, as a sentence, or "" if it can."""
    if problem := explain_unusable(account):
        return format_reason(problem)
    return format_reason(BLOCKED_REASON) if is_sending_blocked(account) else ""


def describe_no_mail(account: str) -> str:
    """Return why nobody gets mail through the account, as a sentence, or "" if mail leaves."""
    if refusal := describe_refusal(account):
        return refusal
    return _("It is written to files instead, and nobody gets it.") if writes_to_files(account) else ""


def describe_allowlist() -> str:
    """Return whom this installation may send to, as a sentence, or "" if it may send to everybody."""
    only_to = get_recipient_allowlist()
    if only_to is None:
        return ""
    return _("Mail goes only to: %(only_to)s. This is the setting NEWSLETTER_ONLY_TO.") % {"only_to": only_to}
