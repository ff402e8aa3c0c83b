"""Makes lists and people for tests, through the models, with nothing said that the test did not say."""

from datetime import UTC, datetime

from subscribers.identity import identify
from subscribers.links import Purpose, make_link
from subscribers.models import Basis, MailingList, Subscriber, Subscription

NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)


def make_list(slug: str = "weekly", **fields: object) -> MailingList:
    return MailingList.objects.create(**{"slug": slug, "name": slug.title(), **fields})


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
    url = make_link(purpose=purpose, subscriber_uuid=person.uuid, list_public_id=mailing_list.public_id, now=now)
    return url.rsplit("/", 1)[1]
