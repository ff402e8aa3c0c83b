"""Turning off the monthly digest says whom it leaves without mail, and readers are offered it only if it is sent."""

import html

import pytest

from newsletter.models import Publication
from newsletter.web.subscriber_pages import list_offered_frequencies
from subscribers.models import Frequency, MailingList, Subscription
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


def save_publication(publication: Publication, **changes: object) -> str:
    """Save the form with these changes, None for an empty box, and return what the desk says."""
    client, address = sign_in("admin"), f"/admin/publications/edit/{publication.pk}/"
    fields = filled_in(client.get(address).content.decode()) | changes
    fields = {name: value for name, value in fields.items() if value is not None}
    answer = client.post(address, fields, follow=True)
    assert [name for name in changes if getattr(publication, name) == getattr(reload(publication), name)] == []
    return " ".join(said(answer))


def reload(publication: Publication) -> Publication:
    return Publication.objects.get(pk=publication.pk)


def turn_off_digest(publication: Publication) -> str:
    return save_publication(publication, monthly_digest=None)


def test_turning_off_the_digest_names_whom_it_leaves_out(weekly: Publication) -> None:
    assert WARNING in turn_off_digest(weekly)


def test_turning_off_the_publication_names_them_too(weekly: Publication) -> None:
    assert WARNING in save_publication(weekly, enabled=None)


def test_archiving_the_publication_names_them_too(weekly: Publication) -> None:
    answer = sign_in("admin").post(f"/admin/publications/archive/{weekly.pk}/", follow=True)
    assert WARNING in " ".join(said(answer))


def test_a_publication_that_goes_to_another_list_names_whom_it_leaves_out(weekly: Publication) -> None:
    other = MailingList.objects.create(name="Other", slug="other")
    assert WARNING in save_publication(weekly, mailing_list=other.pk)


def test_a_publication_that_was_off_leaves_nobody_out(weekly: Publication) -> None:
    Publication.objects.update(enabled=False)
    assert "chose one mail a month" not in turn_off_digest(reload(weekly))


def test_another_digest_of_the_same_list_needs_no_warning(weekly: Publication) -> None:
    make_publication(slug="other", name="Other")
    Publication.objects.update(mailing_list=weekly.mailing_list)
    assert "chose one mail a month" not in turn_off_digest(weekly)


def read_archive_question(publication: Publication) -> str:
    page = sign_in("admin").get(f"/admin/publications/archive/{publication.pk}/")
    return html.unescape(page.content.decode())


def test_archiving_the_last_publication_says_that_its_people_get_nothing(weekly: Publication) -> None:
    page = read_archive_question(weekly)
    assert f"3 people stay on “{weekly.mailing_list}”. No other publication in use goes to this list" in page
    assert "People can still sign up for this list" in page
    assert "chose one mail a month" not in page


def test_archiving_one_of_two_publications_names_who_loses_the_digest(weekly: Publication) -> None:
    make_publication(slug="other", name="Other letter", monthly_digest=False)
    Publication.objects.update(mailing_list=weekly.mailing_list)
    page = read_archive_question(weekly)
    assert "3 people stay on" in page
    assert "still get: Other letter." in page
    assert WARNING in page
    Publication.objects.update(monthly_digest=True)
    assert "chose one mail a month" not in read_archive_question(weekly)


def test_archiving_a_publication_of_an_empty_list_names_nobody() -> None:
    assert "stay on" not in read_archive_question(make_publication())


def test_a_publication_that_is_off_offers_no_digest(weekly: Publication) -> None:
    assert Frequency.MONTHLY in list_offered_frequencies(weekly.mailing_list)
    Publication.objects.update(enabled=False)
    assert Frequency.MONTHLY not in list_offered_frequencies(weekly.mailing_list)
