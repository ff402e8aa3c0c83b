"""The shared rate limit: one row a provider account, one UPDATE that all workers on all machines agree by.

“Too many” from the provider pushes the row forward for everybody and slows the pace; the pace recovers by itself.
"""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Greatest, Least

from newsletter.models import ProviderAccount
from newsletter.providers.base.contract import Capabilities

MIN_WAIT_SECONDS = 0.05
SLOW_DOWN_FACTOR, MIN_PACE = 0.8, 0.1
PACE_RECOVERY_PER_MINUTE = 0.05


def reserve_call(*, capabilities: Capabilities, people: int, now: datetime) -> datetime | None:
    """Take a call for so many people from the account's rate. Where it may not start now: when to ask again."""
    account = ProviderAccount.objects.filter(name=capabilities.name).first()
    limited = bool(capabilities.people_per_second or capabilities.calls_per_second)
    if account is None:
        if not limited:
            return None
        account, _ = ProviderAccount.objects.get_or_create(name=capabilities.name)
    at = now.timestamp()
    if limited and _reserve_time(account, seconds=cost_in_seconds(capabilities, people=people) / account.pace, at=at):
        return None
    if not limited and account.next_at <= at + MIN_WAIT_SECONDS:
        return None
    free_at = ProviderAccount.objects.values_list("next_at", flat=True).get(pk=account.pk)
    return now + timedelta(seconds=max(free_at - at, MIN_WAIT_SECONDS))


def slow_down(*, name: str, until: datetime) -> None:
    """The provider said “too many”: nobody calls before ``until``, and then at four fifths of the pace."""
    ProviderAccount.objects.get_or_create(name=name)
    ProviderAccount.objects.filter(name=name).update(
        next_at=Greatest(F("next_at"), Value(until.timestamp())),
        wait_until=Greatest(F("wait_until"), Value(until.timestamp())),
        pace=Greatest(F("pace") * SLOW_DOWN_FACTOR, Value(MIN_PACE)),
    )


def postpone_calls(*, name: str, until: datetime) -> None:
    """The provider could not be reached: nobody calls before ``until``. The pace stays as it was."""
    ProviderAccount.objects.get_or_create(name=name)
    ProviderAccount.objects.filter(name=name).update(
        next_at=Greatest(F("next_at"), Value(until.timestamp())),
        wait_until=Greatest(F("wait_until"), Value(until.timestamp())),
    )


def recover_pace(*, seconds: float) -> None:
    """A part of the sweep: a twentieth of the whole pace comes back each minute."""
    ProviderAccount.objects.filter(pace__lt=1).update(
        pace=Least(F("pace") + PACE_RECOVERY_PER_MINUTE * seconds / 60, Value(1.0))
    )


def _reserve_time(account: ProviderAccount, *, seconds: float, at: float) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {ProviderAccount._meta.db_table} SET next_at = {_greatest_function()}(next_at, %s) + %s "  # noqa: S608
            "WHERE id = %s AND next_at <= %s",
            [at, seconds, account.pk, at + MIN_WAIT_SECONDS],
        )
        return bool(cursor.rowcount)


def cost_in_seconds(capabilities: Capabilities, *, people: int) -> float:
    """Seconds of the account's allowance that the call takes."""
    by_people = people / capabilities.people_per_second if capabilities.people_per_second else 0.0
    by_calls = 1 / capabilities.calls_per_second if capabilities.calls_per_second else 0.0
    return max(by_people, by_calls)


def _greatest_function() -> str:
    return "GREATEST" if connection.vendor == "postgresql" else "MAX"
