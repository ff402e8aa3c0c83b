"""Leaving by link: one press, or one POST of a mailbox provider. The body of a request is never read."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from subscribers.links import LinkTarget, Purpose
from subscribers.unsubscribe import leave_all, leave_list
from subscribers.web.links import find_target, link_for, linked_page
from subscribers.web.page import name_for_readers, show, speak_to


@linked_page(Purpose.UNSUBSCRIBE)
def leave(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Leaves the list that the link names."""
    person, mailing_list = find_target(target)
    if person is not None:
        speak_to(person)
        if request.method == "POST" and mailing_list is not None:
            leave_list(subscriber=person, mailing_list=mailing_list, now=timezone.now(), source="link")
    return _page(request, target, name=name_for_readers(mailing_list), everything=False)


@linked_page(Purpose.UNSUBSCRIBE)
def leave_everything(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Leaves all mail."""
    person, _ = find_target(target)
    if person is not None:
        speak_to(person)
        if request.method == "POST":
            leave_all(subscriber=person, now=timezone.now(), source="link")
    return _page(request, target, name=gettext("all mail from us"), everything=True)


def _page(request: HttpRequest, target: LinkTarget, *, name: str, everything: bool) -> HttpResponse:
    leave_path = link_for(target, Purpose.UNSUBSCRIBE)
    context = {
        "name": name,
        "everything": everything,
        "leave_all_path": f"{leave_path}/all",
        "preferences_path": link_for(target, Purpose.PREFERENCES),
    }
    return show("left.html" if request.method == "POST" else "leave.html", context)
