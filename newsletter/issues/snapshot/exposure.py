"""Find out who got a mail that shows a story or an event, by its variants, and which sends nobody got. Reads only."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.models import Batch, Delivery, DeliveryException, Issue, Send, ShownItem, Story, Variant
from newsletter.providers.accounts import OUTBOX_SCHEME

POSSIBLY_DELIVERED_STATES = (Batch.State.ACCEPTED, Batch.State.PARTIAL, Batch.State.UNCERTAIN, Batch.State.WRITTEN_OFF)
NOT_DELIVERED_STATES = (DeliveryException.State.REJECTED, DeliveryException.State.SKIPPED)


def find_possible_deliveries(variants: QuerySet[Variant] | list[int]) -> QuerySet[Delivery]:
    """Return the deliveries of these variants that arrived or may have arrived. Uncertain ones count, files do not."""
    return Delivery.objects.filter(
        Q(exception__isnull=True) | ~Q(exception__state__in=NOT_DELIVERED_STATES),
        ~Exists(list_sends_to_files().filter(pk=OuterRef("batch__send"))),
        proof=False,
        batch__state__in=POSSIBLY_DELIVERED_STATES,
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


def shows_stopped_story_to_anybody(issue: Issue) -> bool:
    """Return True if any mail of the issue shows a story that was withdrawn or is gone: texts about the issue may name it."""
    stopped = (Story.objects.withdrawn() | Story.objects.gone()).values("pk")
    shown = ShownItem.objects.filter(kind=ShownItem.Kind.STORY, variant__issue=issue.pk, row_id__in=stopped)
    return shown.exists()


def find_issues_only_in_files(issues: Iterable[Issue]) -> set[Issue]:
    """Return those of the issues that were only written to files, so that nobody got them."""
    listed = list(issues)
    sends = Send.objects.filter(issue__in=listed).exclude(state=Send.State.CANCELLED)
    written = set(sends.filter(provider=OUTBOX_SCHEME).values_list("issue", flat=True))
    written -= set(sends.exclude(provider=OUTBOX_SCHEME).values_list("issue", flat=True))
    return {issue for issue in listed if issue.pk in written}


def list_sends_to_files() -> QuerySet[Send]:
    """Return the sends that count as never sent, as their mails were only written to files.

    Mails that are written to files do not count: nobody got them.
    """
    if settings.NEWSLETTER_PROVIDER_URL.partition("://")[0] == OUTBOX_SCHEME:
        return Send.objects.none()
    return Send.objects.filter(provider=OUTBOX_SCHEME)
