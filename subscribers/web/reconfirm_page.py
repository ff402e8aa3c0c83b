"""The page on which a person says that they still want mail. Only its button counts, because link scanners open links."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from subscribers.addresses.normalise import mask
from subscribers.consent_events import make_press_wording
from subscribers.links.signed_links import LinkTarget, Purpose
from subscribers.models import Subscriber
from subscribers.people.inactivity import find_resting_since, stay
from subscribers.people.preferences import find_subscribed_lists
from subscribers.person_locks import lock_current
from subscribers.unsubscribing.suppression import is_all_mail_blocked
from subscribers.web.links import erased_person_page, find_target, join_path, linked_page, make_related_path
from subscribers.web.page import activate_language_of, message_page, render_response
from subscribers.web.resting_notice import SHOWN_FIELD, SHOWN_NOTICE, describe_rest
from subscribers.web.suppressed_notice import describe_block


@linked_page(Purpose.STAY)
def stay_page(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    person, mailing_list = find_target(target)
    if person is None:
        return erased_person_page()
    activate_language_of(person)
    if is_all_mail_blocked(address_hash=bytes(person.address_hash)):
        return message_page(**describe_block(), status=409)
    if not find_subscribed_lists(person):
        return message_page(
            gettext("You are not subscribed"),
            gettext("You unsubscribed, so you get no newsletters from us. You can sign up again."),
            join_path=join_path(mailing_list),
        )
    button_texts = {
        "text": gettext(
            "Press the button, and you get your newsletters as before. If you stopped getting them, they start again."
        ),
        "button": gettext("Yes, keep sending them"),
    }
    if request.method == "POST":
        with transaction.atomic():
            current = lock_current(person)
            if current is None:
                return erased_person_page()
            read = button_texts if request.POST.get(SHOWN_FIELD) != SHOWN_NOTICE else _find_notice(current)
            if read is not None:
                stay(subscriber=current, wording=make_press_wording(**read), now=timezone.now())
    context = {
        **button_texts,
        "masked": mask(person.email),
        "stays": request.method == "POST",
        "preferences_path": make_related_path(target, Purpose.PREFERENCES),
        "leave_all_path": f"{make_related_path(target, Purpose.UNSUBSCRIBE)}/all",
    }
    return render_response("stay.html", context)


def _find_notice(person: Subscriber) -> dict[str, str] | None:
    """Return the notice next to the pressed button, or None if an earlier press ended their rest."""
    since = find_resting_since(person)
    return describe_rest(since) if since else None
