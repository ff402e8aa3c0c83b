"""Measure how long segments of a million people take to count and to preview. SQL creates the people."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from django.db import connection, transaction
from django.db.models import Model

from newsletter.models import Batch, Brand, Delivery, Issue, IssueRevision, Publication, Send, Variant
from subscribers.audience.counting import count_lists
from subscribers.models import MailingList, Subscriber, SubscriberAttribute, SubscriberLocation, Subscription, Topic
from subscribers.places.search import find_place
from subscribers.places.suggest import suggest_towns
from subscribers.segments.count import count_people, preview_people

TOPICS = 6
_TOWNS_A_LETTER = 20
_SEED_DAYS = 1_000
_BATCH = 1_000
_SQLITE_NUMBERS = (
    "(WITH RECURSIVE numbers (n) AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < %d)"
    " SELECT n FROM numbers)"
)

RULES: dict[str, dict[str, object]] = {
    "a region": {"region": "US-TX"},
    "near a town": {"near": "London, England, United Kingdom", "km": 80},
    "on a list": {"list": "bench"},
    "a topic": {"topic": "topic-1"},
    "a language": {"language": "es"},
    "an attribute": {"attribute": "membership", "is": "gold"},
    "was sent an issue": {"received": "bench/1"},
    "was not sent it": {"not_received": "bench/1"},
    "three levels": {
        "all": [
            {"list": "bench"},
            {"any": [{"region": "GB-ENG"}, {"near": "Houston, Texas, United States", "km": 200}, {"topic": "topic-2"}]},
            {"none": [{"giving": "monthly"}, {"attribute": "membership", "one_of": ["gold", "silver"]}]},
            {"joined_after": "2024-06-01"},
        ]
    },
}


@dataclass(frozen=True)
class SegmentFigures:
    """`milliseconds` has the times of the exact count and of the desk's preview for each rule: the median of three.

    `estimated` names the rules for which the preview shows an estimate, because counting takes too long. `lists_ms` is the
    time to count each list by eligibility, as the desk's page of lists does.
    """

    people: int
    seed_seconds: float
    slowest_count_ms: float
    slowest_preview_ms: float
    milliseconds: dict[str, tuple[float, float]]
    estimated: list[str]
    lists_ms: float


def measure_segments(*, people: int = 1_000_000) -> SegmentFigures:
    """Fill the connected database, which must be empty, and count each of `RULES` in it."""
    started = time.perf_counter()
    seed(people)
    seeded = time.perf_counter() - started
    took = {name: (_time(count_people, rule), _time(preview_people, rule)) for name, rule in RULES.items()}
    return SegmentFigures(
        people=people,
        seed_seconds=round(seeded, 1),
        slowest_count_ms=max(count for count, _ in took.values()),
        slowest_preview_ms=max(preview for _, preview in took.values()),
        milliseconds=took,
        estimated=[name for name, rule in RULES.items() if not preview_people(rule).exact],
        lists_ms=_time(lambda now: count_lists(now=now), datetime.now(UTC)),
    )


def seed(people: int) -> None:
    """Create people on the list `bench`: a third have topics, a third attributes, and nine in ten were sent issue 1."""
    publication = _make_publication()
    places = [place.pk for place in _make_places()]
    topics = [Topic.objects.create(slug=f"topic-{number}", name=f"Topic {number}").pk for number in range(TOPICS)]
    with transaction.atomic():
        _insert_people(people, first_place=places[0], places=len(places))
        _insert(
            Subscription,
            "subscriber_id, mailing_list_id, basis, evidence, requested_at, end_reason",
            f"id, {publication.mailing_list_id}, 'consent', 'bench', created_at, ''",
        )
        _insert(
            Subscriber.topics.through, "subscriber_id, topic_id", f"id, {topics[0]} + id % 17 % {TOPICS}", "id % 3 = 0"
        )
        for key, value in (("membership", _pick("id / 3", "gold", "silver", "bronze")), ("branch", "'b' || (id % 97)")):
            _insert(
                SubscriberAttribute, "subscriber_id, key, value, folded", f"id, '{key}', {value}, {value}", "id % 3 = 1"
            )
        _create_sent_issue(publication, people)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _time(ask: Callable[..., object], argument: object) -> float:
    took = []
    for _ in range(3):
        started = time.perf_counter()
        ask(argument)
        took.append((time.perf_counter() - started) * 1000)
    return round(median(took), 1)


def _make_publication() -> Publication:
    brand = Brand.objects.create(name="Bench", postal_address="1 Example Street, Leeds")
    return Publication.objects.create(
        slug="bench",
        name="Bench",
        brand=brand,
        mailing_list=MailingList.objects.create(slug="bench", name="Bench"),
        from_name="Bench",
        from_email="bench@news.example.org",
        schedule="0 9 * * thu",
    )


def _make_places() -> list[SubscriberLocation]:
    """Create places for a few hundred towns of the world."""
    place_ids = {
        name
        for first in "abcdefghijklmnopqrstuvwxyz"
        for second in "aeiou"
        for name in suggest_towns(first + second, limit=_TOWNS_A_LETTER)
    }
    towns = [match.place for match in map(find_place, sorted(place_ids)) if match.place is not None]
    return SubscriberLocation.objects.bulk_create(
        SubscriberLocation(
            key=f"bench|{number}",
            country=town.country,
            region=town.region,
            town=town.name,
            latitude=round(town.latitude, 2),
            longitude=round(town.longitude, 2),
            zone=town.zone,
        )
        for number, town in enumerate(towns)
    )


def _insert_people(people: int, *, first_place: int, places: int) -> None:
    if connection.vendor == "postgresql":
        numbers = f"generate_series(1, {people}) AS numbers (n)"
        uuid, digest = "gen_random_uuid()", "sha256(CAST(n AS text)::bytea)"
        since = f"TIMESTAMPTZ '{_first_day()}' + n % {_SEED_DAYS} * INTERVAL '1 day'"
    else:
        numbers = _SQLITE_NUMBERS % people
        uuid, digest = "lower(hex(randomblob(16)))", "randomblob(32)"
        since = f"datetime('{_first_day()}', '+' || (n % {_SEED_DAYS}) || ' days')"
    _insert(
        Subscriber,
        "id, uuid, email, address_hash, name, folded_name, place_id, language, giving, timezone, source, created_at",
        f"n, {uuid}, 'person' || n || '@example' || (n % 97) || '.org', {digest}, 'Reader ' || n, 'reader ' || n,"
        f" {first_place} + n * 31 % {places}, {_pick('n / 5', 'en', 'en-GB', 'es', 'fr', '')},"
        f" {_pick('n / 11', 'none', 'none', 'none', 'donor', 'monthly')}, '', {_pick('n / 7', 'web', 'fair', '')},"
        f" {since}",
        rows=numbers,
    )


def _insert(model: type[Model], columns: str, values: str, where: str = "1 = 1", *, rows: str = "") -> None:
    source = rows or Subscriber._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({columns}) SELECT {values} FROM {source} WHERE {where}")  # noqa: S608


def _create_sent_issue(publication: Publication, people: int) -> None:
    """Create issue 1, accepted for nine in ten people, in batches of a thousand."""
    now = datetime.now(UTC)
    issue = Issue.objects.create(
        publication=publication, number=1, public_id="bench", state=Issue.State.SENT, made_at=now, subject="Bench"
    )
    revision = IssueRevision.objects.create(issue=issue, number=1, sha256="0" * 64, content={}, made_at=now)
    send = Send.objects.create(
        issue=issue, revision=revision, sha256="0" * 64, provider="bench", made_at=now, state=Send.State.SUBMITTED
    )
    variant = Variant.objects.create(issue=issue, revision=revision, key="bench", public_id="bench", sha256="0" * 64)
    batches = Batch.objects.bulk_create(
        Batch(send=send, variant=variant, seq=part, part=part, size=_BATCH, state=Batch.State.ACCEPTED, key=f"b{part}")
        for part in range(people // _BATCH + 1)
    )
    _insert(
        Delivery,
        "issue_id, batch_id, subscriber_id, address_hash, proof",
        f"{issue.pk}, {batches[0].pk} + id / {_BATCH}, id, SUBSTR(address_hash, 1, 16), 1 = 0",
        "id % 10 > 0",
    )


def _pick(number: str, *values: str) -> str:
    cases = " ".join(f"WHEN {index} THEN '{value}'" for index, value in enumerate(values))
    return f"CASE {number} % {len(values)} {cases} END"


def _first_day() -> str:
    return f"{datetime.now(UTC) - timedelta(days=_SEED_DAYS):%Y-%m-%d} 09:00:00"
