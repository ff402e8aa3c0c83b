"""No page reads a whole large table and no batch compares each with each: at a million people it would be slow."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from newsletter.bench.serving.pages import list_public_pages
from newsletter.feedback.send_warnings import count_domain_complaints
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.jobs.catalogue import JOBS
from newsletter.models import Issue, Publication
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.freezing.start import start_send
from subscribers.identity import identify
from subscribers.models import Suppression
from tests.support.desk import sign_in_superuser
from tests.support.desk_looks import list_pages
from tests.support.desk_pages import OF_A_WAITING_ISSUE, make_desk_rows  # noqa: F401  a fixture
from tests.support.fake_provider import FakeProvider
from tests.support.feedback_reports import apply_reports, brevo_event, deliveries_of, make_send
from tests.support.fixtures import NOW, make_approver, make_story
from tests.support.query_plans import watch_plans
from tests.support.sends import Clock, make_ready_issue, send_issue

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by the number of rows"),
]

COUNTED = {
    "wagtailsnippets_subscribers_mailinglist:list": "a count that is kept for 15 minutes",
    "wagtailsnippets_subscribers_mailinglist:archived": "the same",
    "newsletter_send_ask start": "the exact count before a send, which reads the suppressions once",
    "newsletter_processing": "a record that says how many people there are",
    "newsletter_setup_people": "a step of the set-up, before there are many",
    "newsletter_mails": "the number of pages of a list whose rows are deleted after their days",
    "wagtailsnippets_newsletter_eventnotice:delete": "the mails of the few events that were ever corrected",
}
"""The pages that may read a whole large table, with the reason."""
SUPPRESSIONS = {"subscribers_suppression"}
"""A count of an audience reads the suppressions once, to find the few people whom they concern."""
LEADS_ON = {
    "newsletter_decide",
    "newsletter_issue_close",
    "newsletter_issue_complete",
    "newsletter_issue_correct",
    "newsletter_issue_delete",
    "newsletter_send_account",
    "newsletter_send_retry",
    "subscribers_import",
}
"""Pages that no row of these tests allows. They lead to another page."""
NOT_THERE = {"wagtailimages:edit"}
"""Pages of which the desk of these tests has no row."""


def test_only_named_pages_of_the_desk_read_a_large_table(desk: dict[str, str]) -> None:
    client, reading, queries = sign_in_superuser(), dict[str, list[str]](), 0
    ready, waiting = assemble("The river rises", "2026-03-12T09:00"), assemble("The river falls", "2026-03-19T09:00")
    approve_issue(issue=ready, by=make_approver("second@example.org"), now=NOW)
    rows = {**desk, "newsletter_send_ask start": str(ready.pk), **dict.fromkeys(OF_A_WAITING_ISSUE, str(waiting.pk))}
    statuses = dict[str, int]()
    for name, address in list_pages(rows).items():
        with watch_plans() as plans:
            statuses[name] = client.get(address).status_code
        queries += plans.queries
        if plans.scans:
            reading[name] = [f"{sorted(tables)}: {sql}" for tables, sql in plans.scans]
    assert {name: found for name, found in reading.items() if name not in COUNTED} == {}
    assert set(COUNTED) - set(reading) == set()
    assert queries > 1000
    assert {name for name, status in statuses.items() if status == 302} == LEADS_ON
    assert {name for name, status in statuses.items() if status not in (200, 302)} == NOT_THERE


def assemble(title: str, due: str) -> Issue:
    make_story(title)
    slot = get_or_create_slot(publication=Publication.objects.get(), due=due, now=NOW)
    issue = assemble_slot(slot=slot, now=NOW).issue
    assert issue
    return issue


def test_no_public_page_reads_a_large_table(fake_provider: FakeProvider, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    issue = make_ready_issue(archive=Publication.Archive.PUBLIC)
    send_issue(issue)
    for address in list_public_pages(Issue.objects.get(pk=issue.pk)):
        with watch_plans() as plans:
            assert Client().get(address).status_code == 200, address
        assert plans.scans == [], address


def test_a_send_compares_none_of_its_people_with_each(fake_provider: FakeProvider, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    issue = make_ready_issue()
    with watch_plans() as freezing:
        send = start_send(issue=issue, now=issue.slot.due_at)
    with watch_plans() as dispatching:
        Dispatcher(adapter=current_adapter(), clock=Clock()).dispatch(send.batches.get().pk)
    assert [tables for tables, _sql in freezing.scans if not tables & SUPPRESSIONS] == dispatching.scans == []
    assert len(freezing.scans) <= 1
    assert min(freezing.queries, dispatching.queries) > 5
    assert sum(fake_provider.accepted_counts().values()) == 25


def test_a_plan_that_compares_each_with_each_is_found(publication: Publication) -> None:
    with watch_plans() as plans, connection.cursor() as cursor:
        cursor.execute(
            "WITH a (x) AS MATERIALIZED (SELECT id FROM newsletter_delivery), b (x) AS MATERIALIZED "
            "(SELECT batch_id FROM newsletter_delivery WHERE id = 1) SELECT 1 FROM a LEFT JOIN b ON a.x < b.x"
        )
        assert not Suppression.objects.filter(address_hash=identify("anna@example.org")).exists()
        assert not Suppression.objects.filter(note="asked").exists()
    assert [tables for tables, _ in plans.scans] == [
        frozenset({"newsletter_delivery", "b for each row of another"}),
        frozenset({"subscribers_suppression"}),
    ]


def test_a_change_that_reads_a_whole_large_table_is_found() -> None:
    with watch_plans() as plans:
        Suppression.objects.filter(note="asked").update(note="asked again")
        Suppression.objects.filter(note="asked").delete()
        Suppression.objects.filter(address_hash=identify("anna@example.org")).update(note="")
    assert plans.queries == 3
    assert [tables for tables, _ in plans.scans] == [SUPPRESSIONS, SUPPRESSIONS]


def test_a_delete_that_searches_references_in_a_large_table_is_found() -> None:
    """SQLite looks for rows that refer to the deleted one, and reads their whole table if it has no index for that."""
    with watch_plans() as plans, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE referred (id integer PRIMARY KEY)")
        cursor.execute(
            "CREATE TEMPORARY TABLE newsletter_bounce (id integer PRIMARY KEY, one integer REFERENCES referred)"
        )
        cursor.execute("DELETE FROM referred WHERE id = 1")
        cursor.execute("DROP TABLE temp.newsletter_bounce")
        cursor.execute("DROP TABLE temp.referred")
    assert [tables for tables, _ in plans.scans] == [{"newsletter_bounce"}]


OUTWARD = {
    "check_links",
    "check_sender_domains",
    "confirm_report_subscriptions",
    "dispatch_batches",
    "read_mailboxes",
    "read_provider_suppressions",
    "read_sources",
    "score_issues_for_spam",
    "send_heartbeat",
}
"""Jobs that ask other machines."""


def test_no_job_of_every_ten_minutes_reads_a_large_table(desk: dict[str, str]) -> None:
    reading = dict[str, list[str]]()
    assert {job.name for job in JOBS} >= OUTWARD
    for job in JOBS:
        if job.every_seconds <= 600 and job.name not in OUTWARD:
            with watch_plans() as plans:
                job.run()
            if plans.scans:
                reading[job.name] = [f"{sorted(tables)}: {sql}" for tables, sql in plans.scans]
    assert reading == {}


def test_complaints_at_a_mailbox_domain_are_found_by_an_index() -> None:
    send = make_send(recipients=12)
    apply_reports(*(brevo_event("delivered", each) for each in deliveries_of(send)))
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[:3]))
    with watch_plans() as plans:
        assert count_domain_complaints(send.issue.publication, now=NOW)
    assert plans.scans == []
