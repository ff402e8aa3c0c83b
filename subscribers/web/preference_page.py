"""The preference centre, and the page on which a person follows a case or stops. The address is masked."""

import re
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from newsletter.common.database.one_reading import one_reading
from newsletter.common.translation import language_choices
from subscribers.addresses.normalise import mask
from subscribers.links.signed_links import LinkTarget, Purpose
from subscribers.models import Case, CaseFollow, Frequency, MailingList, Subscriber, Subscription
from subscribers.people.cases import follow_case, list_followed_cases, unfollow_case
from subscribers.people.inactivity import find_resting_since, record_save
from subscribers.people.preferences import (
    choose_lists,
    find_left_private_lists,
    find_subscribed_lists,
    pause_mail,
    paused_until,
    save_preferences,
    set_frequencies,
)
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.people.relevant_choices import find_topics_asked_of, is_language_asked_of
from subscribers.person_locks import lock_current
from subscribers.unsubscribing.suppression import has_left_all_mail, is_all_mail_blocked
from subscribers.web.fewer_emails import find_lower_frequencies, make_fewer_emails_offer
from subscribers.web.form_fields import name_topics
from subscribers.web.links import erased_person_page, find_target, join_path, linked_page, make_related_path
from subscribers.web.page import activate_language_of, message_page, public_list_name, render_response
from subscribers.web.preference_form import PreferencesForm, list_frequency_choices, radius_choices
from subscribers.web.resting_notice import SHOWN_FIELD, SHOWN_NOTICE, describe_rest
from subscribers.web.suppressed_notice import describe_block

CASE, FOLLOW, STOP = "case", "follow", "stop"
"""The name of the field with a case's slug in links and forms, and the values of the buttons."""
_SLUG = re.compile(r"[\w-]+")


