"""Remove stories from an issue's content: for readers who must not see them, or because they were withdrawn. No database.

If the lead story goes, the next story leads. If the subject, preheader or headline named a removed story, it names those left.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from newsletter.common.text import escape_merge_fields, shorten
from newsletter.content.parsing.urls import normalise_url
from newsletter.issues.snapshot.content_links import find_written_links
from newsletter.issues.snapshot.drafted_subjects import draft_preheader
from newsletter.issues.snapshot.records.blocks import (
    Block,
    EventCardBlock,
    LeadStoryBlock,
    RelatedBlock,
    StoriesBlock,
    list_stories,
)
from newsletter.issues.snapshot.records.content import IssueContent, SubjectChoice
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.snapshot.records.stories import StoryRecord

_TITLE_PREFIX_LENGTH = 30
_BETWEEN = " · "
LEAD_SUFFIX = "-lead"
"""Behind the key of the block whose first story leads, because the lead story had to go."""


def remove_stories(content: IssueContent, *, stories: Collection[int | str]) -> IssueContent:
    """Return the content without these stories and without everything that links to them or to these addresses.

    Further reading loses the link, a story or an event the picture. A text or picture by staff goes as a whole block,
    because it is about the story. A version in another language loses the same, and shows the original in place of a
    translation that must go. Return the same object if nothing had to go.
    """
    if not stories:
        return content
    left = _remove_stories(content, stories=stories)
    versions = tuple(_redact_version(version, original=left, stories=stories) for version in content.versions)
    return left if versions == left.versions else replace(left, versions=versions)


def _redact_version(version: IssueContent, *, original: IssueContent, stories: Collection[int | str]) -> IssueContent:
    removed = [story for story in version.stories if story.translation_id in stories]
    left = _remove_stories(version, stories=stories)
    if not removed:
        return left
    originals = {story.id: story for story in original.stories}
    ids = {story.id for story in removed}

    def restore(story: StoryRecord) -> StoryRecord:
        return originals[story.id] if story.id in ids and story.id in originals else story

    titles = [title for story in removed for title in (story.title, story.teaser)]
    field_names = {
        name for name in ("subject", "preheader", "headline") if mentions_title(getattr(left, name), titles=titles)
    }
    return replace(
        left,
        blocks=tuple(map_stories(block, restore) for block in left.blocks),
        **{name: getattr(original, name) for name in field_names},
    )


def map_stories(block: Block, change: Callable[[StoryRecord], StoryRecord]) -> Block:
    """Return the block with each of its stories changed."""
    match block:
        case LeadStoryBlock():
            return replace(block, story=change(block.story))
        case StoriesBlock():
            return replace(block, stories=tuple(map(change, block.stories)))
        case _:
            return block


def _remove_stories(content: IssueContent, *, stories: Collection[int | str]) -> IssueContent:
    removed = [story for story in content.stories if story.id in stories]
    pages = {normalise_url(url) for url in stories if isinstance(url, str)}
    linked = {normalise_url(link) for block in content.blocks for link in find_written_links(block)}
    if not removed and linked.isdisjoint(pages):
        return content
    pages |= {story.page_key for story in removed}
    redacted = (_redact_block(block, stories, pages) for block in content.blocks)
    blocks = tuple(block for block in redacted if block)
    return _without(content, gone=removed, blocks=blocks)


def remove_blocks(content: IssueContent, *, keys: Collection[str]) -> IssueContent:
    """Return the content without these blocks, for readers for whom they are not. Links to their stories stay elsewhere.

    A story that is in several of the other blocks stays only in the first.
    """
    versions = tuple(remove_blocks(version, keys=keys) for version in content.versions)
    remaining = (block for block in content.blocks if block.key not in keys)
    blocks = tuple(deduplicate_stories(remaining, all_shown=True))
    if blocks == content.blocks:
        return content
    story_ids = {story.id for block in blocks for story in list_stories(block)}
    removed = [story for story in content.stories if story.id not in story_ids]
    return replace(_without(content, gone=removed, blocks=blocks), versions=versions)


def remove_limited_blocks(content: IssueContent) -> IssueContent:
    """Return what everybody may see of the content: without the blocks that are for some readers only."""
    return remove_blocks(content, keys={block.key for block in content.blocks if block.shown_to})


def deduplicate_stories(
    blocks: Iterable[Block], *, originals: Mapping[int, int] = MappingProxyType({}), all_shown: bool = False
) -> list[Block]:
    """Keep each story only where it comes first. Remove a block that has no other story.

    A translation is the same story: ``originals`` has the id of its original. A story in a block for some readers is also
    kept in later blocks, unless these readers see all of the blocks.
    """
    seen: set[int] = set()
    result: list[Block] = []
    for block in blocks:
        stories = list_stories(block)
        new: dict[int, StoryRecord] = {}
        for story in stories:
            original = originals.get(story.id, story.id)
            if original not in seen:
                new.setdefault(original, story)
        if all_shown or not block.shown_to:
            seen.update(new)
        if len(new) == len(stories):
            result.append(block)
        elif new and isinstance(block, StoriesBlock):
            result.append(replace(block, stories=tuple(new.values())))
    return result


def _without(content: IssueContent, *, gone: Sequence[StoryRecord], blocks: tuple[Block, ...]) -> IssueContent:
    """Return the content with these blocks. Subject, preheader and headline no longer name the stories that are gone."""
    left = replace(content, blocks=_ensure_lead_story(blocks) if _has_lead_story(content.blocks) else blocks)
    titles = [title for story in gone for title in (story.title, story.own_title)]
    headlines = [escape_merge_fields(story.title) for story in left.stories]
    texts = [*titles, *(story.teaser for story in gone)]
    first = shorten(headlines[0], 150) if headlines else content.publication.name
    if mentions_title(content.subject, titles=titles):
        left = replace(left, subject=first)
    if mentions_title(content.headline, titles=texts):
        left = replace(left, headline=first)
    if mentions_title(content.preheader, titles=texts):
        left = replace(left, preheader=list_other_headlines(left))
    if left.subject_test is None or not gone:
        return left
    subjects = tuple(_redact_subject(choice, own=left.subject, titles=texts) for choice in left.subject_test.subjects)
    return replace(left, subject_test=replace(left.subject_test, subjects=subjects))


def list_other_headlines(content: IssueContent) -> str:
    """Return the headlines after the lead story, as a drafted preheader has them; its teaser if there are no others."""
    return draft_preheader(content.stories)


def has_only_headlines(text: str, *, content: IssueContent) -> bool:
    """Return True if a preheader is made of the content's headlines, in any order, and the last one may be cut."""
    titles = [" ".join(escape_merge_fields(story.title).split()) for story in content.stories]
    titles = sorted(filter(None, titles), key=len, reverse=True)
    left = text
    while left:
        title = next((title for title in titles if f"{left}{_BETWEEN}".startswith(f"{title}{_BETWEEN}")), None)
        if title is None:
            start = left.removesuffix("…")
            return start not in ("", left) and any(title.startswith(start) for title in titles)
        left = left[len(title) :].removeprefix(_BETWEEN)
    return bool(text)


