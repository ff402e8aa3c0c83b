"""The recipients whose mail is most likely to look wrong. People are shown masked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from newsletter.common.languages import language_label
from newsletter.desk.preview.person import PERSON_PREFIX, mask_person
from newsletter.desk.shell.labels import label_people
from newsletter.issue_checks.variant_groups import VariantGroup, parse_group_key
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.recipient_groups import GROUP_KEY, REFERENCES, find_recipients
from newsletter.models import Issue
from subscribers.models import Subscriber, Subscription

MAX_EDGE_CASES = 5
MAX_USUAL_NAME_LENGTH = 24

Recipients = QuerySet[Any]
"""Subscriptions with the annotations of `find_recipients`."""
Found = tuple[Subscription, str] | None


@dataclass(frozen=True)
class EdgeCase:
    """One masked person, why they are unusual, and the preview mode that shows their mail."""

    who: str
    why: str
    mode: str


def show_edge_cases(found: Iterable[tuple[int, str]]) -> list[EdgeCase]:
    """Return what `find_edge_cases` found as it is shown, without people who were erased since."""
    found = list(found)
    people = Subscriber.objects.select_related("place").in_bulk([pk for pk, _why in found])
    return [
        EdgeCase(who=mask_person(people[pk]), why=why, mode=f"{PERSON_PREFIX}{pk}") for pk, why in found if pk in people
    ]


def find_edge_cases(
    issue: Issue, *, content: IssueContent, groups: list[VariantGroup], now: datetime
) -> list[tuple[int, str]]:
    """Return the row ids of at most `MAX_EDGE_CASES` different recipients and why each is unusual, the most unusual first."""
    recipients = find_recipients(issue, content=content, now=now).select_related("subscriber__place")
    cases: dict[int, str] = {}
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
        found = find(recipients.exclude(subscriber_id__in=list(cases)), issue, groups)
        if found is None:
            continue
        subscription, why = found
        cases[subscription.subscriber_id] = why
        if len(cases) == MAX_EDGE_CASES:
            break
    return list(cases.items())


def _strange_name(recipients: Recipients, issue: Issue, groups: list[VariantGroup]) -> Found:
    one = recipients.filter(Q(subscriber__name__contains="@") | Q(subscriber__name__regex=r"[0-9<>{}]")).first()
    return (one, _("The name contains unusual characters. Check the greeting.")) if one else None


def _long_name(recipients: Recipients, issue: Issue, groups: list[VariantGroup]) -> Found:
    named = recipients.annotate(letters=Length("subscriber__name")).filter(letters__gt=MAX_USUAL_NAME_LENGTH)
    one = named.order_by("-letters").first()
    why = _("The name has %(letters)s letters. Check that it fits the greeting.")
    return (one, why % {"letters": len(one.subscriber.name)}) if one else None


def _smallest_variant(recipients: Recipients, issue: Issue, groups: list[VariantGroup]) -> Found:
    """Find one of the people whose version has the fewest recipients."""
    if len(groups) < 2:
        return None
    last, group = groups[-1], parse_group_key(groups[-1].name)
    one = recipients.filter(**dict(zip(REFERENCES, attrgetter(*GROUP_KEY)(group), strict=True))).first()
    why = _("Only %(people)s get this version: %(label)s.")
    return (one, why % {"people": label_people(last.people), "label": last.label}) if one else None


def _other_language(recipients: Recipients, issue: Issue, groups: list[VariantGroup]) -> Found:
    ours = issue.publication.language
    others = recipients.filter(language_ref="").exclude(subscriber__language="")
    one = others.exclude(subscriber__language__istartswith=ours.split("-")[0]).first()
    why = _("They read %(theirs)s; this issue is in %(ours)s.")
    return (
        (one, why % {"theirs": language_label(one.subscriber.language), "ours": language_label(ours)}) if one else None
    )


def _nothing_known(recipients: Recipients, issue: Issue, groups: list[VariantGroup]) -> Found:
    one = recipients.filter(subscriber__name="", subscriber__place__isnull=True).first()
    return (one, _("Neither name nor location is known, so the mail shows every fallback.")) if one else None


def _only_in_country(recipients: Recipients, issue: Issue, groups: list[VariantGroup]) -> Found:
    countries = (
        recipients.filter(subscriber__place__isnull=False)
        .exclude(subscriber__place__country="")
        .values_list("subscriber__place__country")
        .annotate(people=Count("pk"))
        .filter(people=1)
    )
    one = recipients.filter(subscriber__place__country__in=[country for country, _people in countries]).first()
    return (one, _("Nobody else in the audience lives in their country.")) if one else None


def _widest_radius(recipients: Recipients, issue: Issue, groups: list[VariantGroup]) -> Found:
    one = recipients.filter(subscriber__radius_km__isnull=False).order_by("-subscriber__radius_km").first()
    why = _("They would travel %(km)s km to an event, further than anybody else.")
    return (one, why % {"km": one.subscriber.radius_km}) if one else None


def _newest_subscriber(recipients: Recipients, issue: Issue, groups: list[VariantGroup]) -> Found:
    one = recipients.order_by("-subscriber_id").first()
    return (one, _("The newest subscriber.")) if one else None
