"""Previews as one person: permission, search, and the person's group and fields.

Search results have a masked address, and the name for staff who may see addresses, as in the list of subscribers. Staff find
an address only by typing it whole. Each search and each preview is logged.
"""

from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404, HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.errors import BadAddress
from newsletter.common.text import explain_long_search
from newsletter.common.translation import translate
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.audience_rules import FREQUENCIES, find_audience_segment
from newsletter.issues.variants.recipient_groups import RecipientGroup, find_group_of
from newsletter.models import AuditEntry, Issue
from subscribers.addresses.normalise import normalise
from subscribers.audience.eligibility import explain_ineligible
from subscribers.audience.kept_counts import kept_counts
from subscribers.desk.person_actions import REVEAL_PERMISSION
from subscribers.identity import identify
from subscribers.models import Subscriber, Subscription
from subscribers.people.lookup import explain_unfound
from subscribers.places.regions import region_label
from subscribers.places.town_names import town_label

PERSON_PREFIX = "person."
MAX_RESULTS = 8
MIN_QUERY_LENGTH = 3
MAX_ID_DIGITS = 18
PREVIEW_ACTION = "newsletter.previewed_as"
REPEAT_WINDOW = timedelta(minutes=10)


def can_preview_people(user: User | AnonymousUser) -> bool:
    """Return True for staff who may see subscribers."""
    return bool(user.has_perm("subscribers.view_subscriber"))


@require_POST
def search_people(request: HttpRequest, pk: int) -> JsonResponse:
    """Find people on the publication's list by whole address, by the start of a town, or with the permission of a name."""
    issue = get_object_or_404(Issue.objects.select_related("publication__mailing_list"), pk=pk)
    if not can_preview_people(request.user):
        raise Http404("You may not search for people.")
    query = request.POST.get("q", "").strip()
    if len(query) < MIN_QUERY_LENGTH:
        hint = _("Type at least %(shortest)s letters.") % {"shortest": MIN_QUERY_LENGTH}
        return JsonResponse({"people": [], "hint": hint})
    if unsearched := explain_long_search(query, max_words=None):
        return JsonResponse({"people": [], "hint": translate(unsearched)})
    whole = bool(request.user.has_perm(REVEAL_PERMISSION))
    people = search_list(query, issue=issue, by_name=whole)
    details = {"found": len(people), "people": [person.pk for person in people]}
    log(instance=issue, action="newsletter.preview_as", user=request.user, data=details)
    hint = "" if people else explain_unfound(query) or _explain_no_match(by_name=whole)
    rows = [_search_result(person, issue, whole=whole, now=timezone.now()) for person in people]
    return JsonResponse({"people": rows, "hint": hint})


def _explain_no_match(*, by_name: bool) -> str:
    if by_name:
        return _("No match on this list. Type a whole address, or the start of a name or town.")
    return _("No match on this list. Type a whole address, or the start of a town.")


def search_list(query: str, *, issue: Issue, by_name: bool) -> list[Subscriber]:
    """Return at most `MAX_RESULTS` people of the publication's list.

    ``by_name`` needs the permission to see addresses: repeated searches would spell out a masked name.
    """
    on_list = Subscriber.objects.filter(
        subscriptions__mailing_list=issue.publication.mailing_list, subscriptions__ended_at__isnull=True
    ).select_related("place")
    if "@" in query:
        try:
            return list(on_list.filter(address_hash=identify(normalise(query))).distinct()[:MAX_RESULTS])
        except BadAddress:
            return []
    found = on_list.filter(place__town__istartswith=query)
    if by_name:
        found |= on_list.filter(name__istartswith=query)
    return list(found.distinct().order_by("pk")[:MAX_RESULTS])


def load_preview_person(
    name: str, *, user: User | AnonymousUser, content: IssueContent
) -> tuple[RecipientGroup, dict[str, str]]:
    """Return the group and the fields of the person that ``person.ID`` names, and log the preview.

    Raises Http404 if the staff member may not see people, or if the
    person is not on the publication's list.
    """
    number = name.removeprefix(PERSON_PREFIX)
    if not can_preview_people(user) or not number.isdecimal() or len(number) > MAX_ID_DIGITS:
        raise Http404("There is no such person to preview as.")
    publication = content.publication
    on_list = Subscription.objects.open().filter(mailing_list__public_id=publication.list_id)
    subscription = on_list.filter(subscriber=int(number)).select_related("subscriber__place").first()
    if subscription is None:
        raise Http404("There is no such person to preview as.")
    person = subscription.subscriber
    _log_preview(person, user=user, publication=publication.slug, now=timezone.now())
    issue = Issue.objects.select_related("publication__mailing_list", "publication__segment").get(
        public_id=content.issue.public_id
    )
    with kept_counts():  # only which versions are too rare to be made depends on the others
        group = find_group_of(person, issue=issue, content=content, now=timezone.now())
    return group, make_personal_fields(person, language=publication.language)


def _log_preview(person: Subscriber, *, user: object, publication: str, now: datetime) -> None:
    """Log a preview, but not again within `REPEAT_WINDOW`: the panel renders it again at each key."""
    entries = AuditEntry.objects.for_instance(person)
    same = entries.filter(
        user=user, action=PREVIEW_ACTION, timestamp__gt=now - REPEAT_WINDOW, data__publication=publication
    )
    if not same.exists():
        log(instance=person, action=PREVIEW_ACTION, user=user, data={"publication": publication})


def make_personal_fields(person: Subscriber, *, language: str) -> dict[str, str]:
    """Return the personal fields of a mail, without the personal links."""
    place = person.place
    return {
        "name": person.name,
        "first_name": person.first_name,
        "city": town_label(place.town, country=place.country, language=language) if place else "",
        "region": region_label(place.region, language=language) if place and place.region else "",
    }


def mask_person(person: Subscriber) -> str:
    """Return a label that differs between people but identifies nobody.

    An example is “M…, m•••@e•••.org, Houston, Texas, United States”.
    """
    initial = next((letter for letter in person.name if letter.isalpha()), "")
    return _join_label(initial and f"{initial}…", person)


def name_person(person: Subscriber) -> str:
    """Return the name, masked address and location, as the list of subscribers shows them to staff who may see addresses."""
    return _join_label(person.name, person)


def _join_label(name: str, person: Subscriber) -> str:
    return ", ".join(filter(None, [name, str(person), str(person.place or _("place unknown"))]))


def _search_result(person: Subscriber, issue: Issue, *, whole: bool, now: datetime) -> dict[str, str]:
    publication = issue.publication
    why_not = explain_ineligible(
        person,
        mailing_list=publication.mailing_list,
        segment=find_audience_segment(issue),
        now=now,
        frequencies=FREQUENCIES[Issue.Kind(issue.kind)],
        charitable=issue.is_charitable,
    )
    return {
        "mode": f"{PERSON_PREFIX}{person.pk}",
        "label": name_person(person) if whole else mask_person(person),
        "note": _("Not a recipient. %(why_not)s") % {"why_not": translate(why_not)} if why_not else "",
    }
