"""Find a person by address."""

from newsletter.common.errors import DomainError
from subscribers.addresses.normalise import normalise
from subscribers.identity import identify
from subscribers.models import Subscriber


class UnknownPerson(DomainError):
    """No subscriber has this address."""


def find_person(email: str) -> Subscriber:
    """Return the subscriber of an address in any spelling. Raises `BadAddress` or `UnknownPerson`."""
    person = Subscriber.objects.filter(address_hash=identify(normalise(email))).select_related("place").first()
    if person is None:
        raise UnknownPerson("No subscriber has this address. Check the spelling, or import them.")
    return person
