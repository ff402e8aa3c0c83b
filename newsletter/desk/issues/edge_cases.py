"""The people whose mail is most likely to look wrong: for whom the rules of the issue were not made. Shown masked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from newsletter.common.languages import language_label
from newsletter.desk.issues.variant_groups import VariantGroup, parse_group_key
from newsletter.desk.preview.person import PERSON_PREFIX, mask_person
from newsletter.desk.shell.labels import label_people
from newsletter.issues.variants.recipient_groups import find_recipients
from newsletter.models import Issue

MAX_EDGE_CASES = 5
MAX_USUAL_NAME_LENGTH = 24

People = QuerySet[Any]
Chosen = tuple[Any, str] | None


@dataclass(frozen=True)
class EdgeCase:
    """One person, masked, and what is odd about them. ``mode`` names them in the preview."""

    who: str
    why: str
    mode: str


def find_edge_cases(issue: Issue, *, readers: list[VariantGroup], now: datetime) -> list[EdgeCase]:
    """At most five different people of the audience, the oddest first."""
    people = find_recipients(issue, now=now).select_related("subscriber__place")
    found: dict[int, EdgeCase] = {}
    for find in (
        _strange_name,
        _long_name,
        _smallest_variant,
        _other_language,
        _nothing_known,
        _only_in_country,
        _widest_radius,
        _newest_subscriber,
    ):
        chosen = find(people.exclude(subscriber_id__in=list(found)), issue, readers)
        if chosen is None:
            continue
        subscription, why = chosen
        person = subscription.subscriber
        found[person.pk] = EdgeCase(who=mask_person(person), why=why, mode=f"{PERSON_PREFIX}{person.pk}")
        if len(found) == MAX_EDGE_CASES:
            break
    return list(found.values())


def _strange_name(people: People, issue: Issue, readers: list[VariantGroup]) -> Chosen:
    one = people.filter(Q(subscriber__name__contains="@") | Q(subscriber__name__regex=r"[0-9<>{}]")).first()
    return one and (one, _("The name holds signs that names do not have. See how the greeting looks."))


def _long_name(people: People, issue: Issue, readers: list[VariantGroup]) -> Chosen:
    named = people.annotate(letters=Length("subscriber__name")).filter(letters__gt=MAX_USUAL_NAME_LENGTH)
    one = named.order_by("-letters").first()
    words = _("A name of %(letters)s letters. See whether the greeting holds it.")
    return one and (one, words % {"letters": len(one.subscriber.name)})


def _smallest_variant(people: People, issue: Issue, readers: list[VariantGroup]) -> Chosen:
    """One of those whose mail goes to fewest."""
    if len(readers) < 2:
        return None
    last, group = readers[-1], parse_group_key(readers[-1].name)
    members = people.filter(giving_ref=group.giving, place_ref=group.place_id, radius_ref=group.radius_km)
    one = members.filter(frequency_ref=group.frequency).first()
    words = _("Their mail goes to %(people)s alone: %(label)s.")
    return one and (one, words % {"people": label_people(last.people), "label": last.label})


def _other_language(people: People, issue: Issue, readers: list[VariantGroup]) -> Chosen:
    ours = issue.publication.language
    other = people.exclude(subscriber__language="").exclude(subscriber__language__istartswith=ours.split("-")[0])
    one = other.first()
    words = _("They read %(theirs)s; this issue is in %(ours)s.")
    return one and (one, words % {"theirs": language_label(one.subscriber.language), "ours": language_label(ours)})


def _nothing_known(people: People, issue: Issue, readers: list[VariantGroup]) -> Chosen:
    one = people.filter(subscriber__name="", subscriber__place__isnull=True).first()
    return one and (one, _("Neither name nor place is known: every fallback is theirs."))


def _only_in_country(people: People, issue: Issue, readers: list[VariantGroup]) -> Chosen:
    countries = (
        people.filter(subscriber__place__isnull=False)
        .exclude(subscriber__place__country="")
        .values_list("subscriber__place__country")
        .annotate(people=Count("pk"))
        .filter(people=1)
    )
    one = people.filter(subscriber__place__country__in=[country for country, _people in countries]).first()
    return one and (one, _("Nobody else of the audience lives in their country."))


def _widest_radius(people: People, issue: Issue, readers: list[VariantGroup]) -> Chosen:
    one = people.filter(subscriber__radius_km__isnull=False).order_by("-subscriber__radius_km").first()
    words = _("They would travel %(km)s km to an event, further than anybody else.")
    return one and (one, words % {"km": one.subscriber.radius_km})


def _newest_subscriber(people: People, issue: Issue, readers: list[VariantGroup]) -> Chosen:
    one = people.order_by("-subscriber_id").first()
    return one and (one, _("The newest of all."))
