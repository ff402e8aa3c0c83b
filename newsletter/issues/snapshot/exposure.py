"""Find out who got a mail that shows a story or an event, by way of its variants. Reads only."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from newsletter.models import Batch, Delivery, DeliveryException, Issue, ShownItem, Story, Variant

_POSSIBLY_DELIVERED_STATES = (Batch.State.ACCEPTED, Batch.State.PARTIAL, Batch.State.UNCERTAIN, Batch.State.WRITTEN_OFF)
_NOT_DELIVERED_STATES = (DeliveryException.State.REJECTED, DeliveryException.State.SKIPPED)


@dataclass(frozen=True)
class Reach:
    """An issue that shows a certain story, and how many people may have it."""

    issue: Issue
    people: int


def find_possible_deliveries(variants: QuerySet[Variant] | list[int]) -> QuerySet[Delivery]:
    """Return the deliveries of these variants that arrived or may have arrived: uncertain ones count."""
    return Delivery.objects.filter(
        Q(exception__isnull=True) | ~Q(exception__state__in=_NOT_DELIVERED_STATES),
        proof=False,
        batch__state__in=_POSSIBLY_DELIVERED_STATES,
        batch__variant__in=variants,
    )


def find_variants_showing(kind: str, *row_ids: int) -> QuerySet[Variant]:
    return Variant.objects.filter(pk__in=ShownItem.objects.filter(kind=kind, row_id__in=row_ids).values("variant"))


def shows_withdrawn_story() -> Exists:
    """Filter batches whose mail shows a story that was withdrawn or is gone at its source, or a translation of one."""
    stopped = (Story.objects.withdrawn() | Story.objects.gone()).values("pk")
    return Exists(
        ShownItem.objects.filter(variant=OuterRef("variant_id"), kind=ShownItem.Kind.STORY, row_id__in=stopped)
    )


def find_reach(story: Story) -> list[Reach]:
    """Return each issue that shows it or a translation with the people who may have it, newest issue first."""
    shown = Story.objects.stopped_with(story).values_list("pk", flat=True)
    rows = (
        find_possible_deliveries(find_variants_showing(ShownItem.Kind.STORY, *shown))
        .order_by()
        .values("issue")
        .annotate(people=Count("pk"))
    )
    people = {row["issue"]: row["people"] for row in rows}
    issues = Issue.objects.filter(pk__in=people).select_related("publication").order_by("-made_at")
    return [Reach(issue=issue, people=people[issue.pk]) for issue in issues]
