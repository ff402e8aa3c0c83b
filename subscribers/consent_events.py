"""Writes the append-only proof of what people asked for. It decides nothing."""

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext

from subscribers.models import ConsentEvent, MailingList, Subscriber


def record_consent_event(
    *,
    kind: ConsentEvent.Kind,
    subscriber: Subscriber | None,
    address_hash: bytes,
    mailing_list: MailingList | None,
    now: datetime,
    wording: str = "",
    source: str = "",
    by: str = "",
    data: Mapping[str, object] | None = None,
) -> ConsentEvent:
    """Adds one event. `wording` is what the person saw, `by` a member of staff; `data` must hold no address or name."""
    return ConsentEvent.objects.create(
        kind=kind,
        subscriber=subscriber,
        address_hash=address_hash,
        mailing_list=mailing_list,
        at=now,
        wording=wording,
        source=source[:200],
        by=by,
        data=dict(data or {}),
    )


def make_consent_wording(mailing_list: MailingList) -> str:
    """What people read beside the button when they ask for a list, in the language in force."""
    return gettext("Send me %(name)s by email. I can leave at any time with the link in every mail.") % {
        "name": mailing_list.name
    }
