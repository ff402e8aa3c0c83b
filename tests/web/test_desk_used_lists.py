"""A list that is used is neither deleted nor archived, and the page says what uses it."""

import pytest

from newsletter.models import Publication
from subscribers.models import MailingList, Segment
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, make_issue, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailing_list(publication: Publication) -> MailingList:
    """The list of a publication with an open issue; a segment selects by it."""
    make_story("The lead story", published_at=NOW)
    make_issue(publication)
    Segment.objects.create(slug="weekly", name="Readers of the letter", rule={"all": [{"list": "weekly"}]})
    return publication.mailing_list


@pytest.mark.parametrize("step", ["delete", "archive"])
def test_the_page_names_publications_issues_and_segments(mailing_list: MailingList, step: str) -> None:
    client = sign_in("admin")
    page = client.get(f"/admin/lists/{step}/{mailing_list.pk}/").content.decode()
    assert "<strong>1 publication</strong>" in page
    assert "<strong>1 issue</strong>" in page
    assert "The weekly letter No. 1" in page
    assert "Readers of the letter" in page
    client.post(f"/admin/lists/{step}/{mailing_list.pk}/")
    mailing_list.refresh_from_db()
    assert not mailing_list.archived


def test_a_list_that_nothing_uses_is_archived_and_never_deleted() -> None:
    unused = MailingList.objects.create(slug="old", name="Old")
    client = sign_in("data")
    page = client.post(f"/admin/lists/delete/{unused.pk}/").content.decode()
    assert "A list is never deleted: it holds the proof that the people on it agreed." in page
    assert "It is still used by" not in page
    client.post(f"/admin/lists/archive/{unused.pk}/")
    unused.refresh_from_db()
    assert unused.archived
