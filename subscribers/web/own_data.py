"""Download, erasure and change of address. A newsletter's link only asks for them; a mailed link does them.

A mailed link works once. A person who presses its button twice gets the answer to the first press.
"""

import json
from datetime import datetime
from http import HTTPStatus

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from newsletter.common.errors import BadAddress
from subscribers.addresses.normalise import mask
from subscribers.erasing.erasure import erase_person
from subscribers.identity import identify
from subscribers.links.signed_links import LinkTarget, Purpose
from subscribers.models import MailedLink
from subscribers.people.change_address import (
    NewAddressSuppressed,
    SameAddress,
    confirm_address_change,
    request_address_change,
)
from subscribers.people.describe_person import describe_person
from subscribers.people.mailed_links import (
    Kind,
    UsedLink,
    find_link,
    find_link_row,
    mark_link_used,
    request_mailed_link,
)
from subscribers.people.preferences import find_subscribed_lists
from subscribers.person_locks import lock_current
from subscribers.unsubscribing.suppression import is_all_mail_blocked
from subscribers.web.form_fields import explain_bad_address
from subscribers.web.links import Page, erased_person_page, find_target, join_path, linked_page
from subscribers.web.page import ASK_PATH, activate_language_of, message_page, render_response


def make_request_page(kind: MailedLink.Kind) -> Page:
    """Make the page behind a button of the preference centre. On POST it mails a link to the person."""

    def ask(request: HttpRequest, target: LinkTarget) -> HttpResponse:
        return offer_mailed_link(request, target, kind=kind)

    ask.__name__ = f"ask_for_{kind}"
    return ask


def offer_mailed_link(request: HttpRequest, target: LinkTarget, *, kind: MailedLink.Kind) -> HttpResponse:
    """Return the page that offers to mail a link to the person of ``target``. On POST mail it."""
    person, mailing_list = find_target(target)
    if person is None or mailing_list is None:
        return erased_person_page()
    activate_language_of(person)
    if request.method != "POST":
        return render_response("request_link.html", {"kind": str(kind), "masked": mask(person.email)})
    request_mailed_link(subscriber=person, mailing_list=mailing_list, kind=kind, now=timezone.now())
    return link_mailed_page(address=mask(person.email))


def link_mailed_page(*, address: str, also: str = "") -> HttpResponse:
    """Return the same page, also if no mail is sent. ``also`` is one more sentence."""
    text = gettext(
        "We are sending a mail to %(address)s. It says until when its link works. "
        "If it is not there after ten minutes, check your junk mail."
    ) % {"address": address}
    return message_page(gettext("Check your inbox"), f"{text} {also}".strip())


