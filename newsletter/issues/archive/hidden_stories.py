"""Find the stories of an issue that nobody may see now: withdrawn, gone at their source, or without a consent. Reads only."""

from collections.abc import Sequence
from datetime import datetime

from newsletter.issues.snapshot.consent_rules import ARCHIVE, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.content_links import find_related_and_written_links, find_restricted_links
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Story

Hidden = frozenset[int | str]
"""Ids of stories, and addresses of links that lead to other stories."""


def find_hidden(content: IssueContent, *, channel: str, at: datetime) -> Hidden:
    """Return the stories that this channel must not show at this moment.

    The archive can be read everywhere, so it hides every story that some regions must not see.
    """
    return find_hidden_for_each([content], channel=channel, at=at)[0]


def find_hidden_for_each(contents: Sequence[IssueContent], *, channel: str, at: datetime) -> list[Hidden]:
    """Return the same for several contents, in their order, with one query for all stories."""
    story_ids = [content.story_rows for content in contents]
    stories = Story.objects.in_bulk(set[int]().union(*story_ids))
    restricted = {
        required: find_restricted_links(
            {url for content in contents for url in find_related_and_written_links(content)},
            channel=channel,
            at=at,
            required=required,
        )
        for required in {content.publication.consent_required for content in contents}
    }
    hidden: list[Hidden] = []
    for ids, content in zip(story_ids, contents, strict=True):
        required = content.publication.consent_required
        hidden_ids = {pk for pk in ids if pk not in stories or not _may_be_shown(stories[pk], required, channel, at)}
        links = restricted[required].intersection(find_related_and_written_links(content))
        hidden.append(frozenset[int | str](hidden_ids) | links)
    return hidden


def _may_be_shown(story: Story, required: bool, channel: str, at: datetime) -> bool:
    if channel == ARCHIVE and story.not_in_regions:
        return False
    return not find_display_restriction(make_consent_record(story), channel=channel, at=at, required=required)
