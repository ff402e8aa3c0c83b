"""Choose the order in which a mailbox is read: mails that unsubscribe come before all others.

Anybody can send reports and replies in any number. They must not delay somebody who unsubscribes.
"""

import time
from collections.abc import Sequence

from newsletter.content.parsing.mails.mail_headers import find_addresses
from newsletter.inbound.addresses import find_unsubscribes
from newsletter.inbound.imap import OpenMailbox

MAX_LOOKED_AT = 5000
"""The unread messages whose recipients are looked at, the oldest. A flood of more is read in the order of arrival beyond them."""
MESSAGES_A_LOOK = 500
LOOK_SECONDS = 15.0
"""How long this may take, so that a slow server leaves time for reading."""


def find_unsubscribing(opened: OpenMailbox, uids: Sequence[int], *, limit: int) -> list[int]:
    """Return the messages that were sent to a signed address to unsubscribe, the oldest first, at most ``limit``.

    Only the order of reading depends on it: each message is read and checked as a whole before anything happens.
    """
    if len(uids) < 2:
        return []
    candidates, found = uids[:MAX_LOOKED_AT], list[int]()
    until = time.monotonic() + LOOK_SECONDS
    for start in range(0, len(candidates), MESSAGES_A_LOOK):
        looked_at = opened.read_recipient_fields(candidates[start : start + MESSAGES_A_LOOK])
        found += [uid for uid in sorted(looked_at) if _unsubscribes(looked_at[uid])]
        if len(found) >= limit or time.monotonic() > until:
            break
    return found[:limit]


def _unsubscribes(fields: bytes) -> bool:
    return bool(find_unsubscribes(find_addresses(fields.decode("utf-8", "replace"))))