def _redact_subject(tested: SubjectChoice, *, own: str, titles: Sequence[str]) -> SubjectChoice:
    """Return a subject of a test, with the issue's own texts in place of those that name a story that is gone."""
    return SubjectChoice(
        subject=own if mentions_title(tested.subject, titles=titles) else tested.subject,
        preheader="" if mentions_title(tested.preheader, titles=titles) else tested.preheader,
    )


def mentions_title(text: str, *, titles: Iterable[str]) -> bool:
    """Return True if the text names one of the titles, even if the title was shortened."""
    return any(escape_merge_fields(title)[:_TITLE_PREFIX_LENGTH] in text for title in titles if title.strip())


def _has_lead_story(blocks: Iterable[Block]) -> bool:
    return any(isinstance(block, LeadStoryBlock) for block in blocks)


def _redact_block(block: Block, stories: Collection[int | str], pages: set[str]) -> Block | None:
    match block:
        case LeadStoryBlock():
            return None if block.story.id in stories else replace(block, story=_redact_story(block.story, pages))
        case StoriesBlock():
            stories_left = tuple(_redact_story(story, pages) for story in block.stories if story.id not in stories)
            return replace(block, stories=stories_left) if stories_left else None
        case EventCardBlock():
            return replace(block, picture=_redact_picture(block.picture, pages))
        case RelatedBlock():
            links = tuple(link for link in block.links if normalise_url(link[1]) not in pages)
            return replace(block, links=links) if links else None
        case _:
            return block if pages.isdisjoint(map(normalise_url, find_written_links(block))) else None


def _redact_story(story: StoryRecord, pages: set[str]) -> StoryRecord:
    """If the link or picture that staff chose is removed, link the headline to the story's page and show no picture."""
    if story.own_url is not None and normalise_url(story.url) in pages:
        story = replace(story, url=story.own_url, own_url=None)
    return replace(
        story,
        picture=_redact_picture(story.picture, pages),
        other_picture=_redact_picture(story.other_picture, pages),
    )


def _redact_picture(picture: PictureRecord | None, pages: set[str]) -> PictureRecord | None:
    is_removed = picture is not None and picture.story_url is not None and normalise_url(picture.story_url) in pages
    return None if is_removed else picture


def _ensure_lead_story(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """If the lead story was removed, make the first of the other stories that are for everybody the lead story."""
    if _has_lead_story(blocks):
        return blocks
    for at, block in enumerate(blocks):
        if isinstance(block, StoriesBlock) and not block.shown_to:
            first, *other_stories = block.stories
            first = replace(first, picture=first.other_picture or first.picture)
            lead = LeadStoryBlock(key=f"{block.key}{LEAD_SUFFIX}", story=first)
            other_blocks = (replace(block, stories=tuple(other_stories)),) if other_stories else ()
            return (*blocks[:at], lead, *other_blocks, *blocks[at + 1 :])
    return blocks
