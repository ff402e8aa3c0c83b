"""A story that several sources of one site list is one row, so nobody gets it twice."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import IntegrityError

from newsletter.content.ingesting.ingest import IngestReport, ingest_source
from newsletter.content.parsing.urls import hash_url
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Source, Story, StoryAddress, StoryOrigin
from subscribers.models import Topic
from tests.support.fixtures import NOW, make_issue, make_publication, make_story
from tests.support.process_caches import clear_wordpress_roots
from tests.support.web_site import Site, serve_site
from tests.support.wordpress import WordPress, serve_wordpress

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>{}</channel></rss>'
ITEM = (
    "<item><title>{title}</title><link>{link}</link><guid>{guid}</guid><description>{text}</description>"
    "<pubDate>{day:02} Mar 2026 10:00:00 GMT</pubDate></item>"
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        yield served


@pytest.fixture
def blog() -> Iterator[WordPress]:
    clear_wordpress_roots()
    with serve_wordpress() as served:
        yield served


def read(name: str, kind: str, url: str) -> IngestReport:
    source, _ = Source.objects.get_or_create(name=name, defaults={"kind": kind, "url": url, "language": "en"})
    return ingest_source(source=source, now=NOW)


def put_feed(site: Site, path: str, *items: dict[str, str], day: int = 2) -> str:
    usual = {"title": "The first verdict", "text": "What happened.", "day": day}
    body = "".join(ITEM.format(**{**usual, **item}) for item in items)
    return site.put(path, RSS.format(body), Content_Type="application/rss+xml")


def test_the_rest_interface_the_feed_and_the_page_of_a_post_are_one_story(blog):
    blog.add(7, "The first verdict")
    assert read("REST", "wordpress", blog.home).new == 1
    assert read("Feed", "feed", blog.home + "feed/").new == 0
    assert read("Page", "page", blog.link(blog.posts[7])).new == 0
    assert Story.objects.count() == 1
    assert StoryOrigin.objects.count() == 3


@pytest.mark.parametrize("order", [("page", "feed"), ("feed", "wordpress"), ("page", "wordpress")])
def test_it_is_one_story_whichever_source_is_first(blog, order):
    blog.add(7, "The first verdict")
    urls = {"wordpress": blog.home, "feed": blog.home + "feed/", "page": f"{blog.home}?p=7"}
    reports = [read(kind, kind, urls[kind]) for kind in order]
    assert [report.new for report in reports] == [1, 0]


@pytest.mark.parametrize(
    "other",
    [
        "http://www.example.org/a",
        "https://example.org/a/?utm_source=rss&utm_medium=feed",
        "https://EXAMPLE.org/a/#top",
        "https://example.org/a?fbclid=1",
    ],
)
def test_two_feeds_that_write_an_address_differently_are_one_story(site, other):
    read("One", "feed", put_feed(site, "/1.xml", {"link": "https://example.org/a/", "guid": "one"}))
    report = read("Two", "feed", put_feed(site, "/2.xml", {"link": other, "guid": "two"}))
    assert (report.new, Story.objects.count()) == (0, 1)


def test_an_entry_whose_identity_changed_is_still_the_same_story(site):
    url = put_feed(site, "/1.xml", {"link": "http://example.org/a/", "guid": "http://example.org/a/"})
    read("One", "feed", url)
    put_feed(site, "/1.xml", {"link": "https://example.org/a/", "guid": "https://example.org/a/"})
    assert read("One", "feed", url).new == 0
    assert Story.objects.get().url == "https://example.org/a/"


def test_entries_of_one_feed_with_one_page_are_separate_stories(site):
    link = "https://example.org/news/"
    items = [{"link": link, "guid": str(number), "title": f"Number {number}"} for number in (1, 2)]
    read("One", "feed", put_feed(site, "/1.xml", *items))
    assert Story.objects.count() == 2
    assert not StoryAddress.objects.filter(sha256=hash_url(link)).exists()


def test_a_feed_that_always_links_to_one_page_has_new_stories(site):
    for number, title in enumerate(("Spring appeal", "Winter appeal")):
        item = {"link": "https://example.org/donate/", "guid": str(number), "title": title}
        # The day differs too.
        url = put_feed(site, "/1.xml", item, day=number + 2)
        assert read("One", "feed", url).new == 1
    assert sorted(Story.objects.values_list("title", flat=True)) == ["Spring appeal", "Winter appeal"]


@pytest.mark.parametrize(
    ("tag", "link", "rows"),
    [
        ('<link rel="shortlink" href="/?p=7">', "/?p=7", 1),
        ('<meta property="og:url" content="/rents/">', "/rents/", 1),
        ("", "/rents/", 2),
    ],
)
@pytest.mark.parametrize("feed_first", [True, False])
def test_a_short_link_or_an_open_graph_address_is_enough_to_join(site, tag, link, rows, feed_first):
    body = "<article><h1>Rents are frozen</h1><p>It happened here.</p></article>"
    url = site.put("/2026/rents-frozen/", f"<html><head>{tag}</head><body>{body}</body></html>")
    feed = put_feed(site, "/1.xml", {"link": site.url + link, "guid": "one", "title": "Rents are frozen"})
    sources = [("Feed", "feed", feed), ("Page", "page", url)]
    for source in sources if feed_first else reversed(sources):
        read(*source)
    assert (Story.objects.count(), StoryOrigin.objects.count()) == (rows, 2)


@pytest.mark.parametrize("tag", ['<link rel="canonical" href="/news/">', '<meta property="og:url" content="/news/">'])
def test_pages_that_name_the_same_overview_are_different_stories(site, tag):
    for path, title in (("/news/one/", "Rents are frozen"), ("/news/two/", "The clinic opens")):
        page = (
            f"<html><head>{tag}</head><body><article><h1>{title}</h1><p>It happened here.</p></article></body></html>"
        )
        assert read(title, "page", site.put(path, page)).new == 1
    assert Story.objects.count() == 2


def test_two_sites_with_equal_post_numbers_have_different_stories(site):
    for host in ("one.example.org", "two.example.org"):
        item = {"link": f"https://{host}/?p=5", "guid": f"https://{host}/?p=5", "title": host}
        assert read(host, "feed", put_feed(site, f"/{host}.xml", item)).new == 1


def test_parameters_that_name_the_story_separate_stories(site):
    for number in ("5", "6"):
        item = {"link": f"https://example.org/story.php?id={number}", "guid": f"a{number}", "title": f"Story {number}"}
        assert read(number, "feed", put_feed(site, f"/{number}.xml", item)).new == 1


def test_a_page_for_phones_is_the_same_story_as_its_canonical_page(site):
    body = "<article><h1>Rents are frozen</h1><p>It happened here.</p></article>"
    head = '<link rel="canonical" href="/rents/">'
    url = site.put("/rents/", f"<html><head>{head}</head><body>{body}</body></html>")
    amp = site.put("/rents/amp/", f"<html><head>{head}</head><body>{body}</body></html>")
    assert [read("Page", "page", url).new, read("Amp", "page", amp).new] == [1, 0]


def test_feeds_with_equal_entry_numbers_have_different_stories(site):
    for name in ("One", "Two"):
        item = {"link": f"https://example.org/{name}/", "guid": "1", "title": name}
        read(name, "feed", put_feed(site, f"/{name}.xml", item))
    assert Story.objects.count() == 2


def test_a_front_page_is_not_the_address_of_a_story(site):
    for name in ("One", "Two"):
        item = {"link": "https://example.org/", "guid": name, "title": name}
        read(name, "feed", put_feed(site, f"/{name}.xml", item))
    assert Story.objects.count() == 2


def test_the_first_source_keeps_the_text_and_others_add_topics(site):
    Topic.objects.create(slug="courts", name="Courts")
    link = {"link": "https://example.org/a/", "guid": "a"}
    read("One", "feed", put_feed(site, "/1.xml", {**link, "text": "In full."}))
    url = put_feed(site, "/2.xml", {**link, "text": "Cut off"})
    source = Source.objects.create(name="Two", kind="feed", url=url)
    source.topics.add(Topic.objects.get())
    for _ in range(2):
        ingest_source(source=source, now=NOW)
        read("One", "feed", site.url + "/1.xml")
    story = Story.objects.get()
    assert story.teaser == "In full."
    assert [topic.slug for topic in story.topics.all()] == ["courts"]


def test_edits_of_staff_survive_another_source(site):
    link = {"link": "https://example.org/a/", "guid": "a"}
    read("One", "feed", put_feed(site, "/1.xml", link))
    Story.objects.update(title="Our own headline", edited_fields=["title"])
    Source.objects.update(enabled=False)
    read("Two", "feed", put_feed(site, "/2.xml", {**link, "text": "New words."}))
    story = Story.objects.get()
    assert (story.title, story.teaser) == ("Our own headline", "New words.")


def test_a_story_that_staff_wrote_is_not_listed_a_second_time(site):
    story = make_story("Ours", source=None, external_id="desk:1", url="https://example.org/a/")
    StoryAddress.objects.create(story=story, sha256=hash_url(story.url), address=story.url)
    read("One", "feed", put_feed(site, "/1.xml", {"link": "https://example.org/a/", "guid": "a"}))
    assert [story.title for story in Story.objects.all()] == ["Ours"]


def test_a_publication_of_the_second_source_gets_the_story(site):
    link = {"link": "https://example.org/a/", "guid": "a"}
    read("One", "feed", put_feed(site, "/1.xml", link))
    read("Two", "feed", put_feed(site, "/2.xml", link))
    publication = make_publication()
    publication.sources.add(Source.objects.get(name="Two"))
    issue = make_issue(publication)
    assert [story.title for story in resolve_content(issue).stories] == ["The first verdict"]


def test_no_two_stories_have_one_address():
    one, two = make_story("One"), make_story("Two")
    name = hash_url("https://example.org/a/")
    StoryAddress.objects.create(story=one, sha256=name, address="https://example.org/a/")
    with pytest.raises(IntegrityError):
        StoryAddress.objects.create(story=two, sha256=name, address="http://www.example.org/a")


def test_an_issue_shows_a_story_once():
    story = make_story("The first verdict")
    issue = make_issue(make_publication())
    issue.body = [*((block.block_type, block.value) for block in issue.body), ("lead_story", {"story": story})]
    issue.save()
    issue.refresh_from_db()
    assert [shown.id for shown in resolve_content(issue).stories] == [story.pk]
