"""Follow a case, and stop following it. The stories of followed cases come first in a person's mail."""

from datetime import datetime

from django.db import transaction

from subscribers.consent_events import record_preferences
from subscribers.models import Case, CaseFollow, Subscriber

FOLLOWS, STOPS_FOLLOWING = "follows", "stops_following"
"""The keys under which a consent event names the case."""


@transaction.atomic
def follow_case(*, subscriber: Subscriber, case: Case, now: datetime) -> bool:
    """Return True, and record it, if the person did not follow the case yet."""
    _follow, is_new = CaseFollow.objects.get_or_create(subscriber=subscriber, case=case, defaults={"followed_at": now})
    if is_new:
        record_preferences(subscriber, {FOLLOWS: case.slug}, now=now)
    return is_new


@transaction.atomic
def unfollow_case(*, subscriber: Subscriber, case: Case, now: datetime) -> bool:
    """Return True, and record it, if the person followed the case."""
    deleted, _by_model = CaseFollow.objects.filter(subscriber=subscriber, case=case).delete()
    if deleted:
        record_preferences(subscriber, {STOPS_FOLLOWING: case.slug}, now=now)
    return deleted > 0


def list_followed_cases(subscriber: Subscriber) -> list[Case]:
    return list(Case.objects.filter(follows__subscriber=subscriber))
