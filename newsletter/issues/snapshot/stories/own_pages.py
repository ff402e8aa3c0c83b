"""The pages of our archive for stories without a web page elsewhere.

Where the archive will show the story, the mail leads to its page there. Elsewhere the mail shows the whole text, without a link.
"""

from dataclasses import replace

from django.conf import settings

from newsletter.content.parsing.text import make_teaser, tidy
from newsletter.issues.snapshot.consent_rules import ARCHIVE, find_display_restriction
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.issues.snapshot.redact import map_stories
from newsletter.models import Issue, Publication


def make_archive_path(issue: Issue) -> str:
    """Return the path of an issue: by its number in a public archive, else by an id that nobody can guess."""
    public = issue.publication.archive == Publication.Archive.PUBLIC
    return f"/news/{issue.publication.slug}/{issue.number if public else issue.public_id}/"


def make_page_end(story_id: int) -> str:
    """Return the end of the address of a story's page, which is the same in each issue."""
    return f"/stories/{story_id}/"


def link_own_pages(content: IssueContent, *, issue: Issue) -> IssueContent:
    """Let each story without a web page lead to its page in the archive, if everybody may read it there.

    A block for some readers only is not in the archive, so its stories get no link. Nor does a text that is no longer than
    a teaser.
    """
    if issue.publication.archive == Publication.Archive.OFF or issue.kind != Issue.Kind.ISSUE or not issue.in_archive:
        return content
    issue_url = f"{settings.NEWSLETTER_SITE_URL}{make_archive_path(issue)}".rstrip("/")

    def link(story: StoryRecord) -> StoryRecord:
        teaser = story.teaser or make_teaser(story.text)
        if not story.is_whole or teaser == tidy(story.text) or not _is_for_everybody(story, content):
            return story
        url = f"{issue_url}{make_page_end(story.translation_id or story.id)}"
        return replace(story, url=url, teaser=teaser)

    def link_in(part: IssueContent) -> IssueContent:
        blocks = (block if block.shown_to else map_stories(block, link) for block in part.blocks)
        return replace(part, blocks=tuple(blocks))

    return replace(link_in(content), versions=tuple(map(link_in, content.versions)))


def find_story_of_page(content: IssueContent, story_id: int) -> StoryRecord | None:
    """Return the story whose page of ours ends with this id, in the language that it is written in."""
    end = make_page_end(story_id)
    return next((story for story in list_stories_with_own_page(content) if story.url.endswith(end)), None)


def list_stories_with_own_page(content: IssueContent) -> list[StoryRecord]:
    """Return the stories that lead to a page of ours, in each language. The mail does not show their whole text."""
    stories = (story for version in content.all_versions for story in version.stories if story.text)
    return [story for story in stories if story.url.endswith(make_page_end(story.translation_id or story.id))]


def _is_for_everybody(story: StoryRecord, content: IssueContent) -> bool:
    required = content.publication.consent_required
    return not story.excluded_regions and not find_display_restriction(
        story.consent, channel=ARCHIVE, at=content.issue.due_at, required=required
    )
