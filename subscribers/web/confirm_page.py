"""The page that confirms a sign-up. Only its button confirms, because link scanners open links."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from subscribers.consent.signup import ConfirmationResult, confirm_subscription
from subscribers.consent_events import make_press_wording
from subscribers.links.signed_links import LinkTarget, Purpose
from subscribers.models import MailingList, Subscriber, Subscription
from subscribers.models.subscriptions import CHANGED_BY_CONFIRMING
from subscribers.people.inactivity import find_resting_since
from subscribers.unsubscribing.suppression import is_signup_blocked, is_suppressed
from subscribers.web.links import find_target, join_path, linked_page, make_related_path
from subscribers.web.page import (
    WORDING_FIELD,
    activate_language_of,
    message_page,
    public_list_name,
    read_wording,
    render_response,
    sign_wording,
)
from subscribers.web.suppressed_notice import describe_block

_ACTION = "confirm"


@linked_page(Purpose.CONFIRM)
def confirm(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    person, mailing_list = find_target(target)
    if person is None or mailing_list is None:
        return _gone(mailing_list)
    activate_language_of(person)
    name = public_list_name(mailing_list)
    text = gettext(
        "Press the button to get %(name)s by email. If you did not ask for it, close this page and nothing will happen."
    )
    context = {"text": text % {"name": name}, "button": gettext("Yes, send me %(name)s") % {"name": name}}
    wording = make_press_wording(**context)
    if is_signup_blocked(address_hash=bytes(person.address_hash), mailing_list=mailing_list):
        return message_page(**describe_block(), status=409)
    if request.method != "POST":
        subscription = Subscription.objects.filter(subscriber=person, mailing_list=mailing_list).open()
        if not subscription.exists():
            return _gone(mailing_list)
        if not subscription.filter(CHANGED_BY_CONFIRMING).exists() and not _is_mail_stopped(person, mailing_list):
            return _confirmed(target, name=name, is_visit=True)
        form = {"wording_field": WORDING_FIELD, "wording": sign_wording(wording, action=_ACTION, target=target)}
        return render_response("confirm.html", {**context, **form})
    wording = read_wording(request, action=_ACTION, target=target, default=wording)
    outcome = confirm_subscription(target=target, now=timezone.now(), wording=wording, source="confirmation link")
    if outcome is ConfirmationResult.GONE:
        return _gone(mailing_list)
    return _confirmed(target, name=name, forward_url=mailing_list.confirmed_url)


def _is_mail_stopped(person: Subscriber, mailing_list: MailingList) -> bool:
    """Return True if the person gets no mail of the list now, because they rest or are suppressed."""
    suppressed = is_suppressed(address_hash=bytes(person.address_hash), mailing_list=mailing_list)
    return suppressed or find_resting_since(person) is not None


def _confirmed(target: LinkTarget, *, name: str, is_visit: bool = False, forward_url: str = "") -> HttpResponse:
    """Return the page of somebody who is on the list. A second press gets the answer to the first: it worked."""
    preferences_path = make_related_path(target, Purpose.PREFERENCES)
    context = {"name": name, "is_visit": is_visit, "preferences_path": preferences_path, "forward_url": forward_url}
    return render_response("confirmed.html", context)


def _gone(mailing_list: MailingList | None) -> HttpResponse:
    return message_page(
        gettext("There is nothing to confirm"),
        gettext("This sign-up was cancelled or has expired. You will get no mail from it."),
        join_path=join_path(mailing_list),
    )
