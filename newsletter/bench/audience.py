"""Create a publication with a large audience as fast as the database allows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.db import connection, transaction

from newsletter.bench.errors import NotMeasured
from newsletter.common.schedule import due_after
from newsletter.issues.approval.approve import approve_by_policy
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.models import Appeal, Brand, EventNotice, Issue, Publication, Slot, Source, Story
from subscribers.models import MailingList, SubscriberLocation

TOWNS = (
    ("GB", "GB-ENG", "London", 51.51, -0.13),
    ("GB", "GB-SCT", "Edinburgh", 55.95, -3.19),
    ("US", "US-TX", "Houston", 29.76, -95.37),
    ("CA", "CA-ON", "Toronto", 43.7, -79.42),
    ("DE", "DE-BE", "Berlin", 52.52, 13.41),
)
ROWS_AT_ONCE = 10_000
_Row = tuple[int, str, str, bytes, str, int, datetime]
_SUBSCRIBER = (
    "INSERT INTO subscribers_subscriber (id, uuid, email, address_hash, name, place_id, language, giving, timezone, source,"
    " created_at) VALUES (%s, %s, %s, %s, %s, %s, 'en', 'none', '', '', %s)"
)
_SUBSCRIBERS_ON_POSTGRES = """
INSERT INTO subscribers_subscriber (id, uuid, email, address_hash, name, place_id, language, giving, timezone, source, created_at)
SELECT number, LPAD(TO_HEX(number), 32, '0')::uuid, 'person' || number || '@example' || number %% 97 || '.org',
       SHA256(CONVERT_TO(number::text, 'UTF8')), 'Reader ' || number, (%s::bigint[])[number %% %s + 1],
       'en', 'none', '', '', %s - number %% %s * INTERVAL '1 day'
FROM GENERATE_SERIES(1, %s) AS number
"""
"""The rows of `_make_rows`, which PostgreSQL makes itself: reading them from here takes several times as long."""
_SUBSCRIPTION = (
    "INSERT INTO subscribers_subscription (subscriber_id, mailing_list_id, basis, evidence, requested_at, end_reason)"
    " SELECT id, %s, 'consent', 'bench', created_at, '' FROM subscribers_subscriber"
)


def make_audience(people: int, *, stories: int = 5, signup_days: int = 1) -> Publication:
    """Create a weekly publication with stories, events in five towns, and so many people on its list.

    As many people signed up on each of the last ``signup_days``.
    """
    now = datetime.now(UTC)
    brand = Brand.objects.create(name="Bench", postal_address="1 Example Street, Leeds")
    mailing_list = MailingList.objects.create(slug="bench", name="Bench")
    publication = Publication.objects.create(
        slug="bench",
        name="Bench",
        brand=brand,
        mailing_list=mailing_list,
        from_name="Bench",
        from_email="bench@news.example.org",
        schedule="0 9 * * thu",
        zone="Europe/London",
        approval="auto",
        stories=stories,
        intro='Dear {{ first_name | default:"friend" }},',
    )
    source = Source.objects.create(name="Bench", kind="feed", url="https://example.org/feed.xml")
    for number in range(stories):
        Story.objects.create(
            external_id=f"desk:{number}",
            url=f"https://example.org/{number}/",
            title=f"Story number {number} of the bench",
            teaser="A sentence about what happened, and another that says what it means. " * 2,
            language="en",
            published_at=now,
            seen_at=now,
        )
    Appeal.objects.create(
        slug="give", headline="Give", text="An hour.", link="https://example.org/give/", button="Give"
    )
    places = [_make_place(*town) for town in TOWNS]
    slot = get_or_create_slot(publication=publication, due="", now=now)
    for place in places:
        EventNotice.objects.create(
            source=source,
            external_id=place.key,
            title=f"Open day in {place.town}",
            url="https://example.org/events/",
            starts_at=slot.due_at.replace(hour=18) + (slot.due_at - now),
            zone="Europe/London",
            place_text=place.town,
            country=place.country,
            region=place.region,
            latitude=place.latitude,
            longitude=place.longitude,
            seen_at=now,
        )
    _write_people(people, [place.pk for place in places], mailing_list, now, signup_days)
    return publication


def make_approved_issue(publication: Publication) -> Issue:
    issue = make_draft_issue(publication)
    approve_by_policy(issue=issue, now=datetime.now(UTC))
    return issue


def make_draft_issue(publication: Publication) -> Issue:
    """Assemble the issue of the publication's next free slot. Raise NotMeasured if there is nothing for it."""
    now, due = datetime.now(UTC), ""
    last = publication.slots.order_by("due_at").last()
    if last and last.state != Slot.State.DUE:
        due = next(due_after(last.due_at, schedule=publication.schedule, zone=publication.zone)).local
    issue = assemble_slot(slot=get_or_create_slot(publication=publication, due=due, now=now), now=now).issue
    if issue is None:
        raise NotMeasured("The issue of the measurement was not assembled. The log says why.")
    return issue


def _make_place(country: str, region: str, town: str, latitude: float, longitude: float) -> SubscriberLocation:
    key = f"{country}|{region}|{town}|{latitude}|{longitude}"
    return SubscriberLocation.objects.create(
        key=key, country=country, region=region, town=town, latitude=latitude, longitude=longitude, zone="Europe/London"
    )


def _write_people(people: int, places: list[int], mailing_list: MailingList, now: datetime, signup_days: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_SUBSCRIBERS_ON_POSTGRES, [places, len(places), now, signup_days, people])
        else:
            for rows in _make_rows(people, places, now, signup_days):
                cursor.executemany(_SUBSCRIBER, rows)
        cursor.execute(_SUBSCRIPTION, [mailing_list.pk])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _make_rows(people: int, places: list[int], now: datetime, signup_days: int) -> Iterator[list[_Row]]:
    days = [now - timedelta(days=day) for day in range(signup_days)]
    for start in range(1, people + 1, ROWS_AT_ONCE):
        yield [
            (
                number,
                f"{number:032x}",
                f"person{number}@example{number % 97}.org",
                sha256(str(number).encode()).digest(),
                f"Reader {number}",
                places[number % len(places)],
                days[number % signup_days],
            )
            for number in range(start, min(start + ROWS_AT_ONCE, people + 1))
        ]
