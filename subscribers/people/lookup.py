"""Find a person by address, or people by a part of a name or address."""

from django.db.models import Q, QuerySet

from newsletter.common.errors import BadAddress, DomainError
from newsletter.common.text import explain_long_search, remove_accents
from newsletter.common.translation import translate
from subscribers.addresses.normalise import normalise
from subscribers.identity import OtherAddressKey, identify, require_own_key
from subscribers.models import Subscriber, SubscriberLocation

MAX_WORDS = 8


class UnknownPerson(DomainError):
    """No subscriber has this address."""


def find_person(email: str) -> Subscriber:
    """Return the subscriber of an address in any spelling. Raises `BadAddress`, `UnknownPerson` or `OtherAddressKey`."""
    person = Subscriber.objects.filter(address_hash=identify(normalise(email))).select_related("place").first()
    if person is None:
        require_own_key()
        raise UnknownPerson("No subscriber has this address. Check the spelling, or import them.")
    return person


def search_people(people: QuerySet[Subscriber], typed: str, *, by_part: bool, limit: int) -> QuerySet[Subscriber]:
    """Return the newest `limit` people in whom each word is found: in the town, or as the whole address.

    `by_part` also searches names and parts of addresses. It needs the permission to see whole addresses: repeated
    searches would spell out a masked one. Nobody is found by a text that is too long to search for.
    """
    if explain_long_search(typed, max_words=MAX_WORDS):
        return people.none()
    matching = people
    for word in typed.replace("\0", " ").split():
        matching = matching.filter(_in_town(word) | (_in_name_or_address(word) if by_part else _is_address(word)))
    # Read once here: the page and its number of people would each read the whole table.
    ids = list(matching.order_by("-pk").values_list("pk", flat=True)[:limit])
    return people.filter(pk__in=ids)


def explain_unfound(typed: str) -> str:
    """Return why a whole address finds nobody, such as on a copy with another address key; "" if it would be found."""
    if "@" not in typed:
        return ""
    try:
        require_own_key()
    except OtherAddressKey as error:
        return translate(error)
    return ""


def _in_name_or_address(word: str) -> Q:
    return Q(folded_name__contains=remove_accents(word)) | Q(email__icontains=word)


def _is_address(word: str) -> Q:
    try:
        return Q(address_hash=identify(normalise(word)))
    except BadAddress:
        return Q(pk__in=[])


def _in_town(word: str) -> Q:
    plain = remove_accents(word)
    towns = SubscriberLocation.objects.exclude(town="").values_list("pk", "town")
    return Q(place__in=[pk for pk, town in towns if plain in remove_accents(town)])
