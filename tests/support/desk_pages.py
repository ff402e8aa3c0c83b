"""Rows for every desk page, and addresses that lead to them."""

import io
import re

import pytest
from django.utils import timezone

from newsletter.models import Publication
from newsletter.sending.freezing.start import start_send
from subscribers.identity import identify
from subscribers.importing.writing.import_steps import create_draft_import
from subscribers.models import HeldSignup, Reason, Segment, Suppression, Topic
from subscribers.unsubscribing.suppression import suppress
from tests.support.fixtures import add_subscribers, make_appeal, make_event, make_issue, make_story


@pytest.fixture(name="desk")
def make_desk_rows(publication: Publication) -> dict[str, str]:
    """Make a row of every kind. Return the variable parts of addresses, by the address's start, then by name."""
    story, event, appeal = make_story("The clinic opens"), make_event("An evening of letters"), make_appeal()
    person = add_subscribers(publication, 3)[0]
    issue = make_issue(publication, approved=True)
    send = start_send(issue=issue, now=timezone.now())
    send.batches.update(state="uncertain", reason="the worker was lost", settled_at=timezone.now())
    topic = Topic.objects.create(slug="land", name="Land rights")
    segment, _ = Segment.objects.get_or_create(slug="all", defaults={"name": "All", "rule": {}})
    suppress(address_hash=identify(person.email), reason=Reason.STAFF, now=timezone.now(), note="asked", by="x")
    batch = create_draft_import(
        file=io.BytesIO(b"email\nnew@example.org\n"),
        name="people.csv",
        mailing_list=publication.mailing_list,
        by="data@example.org",
        now=timezone.now(),
    )
    HeldSignup.objects.create(
        email="new@example.org",
        address_hash=identify("new@example.org"),
        mailing_list=publication.mailing_list,
        wording="Yes",
        source="test",
        reason="too many",
        at=timezone.now(),
    )
    return {
        "admin/^issues": str(issue.pk),
        "admin/issues": str(issue.pk),
        "admin/stories": str(story.pk),
        "admin/events": str(event.pk),
        "admin/appeals": str(appeal.pk),
        "admin/^people/imports": str(batch.pk),
        "admin/people/imports": str(batch.pk),
        "admin/people": str(person.pk),
        "admin/segments": str(segment.pk),
        "admin/lists": str(publication.mailing_list_id),
        "admin/topics": str(topic.pk),
        "admin/publications": str(publication.pk),
        "admin/brand": str(publication.brand_id),
        "batch": str(send.batches.get().pk),
        "suppression": str(Suppression.objects.get().pk),
        "revision_id": str(issue.latest_revision_id or 1),
        "mode": "inbox.0.none",
        "name": "0.none",
        "other": "0.none",
        "token": "not-a-token",
    }


def fill(address: str, step: str, desk: dict[str, str]) -> str:
    """Return the address of a desk page, with this step, for the rows of the fixture."""
    row = next((desk[start] for start in sorted(desk, key=len, reverse=True) if address.startswith(start)), "1")
    address = re.sub(r"\(\?P<step>[^)]*\)", step, address)
    address = re.sub(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>", lambda m: desk.get(m[1] or m[2], row), address)
    return "/" + address.replace("^", "").replace("$", "")
