"""The built-in conditions, as conditions on `Subscriber`."""

from collections.abc import Callable
from math import cos, radians, sin

from django.db.models import F, FloatField, Q, QuerySet, Value
from django.db.models.functions import Cos, Power, Radians, Sin

from subscribers.attribute_rules import fold_value
from subscribers.models import MailingList, Subscriber, SubscriberAttribute, SubscriberLocation, Subscription, Topic
from subscribers.places.towns import EARTH_RADIUS_KM
from subscribers.segments.membership import subscriber_in
from subscribers.segments.references import (
    find_attribute_key,
    find_country,
    find_named_row,
    find_region,
    find_town,
    start_of_day,
)
from subscribers.segments.rules import Condition

_KM_PER_DEGREE = 111.0


def _on_list(condition: Condition) -> Q:
    """Match people with an open subscription, also if they did not confirm or may not be mailed."""
    mailing_list = find_named_row(condition, MailingList)
    return subscriber_in(Subscription.objects.open().filter(mailing_list_id=mailing_list.pk))


def _chose_topic(condition: Condition) -> Q:
    topic = find_named_row(condition, Topic)
    return subscriber_in(Subscriber.topics.through.objects.filter(topic_id=topic.pk))


def _in_region(condition: Condition) -> Q:
    country, region = find_region(condition)
    return _in_places(
        SubscriberLocation.objects.filter(region=region)
        if region
        else SubscriberLocation.objects.filter(country=country)
    )


def _in_country(condition: Condition) -> Q:
    return _in_places(SubscriberLocation.objects.filter(country=find_country(condition)))


def _near(condition: Condition) -> Q:
    """Match by comparing the half-chord of the haversine, which needs no arc sine."""
    town = find_town(condition)
    reach = condition.km / _KM_PER_DEGREE * 1.02
    around = Q(latitude__range=(town.latitude - reach, town.latitude + reach), longitude__isnull=False)
    wide = reach / max(cos(radians(min(abs(town.latitude) + reach, 89.0))), 0.01)
    if town.longitude - wide > -180 and town.longitude + wide < 180:
        around &= Q(longitude__range=(town.longitude - wide, town.longitude + wide))
    north = Power(Sin(Radians(F("latitude") - town.latitude) / 2), 2)
    east = Power(Sin(Radians(F("longitude") - town.longitude) / 2), 2)
    chord = north + Value(cos(radians(town.latitude)), FloatField()) * Cos(Radians(F("latitude"))) * east
    longest = sin(condition.km / (2 * EARTH_RADIUS_KM)) ** 2
    return _in_places(SubscriberLocation.objects.filter(around).annotate(chord=chord).filter(chord__lte=longest))


def _in_places(places: QuerySet[SubscriberLocation]) -> Q:
    return Q(place__isnull=False, place_id__in=places.values("pk"))


def _speaks(condition: Condition) -> Q:
    return Q(language__iexact=condition.value) | Q(language__istartswith=f"{condition.value}-")


def _gives(condition: Condition) -> Q:
    return Q(giving=condition.value)


def _came_from(condition: Condition) -> Q:
    return Q(source__iexact=condition.value)


def _joined_after(condition: Condition) -> Q:
    return Q(created_at__gte=start_of_day(condition))


def _joined_before(condition: Condition) -> Q:
    return Q(created_at__lt=start_of_day(condition))


def _has_attribute(condition: Condition) -> Q:
    held = SubscriberAttribute.objects.filter(key=find_attribute_key(condition))
    if condition.values:
        held = held.filter(folded__in=[fold_value(value) for value in condition.values])
    return ~subscriber_in(held) if condition.values == () else subscriber_in(held)


COMPILERS: dict[str, Callable[[Condition], Q]] = {
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
    "attribute": _has_attribute,
}
