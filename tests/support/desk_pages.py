"""Rows for every desk page, and addresses that lead to them."""

import io
import re
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from newsletter.api_keys import make_key
from newsletter.issues.comments.comment import add_comment, resolve_comment
from newsletter.issues.planning.welcome import set_up_welcome
from newsletter.issues.reuse.saved_blocks import save_block
from newsletter.models import Publication, Slot
from newsletter.sending.freezing.start import start_send
from newsletter.sending.notices.mail_templates import save_text
from subscribers.identity import identify
from subscribers.importing.writing.import_steps import create_draft_import
from subscribers.models import Case, HeldSignup, Reason, Segment, Suppression, Topic
from subscribers.unsubscribing.suppression import suppress
from tests.support.canaries import make_unread_mailbox
from tests.support.fixtures import add_subscribers, make_appeal, make_approver, make_event, make_issue, make_story
from tests.support.mail_templates import TEXTS, make_mail_template
from tests.support.webhooks import make_endpoint

OF_A_WAITING_ISSUE = ("newsletter_block_insert", "newsletter_issue_subject_test", "newsletter_issue_time")
"""Forms that only an issue allows that is not approved."""


@pytest.fixture(name="desk")
def make_desk_rows(publication: Publication) -> dict[str, str]:
    """Make a row of every kind. Return the variable parts of addresses, by the address's start, then by name."""
    publication.languages = ["es"]
    publication.save()
    story, event, appeal = make_story("The clinic opens"), make_event("An evening of letters"), make_appeal()
    person = add_subscribers(publication, 3)[0]
    issue = make_issue(publication, approved=True)
    send = start_send(issue=issue, now=timezone.now())
    send.batches.update(state="uncertain", reason="the worker was lost", settled_at=timezone.now())
    comment = add_comment(issue=issue, text="Is this right?", by=make_approver(), now=timezone.now())
    resolve_comment(comment=comment, by=make_approver(), now=timezone.now())
    first = issue.body.get_prep_value()[0]["id"]
    saved = save_block(issue=issue, block=first, name="The lead", by=make_approver(), now=timezone.now())
    welcome = set_up_welcome(publication=publication, by=make_approver(), now=timezone.now())
    template, writer = make_mail_template(publication), make_approver("translator@example.org")
    save_text(template=template, language="es", texts=TEXTS, by=writer, now=timezone.now())
    case = Case.objects.create(slug="river", name="The river case")
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
        "admin/issues/times": str(_make_uncertain_slot(publication).pk),
        "admin/stories": str(story.pk),
        "admin/events": str(event.pk),
        "admin/appeals": str(appeal.pk),
        "admin/cases": str(case.pk),
        "admin/^people/imports": str(batch.pk),
        "admin/people/imports": str(batch.pk),
        "admin/people": str(person.pk),
        "admin/segments": str(segment.pk),
        "admin/lists": str(publication.mailing_list_id),
        "admin/topics": str(topic.pk),
        "admin/publications": str(publication.pk),
        "admin/publications/welcome": str(publication.pk),
        "admin/^publications/welcome/mails": str(welcome[0].pk),
        "admin/brand": str(publication.brand_id),
        "batch": str(send.batches.get().pk),
        "comment": str(comment.pk),
        "admin/canaries": str(make_unread_mailbox().pk),
        "admin/webhooks": str(make_endpoint(state="off").pk),
        "admin/mails": str(template.pk),
        "admin/api-keys": str(make_key(name="Shop", scope="read", by="admin", now=timezone.now())[0].pk),
        "admin/^saved": str(saved.pk),
        "admin/sources": str(story.source_id),
        "admin/users": str(make_approver().pk),
        "admin/snippets/choose/newsletter/brand": str(publication.brand_id),
        "admin/snippets/choose/newsletter/story": str(story.pk),
        "admin/snippets/choose/newsletter/eventnotice": str(event.pk),
        "admin/snippets/choose/subscribers/mailinglist": str(publication.mailing_list_id),
        "admin/snippets/choose/subscribers/segment": str(segment.pk),
        "kind": "block",
        "language": "es",
        "suppression": str(Suppression.objects.get().pk),
        "revision_id": str(issue.latest_revision_id or 1),
        "mode": "inbox.0.none",
        "name": "0.none",
        "issue": str(issue.pk),
        "other": "0.none",
        "part": "mail",
        "token": "not-a-token",
    }


def _make_uncertain_slot(publication: Publication) -> Slot:
    """Make a time whose issue may have been sent before the database was restored."""
    return Slot.objects.create(
        publication=publication,
        due_local="2025-01-02T09:00",
        due_at=datetime(2025, 1, 2, 9, tzinfo=UTC),
        made_at=timezone.now(),
        state=Slot.State.UNCERTAIN,
    )


def fill(address: str, step: str, desk: dict[str, str]) -> str:
    """Return the address of a desk page, with this step, for the rows of the fixture."""
    row = next((desk[start] for start in sorted(desk, key=len, reverse=True) if address.startswith(start)), "1")
    address = re.sub(r"\(\?P<step>[^)]*\)", step, address)
    address = re.sub(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>", lambda m: desk.get(m[1] or m[2], row), address)
    return "/" + address.replace("^", "").replace("$", "")
