"""Writes people to CSV as a stream, safe to open in a spreadsheet and fit to be imported again."""

import csv
from typing import TextIO

from django.db.models import Exists, OuterRef, Q, QuerySet

from subscribers.audience import contactable
from subscribers.lines import guard_cell
from subscribers.models import MailingList, Scope, Subscriber, Subscription, Suppression

EXPORTED = ("email", "name", "country", "region", "city", "language", "topics", "giving", "timezone", "source", "lists")
_AT_ONCE = 2_000


def export_people(*, out: TextIO, mailing_list: MailingList | None = None) -> int:
    """Writes those who may be mailed: of one list, or of any. Returns how many. Suppressed people are not exported."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(EXPORTED)
    written = 0
    for person in _people(mailing_list).iterator(chunk_size=_AT_ONCE):
        writer.writerow([guard_cell(cell) for cell in _cells(person)])
        written += 1
    return written


def _people(mailing_list: MailingList | None) -> QuerySet[Subscriber]:
    people = Subscriber.objects.select_related("place").prefetch_related("topics", "subscriptions__mailing_list")
    if mailing_list is not None:
        return people.filter(pk__in=contactable(mailing_list=mailing_list).values("subscriber_id")).order_by("pk")
    barred = (
        Suppression.objects.live()
        .filter(address_hash=OuterRef("subscriber__address_hash"))
        .filter(Q(scope=Scope.ALL) | Q(mailing_list=OuterRef("mailing_list")))
    )
    mailed = Subscription.objects.mailable().filter(~Exists(barred), subscriber=OuterRef("pk"))
    return people.filter(Exists(mailed)).order_by("pk")


def _cells(person: Subscriber) -> list[str]:
    place = person.place
    lists = sorted(
        subscription.mailing_list.slug for subscription in person.subscriptions.all() if subscription.ended_at is None
    )
    return [
        person.email,
        person.name,
        place.country if place else "",
        place.region if place else "",
        place.town if place else "",
        person.language,
        ";".join(sorted(topic.slug for topic in person.topics.all())),
        person.giving,
        person.timezone,
        person.source,
        ";".join(lists),
    ]
