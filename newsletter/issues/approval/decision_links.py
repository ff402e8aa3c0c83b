"""Signed links from a staff mail to the page where one person decides about one version of an issue.

The person must sign in as well. A link contains no address and no name. The signature covers the person's id.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings

from newsletter.common.errors import BadLink
from newsletter.common.messages import Message

LIFETIME = timedelta(days=14)
_MAC_LENGTH = 32


@dataclass(frozen=True)
class Decision:
    """The contents of a valid link: the issue's public id, and the first 16 digits of the sha256 that people approve."""

    issue: str
    sha256: str


class ExpiredDecisionLink(BadLink):
    """A link of this person that is too old. ``decision`` has the issue and the content that it names."""

    def __init__(self, message: Message, *, decision: Decision) -> None:
        super().__init__(message)
        self.decision = decision


def make_decision_url(*, issue: str, sha256: str, person: int, now: datetime) -> str:
    """Return the URL for one person. ``issue`` is the public id, ``sha256`` the hash that people approve."""
    payload = f"{issue}.{sha256[:16]}.{int(now.timestamp()):x}"
    return f"{settings.NEWSLETTER_SITE_URL}/admin/decide/{payload}.{_sign(payload, person=person, key=_keys()[0])}/"


def read_decision(token: str, *, person: int, now: datetime) -> Decision:
    """Return the issue and the content that the link names.

    Raises BadLink if it is forged or made for somebody else, ExpiredDecisionLink if it is older than two weeks.
    """
    payload, _, mac = token.rpartition(".")
    right = False
    for key in _keys():
        right |= hmac.compare_digest(_sign(payload, person=person, key=key).encode(), mac.encode())
    parts = payload.split(".")
    if not right or len(parts) != 3:
        raise BadLink(
            "This link was made for another member of staff, or it is incomplete. Open the issue from the desk."
        )
    decision = Decision(issue=parts[0], sha256=parts[1])
    if now - datetime.fromtimestamp(int(parts[2], 16), UTC) > LIFETIME:
        expired = Message(
            "This link has expired after %(days)s days. Nothing was decided by it. You can read and decide on this page.",
            days=LIFETIME.days,
        )
        raise ExpiredDecisionLink(expired, decision=decision)
    return decision


def _sign(payload: str, *, person: int, key: str) -> str:
    secret = hmac.digest(key.encode(), b"newsletter.decision", hashlib.sha256)
    return hmac.digest(secret, f"{payload}|{person}".encode(), hashlib.sha256).hex()[:_MAC_LENGTH]


def _keys() -> Sequence[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
