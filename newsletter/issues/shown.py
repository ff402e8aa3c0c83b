"""Who was shown a story or an event: from deliveries over variants to what each variant shows. Reads only."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from newsletter.models import Batch, Correction, Delivery, DeliveryException, Issue, Shown, Story, Variant

_MAY_HAVE_IT = (Batch.State.ACCEPTED, Batch.State.PARTIAL, Batch.State.UNCERTAIN, Batch.State.WRITTEN_OFF)
_HAS_NOT = (DeliveryException.State.REJECTED, DeliveryException.State.SKIPPED)
_OF_AN_EVENT = ("starts_at", "all_day", "day", "place", "town", "region", "online", "cancelled")


@dataclass(frozen=True)
class Reach:
    """How many people may have an issue that shows a thing."""

    issue: Issue
    people: int


def deliveries_of(variants: QuerySet[Variant] | list[int]) -> QuerySet[Delivery]:
    """People who have a mail of these variants, or may have: where the provider's answer is not known, they count."""
    return Delivery.objects.filter(
        Q(exception__isnull=True) | ~Q(exception__state__in=_HAS_NOT),
        proof=False,
        batch__state__in=_MAY_HAVE_IT,
        batch__variant__in=variants,
    )


def variants_with(kind: str, row_id: int) -> QuerySet[Variant]:
    return Variant.objects.filter(pk__in=Shown.objects.filter(kind=kind, row_id=row_id).values("variant"))


def shows_withdrawn() -> Exists:
    """Of a batch: its mail shows a story that was withdrawn."""
    withdrawn = Story.objects.filter(withdrawn_at__isnull=False).values("pk")
    return Exists(Shown.objects.filter(variant=OuterRef("variant_id"), kind=Shown.Kind.STORY, row_id__in=withdrawn))


def find_reach(kind: str, row_id: int) -> list[Reach]:
    """Of each issue that shows it, the people who may have it, newest issue first."""
    rows = deliveries_of(variants_with(kind, row_id)).order_by().values("issue").annotate(people=Count("pk"))
    people = {row["issue"]: row["people"] for row in rows}
    issues = Issue.objects.filter(pk__in=people).select_related("publication").order_by("-made_at")
    return [Reach(issue=issue, people=people[issue.pk]) for issue in issues]


def shown_wrongly_to(correction: Correction) -> QuerySet[Any, int]:
    """The ids of the people whom this publication showed the event otherwise than it is announced now, and not told yet.

    Somebody whom another publication's correction of the same change reached is not told again.
    """
    wrong = [
        variant.pk
        for variant, event in _shown_events(correction)
        if fingerprint(event) != correction.fingerprint and variant.issue_id != correction.issue_id
    ]
    told = Delivery.objects.filter(
        issue__in=Correction.objects.filter(event=correction.event_id, fingerprint=correction.fingerprint)
        .exclude(pk=correction.pk)
        .values("issue")
    )
    people = deliveries_of(wrong).exclude(subscriber_id__in=told.values("subscriber_id"))
    return people.order_by().values_list("subscriber_id", flat=True)


def fingerprint(event: dict[str, Any]) -> str:
    """Names when and where an event of the resolved content is: what a reader must know to be at the right place."""
    facts = {name: event[name] for name in _OF_AN_EVENT}
    facts["starts_at"] = datetime.fromisoformat(facts["starts_at"]).astimezone(UTC).isoformat()
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def find_event(content: dict[str, Any], event_id: int) -> dict[str, Any] | None:
    """An event as an issue's content has it."""
    events = (event for block in content["blocks"] for event in block.get("events", []))
    return next((event for event in events if event["id"] == event_id), None)


def _shown_events(correction: Correction) -> Iterator[tuple[Variant, dict[str, Any]]]:
    variants = variants_with(Shown.Kind.EVENT, correction.event_id).filter(issue__publication=correction.publication_id)
    contents: dict[int, dict[str, Any] | None] = {}
    for variant in variants.select_related("revision").defer("html", "text"):
        if variant.revision_id not in contents:
            contents[variant.revision_id] = find_event(variant.revision.content, correction.event_id)
        event = contents[variant.revision_id]
        if event is not None:
            yield variant, event
