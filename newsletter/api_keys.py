"""Create, find and revoke API keys. A key is shown once, when it is created; only its hash is stored."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q

from newsletter.common.database.prepared_rows import PreparedRows, Row
from newsletter.common.errors import DomainError, NotFound
from newsletter.common.messages import Message
from newsletter.common.text import clean_line, require_length
from newsletter.models import ApiAnswer, ApiCall, ApiKey, ApiScope
from newsletter.models.api_keys import DEFAULT_CALLS_PER_MINUTE, MAX_CALLS_PER_MINUTE
from subscribers.models import MailingList

MAX_NAME_LENGTH = 120
DAYS, MAX_DAYS = 365, 3650
LAST_USED_INTERVAL = timedelta(minutes=1)
CALLS_KEPT, CALLS_RETENTION = 1_000, timedelta(days=30)
ANSWERS_KEPT = timedelta(hours=24)
_PREFIX, _HINT_LENGTH = "nl_", 9
_MAX_KNOWN_KEYS = 1_000
_CHANGEABLE = PreparedRows(
    lambda digests: ApiKey.objects.filter(digest__in=digests).values_list(
        *("pk", "name", "scope", "all_lists", "calls_per_minute", "expires_at", "revoked_at")
    )
)
_known_keys: dict[str, tuple[Row, ApiKey]] = {}
"""The keys that this process has read, by digest. Each call compares them with the database."""


class BadKey(DomainError):
    """A key cannot be created from these values."""


@transaction.atomic
def make_key(
    *,
    name: str,
    scope: str,
    by: str,
    now: datetime,
    days: int = DAYS,
    lists: Iterable[MailingList] | None = None,
    calls_per_minute: int = DEFAULT_CALLS_PER_MINUTE,
) -> tuple[ApiKey, str]:
    """Create a key. Return its row and its text, which is not stored. Raise BadKey, or BadValue for a long name.

    ``scope`` holds one or several of `ApiScope`, with spaces between. ``lists`` limits the key to them; None is all.
    The key works for ``days``; with 0, until it is revoked.
    """
    name = require_length(clean_line(name), limit=MAX_NAME_LENGTH, name="name")
    if not name:
        raise BadKey("The key needs a name that says what uses it, such as “Web site”.")
    scopes = scope.split()
    unknown = [word for word in scopes if word not in ApiScope.values]
    if unknown or not scopes:
        scope_names = ", ".join(ApiScope.values)
        raise BadKey(
            "There is no scope “%(scope)s”. Choose among: %(known)s.", scope=" ".join(unknown), known=scope_names
        )
    if not 1 <= calls_per_minute <= MAX_CALLS_PER_MINUTE:
        raise BadKey("A key may make 1 to %(limit)s calls a minute. Choose another number.", limit=MAX_CALLS_PER_MINUTE)
    if not 0 <= days <= MAX_DAYS:
        raise BadKey("A key works for 1 to 3650 days; with 0, until it is revoked. Choose another number.")
    if ApiKey.objects.valid(now=now).filter(name=name).exists():
        raise BadKey("There is a key “%(name)s” already. Revoke it first, or choose another name.", name=name)
    text = _PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name,
        digest=_digest(text),
        hint=text[:_HINT_LENGTH],
        scope=" ".join(one for one in ApiScope.values if one in scopes),
        all_lists=lists is None,
        calls_per_minute=calls_per_minute,
        made_by=by,
        made_at=now,
        expires_at=now + timedelta(days=days) if days else None,
    )
    key.lists.set(lists or [])
    return key, text


def find_key(text: str, *, now: datetime) -> ApiKey | None:
    """Return the valid key of this text and note its use. Return None for any other text."""
    digest = _digest(text)
    rows = _CHANGEABLE.read([digest])
    known_row, key = _known_keys.get(digest, (None, None))
    if not rows or known_row != rows[0] or key is None:
        _known_keys.pop(digest, None)
        key = ApiKey.objects.filter(digest=digest).first() if rows else None
        if key is None:
            return None
        if len(_known_keys) >= _MAX_KNOWN_KEYS:
            _known_keys.clear()
        _known_keys[digest] = rows[0], key
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        return None
    if key.last_used_at is None or key.last_used_at < now - LAST_USED_INTERVAL:
        unused_lately = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_INTERVAL)
        ApiKey.objects.filter(unused_lately, pk=key.pk).update(last_used_at=now)
        key.last_used_at = now
    return key


def list_keys_known_to(username: str, *, now: datetime) -> list[ApiKey]:
    """Return the valid keys that this member of staff created, by name: they read the text of each."""
    return list(ApiKey.objects.valid(now=now).filter(made_by=username).order_by("name"))


def revoke_key(*, key: ApiKey, by: str, now: datetime) -> bool:
    """Stop a key from working, from the next call on. Return False if it was revoked before."""
    return bool(ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now, revoked_by=by))


def find_key_by_name(name: str, *, now: datetime) -> ApiKey:
    """Return the valid key with this name or id. Raise NotFound."""
    valid = ApiKey.objects.valid(now=now)
    key = valid.filter(name=name).first() or (valid.filter(pk=int(name)).first() if name.isdecimal() else None)
    if key is None:
        names = ", ".join(valid.values_list("name", flat=True)) or Message("none")
        raise NotFound("There is no valid key “%(name)s”. The valid keys are: %(known)s.", name=name, known=names)
    return key


def delete_old_calls(*, now: datetime) -> None:
    """Delete calls older than 30 days, all but the last 1,000 of each key, and answers older than 24 hours."""
    ApiAnswer.objects.filter(at__lt=now - ANSWERS_KEPT).delete()
    ApiCall.objects.filter(at__lt=now - CALLS_RETENTION).delete()
    for key in ApiKey.objects.annotate(last=Max("calls")).filter(last__isnull=False):
        with transaction.atomic():
            oldest = key.calls.order_by("-pk").values_list("pk", flat=True)[CALLS_KEPT - 1 : CALLS_KEPT].first()
            if oldest is not None:
                key.calls.filter(pk__lt=oldest).delete()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
