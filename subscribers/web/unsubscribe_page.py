"""Unsubscribe by link, with one press or one POST of a mailbox provider, whose body is not read. Undo it with one press."""

from collections.abc import Iterable
from functools import lru_cache

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.html import escape
from django.utils.translation import gettext

from subscribers.addresses.normalise import mask
from subscribers.consent_events import make_press_wording
from subscribers.links.signed_links import LinkTarget, Purpose
from subscribers.models import MailingList, Subscriber, Subscription
from subscribers.people.preferences import find_subscribed_lists
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.unsubscribing.one_click import UnsubscribedPerson, unsubscribe_by_link
from subscribers.unsubscribing.suppression import has_left_all_mail, list_own_suppressions
from subscribers.unsubscribing.undo import UNDO_PERIOD, can_undo, is_too_late_to_undo, undo_unsubscribe
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all
from subscribers.web.branding import current_branding_version
from subscribers.web.fewer_emails import make_fewer_emails_offer
from subscribers.web.links import erased_person_page, find_target, join_path, linked_page, make_related_path
from subscribers.web.page import (
    ASK_PATH,
    WORDING_FIELD,
    activate_language,
    activate_language_of,
    message_page,
    public_list_name,
    read_wording,
    render_page,
    render_response,
    sign_wording,
)

_LEAVE_ALL, _PREFERENCES, _UNDO, _WORDING = "/leave-all-path", "/preferences-path", "/undo-path", "/signed-wording"
_MASKED = "/masked-address"


