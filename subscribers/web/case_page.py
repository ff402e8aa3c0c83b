"""The page on which a person follows a case or stops. Only its button counts, because link scanners open links."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from subscribers.links.signed_links import LinkTarget, Purpose
from subscribers.models import Case, CaseFollow, Subscriber
from subscribers.people.cases import follow_case, unfollow_case
from subscribers.people.preferences import find_subscribed_lists
from subscribers.web.links import find_target, join_path, make_related_path
from subscribers.web.page import message_page, render_response

CASE, FOLLOW, STOP = "case", "follow", "stop"
"""The name of the field with a case's slug in links and forms, and the values of the buttons."""


def case_page(request: HttpRequest, target: LinkTarget, *, person: Subscriber) -> HttpResponse:
    """Answer a link to the preferences that names a case."""
    case = Case.objects.filter(slug=request.GET[CASE]).first()
    if case is None:
        return message_page(
            gettext("This case is closed"), gettext("There will be no more stories on it, so nobody can follow it now.")
        )
    follows = CaseFollow.objects.filter(subscriber=person, case=case)
    if not follows.exists() and not find_subscribed_lists(person):
        return message_page(
            gettext("You are not subscribed"),
            gettext("You unsubscribed, so you get no newsletters from us. You can sign up again."),
            join_path=join_path(find_target(target)[1]),
        )
    change = {FOLLOW: follow_case, STOP: unfollow_case}.get(request.POST.get("do", ""))
    if change is not None:
        change(subscriber=person, case=case, now=timezone.now())
    context = {
        "case": case,
        "follows": follows.exists(),
        "changed": change is not None,
        "preferences_path": make_related_path(target, Purpose.PREFERENCES),
    }
    return render_response("case.html", context)
