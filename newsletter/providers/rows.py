"""From one verdict for each message inside an answer to one outcome of the call."""

from collections import Counter
from collections.abc import Mapping

from newsletter.providers.contract import Outcome, Verdict


def sum_up_rows(
    people: Mapping[int, tuple[Verdict, str]], *, provider_id: str, stop: bool, retry_after: float | None = None
) -> Outcome:
    """Give the commonest verdict as everybody's, and name those who differ or whose reason is their own."""
    (verdict, reason), _ = Counter(people.values()).most_common(1)[0]
    others = {delivery: each for delivery, each in people.items() if each != (verdict, reason)}
    return Outcome(verdict, reason, provider_id, retry_after, stop, others)
