"""Writes people to CSV as a stream, safe to open in a spreadsheet and fit to be imported again."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TextIO

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from subscribers.attributes import attribute_keys, read_attributes_of
from subscribers.audience import contactable
from subscribers.importing.targets import ATTRIBUTE
from subscribers.lines import guard_cell
from subscribers.models import MailingList, Scope, Subscriber, Subscription, Suppression

EXPORTED = ("email", "name", "country", "region", "city", "language", "topics", "giving", "timezone", "source", "lists")
BYTE_ORDER_MARK = "\ufeff"
_AT_ONCE = 2_000


def export_people(*, out: TextIO, mailing_list: MailingList | None = None, mark: bool = False) -> int:
    """Writes those who may be mailed: of one list, or of any. Returns how many. Suppressed people are not exported.

    `mark` puts a byte order mark first, by which Excel knows that the file is UTF-8.
    """
    if mark:
        out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out, lineterminator="\r\n")
    written = -1
    for written, cells in enumerate(export_rows(mailing_list)):  # noqa: B007  the last number is the answer
        writer.writerow(cells)
    return written


def export_rows(mailing_list: MailingList | None = None) -> Iterator[list[str]]:
    """The header and then one row a person; every cell is safe in a spreadsheet. Custom attributes have columns of their own."""
    keys = attribute_keys()
    yield [*EXPORTED, *(f"{ATTRIBUTE}{key}" for key in keys)]
    people = people_to_export(mailing_list).iterator(chunk_size=_AT_ONCE)
    while several := list(islice(people, _AT_ONCE)):
        attributes = read_attributes_of(person.pk for person in several) if keys else {}
        for person in several:
            yield [guard_cell(cell) for cell in _cells(person, attributes.get(person.pk, {}), keys)]


def people_to_export(mailing_list: MailingList | None) -> QuerySet[Subscriber]:
    """Those who may be mailed: of one list, or of any."""
    people = Subscriber.objects.select_related("place").prefetch_related("topics", "subscriptions__mailing_list")
    if mailing_list is not None:
        return people.filter(pk__in=contactable(mailing_list=mailing_list).values("subscriber_id")).order_by("pk")
    barred = (
        Suppression.objects.live()
        .filter(address_hash=OuterRef("subscriber__address_hash"))
        .filter(Q(scope=Scope.ALL) | Q(mailing_list=OuterRef("mailing_list")))
    )
    lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    mailed = Subscription.objects.mailable().filter(lasting, ~Exists(barred), subscriber=OuterRef("pk"))
    return people.filter(Exists(mailed)).order_by("pk")


def _cells(person: Subscriber, attributes: Mapping[str, str], keys: Sequence[str]) -> list[str]:
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
        *(attributes.get(key, "") for key in keys),
    ]
