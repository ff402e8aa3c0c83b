"""Remove stories from an issue's content: for readers who must not see them, or because they were withdrawn. No database.

If the lead story goes, the next story leads. If the subject or preheader named a removed story, it names those left.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from newsletter.content.parsing.urls import normalise_url
from newsletter.issues.snapshot.content_links import find_written_links
from newsletter.issues.snapshot.plain_text import escape_merge_fields, shorten
from newsletter.issues.snapshot.records.blocks import Block, LeadStoryBlock, RelatedBlock, StoriesBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.stories import StoryRecord

_TITLE_PREFIX_LENGTH = 30


def remove_stories(content: IssueContent, *, stories: Collection[int | str]) -> IssueContent:
    """Return the content without the stories of these ids and without whatever links to them or to these addresses.

    Further reading loses the link. A text by staff goes as a whole block, because it is about the story.
    Return the same object if nothing had to go.
    """
    gone = [story for story in content.stories if story.id in stories]
    pages = {normalise_url(one) for one in stories if isinstance(one, str)}
    linked = {normalise_url(link) for block in content.blocks for link in find_written_links(block)}
    if not gone and linked.isdisjoint(pages):
        return content
    pages |= {make_own_page_key(story) for story in gone}
    redacted = (_redact_block(block, stories, pages) for block in content.blocks)
    blocks = tuple(block for block in redacted if block)
    left = replace(content, blocks=_ensure_lead_story(blocks) if _has_lead_story(content.blocks) else blocks)
    titles = [title for story in gone for title in (story.title, story.own_title)]
    others = [escape_merge_fields(story.title) for story in left.stories]
    if mentions_title(content.subject, titles=titles):
        left = replace(left, subject=shorten(others[0], 150) if others else content.publication.name)
    if mentions_title(content.preheader, titles=[*titles, *(story.teaser for story in gone)]):
        left = replace(left, preheader=shorten(" · ".join(others[1:4]), 100))
    return left


def make_own_page_key(story: StoryRecord) -> str:
    """Return the normalised address of a story's own page, wherever its headline leads."""
    return normalise_url(story.page_url)


def mentions_title(text: str, *, titles: Iterable[str]) -> bool:
    """Return True if the text names one of the titles, even if the title was shortened."""
    return any(escape_merge_fields(title)[:_TITLE_PREFIX_LENGTH] in text for title in titles if title.strip())


def _has_lead_story(blocks: Iterable[Block]) -> bool:
    return any(isinstance(block, LeadStoryBlock) for block in blocks)


def _redact_block(block: Block, stories: Collection[int | str], pages: set[str]) -> Block | None:
    match block:
        case LeadStoryBlock():
            return None if block.story.id in stories else replace(block, story=_restore_own_link(block.story, pages))
        case StoriesBlock():
            kept = tuple(_restore_own_link(story, pages) for story in block.stories if story.id not in stories)
            return replace(block, stories=kept) if kept else None
        case RelatedBlock():
            links = tuple(link for link in block.links if normalise_url(link[1]) not in pages)
            return replace(block, links=links) if links else None
        case _:
            return block if pages.isdisjoint(map(normalise_url, find_written_links(block))) else None


def _restore_own_link(story: StoryRecord, pages: set[str]) -> StoryRecord:
    """Let the headline lead to the story's own page again if the page that staff chose is gone."""
    if story.own_url is None or normalise_url(story.url) not in pages:
        return story
    return replace(story, url=story.own_url, own_url=None)


def _ensure_lead_story(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Make the first of the other stories the lead story if there is none any more."""
    if _has_lead_story(blocks):
        return blocks
    for at, block in enumerate(blocks):
        if isinstance(block, StoriesBlock):
            first, *others = block.stories
            lead = LeadStoryBlock(key=f"{block.key}-lead", story=first)
            rest = (replace(block, stories=tuple(others)),) if others else ()
            return (*blocks[:at], lead, *rest, *blocks[at + 1 :])
    return blocks
