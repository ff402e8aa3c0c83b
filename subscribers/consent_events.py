"""The append-only log of consent."""

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
    """Add one event.

    `wording` is what the person read; `by` names a member of staff. `data` must hold no address or name.
    """
    return ConsentEvent.objects.create(
        kind=kind,
        subscriber=subscriber,
        address_hash=address_hash,
        mailing_list=mailing_list,
        at=now,
        wording=wording,
        source=source,
        by=by,
        data=dict(data or {}),
    )


def make_consent_wording(mailing_list: MailingList) -> str:
    """Return the sentence beside the sign-up button, in the current language."""
    return gettext("Send me %(name)s by email. I can unsubscribe at any time with the link in every mail.") % {
        "name": mailing_list.name
    }
