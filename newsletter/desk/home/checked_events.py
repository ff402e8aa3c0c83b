"""The button on Home by which staff say that they have checked all unsure events."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import cast

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from newsletter.common.errors import WrongState
from newsletter.common.staff_pages import Done, ServiceAction
from newsletter.models import EventNotice


def list_unsure_events(*, now: datetime) -> list[EventNotice]:
    """Return the upcoming events with a note that staff have not checked, except those that need a location first."""
    upcoming = EventNotice.objects.filter(starts_at__gte=now, cancelled=False, place_question={})
    return list(upcoming.with_open_note().only("pk", "note").order_by("pk"))


def hash_unsure_events(events: Iterable[EventNotice]) -> str:
    """Return a digest of the events and their notes, so that nobody marks as checked what they have not seen."""
    return sha256("\n".join(f"{event.pk} {event.note}" for event in events).encode()).hexdigest()[:16]


@require_POST
def check_events(request: HttpRequest) -> HttpResponse:
    """Mark the unsure events as checked and go back to Home. The staff log has who did it."""
    if not request.user.has_perm("newsletter.change_eventnotice"):
        raise PermissionDenied

    def check() -> Done:
        count = _mark_checked(seen=request.POST.get("seen", ""), now=timezone.now())
        return Done(
            _("Home does not ask about these events again until there is something else to check."), {"events": count}
        )

    action = ServiceAction(call=check, instance=cast(User, request.user), log_action="newsletter.events_checked")
    return action.respond(request, back=f"{reverse('wagtailadmin_home')}#nl-now")


@transaction.atomic
def _mark_checked(*, seen: str, now: datetime) -> int:
    """Mark the events as checked and return how many. Raises WrongState if they are not those that were seen."""
    events = list_unsure_events(now=now)
    if not events or hash_unsure_events(events) != seen:
        raise WrongState(
            "The events to check have changed since you opened Home, so nothing was marked. Look at them again."
        )
    for event in events:
        EventNotice.objects.filter(pk=event.pk, note=event.note).update(checked_note=event.note)
    return len(events)
