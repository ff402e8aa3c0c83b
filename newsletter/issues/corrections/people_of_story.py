"""Count the people who may have a story, by issue. Reads only."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Sum

from newsletter.issues.snapshot.exposure import (
    NOT_DELIVERED_STATES,
    POSSIBLY_DELIVERED_STATES,
    find_variants_showing,
)
from newsletter.issues.variants.unreached import find_root
from newsletter.models import Batch, DeliveryException, Issue, ShownItem, Story
from newsletter.providers.accounts import OUTBOX_SCHEME


@dataclass(frozen=True)
class Reach:
    """An issue that shows a certain story, and how many people may have it.

    ``is_most``: rows of people who did not get it are deleted, all or some, so ``people`` is the highest possible number.
    """

    issue: Issue
    people: int
    is_most: bool = False


def find_reach(story: Story) -> list[Reach]:
    """Return each issue that shows it or a translation with the people who may have it, newest issue first.

    An issue that completes another counts as that one. Mails that were written to files reached nobody, also during a trial.
    People are counted by batches: a delivery differs only by an exception.
    """
    story_ids = Story.objects.stopped_with(story).values_list("pk", flat=True)
    variants = find_variants_showing(ShownItem.Kind.STORY, *story_ids)
    batches = Batch.objects.filter(variant__in=variants, state__in=POSSIBLY_DELIVERED_STATES)
    batches = batches.exclude(send__provider=OUTBOX_SCHEME).order_by()
    not_delivered = DeliveryException.objects.filter(state__in=NOT_DELIVERED_STATES, delivery__batch__in=batches)
    by_issue = Counter(dict(batches.values_list("send__issue").annotate(people=Sum("size"))))
    by_issue.subtract(
        dict(not_delivered.order_by().values_list("delivery__batch__send__issue").annotate(people=Count("pk")))
    )
    # A send's totals are kept before its first rows are deleted, `purged_at` is set after the last.
    purged = set(batches.filter(send__totals__isnull=False).values_list("send__issue", flat=True))
    people: Counter[Issue] = Counter()
    uncertain: set[Issue] = set()
    for issue in Issue.objects.filter(pk__in=by_issue).select_related("publication"):
        root = find_root(issue)
        people[root] += by_issue[issue.pk]
        uncertain |= {root} if issue.pk in purged else set()
    newest = sorted(people, key=lambda issue: issue.made_at, reverse=True)
    return [Reach(issue, people[issue], is_most=issue in uncertain) for issue in newest if people[issue]]
