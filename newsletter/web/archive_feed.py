"""The feed of a public archive: its newest issues, with the corrections of their mistakes. It shows nothing personal."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.feedgenerator import Rss201rev2Feed
from django.views.decorators.http import conditional_page, require_safe

from newsletter.issues.archive.archived_issues import ArchivedIssue, find_archived_sends, list_archived_issues
from newsletter.issues.archive.correction_text import find_corrected
from newsletter.issues.archive.public_view import find_shown_corrections
from newsletter.issues.snapshot.consent_rules import ARCHIVE
from newsletter.issues.snapshot.records.blocks import NoteBlock
from newsletter.models import Publication
from newsletter.rendering.phrases import reader_text
from newsletter.web.archive import CACHE_SECONDS

MAX_ITEMS = 20


@require_safe
@conditional_page
def show_feed(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with the titles, summaries, story titles and corrections of the newest issues, without anything personal."""
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
    now = datetime.now(UTC)
    issues = list_archived_issues(list(find_archived_sends(publication)[:MAX_ITEMS]), at=now)
    corrected = find_corrected(issue.send.issue_id for issue in issues)
    for issue in issues:
        notes = _find_notes(issue, at=now) if issue.send.issue_id in corrected else []
        text = _describe(issue, notes)
        feed.add_item(title=issue.title, link=issue.url, description=text, unique_id=issue.url, pubdate=issue.sent_at)
    response = HttpResponse(feed.writeString("utf-8"), content_type="application/rss+xml; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    response["Content-Security-Policy"] = "default-src 'none'"
    return response


def _find_notes(issue: ArchivedIssue, *, at: datetime) -> list[NoteBlock]:
    """Return the texts of the issue's corrections, the newest first."""
    original = issue.send.issue
    corrections = find_shown_corrections(original, hidden=issue.hidden, channel=ARCHIVE, at=at)
    return [note for correction in corrections for note in correction.in_language(original.publication.language)]


def _describe(issue: ArchivedIssue, notes: Iterable[NoteBlock]) -> str:
    corrections = "".join(f"<p><strong>{escape(note.heading)}</strong></p>{note.html}" for note in notes)
    items = "".join(
        f'<li><a href="{escape(url)}">{escape(title)}</a></li>' if url else f"<li>{escape(title)}</li>"
        for title, url in (*issue.stories, *issue.events)
    )
    return f"{corrections}<p>{escape(issue.summary)}</p>" + (f"<ul>{items}</ul>" if items else "")
