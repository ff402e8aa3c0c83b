"""API calls about cases: what several stories are about. No call tells who follows a case."""

from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status

from newsletter.api.calls.access import ApiKeyAuth, get_key
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.saving import delete_row, save_row
from newsletter.api.content.schemas import CaseAnswer, CaseChange, NewCase
from newsletter.common.errors import NotFound
from newsletter.models import ApiScope
from subscribers.desk.editing.short_name_form import make_slug
from subscribers.models import Case

router = Router(tags=["cases"])
READING, WRITING = ApiKeyAuth(ApiScope.CONTENT_READ), ApiKeyAuth(ApiScope.CONTENT_WRITE)


@router.get("cases", auth=READING, response=Page[CaseAnswer], summary="List cases")
def all_cases(request: HttpRequest, page: PageParams) -> dict[str, object]:
    """Return the cases, with the number of their stories."""
    return make_page(request, _count_stories(), _show, page)


@router.post("cases", auth=WRITING, response={201: CaseAnswer}, summary="Add a case")
def create_case(request: HttpRequest, data: NewCase) -> Status[CaseAnswer]:
    values = {**data.model_dump(), "slug": data.slug or make_slug(data.name, model=Case)}
    row = save_row(Case(), key=get_key(request), values=values, now=timezone.now())
    return Status(201, _show(_find(row.slug)))


@router.get("cases/{slug:slug}", auth=READING, response=CaseAnswer, summary="Read a case")
def read_case(request: HttpRequest, slug: str) -> CaseAnswer:
    return _show(_find(slug))


@router.patch("cases/{slug:slug}", auth=WRITING, response=CaseAnswer, summary="Rename a case")
@transaction.atomic
def change_case(request: HttpRequest, slug: str, data: CaseChange) -> CaseAnswer:
    """Change its name. Its slug stays. 409 if an approved issue shows it."""
    row = _lock(slug)
    check_unchanged(request, _show(_find(slug)))
    save_row(row, key=get_key(request), values=data.model_dump(exclude_unset=True), now=timezone.now())
    return _show(_find(slug))


@router.delete("cases/{slug:slug}", auth=WRITING, response={204: None}, summary="Delete a case")
@transaction.atomic
def delete_case(request: HttpRequest, slug: str) -> Status[None]:
    """Delete a case that no story belongs to. People who follow it follow nothing instead."""
    key, row = get_key(request), _lock(slug)
    check_unchanged(request, _show(_find(slug)))
    in_use = "Nothing was deleted: stories belong to the case “%(row)s”. Change their case first."
    delete_row(row, key=key, in_use=in_use, now=timezone.now())
    return Status(204, None)


def _count_stories() -> QuerySet[Case]:
    return Case.objects.annotate(story_count=Count("stories"))


def _lock(slug: str) -> Case:
    return _require(Case.objects.select_for_update().filter(slug=slug).first(), slug=slug)


def _find(slug: str) -> Case:
    return _require(_count_stories().filter(slug=slug).first(), slug=slug)


def _require(row: Case | None, *, slug: str) -> Case:
    if row is None:
        raise NotFound("There is no case “%(slug)s”.", slug=slug)
    return row


def _show(row: Case) -> CaseAnswer:
    return CaseAnswer(slug=row.slug, name=row.name, stories=row.story_count)  # type: ignore[attr-defined]
