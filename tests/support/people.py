"""Makes lists and people for tests, through the models, with nothing said that the test did not say."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.utils import timezone

from subscribers.identity import identify
from subscribers.links.signed_links import Purpose, make_link
from subscribers.models import Basis, MailedLink, MailingList, Segment, Subscriber, Subscription, Topic
from subscribers.people.mailed_links import Kind, make_mailed_link_url

NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)


def make_list(slug: str = "weekly", **fields: object) -> MailingList:
    return MailingList.objects.create(**{"slug": slug, "name": slug.title(), **fields})


def make_topic(slug: str = "land", name: str = "Land") -> Topic:
    """A topic that a segment selects by, so that people are asked for it."""
    Segment.objects.get_or_create(slug=slug, defaults={"name": name, "rule": {"topic": slug}})
    return Topic.objects.create(slug=slug, name=name)


def make_person(email: str = "ada@example.org", **fields: object) -> Subscriber:
    return Subscriber.objects.create(**{"email": email, "address_hash": identify(email), "created_at": NOW, **fields})


def subscribe(person: Subscriber, mailing_list: MailingList, **fields: object) -> Subscription:
    given = {"basis": Basis.CONSENT, "evidence": "sign-up sheet", "requested_at": NOW, **fields}
    return Subscription.objects.create(subscriber=person, mailing_list=mailing_list, **given)


def make_member(mailing_list: MailingList, email: str = "ada@example.org", **fields: object) -> Subscriber:
    person = make_person(email, **fields)
    subscribe(person, mailing_list)
    return person


def token_for(person: Subscriber, mailing_list: MailingList, purpose: Purpose, *, now: datetime) -> str:
    url = make_link(purpose=purpose, subscriber_uuid=person.uuid, public_id=mailing_list.public_id, now=now)
    return url.rsplit("/", 1)[1]


def path_to(
    person: Subscriber, mailing_list: MailingList, purpose: Purpose = Purpose.UNSUBSCRIBE, *, mailing: int = 0
) -> str:
    """The path of a page of this person, with a link made now; those that work once get their row."""
    now = timezone.now()
    kind = Kind(purpose) if purpose in Kind.values and purpose != Kind.PREFERENCES else None
    if kind is None:
        url = make_link(
            purpose=purpose,
            subscriber_uuid=person.uuid,
            public_id=mailing_list.public_id,
            now=now,
            mailing=mailing,
        )
    else:
        new = {"new_email": "new@example.org"} if kind == Kind.CONFIRM_ADDRESS else {}
        row, _ = MailedLink.objects.get_or_create(
            subscriber=person, kind=kind, used_at=None, defaults={"mailing_list": mailing_list, "asked_at": now, **new}
        )
        url = make_mailed_link_url(link=row, now=now)
    return urlsplit(url).path
