"""Sign-ups that wait for review by staff: accept or reject one, or all that the page shows."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.log_actions import log

from subscribers.consent.held_signups import AlreadyDecided, accept_held_signup, reject_held_signup
from subscribers.consent.signup_limits import MAX_HELD_SIGNUPS, count_dropped, is_full
from subscribers.desk.people_page import MAX_ROWS_SHOWN, PeoplePage
from subscribers.models import HeldSignup, Subscriber

REQUIRED_PERMISSION = "subscribers.add_subscription"
LOG_ACTIONS = {
    "held_let_in": (gettext_lazy("Accept a sign-up"), gettext_lazy("Sign-up accepted")),
    "held_dropped": (gettext_lazy("Reject a sign-up"), gettext_lazy("Sign-up rejected")),
}
"""Label and message of each action in the staff log."""


class HeldSignupsPage(PeoplePage):
    """Show the oldest hundred.

    POST `in` or `out` with an id, or with `all` for those that the page showed, so that nobody is accepted unseen.
    """

    template_name = "desk/held_signups.html"
    page_title = gettext_lazy("Sign-ups to review")
    required_permission = REQUIRED_PERMISSION

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        accept = "in" in request.POST
        which = request.POST.get("in" if accept else "out", "")
        chosen = request.POST.getlist("shown")[:MAX_ROWS_SHOWN] if which == "all" else [which]
        decided = sum(_decide(request, int(pk), accept=accept) for pk in chosen if pk.isdecimal())
        if decided:
            messages.success(request, _describe_decision(decided, accept=accept))
        else:
            messages.error(request, _("Somebody else has already reviewed this. Nothing was changed."))
        return redirect("subscribers_held")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        waiting = HeldSignup.objects.select_related("mailing_list", "place").order_by("at")
        total = waiting.count()
        return {
            **super().get_context_data(**kwargs),
            "waiting": waiting[:MAX_ROWS_SHOWN],
            "total": total,
            "limit": MAX_HELD_SIGNUPS,
            "full": is_full(waiting=total),
            "dropped": count_dropped(now=timezone.now()),
        }


def _describe_decision(people: int, *, accept: bool) -> str:
    if accept:
        text = ngettext(
            "%(people)s person will get an email to confirm.", "%(people)s people will get an email to confirm.", people
        )
    else:
        text = ngettext("%(people)s sign-up rejected.", "%(people)s sign-ups rejected.", people)
    return text % {"people": people}


@transaction.atomic
def _decide(request: HttpRequest, pk: int, *, accept: bool) -> bool:
    """Accept or reject one sign-up and log it with the person it became. Return False if somebody else decided before."""
    held = HeldSignup.objects.select_related("mailing_list").filter(pk=pk).first()
    try:
        if accept:
            accept_held_signup(held_id=pk, now=timezone.now())
        else:
            reject_held_signup(held_id=pk)
    except AlreadyDecided:
        return False
    if held is not None:
        people = Subscriber.objects.filter(address_hash=bytes(held.address_hash)).values_list("pk", flat=True)
        log(
            instance=held,
            action="subscribers.held_let_in" if accept else "subscribers.held_dropped",
            user=request.user,
            data={"list": held.mailing_list.slug, "list_id": held.mailing_list_id, "people": list(people)},
        )
    return True