@linked_page(Purpose.PREFERENCES)
def preferences(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    person, _ = find_target(target)
    if person is None:
        return erased_person_page()
    activate_language_of(person)
    if CASE in request.GET:
        return case_page(request, target, person=person)
    offered = _offered(person)
    form = PreferencesForm(request.POST if request.method == "POST" else None, person=person, offered=offered)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            current = lock_current(person)
            if current is None:
                return erased_person_page()
            waiting = _save(form, target=target, person=current, offered=offered)
        person = current
        activate_language_of(person)
        return _page(request, target, person=person, offered=offered, form=form, saved=True, waiting=waiting)
    return _page(request, target, person=person, offered=offered, form=form)


@linked_page(Purpose.PREFERENCES)
def reduce_frequency(request: HttpRequest, target: LinkTarget) -> HttpResponse:
    """Switch to fewer emails with one press: monthly if the list offers it, else only events nearby."""
    person, _ = find_target(target)
    if person is None:
        return erased_person_page()
    activate_language_of(person)
    if request.method == "POST":
        with transaction.atomic():
            current = lock_current(person)
            if current is None:
                return erased_person_page()
            now = timezone.now()
            set_frequencies(subscriber=current, frequencies=find_lower_frequencies(current), now=now)
        person = current
    offered = _offered(person)
    form = PreferencesForm(person=person, offered=offered)
    return _page(request, target, person=person, offered=offered, form=form, saved=request.method == "POST")


def _offered(person: Subscriber) -> list[MailingList]:
    """Return the public lists, and the private ones that the person is on or left by themselves."""
    own = Subscription.objects.filter(subscriber=person).open().values("mailing_list_id")
    left = find_left_private_lists(person).values("pk")
    return list(MailingList.objects.filter(Q(public=True) | Q(pk__in=own) | Q(pk__in=left)).order_by("name"))


def _save(
    form: PreferencesForm, *, target: LinkTarget, person: Subscriber, offered: list[MailingList]
) -> list[MailingList]:
    now = timezone.now()
    data = form.cleaned_data
    save_preferences(
        subscriber=person,
        topics=form.chosen_topics(),
        language=data["language"],
        place=data["town"],
        radius_km=data["radius"],
        now=now,
    )
    wording = gettext("Chosen on the page “Your mail from us”.")
    waiting = choose_lists(
        subscriber=person, offered=offered, chosen=data["lists"], wording=wording, now=now, through=target
    )
    set_frequencies(subscriber=person, frequencies=form.frequencies(), now=now)
    if data["pause"] not in ("", "keep"):
        pause_mail(subscriber=person, days=int(data["pause"]), now=now)
    if data["lists"]:
        record_save(person, wording=wording, now=now)
    return waiting


@one_reading()
def _page(
    request: HttpRequest,
    target: LinkTarget,
    *,
    person: Subscriber,
    offered: list[MailingList],
    form: PreferencesForm,
    saved: bool = False,
    waiting: list[MailingList] | None = None,
) -> HttpResponse:
    now = timezone.now()
    refused = form.is_bound and not form.is_valid()
    chosen_topics = set(person.topics.values_list("pk", flat=True))
    if refused:
        chosen_topics = {int(pk) for pk in request.POST.getlist("topics") if pk.isdecimal()}
    path = make_related_path(target, Purpose.PREFERENCES)
    paused, resting_since = paused_until(person, now=now), find_resting_since(person)
    stopped = describe_block() if is_all_mail_blocked(address_hash=bytes(person.address_hash)) else None
    is_quiet = bool(paused or resting_since)
    context = {
        "masked": mask(person.email),
        "mails_a_month": 0 if is_quiet else get_publishing_hooks().mails_a_month(person, now),
        "is_subscribed": bool(find_subscribed_lists(person)),
        "lists": _lists(request, person=person, offered=offered, refused=refused, now=now),
        "topics": name_topics(find_topics_asked_of(person), chosen=chosen_topics),
        "town": form.data.get("town", "") if refused else str(person.place or ""),
        "radii": radius_choices(person.radius_km),
        "radius": form.data.get("radius", "") if refused else str(person.radius_km or ""),
        "languages": language_choices(person.language),
        "is_language_asked": is_language_asked_of(person),
        "chosen_language": form.data.get("language", "") if refused else person.language,
        "pause": form.data.get("pause", "") if refused else "",
        "paused_until": paused,
        "rest": describe_rest(resting_since) if resting_since and not stopped else None,
        "stopped": stopped,
        "shown_field": SHOWN_FIELD,
        "shown_notice": SHOWN_NOTICE,
        "stay_path": make_related_path(target, Purpose.STAY),
        "form": form,
        "refused": refused,
        "choice_is_gone": refused and bool(form.errors.keys() - {"town"}),
        "saved": saved,
        "waiting": [public_list_name(mailing_list) for mailing_list in waiting or ()],
        "has_left_all_mail": has_left_all_mail(address_hash=bytes(person.address_hash)),
        "offer": make_fewer_emails_offer(person, now=now),
        "cases": list_followed_cases(person),
        "path": path,
        "leave_all_path": f"{make_related_path(target, Purpose.UNSUBSCRIBE)}/all",
    }
    return render_response("preferences.html", context, status=400 if refused else 200)


def _lists(
    request: HttpRequest, *, person: Subscriber, offered: list[MailingList], refused: bool, now: datetime
) -> list[dict[str, object]]:
    on = {mailing_list.pk for mailing_list in find_subscribed_lists(person)}
    subscriptions = Subscription.objects.filter(subscriber=person).open()
    frequencies = dict(subscriptions.values_list("mailing_list_id", "frequency"))
    confirmed = set(subscriptions.mailable().values_list("mailing_list_id", flat=True))
    ticked = {int(pk) for pk in request.POST.getlist("lists") if pk.isdecimal()} if refused else on
    typed = request.POST if refused else {}
    host = get_publishing_hooks()
    return [
        {
            "list": mailing_list,
            "name": public_list_name(mailing_list),
            "description": mailing_list.description if mailing_list.public else "",
            "ticked": mailing_list.pk in ticked,
            "unconfirmed": mailing_list.pk in on and mailing_list.pk not in confirmed,
            "frequencies": list_frequency_choices(mailing_list, chosen=frequencies.get(mailing_list.pk, "")),
            "frequency": typed.get(f"often_{mailing_list.pk}")
            or frequencies.get(mailing_list.pk, Frequency.EVERY.value),
            "month": host.last_month(person, mailing_list, now) if mailing_list.pk in on else None,
        }
        for mailing_list in offered
    ]


def _read_slug(text: str) -> str:
    """Return the slug at the beginning. A mail program may add a full stop to a link, for example."""
    found = _SLUG.match(text)
    return found[0] if found else ""


def case_page(request: HttpRequest, target: LinkTarget, *, person: Subscriber) -> HttpResponse:
    """Answer a link to the preferences that names a case. Only its button counts, because link scanners open links."""
    case = Case.objects.filter(slug=_read_slug(request.GET[CASE])).first()
    if case is None:
        return message_page(
            gettext("This case is closed"), gettext("There will be no more stories on it, so nobody can follow it now.")
        )
    follows = CaseFollow.objects.filter(subscriber=person, case=case).exists()
    if not follows and not find_subscribed_lists(person):
        return message_page(
            gettext("You are not subscribed"),
            gettext("You unsubscribed, so you get no newsletters from us. You can sign up again."),
            join_path=join_path(find_target(target)[1]),
        )
    change = {FOLLOW: follow_case, STOP: unfollow_case}.get(request.POST.get("do", ""))
    if change is not None:
        with transaction.atomic():
            current = lock_current(person)
            if current is None:
                return erased_person_page()
            change(subscriber=current, case=case, now=timezone.now())
        person = current
    context = {
        "case": case,
        "masked": mask(person.email),
        "follows": CaseFollow.objects.filter(subscriber=person, case=case).exists(),
        "changed": change is not None,
        "preferences_path": make_related_path(target, Purpose.PREFERENCES),
    }
    return render_response("case.html", context)
