"""Recipient counts on the desk's pages: cached for large lists, and safe for broken segments."""

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from newsletter.desk.issues.audience import recipient_counts as people_counts
from newsletter.desk.issues.audience.recipient_counts import (
    count_audience_for_page,
    count_recipients_cached,
    explain_manual_approval,
)
from newsletter.issues.approval.approval_rules import is_sent_automatically
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.jobs.scheduler_jobs import assemble_due
from newsletter.models import Issue, Publication
from subscribers.models import Segment
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_story
from tests.support.group_queries import find_group_queries
from tests.support.page_html import compact_html
from tests.support.people import make_list

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("policy", ["auto", "approve"])
@time_machine.travel(NOW)
def test_a_segment_that_names_a_deleted_list_breaks_no_page(publication: Publication, policy: str) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    segment = Segment.objects.create(slug="friends", name="Friends", rule={"any": [{"list": "weekly"}]})
    Publication.objects.update(approval=policy, segment=segment)
    issue = make_issue(Publication.objects.get())
    Segment.objects.update(rule={"any": [{"list": "friends"}]})
    browser = sign_in("approver")
    pages = {url: browser.get(url) for url in ("/admin/", f"/admin/issues/{issue.pk}/overview/")}
    assert {url: page.status_code for url, page in pages.items()} == dict.fromkeys(pages, 200)
    assert "there is no list “friends”" in pages[f"/admin/issues/{issue.pk}/overview/"].content.decode()
    assert ("there is no list “friends”" in pages["/admin/"].content.decode()) is (policy == "auto")


@time_machine.travel(NOW)
def test_nobody_is_asked_about_a_send_to_a_segment_of_a_deleted_list(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    friends = make_list("friends")
    segment = Segment.objects.create(
        slug="friends", name="Friends", rule={"any": [{"list": "weekly"}, {"list": "friends"}]}
    )
    Publication.objects.update(segment=segment)
    issue = make_issue(Publication.objects.get(), approved=True)
    friends.delete()
    page = sign_in("approver").get(reverse("newsletter_send_ask", args=[issue.pk, "start"]), follow=True)
    assert page.redirect_chain == [(f"/admin/issues/{issue.pk}/overview/", 302)]
    assert "changed after it was approved (the segment that gets it)" in list_messages(page)[0]
    assert "there is no list “friends”" in page.content.decode()


def test_an_issue_of_a_broken_segment_waits_for_approval(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    segment = Segment.objects.create(slug="friends", name="Friends", rule={"any": [{"list": "friends"}]})
    Publication.objects.update(approval="auto", segment=segment)
    assert [assembly.made for assembly in assemble_due(now=NOW)] == [True]
    issue = Issue.objects.get()
    assert issue.announced_people is None
    assert not is_sent_automatically(issue)


def test_home_counts_a_large_audience_once_a_minute(publication: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    issue = make_issue(publication)
    monkeypatch.setattr(people_counts, "MIN_CACHED_COUNT", 3)
    monkeypatch.setattr(people_counts, "_cache", {})
    assert count_recipients_cached(issue) == 3
    add_subscribers(publication, 1, start=3)
    assert count_recipients_cached(issue) == 3
    assert count_audience_for_page(issue).eligible == 4
    monkeypatch.setattr(people_counts, "CACHE_SECONDS", 0.0)
    assert count_recipients_cached(issue) == 4


@pytest.mark.parametrize("page", ["overview", "audience"])
def test_a_page_of_a_draft_groups_its_readers_once(publication: Publication, page: str) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    issue = make_issue(publication)
    browser = sign_in("approver")
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(f"/admin/issues/{issue.pk}/{page}/").status_code == 200
    assert len(find_group_queries(queries.captured_queries)) == 1


@pytest.mark.parametrize(("announced", "groups"), [(3, 0), (1, 1)])
def test_home_groups_readers_only_if_the_whole_list_would_need_approval(
    publication: Publication, monkeypatch: pytest.MonkeyPatch, announced: int, groups: int
) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3 * 200)
    Publication.objects.update(approval="auto")
    assert [assembly.made for assembly in assemble_due(now=NOW)] == [True]
    issue = Issue.objects.get()
    Issue.objects.update(announced_people=200 * announced, announced_audience=hash_audience(describe_audience(issue)))
    monkeypatch.setattr(people_counts, "_cache", {})
    with CaptureQueriesContext(connection) as queries:
        reason = explain_manual_approval(Issue.objects.get())
    assert bool(reason) is (groups == 1)
    assert len(find_group_queries(queries.captured_queries)) == groups


@time_machine.travel(NOW)
def test_home_reads_the_content_of_an_automatic_draft_once(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    Publication.objects.update(approval="auto", another_approves=True)
    assert [assembly.made for assembly in assemble_due(now=NOW)] == [True]
    issue = Issue.objects.get()
    Issue.objects.update(announced_people=3, announced_audience=hash_audience(describe_audience(issue)))
    browser = sign_in("approver")
    with CaptureQueriesContext(connection) as queries:
        page = browser.get("/admin/").content.decode()
    assert page.count(str(issue)) >= 2
    searches = [query["sql"] for query in queries.captured_queries if "newsletter_story_topics" in query["sql"]]
    assert searches
    assert len(searches) == len(set(searches))


@time_machine.travel(NOW)
@pytest.mark.parametrize(("segments", "words"), [(1, "and in the segment"), (2, "and in both segments")])
def test_an_issue_for_a_segment_says_that_its_numbers_are_of_it(
    publication: Publication, segments: int, words: str
) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    own = Segment.objects.create(slug="friends", name="Friends", rule={"all": [{"list": "weekly"}]})
    if segments == 2:
        Publication.objects.update(segment=own)
    issue = create_issue(
        publication=Publication.objects.get(), beginning=Beginning.RULES, by=None, segment=own, now=timezone.now()
    )
    browser = sign_in("approver")
    addresses = [f"/admin/issues/{issue.pk}/{name}/" for name in ("overview", "audience")]
    pages = [compact_html(browser.get(address).content.decode()) for address in addresses]
    assert f"on the list {words}</th>" in pages[0]
    assert f"Out of 3 people on the list {words}." in pages[1]
