"""Turning off the monthly digest says whom it leaves without mail, and readers are offered it only if it is sent."""

import pytest

from newsletter.models import Publication
from newsletter.web.subscriber_pages import list_offered_frequencies
from subscribers.models import Frequency, Subscription
from tests.support.desk import said, sign_in
from tests.support.desk_forms import filled_in
from tests.support.fixtures import add_subscribers, make_publication

pytestmark = pytest.mark.django_db
WARNING = "2 people on this list chose one mail a month. They get no newsletter until"


@pytest.fixture
def weekly() -> Publication:
    publication = make_publication()
    add_subscribers(publication, 3)
    chosen = Subscription.objects.order_by("pk").values_list("pk", flat=True)[:2]
    Subscription.objects.filter(pk__in=list(chosen)).update(frequency=Frequency.MONTHLY)
    return publication


def turn_off_digest(publication: Publication) -> str:
    """Save the form without the tick, and return what the desk says."""
    client, address = sign_in("admin"), f"/admin/publications/edit/{publication.pk}/"
    fields = filled_in(client.get(address).content.decode())
    assert fields.pop("monthly_digest") == ["on"]
    answer = client.post(address, fields, follow=True)
    assert not Publication.objects.get(pk=publication.pk).monthly_digest
    return " ".join(said(answer))


def test_turning_off_the_digest_names_whom_it_leaves_out(weekly: Publication) -> None:
    assert WARNING in turn_off_digest(weekly)


def test_another_digest_of_the_same_list_needs_no_warning(weekly: Publication) -> None:
    make_publication(slug="other", name="Other")
    Publication.objects.update(mailing_list=weekly.mailing_list)
    assert "chose one mail a month" not in turn_off_digest(weekly)


def test_a_publication_that_is_off_offers_no_digest(weekly: Publication) -> None:
    assert Frequency.MONTHLY in list_offered_frequencies(weekly.mailing_list)
    Publication.objects.update(enabled=False)
    assert Frequency.MONTHLY not in list_offered_frequencies(weekly.mailing_list)
