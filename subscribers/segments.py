"""What a segment rule means: the people it selects, its words, its count. Who may be mailed is for `audience`."""

from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from math import cos, radians
from typing import TypeVar

from django.db.models import Exists, OuterRef, Q

from subscribers.errors import BadRule, UnknownPlace
from subscribers.models import MailingList, Place, Subscriber, Subscription, Topic
from subscribers.places import Place as Town
from subscribers.places import (
    country_name,
    distance_km,
    find_place,
    region_name,
    resolve_country,
    resolve_region,
)
from subscribers.segment_rules import Condition, Group, conditions, parse_rule

_KM_PER_DEGREE = 111.0
_NO_PLACE = 0  # keeps a query that selects nobody usable in INSERT … SELECT
_JOINS = {"all": " and ", "any": " or ", "none": " or "}
_Row = TypeVar("_Row", MailingList, Topic)
_GIVING_WORDS = {"none": "has not given", "donor": "has given", "monthly": "gives monthly"}


def compile_rule(rule: object) -> Q:
    """The rule as a condition on `Subscriber`. Raises `BadRule`, also for a list, topic or place that is not there."""
    return _compile(parse_rule(rule))


def check_rule(rule: object) -> None:
    """Raises `BadRule` unless the rule can be used now; the message names the part at fault."""
    for condition in conditions(parse_rule(rule)):
        _compile(condition)


def explain_rule(rule: object) -> str:
    """The rule in words, such as "on the list Weekly and within 80 km of London, GB". Raises `BadRule`."""
    tree = parse_rule(rule)
    if isinstance(tree, Group) and not tree.parts:
        return "everyone"
    return _explain(tree)


def count_people(rule: object) -> int:
    """How many people the rule selects, whether or not they may be mailed. Raises `BadRule`."""
    return Subscriber.objects.filter(compile_rule(rule)).count()


def _compile(node: Condition | Group) -> Q:
    if isinstance(node, Condition):
        return _COMPILERS[node.key](node)
    parts = [_compile(part) for part in node.parts]
    joined = Q()
    for part in parts:
        joined = joined & part if node.kind == "all" else joined | part
    return ~joined if node.kind == "none" else joined


def _on_list(condition: Condition) -> Q:
    mailing_list = _named_row(condition, MailingList)
    members = Subscription.objects.mailable().filter(subscriber=OuterRef("pk"), mailing_list_id=mailing_list.pk)
    return Q(Exists(members))


def _chose_topic(condition: Condition) -> Q:
    topic = _named_row(condition, Topic)
    return Q(Exists(Subscriber.topics.through.objects.filter(subscriber_id=OuterRef("pk"), topic_id=topic.pk)))


def _in_region(condition: Condition) -> Q:
    country, region = _region_of(condition)
    where = Q(region=region) if region else Q(country=country)
    return _in_places(where)


def _in_country(condition: Condition) -> Q:
    return _in_places(Q(country=_country_of(condition)))


def _in_places(where: Q) -> Q:
    return Q(place__isnull=False, place__in=Place.objects.filter(where).values("pk"))


def _near(condition: Condition) -> Q:
    found = _town_of(condition)
    reach = condition.km / _KM_PER_DEGREE * 1.02
    around = Q(latitude__range=(found.latitude - reach, found.latitude + reach))
    wide = reach / max(cos(radians(min(abs(found.latitude) + reach, 89.0))), 0.01)
    if found.longitude - wide > -180 and found.longitude + wide < 180:
        around &= Q(longitude__range=(found.longitude - wide, found.longitude + wide))
    spots = Place.objects.filter(around, longitude__isnull=False).values_list("pk", "latitude", "longitude")
    inside = [
        pk
        for pk, latitude, longitude in spots
        if latitude is not None
        and longitude is not None
        and distance_km(found.latitude, found.longitude, latitude, longitude) <= condition.km
    ]
    return Q(place__isnull=False, place_id__in=inside or [_NO_PLACE])


def _speaks(condition: Condition) -> Q:
    return Q(language__iexact=condition.value) | Q(language__istartswith=f"{condition.value}-")


def _gives(condition: Condition) -> Q:
    return Q(giving=condition.value)


def _came_from(condition: Condition) -> Q:
    return Q(source__iexact=condition.value)


def _joined_after(condition: Condition) -> Q:
    return Q(created_at__gte=_midnight(condition.value))


def _joined_before(condition: Condition) -> Q:
    return Q(created_at__lt=_midnight(condition.value))


_COMPILERS = {
    "list": _on_list,
    "topic": _chose_topic,
    "region": _in_region,
    "country": _in_country,
    "language": _speaks,
    "near": _near,
    "giving": _gives,
    "source": _came_from,
    "joined_after": _joined_after,
    "joined_before": _joined_before,
}


def _explain(node: Condition | Group) -> str:
    if isinstance(node, Condition):
        return _explain_condition(node)
    parts = [_bracketed(part) for part in node.parts]
    joined = _JOINS[node.kind].join(parts)
    if node.kind == "none":
        return f"not {joined}" if len(parts) == 1 else f"not ({joined})"
    return joined


def _bracketed(part: Condition | Group) -> str:
    compound = isinstance(part, Group) and part.kind != "none" and len(part.parts) > 1
    return f"({_explain(part)})" if compound else _explain(part)


def _explain_condition(condition: Condition) -> str:
    value = condition.value
    match condition.key:
        case "list":
            return f"on the list {_named_row(condition, MailingList).name}"
        case "topic":
            return f"interested in {_named_row(condition, Topic).name}"
        case "region":
            country, region = _region_of(condition)
            return f"in {region_name(region)}, {country}" if region else f"in {country_name(country)}"
        case "country":
            return f"in {country_name(_country_of(condition))}"
        case "near":
            place = _town_of(condition)
            return f"within {condition.km:g} km of {place.name}, {place.country}"
        case "language":
            return f"reads {value}"
        case "giving":
            return _GIVING_WORDS[value]
        case "source":
            return f"came from “{value}”"
        case "joined_after":
            return f"joined on or after {value}"
    return f"joined before {value}"


def _named_row(condition: Condition, model: type[_Row]) -> _Row:
    row: _Row | None = model.objects.filter(slug=condition.value).first()
    if row is not None:
        return row
    known = list(model.objects.values_list("slug", flat=True))
    near = get_close_matches(condition.value, known, n=1, cutoff=0.5)
    hint = f"Did you mean “{near[0]}”?" if near else "Create it first, or name another."
    raise BadRule(f"{condition.where}: there is no {condition.key} “{condition.value}”. {hint}")


def _region_of(condition: Condition) -> tuple[str, str]:
    """(country, region); the region is empty where the rule names a whole country."""
    try:
        if len(condition.value) == 2:
            return resolve_country(condition.value), ""
        region = resolve_region(condition.value)
    except UnknownPlace as error:
        raise BadRule(f"{condition.where}: {error}") from error
    return region.partition("-")[0], region


def _country_of(condition: Condition) -> str:
    try:
        return resolve_country(condition.value)
    except UnknownPlace as error:
        raise BadRule(f"{condition.where}: {error}") from error


def _town_of(condition: Condition) -> Town:
    try:
        match = find_place(condition.value)
    except UnknownPlace as error:
        raise BadRule(f"{condition.where}: {error}") from error
    if match.place is None:
        raise BadRule(f"{condition.where}: {match.reason or f'“{condition.value}” is not a town that we know.'}")
    return match.place


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), UTC)
