"""Collect a person's data beyond their own row, lists and consent. Other packages register further sections."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.db.models import QuerySet

from subscribers.models import (
    CaseFollow,
    Confirmation,
    FormerIdentity,
    HeldSignup,
    ImportRefusal,
    MailedLink,
    Reply,
    StayQuestion,
    Subscriber,
    WebhookDelivery,
)

_RowOfList = TypeVar("_RowOfList", Confirmation, MailedLink, StayQuestion)
SectionMaker = Callable[[Subscriber], object]
_SECTION_MAKERS: dict[str, SectionMaker] = {}


def register_export_section(name: str, make_section: SectionMaker) -> None:
    """Add a section of JSON values to the copy of a person's data. Call it once, when the app starts."""
    _SECTION_MAKERS[name] = make_section


def collect_export_sections(person: Subscriber) -> dict[str, object]:
    """Return all sections by name, fit for JSON. Times are ISO 8601 in UTC."""
    return {
        "confirmation_mails": [_describe_confirmation(row) for row in _list_with_lists(Confirmation, person)],
        "mailed_links": [_describe_mailed_link(row) for row in _list_with_lists(MailedLink, person)],
        "still_wanted_questions": [_describe_question(row) for row in _list_with_lists(StayQuestion, person)],
        "replies": [_describe_reply(row) for row in Reply.objects.filter(subscriber=person).order_by("pk")],
        "followed_cases": [
            {"slug": row.case.slug, "case": row.case.name, "followed_at": format_moment(row.followed_at)}
            for row in CaseFollow.objects.filter(subscriber=person).select_related("case").order_by("pk")
        ],
        "merged_from": [
            format_moment(row.at) for row in FormerIdentity.objects.filter(subscriber=person).order_by("pk")
        ],
        "waiting_sign_ups": [_describe_held_signup(row) for row in _list_held_signups(person)],
        "refused_lines": [
            {"line": row.raw, "reason": row.reason} for row in ImportRefusal.objects.naming(person.email).order_by("pk")
        ],
        "told_to_other_systems": [
            {"event": row.event.kind, "to": row.endpoint.name, "at": format_moment(row.attempted_at)}
            for row in WebhookDelivery.objects.filter(person=person.pk, attempts__gt=0)
            .select_related("event", "endpoint")
            .order_by("pk")
        ],
        **{name: make_section(person) for name, make_section in _SECTION_MAKERS.items()},
    }


def _list_with_lists(rows: type[_RowOfList], person: Subscriber) -> QuerySet[_RowOfList]:
    """Return the person's rows of a table that names a list, the oldest first."""
    return rows._default_manager.filter(subscriber=person).select_related("mailing_list").order_by("pk")


def _describe_confirmation(row: Confirmation) -> dict[str, object]:
    return {
        "list": row.mailing_list.public_name,
        "requested_at": format_moment(row.requested_at),
        "sent_at": format_moment(row.sent_at),
    }


def _describe_mailed_link(row: MailedLink) -> dict[str, object]:
    return {
        "kind": row.kind,
        "list": row.mailing_list.public_name,
        "new_email": row.new_email,
        "asked_at": format_moment(row.asked_at),
        "sent_at": format_moment(row.sent_at),
        "used_at": format_moment(row.used_at),
    }


def _describe_question(row: StayQuestion) -> dict[str, object]:
    return {
        "list": row.mailing_list.public_name,
        "asked_at": format_moment(row.asked_at),
        "sent_at": format_moment(row.sent_at),
        "answered_at": format_moment(row.answered_at),
        "resting_since": format_moment(row.resting_since),
    }


def _describe_reply(row: Reply) -> dict[str, object]:
    return {
        "issue": row.issue,
        "replied_on": row.replied_on.isoformat(),
        "origin": row.origin,
        "by": row.by,
        "recorded_at": format_moment(row.recorded_at),
    }


def _list_held_signups(person: Subscriber) -> list[HeldSignup]:
    rows = HeldSignup.objects.filter(address_hash=bytes(person.address_hash)).order_by("pk")
    return list(rows.select_related("mailing_list", "place").prefetch_related("topics"))


def _describe_held_signup(row: HeldSignup) -> dict[str, object]:
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
        "at": format_moment(row.at),
    }


def format_moment(moment: datetime | None) -> str | None:
    """Return a time in ISO 8601, or None."""
    return moment.isoformat() if moment else None
