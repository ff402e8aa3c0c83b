"""Find the choices of people that change their mails. Other choices change nothing, so people are not asked for them."""

from collections.abc import Iterable, Iterator

from django.db.models import Q, QuerySet

from newsletter.common.errors import BadRule
from subscribers.models import MailingList, Segment, Subscriber, Subscription, Topic
from subscribers.people.preferences import find_left_private_lists
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.segments.registry import read_rule
from subscribers.segments.rules import Condition, list_conditions


def find_asked_topics(lists: Iterable[MailingList]) -> QuerySet[Topic]:
    """Return the topics that a segment selects by, or that choose the stories of a publication of these lists."""
    selected = Q(slug__in={condition.value for condition in _iter_conditions() if condition.key == "topic"})
    return Topic.objects.filter(selected | Q(pk__in=get_publishing_hooks().topics(lists)))


def find_topics_asked_of(person: Subscriber) -> QuerySet[Topic]:
    """Return the topics that count for the lists that a person is on or can return to."""
    return find_asked_topics(_find_possible_lists(person))


def is_language_asked(lists: Iterable[MailingList]) -> bool:
    """Return True if a segment selects by language, or if a publication of these lists is in several."""
    return get_publishing_hooks().has_languages(lists) or any(
        condition.key == "language" for condition in _iter_conditions()
    )


def is_language_asked_of(person: Subscriber) -> bool:
    """Return True if the language counts for the lists that a person is on or can return to."""
    return is_language_asked(_find_possible_lists(person))


def _find_possible_lists(person: Subscriber) -> list[MailingList]:
    """Return the lists that a person is on or left by themselves; if there is none, all public ones.

    Whoever left everything can so return with one press, and to the same choices.
    """
    own = Subscription.objects.filter(subscriber=person)
    is_on = Q(pk__in=own.open().values("mailing_list"))
    has_left = Q(public=True, pk__in=own.values("mailing_list"))
    lists = MailingList.objects.all()
    has_left |= Q(pk__in=find_left_private_lists(person).values("pk"))
    return list(lists.filter(is_on | has_left)) or list(lists.filter(public=True))


def _iter_conditions() -> Iterator[Condition]:
    for rule in Segment.objects.values_list("rule", flat=True):
        try:
            yield from list_conditions(read_rule(rule))
        except BadRule:
            continue
