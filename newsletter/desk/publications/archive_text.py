"""The web addresses of a publication's archive and of an issue in it, for staff."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from newsletter.issues.archive.archived_issues import find_archived_sends, list_archived_issues
from newsletter.models import Issue, Publication


def archive_panel_context(publication: Publication) -> dict[str, object] | None:
    """Return the addresses of the archive and its feed, `unlisted` if it is reached by link only, or None if it is off."""
    if publication.archive == Publication.Archive.OFF:
        return None
    if publication.archive != Publication.Archive.PUBLIC:
        return {"unlisted": True}
    site = settings.NEWSLETTER_SITE_URL
    return {
        "page": site + reverse("archive", args=[publication.slug]),
        "feed": site + reverse("archive_feed", args=[publication.slug]),
    }


def find_archive_url(issue: Issue, *, now: datetime) -> str:
    """Return the address of the issue's page in the archive; empty if there is none."""
    if issue.publication.archive == Publication.Archive.OFF:
        return ""
    archived = list_archived_issues(list(find_archived_sends(issue.publication).filter(issue=issue)[:1]), at=now)
    return archived[0].url if archived else ""
