"""Where the public archive of a publication and the page of an issue in it are, for staff. Reads only."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from newsletter.issues.archive.archived_issues import find_archived_sends, list_archived_issues
from newsletter.models import Issue, Publication


def archive_panel_context(publication: Publication) -> dict[str, Any] | None:
    """The addresses of its list and feed; only that there are pages for who has their link; nothing where it has none."""
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
    """The address of the issue's page in the archive; empty where nobody can read it there."""
    if issue.publication.archive == Publication.Archive.OFF:
        return ""
    described = list_archived_issues(list(find_archived_sends(issue.publication).filter(issue=issue)[:1]), at=now)
    return described[0].url if described else ""
