"""Writes people to CSV as a stream, safe to open in a spreadsheet and fit to be imported again."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TextIO

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from newsletter.common.text import guard_cell
from subscribers.audience.eligibility import contactable
from subscribers.importing.reading.column_mapping import ATTRIBUTE, EACH_LIST
from subscribers.importing.reading.each_list import TERMS, write_each_list
from subscribers.models import MailingList, Scope, Subscriber, Subscription, Suppression
from subscribers.segments.attributes import attribute_keys, read_attributes_of

_PERSON = (
    *("email", "name", "country", "region", "city", "radius_km", "language", "topics", "giving", "timezone", "source"),
)
OF_ONE_LIST = (*_PERSON, *TERMS, "lists")
"""`asked_on` is the day of asking for the list, `expires_on` the last day of implied consent, both in UTC."""
OF_ALL_LISTS = (*_PERSON, "asked_on", "expires_on", "lists", EACH_LIST)
"""The days are the first of somebody's; what holds for each list stands in the last column."""
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
    yield [*(OF_ONE_LIST if mailing_list else OF_ALL_LISTS), *(f"{ATTRIBUTE}{key}" for key in keys)]
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
    lists = sorted(((one.mailing_list.slug, _terms(one)) for one in mailed), key=lambda of_list: of_list[0])
    if mailing_list is not None:
        terms = dict(lists).get(mailing_list.slug, {})
        how = [terms.get(term, "") for term in TERMS]
    else:
        how = [_first(lists, "asked_on"), _first(lists, "expires_on")]
    return [
        person.email,
        person.name,
        place.country if place else "",
        place.region if place else "",
        place.town if place else "",
        str(person.radius_km or ""),
        person.language,
        ";".join(sorted(topic.slug for topic in person.topics.all())),
        person.giving,
        person.timezone,
        person.source,
        *how,
        ";".join(slug for slug, _ in lists),
        *([] if mailing_list else [write_each_list(lists)]),
        *(attributes.get(key, "") for key in keys),
    ]


def _terms(subscription: Subscription) -> dict[str, str]:
    """How somebody is on one list, by the names of `TERMS`."""
    last = subscription.expires_at - _MOMENT if subscription.expires_at else None
    pause = subscription.paused_until
    return {
        "asked_on": _day(subscription.requested_at),
        "expires_on": _day(last) if last else "",
        "mail_frequency": subscription.frequency,
        "paused_until": f"{pause.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if pause and pause > timezone.now() else "",
    }


def _first(lists: Iterable[tuple[str, Mapping[str, str]]], term: str) -> str:
    return min((terms[term] for _, terms in lists if terms[term]), default="")


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
