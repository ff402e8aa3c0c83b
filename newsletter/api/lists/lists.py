"""API calls about mailing lists. A list is never deleted, because it holds the proof of consent; it is archived."""

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status

from newsletter.api.calls.access import ApiKeyAuth, get_key, require_all_lists
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.saving import save_row
from newsletter.api.lists.schemas import ListAnswer, ListChange, NewList, PeopleCount
from newsletter.api.people.key_scope import find_list, list_visible_lists
from newsletter.common.archiving import archive_row, bring_back_row
from newsletter.common.database.prepared_rows import PreparedRows
from newsletter.models import ApiScope
from subscribers.audience.counting import AudienceCount, count_lists
from subscribers.desk.editing.short_name_form import make_slug
from subscribers.models import MailingList

router = Router(tags=["lists"])
READING, WRITING = ApiKeyAuth(ApiScope.LISTS_READ), ApiKeyAuth(ApiScope.LISTS_WRITE)
_SHOWN = tuple(ListAnswer.model_fields)
_LISTS = PreparedRows(lambda slugs: MailingList.objects.filter(slug__in=slugs).order_by().values_list(*_SHOWN))
_NOBODY = AudienceCount(candidates=0, eligible=0, excluded={})


@router.get("lists", auth=READING, response=Page[ListAnswer], summary="List mailing lists")
def all_lists(request: HttpRequest, page: PageParams) -> dict[str, object]:
    """Return the lists that the key may use, archived ones too."""
    return make_page(request, list_visible_lists(get_key(request)), _show, page)


@router.post("lists", auth=WRITING, response={201: ListAnswer}, summary="Create a list")
def create_list(request: HttpRequest, data: NewList) -> Status[ListAnswer]:
    """Create a list. It needs a key for all lists."""
    key = get_key(request)
    require_all_lists(key, "A new list would be beyond them.")
    values = {**data.model_dump(exclude={"archived"}), "slug": data.slug or make_slug(data.name, model=MailingList)}
    return Status(201, _show(save_row(MailingList(), key=key, values=values, now=timezone.now())))


@router.get("lists/{slug:slug}", auth=READING, response=ListAnswer, summary="Read a list")
def read_list(request: HttpRequest, slug: str) -> ListAnswer:
    key = get_key(request)
    found = _LISTS.read([slug]) if key.all_lists else []
    return ListAnswer(**dict(zip(_SHOWN, found[0], strict=True))) if found else _show(find_list(key, slug))


@router.patch("lists/{slug:slug}", auth=WRITING, response=ListAnswer, summary="Change a list")
@transaction.atomic
def change_list(request: HttpRequest, slug: str, data: ListChange) -> ListAnswer:
    """Change a list, archive it or bring it back. Its slug and the people on it stay."""
    key, now = get_key(request), timezone.now()
    row = MailingList.objects.select_for_update().get(pk=find_list(key, slug).pk)
    check_unchanged(request, _show(row))
    values = data.model_dump(exclude_unset=True)
    archived = values.pop("archived", row.archived)
    if row.archived and not archived:
        bring_back_row(row)
    if values:
        save_row(row, key=key, values=values, now=now)
    if archived and not row.archived:
        archive_row(row, switch="public")
    row.refresh_from_db()
    return _show(row)


@router.get("lists/{slug:slug}/count", auth=READING, response=PeopleCount, summary="Count the people on a list")
def count_list(request: HttpRequest, slug: str) -> dict[str, object]:
    """Return how many people are on the list, may be mailed now, and may not, by reason."""
    count = count_lists(now=timezone.now()).get(find_list(get_key(request), slug).pk, _NOBODY)
    return {"candidates": count.candidates, "eligible": count.eligible, "excluded": count.excluded}


def _show(row: MailingList) -> ListAnswer:
    return ListAnswer.model_validate(row, from_attributes=True)
