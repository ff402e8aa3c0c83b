"""Find the people whom a cancelled send did not reach, and the issues that complete each other.

Each person has one `Delivery` for all parts of an issue: an issue that completes another takes over its rows.
"""

from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.common.errors import WrongState
from newsletter.models import Attempt, Batch, Delivery, DeliveryException, Issue, Send

SENT_BY_COMPLETION = "sent_by_completion"
"""The reason for which a cancelled send no longer counts people: another issue completes it."""
NEVER_HANDED_OVER = Q(batch__state=Batch.State.PENDING, batch__handed_to="", batch__send__state=Send.State.CANCELLED)
"""The condition of deliveries that no provider has and none will get, because their send was cancelled first."""


def find_unreached(issue_id: int) -> QuerySet[Delivery]:
    """Return the deliveries of the issue's cancelled sends that certainly nobody was mailed for, and nobody will be.

    Accepted, uncertain and rejected recipients are not among them, nor those who were skipped because they unsubscribed.
    """
    called = Attempt.objects.filter(batch=OuterRef("batch")).exclude(outcome__in=Attempt.NOT_ACCEPTED_OUTCOMES)
    settled = DeliveryException.objects.filter(delivery=OuterRef("pk")).exclude(state="")
    return Delivery.objects.filter(
        NEVER_HANDED_OVER,
        ~Exists(called),
        ~Exists(settled),
        proof=False,
        batch__send__issue=issue_id,
        batch__send__totals__isnull=True,
    )


def has_open_calls(issue_id: int) -> bool:
    """Return True while a call of a send of the issue has no result yet."""
    return Batch.objects.filter(send__issue=issue_id, state=Batch.State.SUBMITTING).exists()


def require_no_open_call(issue: Issue) -> None:
    """Raise WrongState while a call of a send of the issue has no result yet."""
    if has_open_calls(issue.pk):
        raise WrongState(
            "A call to the provider has no result yet, so we do not know who was reached. Try in a minute."
        )


def find_root(issue: Issue) -> Issue:
    """Return the issue that was sent first, of those that complete each other."""
    while issue.completes is not None:
        issue = issue.completes
    return issue


def list_parts(issue: Issue) -> list[int]:
    """Return the ids of the issue and of every issue that completes it, the oldest first."""
    parts, newest = [issue.pk], [issue.pk]
    while newest:
        newest = list(Issue.objects.filter(completes__in=newest).order_by("pk").values_list("pk", flat=True))
        parts += newest
    return parts
