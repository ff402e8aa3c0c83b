"""A person's data beyond their own row, lists and consent. Other packages register sections."""

from collections.abc import Callable
from datetime import datetime

from subscribers.models import Confirmation, FormerIdentity, HeldSignup, ImportRefusal, MailedLink, Subscriber

SectionMaker = Callable[[Subscriber], object]
_SECTION_MAKERS: dict[str, SectionMaker] = {}


def register_export_section(name: str, make_section: SectionMaker) -> None:
    """Add a section, fit for JSON, to what a person is told. Call it once, when the app starts."""
    _SECTION_MAKERS[name] = make_section


def collect_export_sections(person: Subscriber) -> dict[str, object]:
    """Return all sections by name, fit for JSON. Times are ISO 8601 in UTC."""
    return {
        "confirmation_mails": [
            {
                "list": row.mailing_list.public_name,
                "requested_at": _isoformat(row.requested_at),
                "sent_at": _isoformat(row.sent_at),
            }
            for row in Confirmation.objects.filter(subscriber=person).select_related("mailing_list").order_by("pk")
        ],
        "mailed_links": [
            {
                "kind": row.kind,
                "list": row.mailing_list.public_name,
                "new_email": row.new_email,
                "asked_at": _isoformat(row.asked_at),
                "sent_at": _isoformat(row.sent_at),
                "used_at": _isoformat(row.used_at),
            }
            for row in MailedLink.objects.filter(subscriber=person).select_related("mailing_list").order_by("pk")
        ],
        "merged_from": [_isoformat(row.at) for row in FormerIdentity.objects.filter(subscriber=person).order_by("pk")],
        "waiting_sign_ups": [_describe_held(row) for row in _list_held_signups(person)],
        "refused_lines": [
            {"line": row.raw, "reason": row.reason}
            for row in ImportRefusal.objects.filter(raw__icontains=person.email).order_by("pk")
        ],
        **{name: make_section(person) for name, make_section in _SECTION_MAKERS.items()},
    }


def _list_held_signups(person: Subscriber) -> list[HeldSignup]:
    rows = HeldSignup.objects.filter(address_hash=bytes(person.address_hash)).order_by("pk")
    return list(rows.select_related("mailing_list", "place").prefetch_related("topics"))


def _describe_held(row: HeldSignup) -> dict[str, object]:
    return {
        "list": row.mailing_list.public_name,
        "email": row.email,
        "name": row.name,
        "language": row.language,
        "place": str(row.place) if row.place else "",
        "topics": sorted(topic.slug for topic in row.topics.all()),
        "wording": row.wording,
        "source": row.source,
        "why": row.reason,
        "at": _isoformat(row.at),
    }


def _isoformat(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
