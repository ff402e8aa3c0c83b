"""Limit a key to its lists and the people on them. Everything else does not exist for it."""

from collections.abc import Callable, Collection, Iterable, Sequence

from django.db.models import Exists, OuterRef, QuerySet

from newsletter.common.database.prepared_rows import PreparedRows
from newsletter.common.errors import BadAddress, NotFound
from newsletter.common.messages import Message
from newsletter.models import ApiKey
from subscribers.addresses.normalise import normalise
from subscribers.identity import identify
from subscribers.models import HeldSignup, MailingList, Subscriber, Subscription, Topic
from subscribers.people.cases import FOLLOWS, STOPS_FOLLOWING
from subscribers.people.lookup import UnknownPerson, find_person
from subscribers.person_locks import lock_people, lock_people_to_delete

_LIST_IDS = PreparedRows(lambda slugs: MailingList.objects.filter(slug__in=slugs).order_by().values_list("pk"))
_NEVER_SHOWN = ("followed_cases", "replies_received")
_DETAILS = {
    *("id", "email", "email_hint", "name", "country", "region", "city", "radius_km", "language", "topics", "giving"),
    *("timezone", "source", "attributes", "created_at"),
}


def list_visible_lists(key: ApiKey) -> QuerySet[MailingList]:
    """Return the lists that this key may use."""
    return MailingList.objects.all() if key.all_lists else key.lists.all()


def list_visible_people(key: ApiKey) -> QuerySet[Subscriber]:
    """Return the people that this key may see: all, or those with an open subscription to one of its lists."""
    if key.all_lists:
        return Subscriber.objects.all()
    on_a_list = Subscription.objects.filter(subscriber=OuterRef("pk"), mailing_list__in=key.lists.all()).open()
    return Subscriber.objects.filter(Exists(on_a_list))


def find_visible_person(key: ApiKey, email: str) -> Subscriber:
    """Return the person with this address. Raise UnknownPerson, also for a person beyond the key's lists."""
    person = find_person(email)
    if not key.all_lists and not list_visible_people(key).filter(pk=person.pk).exists():
        raise UnknownPerson("No subscriber has this address. Check the spelling, or import them.")
    return person


def lock_visible_person(key: ApiKey, pk: int) -> Subscriber:
    """Lock and return the person with this id. Raise UnknownPerson, also for a person beyond the key's lists."""
    return _lock_visible(key, [pk], lock=lock_people)[pk]


def lock_visible_people_to_delete(key: ApiKey, ids: Collection[int]) -> dict[int, Subscriber]:
    """Lock and return the people with these ids, so that they can be deleted. Raise UnknownPerson as above."""
    return _lock_visible(key, ids, lock=lock_people_to_delete)


def _lock_visible(
    key: ApiKey, ids: Collection[int], *, lock: Callable[[QuerySet[Subscriber]], list[Subscriber]]
) -> dict[int, Subscriber]:
    """Lock first and look afterwards: somebody may leave the key's lists, or be deleted, while this waits."""
    possible = [pk for pk in ids if pk < 2**63]
    locked = {person.pk: person for person in lock(Subscriber.objects.filter(pk__in=possible))}
    visible = set(list_visible_people(key).filter(pk__in=locked).values_list("pk", flat=True))
    for pk in ids:
        if pk not in visible:
            raise UnknownPerson("No person has the id %(id)s.", id=pk)
    return locked


def list_visible_hashes(key: ApiKey, addresses: Iterable[str]) -> set[bytes] | None:
    """Return the hashes of those addresses whose people the key may see, or None if it may see everybody."""
    if key.all_lists:
        return None
    people = list_visible_people(key).filter(address_hash__in=_hash_all(addresses))
    return {bytes(address_hash) for address_hash in people.values_list("address_hash", flat=True)}


def find_ids(addresses: Iterable[str]) -> list[int]:
    """Return the ids of the people with these addresses, because logs must not hold addresses."""
    people = Subscriber.objects.filter(address_hash__in=_hash_all(addresses))
    return list(people.order_by("pk").values_list("pk", flat=True))


def find_list(key: ApiKey, slug: str, *, public: bool = False) -> MailingList:
    """Return the list with this slug. Raise NotFound, also for a list that the key may not use."""
    lists = list_visible_lists(key)
    if public:
        lists = lists.filter(public=True)
    mailing_list = lists.filter(slug=slug).first()
    if mailing_list is None:
        slugs = ", ".join(lists.values_list("slug", flat=True)) or Message("none")
        if public:
            raise NotFound("There is no public list “%(slug)s”. There are: %(slugs)s.", slug=slug, slugs=slugs)
        raise NotFound("There is no list “%(slug)s”. There are: %(slugs)s.", slug=slug, slugs=slugs)
    return mailing_list


def find_list_id(key: ApiKey, slug: str) -> int:
    """Return the id of the list with this slug. Raise NotFound, also for a list that the key may not use."""
    ids = _LIST_IDS.read([slug])
    return ids[0][0] if ids and key.all_lists else find_list(key, slug).pk


def find_topics(slugs: Sequence[str]) -> list[Topic]:
    """Return the topics with these slugs. Raise NotFound if there is not each of them."""
    topics = list(Topic.objects.filter(slug__in=slugs))
    unknown = set(slugs) - {topic.slug for topic in topics}
    if unknown:
        raise NotFound("There is no topic “%(slug)s”. Send the slugs that the desk shows.", slug=min(unknown))
    return topics


def find_signed_up(email: str) -> Subscriber | HeldSignup | None:
    """Return the person with this address, else the sign-up that waits for staff, else None (it was refused)."""
    address_hash = identify(email)
    person = Subscriber.objects.filter(address_hash=address_hash).first()
    return person or HeldSignup.objects.filter(address_hash=address_hash).order_by("-pk").first()


def hide_other_lists(key: ApiKey, description: dict[str, object]) -> dict[str, object]:
    """Return what is known of a person without what concerns lists that the key may not use."""
    if key.all_lists:
        return description
    visible = {None, *key.lists.values_list("slug", flat=True)}
    parts = ("subscriptions", "suppressions", "consent")
    return {
        name: [row for row in value if row["list"] in visible] if name in parts and isinstance(value, list) else value
        for name, value in description.items()
        if name in _DETAILS or name in parts
    }


def hide_private_parts(description: dict[str, object]) -> dict[str, object]:
    """Return what is known of a person without the cases that they follow or followed, and without what they wrote."""
    return {
        name: [event for event in value if not {FOLLOWS, STOPS_FOLLOWING} & event["data"].keys()]
        if name == "consent" and isinstance(value, list)
        else value
        for name, value in description.items()
        if name not in _NEVER_SHOWN
    }


def log_data(key: ApiKey, mailing_list: MailingList | None = None) -> dict[str, object]:
    """Return the details of a call for the staff log: the key, and the list if there is one."""
    list_data = {"list": mailing_list.slug, "list_id": mailing_list.pk} if mailing_list else {}
    return {"key": key.name, "key_id": key.pk, **list_data}


def _hash_all(addresses: Iterable[str]) -> list[bytes]:
    hashes = []
    for address in addresses:
        try:
            hashes.append(identify(normalise(address)))
        except BadAddress:
            continue
    return hashes
