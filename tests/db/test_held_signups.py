"""Releasing and discarding held sign-ups, on both databases."""

import pytest

from subscribers.consent.held_signups import AlreadyDecided, accept_held_signup, hold_signup, reject_held_signup
from subscribers.consent.signup import SignupRequest, SignupResult
from subscribers.models import HeldSignup, MailingList, Subscriber, SubscriberLocation
from subscribers.people.locations import get_location_row, locate
from tests.support.people import NOW, make_list

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def hold(mailing_list: MailingList, place: SubscriberLocation | None) -> HeldSignup:
    request = SignupRequest("ann@example.org", mailing_list, wording="Yes", source="page", place=place)
    return hold_signup(request, reason="many from one network", now=NOW)


@pytest.mark.parametrize("town", ["Houston", ""])
@pytest.mark.requirement("A3")
def test_a_held_person_is_accepted_once_with_or_without_a_location(town: str) -> None:
    place = get_location_row(locate(country="US", region="TX", town=town)) if town else None
    held = hold(make_list(), place)
    assert accept_held_signup(held_id=held.pk, now=NOW) == SignupResult.ASKED
    assert Subscriber.objects.get().place == place
    for decide in (lambda: accept_held_signup(held_id=held.pk, now=NOW), lambda: reject_held_signup(held_id=held.pk)):
        with pytest.raises(AlreadyDecided):
            decide()
