"""A click on a counted link redirects, is counted anonymously, and machines are counted separately."""

import re

import pytest
from django.db import DatabaseError
from django.test import Client

from newsletter.feedback.clicks import RecentClicks, looks_like_machine
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.variants.mail_links import make_click_url
from newsletter.models import Issue, LinkClicks, Publication, Variant
from newsletter.web import clicks
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
TARGET = "https://example.org/stories/1/?a=1&b=2"


@pytest.fixture(autouse=True)
def _no_recent_clicks() -> None:
    clicks._recent = RecentClicks()


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    issue = make_issue(publication)
    Issue.objects.update(state="sent")
    return issue


def follow(issue: Issue, url: str = TARGET, *, agent: str = BROWSER, **headers: str) -> object:
    path = make_click_url(issue=issue.public_id, url=url).partition("8000")[2]
    return Client().get(path, headers={"user-agent": agent, **headers})


def counted(url: str = TARGET) -> tuple[int, int]:
    row = LinkClicks.objects.filter(url=url).first()
    return (row.people, row.machines) if row else (0, 0)


@pytest.mark.requirement("P11")
def test_a_click_redirects_and_is_counted_anonymously(issue: Issue) -> None:
    """No cookie, no address, no reader in what is kept."""
    response = follow(issue)
    assert (response.status_code, response.headers["Location"]) == (302, TARGET)
    assert (response.headers["Referrer-Policy"], response.headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert not response.cookies
    follow(issue, agent=BROWSER.replace("140", "141"))
    assert counted() == (2, 0)
    assert {field.name for field in LinkClicks._meta.fields} == {
        "id", "issue", "link", "url", "day", "arm", "people", "machines"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("agent", "headers"),
    [
        ("", {}),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", {}),
        ("Mozilla/5.0 proofpoint", {}),
        ("curl/8.0", {}),
        (BROWSER, {"sec-purpose": "prefetch;prerender"}),
        (BROWSER, {"purpose": "preview"}),
    ],
)
def test_declared_machines_are_counted_separately(issue: Issue, agent: str, headers: dict[str, str]) -> None:
    follow(issue, agent=agent, **headers)
    assert counted() == (0, 1)


def test_a_burst_of_clicks_counts_as_a_machine_from_the_first(issue: Issue) -> None:
    urls = [f"https://example.org/{number}" for number in range(5)]
    for url in urls:
        follow(issue, url)
    assert [counted(url) for url in urls] == [(0, 1)] * 5


def test_one_link_repeated_or_slow_clicks_are_no_burst() -> None:
    bursts = RecentClicks(links=3, seconds=10, max_clients=2)
    for at in range(5):
        assert bursts.note(client="a", issue="i", url="one", at=at) == []
    assert not bursts.is_burst(client="a", issue="i", at=4)
    for at, url in ((20, "two"), (40, "three"), (60, "four")):
        assert bursts.note(client="a", issue="i", url=url, at=at) == []
    for who in ("b", "c"):
        bursts.note(client=who, issue="i", url="one", at=61)
    assert len(bursts._seen) == 2


def test_somebody_who_follows_a_link_again_counts_once(issue: Issue) -> None:
    for _ in range(3):
        assert follow(issue).status_code == 302
    follow(issue, "https://example.org/other/")
    assert (counted(), counted("https://example.org/other/")) == ((1, 0), (1, 0))


def test_a_repeated_click_counts_again_after_an_hour() -> None:
    recent = RecentClicks()
    recent.note(client="a", issue="i", url="one", at=0)
    assert recent.is_repeated(client="a", issue="i", url="one", at=3599)
    assert not recent.is_repeated(client="a", issue="i", url="one", at=3600)
    assert not recent.is_repeated(client="b", issue="i", url="one", at=1)


def test_a_head_request_counts_nothing(issue: Issue) -> None:
    path = make_click_url(issue=issue.public_id, url=TARGET).partition("8000")[2]
    assert Client().head(path).status_code == 302
    assert Client().post(path).status_code == 405
    assert counted() == (0, 0)


def test_clicks_in_an_unsent_issue_are_not_counted(issue: Issue) -> None:
    """Return the clicks of staff who look at a preview."""
    Issue.objects.update(state="draft")
    assert follow(issue).status_code == 302
    assert counted() == (0, 0)


SCANNERS = {
    "says what it is": ("Mozilla/5.0 (compatible; Barracuda Sentinel)", 1, {}),
    "fetches ahead": (BROWSER, 1, {"sec-purpose": "prefetch"}),
    "follows every link at once as a browser": (BROWSER, 6, {}),
}


@pytest.mark.parametrize("profile", SCANNERS)
@pytest.mark.requirement("C4")
def test_mail_scanners_are_counted_separately_from_people(issue: Issue, profile: str) -> None:
    """At least 95 of 100 clicks of each scanner are flagged, and at most one of 100 of people."""
    agent, links, headers = SCANNERS[profile]
    for scanner in range(10):
        for link in range(links):
            follow(issue, f"https://example.org/{link}", agent=agent, **{"x-scanner": str(scanner), **headers})
        clicks._recent = RecentClicks()
    machines = sum(LinkClicks.objects.values_list("machines", flat=True))
    people = sum(LinkClicks.objects.values_list("people", flat=True))
    assert machines >= 0.95 * (machines + people)
    LinkClicks.objects.all().delete()
    for reader in range(100):
        follow(issue, f"https://example.org/{reader % 7}", agent=f"{BROWSER} reader/{reader}")
    assert sum(LinkClicks.objects.values_list("machines", flat=True)) <= 1


@pytest.mark.requirement("C5")
def test_a_link_with_one_changed_byte_leads_nowhere(issue: Issue) -> None:
    path = make_click_url(issue=issue.public_id, url=TARGET).partition("8000")[2]
    begin, found = len("/r/"), []
    for at in range(begin, len(path)):
        changed = path[:at] + ("x" if path[at] != "x" else "y") + path[at + 1 :]
        found.append(Client().get(changed, headers={"user-agent": BROWSER}).status_code)
    assert set(found) == {404}
    assert Client().get(path).headers["Location"] == TARGET


@pytest.mark.requirement("C5")
def test_personal_links_are_never_counted(publication: Publication) -> None:
    Publication.objects.update(clicks="counts")
    make_story("The clinic opens its doors")
    add_subscribers(publication, 1)
    issue = make_issue(Publication.objects.get())
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    html = Variant.objects.get().html
    over_us = [link for link in re.findall(r'href="([^"]+)"', html) if "/r/" in link]
    assert over_us
    assert not [link for link in over_us if "__pv_" in link or "/view/" in link or "mailto" in link or "tel:" in link]
    assert "__pv_u_unsubscribe__" in html


@pytest.mark.parametrize("target", ["https://evil.example/", "javascript:alert(1)", ""])
@pytest.mark.requirement("C5")
def test_a_changed_link_leads_nowhere(issue: Issue, target: str) -> None:
    path = make_click_url(issue=issue.public_id, url=TARGET).partition("8000")[2].partition("?")[0]
    assert Client().get(path, {"to": target}).status_code == 404


@pytest.mark.parametrize(
    "added",
    [".", "=", ")", ">", ").", ">,", "%22", "=%0D%0A", "%0A", "%20and%20more", "%0Aand%20more", "+and", "%E2%80%8B"],
)
@pytest.mark.parametrize(
    "url", [TARGET, "https://example.org/Harbour_(bay)", "https://example.org/a?b=", "https://example.org/"]
)
def test_a_link_with_something_added_leads_to_its_target(issue: Issue, url: str, added: str) -> None:
    path = make_click_url(issue=issue.public_id, url=url).partition("8000")[2]
    assert Client().get(f"{path}{added}", headers={"user-agent": BROWSER})["Location"] == url
    assert counted(url) == (1, 0)


def test_a_link_with_a_line_break_in_its_target_leads_there(issue: Issue) -> None:
    path = make_click_url(issue=issue.public_id, url=TARGET).partition("8000")[2]
    for line_break in ("=%0D%0A", "%0A", "%20"):
        assert Client().get(f"{path[:-9]}{line_break}{path[-9:]}").headers["Location"] == TARGET


@pytest.mark.parametrize("added", [".", "=", ")", "%0A", "%20and%20more"])
def test_a_changed_link_counts_for_its_subject(issue: Issue, added: str) -> None:
    path = make_click_url(issue=issue.public_id, url=TARGET, arm=2).partition("8000")[2]
    assert Client().get(f"{path}{added}", headers={"user-agent": BROWSER})["Location"] == TARGET
    assert LinkClicks.objects.get().arm == 2


def test_additions_to_a_link_never_change_its_target(issue: Issue) -> None:
    path = make_click_url(issue=issue.public_id, url="https://example.org/").partition("8000")[2]
    for added in ("stories", "@evil.example/", "%20https://evil.example/", "......"):
        answer = Client().get(f"{path}{added}")
        assert answer.status_code == 404 or answer["Location"] == "https://example.org/"
    assert Client().get(f"{path}stories").status_code == 404


def test_a_click_redirects_even_if_it_cannot_be_counted(issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**given: object) -> None:
        raise DatabaseError("database is locked")

    monkeypatch.setattr(clicks, "count_click", refuse)
    assert follow(issue).status_code == 302


def test_a_link_of_a_deleted_issue_still_redirects() -> None:
    path = make_click_url(issue="f" * 32, url=TARGET).partition("8000")[2]
    assert Client().get(path).headers["Location"] == TARGET


def test_a_click_without_a_user_agent_looks_like_a_machine() -> None:
    assert looks_like_machine({})
    assert not looks_like_machine({"user-agent": BROWSER})


def test_counted_links_are_in_mails_but_not_in_web_pages(publication: Publication) -> None:
    Publication.objects.update(clicks="counts")
    make_story("The clinic opens its doors")
    add_subscribers(publication, 1)
    issue = make_issue(Publication.objects.get())
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    variant = Variant.objects.get()
    assert f"/r/{issue.public_id}/" in variant.html
    assert "/r/" not in variant.text
    assert "/r/" not in Client().get(f"/view/{variant.public_id}").content.decode()


@pytest.mark.requirement("P11")
def test_mails_without_counting_contain_no_link_of_ours(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 1)
    make_issue(publication, approved=True)
    assert "/r/" not in Variant.objects.get().html
