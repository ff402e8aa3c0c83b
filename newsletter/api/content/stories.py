"""API calls about stories. Consent, embargo and withdrawal are changed in the desk, where people are protected."""

from typing import Annotated

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from newsletter.api.calls.access import ApiKeyAuth, get_key
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.saving import delete_row, keep_approvals, save_row
from newsletter.api.content.schemas import NewStory, StoryAnswer, StoryChange
from newsletter.api.people.key_scope import find_topics
from newsletter.common.errors import NotFound
from newsletter.content.ingesting.manual_content import note_edits, report_typed_story
from newsletter.issues.snapshot.consent_rules import make_consent_record
from newsletter.models import ApiScope, Story
from subscribers.models import Case

router = Router(tags=["stories"])
READING, WRITING = ApiKeyAuth(ApiScope.CONTENT_READ), ApiKeyAuth(ApiScope.CONTENT_WRITE)


class StoryFilter(BaseModel):
    source: int = Field(0, description="Only those of this source.", ge=0, lt=2**63)


@router.get("stories", auth=READING, response=Page[StoryAnswer], summary="List stories")
def all_stories(request: HttpRequest, page: PageParams, only: Annotated[StoryFilter, Query()]) -> dict[str, object]:
    """Return stories, the newest here first, withdrawn ones too."""
    stories = Story.objects.select_related("translation_of", "case").prefetch_related("topics")
    if only.source:
        stories = stories.filter(source=only.source)
    return make_page(request, stories, _show, page, newest_first=True)


@router.post("stories", auth=WRITING, response={201: StoryAnswer}, summary="Write a story")
def create_story(request: HttpRequest, data: NewStory) -> Status[StoryAnswer]:
    """Write a story: a title and either the address of its page or its text. It may be taken into the next issues."""
    values = data.model_dump()
    values["published_at"] = values["published_at"] or timezone.now()
    return Status(201, _save(request, Story(), values))


@router.get("stories/{int:story}", auth=READING, response=StoryAnswer, summary="Read a story")
def read_story(request: HttpRequest, story: int) -> StoryAnswer:
    return _show(_find(story))


@router.patch("stories/{int:story}", auth=WRITING, response=StoryAnswer, summary="Change a story")
@transaction.atomic
def change_story(request: HttpRequest, story: int, data: StoryChange) -> StoryAnswer:
    """Change a story here; its source no longer overwrites what you change. 409 if an approved issue shows it."""
    row = _find(story, lock=True)
    check_unchanged(request, _show(row))
    return _save(request, row, data.model_dump(exclude_unset=True))


@router.delete("stories/{int:story}", auth=WRITING, response={204: None}, summary="Delete a story")
@transaction.atomic
def delete_story(request: HttpRequest, story: int) -> Status[None]:
    """Delete a story that no issue took. A story that its source still has comes back: withdraw it in the desk."""
    key, row = get_key(request), _find(story, lock=True)
    check_unchanged(request, _show(row))
    delete_row(
        row,
        key=key,
        in_use="Nothing was deleted: issues have “%(row)s”. Withdraw it in the desk, so that no other issue takes it.",
        now=timezone.now(),
    )
    return Status(204, None)


def _save(request: HttpRequest, row: Story, values: dict[str, object]) -> StoryAnswer:
    now, is_new = timezone.now(), row.pk is None
    topics = values.pop("topics", None)
    values |= _find_named(values)
    url, text = (values.get(name, getattr(row, name)) for name in ("url", "text"))
    if bool(url) == bool(text):
        raise ValidationError({"url": "A story has either the address of its page or, without a page, its text."})
    changed = [*values, *(["topics"] if topics is not None else [])]
    with transaction.atomic(), keep_approvals(now=now):
        note_edits(row, changed=[name for name in changed if not is_new or values.get(name)], now=now)
        save_row(row, key=get_key(request), values=values, now=now)
        if topics is not None:
            row.topics.set(find_topics(topics))  # type: ignore[arg-type]
        report_typed_story(row, is_new=is_new, changed=changed, now=now)
    return _show(row)


def _find_named(values: dict[str, object]) -> dict[str, object]:
    """Return the case and the original that these values name. Raise ValidationError for one that does not exist."""
    rows: dict[str, object] = {}
    if "case" in values:
        rows["case"] = _find_case(str(values["case"])) if values["case"] else None
    if "translation_of" in values:
        original = values["translation_of"]
        rows["translation_of"] = _find_original(original) if isinstance(original, int) else None
    return rows


def _find_case(slug: str) -> Case:
    case = Case.objects.filter(slug=slug).first()
    if case is None:
        raise ValidationError({"case": "There is no such case. POST cases adds one."})
    return case


def _find_original(pk: int) -> Story:
    story = Story.objects.filter(pk=pk).first()
    if story is None:
        raise ValidationError({"translation_of": "No story has this id."})
    return story


def _find(pk: int, *, lock: bool = False) -> Story:
    stories = Story.objects.select_for_update() if lock else Story.objects
    row = stories.filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound("No story has the id %(id)s.", id=pk)
    return row


def _show(row: Story) -> StoryAnswer:
    return StoryAnswer(
        id=row.pk,
        title=row.title,
        teaser=row.teaser,
        url=row.url,
        text=row.text,
        language=row.language,
        topics=sorted(topic.slug for topic in row.topics.all()),
        case=row.case.slug if row.case else "",
        translation_of=row.translation_of_id,
        source=row.source_id,
        published_at=row.published_at,
        embargo_until=row.embargo_until,
        consent_needed=row.consent_needed,
        withdrawn=make_consent_record(row).withdrawn,
        edited_fields=row.edited_fields,
    )
