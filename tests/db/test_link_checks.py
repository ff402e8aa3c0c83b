"""Jobs check where an issue's links lead and whether its sender's domain is authenticated."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.common.errors import NotReady
from newsletter.content.fetching.errors import TooSlow, Unreachable
from newsletter.content.fetching.fetcher import Fetched, Fetcher
from newsletter.issues.checks.links import check_due_links, check_links_again, count_link_states, find_dead_links
from newsletter.issues.checks.recent_results import RecentResults
from newsletter.issues.snapshot.content_links import find_web_links
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Appeal, EventNotice, Issue, LinkCheck, Publication, Send, SenderDomain, Story
from newsletter.sending.deliverability.domains import find_domain_problems
from newsletter.sending.deliverability.refresh_domains import refresh_sender_domains
from newsletter.sending.freezing.start import start_send
from tests.support.dns_server import DnsServer, serve_dns
from tests.support.fixtures import NOW, add_subscribers, make_appeal, make_approver, make_event, make_issue, make_story
from tests.support.sender_checks import GOOD
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=25)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        yield served


@pytest.fixture
def fetcher() -> Fetcher:
    """One that finds no site but the test's own."""

    def resolve(host: str, port: int) -> list[str]:
        if host != "127.0.0.1":
            raise Unreachable(f"No web site is found at {host}.")
        return [host]

    return Fetcher(allow=["127.0.0.1"], resolve=resolve)


def issue_with(publication: Publication, *urls: str) -> Issue:
    for number, url in enumerate(urls):
        make_story(f"Story {number}", days_old=1 + number, url=url)
    return make_issue(publication)


def dead(issue: Issue) -> list[str]:
    return [finding.message for finding in find_dead_links(resolve_content(issue), now=NOW)]


def test_an_existing_page_is_good_and_a_missing_one_is_dead(
    publication: Publication, site: Site, fetcher: Fetcher
) -> None:
    issue = issue_with(publication, site.put("/there", "Hello"), f"{site.url}/gone")
    check_due_links(now=NOW, fetcher=fetcher)
    assert len(dead(issue)) == 2  # the story's, and the brand's site that is not found
    assert any("/gone leads nowhere: its site says that there is no such page." in message for message in dead(issue))


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_site_that_only_refuses_us_is_not_called_dead(
    publication: Publication, site: Site, fetcher: Fetcher, status: int
) -> None:
    issue = issue_with(publication, site.put("/shy", "No", status=status))
    check_due_links(now=NOW, fetcher=fetcher)
    assert not any("/shy" in message for message in dead(issue))


def test_nothing_is_called_dead_if_no_site_is_reached(publication: Publication, fetcher: Fetcher) -> None:
    issue = issue_with(publication, "https://nowhere.example/story")
    check_due_links(now=NOW, fetcher=fetcher)
    assert LinkCheck.objects.filter(state="unreached").count() == 2
    assert dead(issue) == []


def test_links_are_checked_a_few_at_a_time_and_again_when_old(
    publication: Publication, site: Site, fetcher: Fetcher
) -> None:
    issue_with(publication, site.put("/a", "A"), site.put("/b", "B"))
    assert [check_due_links(now=NOW, fetcher=fetcher, limit=2) for _ in range(3)] == [2, 1, 0]
    assert check_due_links(now=LATER, fetcher=fetcher) == 3


def test_links_of_sent_issues_are_not_checked(publication: Publication, site: Site, fetcher: Fetcher) -> None:
    issue_with(publication, site.put("/a", "A"))
    Issue.objects.update(state="sent")
    assert check_due_links(now=NOW, fetcher=fetcher) == 0
    assert site.asked == []


def test_each_state_of_a_link_is_distinguished(publication: Publication, site: Site, fetcher: Fetcher) -> None:
    issue = issue_with(publication, site.put("/there", "Hello"), f"{site.url}/gone", "https://nowhere.example/story")
    assert count_link_states(resolve_content(issue), now=NOW) == {"": 4}
    check_due_links(now=NOW, fetcher=fetcher)
    assert count_link_states(resolve_content(issue), now=NOW) == {"good": 1, "dead": 1, "unreached": 2}
    assert any("nowhere.example/story does not answer: " in message for message in dead(issue))
    assert count_link_states(resolve_content(issue), now=NOW + timedelta(days=3)) == {"": 4}


def test_a_site_that_is_too_slow_does_not_answer(publication: Publication, site: Site) -> None:
    class SlowFetcher(Fetcher):
        def fetch(self, url: str, **options: object) -> Fetched:
            raise TooSlow("It took more than 8 seconds.")

    issue = issue_with(publication, site.put("/slow", "Hello"))
    check_due_links(now=NOW, fetcher=SlowFetcher())
    assert count_link_states(resolve_content(issue), now=NOW) == {"unreached": 2}


