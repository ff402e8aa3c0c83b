"""Open comments of staff keep an issue from being approved."""

from newsletter.common.errors import NotReady
from newsletter.models import Issue


def count_open_comments(issue: Issue) -> int:
    count: int = issue.comments.filter(parent__isnull=True, resolved_at__isnull=True).count()
    return count


def require_comments_resolved(issue: Issue) -> None:
    """Raise NotReady if the issue has a comment that nobody resolved."""
    count = count_open_comments(issue)
    if count:
        raise NotReady(
            "%(issue)s has open comments (%(count)s), so it cannot be approved or sent. Answer and resolve them on its page "
            "first.",
            issue=issue,
            count=count,
        )
