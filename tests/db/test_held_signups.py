"""A3: staff decide about sign-ups that wait, on either database."""

import pytest

from subscribers.consent.held import AlreadyDecided, drop, hold_signup, let_in
from subscribers.consent.signup import Requested
from subscribers.models import HeldSignup, MailingList, Place, Subscriber
from subscribers.people.locations import locate, place_for
from tests.support.people import NOW, make_list

pytestmark = pytest.mark.django_db


def hold(mailing_list: MailingList, place: Place | None) -> HeldSignup:
    given = {"wording": "Yes", "source": "page", "why": "many from one network", "now": NOW}
    return hold_signup(email="ann@example.org", mailing_list=mailing_list, place=place, **given)


@pytest.mark.parametrize("town", ["Houston", ""])
def test_a3_who_waited_is_let_in_once_with_or_without_a_place(town: str) -> None:
    place = place_for(locate(country="US", region="TX", town=town)) if town else None
    held = hold(make_list(), place)
    assert let_in(held_id=held.pk, now=NOW) == Requested.ASKED
    assert Subscriber.objects.get().place == place
    for decide in (lambda: let_in(held_id=held.pk, now=NOW), lambda: drop(held_id=held.pk)):
        with pytest.raises(AlreadyDecided):
            decide()
