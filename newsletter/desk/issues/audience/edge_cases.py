"""The recipients whose mail is most likely to look wrong. People are shown masked."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from newsletter.common.database.sqlite_pragmas import larger_sqlite_cache
from newsletter.common.translation import language_label
from newsletter.desk.preview.person import PERSON_PREFIX, mask_person
from newsletter.desk.shell.labels import label_people
from newsletter.issue_checks.variant_groups import VariantGroup, parse_group_key
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.recipient_groups import GROUP_KEY, REFERENCES, RecipientGroup, find_recipients
from newsletter.issues.visible.nearby_events import find_locations
from newsletter.models import Issue
from subscribers.models import Subscriber, Subscription

MAX_EDGE_CASES = 5
MAX_USUAL_NAME_LENGTH = 24

Recipients = QuerySet[Any]
"""Subscriptions with the annotations of `find_recipients`."""
Found = tuple[Subscription, str] | None


class Audience(NamedTuple):
    """The issue, the groups of its recipients, and its versions."""

    issue: Issue
    readers: Sequence[RecipientGroup]
    groups: Sequence[VariantGroup]


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
    issue: Issue, *, content: IssueContent, readers: Sequence[RecipientGroup], groups: list[VariantGroup], now: datetime
) -> list[tuple[int, str]]:
    """Return the row ids of at most `MAX_EDGE_CASES` different recipients and why each is unusual, the most unusual first.

    ``readers`` are the groups of all recipients, ``groups`` the versions.
    """
    audience = Audience(issue, readers, groups)
    recipients = find_recipients(issue, content=content, now=now).select_related("subscriber__place")
    cases: dict[int, str] = {}
    with larger_sqlite_cache(megabytes=16):
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
            case = find(recipients.exclude(subscriber_id__in=list(cases)), audience)
            if case is None:
                continue
            subscription, why = case
            cases[subscription.subscriber_id] = why
            if len(cases) == MAX_EDGE_CASES:
                break
    return list(cases.items())


def _among(recipients: Recipients, people: QuerySet[Subscriber]) -> Recipients:
    """Keep the recipients who are among these people. The database finds these first: the check who may be mailed is slower."""
    return recipients.filter(subscriber_id__in=people.order_by().values("pk"))


def _strange_name(recipients: Recipients, audience: Audience) -> Found:
    subscription = recipients.filter(
        Q(subscriber__name__contains="@") | Q(subscriber__name__regex=r"[0-9<>{}]")
    ).first()
    return (subscription, _("The name contains unusual characters. Check the greeting.")) if subscription else None


def _long_name(recipients: Recipients, audience: Audience) -> Found:
    long = Subscriber.objects.alias(letters=Length("name")).filter(letters__gt=MAX_USUAL_NAME_LENGTH)
    subscription = _among(recipients, long).annotate(letters=Length("subscriber__name")).order_by("-letters").first()
    why = _("The name has %(letters)s letters. Check that it fits the greeting.")
    return (subscription, why % {"letters": len(subscription.subscriber.name)}) if subscription else None


def _smallest_variant(recipients: Recipients, audience: Audience) -> Found:
    """Find one of the people whose version has the fewest recipients."""
    if len(audience.groups) < 2:
        return None
    last, group = audience.groups[-1], parse_group_key(audience.groups[-1].name)
    subscription = recipients.filter(**dict(zip(REFERENCES, attrgetter(*GROUP_KEY)(group), strict=True))).first()
    why = _("This version is for only %(people)s: %(label)s.")
    return (subscription, why % {"people": label_people(last.people), "label": last.label}) if subscription else None


def _other_language(recipients: Recipients, audience: Audience) -> Found:
    ours = audience.issue.publication.language
    own_language = ours.split("-")[0].lower()
    used = Subscriber.objects.exclude(language="").order_by().values_list("language", flat=True).distinct()
    other_languages = [language for language in used if not language.lower().startswith(own_language)]
    if not other_languages:  # PostgreSQL would expect many people who read another language, and look at each recipient
        return None
    subscription = _among(
        recipients.filter(language_ref=""), Subscriber.objects.filter(language__in=other_languages)
    ).first()
    why = _("They read %(theirs)s; this issue is in %(ours)s.")
    return (
        (subscription, why % {"theirs": language_label(subscription.subscriber.language), "ours": language_label(ours)})
        if subscription
        else None
    )


def _nothing_known(recipients: Recipients, audience: Audience) -> Found:
    if all(group.place_id for group in audience.readers):
        return None
    subscription = _among(recipients, Subscriber.objects.filter(name="", place__isnull=True)).first()
    return (
        (subscription, _("Neither name nor location is known, so the mail shows every fallback."))
        if subscription
        else None
    )


def _only_in_country(recipients: Recipients, audience: Audience) -> Found:
    locations = find_locations(group.place_id for group in audience.readers)
    people: Counter[str] = Counter()
    for group in audience.readers:
        people[locations[group.place_id].country if group.place_id in locations else ""] += group.people
    alone = [country for country, number in people.items() if country and number == 1]
    subscription = _among(recipients, Subscriber.objects.filter(place__country__in=alone)).first() if alone else None
    return (subscription, _("Nobody else in the audience lives in their country.")) if subscription else None


def _widest_radius(recipients: Recipients, audience: Audience) -> Found:
    if not any(group.radius_km for group in audience.readers):
        return None
    chosen = Subscriber.objects.filter(radius_km__isnull=False)
    subscription = _among(recipients, chosen).order_by("-subscriber__radius_km").first()
    why = _("They would travel %(km)s km to an event, further than anybody else.")
    return (subscription, why % {"km": subscription.subscriber.radius_km}) if subscription else None


def _newest_subscriber(recipients: Recipients, audience: Audience) -> Found:
    subscription = recipients.order_by("-subscriber_id").first()
    return (subscription, _("The newest subscriber.")) if subscription else None
