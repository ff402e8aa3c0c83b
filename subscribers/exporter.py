"""Writes people to CSV as a stream, safe to open in a spreadsheet and fit to be imported again."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TextIO

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from subscribers.attributes import attribute_keys, read_attributes_of
from subscribers.audience import contactable
from subscribers.importing.targets import ATTRIBUTE
from subscribers.lines import guard_cell
from subscribers.models import MailingList, Scope, Subscriber, Subscription, Suppression

EXPORTED = (
    *("email", "name", "country", "region", "city", "language", "topics", "giving", "timezone", "source"),
    *("asked_on", "expires_on", "lists"),
)
"""The columns of every file. `asked_on` is the day of asking for the list, `expires_on` the last day of implied consent, both
in UTC; in a file of all lists they are the first of somebody's days."""
BYTE_ORDER_MARK = "\ufeff"
_AT_ONCE = 2_000
_MOMENT = timedelta(microseconds=1)


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


def export_rows(mailing_list: MailingList | None = None, *, most: int | None = None) -> Iterator[list[str]]:
    """The header and then one row a person, `most` at most; every cell is safe in a spreadsheet.

    Custom attributes have columns of their own.
    """
    keys = attribute_keys()
    yield [*EXPORTED, *(f"{ATTRIBUTE}{key}" for key in keys)]
    mailed = Prefetch("subscriptions", _mailed().select_related("mailing_list"), to_attr="mailed")
    found = people_to_export(mailing_list).select_related("place").prefetch_related("topics", mailed)[:most]
    people = found.iterator(chunk_size=_AT_ONCE)
    while several := list(islice(people, _AT_ONCE)):
        attributes = read_attributes_of(person.pk for person in several) if keys else {}
        for person in several:
            cells = _cells(person, mailing_list, attributes.get(person.pk, {}), keys)
            yield [guard_cell(cell) for cell in cells]


def people_to_export(mailing_list: MailingList | None) -> QuerySet[Subscriber]:
    """Those who may be mailed: of one list, or of any."""
    if mailing_list is not None:
        mailed = contactable(mailing_list=mailing_list).values("subscriber_id")
        return Subscriber.objects.filter(pk__in=mailed).order_by("pk")
    return Subscriber.objects.filter(Exists(_mailed().filter(subscriber=OuterRef("pk")))).order_by("pk")


def _mailed() -> QuerySet[Subscription]:
    """The subscriptions, whatever their list, by which somebody may be mailed."""
    barred = (
        Suppression.objects.live()
        .filter(address_hash=OuterRef("subscriber__address_hash"))
        .filter(Q(scope=Scope.ALL) | Q(mailing_list=OuterRef("mailing_list")))
    )
    lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return Subscription.objects.mailable().filter(lasting, ~Exists(barred))


def _cells(
    person: Subscriber, mailing_list: MailingList | None, attributes: Mapping[str, str], keys: Sequence[str]
) -> list[str]:
    place = person.place
    mailed: list[Subscription] = person.mailed  # type: ignore[attr-defined]  # prefetched
    these = [one for one in mailed if mailing_list is None or one.mailing_list_id == mailing_list.pk]
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
        _first_day(one.requested_at for one in these),
        _first_day(one.expires_at - _MOMENT for one in these if one.expires_at is not None),
        ";".join(sorted(one.mailing_list.slug for one in mailed)),
        *(attributes.get(key, "") for key in keys),
    ]


def _first_day(moments: Iterable[datetime]) -> str:
    first = min(moments, default=None)
    return first.astimezone(UTC).date().isoformat() if first else ""