@linked_page(Purpose.UNSUBSCRIBE)
def unsubscribe(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Unsubscribe from the list that the link names."""
    if request.method == "POST":
        return HttpResponse(render_unsubscribed_page(target, unsubscribe_by_link(target)))
    person, mailing_list = find_target(target)
    if person is None:
        return erased_person_page()
    activate_language_of(person)
    if (page := _render_current(target, person=person, mailing_list=mailing_list)) is not None:
        return HttpResponse(page)
    return _page(target, name=public_list_name(mailing_list), everything=False, person=person)


@linked_page(Purpose.UNSUBSCRIBE)
def unsubscribe_from_everything(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Unsubscribe from all mail."""
    person, mailing_list = find_target(target)
    if person is None:
        return erased_person_page()
    activate_language_of(person)
    if request.method == "POST":
        unsubscribe_from_all(subscriber=person, now=timezone.now(), source="link", mailing=target.mailing)
    if request.method == "POST" or has_left_all_mail(address_hash=bytes(person.address_hash)):
        return HttpResponse(_render_left(target, person=person, mailing_list=None, link_list=mailing_list))
    return _page(target, name=gettext("all our mail"), everything=True, person=person)


@linked_page(Purpose.UNSUBSCRIBE)
def undo(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Subscribe somebody to the link's list again who pressed “Unsubscribe” by mistake. Only a POST changes anything."""
    return _undo(request, target, everything=False)


@linked_page(Purpose.UNSUBSCRIBE)
def undo_everything(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Subscribe somebody again to what their unsubscribe from all mail ended. Only a POST changes anything."""
    return _undo(request, target, everything=True)


def _undo(request: HttpRequest, target: LinkTarget, *, everything: bool) -> HttpResponse:
    """Undo the unsubscribe from the link's list, or from all mail. If another undo is left, offer it."""
    person, link_list = find_target(target)
    if person is None:
        return erased_person_page()
    if link_list is None and not everything:
        return _nothing_to_undo(link_list, late=False)
    activate_language_of(person)
    mailing_list = None if everything else link_list
    lists: list[MailingList] = []
    if request.method == "POST":
        now = timezone.now()
        with transaction.atomic():
            lists = undo_unsubscribe(
                subscriber=person,
                mailing_list=mailing_list,
                now=now,
                wording=read_wording(
                    request,
                    action=_name_undo(everything=everything),
                    target=target,
                    default=_make_undo_wording(_name_of(mailing_list)),
                ),
                link_list=link_list,
                mailing=target.mailing,
            )
            get_publishing_hooks().resume_welcome(person, lists, now - UNDO_PERIOD)
    if lists:
        return _resubscribed(target, person=person, lists=lists)
    now = timezone.now()
    for left in (None, link_list):
        if can_undo(subscriber=person, mailing_list=left, now=now, link_list=link_list):
            return HttpResponse(_render_left(target, person=person, mailing_list=left, link_list=link_list))
    if request.method == "POST" and (lists := _find_mailed_lists(person, among=mailing_list)):
        return _resubscribed(target, person=person, lists=lists)
    return _nothing_to_undo(
        link_list, late=is_too_late_to_undo(subscriber=person, mailing_list=mailing_list, now=now, link_list=link_list)
    )


def _resubscribed(target: LinkTarget, *, person: Subscriber, lists: Iterable[MailingList]) -> HttpResponse:
    """Return the page of somebody who is on these lists again. A second press gets the answer to the first."""
    context = {
        "names": [public_list_name(each) for each in lists],
        "masked": mask(person.email),
        "preferences_path": _paths(target)[1],
    }
    return render_response("resubscribed.html", context)


def _find_mailed_lists(person: Subscriber, *, among: MailingList | None) -> list[MailingList]:
    """Return the lists that mail this person: this one or none, or all of theirs if ``among`` is None."""
    mailable = set(Subscription.objects.filter(subscriber=person).mailable().values_list("mailing_list", flat=True))
    lists = find_subscribed_lists(person)
    return [each for each in lists if each.pk in mailable and (among is None or each.pk == among.pk)]


def _make_undo_wording(name: str) -> str:
    """Return the texts of the page that offers the undo of an unsubscribe from the list of this name, or from all mail."""
    heading = gettext("Done. You’re unsubscribed from %(name)s.") % {"name": name}
    return make_press_wording(text=heading, button=gettext("I pressed this by mistake"))


def _name_undo(*, everything: bool) -> str:
    """Return for which action the text of the page is signed."""
    return "undo all" if everything else "undo"


def _name_of(mailing_list: MailingList | None) -> str:
    return gettext("all our mail") if mailing_list is None else public_list_name(mailing_list)


def _nothing_to_undo(link_list: MailingList | None, *, late: bool) -> HttpResponse:
    if late:
        text = gettext("You can undo it for an hour. After that, sign up again.")
    else:
        text = gettext("Nothing was changed. If you want our emails again, sign up again.")
    join = join_path(link_list)
    return message_page(gettext("There is nothing to undo"), text, join_path=join, ask_path="" if join else ASK_PATH)


def _has_left(person: Subscriber, mailing_list: MailingList) -> bool:
    """Return True if the person asked for no more mail of this list, and has not joined it again.

    A subscription that staff, an import or time ended is not enough: nothing would stop the next import.
    """
    is_open = Subscription.objects.filter(subscriber=person, mailing_list=mailing_list).open().exists()
    own = list_own_suppressions(address_hash=bytes(person.address_hash)).filter(mailing_list=mailing_list)
    return not is_open and own.exists()


def _render_current(target: LinkTarget, *, person: Subscriber, mailing_list: MailingList | None) -> str | None:
    """Return the page of somebody who unsubscribed before, or None if they did not."""
    if mailing_list is None:
        return None
    if has_left_all_mail(address_hash=bytes(person.address_hash)):
        return _render_left(target, person=person, mailing_list=None, link_list=mailing_list)
    if _has_left(person, mailing_list):
        return _render_left(target, person=person, mailing_list=mailing_list, link_list=mailing_list)
    return None


def _render_left(
    target: LinkTarget,
    *,
    person: Subscriber,
    mailing_list: MailingList | None,
    link_list: MailingList | None,
) -> str:
    """Return the page of somebody who unsubscribed from this list, or from all mail if None."""
    everything = mailing_list is None
    leave_all_path, preferences_path, undo_path = _paths(target, everything=everything)
    undoable = can_undo(subscriber=person, mailing_list=mailing_list, now=timezone.now(), link_list=link_list)
    name = _name_of(mailing_list)
    context = {
        "name": name,
        "masked": mask(person.email),
        "everything": everything,
        "leave_all_path": leave_all_path,
        "preferences_path": preferences_path,
        "undo_path": undo_path if undoable else "",
        "wording_field": WORDING_FIELD,
        "wording": sign_wording(_make_undo_wording(name), action=_name_undo(everything=everything), target=target),
    }
    return render_page("unsubscribed.html", context)


def _page(target: LinkTarget, *, name: str, everything: bool, person: Subscriber) -> HttpResponse:
    leave_all_path, preferences_path, _ = _paths(target)
    context = {
        "name": name,
        "masked": mask(person.email),
        "everything": everything,
        "offer": make_fewer_emails_offer(person, now=timezone.now()),
        "leave_all_path": leave_all_path,
        "preferences_path": preferences_path,
    }
    return render_response("unsubscribe.html", context)


def render_unsubscribed_page(target: LinkTarget, unsubscribed: UnsubscribedPerson) -> str:
    """Return the page after unsubscribing. If the press ended mail, the page is cached by list, language and branding.

    Otherwise an earlier press may have, and the page offers the undo of that one if there is any.
    """
    if not unsubscribed.known:
        return erased_person_page().content.decode()
    activate_language(unsubscribed.language)
    if not unsubscribed.undoable:
        person, mailing_list = find_target(target)
        page = _render_current(target, person=person, mailing_list=mailing_list) if person else None
        if page is not None:
            return page
    leave_all_path, preferences_path, undo_path = _paths(target)
    name = unsubscribed.list_name or gettext("this newsletter")
    language = translation.get_language() or "en"
    page = _render_unsubscribed(name, language, current_branding_version(), undoable=unsubscribed.undoable)
    page = page.replace(_MASKED, escape(unsubscribed.masked))
    page = page.replace(_LEAVE_ALL, leave_all_path).replace(_PREFERENCES, preferences_path)
    wording = sign_wording(_make_undo_wording(name), action=_name_undo(everything=False), target=target)
    return page.replace(_UNDO, undo_path).replace(_WORDING, wording)


@lru_cache(maxsize=512)
def _render_unsubscribed(name: str, language: str, branding_version: str, *, undoable: bool) -> str:
    context = {
        "name": name,
        "masked": _MASKED,
        "everything": False,
        "leave_all_path": _LEAVE_ALL,
        "preferences_path": _PREFERENCES,
        "undo_path": _UNDO if undoable else "",
        "wording_field": WORDING_FIELD,
        "wording": _WORDING,
    }
    return render_page("unsubscribed.html", context)


def _paths(target: LinkTarget, *, everything: bool = False) -> tuple[str, str, str]:
    """Return the paths that end everything, show the person's choices and undo the unsubscribe, or that of all mail."""
    path = make_related_path(target, Purpose.UNSUBSCRIBE)
    leave_all = f"{path}/all"
    return leave_all, make_related_path(target, Purpose.PREFERENCES), f"{leave_all if everything else path}/undo"
