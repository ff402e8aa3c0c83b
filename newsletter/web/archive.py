"""The public archive: publications, their issues and one issue. It shows nothing personal."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from urllib.parse import urlencode

from babel.dates import format_date
from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.views.decorators.http import conditional_page, require_safe

from newsletter.issues.archive.archived_issues import ArchivedIssue, find_archived_sends, list_archived_issues
from newsletter.issues.archive.public_view import find_public_content, find_shown_corrections, render_for_archive
from newsletter.issues.archive.search_archive import Excess, find_excess, find_page
from newsletter.issues.protected_terms.check import mail_has_protected_term
from newsletter.issues.snapshot.consent_rules import ARCHIVE
from newsletter.issues.snapshot.resolve_stories import find_story_of_page
from newsletter.models import Brand, Publication, Send
from newsletter.rendering.colours import dark_palette, light_palette, normalise_colour
from newsletter.rendering.phrases import READER_TEXTS, find_text_direction, get_babel_locale, reader_text
from newsletter.web.online import find_join_url, wrap_mail

PER_PAGE = 13
MAX_SENDS_TRIED = 5
CACHE_SECONDS = 30
"""Short, because a withdrawn story must disappear within a minute."""
_CSP = (
    "default-src 'none'; img-src 'self' {site}; style-src 'self' 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action "
)
SEARCH_CSP = _CSP + "'self'"
LIST_CSP = _CSP + "'none'"
ISSUE_CSP = LIST_CSP + "; sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation"


@require_safe
@conditional_page
def show_archives(request: HttpRequest) -> HttpResponse:
    """List the publications with a public archive."""
    publications = list(_publications().filter(archive=Publication.Archive.PUBLIC))
    if not publications:
        raise Http404("There is no archive.")
    first = publications[0]
    context = {"publications": publications, "title": first.brand.name, **page_context(first)}
    return _add_headers(render(request, "archive/publications.html", context), csp=LIST_CSP, listed=True)


@require_safe
@conditional_page
def show_issues(request: HttpRequest, slug: str) -> HttpResponse:
    """List the issues of a publication, newest first: all of them, or those with the words of a search."""
    publication = get_object_or_404(_publications(), slug=slug, archive=Publication.Archive.PUBLIC)
    query = " ".join(request.GET.get("q", "").split())
    excess = find_excess(query)
    listed = _search_issues(request, publication, query) if query else _list_issues(request, publication)
    context = {
        "publication": publication,
        **listed,
        "title": publication.name,
        "query": query,
        "unsearched": _explain_excess(excess, publication.language) if excess else "",
        "found_issues": reader_text("found_issues", publication.language, words=query),
    }
    response = render(request, "archive/issues.html", {**context, **page_context(publication)})
    return _add_headers(response, csp=SEARCH_CSP, listed=True)


def _list_issues(request: HttpRequest, publication: Publication) -> dict[str, object]:
    page: Page[Send] = Paginator(find_archived_sends(publication), PER_PAGE).get_page(request.GET.get("page"))
    issues = list_archived_issues(list(page.object_list), at=datetime.now(UTC))
    return {
        "issues": list(map(issue_context, issues)),
        "newer": f"?page={page.previous_page_number()}" if page.has_previous() else "",
        "older": f"?page={page.next_page_number()}" if page.has_next() else "",
        "begins": page.number == 1,
    }


def _search_issues(request: HttpRequest, publication: Publication, query: str) -> dict[str, object]:
    first = _read_number(request.GET.get("from", ""))
    results = find_page(publication, query=query, first=first, length=PER_PAGE, at=datetime.now(UTC))

    def make_link(number: int | None) -> str:
        return f"?{urlencode({'q': query, 'from': number})}" if number is not None else ""

    return {
        "issues": list(map(issue_context, results.issues)),
        "newer": make_link(results.newer),
        "older": make_link(results.older),
    }


def _explain_excess(excess: Excess, language: str) -> str:
    return reader_text(f"too_many_{excess.unit}", language, limit=str(excess.limit), number=str(excess.number))


def _read_number(text: str) -> int | None:
    """Return the number of an issue in an address, None if it is not a number."""
    return int(text) if text.isdecimal() and len(text) < 9 else None


@require_safe
@conditional_page
def show_issue(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Show one issue: by its number in a public archive, by its unguessable name in an unlisted one."""
    publication, issue = _find_archived_issue(slug, name)
    send, listed = issue.send, publication.archive == Publication.Archive.PUBLIC
    corrections = find_shown_corrections(send.issue, hidden=issue.hidden, channel=ARCHIVE, at=datetime.now(UTC))
    mail = render_for_archive(send.revision_id, issue.hidden, issue.changed, corrections)
    if mail is None or mail_has_protected_term(mail):
        raise Http404("There is no such issue.")
    newer, older = _neighbours(publication, send) if listed else (None, None)
    context = {
        "publication": publication,
        "issue": issue_context(issue),
        "listed": listed,
        "newer": newer,
        "older": older,
        **page_context(publication),
    }
    parts = {name: render_to_string(f"archive/issue_{name}.html", context) for name in ("head", "top", "foot")}
    return _add_headers(HttpResponse(wrap_mail(mail.html, **parts)), csp=ISSUE_CSP, listed=listed)


