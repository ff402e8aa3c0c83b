"""Store the keys of a webhook that its set-up returned, sealed, and the time of the last report."""

import hashlib
import hmac
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from newsletter.common.sealing import Sealer
from newsletter.models import ProviderWebhook
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.webhooks.verification import split_keys

SEALER = Sealer(b"newsletter.provider-webhook-keys")
# The previous key still verifies reports that were under way when it was replaced.
MAX_KEYS = 2
FORMER_KEYS_LAST = timedelta(days=14)
"""Keys of an account that is not configured any more are believed for so long after its last report, or its set-up."""
_NOTED_AGAIN_AFTER = timedelta(minutes=1)


def read_stored_keys(provider: str, *, account: str = DEFAULT_ACCOUNT) -> Sequence[str]:
    """Return the stored keys, the newest first; none if no secret key of this installation opens them."""
    rows = ProviderWebhook.objects.filter(provider=provider, account=account)
    sealed = rows.values_list("sealed_keys", flat=True).first()
    return split_keys(SEALER.unseal(sealed) or "") if sealed else ()


def read_former_keys(provider: str, *, configured: Collection[str], now: datetime) -> Sequence[tuple[str, str]]:
    """Return account and key for each stored key of accounts that are not ``configured`` at the provider any more.

    An account that has another name now still reports with its key. A key is left out when neither its account's last
    report nor its set-up is within FORMER_KEYS_LAST: nobody can revoke the key of a removed account.
    """
    start = now - FORMER_KEYS_LAST
    rows = ProviderWebhook.objects.filter(Q(last_report_at__gte=start) | Q(set_up_at__gte=start), provider=provider)
    former = rows.exclude(account__in=configured).exclude(sealed_keys="").order_by("account")
    sealed = former.values_list("account", "sealed_keys")
    return [(account, key) for account, sealed_keys in sealed for key in split_keys(SEALER.unseal(sealed_keys) or "")]


def has_lost_keys(row: ProviderWebhook) -> bool:
    """Return True if keys are stored that no secret key of this installation opens."""
    return bool(row.sealed_keys) and SEALER.unseal(row.sealed_keys) is None


@transaction.atomic
def store_key(provider: str, key: str, *, account: str = DEFAULT_ACCOUNT) -> None:
    """Have reports with this key believed from now on. The key before it stays, older ones are forgotten."""
    ProviderWebhook.objects.get_or_create(provider=provider, account=account)
    row = ProviderWebhook.objects.select_for_update().get(provider=provider, account=account)
    stored = split_keys(SEALER.unseal(row.sealed_keys) or "") if row.sealed_keys else ()
    keys = [key, *(earlier for earlier in stored if earlier != key)][:MAX_KEYS]
    row.sealed_keys = SEALER.seal(",".join(keys))
    row.save(update_fields=["sealed_keys"])


def note_report(provider: str, *, now: datetime, account: str = DEFAULT_ACCOUNT, verified_by: str = "") -> None:
    """Note that a report arrived, at most once a minute. ``verified_by`` is the mark of its key, "" if it came without one."""
    old = Q(last_report_at__isnull=True) | Q(last_report_at__lt=now - _NOTED_AGAIN_AFTER)
    rows = ProviderWebhook.objects.filter(provider=provider, account=account)
    changed = {"last_report_at": now, "verified_by": verified_by} if verified_by else {"last_report_at": now}
    if verified_by:
        old |= Q(verified_by="")
    if not rows.filter(old).update(**changed) and not rows.exists():
        ProviderWebhook.objects.bulk_create(
            [ProviderWebhook(provider=provider, account=account, **changed)], ignore_conflicts=True
        )


def key_mark(key: str) -> str:
    """Return a text by which the key is recognised, and from which nobody can guess it without the address key."""
    secret = str(settings.SUBSCRIBERS_ADDRESS_KEY).encode()
    return hmac.digest(secret, f"newsletter.report-keys.{key}".encode(), hashlib.sha256)[:16].hex()


def reseal_webhook_keys() -> int:
    """Encrypt with the newest secret key what an old one encrypted. Return how many. Safe to repeat."""
    return SEALER.reseal(ProviderWebhook.objects.all(), "sealed_keys")
