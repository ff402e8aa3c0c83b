"""Write people to CSV as a stream that is safe in a spreadsheet and can be imported again."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import itemgetter
from typing import Any, TextIO

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from newsletter.common.text import escape_csv_cell
from subscribers.audience.eligibility import list_contactable
from subscribers.importing.reading.column_mapping import ATTRIBUTE, EACH_LIST
from subscribers.importing.reading.subscription_state import LIST_TERMS, write_each_list
from subscribers.models import MailingList, Scope, Subscriber, Subscription, Suppression
from subscribers.segments.attributes import attribute_keys, read_attributes_by_person

_PERSON = (
    *("email", "name", "country", "region", "city", "radius_km", "language", "topics", "giving", "timezone", "source"),
)
ONE_LIST_COLUMNS = (*_PERSON, *LIST_TERMS, "lists")
"""`asked_on` is the day of asking for the list, `expires_on` the last day of implied consent, both in UTC."""
ALL_LISTS_COLUMNS = (*_PERSON, "asked_on", "expires_on", "lists", EACH_LIST)
"""`asked_on` and `expires_on` are the earliest of all lists. The last column has the terms of each list."""
_FIELDS = (
    *("email", "name", "place__country", "place__region", "place__town", "radius_km", "language", "giving", "timezone"),
    "source",
)
_TERM_FIELDS = ("requested_at", "expires_at", "frequency", "paused_until")
ListTerms = tuple[str, dict[str, str]]
"""The slug of a list, and one person's terms on it by the names of `LIST_TERMS`."""
Lists = list[ListTerms]
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
    only_list = mailing_list if mailing_list and not other_lists else None
    chosen = people_to_export(mailing_list, person_ids=person_ids)
    people = chosen.values_list("pk", *_FIELDS)[:max_people].iterator(chunk_size=_BATCH_SIZE)
    while batch := list(islice(people, _BATCH_SIZE)):
        ids = [pk for pk, *_values in batch]
        topics = _read_topics(ids)
        lists = _read_lists(ids, only_list=only_list)
        attributes = read_attributes_by_person(ids) if keys else {}
        for pk, *values in batch:
            attributes_of_person = attributes.get(pk, {})
            cells = _person_cells(values, topics=topics.get(pk, ()), lists=lists.get(pk, ()), mailing_list=mailing_list)
            yield [escape_csv_cell(cell) for cell in (*cells, *(attributes_of_person.get(key, "") for key in keys))]


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


def _of_people(ids: Sequence[int]) -> Q:
    """Return a condition that these people's rows meet. If most of those between the first and the last are chosen, all do."""
    if ids[-1] - ids[0] < 2 * len(ids):
        return Q(subscriber__gte=ids[0], subscriber__lte=ids[-1])
    return Q(subscriber__in=ids)


def _read_topics(ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the slugs of the topics of each of these people who chose any."""
    chosen = Subscriber.topics.through.objects.filter(_of_people(ids))
    topics: defaultdict[int, list[str]] = defaultdict(list)
    for pk, slug in chosen.order_by().values_list("subscriber_id", "topic__slug"):
        topics[pk].append(slug)
    return topics


def _read_lists(ids: Sequence[int], *, only_list: MailingList | None) -> dict[int, Lists]:
    """Return the lists on which each of these people may be mailed, with the terms; only ``only_list`` if it is given."""
    subscriptions = _mailable_subscriptions().filter(_of_people(ids))
    if only_list:
        subscriptions = subscriptions.filter(mailing_list=only_list)
    lists: defaultdict[int, Lists] = defaultdict(list)
    rows = subscriptions.order_by().values_list("subscriber_id", "mailing_list__slug", *_TERM_FIELDS)
    for pk, slug, *terms in rows:
        lists[pk].append((slug, _terms(*terms)))
    return lists


def _person_cells(
    values: Sequence[Any], *, topics: Iterable[str], lists: Iterable[ListTerms], mailing_list: MailingList | None
) -> list[str]:
    """Return the cells of a person with the ``values`` of `_FIELDS`, without the attributes."""
    email, name, country, region, town, radius_km, language, giving, timezone_name, source = values
    lists = sorted(lists, key=itemgetter(0))
    if mailing_list is not None:
        terms = dict(lists).get(mailing_list.slug, {})
        terms_cells = [terms.get(term, "") for term in LIST_TERMS]
    else:
        terms_cells = [_earliest(lists, "asked_on"), _earliest(lists, "expires_on")]
    return [
        email,
        name,
        country or "",
        region or "",
        town or "",
        str(radius_km or ""),
        language,
        ";".join(sorted(topics)),
        giving,
        timezone_name,
        source,
        *terms_cells,
        ";".join(slug for slug, _ in lists),
        *([] if mailing_list else [write_each_list(lists)]),
    ]


def _terms(
    requested_at: datetime, expires_at: datetime | None, frequency: str, paused_until: datetime | None
) -> dict[str, str]:
    """Return the terms of one subscription, by the names of `LIST_TERMS`."""
    is_paused = paused_until is not None and paused_until > timezone.now()
    return {
        "asked_on": _day(requested_at),
        "expires_on": _day(expires_at - _MICROSECOND) if expires_at else "",
        "mail_frequency": frequency,
        "paused_until": f"{paused_until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if paused_until and is_paused else "",
    }


def _earliest(lists: Iterable[tuple[str, Mapping[str, str]]], term: str) -> str:
    return min((terms[term] for _, terms in lists if terms[term]), default="")


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
