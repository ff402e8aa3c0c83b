"""Turn on the welcome of a sample publication, and sign two people up: each gets its first mail at once, in their language."""

from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import User

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.planning.welcome import set_up_welcome
from newsletter.issues.welcome.joined_people import enter_new_people
from newsletter.models import Issue, Publication
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.add_new_subscribers import add_new_subscribers
from subscribers.consent.signup import SignupRequest, confirm_subscription, request_subscription
from subscribers.links.signed_links import LinkTarget
from subscribers.models import MailingList, SubscriberLocation, Topic
from subscribers.people.lookup import find_person


class Newcomer(NamedTuple):
    email: str
    name: str
    language: str
    town: str


NEWCOMERS = (
    Newcomer("newcomer@example.org", "Noor", "en", "London"),
    Newcomer("recien-llegada@example.org", "Lucía", "es", "Houston"),
)


def welcome_newcomers(*, publication: Publication, by: User, now: datetime) -> Issue:
    """Approve the first welcome mail, sign the newcomers up, and send what is due. Return the mail."""
    first, *_later = set_up_welcome(publication=publication, by=by, now=now)
    approve_issue(issue=first, by=by, now=now)
    for newcomer in NEWCOMERS:
        _sign_up(newcomer, publication.mailing_list, now=now)
    enter_new_people(issue=first, now=now)
    send = add_new_subscribers(issue=first, now=now)
    if send is None:
        raise AssertionError("Nobody gets the welcome.")
    run_send(send=send, adapter=current_adapter())
    first.refresh_from_db()
    return first


def _sign_up(newcomer: Newcomer, mailing_list: MailingList, *, now: datetime) -> None:
    request_subscription(
        SignupRequest(
            email=newcomer.email,
            mailing_list=mailing_list,
            wording=f"Yes, send me {mailing_list.public_name}",
            source="sample form",
            name=newcomer.name,
            language=newcomer.language,
            place=SubscriberLocation.objects.filter(town=newcomer.town).first(),
            topics=Topic.objects.filter(slug="land-rights"),
        ),
        now=now,
    )
    person = find_person(newcomer.email)
    target = LinkTarget(subscriber_uuid=person.uuid, public_id=mailing_list.public_id, issued=now)
    confirm_subscription(target=target, now=now, wording="Confirmed", source="sample form")
