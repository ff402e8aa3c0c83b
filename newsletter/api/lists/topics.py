"""API calls about topics: the subjects that stories carry and people choose."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status
from wagtail.log_actions import log

from newsletter.api.calls.access import ApiKeyAuth, get_key
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.saving import save_row
from newsletter.api.lists.schemas import NewTopic, TopicAnswer, TopicChange
from newsletter.common.archiving import find_uses
from newsletter.common.errors import InUse, NotFound
from newsletter.common.languages import OFFERED_LANGUAGES
from newsletter.issues.snapshot.rule_uses import find_limited_blocks
from newsletter.models import ApiScope
from subscribers.desk.editing.short_name_form import make_slug
from subscribers.models import Topic
from subscribers.segments.references import find_segments_that_name

router = Router(tags=["topics"])
READING, WRITING = ApiKeyAuth(ApiScope.LISTS_READ), ApiKeyAuth(ApiScope.LISTS_WRITE)


@router.get("topics", auth=READING, response=Page[TopicAnswer], summary="List topics")
def all_topics(request: HttpRequest, page: PageParams) -> dict[str, object]:
    return make_page(request, Topic.objects.all(), _show, page)


@router.post("topics", auth=WRITING, response={201: TopicAnswer}, summary="Create a topic")
def create_topic(request: HttpRequest, data: NewTopic) -> Status[TopicAnswer]:
    _check_names(data)
    values = {**data.model_dump(), "slug": data.slug or make_slug(data.name, model=Topic)}
    return Status(201, _show(save_row(Topic(), key=get_key(request), values=values, now=timezone.now())))


@router.get("topics/{slug:slug}", auth=READING, response=TopicAnswer, summary="Read a topic")
def read_topic(request: HttpRequest, slug: str) -> TopicAnswer:
    return _show(_find(slug))


@router.patch("topics/{slug:slug}", auth=WRITING, response=TopicAnswer, summary="Change a topic")
@transaction.atomic
def change_topic(request: HttpRequest, slug: str, data: TopicChange) -> TopicAnswer:
    """Change its names. Its slug stays."""
    row = _find(slug, lock=True)
    check_unchanged(request, _show(row))
    _check_names(data)
    values = data.model_dump(exclude_unset=True)
    return _show(save_row(row, key=get_key(request), values=values, now=timezone.now()))


@router.delete("topics/{slug:slug}", auth=WRITING, response={204: None}, summary="Delete a topic")
@transaction.atomic
def delete_topic(request: HttpRequest, slug: str) -> Status[None]:
    """Delete a topic that nobody chose and nothing carries. One in use is answered 409."""
    key, row = get_key(request), _find(slug, lock=True)
    check_unchanged(request, _show(row))
    if find_uses(row) or find_segments_that_name("topic", row.slug) or find_limited_blocks("topic", row.slug):
        raise InUse(
            "Nothing was deleted: people, stories, publications, segments or blocks use the topic “%(row)s”.", row=row
        )
    log(instance=row, action="wagtail.delete", data={"key": key.name, "key_id": key.pk})
    row.delete()
    return Status(204, None)


def _find(slug: str, *, lock: bool = False) -> Topic:
    topics = Topic.objects.select_for_update() if lock else Topic.objects
    row = topics.filter(slug=slug).first()
    if row is None:
        raise NotFound("There is no topic “%(slug)s”.", slug=slug)
    return row


def _check_names(data: TopicChange) -> None:
    unknown = sorted(set(data.names) - set(OFFERED_LANGUAGES))
    if unknown:
        raise ValidationError(
            {"names": f"“{unknown[0]}” is no language that is offered: {', '.join(OFFERED_LANGUAGES)}."}
        )


def _show(row: Topic) -> TopicAnswer:
    return TopicAnswer(slug=row.slug, name=row.name, names=row.names)
