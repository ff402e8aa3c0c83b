"""Find the people behind the refusals of a send, and which refusals another attempt can change. Reads only."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from newsletter.models import Send
from newsletter.providers.base.mail.addresses import ascii_address, international_address
from newsletter.sending.accounts import explain_unusable
from newsletter.sending.adapters import account_adapter
from newsletter.sending.settling.retry_refused import Refusal, RefusedDelivery, iterate_refused
from subscribers.audience.eligibility import ANY_FREQUENCY, eligible
from subscribers.models import Subscriber

_CHUNK = 1_000


@dataclass
class RefusedPeople:
    """Some of the people of one refusal, and whether another attempt can reach any of them.

    ``can_retry`` is False if each of them may not be mailed now, or has an address that the provider does not accept.
    """

    can_retry: bool = False
    shown: list[Subscriber] = field(default_factory=list)


def find_refused_people(
    send: Send, refusals: Collection[Refusal], *, limit: int, now: datetime
) -> dict[str, RefusedPeople]:
    """Return at most ``limit`` people for the key of each refusal, by their deliveries. Erased people are left out."""
    numbers = {refusal.key: refusal.people for refusal in refusals}
    seen: Counter[str] = Counter()
    first: dict[str, list[int]] = {key: [] for key in numbers}
    found = {key: RefusedPeople() for key in numbers}
    check_address = international_address if _accepts_other_scripts(send) else ascii_address
    for rows in _read_chunks(iterate_refused(send)):
        for row in rows:
            seen[row.key] += 1
            if row.key in first and len(first[row.key]) < limit:
                first[row.key].append(row.subscriber_id)
        unsure = [row for row in rows if row.key in found and not found[row.key].can_retry]
        for key in _find_reachable(send, unsure, check_address, now):
            found[key].can_retry = True
        if all(
            seen[key] >= people or (found[key].can_retry and len(first[key]) >= limit)
            for key, people in numbers.items()
        ):
            break
    people = Subscriber.objects.in_bulk({pk for shown in first.values() for pk in shown})
    for key, shown in first.items():
        found[key].shown = [people[pk] for pk in shown if pk in people]
    return found


def _read_chunks(rows: Iterator[RefusedDelivery]) -> Iterator[list[RefusedDelivery]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _accepts_other_scripts(send: Send) -> bool:
    """Return True if a provider account of the send takes addresses such as josé@example.org."""
    accounts = send.batches.order_by().values_list("account", flat=True).distinct()
    return any(
        account_adapter(account).capabilities.international_addresses
        for account in accounts
        if not explain_unusable(account)
    )


def _find_reachable(
    send: Send, rows: list[RefusedDelivery], check_address: Callable[[str], str], now: datetime
) -> set[str]:
    """Return the keys of which somebody may still be mailed, at an address that the provider accepts."""
    if not rows:
        return set()
    people = eligible(
        mailing_list=send.issue.publication.mailing_list,
        now=now,
        frequencies=ANY_FREQUENCY,
        subscriber_ids=Subscriber.objects.filter(pk__in=[row.subscriber_id for row in rows]).values_list(
            "pk", flat=True
        ),
        charitable=send.issue.is_charitable,
    )
    reachable = {
        pk
        for pk, email in people.values_list("subscriber_id", "subscriber__email")
        if _is_accepted(email, check_address)
    }
    return {row.key for row in rows if row.subscriber_id in reachable}


def _is_accepted(address: str, check_address: Callable[[str], str]) -> bool:
    try:
        check_address(address)
    except ValueError:
        return False
    return True
