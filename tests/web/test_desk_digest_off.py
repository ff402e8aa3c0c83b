"""Turning off the monthly digest says whom it leaves without mail, and readers are offered it only if it is sent."""

import html

import pytest

from newsletter.models import Publication
from newsletter.web.subscriber_pages import list_offered_frequencies
from subscribers.models import Basis, Frequency, MailingList, Segment, Subscription
from tests.support.desk import list_messages, sign_in
from tests.support.desk_forms import filled_in
from tests.support.fixtures import NOW, add_subscribers, make_publication
from tests.support.welcome import LATER, join, run_welcome, turn_on_welcome

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
    return " ".join(list_messages(answer))


def reload(publication: Publication) -> Publication:
    return Publication.objects.get(pk=publication.pk)


def turn_off_digest(publication: Publication) -> str:
    return save_publication(publication, monthly_digest=None)


def test_turning_off_the_digest_names_whom_it_leaves_out(weekly: Publication) -> None:
    assert WARNING in turn_off_digest(weekly)


def test_turning_off_the_publication_names_them_too(weekly: Publication) -> None:
    assert WARNING in save_publication(weekly, enabled=None)


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
    assert "Other publications in use go to this list: Other letter." in page
    assert WARNING in page
    Publication.objects.update(monthly_digest=True)
    assert "chose one mail a month" not in read_archive_question(weekly)


def test_the_question_before_deleting_says_what_subscribers_lose(weekly: Publication) -> None:
    page = sign_in("admin").get(f"/admin/publications/delete/{weekly.pk}/").content.decode()
    assert "No other publication in use goes to this list, so they get no newsletter of it." in html.unescape(page)


def test_archiving_a_publication_of_an_empty_list_names_nobody() -> None:
    page = read_archive_question(make_publication())
    assert "stay on" not in page
    assert "in its welcome" not in page


def test_people_who_have_not_confirmed_are_not_counted_before_archiving(weekly: Publication) -> None:
    join(weekly.mailing_list, "new@example.com")
    Subscription.objects.filter(subscriber__email="new@example.com").update(
        confirmed_at=None, basis=Basis.DOUBLE_OPT_IN, frequency=Frequency.MONTHLY
    )
    other = make_publication(slug="other", name="Other letter", monthly_digest=False)
    other.mailing_list, other.segment = weekly.mailing_list, Segment.objects.create(name="Near Ulm", slug="ulm")
    other.save()
    page = read_archive_question(weekly)
    assert "3 people stay on" in page
    assert "go to this list: Other letter (only to “Near Ulm”)." in page
    assert WARNING in page


def test_archiving_a_publication_names_who_is_in_its_welcome() -> None:
    weekly = make_publication()
    turn_on_welcome(weekly)
    join(weekly.mailing_list, "new@example.com")
    run_welcome(NOW + 2 * LATER)
    page = read_archive_question(weekly)
    assert "1 person is in its welcome. They get no further mail of it while it is archived." in page


def test_an_archived_publication_is_not_asked_what_archiving_does(weekly: Publication) -> None:
    client, address = sign_in("admin"), f"/admin/publications/archive/{weekly.pk}/"
    assert client.get(address).context_data["consequences"]
    Publication.objects.update(archived=True, enabled=False)
    assert client.get(address).context_data["consequences"] == []


def test_a_publication_that_is_off_offers_no_digest(weekly: Publication) -> None:
    assert Frequency.MONTHLY in list_offered_frequencies(weekly.mailing_list)
    Publication.objects.update(enabled=False)
    assert Frequency.MONTHLY not in list_offered_frequencies(weekly.mailing_list)
