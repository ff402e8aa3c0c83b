"""Confirming a sign-up: opening the link shows a button, and only the button confirms, because scanners open links."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers.links import LinkTarget, Purpose
from subscribers.signup import Confirmed, confirm_subscription
from subscribers.web.links import find_target, link_for, linked_page, say


@linked_page(Purpose.CONFIRM)
def confirm(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    person, mailing_list = find_target(target)
    if person is None or mailing_list is None:
        return _gone(request)
    name = mailing_list.public_name
    button = f"Yes, send me {name}"
    if request.method != "POST":
        return render(request, "subscribers/confirm.html", {"name": name, "button": button})
    outcome = confirm_subscription(target=target, now=timezone.now(), wording=button, source="confirmation link")
    if outcome is Confirmed.GONE:
        return _gone(request)
    context = {
        "name": name,
        "before": outcome is Confirmed.BEFORE,
        "preferences_path": link_for(target, Purpose.PREFERENCES),
    }
    return render(request, "subscribers/confirmed.html", context)


def _gone(request: HttpRequest) -> HttpResponse:
    return say(
        request,
        "There is nothing to confirm",
        "This sign-up was cancelled or is over. You will not get mail from it. To join, please sign up again.",
    )
