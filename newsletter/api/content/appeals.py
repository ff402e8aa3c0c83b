"""API calls about appeals: the ways to help that an issue shows."""

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status

from newsletter.api.calls.access import ApiKeyAuth, get_key
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.saving import delete_row, keep_approvals, save_row
from newsletter.api.content.schemas import AppealAnswer, AppealChange, NewAppeal
from newsletter.api.publishing.key_scope import find_visible_publication
from newsletter.common.errors import NotFound
from newsletter.models import ApiScope, Appeal
from subscribers.desk.editing.short_name_form import make_slug

router = Router(tags=["appeals"])
READING, WRITING = ApiKeyAuth(ApiScope.CONTENT_READ), ApiKeyAuth(ApiScope.CONTENT_WRITE)


@router.get("appeals", auth=READING, response=Page[AppealAnswer], summary="List appeals")
def all_appeals(request: HttpRequest, page: PageParams) -> dict[str, object]:
    return make_page(request, Appeal.objects.prefetch_related("publications"), _show, page)


@router.post("appeals", auth=WRITING, response={201: AppealAnswer}, summary="Write an appeal")
def create_appeal(request: HttpRequest, data: NewAppeal) -> Status[AppealAnswer]:
    values = {**data.model_dump(), "slug": data.slug or make_slug(data.headline, model=Appeal)}
    return Status(201, _save(request, Appeal(), values))


@router.get("appeals/{slug:slug}", auth=READING, response=AppealAnswer, summary="Read an appeal")
def read_appeal(request: HttpRequest, slug: str) -> AppealAnswer:
    return _show(_find(slug))


@router.patch("appeals/{slug:slug}", auth=WRITING, response=AppealAnswer, summary="Change an appeal")
@transaction.atomic
def change_appeal(request: HttpRequest, slug: str, data: AppealChange) -> AppealAnswer:
    """Change an appeal; `enabled: false` takes it out of use. 409 if an approved issue shows it."""
    row = _find(slug, lock=True)
    check_unchanged(request, _show(row))
    return _save(request, row, data.model_dump(exclude_unset=True))


@router.delete("appeals/{slug:slug}", auth=WRITING, response={204: None}, summary="Delete an appeal")
@transaction.atomic
def delete_appeal(request: HttpRequest, slug: str) -> Status[None]:
    """Delete an appeal. Sent mails keep its text; `enabled: false` only takes it out of use."""
    key, row = get_key(request), _find(slug, lock=True)
    check_unchanged(request, _show(row))
    in_use = "Nothing was deleted: other rows use the appeal “%(row)s”."
    delete_row(row, key=key, in_use=in_use, now=timezone.now())
    return Status(204, None)


def _save(request: HttpRequest, row: Appeal, values: dict[str, object]) -> AppealAnswer:
    key, now = get_key(request), timezone.now()
    slugs = values.pop("publications", None)
    with transaction.atomic(), keep_approvals(now=now):
        save_row(row, key=key, values=values, now=now)
        if slugs is not None:
            row.publications.set([find_visible_publication(key, slug) for slug in slugs])  # type: ignore[attr-defined]
    return _show(row)


def _find(slug: str, *, lock: bool = False) -> Appeal:
    appeals = Appeal.objects.select_for_update() if lock else Appeal.objects
    row = appeals.filter(slug=slug).first()
    if row is None:
        raise NotFound("There is no appeal “%(slug)s”.", slug=slug)
    return row


def _show(row: Appeal) -> AppealAnswer:
    return AppealAnswer.model_validate(row, from_attributes=True)
