"""The button on Home by which staff say that they have checked a time that may have been sent before a restore."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from newsletter.common.staff_pages import Done, ServiceAction
from newsletter.issues.assembly.missed_slots import mark_slot_checked
from newsletter.models import Slot


@require_POST
def check_slot(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark the time as checked and go back to Home. The staff log of its publication has who did it."""
    slot = get_object_or_404(Slot.objects.select_related("publication"), pk=pk)

    def check() -> Done:
        mark_slot_checked(slot=slot, by=request.user, now=timezone.now())
        return Done(_("Home does not name this time any more. Nobody else is asked about it."), {"due": slot.due_local})

    action = ServiceAction(call=check, instance=slot.publication, log_action="newsletter.slot_checked")
    return action.respond(request, back=f"{reverse('wagtailadmin_home')}#nl-now")
