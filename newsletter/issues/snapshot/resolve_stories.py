"""Turn a story of an issue into a record: its texts, its picture, and the version in the language of the publication.

A story without a web page elsewhere leads to its page in our archive, if the archive will show it. If not, the mail shows the
whole text, without a link.
"""

from dataclasses import replace
from datetime import date
from typing import NamedTuple

from django.conf import settings
from wagtail.blocks import StructValue
from wagtail.images.models import AbstractImage

from newsletter.common.languages import find_offered_language
from newsletter.content.images.library import find_library_image, find_story_image
from newsletter.content.images.renditions import make_rendition, make_staff_rendition
from newsletter.content.parsing.pseudonyms import list_notes_for
from newsletter.content.parsing.text import make_teaser, tidy
from newsletter.issues.snapshot.consent_rules import ARCHIVE, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.snapshot.records.stories import CaseRecord, StoryRecord
from newsletter.issues.snapshot.redact import map_stories
from newsletter.models import Issue, Picture, Publication, Story

LEAD_FORMAT, CARD_FORMAT = "wide", "card"


class IssueContext(NamedTuple):
    """The facts of an issue that its blocks depend on: its publication, the language, and the day when it is due there.

    ``by_interests``: the topics of readers decide which stories they see. ``with_cases``: a story belongs to a case, so the
    order of stories can differ between readers.
    """

    language: str
    due_on: date
    publication_id: int
    by_interests: bool = False
    with_cases: bool = False


def resolve_story(choice: StructValue, *, format_name: str, context: IssueContext) -> StoryRecord | None:
    """Return None if no story is chosen yet, or if it was withdrawn or is gone at its source."""
    chosen: Story | None = choice["story"]
    story = _find_version_in(context.language, _find_canonical_story(chosen)) if chosen else None
    if story is None:
        return None
    title = choice["headline"] or story.title
    teaser = choice["teaser"] or story.teaser
    text = split_paragraphs(story.text)
    link = choice.get("link") or story.url
    pseudonyms = tuple((str(name), str(note)) for name, note in story.pseudonyms)
    topics = list(story.topics.all())
    other_format = CARD_FORMAT if format_name == LEAD_FORMAT else LEAD_FORMAT
    return StoryRecord(
        id=story.pk,
        title=title,
        own_title=story.title,
        url=link,
        own_url=story.url if link != story.url else None,
        teaser=teaser,
        picture=_resolve_story_picture(story, choice["picture"], format_name=format_name),
        topic=topics[0].name_in(context.language) if topics else "",
        date=story.published_at.date() if story.published_at else None,
        notes=tuple(list_notes_for(f"{title}\n{teaser}\n{text}", pseudonyms)),
        excluded_regions=tuple(sorted(story.not_in_regions)),
        consent=make_consent_record(story),
        topic_ids=tuple(sorted(topic.pk for topic in topics)) if context.by_interests else (),
        other_picture=_resolve_story_picture(story, choice["picture"], format_name=other_format)
        if context.by_interests or context.with_cases
        else None,
        case=CaseRecord(id=story.case.pk, slug=story.case.slug, name=story.case.name)
        if story.case and context.with_cases
        else None,
        text=text,
        media=story.media,
        seconds=story.seconds,
    )


def split_paragraphs(text: str) -> str:
    """Return each line of a typed text as a paragraph, with a blank line between."""
    return "\n\n".join(line.strip() for line in text.splitlines() if line.strip())


def _find_canonical_story(story: Story) -> Story:
    """Return the row that is kept for the story, if two rows turned out to be one story."""
    return Story.objects.get(pk=story.same_as_id) if story.same_as_id else story


def _find_version_in(language: str, story: Story) -> Story | None:
    """Return the original in place of a translation into another language than this.

    Return None if the story or its original was withdrawn or is gone.
    """
    original = story.translation_of
    if not _may_be_shown(story):
        return None
    is_ours = find_offered_language(story.language) == find_offered_language(language)
    return story if original is None or is_ours else original


def _may_be_shown(story: Story) -> bool:
    consent = make_consent_record(story)
    return not consent.withdrawn and not consent.gone


def _resolve_story_picture(story: Story, chosen: AbstractImage | None, *, format_name: str) -> PictureRecord | None:
    """Return the picture of the issue, else the one that staff chose for the story, else that of its source."""
    if chosen:
        return resolve_library_image(chosen, alt=chosen.description, format_name=format_name, of=story)
    if story.library_image:
        return resolve_library_image(story.library_image, alt=story.picture_alt, format_name=format_name, of=story)
    if story.picture is None:
        return None
    if image := find_library_image(story.picture, story=story):
        alt = story.picture_alt or image.description
        return resolve_library_image(image, alt=alt, format_name=format_name, of=story)
    return resolve_picture(make_rendition(story.picture, format_name=format_name), alt=story.picture_alt)


def resolve_library_image(
    image: AbstractImage, *, alt: str, format_name: str, is_video: bool = False, of: Story | None = None
) -> PictureRecord | None:
    """Return the record of an image of the library. Return None if it came with a story that is withdrawn or gone.

    ``of`` is the story that shows it. The picture of another story names that story's page.
    """
    story_url = None
    if row := find_story_image(image):
        story = _find_canonical_story(row.story) if row.story else None
        if story is None or not _may_be_shown(story):
            return None
        story_url = None if story == of else story.address
    rendition = make_staff_rendition(image, format_name=format_name, is_video=is_video)
    return replace(resolve_picture(rendition, alt=alt), story_url=story_url)


def resolve_picture(picture: Picture, *, alt: str) -> PictureRecord:
    """Return the record of a picture. ``alt`` is the text for people who cannot see it."""
    return PictureRecord(
        url=picture.url,
        width=picture.width,
        height=picture.height,
        alt=alt,
        weight=picture.byte_size,
        colour=picture.colour or None,
    )


def make_archive_path(issue: Issue) -> str:
    """Return the path of an issue: by its number in a public archive, else by an id that nobody can guess."""
    public = issue.publication.archive == Publication.Archive.PUBLIC
    return f"/news/{issue.publication.slug}/{issue.number if public else issue.public_id}/"


def make_page_end(story_id: int) -> str:
    """Return the end of the address of a story's page, which is the same in each issue."""
    return f"/stories/{story_id}/"


def link_own_pages(content: IssueContent, *, issue: Issue) -> IssueContent:
    """Link each story without a web page to its page in the archive, if everybody may read it there.

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
