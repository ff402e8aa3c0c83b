"""Creates, finds and revokes API keys. A key is shown once, when it is created; only its hash is stored."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db.models import Q

from newsletter.common.errors import DomainError, NotFound
from newsletter.common.messages import Message
from newsletter.common.text import clean_line
from newsletter.models import ApiKey

DAYS = 365
LAST_USED_INTERVAL = timedelta(minutes=1)
_PREFIX, _HINT_LENGTH = "nl_", 9


class BadKey(DomainError):
    """A key cannot be created from these values."""


def make_key(*, name: str, scope: str, by: str, now: datetime, days: int = DAYS) -> tuple[ApiKey, str]:
    """Create a key. Return its row and its text, which is not stored. Raise BadKey.

    The key works for ``days``; with 0, until it is revoked.
    """
    name = clean_line(name, max_length=120)
    if not name:
        raise BadKey("The key needs a name that says what uses it, such as “Web site”.")
    if scope not in ApiKey.Scope.values:
        raise BadKey("There is no scope “%(scope)s”. Choose people, read, or both.", scope=scope)
    if not 0 <= days <= 3650:
        raise BadKey("A key works for 1 to 3650 days; with 0, until it is revoked. Choose another number.")
    if ApiKey.objects.valid(now=now).filter(name=name).exists():
        raise BadKey("There is a key “%(name)s” already. Revoke it first, or choose another name.", name=name)
    text = _PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name,
        digest=_digest(text),
        hint=text[:_HINT_LENGTH],
        scope=scope,
        made_by=by,
        made_at=now,
        expires_at=now + timedelta(days=days) if days else None,
    )
    return key, text


def find_key(text: str, *, now: datetime) -> ApiKey | None:
    """Return the valid key of this text and note its use. Return None for any other text."""
    key = ApiKey.objects.valid(now=now).filter(digest=_digest(text)).first()
    if key is not None:
        unused_lately = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_INTERVAL)
        if key.last_used_at is None or key.last_used_at < now - LAST_USED_INTERVAL:
            ApiKey.objects.filter(unused_lately, pk=key.pk).update(last_used_at=now)
    return key


def revoke_key(*, key: ApiKey, by: str, now: datetime) -> bool:
    """Stop a key from working, from the next call on. Return False if it was revoked before."""
    return bool(ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now, revoked_by=by))


def find_key_by_name(name: str, *, now: datetime) -> ApiKey:
    """Return the valid key with this name or id. Raise NotFound."""
    valid = ApiKey.objects.valid(now=now)
    key = valid.filter(name=name).first() or (valid.filter(pk=int(name)).first() if name.isdecimal() else None)
    if key is None:
        known = ", ".join(valid.values_list("name", flat=True)) or Message("none")
        raise NotFound("There is no valid key “%(name)s”. The valid keys are: %(known)s.", name=name, known=known)
    return key


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
