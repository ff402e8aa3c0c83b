"""Find the issues in a publication's public archive, with their entries in a list. Reads only.

The archive has nothing personal. It leaves out stories that were withdrawn or have no consent for the archive, and
whole issues with a protected term, even if the term was added later.
"""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from newsletter.issues.archive.current_events import ChangedEvents, find_changed_events, show_changed_events
from newsletter.issues.archive.hidden_stories import Hidden, find_hidden_for_each
from newsletter.issues.archive.public_view import STARTED_STATES, fill_merge_defaults
from newsletter.issues.protected_terms.check import has_protected_term
from newsletter.issues.snapshot.consent_rules import ARCHIVE
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.snapshot.redact import remove_limited_blocks, remove_stories
from newsletter.issues.snapshot.resolve_stories import make_archive_path
from newsletter.models import Issue, Publication, Send


@dataclass(frozen=True)
class ArchivedIssue:
    """One issue as a list shows it. ``picture`` is the first story's that has one.

    ``stories`` and ``events`` are (title, url) pairs. ``content`` is all that the archive shows of it now.
    """

    send: Send
    title: str
    summary: str
    path: str
    picture: PictureRecord | None
    stories: list[tuple[str, str]]
    events: list[tuple[str, str]]
    hidden: Hidden
    changed: ChangedEvents
    content: IssueContent

    @property
    def url(self) -> str:
        return f"{settings.NEWSLETTER_SITE_URL}{self.path}"

    @property
    def day(self) -> date:
        """The day that its mail shows, in the publication's zone."""
        return self._to_zone(self.send.dated_at or self.send.made_at).date()

    @property
    def sent_at(self) -> datetime:
        """When its send began, in the publication's zone."""
        return self._to_zone(self.send.started_at or self.send.made_at)

    def _to_zone(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.send.issue.publication.zone))


def find_archived_sends(publication: Publication) -> QuerySet[Send]:
    """Return the sends of the issues in the archive, newest issue first."""
    return (
        Send.objects.filter(
            issue__publication=publication,
            issue__kind=Issue.Kind.ISSUE,
            issue__in_archive=True,
            issue__state__in=[Issue.State.SENDING, Issue.State.SENT],
            state__in=STARTED_STATES,
        )
        .select_related("issue__publication__brand", "issue__publication__mailing_list", "revision")
        .order_by("-issue__number")
    )


def list_archived_issues(sends: list[Send], *, at: datetime) -> list[ArchivedIssue]:
    """Return what lists and feeds show of these issues now, in their order. Leave out those with a protected term."""
    contents = [remove_limited_blocks(IssueContent.from_json(send.revision.content)) for send in sends if send.revision]
    hidden, changed = find_hidden_for_each(contents, channel=ARCHIVE, at=at), find_changed_events(contents, at=at)
    return [
        _make_archived_issue(send, content, hidden_stories, events)
        for send, content, hidden_stories, events in zip(sends, contents, hidden, changed, strict=True)
        if not has_protected_term(remove_stories(content, stories=hidden_stories))
    ]


def _make_archived_issue(send: Send, content: IssueContent, hidden: Hidden, changed: ChangedEvents) -> ArchivedIssue:
    public_content = show_changed_events(fill_merge_defaults(remove_stories(content, stories=hidden)), changed=changed)
    stories = public_content.stories
    teaser = stories[0].teaser if stories else ""
    return ArchivedIssue(
        send=send,
        title=public_content.subject or str(send.issue),
        summary=public_content.preheader or teaser,
        path=make_archive_path(send.issue),
        picture=next((story.picture for story in stories if story.picture), None),
        stories=[(story.title, story.url) for story in stories],
        events=[(event.title, event.url) for event in public_content.events if not event.cancelled],
        hidden=hidden,
        changed=changed,
        content=public_content,
    )
