"""Archive a publication, list, segment or brand: it does no more work, may be refused, and can be restored."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from newsletter.common.archiving import archive_row, bring_back_row
from newsletter.common.errors import DomainError, InUse, SwitchedOff, WrongState
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.publication_switches import archive_publication
from newsletter.jobs.scheduler_jobs import assemble_due, start_due_sends
from newsletter.models import Brand, Issue, Publication, Send
from newsletter.sending.freezing.start import start_send
from subscribers.desk.editing.archiving import archive_list
from subscribers.models import Segment
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
SLOT = NOW + timedelta(days=1)


def test_an_archived_publication_drafts_and_sends_nothing(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    archive_publication(publication)
    assert (publication.archived, publication.enabled) == (True, False)
    start_due_sends(now=SLOT)
    assert assemble_due(now=SLOT) == []
    assert not Send.objects.exists()
    with pytest.raises(SwitchedOff):
        start_send(issue=Issue.objects.get(), now=SLOT)


@pytest.mark.django_db(transaction=True)
def test_no_publication_is_archived_while_it_is_being_sent(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    send = start_send(issue=issue, now=SLOT)
    with pytest.raises(WrongState, match="is being sent"):
        archive_publication(publication)
    assert not Publication.objects.get().archived
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTED)
    archive_publication(publication)
    assert Publication.objects.get().archived


def test_a_publication_comes_back_turned_off(publication: Publication) -> None:
    archive_publication(publication)
    bring_back_row(publication)
    kept = Publication.objects.get()
    assert (kept.archived, kept.enabled) == (False, False)


def test_the_database_refuses_an_archived_publication_that_is_on(publication: Publication) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Publication.objects.update(archived=True, enabled=True)


def test_a_list_is_archived_only_after_its_publications(publication: Publication) -> None:
    mailing_list = publication.mailing_list
    with pytest.raises(InUse, match=publication.name):
        archive_list(mailing_list)
    archive_publication(publication)
    archive_list(mailing_list)
    assert (mailing_list.archived, mailing_list.public) == (True, False)
    with pytest.raises(DomainError, match="Bring it back first"):
        bring_back_row(publication)
    bring_back_row(mailing_list)
    publication.refresh_from_db()
    bring_back_row(publication)
    assert not Publication.objects.get().archived


def test_a_segment_of_a_publication_cannot_be_archived(publication: Publication) -> None:
    segment = Segment.objects.create(slug="near", name="Near", rule={})
    Publication.objects.update(segment=segment)
    with pytest.raises(InUse, match=publication.name):
        archive_row(segment)
    Publication.objects.update(segment=None)
    archive_row(segment)
    assert Segment.objects.get().archived


def test_an_archived_brand_stays_with_its_publication_and_takes_none(publication: Publication) -> None:
    brand = publication.brand
    archive_row(brand, keep_uses=True)
    publication.refresh_from_db()
    publication.full_clean()
    publication.pk, publication.slug, publication._state.adding = None, "second", True
    with pytest.raises(ValidationError, match="Bring it back first, or choose another"):
        publication.full_clean()
    bring_back_row(brand)
    publication.brand = brand
    publication.full_clean()


def test_the_main_brand_is_the_first_that_is_not_archived() -> None:
    old = Brand.objects.create(slug="old", name="Old name")
    new = Brand.objects.create(slug="new", name="New name")
    assert Brand.objects.find_main() == old
    archive_row(old)
    assert Brand.objects.find_main() == new
    archive_row(new)
    assert Brand.objects.find_main() == old