@require_safe
@conditional_page
def show_story(request: HttpRequest, slug: str, name: str, story: int) -> HttpResponse:
    """Show the whole text of a story without a web page elsewhere, as its issue was sent, while the archive may show it."""
    publication, issue = _find_archived_issue(slug, name)
    listed = publication.archive == Publication.Archive.PUBLIC
    content = find_public_content(issue.send.revision_id, issue.hidden)
    record = find_story_of_page(content, story)
    if record is None:
        raise Http404("There is no such story.")
    context = {
        "publication": publication,
        "story": record,
        "paragraphs": record.text.split("\n\n"),
        "issue": issue_context(issue),
        "title": record.title,
        "listed": listed,
        **page_context(publication),
    }
    return _add_headers(render(request, "archive/story.html", context), csp=LIST_CSP, listed=listed)


def _find_archived_issue(slug: str, name: str) -> tuple[Publication, ArchivedIssue]:
    """Return an issue of an archive, by its number if the archive is public. Raise Http404 if it may not be shown now."""
    publication = get_object_or_404(
        _publications(), slug=slug, archive__in=[Publication.Archive.PUBLIC, Publication.Archive.UNLISTED]
    )
    send = _find_send(publication, name, listed=publication.archive == Publication.Archive.PUBLIC)
    issue = next(iter(list_archived_issues([send], at=datetime.now(UTC))), None)
    if issue is None:
        raise Http404("There is no such issue.")
    return publication, issue


def page_context(publication: Publication) -> dict[str, object]:
    """Return the context that all archive pages share: the brand, its colours and the language."""
    brand, language = publication.brand, publication.language
    return {
        "brand": brand,
        "light": _colours(brand, dark=False),
        "dark": _colours(brand, dark=True),
        "font": mark_safe(_font(brand)),
        "language": language,
        "direction": find_text_direction(language),
        "join_url": find_join_url(publication) if publication.mailing_list.public else "",
        "feed": f"/news/{publication.slug}/feed.xml",
        "words": {name: reader_text(name, language) for name in READER_TEXTS["en"]},
        "archive_of": reader_text("archive_of", language, name=publication.name),
    }


def issue_context(issue: ArchivedIssue) -> dict[str, object]:
    locale = get_babel_locale(issue.send.issue.publication.language)
    day = format_date(issue.day, format="long", locale=locale)
    return {**{name: getattr(issue, name) for name in ("title", "summary", "path", "url", "picture")}, "day": day}


def _publications() -> QuerySet[Publication]:
    return Publication.objects.select_related("brand__logo", "brand__logo_dark", "mailing_list").order_by("name")


def _find_send(publication: Publication, name: str, *, listed: bool) -> Send:
    by: dict[str, object] = {"issue__public_id": name}
    if listed:
        by = {"issue__number": _read_number(name) or 0}
    return get_object_or_404(find_archived_sends(publication), **by)


def _neighbours(publication: Publication, send: Send) -> tuple[str | None, str | None]:
    """Return the paths of the next newer and the next older issue in the archive."""
    number, archived = send.issue.number, find_archived_sends(publication)
    newer = archived.filter(issue__number__gt=number).order_by("issue__number")
    return _first_path(newer), _first_path(archived.filter(issue__number__lt=number))


def _first_path(sends: QuerySet[Send]) -> str | None:
    """Return the path of the first of these issues that can be shown."""
    for send in sends[:MAX_SENDS_TRIED]:
        if archived := list_archived_issues([send], at=datetime.now(UTC)):
            return archived[0].path
    return None


def _colours(brand: Brand, *, dark: bool) -> Mapping[str, str]:
    colour, accent = (
        normalise_colour(brand.colour, fallback="#1f4e5f"),
        normalise_colour(brand.accent, fallback="#b3541e"),
    )
    if dark:
        return asdict(dark_palette(colour=colour, accent=accent))
    background = normalise_colour(brand.background, fallback="#f4f1ec")
    return asdict(light_palette(colour=colour, accent=accent, background=background))


def _font(brand: Brand) -> str:
    """Return the brand's font list without characters that could end the style."""
    return "".join(char for char in brand.font if char.isalnum() or char in " ,'-")


def _add_headers(response: HttpResponse, *, csp: str, listed: bool) -> HttpResponse:
    response["Content-Security-Policy"] = csp.format(site=settings.NEWSLETTER_SITE_URL)
    response["Referrer-Policy"] = "strict-origin-when-cross-origin" if listed else "no-referrer"
    response["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    if not listed:
        response["X-Robots-Tag"] = "noindex"
    return response
