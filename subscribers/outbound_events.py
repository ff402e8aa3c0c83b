"""Record what happened for the organisation's other systems, in the transaction of the fact. Nothing is sent here.

Without an endpoint that wants it, nothing is written. Each event has the origin of the change, so that a system recognises
its own changes. Each entrance (API, desk, import, reports of the provider) names itself for the time of its work.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from newsletter.common.database.compiled_query import finds_row
from subscribers.models import (
    ConsentEvent,
    EventKind,
    MailingList,
    OutboundEvent,
    Reason,
    Subscription,
    WebhookDelivery,
    WebhookEndpoint,
)

DESK, IMPORT, PROVIDER, SELF, SYSTEM = "desk", "import", "provider", "self", "system"
_current: ContextVar[str] = ContextVar("origin", default="")
_KINDS = {
    ConsentEvent.Kind.REQUESTED: EventKind.PERSON_SIGNED_UP,
    ConsentEvent.Kind.CONFIRMED: EventKind.PERSON_CONFIRMED,
    ConsentEvent.Kind.PREFERENCES: EventKind.PERSON_CHANGED,
    ConsentEvent.Kind.MOVED: EventKind.PERSON_MOVED,
    ConsentEvent.Kind.MERGED: EventKind.PERSON_MERGED,
    ConsentEvent.Kind.LEFT: EventKind.PERSON_UNSUBSCRIBED,
    ConsentEvent.Kind.LEFT_ALL: EventKind.PERSON_UNSUBSCRIBED_FROM_ALL,
    ConsentEvent.Kind.ENDED: EventKind.PERSON_ENDED,
    ConsentEvent.Kind.SUPPRESSED: EventKind.PERSON_SUPPRESSED,
    ConsentEvent.Kind.SUPPRESSION_REMOVED: EventKind.PERSON_SUPPRESSION_REMOVED,
}
"""Imported people are not reported one by one: `import.finished` is. An erasure is recorded by itself, with the id that was."""
_KINDS_BY_REASON = {Reason.COMPLAINT.value: EventKind.PERSON_COMPLAINED, Reason.HARD.value: EventKind.PERSON_BOUNCED}


def record_event(
    kind: EventKind, *, data: Mapping[str, object], now: datetime, person: int | None = None, by_person: bool = False
) -> None:
    """Record one fact for each endpoint that wants its kind. `data` must contain no address or name."""
    origin = current_origin(by_person=by_person)
    _record([OutboundEvent(kind=kind, at=now, origin=origin, person=person, data=dict(data))])


def record_erasures(people: Iterable[int], *, now: datetime) -> None:
    """Record that these people were erased, as `record_event` does for one."""
    origin = current_origin(by_person=False)
    _record([OutboundEvent(kind=EventKind.PERSON_ERASED, at=now, origin=origin, person=pk, data={}) for pk in people])


def rename_person(*, old: int, new: int) -> None:
    """Assign waiting events about a merged person to the person that stays, in their order."""
    OutboundEvent.objects.filter(person=old).update(person=new)
    WebhookDelivery.objects.filter(person=old).update(person=new)


def is_wanted(kind: EventKind, *, now: datetime) -> bool:
    """Return True if an endpoint wants events of this kind."""
    return finds_row(_find_collecting, now=now) and bool(WebhookEndpoint.objects.wanting({kind}))


def _find_collecting(_: datetime) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.exclude(state=WebhookEndpoint.State.OFF)


def record_person_events(events: Sequence[ConsentEvent]) -> None:
    """Record changes of people's consent. Events without a person, such as of an unknown address, are left out."""
    if not events or not finds_row(_find_collecting, now=events[0].at):
        return
    reported = [(event, kind) for event in events if event.subscriber_id and (kind := _find_kind(event)) is not None]
    if not reported or not WebhookEndpoint.objects.wanting({kind for _, kind in reported}):
        return
    slugs = dict(MailingList.objects.values_list("pk", "slug"))
    _record(
        [
            OutboundEvent(
                kind=kind,
                at=event.at,
                origin=current_origin(by_person=not event.by),
                person=event.subscriber_id,
                data=_describe(event, slugs),
            )
            for event, kind in reported
        ]
    )


def _find_kind(event: ConsentEvent) -> EventKind | None:
    kind = _KINDS.get(ConsentEvent.Kind(event.kind))
    if kind == EventKind.PERSON_SUPPRESSED:
        return _KINDS_BY_REASON.get(str(event.data.get("reason")), kind)
    if kind == EventKind.PERSON_SIGNED_UP and _is_mailed_at_once(event):
        return EventKind.PERSON_CONFIRMED
    return kind


def _is_mailed_at_once(event: ConsentEvent) -> bool:
    """Return True if the person need not confirm: on a list without confirmation, or who undid an unsubscribe."""
    opened = Subscription.objects.open().mailable()
    return opened.filter(subscriber=event.subscriber_id, mailing_list=event.mailing_list_id).exists()


def _describe(event: ConsentEvent, slugs: Mapping[int, str]) -> dict[str, object]:
    """Return the list of the event, the reason of a suppression, and the id that a merge ended."""
    details = {name: event.data[name] for name in ("reason", "absorbed") if name in event.data}
    return details if event.mailing_list_id is None else {"list": slugs[event.mailing_list_id], **details}


@transaction.atomic
def _record(events: Sequence[OutboundEvent]) -> None:
    endpoints = WebhookEndpoint.objects.wanting({EventKind(event.kind) for event in events})
    subscribed = [event for event in events if any(endpoint.wants(EventKind(event.kind)) for endpoint in endpoints)]
    OutboundEvent.objects.bulk_create(subscribed)
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(endpoint=endpoint, event=event, person=event.person, due_at=event.at)
        for event in subscribed
        for endpoint in endpoints
        if endpoint.wants(EventKind(event.kind))
    )


@contextmanager
def acting_through(origin: str) -> Iterator[None]:
    """Record this origin for all changes made inside."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def set_origin(origin: str) -> None:
    """Record this origin until the surrounding `acting_through` ends."""
    _current.set(origin)


def api_origin(key_name: str) -> str:
    """Return the origin of changes by an API key."""
    return f"api:{key_name}"


def current_origin(*, by_person: bool = False) -> str:
    """Return the origin. Without a named one: ``self`` for an act of the person, else ``system``."""
    return _current.get() or (SELF if by_person else SYSTEM)