@linked_page(Purpose.DOWNLOAD)
def download(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Return everything recorded about the person as a JSON file."""
    try:
        link = find_link(target, kind=Kind.DOWNLOAD, now=_pressed_at(request))
        activate_language_of(link.subscriber)
        if request.method != "POST":
            return render_response("download.html", {"masked": mask(link.subscriber.email)})
        with transaction.atomic():
            mark_link_used(link, now=timezone.now(), may_repeat=True)
            record = describe_person(link.subscriber, now=timezone.now(), for_subscriber=True)
    except UsedLink:
        return _used_link_page(target, Kind.DOWNLOAD)
    response = HttpResponse(json.dumps(record, ensure_ascii=False, indent=2), content_type="application/json")
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@linked_page(Purpose.ERASE)
def erase(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Erase the person. If they change address at this moment, both addresses are suppressed."""
    try:
        link = find_link(target, kind=Kind.ERASE)
        activate_language_of(link.subscriber)
        if request.method != "POST":
            return render_response("erase.html", {"masked": mask(link.subscriber.email)})
        with transaction.atomic():
            lock_current(link.subscriber, to_delete=True)
            mark_link_used(link, now=timezone.now())
            erase_person(subscriber=link.subscriber, by="", now=timezone.now())
    except UsedLink:
        return _used_link_page(target, Kind.ERASE)
    return message_page(
        gettext("You have been erased"),
        gettext(
            "We removed everything we knew about you. We keep only a code made from each address that you had with us, "
            "so that nobody adds you again by mistake, and an anonymous record of what you agreed to. You will get no more "
            "mail."
        ),
    )


@linked_page(Purpose.CHANGE_ADDRESS)
def change_address(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Ask for the person's new address."""
    try:
        link = find_link(target, kind=Kind.CHANGE_ADDRESS, now=_pressed_at(request))
        activate_language_of(link.subscriber)
        context = {"masked": mask(link.subscriber.email), "value": "", "error": ""}
        if request.method != "POST":
            return render_response("change_address.html", context)
        address = request_address_change(link=link, email=request.POST.get("email", ""), now=timezone.now())
    except UsedLink:
        return _used_link_page(target, Kind.CHANGE_ADDRESS)
    except SameAddress:
        error = gettext("This is the address that we have. Write the new one.")
    except BadAddress:
        error = explain_bad_address(request.POST.get("email", ""))
    else:
        old = gettext("Until you confirm there, your mail goes to your old address.")
        return link_mailed_page(address=address, also=old)
    return render_response(
        "change_address.html", {**context, "value": request.POST.get("email", ""), "error": error}, status=400
    )


@linked_page(Purpose.CONFIRM_ADDRESS)
def confirm_new_address(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Confirm the change of address from the new mailbox.

    The answer offers the choices by mail only. A link to them would let anybody who has this one see them, for 90 days.
    """
    try:
        link = find_link(target, kind=Kind.CONFIRM_ADDRESS)
        activate_language_of(link.subscriber)
        if request.method != "POST":
            if is_all_mail_blocked(address_hash=identify(link.new_email)):
                return _suppressed_address_page()
            return render_response("confirm_new_address.html", {"masked": mask(link.new_email)})
        person = confirm_address_change(link=link, now=timezone.now())
    except UsedLink:
        used = find_link_row(target, kind=Kind.CONFIRM_ADDRESS)
        if used is None or used.subscriber.email != used.new_email:
            return _used_link_page(target, Kind.CONFIRM_ADDRESS)
        link, person = used, used.subscriber
        activate_language_of(person)
    except NewAddressSuppressed:
        return _suppressed_address_page()
    if not find_subscribed_lists(person):
        return message_page(
            gettext("Done. This is your address now."),
            gettext(
                "You will get no mail here, because you unsubscribed at this address or at the old one. "
                "To get mail again, sign up again."
            ),
            join_path=join_path(link.mailing_list),
        )
    return _leading_to_choices(
        gettext("Done. Your mail comes here now."),
        gettext("Your choices were kept. Links in older mails still work."),
    )


def _suppressed_address_page() -> HttpResponse:
    text = gettext(
        "We may not send mail to this address. Your old address stays as it was. To use another address, get a link to your "
        "choices and change it there."
    )
    return _leading_to_choices(gettext("Nothing was changed"), text, status=409)


def _pressed_at(request: HttpRequest) -> datetime | None:
    """Return the time of a press, None for a visit."""
    return timezone.now() if request.method == "POST" else None


def _used_link_page(target: LinkTarget, kind: Kind) -> HttpResponse:
    if find_target(target)[0] is None:
        return erased_person_page(status=410)
    if kind is Kind.CHANGE_ADDRESS:
        text = gettext(
            "This link works only once. If you gave a new address, open the mail that we sent there and confirm. To give another "
            "one, get a link to your choices by mail and change it there."
        )
    else:
        text = gettext("This link works only once. Get a link to your choices by mail and ask for a new one there.")
    return _leading_to_choices(gettext("This link was used already"), text, status=410)


def _leading_to_choices(title: str, text: str, *, status: int = HTTPStatus.OK) -> HttpResponse:
    """Return a page whose way on is a link to the choices, by mail."""
    label = gettext("Get a link to your choices by mail")
    return message_page(title, text, status=status, ask_path=ASK_PATH, ask_label=label)