def test_our_own_pages_are_not_fetched(
    publication: Publication, site: Site, fetcher: Fetcher, settings: object
) -> None:
    settings.NEWSLETTER_SITE_URL = site.url
    issue = issue_with(publication, site.put("/join/weekly/", "Hello"), f"{site.url}0/another")
    check_due_links(now=NOW, fetcher=fetcher)
    assert site.asked == []
    assert set(LinkCheck.objects.values_list("url", flat=True)) == {"https://example.org/", f"{site.url}0/another"}
    assert count_link_states(resolve_content(issue), now=NOW).total() == 2


def test_an_address_is_asked_once_a_day_for_all_issues(publication: Publication, site: Site, fetcher: Fetcher) -> None:
    issue_with(publication, site.put("/a", "A"))
    for hours in (0, 6, 12, 23):
        check_due_links(now=NOW + timedelta(hours=hours), fetcher=fetcher)
    assert len(site.asked) == 1


def test_an_incomplete_issue_does_not_stop_other_checks(publication: Publication, fetcher: Fetcher) -> None:
    issue = issue_with(publication, "https://nowhere.example/story")
    Issue.objects.filter(pk=issue.pk).update(body='[{"type": "lead_story", "id": "a", "value": {"story": null}}]')
    assert check_due_links(now=NOW, fetcher=fetcher) == 0


def test_links_in_own_text_and_buttons_name_their_block(publication: Publication) -> None:
    issue = issue_with(publication, "https://example.org/story")
    issue.body = issue.body.stream_block.to_python(
        [
            {
                "type": "note",
                "id": "n",
                "value": {"heading": "", "text": '<p><a href="https://a.example/?x=1&amp;y=2">A</a></p>'},
            },
            {"type": "button", "id": "b", "value": {"label": "Go", "url": "https://b.example/"}},
        ]
    )
    found = find_web_links(resolve_content(issue))
    assert found["https://a.example/?x=1&y=2"] == "n"
    assert found["https://b.example/"] == "b"
    assert found["https://example.org/"] == ""


@pytest.fixture
def server() -> Iterator[DnsServer]:
    """A name server that knows nothing."""
    with serve_dns() as running:
        yield running


def test_domains_are_checked_only_for_a_real_provider(publication: Publication, server: DnsServer) -> None:
    assert refresh_sender_domains(now=NOW, dns=server.make_dns()) == 0
    assert find_domain_problems(publication.from_email) == []


