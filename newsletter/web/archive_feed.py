"""The RSS 2.0 feed of a public archive: the newest issues."""

from datetime import UTC, datetime
from html import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.feedgenerator import Rss201rev2Feed
from django.views.decorators.http import conditional_page, require_safe

from newsletter.issues.archive.archived_issues import ArchivedIssue, find_archived_sends, list_archived_issues
from newsletter.models import Publication
from newsletter.rendering.phrases import reader_text

MAX_ITEMS = 20
CACHE_SECONDS = 30


@require_safe
@conditional_page
def show_feed(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with the titles, summaries and story titles of the newest issues, without anything personal."""
    publications = Publication.objects.select_related("brand", "mailing_list")
    publication = get_object_or_404(publications, slug=slug, archive=Publication.Archive.PUBLIC)
    site, language = settings.NEWSLETTER_SITE_URL, publication.language
    feed = Rss201rev2Feed(
        title=publication.name,
        link=f"{site}/news/{slug}/",
        description=reader_text("archive_of", language, name=publication.name),
        language=language,
        author_name=publication.brand.name,
        feed_url=f"{site}/news/{slug}/feed.xml",
    )
    for issue in list_archived_issues(list(find_archived_sends(publication)[:MAX_ITEMS]), at=datetime.now(UTC)):
        feed.add_item(
            title=issue.title, link=issue.url, description=_describe(issue), unique_id=issue.url, pubdate=issue.sent_at
        )
    response = HttpResponse(feed.writeString("utf-8"), content_type="application/rss+xml; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    response["Content-Security-Policy"] = "default-src 'none'"
    return response


def _describe(issue: ArchivedIssue) -> str:
    items = "".join(
        f'<li><a href="{escape(url)}">{escape(title)}</a></li>' if url else f"<li>{escape(title)}</li>"
        for title, url in (*issue.stories, *issue.events)
    )
    return f"<p>{escape(issue.summary)}</p>" + (f"<ul>{items}</ul>" if items else "")
