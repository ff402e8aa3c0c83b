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
    """An issue that shows a certain story, and how many people may have it."""

    issue: Issue
    people: int


def find_reach(story: Story) -> list[Reach]:
    """Return each issue that shows it or a translation with the people who may have it, newest issue first.

    An issue that completes another counts as that one. Mails that were written to files reached nobody, also during a trial.
    People are counted by batches: a delivery differs only by an exception.
    """
    story_ids = Story.objects.stopped_with(story).values_list("pk", flat=True)
    batches = (
        Batch.objects.filter(
            variant__in=find_variants_showing(ShownItem.Kind.STORY, *story_ids),
            state__in=POSSIBLY_DELIVERED_STATES,
            send__purged_at__isnull=True,
        )
        .exclude(send__provider=OUTBOX_SCHEME)
        .order_by()
    )
    not_delivered = DeliveryException.objects.filter(state__in=NOT_DELIVERED_STATES, delivery__batch__in=batches)
    by_issue = Counter(dict(batches.values_list("send__issue").annotate(people=Sum("size"))))
    by_issue.subtract(
        dict(not_delivered.order_by().values_list("delivery__batch__send__issue").annotate(people=Count("pk")))
    )
    people: Counter[Issue] = Counter()
    for issue in Issue.objects.filter(pk__in=by_issue).select_related("publication"):
        people[find_root(issue)] += by_issue[issue.pk]
    newest = sorted(people, key=lambda issue: issue.made_at, reverse=True)
    return [Reach(issue=issue, people=people[issue]) for issue in newest if people[issue]]
