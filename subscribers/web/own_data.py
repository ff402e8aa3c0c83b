"""What a link of a newsletter is not enough for: download, erasure, another address. Each is asked for and done by mail."""

import json

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from newsletter.common.errors import BadAddress
from subscribers.addresses.normalise import mask
from subscribers.erasing.erasure import erase_person
from subscribers.links.signed_links import LinkTarget, Purpose
from subscribers.models import MailedLink
from subscribers.people.change_address import CannotMove, SameAddress, confirm_new_address, name_new_address
from subscribers.people.lookup import describe_person
from subscribers.people.mailed_links import PURPOSES, Kind, SpentLink, ask_for_link, find_link, spend
from subscribers.people.preferences import lists_on
from subscribers.web.links import Page, find_target, linked_page
from subscribers.web.page import ASK_PATH, say, show, speak_to
from subscribers.web.preference_page import nothing_kept


def asks_for(kind: MailedLink.Kind) -> Page:
    """The page behind a button of the preference centre: on POST, a link is mailed to the person's own address."""

    def ask(request: HttpRequest, target: LinkTarget) -> HttpResponse:
        person, mailing_list = find_target(target)
        if person is None or mailing_list is None:
            return nothing_kept()
        speak_to(person)
        if request.method != "POST":
            return show("ask.html", {"kind": str(kind), "masked": mask(person.email)})
        ask_for_link(subscriber=person, mailing_list=mailing_list, kind=kind, now=timezone.now())
        return mailed(masked=mask(person.email))

    ask.__name__ = f"ask_for_{kind}"
    return ask


def mailed(*, masked: str) -> HttpResponse:
    """The same words whether or not a mail goes out."""
    text = gettext(
        "A mail to %(address)s is on its way. Its button works once, for an hour. "
        "Nothing there after ten minutes? Look among junk mail."
    ) % {"address": masked}
    return say(gettext("Please look in your inbox"), text)


def _once(kind: MailedLink.Kind) -> Purpose:
    return PURPOSES[kind]


@linked_page(_once(Kind.DOWNLOAD))
def download(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Everything held about the person, as a JSON file."""
    try:
        link = find_link(target, kind=Kind.DOWNLOAD)
        speak_to(link.subscriber)
        if request.method != "POST":
            return show("download.html", {"masked": mask(link.subscriber.email)})
        with transaction.atomic():
            spend(link, now=timezone.now())
            held = describe_person(link.subscriber, now=timezone.now(), for_themselves=True)
    except SpentLink:
        return _spent()
    response = HttpResponse(json.dumps(held, ensure_ascii=False, indent=2), content_type="application/json")
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@linked_page(_once(Kind.ERASE))
def erase(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Forgets the person."""
    try:
        link = find_link(target, kind=Kind.ERASE)
        speak_to(link.subscriber)
        if request.method != "POST":
            return show("erase.html", {"masked": mask(link.subscriber.email)})
        with transaction.atomic():
            spend(link, now=timezone.now())
            erase_person(subscriber=link.subscriber, by="", now=timezone.now())
    except SpentLink:
        return _spent()
    return say(
        gettext("You have been erased"),
        gettext(
            "We removed what we knew about you. All that stays is a code made from your address, "
            "so that nobody adds you again by mistake. No mail follows."
        ),
    )


@linked_page(_once(Kind.MOVE))
def move(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """The person says what their new address is."""
    try:
        link = find_link(target, kind=Kind.MOVE)
        speak_to(link.subscriber)
        context = {"masked": mask(link.subscriber.email), "value": "", "error": ""}
        if request.method != "POST":
            return show("move.html", context)
        address = name_new_address(link=link, email=request.POST.get("email", ""), now=timezone.now())
    except SpentLink:
        return _spent()
    except SameAddress:
        error = gettext("This is the address that we have. Write the new one.")
    except BadAddress:
        error = gettext("This is not an email address that we can send to. It looks like name@example.org.")
    else:
        return mailed(masked=mask(address))
    return show("move.html", {**context, "value": request.POST.get("email", ""), "error": error}, status=400)


@linked_page(_once(Kind.ARRIVE))
def arrive(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """The button pressed in the new mailbox."""
    try:
        link = find_link(target, kind=Kind.ARRIVE)
        speak_to(link.subscriber)
        if request.method != "POST":
            return show("arrive.html", {"masked": mask(link.new_email)})
        person = confirm_new_address(link=link, now=timezone.now())
    except SpentLink:
        return _spent()
    except CannotMove:
        text = gettext("We may not send mail to this address. Your old address stays as it was.")
        return say(gettext("Nothing was changed"), text, status=409)
    if not lists_on(person):
        return say(
            gettext("Done. This is your address now."),
            gettext(
                "But no mail comes here: what you had asked for has ended, at this address or at the old one. "
                "If you want mail again, sign up again."
            ),
        )
    return say(
        gettext("Done. Your mail comes here now."),
        gettext("All that you chose came along. Links in older mails keep working."),
    )


def _spent() -> HttpResponse:
    text = gettext("Such a link works once. On your own page you can ask for another.")
    return say(gettext("This link was used already"), text, status=410, ask_path=ASK_PATH)
