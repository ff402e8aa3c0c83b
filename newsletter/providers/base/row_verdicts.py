"""From one verdict for each message inside an answer to one outcome of the call."""

from collections import Counter
from collections.abc import Collection, Mapping

from newsletter.providers.base.contract import Outcome, Verdict

_FINAL = (Verdict.ACCEPTED, Verdict.UNCERTAIN)


def combine_row_verdicts(
    people: Mapping[int, tuple[Verdict, str]],
    *,
    account_errors: Collection[int],
    provider_id: str,
    retry_after: float | None = None,
) -> Outcome:
    """Give one verdict as everybody's, and name those who differ or whose reason is their own.

    Where one person was accepted, or may have been, the whole has a verdict that nobody tries again on. ``account_errors``
    are those refused because of our account: they were not sent, and stop the send where nobody was accepted.
    """
    verdicts = {verdict for verdict, _ in people.values()}
    final = next((verdict for verdict in _FINAL if verdict in verdicts), None)
    if final:
        people = {d: (Verdict.NOT_SENT, each[1]) if d in account_errors else each for d, each in people.items()}
    counted = Counter(each for each in people.values() if final in (None, each[0]))
    (verdict, reason), _ = counted.most_common(1)[0]
    others = {delivery: each for delivery, each in people.items() if each != (verdict, reason)}
    return Outcome(verdict, reason, provider_id, retry_after, bool(account_errors) and not final, others)
