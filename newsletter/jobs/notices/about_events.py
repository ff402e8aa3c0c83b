"""Write the notices about events that changed after people received them: one for all changes of a publication."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from newsletter.common.messages import Message, Quantity
from newsletter.issues.approval.write_notices import write_notice
from newsletter.issues.corrections.changed_events import (
    ChangedEvent,
    changed_events,
    filter_unnotified,
    find_changed_events,
    is_being_sent,
)
from newsletter.issues.corrections.correct import MisinformedGroup
from newsletter.models import EventNotice, Publication

MAX_NAMED = 5


def notify_changed_events(*, now: datetime) -> None:
    """Queue one notice for each publication. Events that nobody received yet, because the send is running, are notified later."""
    unnotified = filter_unnotified(changed_events(now=now))
    if not unnotified.exists():
        return
    found = find_changed_events(now=now, unnotified=True)
    by_publication: dict[Publication, list[tuple[EventNotice, MisinformedGroup]]] = defaultdict(list)
    for changed in found:
        for misinformed in changed.misinformed:
            by_publication[misinformed.publication].append((changed.event, misinformed))
    for publication, changes in by_publication.items():
        _write(publication, changes, now=now)
    _mark_notified(unnotified, found, now=now)


def _write(publication: Publication, changes: Sequence[tuple[EventNotice, MisinformedGroup]], *, now: datetime) -> None:
    changes = sorted(changes, key=lambda change: (change[0].starts_at, change[0].pk))
    first = changes[0][0]
    if len(changes) == 1:
        subject = Message(
            "An event changed after %(publication)s announced it: %(title)s", publication=publication, title=first.title
        )
    else:
        subject = Message(
            "%(changes)s events changed after %(publication)s announced them: %(title)s and %(others)s more",
            changes=len(changes),
            publication=publication,
            title=first.title,
            others=len(changes) - 1,
        )
    paragraphs = [_describe_change(event, misinformed) for event, misinformed in changes[:MAX_NAMED]]
    if len(changes) > MAX_NAMED:
        paragraphs.append(
            Message("%(changes)s more events changed too. Home lists them.", changes=len(changes) - MAX_NAMED)
        )
    paragraphs.append(Message("Nobody is notified until you announce the change."))
    link = f"{settings.NEWSLETTER_SITE_URL}/admin/"
    if len(changes) == 1:
        link = f"{link}events/announce/{first.pk}/"
    write_notice(publication, f"events-{publication.pk}-{_changes_digest(changes)}", subject, paragraphs, link, now)


def _describe_people(misinformed: MisinformedGroup) -> Message:
    if misinformed.to_files:
        return Message("Nobody received the old details, because the mail was written to files.")
    if misinformed.people == 1:
        return Message("1 person received different details.")
    return Message("%(people)s people received different details.", people=Quantity(misinformed.people))


def _describe_change(event: EventNotice, misinformed: MisinformedGroup) -> str:
    people = _describe_people(misinformed)
    if event.cancelled:
        return Message(
            "“%(title)s” (%(when)s) does not take place. %(people)s",
            title=event.title,
            when=misinformed.when,
            people=people,
        )
    if misinformed.was.cancelled:
        return Message(
            "“%(title)s” takes place after all: %(when_now)s. %(people)s",
            title=event.title,
            when_now=misinformed.when_now,
            people=people,
        )
    was, now_is = _join(misinformed.when, misinformed.where), _join(misinformed.when_now, misinformed.where_now)
    return Message(
        "“%(title)s” was announced for %(was)s. It is now %(now_is)s. %(people)s",
        title=event.title,
        was=was,
        now_is=now_is,
        people=people,
    )


def _join(when: str, where: str) -> str:
    return f"{when} · {where}" if where else when


def _changes_digest(changes: Sequence[tuple[EventNotice, MisinformedGroup]]) -> str:
    facts = "|".join(f"{event.pk}:{event.changed_at}" for event, _ in changes)
    return hashlib.sha256(facts.encode()).hexdigest()[:20]


def _mark_notified(unnotified: QuerySet[EventNotice], changed_events: list[ChangedEvent], *, now: datetime) -> None:
    notified = {changed.event.pk for changed in changed_events}
    for event in list(unnotified):
        if event.pk in notified or not is_being_sent(event):
            EventNotice.objects.filter(pk=event.pk, changed_at=event.changed_at).update(change_notified_at=now)
