"""Wrap the provider's adapter so that only addresses in NEWSLETTER_ONLY_TO are sent to.

Without NEWSLETTER_PRODUCTION=true and without that list, a real provider sends nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.contract import (
    Adapter,
    BatchCall,
    BatchFinder,
    BatchLookup,
    Capabilities,
    Outcome,
    Verdict,
)
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.base.suppression_lists import SuppressedAddress, SuppressionLister
from newsletter.sending.accounts import find_account
from newsletter.sending.deliverability.domains import is_own_endpoint
from subscribers.audience.recipient_allowlist import RecipientAllowlist, get_recipient_allowlist

NOT_ON_ALLOWLIST = Message("the address is not allowed by NEWSLETTER_ONLY_TO")
BLOCKED_REASON = Message(
    "this installation is not production and would mail real people. To send for real, set "
    "NEWSLETTER_PRODUCTION=true. To try things out, list test addresses in NEWSLETTER_ONLY_TO"
)


@dataclass(frozen=True)
class RefusedHere(Outcome):
    """An outcome without a call: this installation refused, and the provider's account was not asked."""


def is_sending_blocked(account: str = DEFAULT_ACCOUNT) -> bool:
    """Return True if nobody may be mailed through the account: see `is_provider_blocked`."""
    chosen = find_account(account)
    return chosen is not None and is_provider_blocked(chosen.provider)


def is_provider_blocked(provider: ProviderSettings | None) -> bool:
    """Return True if nobody may be mailed through this provider: a real one, not production, and no allowlist."""
    is_real = provider is not None and is_own_endpoint(provider)
    return is_real and not settings.NEWSLETTER_PRODUCTION and get_recipient_allowlist() is None


def require_sending_allowed(*, account: str) -> None:
    """Raise NotReady if nobody may be mailed through this account from here."""
    if is_sending_blocked(account):
        raise NotReady("Nothing is sent: %(closed)s.", closed=BLOCKED_REASON)


def apply_allowlist(adapter: Adapter, *, provider: ProviderSettings | None) -> Adapter:
    """Wrap the adapter of this account in the allowlist of the settings. Without one, return the adapter itself."""
    only_to = get_recipient_allowlist()
    if only_to is None and not is_provider_blocked(provider):
        return adapter
    can_find, can_list = isinstance(adapter, BatchFinder), isinstance(adapter, SuppressionLister)
    kinds = {
        (False, False): AllowlistAdapter,
        (True, False): _FinderAdapter,
        (False, True): _ListerAdapter,
        (True, True): _FinderAndListerAdapter,
    }
    return kinds[can_find, can_list](adapter, only_to=only_to)


class AllowlistAdapter:
    """An adapter that hands over only people in ``only_to``. If that is None, it hands over nobody and the batch waits."""

    def __init__(self, adapter: Adapter, *, only_to: RecipientAllowlist | None) -> None:
        self._adapter = adapter
        self._only_to = only_to

    @property
    def capabilities(self) -> Capabilities:
        return self._adapter.capabilities

    def deliver(self, call: BatchCall) -> Outcome:
        """Reject everybody who is not on the allowlist and make the call for the others."""
        only_to = self._only_to
        if only_to is None:
            return RefusedHere(Verdict.NOT_SENT, BLOCKED_REASON, stop=True)
        outside = {person.delivery for person in call.people if not only_to.allows(person.address)}
        refused = dict.fromkeys(outside, (Verdict.REJECTED, NOT_ON_ALLOWLIST))
        inside = [person for person in call.people if person.delivery not in outside]
        if outside and not inside:
            return RefusedHere(Verdict.REJECTED, NOT_ON_ALLOWLIST, people=refused)
        outcome = self._adapter.deliver(replace(call, people=inside) if outside else call)
        return replace(outcome, people={**outcome.people, **refused}) if refused else outcome

    def close(self) -> None:
        self._adapter.close()


class _FinderAdapter(AllowlistAdapter):
    def find_batch(self, *, key: str, deliveries: Sequence[int], sent_at: datetime) -> BatchLookup:
        found: BatchLookup = self._adapter.find_batch(key=key, deliveries=deliveries, sent_at=sent_at)  # type: ignore[attr-defined]
        return found


class _ListerAdapter(AllowlistAdapter):
    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        yield from self._adapter.list_suppressed(since=since)  # type: ignore[attr-defined]


class _FinderAndListerAdapter(_FinderAdapter, _ListerAdapter):
    pass
