"""Measures the freeze of an audience, without the send: with topics, languages, time zones, a limit of mails, and plain."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models.functions import Mod

from newsletter.bench.audience import make_approved_issue, make_audience
from newsletter.common.languages import OFFERED_LANGUAGES
from newsletter.models import MailLimits, Publication, ReaderGroup, Story, StoryPlacement, Variant
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscriber, SubscriberLocation, Topic

_CHOOSE_TOPIC = """
INSERT INTO {chosen} (subscriber_id, topic_id)
SELECT id, %s FROM {people} WHERE id * 2654435761 %% 4294967296 / %s %% 4 = 0
"""
"""One of four people chooses the topic, in every combination with the others: two bits of a number that looks random."""


@dataclass(frozen=True)
class FreezeFigures:
    """``processor_seconds`` are those of this process. SQLite works in it; PostgreSQL does most of the work elsewhere."""

    people: int
    topics: int
    languages: int
    zones: int
    limit: int
    groups: int
    variants: int
    processor_seconds: float
    wall_seconds: float


def measure_freeze(*, people: int, topics: int, languages: int, zones: int, limit: int) -> FreezeFigures:
    """Freeze an issue of twelve stories, each with a topic if there are ``topics``, when it is due.

    With ``languages``, the first story is translated into so many, and equally many people read each. With ``zones``, people
    live in so many and get it by their own clock. With a ``limit`` of mails in 7 days, everybody has got the issue of another
    publication before.
    """
    publication = make_audience(people, stories=12)
    if limit:
        publication = _send_another(publication, limit=limit)
    if topics:
        _let_people_choose(publication, topics=topics)
    if languages:
        _let_people_read(publication, languages=languages)
    if zones:
        _let_people_live_in(publication, zones=zones)
    issue = make_approved_issue(publication)
    began, began_work = time.perf_counter(), time.process_time()
    start_send(issue=issue, now=issue.due_at or datetime.now(UTC))
    took, worked = time.perf_counter() - began, time.process_time() - began_work
    return FreezeFigures(
        people=people,
        topics=topics,
        languages=languages,
        zones=zones,
        limit=limit,
        groups=ReaderGroup.objects.filter(revision__issue=issue).count(),
        variants=Variant.objects.filter(issue=issue).count(),
        processor_seconds=round(worked, 2),
        wall_seconds=round(took, 2),
    )


def _send_another(publication: Publication, *, limit: int) -> Publication:
    """Freeze an issue of the publication, forget its stories, and return another publication of the list with a limit."""
    issue = make_approved_issue(publication)
    start_send(issue=issue, now=issue.due_at or datetime.now(UTC))
    StoryPlacement.objects.all().delete()
    publication.pk, publication.slug, publication._state.adding = None, "other", True
    publication.save()
    MailLimits.objects.create(pk=1, mails_in_7_days=limit)
    return publication


def _let_people_choose(publication: Publication, *, topics: int) -> None:
    made = [Topic.objects.create(slug=f"topic-{number}", name=f"Topic {number}") for number in range(topics)]
    for number, story in enumerate(Story.objects.order_by("pk")):
        story.topics.add(made[number % topics])
    publication.interests = Publication.Interests.ONLY
    publication.save(update_fields=["interests"])
    sql = _CHOOSE_TOPIC.format(chosen=Subscriber.topics.through._meta.db_table, people=Subscriber._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        for number, topic in enumerate(made):
            cursor.execute(sql, [topic.pk, 1 << 2 * number])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _let_people_read(publication: Publication, *, languages: int) -> None:
    """Translate the first story, and give people one language after another, the publication's own among them."""
    others = [code for code in OFFERED_LANGUAGES if code != publication.language][: languages - 1]
    publication.languages = others
    publication.save(update_fields=["languages"])
    first = Story.objects.order_by("pk")[0]
    for number, code in enumerate(others, 1):
        Story.objects.create(
            external_id=f"desk:{code}",
            url=f"https://example.org/{code}/",
            title=f"The first story in {code}",
            language=code,
            translation_of=first,
            published_at=first.published_at,
            seen_at=first.seen_at,
        )
        of_language = Subscriber.objects.annotate(language_number=Mod("pk", languages)).filter(language_number=number)
        of_language.update(language=code)


def _let_people_live_in(publication: Publication, *, zones: int) -> None:
    """Give people one zone after another, each an hour from the next."""
    publication.send_at = Publication.SendAt.LOCAL
    publication.save(update_fields=["send_at"])
    SubscriberLocation.objects.update(zone="")
    names = [f"Etc/GMT{number - zones // 2:+d}" for number in range(zones)]
    for number, name in enumerate(names):
        Subscriber.objects.annotate(zone_number=Mod("pk", zones)).filter(zone_number=number).update(timezone=name)
