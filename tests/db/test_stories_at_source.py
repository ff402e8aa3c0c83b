"""A story that its source no longer shows is not sent: checks at ingest, assembly, approval and before the send."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from newsletter.common.errors import NotApproved
from newsletter.content.ingesting.ingest import ingest_source
from newsletter.content.ingesting.source_visibility import update_source_visibility
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.hold import release_issue
from newsletter.issues.assembly.assemble import make_unsaved_issue
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.assembly.stories_at_source import check_before_assembly, require_stories_at_source
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.jobs.scheduler_jobs import assemble_due, poll_sources, start_due_sends
from newsletter.models import Issue, Send, Source, StaffNotice, Story
from newsletter.sending.freezing.start import start_send
from newsletter.sending.limits.send_window import enforce_send_window
from tests.support.fixtures import DUE, NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.process_caches import clear_wordpress_roots
from tests.support.web_site import Site, serve_site
from tests.support.wordpress import WordPress, serve_wordpress

pytestmark = pytest.mark.django_db(transaction=True)
DUE_AT = NOW + timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        served.put("/", "<h1>Home</h1>")
        yield served


@pytest.fixture
def blog() -> Iterator[WordPress]:
    clear_wordpress_roots()
    with serve_wordpress() as served:
        yield served


def wordpress_source(blog: WordPress) -> Source:
    return Source.objects.create(name="Blog", kind="wordpress", url=blog.home, language="en")


def page_story(site: Site, title: str, path: str = "/a/", **changes: Any) -> Story:
    site.put(path, f"<article><h1>{title}</h1></article>")
    return make_story(title, url=site.url + path, **changes)


def titles(issue: Issue) -> list[str]:
    return [story.title for story in resolve_content(Issue.objects.get(pk=issue.pk)).stories]


def ready(publication: Any = None) -> Issue:
    publication = publication or make_publication()
    add_subscribers(publication, 3)
    return make_issue(publication, approved=True)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"status": "trash"}, "private"), ({"status": "private"}, "private"), ({"password": "x"}, "protected")],
)
def test_a_post_unpublished_in_wordpress_is_gone(blog, change, code):
    post = blog.add(1, "The first verdict")
    blog.add(2, "A second verdict")
    source = wordpress_source(blog)
    ingest_source(source=source, now=NOW)
    for name, value in change.items():
        setattr(post, name, value)
    ingest_source(source=source, now=NOW + HOUR)
    story = Story.objects.get(external_id="1")
    assert (story.gone_code, story.gone_at) == (code, NOW + HOUR)
    assert Story.objects.get(external_id="2").gone_at is None


def test_a_post_deleted_in_wordpress_is_gone(blog):
    blog.add(1, "The first verdict")
    source = wordpress_source(blog)
    ingest_source(source=source, now=NOW)
    blog.posts.clear()
    ingest_source(source=source, now=NOW + HOUR)
    assert Story.objects.get().gone_code == "removed"


def test_a_post_that_comes_back_is_shown_again(blog):
    post = blog.add(1, "The first verdict")
    source = wordpress_source(blog)
    ingest_source(source=source, now=NOW)
    post.status = "trash"
    ingest_source(source=source, now=NOW + HOUR)
    post.status = "publish"
    ingest_source(source=source, now=NOW + 2 * HOUR)
    assert (Story.objects.get().gone_code, Story.objects.get().gone_at) == ("", None)


def test_posts_older_than_the_listing_are_not_gone(blog):
    blog.add(1, "Long ago", day="2026-01-02T10:00:00")
    source = wordpress_source(blog)
    ingest_source(source=source, now=NOW)
    blog.add(2, "New", day="2026-06-02T10:00:00")
    ingest_source(source=source, now=NOW + timedelta(days=100))
    assert not Story.objects.exclude(gone_at=None).exists()


RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>{}</channel></rss>'
ITEM = (
    "<item><title>{title}</title><link>{url}/{slug}/</link><guid>{slug}</guid><description>What happened.</description>"
    "<pubDate>{day:02} Mar 2026 10:00:00 GMT</pubDate></item>"
)


def put_feed(site: Site, *items: tuple[str, str, int]) -> Source:
    body = "".join(ITEM.format(url=site.url, slug=slug, title=title, day=day) for slug, title, day in items)
    url = site.put("/feed.xml", RSS.format(body), Content_Type="application/rss+xml")
    return Source.objects.get_or_create(name="Feed", defaults={"kind": "feed", "url": url, "language": "en"})[0]


def test_an_entry_missing_from_the_middle_of_a_feed_is_checked(site):
    for slug in ("a", "b", "c"):
        site.put(f"/{slug}/", "<article>It happened.</article>")
    ingest_source(source=put_feed(site, ("a", "First", 3), ("b", "Second", 2), ("c", "Third", 1)), now=NOW)
    del site.pages["/b/"]
    ingest_source(source=put_feed(site, ("a", "First", 3), ("c", "Third", 1)), now=NOW + HOUR)
    assert Story.objects.get(title="Second").gone_code == "removed"
    assert Story.objects.filter(gone_at=None).count() == 2


def test_an_entry_off_the_end_of_a_feed_is_not_checked(site):
    ingest_source(source=put_feed(site, ("a", "First", 3), ("b", "Second", 1)), now=NOW)
    asked = len(site.asked)
    ingest_source(source=put_feed(site, ("a", "First", 3)), now=NOW + HOUR)
    assert "/b/" not in [path for path, _ in site.asked[asked:]]


def test_a_source_of_one_missing_page_is_gone(site):
    url = site.put(
        "/story/", "<html><body><article><h1>One long story</h1><p>It happened here.</p></article></body></html>"
    )
    source = Source.objects.create(name="Page", kind="page", url=url)
    ingest_source(source=source, now=NOW)
    site.put("/story/", "gone", status=410)
    ingest_source(source=source, now=NOW + HOUR)
    assert Story.objects.get().gone_code == "removed"


@pytest.mark.parametrize(
    ("status", "headers", "body", "code"),
    [
        (404, {}, "", "removed"),
        (410, {}, "", "removed"),
        (401, {}, "", "private"),
        (403, {}, "", "private"),
        (200, {}, '<form class="post-password-form" method="post"></form>', "protected"),
        (302, {"Location": "/wp-login.php?redirect_to=a"}, "", "private"),
        (301, {"Location": "/"}, "", "removed"),
        (301, {"Location": "/moved/"}, "", ""),
        (503, {}, "", ""),
        (429, {}, "", ""),
        (200, {}, "<article>Still here</article>", ""),
    ],
)
def test_the_story_page_decides_whether_it_is_gone(site, status, headers, body, code):
    story = page_story(site, "The first verdict")
    for path in ("/moved/", "/wp-login.php"):
        site.put(path, "<p>Here.</p>")
    site.put("/a/", body, status=status, **headers)
    update_source_visibility([story], now=NOW)
    assert Story.objects.get().gone_code == code


def test_a_site_that_refuses_every_page_withdraws_no_story(site):
    story = page_story(site, "The first verdict")
    site.put("/a/", "", status=403)
    site.put("/", "", status=403)
    checked = update_source_visibility([story], now=NOW)
    assert Story.objects.get().gone_at is None
    assert "shows us none of its pages" in checked.unknown[0][1]


def test_a_site_that_answers_404_for_every_page_withdraws_no_story(site):
    stories = [page_story(site, title, path=f"/{title}/") for title in ("One", "Two", "Three")]
    page_story(site, "Not asked about", path="/other/")
    for path in ("/One/", "/Two/", "/Three/", "/other/"):
        site.put(path, "", status=404)
    checked = update_source_visibility(stories, now=NOW)
    assert not Story.objects.exclude(gone_at=None).exists()
    assert [story for story, _why in checked.doubtful] == stories


def test_a_single_story_is_not_gone_while_the_front_page_is_missing(site):
    story = page_story(site, "The first verdict")
    for path in ("/a/", "/"):
        site.put(path, "", status=404)
    assert update_source_visibility([story], now=NOW).doubtful
    assert Story.objects.get().gone_at is None


@pytest.mark.parametrize("front", [429, 503])
def test_a_refused_page_of_a_broken_site_withdraws_no_story(site, front):
    story = page_story(site, "The first verdict")
    site.put("/a/", "", status=403)
    site.put("/", "", status=front)
    update_source_visibility([story], now=NOW)
    assert Story.objects.get().gone_at is None


def test_a_firewall_that_shows_only_the_front_page_withdraws_no_story(site):
    stories = [page_story(site, title, path=f"/{title}/") for title in ("One", "Two")]
    page_story(site, "Not asked about", path="/other/")
    for path in ("/One/", "/Two/", "/other/"):
        site.put(path, "Just a moment", status=403)
    checked = update_source_visibility(stories, now=NOW)
    assert not Story.objects.exclude(gone_at=None).exists()
    assert (len(checked.unknown), checked.doubtful) == (2, [])


def test_a_firewall_challenge_withdraws_no_story(site):
    story = page_story(site, "The first verdict")
    site.put("/a/", "Just a moment", status=403, **{"cf-mitigated": "challenge"})
    update_source_visibility([story], now=NOW)
    assert Story.objects.get().gone_at is None


def test_an_answer_of_a_slow_site_counts_if_in_time(site):
    stories = [page_story(site, title, path=f"/{title}/") for title in ("One", "Two", "Three")]
    site.put("/Two/", "", status=404)
    site.put("/Three/", "late", delay=4.0)
    checked = update_source_visibility(stories, now=NOW, seconds=2)
    assert [story.title for story in checked.gone] == ["Two"]
    assert [story.title for story, _why in checked.unknown] == ["Three"]


def test_a_story_shown_later_settles_earlier_doubts(site):
    stories = [page_story(site, title, path=f"/{title}/") for title in ("One", "Two")]
    site.put("/One/", "", status=404)
    site.put("/", "", status=404)
    assert [story.title for story in update_source_visibility(stories, now=NOW).gone] == ["One"]


def test_a_private_story_is_gone_while_its_site_shows_another(site):
    stories = [page_story(site, title, path=f"/{title}/") for title in ("One", "Two")]
    site.put("/Two/", "", status=403)
    update_source_visibility(stories, now=NOW)
    assert [story.title for story in Story.objects.filter(gone_code="private")] == ["Two"]


def test_a_broken_site_holds_the_issue_until_a_person_releases_it(site):
    make_approver()
    page_story(site, "The first verdict")
    issue = ready()
    for path in ("/a/", "/"):
        site.put(path, "", status=404)
    start_due_sends(now=DUE_AT)
    issue.refresh_from_db()
    assert (issue.held, issue.state) == (True, "approved")
    assert "may be broken" in issue.held_reason
    release_issue(issue=issue)
    start_due_sends(now=DUE_AT)
    assert Send.objects.exclude(state="cancelled").get().unchecked_stories[0][0] == "The first verdict"


def test_the_page_of_a_withdrawn_story_is_not_asked_for(site):
    """Its block stays in the issue, in case it is reinstated, and is not shown."""
    page_story(site, "The first verdict")
    withdrawn = page_story(site, "The second verdict", path="/b/")
    issue = ready()
    Story.objects.filter(pk=withdrawn.pk).update(withdrawn_at=NOW)
    site.put("/a/", "", status=500)
    site.put("/b/", "", status=500)
    checked = require_stories_at_source(issue=Issue.objects.get(pk=issue.pk), now=NOW + HOUR)
    assert [story.title for story, _ in checked.unknown] == ["The first verdict"]


def test_an_unchanged_page_is_requested_by_its_etag(site):
    story = page_story(site, "The first verdict")
    site.put("/a/", "<p>It happened.</p>", ETag='"one"')
    update_source_visibility([story], now=NOW)
    update_source_visibility([Story.objects.get()], now=NOW + HOUR)
    assert site.asked[-1][1]["If-None-Match"] == '"one"'
    assert Story.objects.get().gone_at is None


def test_stories_written_by_staff_are_never_checked(site):
    page_story(site, "Ours", external_id="desk:1", source=None)
    page_story(site, "Of a source that was taken away", path="/b/", source=None)
    update_source_visibility(Story.objects.all(), now=NOW)
    assert site.asked == []


def test_the_next_story_replaces_one_gone_before_assembly(site):
    page_story(site, "The first verdict", days_old=1)
    page_story(site, "A second verdict", path="/b/", days_old=2)
    site.put("/a/", "", status=404)
    publication = make_publication(stories=1)
    check_before_assembly(
        issue=make_unsaved_issue(get_or_create_slot(publication=publication, due=DUE, now=NOW)), now=NOW
    )
    issue = make_issue(publication)
    assert titles(issue) == ["A second verdict"]
    assert any("is gone: removed at its source" in reason["why"] for reason in issue.reasons)


def test_a_story_gone_since_assembly_is_not_approved(site):
    page_story(site, "The first verdict", days_old=1)
    page_story(site, "A second verdict", path="/b/", days_old=2)
    publication = make_publication()
    add_subscribers(publication, 3)
    issue = make_issue(publication)
    assert "The first verdict" in issue.subject
    site.put("/a/", "", status=404)
    with pytest.raises(NotApproved, match=r"The first verdict.*removed at its source"):
        require_stories_at_source(issue=issue, now=NOW)
    issue.refresh_from_db()
    assert titles(issue) == ["A second verdict"]
    assert issue.subject == "A second verdict"
    require_stories_at_source(issue=issue, now=NOW + HOUR)
    approve_issue(issue=issue, by=make_approver(), now=NOW + HOUR)


def test_a_story_gone_after_approval_voids_it_and_notifies_staff(blog):
    make_approver()
    blog.add(1, "The first verdict").status = "publish"
    blog.add(2, "A second verdict", day="2026-03-01T10:00:00")
    source = wordpress_source(blog)
    ingest_source(source=source, now=NOW)
    issue = ready()
    blog.posts[1].status = "trash"
    source.due_at = None
    source.save()
    poll_sources(now=NOW + HOUR)
    issue.refresh_from_db()
    assert (issue.state, issue.subject) == ("draft", "A second verdict")
    notice = StaffNotice.objects.get()
    assert notice.subject == f"{issue} changed and needs a new approval"
    assert "the story “The first verdict” is gone: not public at its source" in notice.paragraphs[0]


def test_the_last_check_keeps_a_gone_story_from_being_sent(site):
    page_story(site, "The first verdict", days_old=1)
    page_story(site, "A second verdict", path="/b/", days_old=2)
    issue = ready()
    site.put("/a/", "", status=404)
    with pytest.raises(NotApproved, match="removed at its source"):
        start_send(issue=issue, now=NOW + HOUR)
    assert Send.objects.get().state == Send.State.CANCELLED
    issue.refresh_from_db()
    assert issue.state == "draft"
    assert not issue.approvals.filter(withdrawn_at=None).exists()


def test_the_last_check_repeats_even_a_recent_check(site):
    page_story(site, "The first verdict", days_old=1)
    page_story(site, "A second verdict", path="/b/", days_old=2)
    issue = ready()
    require_stories_at_source(issue=issue, now=NOW + HOUR)
    site.put("/a/", "", status=404)
    with pytest.raises(NotApproved, match="removed at its source"):
        start_send(issue=issue, now=NOW + HOUR + timedelta(seconds=1))


def test_an_automatic_issue_is_held_if_a_story_vanishes_last(site):
    make_approver()
    page_story(site, "The first verdict", days_old=1)
    page_story(site, "A second verdict", path="/b/", days_old=2)
    publication = make_publication(approval="auto")
    add_subscribers(publication, 3)
    assemble_due(now=NOW)
    issue = Issue.objects.get()
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    site.put("/a/", "", status=404)
    start_due_sends(now=DUE_AT)
    issue.refresh_from_db()
    assert issue.held
    assert "The first verdict" in issue.held_reason
    assert f"{issue} is held" in StaffNotice.objects.values_list("subject", flat=True)
    assert not Send.objects.exclude(state="cancelled").exists()


def test_an_automatic_issue_is_sent_without_a_gone_story(site):
    page_story(site, "The first verdict", days_old=1)
    page_story(site, "A second verdict", path="/b/", days_old=2)
    publication = make_publication(approval="auto")
    add_subscribers(publication, 3)
    assemble_due(now=NOW)
    site.put("/a/", "", status=404)
    start_due_sends(now=DUE_AT)
    send = Send.objects.get()
    assert [story.title for story in IssueContent.from_json(send.revision.content).stories] == ["A second verdict"]
    assert send.revision.content["subject"] == "A second verdict"


def test_an_automatic_issue_without_content_is_held(site):
    make_approver()
    page_story(site, "The first verdict")
    publication = make_publication(approval="auto")
    add_subscribers(publication, 3)
    assemble_due(now=NOW)
    site.put("/a/", "", status=404)
    start_due_sends(now=DUE_AT)
    assert Issue.objects.get().held
    assert not Send.objects.exists()


@pytest.mark.parametrize("status", [500, 503])
def test_a_broken_site_does_not_stop_the_send_which_says_so(site, status):
    page_story(site, "The first verdict")
    issue = ready()
    site.put("/a/", "", status=status)
    send = start_send(issue=issue, now=NOW + HOUR)
    assert send.state == Send.State.SUBMITTING
    (title, why) = Send.objects.get().unchecked_stories[0]
    assert (title, str(status) in why) == ("The first verdict", True)


def test_a_running_send_pauses_before_mails_with_a_gone_story(site):
    story = page_story(site, "The first verdict")
    send = start_send(issue=ready(), now=NOW + HOUR)
    site.put("/a/", "", status=404)
    update_source_visibility([story], now=NOW + 2 * HOUR)
    enforce_send_window(now=NOW + 2 * HOUR)
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert "gone at its source" in send.reason


def test_related_links_omit_a_gone_story(site):
    gone = page_story(site, "An older story", path="/old/", days_old=90)
    page_story(site, "The first verdict", related=[["An older story, told before", site.url + "/old/"]])
    issue = make_issue(make_publication())
    assert gone.url in str(resolve_content(issue))
    site.put("/old/", "", status=404)
    update_source_visibility([gone], now=NOW)
    assert gone.url not in str(resolve_content(Issue.objects.get()))


def test_stories_on_several_slow_sites_are_checked_in_parallel(site):
    with serve_site() as other:
        stories = [page_story(site, "One"), page_story(other, "Two", path="/b/")]
        checked = update_source_visibility(stories, now=NOW, seconds=5)
    assert (checked.gone, checked.unknown) == ([], [])


def test_a_story_returns_to_an_unsent_issue(site):
    page_story(site, "The first verdict", days_old=1)
    page_story(site, "A second verdict", path="/b/", days_old=2)
    issue = make_issue(make_publication())
    site.put("/a/", "", status=404)
    update_source_visibility(Story.objects.all(), now=NOW)
    assert titles(issue) == ["A second verdict"]
    site.put("/a/", "<p>Back.</p>")
    update_source_visibility(Story.objects.all(), now=NOW + HOUR)
    assert titles(issue) == ["The first verdict", "A second verdict"]


def test_a_page_that_is_back_is_shown_again_by_an_unchanged_feed(site):
    source = put_feed(site, ("a", "The first verdict", 2))
    body = RSS.format(ITEM.format(url=site.url, slug="a", title="The first verdict", day=2))
    site.put("/feed.xml", body, Content_Type="application/rss+xml", ETag='"one"')
    site.put("/a/", "<article><h1>The first verdict</h1></article>")
    ingest_source(source=source, now=NOW)
    site.put("/a/", "", status=404)
    update_source_visibility(Story.objects.select_related("source"), now=NOW + HOUR)
    assert Story.objects.get().gone_code == "removed"
    ingest_source(source=source, now=NOW + 2 * HOUR)
    assert Story.objects.get().gone_code == "removed"
    site.put("/a/", "<article><h1>The first verdict</h1></article>")
    report = ingest_source(source=source, now=NOW + 2 * HOUR + timedelta(minutes=5))
    assert (report.unchanged, Story.objects.get().gone_code) == (1, "removed"), "it was checked five minutes ago"
    ingest_source(source=source, now=NOW + 3 * HOUR)
    assert Story.objects.get().gone_code == ""


def test_each_of_many_gone_stories_is_checked_in_its_turn(site):
    names = [f"s{number}" for number in range(25)]
    source = put_feed(site, *((name, f"Story {name}", 2) for name in names))
    body = "".join(ITEM.format(url=site.url, slug=name, title=f"Story {name}", day=2) for name in names)
    site.put("/feed.xml", RSS.format(body), Content_Type="application/rss+xml", ETag='"one"')
    ingest_source(source=source, now=NOW)
    for number, story in enumerate(Story.objects.order_by("pk")):
        at = NOW + number * timedelta(minutes=1)
        Story.objects.filter(pk=story.pk).update(gone_at=at, gone_code="removed", checked_at=at)
    for name in names:
        site.put(f"/{name}/", f"<article><h1>Story {name}</h1></article>")
    for hours in (3, 6):
        ingest_source(source=source, now=NOW + hours * HOUR)
    assert not Story.objects.exclude(gone_code="").exists()


def test_a_check_by_a_clock_that_was_ahead_is_made_again(site):
    story = page_story(site, "The first verdict")
    update_source_visibility([story], now=NOW + timedelta(days=400))
    site.put("/a/", "", status=410)
    update_source_visibility([story], now=NOW, fresh=HOUR)
    assert Story.objects.get().gone_at == NOW


def test_a_missing_post_is_checked_though_a_clock_was_ahead(blog):
    blog.add(1, "The first verdict")
    source = wordpress_source(blog)
    ingest_source(source=source, now=NOW)
    Story.objects.update(checked_at=NOW + timedelta(days=400))
    blog.posts.clear()
    ingest_source(source=source, now=NOW + HOUR)
    assert Story.objects.get().gone_at == NOW + HOUR
