"""Leaving by link: one press, or one POST of a mailbox provider. The body of a request is never read."""

from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext

from subscribers.links.signed_links import LinkTarget, Purpose
from subscribers.models import Subscriber
from subscribers.unsubscribing.one_click import Left, leave_by_link
from subscribers.unsubscribing.unsubscribe import leave_all
from subscribers.web.fewer_emails import offer_less
from subscribers.web.links import find_target, link_for, linked_page
from subscribers.web.page import (
    current_version,
    name_for_readers,
    show,
    speak_language,
    speak_to,
    write_page,
)

_LEAVE_ALL, _PREFERENCES = "/leave-all-path", "/preferences-path"


@linked_page(Purpose.UNSUBSCRIBE)
def leave(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Leaves the list that the link names."""
    if request.method == "POST":
        return HttpResponse(write_farewell(target, leave_by_link(target)))
    person, mailing_list = find_target(target)
    if person is not None:
        speak_to(person)
    return _page(target, template="leave.html", name=name_for_readers(mailing_list), everything=False, person=person)


@linked_page(Purpose.UNSUBSCRIBE)
def leave_everything(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Leaves all mail."""
    person, _ = find_target(target)
    if person is not None:
        speak_to(person)
        if request.method == "POST":
            leave_all(subscriber=person, now=timezone.now(), source="link", mailing=target.mailing)
    template = "left.html" if request.method == "POST" else "leave.html"
    return _page(target, template=template, name=gettext("all mail from us"), everything=True, person=person)


def _page(target: LinkTarget, *, template: str, name: str, everything: bool, person: Subscriber | None) -> HttpResponse:
    leave_all_path, preferences_path = _paths(target)
    context = {
        "name": name,
        "everything": everything,
        "less": offer_less(person, now=timezone.now()) if person else None,
        "leave_all_path": leave_all_path,
        "preferences_path": preferences_path,
    }
    return show(template, context)


def write_farewell(target: LinkTarget, left: Left) -> str:
    """The page for those who left, written once for each list, language and look; the person's own links are put in."""
    speak_language(left.language)
    leave_all_path, preferences_path = _paths(target)
    name = left.list_name or gettext("this newsletter")
    page = _write_farewell(name, translation.get_language() or "en", current_version())
    return page.replace(_LEAVE_ALL, leave_all_path).replace(_PREFERENCES, preferences_path)


@lru_cache(maxsize=256)
def _write_farewell(name: str, language: str, look_version: str) -> str:
    context = {"name": name, "everything": False, "leave_all_path": _LEAVE_ALL, "preferences_path": _PREFERENCES}
    return write_page("left.html", context)


def _paths(target: LinkTarget) -> tuple[str, str]:
    return f"{link_for(target, Purpose.UNSUBSCRIBE)}/all", link_for(target, Purpose.PREFERENCES)
