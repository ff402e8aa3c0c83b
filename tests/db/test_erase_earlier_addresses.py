"""An erasure reaches the addresses that a person had before, and nobody who has one of them now."""

from datetime import datetime, timedelta

import pytest

from newsletter.api_keys import make_key
from newsletter.models import TemplateMail
from subscribers.consent.held_signups import hold_signup
from subscribers.consent.signup import SignupRequest, request_subscription
from subscribers.erasing.erasure import erase_person
from subscribers.identity import identify
from subscribers.models import (
    ConsentEvent,
    HeldSignup,
    ImportBatch,
    ImportRefusal,
    MailedLink,
    MailingList,
    Reason,
    Subscriber,
    Suppression,
)
from subscribers.people.change_address import confirm_address_change
from subscribers.people.describe_person import describe_person
from subscribers.people.merge import merge_people
from tests.support.fixtures import make_publication
from tests.support.mail_templates import make_mail_template
from tests.support.people import NOW, make_list, make_member, make_person

pytestmark = [pytest.mark.postgres, pytest.mark.django_db, pytest.mark.requirement("P6")]
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


def join_and_move(mailing_list: MailingList) -> Subscriber:
    """Ada joins at desk@example.org, and changes her address to ada@example.org."""
    request = SignupRequest(email="desk@example.org", mailing_list=mailing_list, wording="Yes", source="page")
    request_subscription(request, now=NOW)
    link = MailedLink.objects.create(
        subscriber=Subscriber.objects.get(),
        mailing_list=mailing_list,
        kind="arrive",
        new_email="ada@example.org",
        asked_at=NOW,
    )
    return confirm_address_change(link=link, now=LATER)


def list_erased() -> set[bytes]:
    erased = Suppression.objects.live().filter(reason=Reason.ERASURE, mailing_list=None)
    return {bytes(address_hash) for address_hash in erased.values_list("address_hash", flat=True)}


def test_an_erasure_keeps_a_sign_up_at_an_address_left_before(weekly: MailingList) -> None:
    ada = join_and_move(weekly)
    request = SignupRequest(email="desk@example.org", mailing_list=weekly, wording="Yes", source="page")
    held = hold_signup(request, reason="many sign-ups", now=LATER + timedelta(minutes=1))
    erase_person(subscriber=ada, by="kim", now=LATER)
    assert HeldSignup.objects.get() == held
    assert list_erased() == {identify("ada@example.org")}


def move(person: Subscriber, mailing_list: MailingList, email: str, *, now: datetime) -> Subscriber:
    MailedLink.objects.filter(subscriber=person).delete()
    link = MailedLink.objects.create(
        subscriber=person, mailing_list=mailing_list, kind="arrive", new_email=email, asked_at=now
    )
    return confirm_address_change(link=link, now=now)


@pytest.mark.parametrize("came_back", [False, True])
def test_a_sign_up_is_the_persons_own_only_while_they_have_the_address(weekly: MailingList, came_back: bool) -> None:
    ada = join_and_move(weekly)
    if came_back:
        ada = move(ada, weekly, "desk@example.org", now=LATER + timedelta(minutes=1))
        merge_people(keep=ada, absorb=make_person("old@example.org"), now=LATER + timedelta(seconds=90))
    request = SignupRequest(email="desk@example.org", mailing_list=weekly, wording="Yes", source="page")
    hold_signup(request, reason="many sign-ups", now=LATER + timedelta(minutes=2))
    ada = move(ada, weekly, "ada@example.net", now=LATER + timedelta(minutes=3))
    erase_person(subscriber=ada, by="kim", now=LATER + timedelta(minutes=4))
    assert HeldSignup.objects.exists() != came_back
    own = {"ada@example.org", "ada@example.net", *(["desk@example.org", "old@example.org"] if came_back else [])}
    assert list_erased() == {identify(address) for address in own}


@pytest.mark.parametrize(("after", "kept"), [(timedelta(0), False), (timedelta(days=1), True)])
def test_an_erasure_keeps_a_mail_that_waits_at_an_address_left_before(
    weekly: MailingList, after: timedelta, kept: bool
) -> None:
    ada = join_and_move(weekly)
    moved_at = ConsentEvent.objects.get(kind=ConsentEvent.Kind.MOVED).at
    TemplateMail.objects.create(
        template=make_mail_template(make_publication()),
        api_key=make_key(name="Shop", scope="mails:send", by="kim", now=NOW)[0],
        email="desk@example.org",
        address_hash=identify("desk@example.org"),
        asked_at=moved_at + after,
    )
    erase_person(subscriber=ada, by="kim", now=LATER)
    assert TemplateMail.objects.exists() == kept
    assert (identify("desk@example.org") in list_erased()) != kept


@pytest.mark.parametrize(("named", "left"), [("Desk@Example.org", 0), ("desk@example.com", 1)])
def test_an_erasure_deletes_what_names_an_earlier_address(weekly: MailingList, named: str, left: int) -> None:
    ada = join_and_move(weekly)
    note = [2, f"There is no topic “{named}”. The line is used without it."]
    batch = ImportBatch.objects.create(mailing_list=weekly, started_at=NOW, by="kim", counts={"notes": [note]})
    ImportRefusal.objects.create(batch=batch, line=2, raw=f'"{named}",Desk', reason="unknown")
    erase_person(subscriber=ada, by="kim", now=LATER)
    batch.refresh_from_db()
    assert (len(batch.counts["notes"]), ImportRefusal.objects.count()) == (left, left)


@pytest.mark.parametrize("named", ["ana@señas.org", "Ana@XN--SEAS-HQA.org"])
def test_an_erasure_deletes_what_names_an_international_domain(weekly: MailingList, named: str) -> None:
    ana = make_member(weekly, "ana@señas.org")
    note = [2, f"There is no topic “{named}”. The line is used without it."]
    batch = ImportBatch.objects.create(mailing_list=weekly, started_at=NOW, by="kim", counts={"notes": [note]})
    ImportRefusal.objects.create(batch=batch, line=2, raw=f'"{named}",Ana', reason="unknown")
    assert describe_person(ana, now=LATER)["refused_lines"]
    erase_person(subscriber=ana, by="kim", now=LATER)
    batch.refresh_from_db()
    assert (len(batch.counts["notes"]), ImportRefusal.objects.count()) == (0, 0)
