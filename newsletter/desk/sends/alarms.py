"""Find what keeps mail from people: a hold, the recipient allowlist, or an account that mails nobody. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.common.translation import translate
from newsletter.desk.shell.labels import format_reason
from newsletter.models import Installation, Issue, Publication, Send
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.registry import OUTBOX
from newsletter.sending.accounts import explain_unusable, has_further_accounts
from newsletter.sending.adapters import writes_to_files
from newsletter.sending.deliverability.domains import find_domain_error
from newsletter.sending.deliverability.gmail_figures.spam_rate_level import list_accounts_in_use
from newsletter.sending.limits.recipient_allowlist import BLOCKED_REASON, is_sending_blocked
from subscribers.audience.recipient_allowlist import get_recipient_allowlist


@dataclass(frozen=True)
class NoMailNotice:
    """An account that mails nobody, and why. Both are sentences."""

    title: str
    reason: str


class AlarmsContext(TypedDict):
    """The context of desk/parts/alarms.html. Each text is "" if there is nothing to say."""

    sending_hold: str
    allowlist_notice: str
    no_mail_notices: list[NoMailNotice]
    provider_url: str


def alarms_context(user: User | AnonymousUser, *, accounts: Iterable[str]) -> AlarmsContext:
    """Return what keeps mail of these accounts from people, and where the user can connect a provider."""
    return {
        "sending_hold": describe_hold(),
        "allowlist_notice": describe_allowlist(),
        "no_mail_notices": list_no_mail_notices(accounts),
        "provider_url": reverse("newsletter_setup_provider") if user.has_perm("newsletter.add_publication") else "",
    }


def list_accounts_of_publications() -> list[str]:
    """Return the default account, which sends the mails to single people, and those of enabled publications."""
    accounts = Publication.objects.filter(enabled=True).order_by().values_list("account", flat=True)
    return [DEFAULT_ACCOUNT, *sorted({*accounts} - {DEFAULT_ACCOUNT})]


def list_accounts_of_issue(issue: Issue, send: Send | None) -> list[str]:
    """Return the accounts that still have to send: none for an issue that was mailed to people and is over."""
    if send is None or send.provider == OUTBOX:
        return [issue.publication.account]
    if issue.state in (Issue.State.SENT, Issue.State.CANCELLED):
        return []
    return list_accounts_in_use(send) or [issue.publication.account]


def describe_hold() -> str:
    """Return why all sending is on hold, as a sentence, or "" if it is not."""
    row = Installation.objects.filter(pk=1, held=True).first()
    return format_reason(row.reason or _("no reason was given")) if row else ""


def list_no_mail_notices(accounts: Iterable[str]) -> list[NoMailNotice]:
    """Return a notice for each of the accounts that mails nobody. It names the account if there are several."""
    return [NoMailNotice(_title_no_mail(name), reason) for name in accounts if (reason := describe_no_mail(name))]


def _title_no_mail(account: str) -> str:
    if account == DEFAULT_ACCOUNT and not has_further_accounts():
        return _("No mail leaves this installation yet.")
    return _("No mail leaves through the provider account “%(account)s”.") % {"account": account}


def describe_refusal(account: str) -> str:
    """Return why no send starts through the account, as a sentence, or "" if it can."""
    if problem := explain_unusable(account):
        return format_reason(problem)
    return format_reason(BLOCKED_REASON) if is_sending_blocked(account) else ""


def describe_domain_error(publication: Publication) -> str:
    """Return what is wrong with the sender's domain, so that no send of the publication starts, or ""."""
    problem = find_domain_error(publication.from_email, account=publication.account)
    return translate(problem.text) if problem else ""


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
