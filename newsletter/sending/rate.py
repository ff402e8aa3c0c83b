"""The shared rate limit: one row a provider account, one UPDATE that all workers on all machines agree by."""

from datetime import datetime, timedelta

from django.db import connection

from newsletter.models import Batch, ProviderAccount
from newsletter.providers.contract import Capabilities

SHORT_WAIT = 0.05


def reserve(*, capabilities: Capabilities, people: int, batch_id: int, now: datetime) -> bool:
    """Whether a call for this many people may start now. Where not, the batch is put off until it may."""
    seconds = _cost(capabilities, people)
    if not seconds:
        return True
    at = now.timestamp()
    ProviderAccount.objects.get_or_create(name=capabilities.name)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {ProviderAccount._meta.db_table} SET next_at = {_greatest()}(next_at, %s) + %s "  # noqa: S608 - constants
            "WHERE name = %s AND next_at <= %s",
            [at, seconds, capabilities.name, at + SHORT_WAIT],
        )
        if cursor.rowcount:
            return True
    free_at = ProviderAccount.objects.values_list("next_at", flat=True).get(name=capabilities.name)
    put_off = now + timedelta(seconds=max(free_at - at, SHORT_WAIT))
    Batch.objects.filter(pk=batch_id, state=Batch.State.PENDING).update(not_before=put_off)
    return False


def _cost(capabilities: Capabilities, people: int) -> float:
    """Seconds of the account's allowance that one call takes; 0 where no limit is set."""
    by_people = people / capabilities.people_per_second if capabilities.people_per_second else 0.0
    by_calls = 1 / capabilities.calls_per_second if capabilities.calls_per_second else 0.0
    return max(by_people, by_calls)


def _greatest() -> str:
    return "GREATEST" if connection.vendor == "postgresql" else "MAX"
