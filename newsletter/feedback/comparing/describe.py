"""The comparisons of an issue for `newsletter status ISSUE --json`: codes and numbers."""

from newsletter.models import CountComparison, Issue
from newsletter.providers.base.issue_counts import Figure


def describe_comparisons(issue: Issue) -> list[dict[str, object]]:
    """Return each day's comparison with each account, the newest day first.

    A number of the provider's is None if it does not count it.
    """
    rows = CountComparison.objects.filter(send__issue=issue).order_by("-day", "-send", "account")
    return [
        {
            "send": row.send_id,
            "account": row.account,
            "day": row.day.isoformat(),
            "result": row.result,
            "figure": row.figure,
            "failure": row.failure,
            "uncertain": row.uncertain,
            "ours": {figure.value: getattr(row, figure) for figure in Figure},
            "provider": {figure.value: getattr(row, f"provider_{figure}") for figure in Figure},
            "deliveries": row.deliveries,
        }
        for row in rows
    ]
