"""Say whether a send can be compared with its provider's counts, and if not, why. Asks nobody."""

from enum import StrEnum

from django.conf import settings

from newsletter.models import Attempt, Issue, Send
from newsletter.providers.base.issue_counts import IssueCounter
from newsletter.providers.registry import ADAPTERS, OUTBOX
from newsletter.sending.adapters import account_label
from newsletter.sending.deliverability.domains import read_provider


class Obstacle(StrEnum):
    """Why a send is not compared."""

    TO_FILES = "to_files"
    OTHER_ACCOUNT = "other_account"
    NO_COUNTS = "no_counts"
    WELCOME = "welcome"


def find_obstacle(send: Send) -> Obstacle | None:
    """Return why the send is not compared, or None if it is.

    Providers count by issue, and a welcome mail is one issue for all its months, of which some are still being sent.
    """
    if send.provider == OUTBOX:
        return Obstacle.TO_FILES
    provider = read_provider(settings.NEWSLETTER_PROVIDER_URL)
    if provider is None or provider.label != send.provider or _has_other_account(send):
        return Obstacle.OTHER_ACCOUNT
    if not issubclass(ADAPTERS[provider.scheme], IssueCounter):
        return Obstacle.NO_COUNTS
    return Obstacle.WELCOME if send.issue.kind == Issue.Kind.WELCOME else None


def _has_other_account(send: Send) -> bool:
    """Return True if another account, or one whose key has changed since, may have mails of the issue."""
    attempts = Attempt.objects.filter(batch__send__issue=send.issue_id)
    elsewhere = attempts.exclude(provider=account_label()).exclude(outcome__in=Attempt.NOT_ACCEPTED_OUTCOMES)
    return elsewhere.exists()
