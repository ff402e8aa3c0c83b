"""The date at the top of a mail is the day on which it is sent, in the publication's zone."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.issues.archive.public_view import render_for_archive
from newsletter.issues.variants.recipient_groups import group_recipients
from newsletter.models import ReaderGroup, Send, Variant
from newsletter.sending.freezing import freeze
from newsletter.sending.freezing.start import _create_send, prepare_send, start_send
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db(transaction=True)
DUE_AT = datetime.fromisoformat("2026-03-05T09:00:00+00:00")


def make_approved_issue():
    render_for_archive.cache_clear()
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 2)
    return make_issue(publication, approved=True)


def test_an_issue_that_is_sent_when_it_is_due_shows_that_day():
    issue = make_approved_issue()
    approved = Variant.objects.get()
    start_send(issue=issue, now=DUE_AT)
    assert Variant.objects.get().sha256 == approved.sha256
    assert "5 March 2026" in approved.html


@pytest.mark.parametrize(("sent_at", "shown"), [(NOW, "4 March 2026"), (DUE_AT + timedelta(days=2), "7 March 2026")])
def test_an_issue_that_is_sent_on_another_day_shows_that_day(sent_at, shown):
    issue = make_approved_issue()
    send = start_send(issue=issue, now=sent_at)
    mail = Variant.objects.get()
    assert shown in mail.html
    assert shown in mail.text
    assert "5 March 2026" not in mail.html
    assert shown in render_for_archive(send.revision_id, frozenset()).html


@pytest.mark.parametrize("sent_at", [NOW, DUE_AT, DUE_AT + timedelta(days=2)])
def test_the_audience_is_read_once_on_whatever_day_it_is_frozen(sent_at):
    issue = make_approved_issue()
    with CaptureQueriesContext(connection) as asked:
        start_send(issue=issue, now=sent_at)
    assert sum("INSERT INTO audience_snapshot_rows" in query["sql"] for query in asked) == 1


def test_a_late_process_changes_no_groups_of_a_frozen_audience(monkeypatch):
    issue = make_approved_issue()
    late = _create_send(issue=issue, at_once=True, now=NOW)
    waiting = [late.pk]

    def freeze_elsewhere_first(*given, **options):
        if waiting:
            prepare_send(send=Send.objects.get(pk=waiting.pop()), now=NOW)
            add_subscribers(issue.publication, 5, start=10)
        return group_recipients(*given, **options)

    monkeypatch.setattr(freeze, "group_recipients", freeze_elsewhere_first)
    prepare_send(send=late, now=NOW)
    assert sum(ReaderGroup.objects.values_list("people", flat=True)) == Send.objects.get().recipients == 2
