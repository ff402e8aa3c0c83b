"""The archive of a publication: which issues anybody may read, and what a list of them says of each. Reads only.

Nothing personal is in it; a story that was withdrawn, or is not agreed to for the archive, is in none of it, and an issue
that says a protected term is not in it at all, whenever that was put on the list.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from newsletter.issues.archive.public_view import Hidden, fill_merge_defaults, find_hidden_for_each
from newsletter.issues.protected_terms.check import has_protected_term
from newsletter.issues.snapshot.consent_rules import ARCHIVE
from newsletter.issues.snapshot.redact import iter_stories, remove_stories
from newsletter.issues.variants.visibility import Content
from newsletter.models import Issue, Publication, Send

_STARTED_STATES = (Send.State.SUBMITTING, Send.State.PAUSED, Send.State.SUBMITTED, Send.State.NEEDS_ATTENTION)


@dataclass(frozen=True)
class ArchivedIssue:
    """One issue as a list shows it. ``picture`` is its lead story's, or None; ``stories`` are (title, url) pairs."""

    send: Send
    title: str
    summary: str
    path: str
    picture: Content | None
    stories: list[tuple[str, str]]
    hidden: Hidden

    @property
    def url(self) -> str:
        return f"{settings.NEWSLETTER_SITE_URL}{self.path}"

    @property
    def day(self) -> datetime:
        """When it went out, on the publication's clock."""
        started_at = self.send.started_at or self.send.made_at
        return started_at.astimezone(ZoneInfo(self.send.issue.publication.zone))


def find_archived_sends(publication: Publication) -> QuerySet[Send]:
    """The sends of the issues in its archive, newest issue first."""
    return (
        Send.objects.filter(
            issue__publication=publication,
            issue__kind=Issue.Kind.ISSUE,
            issue__in_archive=True,
            issue__state__in=[Issue.State.SENDING, Issue.State.SENT],
            state__in=_STARTED_STATES,
        )
        .select_related("issue__publication__brand", "issue__publication__mailing_list", "revision")
        .order_by("-issue__number")
    )


def list_archived_issues(sends: list[Send], *, at: datetime) -> list[ArchivedIssue]:
    """What lists and feeds say of these issues now, in their order; nothing of one that says a protected term."""
    contents = [send.revision.content for send in sends]
    hidden = find_hidden_for_each(contents, channel=ARCHIVE, at=at)
    told = zip(sends, contents, hidden, strict=True)
    return [
        _make_archived_issue(send, content, gone)
        for send, content, gone in told
        if not has_protected_term(remove_stories(content, stories=gone))
    ]


def make_archive_path(issue: Issue) -> str:
    """By its number where the archive is for everybody; by a name that nobody can guess where it is not."""
    public = issue.publication.archive == Publication.Archive.PUBLIC
    return f"/news/{issue.publication.slug}/{issue.number if public else issue.public_id}/"


def _make_archived_issue(send: Send, content: Content, hidden: Hidden) -> ArchivedIssue:
    left = fill_merge_defaults(remove_stories(content, stories=hidden))
    stories = list(iter_stories(left))
    lead = next((story["picture"] for story in stories if story["picture"]), None)
    teaser = stories[0]["teaser"] if stories else ""
    return ArchivedIssue(
        send=send,
        title=left["subject"] or str(send.issue),
        summary=left["preheader"] or teaser,
        path=make_archive_path(send.issue),
        picture=lead,
        stories=[(story["title"], story["url"]) for story in stories],
        hidden=hidden,
    )