def test_dns_findings_are_kept_and_refreshed_when_old(
    publication: Publication, settings: object, server: DnsServer
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    assert refresh_sender_domains(now=NOW, dns=server.make_dns()) == 1
    faults = find_domain_problems(publication.from_email)
    assert {fault.level for fault in faults} == {"error", "warning"}
    assert any(fault.check == "SPF of news.example.org" for fault in faults)
    assert refresh_sender_domains(now=NOW, dns=server.make_dns()) == 0
    assert refresh_sender_domains(now=LATER, dns=server.make_dns()) == 1
    SenderDomain.objects.update(looked_at=LATER + timedelta(days=400))
    assert refresh_sender_domains(now=LATER, dns=server.make_dns()) == 1, "a clock was ahead"
    assert SenderDomain.objects.count() == 1


@pytest.mark.requirement("B1")
def test_an_unauthenticated_domain_sends_nothing(publication: Publication, settings: object, server: DnsServer) -> None:
    make_story("The first verdict")
    add_subscribers(publication, 1)
    issue = make_issue(publication, approved=True)
    settings.NEWSLETTER_PRODUCTION = True
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    refresh_sender_domains(now=NOW, dns=server.make_dns())
    with pytest.raises(NotReady, match="cannot be sent yet"):
        start_send(issue=issue, now=NOW)
    assert not Send.objects.exists()
    assert refresh_sender_domains(now=NOW + timedelta(minutes=11), dns=server.make_dns()) == 1


def test_dns_without_an_answer_is_a_warning(publication: Publication, settings: object, server: DnsServer) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    server.broken.update({"news.example.org", "_dmarc.news.example.org", "pic._domainkey.news.example.org"})
    refresh_sender_domains(now=NOW, dns=server.make_dns())
    assert {fault.level for fault in find_domain_problems(publication.from_email)} == {"warning"}
    server.broken.clear()
    assert refresh_sender_domains(now=NOW + timedelta(minutes=11), dns=server.make_dns()) == 1, "asked again soon"


def test_an_error_stays_while_dns_does_not_answer(
    publication: Publication, settings: object, server: DnsServer
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    server.texts.update({name: texts for name, texts in GOOD.items() if not name.startswith("_dmarc")})
    refresh_sender_domains(now=NOW, dns=server.make_dns())
    assert "dmarc.missing" in [problem.code for problem in find_domain_problems(publication.from_email)]
    server.broken.add("_dmarc.news.example.org")
    refresh_sender_domains(now=LATER, dns=server.make_dns())
    assert "dmarc.missing" in [problem.code for problem in find_domain_problems(publication.from_email)]
    server.broken.clear()
    server.texts.update(GOOD)
    refresh_sender_domains(now=LATER, dns=server.make_dns(), even_if_checked=True)
    assert find_domain_problems(publication.from_email) == []


def test_advice_about_a_domain_is_not_a_warning_about_an_issue(
    publication: Publication, settings: object, server: DnsServer
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    server.texts.update(GOOD | {"_dmarc.example.org": ["v=DMARC1; p=none; pct=100"]})
    refresh_sender_domains(now=NOW, dns=server.make_dns())
    (row,) = SenderDomain.objects.all()
    assert "dmarc.obsolete-tag" in [found["code"] for found in row.findings]
    assert find_domain_problems(publication.from_email) == []


def test_an_unreadable_provider_or_sender_breaks_no_check(publication: Publication, settings: object) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "pigeon://"
    assert find_domain_problems(publication.from_email) == []
    settings.NEWSLETTER_PROVIDER_URL = "postmark://token@"
    assert find_domain_problems("nobody")[0].says.startswith("The DNS records of nobody were not checked yet")


def test_an_unchanged_issue_is_resolved_once_in_five_minutes(
    publication: Publication, site: Site, fetcher: Fetcher, django_assert_max_num_queries: Any
) -> None:
    clock = iter(range(0, 10_000, 200))
    recent: RecentResults[list[str]] = RecentResults(clock=lambda: next(clock))
    issue_with(publication, site.put("/there", "Hello"))
    check_due_links(now=NOW, fetcher=fetcher, recent=recent)
    with django_assert_max_num_queries(3):
        check_due_links(now=NOW, fetcher=fetcher, recent=recent)
    with CaptureQueriesContext(connection) as later:
        check_due_links(now=NOW, fetcher=fetcher, recent=recent)
    assert len(later) > 3


@pytest.mark.parametrize("kind", ["story", "event", "appeal"])
def test_a_corrected_address_is_fetched_at_the_next_run(
    publication: Publication, site: Site, fetcher: Fetcher, kind: str
) -> None:
    recent: RecentResults[list[str]] = RecentResults()
    make_appeal(link=site.put("/give", "Hello"))
    make_event("Vigil", online=True, url=site.put("/vigil", "Hello"))
    issue_with(publication, site.put("/there", "Hello"))
    check_due_links(now=NOW, fetcher=fetcher, recent=recent)
    assert check_due_links(now=NOW, fetcher=fetcher, recent=recent) == 0
    moved = site.put("/moved", "Hello")
    if kind == "story":
        Story.objects.update(url=moved)
    elif kind == "event":
        EventNotice.objects.update(url=moved)
    else:
        Appeal.objects.update(link=moved)
    assert check_due_links(now=NOW, fetcher=fetcher, recent=recent) == 1
    assert LinkCheck.objects.filter(url=moved).exists()


def test_an_edited_issue_is_resolved_at_the_next_run(publication: Publication, site: Site, fetcher: Fetcher) -> None:
    recent: RecentResults[list[str]] = RecentResults()
    issue = issue_with(publication, site.put("/there", "Hello"))
    check_due_links(now=NOW, fetcher=fetcher, recent=recent)
    issue.body.append(("button", {"label": "Look", "url": site.put("/new", "Hello")}))
    issue.save()
    assert check_due_links(now=NOW, fetcher=fetcher, recent=recent) == 1


def test_links_are_fetched_again_by_hand_although_nothing_changed(
    publication: Publication, site: Site, fetcher: Fetcher
) -> None:
    recent: RecentResults[list[str]] = RecentResults()
    issue = issue_with(publication, site.put("/there", "Hello"))
    first = check_due_links(now=NOW, fetcher=fetcher, recent=recent)
    check_links_again(issue=issue, by=make_approver(), now=NOW)
    assert check_due_links(now=NOW, fetcher=fetcher, recent=recent) == first


def test_a_link_that_was_checked_by_a_clock_ahead_is_checked_again(
    publication: Publication, site: Site, fetcher: Fetcher
) -> None:
    issue_with(publication, site.put("/there", "Hello"))
    check_due_links(now=NOW + timedelta(days=400), fetcher=fetcher)
    assert check_due_links(now=NOW, fetcher=fetcher) == LinkCheck.objects.count()
