"""Write people to CSV as a stream that is safe in a spreadsheet and can be imported again."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import itemgetter
from typing import TextIO

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from newsletter.common.text import escape_csv_cell
from subscribers.audience.eligibility import list_contactable
from subscribers.importing.reading.column_mapping import ATTRIBUTE, EACH_LIST
from subscribers.importing.reading.per_list_terms import LIST_TERMS, write_each_list
from subscribers.models import MailingList, Scope, Subscriber, Subscription, Suppression
from subscribers.segments.attributes import attribute_keys, read_attributes_by_person

_PERSON = (
    *("email", "name", "country", "region", "city", "radius_km", "language", "topics", "giving", "timezone", "source"),
)
ONE_LIST_COLUMNS = (*_PERSON, *LIST_TERMS, "lists")
"""`asked_on` is the day of asking for the list, `expires_on` the last day of implied consent, both in UTC."""
ALL_LISTS_COLUMNS = (*_PERSON, "asked_on", "expires_on", "lists", EACH_LIST)
"""`asked_on` and `expires_on` are the earliest of all lists. The last column has the terms of each list."""
_BATCH_SIZE = 2_000
_MICROSECOND = timedelta(microseconds=1)


def export_people(*, out: TextIO, mailing_list: MailingList | None = None) -> int:
    """Write everybody who may be mailed, of one list or of any. Return how many. Suppressed people are not exported."""
    writer = csv.writer(out, lineterminator="\r\n")
    written = -1
    for written, cells in enumerate(export_rows(mailing_list)):  # noqa: B007  the last number is the answer
        writer.writerow(cells)
    return written


def export_rows(
    mailing_list: MailingList | None = None,
    *,
    max_people: int | None = None,
    person_ids: Sequence[int] | None = None,
    other_lists: bool = True,
) -> Iterator[list[str]]:
    """Yield the header, then one row for each person, `max_people` at most. Every cell is safe in a spreadsheet.

    `person_ids` limits the rows to people who were chosen. Without `other_lists`, nothing shows which other lists a person is
    on. Custom attributes have columns of their own.
    """
    keys = attribute_keys()
    yield [*(ONE_LIST_COLUMNS if mailing_list else ALL_LISTS_COLUMNS), *(f"{ATTRIBUTE}{key}" for key in keys)]
    subscriptions = _mailable_subscriptions().select_related("mailing_list")
    if mailing_list and not other_lists:
        subscriptions = subscriptions.filter(mailing_list=mailing_list)
    mailed = Prefetch("subscriptions", subscriptions, to_attr="mailed")
    chosen = people_to_export(mailing_list, person_ids=person_ids)
    found = chosen.select_related("place").prefetch_related("topics", mailed)[:max_people]
    people = found.iterator(chunk_size=_BATCH_SIZE)
    while batch := list(islice(people, _BATCH_SIZE)):
        attributes = read_attributes_by_person(person.pk for person in batch) if keys else {}
        for person in batch:
            cells = _person_cells(person, mailing_list, attributes.get(person.pk, {}), keys)
            yield [escape_csv_cell(cell) for cell in cells]


def people_to_export(
    mailing_list: MailingList | None, *, person_ids: Sequence[int] | None = None
) -> QuerySet[Subscriber]:
    """Return everybody who may be mailed, of one list or of any, and of the people who were chosen."""
    people = Subscriber.objects.order_by("pk")
    if person_ids is not None:
        people = people.filter(pk__in=person_ids)
    if mailing_list is not None:
        return people.filter(pk__in=list_contactable(mailing_list=mailing_list).values("subscriber_id"))
    return people.filter(Exists(_mailable_subscriptions().filter(subscriber=OuterRef("pk"))))


def _mailable_subscriptions() -> QuerySet[Subscription]:
    """Return the subscriptions, to any list, whose person may be mailed."""
    suppressed = (
        Suppression.objects.live()
        .filter(address_hash=OuterRef("subscriber__address_hash"))
        .filter(Q(scope=Scope.ALL) | Q(mailing_list=OuterRef("mailing_list")))
    )
    lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return Subscription.objects.mailable().filter(lasting, ~Exists(suppressed))


def _person_cells(
    person: Subscriber, mailing_list: MailingList | None, attributes: Mapping[str, str], keys: Sequence[str]
) -> list[str]:
    place = person.place
    mailed: list[Subscription] = person.mailed  # type: ignore[attr-defined]  # prefetched
    lists = sorted(((row.mailing_list.slug, _terms(row)) for row in mailed), key=itemgetter(0))
    if mailing_list is not None:
        terms = dict(lists).get(mailing_list.slug, {})
        terms_cells = [terms.get(term, "") for term in LIST_TERMS]
    else:
        terms_cells = [_earliest(lists, "asked_on"), _earliest(lists, "expires_on")]
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
        *terms_cells,
        ";".join(slug for slug, _ in lists),
        *([] if mailing_list else [write_each_list(lists)]),
        *(attributes.get(key, "") for key in keys),
    ]


def _terms(subscription: Subscription) -> dict[str, str]:
    """Return the terms of one subscription, by the names of `LIST_TERMS`."""
    last_moment = subscription.expires_at - _MICROSECOND if subscription.expires_at else None
    pause = subscription.paused_until
    return {
        "asked_on": _day(subscription.requested_at),
        "expires_on": _day(last_moment) if last_moment else "",
        "mail_frequency": subscription.frequency,
        "paused_until": f"{pause.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if pause and pause > timezone.now() else "",
    }


def _earliest(lists: Iterable[tuple[str, Mapping[str, str]]], term: str) -> str:
    return min((terms[term] for _, terms in lists if terms[term]), default="")


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
