"""Sign-ups that wait for staff, in the desk: let one in, drop one, or all of them at once."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.log_actions import log

from subscribers.consent.held_signups import AlreadyDecided, discard_held_signup, release_held_signup
from subscribers.consent.signup_limits import MAX_HELD_SIGNUPS, count_dropped, is_full
from subscribers.desk.people_page import SHOWN, PeoplePage
from subscribers.models import HeldSignup, Subscriber

REQUIRED_PERMISSION = "subscribers.add_subscription"
ACTIONS = {
    "held_let_in": (gettext_lazy("Let a sign-up in"), gettext_lazy("Sign-up let in")),
    "held_dropped": (gettext_lazy("Drop a sign-up"), gettext_lazy("Sign-up dropped")),
}
"""What staff do here, as the staff log names it."""


class HeldSignupsPage(PeoplePage):
    """The oldest hundred. POST `in` or `out` with an id, or `all` with those that the page showed: nobody comes in unseen."""

    template_name = "desk/held_signups.html"
    page_title = gettext_lazy("Sign-ups that wait")
    may = REQUIRED_PERMISSION

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        verb = "in" if "in" in request.POST else "out"
        which = request.POST.get(verb, "")
        chosen = request.POST.getlist("shown")[:SHOWN] if which == "all" else [which]
        decided = sum(_decide(request, int(pk), verb) for pk in chosen if pk.isdecimal())
        if decided:
            messages.success(request, _decided_message(decided, verb))
        else:
            messages.error(request, _("Somebody else decided this already. Nothing was changed."))
        return redirect("subscribers_held")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        waiting = HeldSignup.objects.select_related("mailing_list", "place").order_by("at")
        count = waiting.count()
        return {
            **super().get_context_data(**kwargs),
            "waiting": waiting[:SHOWN],
            "all": count,
            "limit": MAX_HELD_SIGNUPS,
            "full": is_full(waiting=count),
            "dropped": count_dropped(now=timezone.now()),
        }


def _decided_message(people: int, verb: str) -> str:
    if verb == "in":
        words = ngettext(
            "%(people)s person is asked by mail to confirm.", "%(people)s people are asked by mail to confirm.", people
        )
    else:
        words = ngettext("%(people)s sign-up was dropped.", "%(people)s sign-ups were dropped.", people)
    return words % {"people": people}


@transaction.atomic
def _decide(request: HttpRequest, pk: int, verb: str) -> bool:
    """Decides about one and puts it on record, with the list and the person who is known from then on."""
    held = HeldSignup.objects.select_related("mailing_list").filter(pk=pk).first()
    try:
        if verb == "in":
            release_held_signup(held_id=pk, now=timezone.now())
        else:
            discard_held_signup(held_id=pk)
    except AlreadyDecided:
        return False
    if held is not None:
        people = Subscriber.objects.filter(address_hash=bytes(held.address_hash)).values_list("pk", flat=True)
        log(
            instance=held,
            action="subscribers.held_let_in" if verb == "in" else "subscribers.held_dropped",
            user=request.user,
            data={"list": held.mailing_list.slug, "list_id": held.mailing_list_id, "people": list(people)},
        )
    return True
