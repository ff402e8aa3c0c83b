"""Stories that a source names as one story in several languages become an original and its translations."""

from collections.abc import Iterator

import pytest

from newsletter.content.ingesting.ingest import ingest_source
from newsletter.issues.assembly.assemble import make_unsaved_issue
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.assembly.stories_at_source import check_before_assembly
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Source, Story
from tests.support.fixtures import NOW, make_issue, make_publication
from tests.support.process_caches import clear_wordpress_roots
from tests.support.web_site import serve_site
from tests.support.wordpress import WordPress, serve_wordpress

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def blog() -> Iterator[WordPress]:
    clear_wordpress_roots()
    with serve_wordpress() as served:
        yield served


def read(blog: WordPress) -> None:
    source, _ = Source.objects.get_or_create(name="Blog", defaults={"kind": "wordpress", "url": blog.home})
    ingest_source(source=source, now=NOW)


def add_pair(blog: WordPress) -> None:
    blog.add(7, "The first verdict", plugin_fields={"lang": "en", "translations": {"en": 7, "es": 8}})
    blog.add(8, "El primer veredicto", plugin_fields={"lang": "es", "translations": {"en": 7, "es": 8}})


def find(title: str) -> Story:
    return Story.objects.get(title=title)


def test_polylang_links_two_posts(blog: WordPress) -> None:
    add_pair(blog)
    read(blog)
    linked = Story.objects.filter(translation_of__isnull=False)
    assert linked.count() == 1
    assert {linked.get().title, linked.get().translation_of.title} == {"The first verdict", "El primer veredicto"}
    read(blog)
    assert Story.objects.filter(translation_of__isnull=False).count() == 1


@pytest.mark.parametrize("original", ["The first verdict", "El primer veredicto"])
def test_readers_get_theirs_whichever_of_the_two_is_the_original(blog: WordPress, original: str) -> None:
    add_pair(blog)
    read(blog)
    Story.objects.update(translation_of=None)
    Story.objects.exclude(title=original).update(translation_of=find(original))
    issue = make_issue(make_publication(languages=["es"]))
    content = resolve_content(issue)
    assert [story.title for story in content.stories] == ["The first verdict"]
    assert [story.title for story in content.in_language("es").stories] == ["El primer veredicto"]


def test_wpml_links_a_post_that_only_one_side_names(blog: WordPress) -> None:
    spanish = blog.add(8, "El primer veredicto", plugin_fields={"wpml_current_locale": "es_ES"})
    listed = [{"locale": "es_ES", "id": 8, "href": blog.link(spanish)}]
    blog.add(7, "The first verdict", plugin_fields={"wpml_current_locale": "en_US", "wpml_translations": listed})
    read(blog)
    assert Story.objects.filter(translation_of__isnull=False).count() == 1


def test_staff_who_took_a_link_away_have_the_last_word(blog: WordPress) -> None:
    add_pair(blog)
    read(blog)
    Story.objects.update(translation_of=None, edited_fields=["translation_of"])
    read(blog)
    assert not Story.objects.filter(translation_of__isnull=False).exists()


def test_two_posts_in_one_language_are_not_translations(blog: WordPress) -> None:
    blog.add(7, "The first verdict", plugin_fields={"lang": "en", "translations": {"en": 7, "es": 8}})
    blog.add(8, "A second verdict", plugin_fields={"lang": "en-GB"})
    read(blog)
    assert not Story.objects.filter(translation_of__isnull=False).exists()


def test_pages_of_a_feeds_stories_link_them_before_the_assembly() -> None:
    with serve_site() as site:
        for path, title, other, language in (
            ("/en/", "The verdict", "/es/", "es"),
            ("/es/", "El veredicto", "/en/", "en"),
        ):
            link = f'<link rel="alternate" hreflang="{language}" href="{site.url}{other}">'
            site.put(path, f"<html><head>{link}</head><article><h1>{title}</h1></article></html>")
        for code, title in (("en", "The verdict"), ("es", "El veredicto")):
            date = f"<pubDate>{NOW:%a, %d %b %Y 08:00:00 GMT}</pubDate>"
            item = f"<item><title>{title}</title><link>{site.url}/{code}/</link>{date}</item>"
            feed = f'<rss version="2.0"><channel><title>Site</title><language>{code}</language>{item}</channel></rss>'
            url = site.put(f"/{code}.xml", feed, Content_Type="application/rss+xml")
            ingest_source(source=Source.objects.create(name=code, kind="feed", url=url), now=NOW)
        assert not Story.objects.filter(translation_of__isnull=False).exists()
        slot = get_or_create_slot(publication=make_publication(languages=["es"]), due="", now=NOW)
        check_before_assembly(issue=make_unsaved_issue(slot), now=NOW)
    assert find("El veredicto").translation_of == find("The verdict")
