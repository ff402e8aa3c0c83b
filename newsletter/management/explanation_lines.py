"""The answer of `newsletter explain` as lines for a terminal."""

from collections import Counter
from collections.abc import Iterator

from newsletter.feedback.explaining.explain_issue import IssueExplanation

_PLURALS = {"story": "stories", "event": "events", "appeal": "appeals", "block": "blocks"}


def list_explanation_lines(explained: IssueExplanation, *, max_left_out: int | None = None) -> Iterator[str]:
    """Yield the lines. Of each kind, at most ``max_left_out`` parts that the person does not get are named, others counted."""
    yield f"{explained.issue}: {explained.outcome}"
    if explained.version:
        yield f"Version: {explained.version}"
    if explained.language:
        yield f"Language: {explained.language}"
    left_out: Counter[str] = Counter()
    for reason in explained.reasons:
        left_out[reason.kind] += not reason.shown
        if reason.shown or max_left_out is None or left_out[reason.kind] <= max_left_out:
            yield f"{'yes' if reason.shown else 'no ':3}  {reason.kind}  “{reason.title}”: {reason.why}"
    for kind, number in left_out.items():
        more = 0 if max_left_out is None else number - max_left_out
        if more > 0:
            yield f"no   {more} more {kind if more == 1 else _PLURALS[kind]}"
