"""API calls about addresses that must not be mailed. `people/stop` adds one; a person's own request cannot be removed."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from wagtail.log_actions import log

from newsletter.api.calls.access import ApiKeyAuth, get_key, label_caller
from newsletter.api.calls.handle_call import repeats
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.people.key_scope import list_visible_lists, log_data
from newsletter.api.people.people_schemas import Lift, SuppressionAnswer
from newsletter.api.people.schemas import Address
from newsletter.common.errors import NotFound
from newsletter.models import ApiKey, ApiScope
from subscribers.addresses.normalise import normalise
from subscribers.identity import identify, require_own_key
from subscribers.models import Subscriber, Suppression
from subscribers.unsubscribing.suppression import can_staff_remove, remove_suppression

router = Router(tags=["suppressions"])
READING, WRITING = ApiKeyAuth(ApiScope.PEOPLE_READ), ApiKeyAuth(ApiScope.PEOPLE_WRITE)


@router.get("suppressions", auth=READING, response=Page[SuppressionAnswer], summary="List suppressions")
def all_suppressions(request: HttpRequest, page: PageParams) -> dict[str, object]:
    """Return suppressions, the newest first, removed ones too."""
    answer = make_page(request, _list_visible(get_key(request)), lambda row: row, page, newest_first=True)
    return {**answer, "items": _show(answer["items"])}  # type: ignore[arg-type]


@router.post(
    "suppressions/find", auth=READING, response=list[SuppressionAnswer], summary="Find the suppressions of an address"
)
@repeats(reads=True)
def find_suppressions(request: HttpRequest, data: Address) -> list[SuppressionAnswer]:
    """Return the suppressions of one address, the newest first; none if it may be mailed."""
    require_own_key()
    rows = _list_visible(get_key(request)).filter(address_hash=identify(normalise(data.email)))
    return _show(rows.order_by("-pk"))


@router.post(
    "suppressions/{int:suppression}/lift", auth=WRITING, response=SuppressionAnswer, summary="Lift a suppression"
)
@transaction.atomic
def lift(request: HttpRequest, suppression: int, data: Lift) -> SuppressionAnswer:
    """Allow mail to an address again. Only the person can undo their own request, by signing up and confirming."""
    key = get_key(request)
    row = _list_visible(key).filter(pk=suppression).first() if suppression < 2**63 else None
    if row is None:
        raise NotFound("No suppression has the id %(id)s.", id=suppression)
    remove_suppression(suppression=row, by=label_caller(key), reason=data.reason, now=timezone.now())
    row.refresh_from_db()
    (answer,) = _show([row])
    person = Subscriber.objects.filter(pk=answer.person).first() if answer.person else None
    log(instance=person or key, action="subscribers.lift", data={**log_data(key), "suppression": row.pk})
    return answer


def _list_visible(key: ApiKey) -> QuerySet[Suppression]:
    """Return all suppressions, or those of the lists that the key is limited to."""
    rows = Suppression.objects.select_related("mailing_list")
    return rows if key.all_lists else rows.filter(mailing_list__in=list_visible_lists(key))


def _show(rows: Iterable[Suppression]) -> list[SuppressionAnswer]:
    rows = list(rows)
    hashes = [bytes(row.address_hash) for row in rows]
    people = Subscriber.objects.filter(address_hash__in=hashes).values_list("address_hash", "pk")
    by_hash = {bytes(address_hash): pk for address_hash, pk in people}
    return [
        SuppressionAnswer(
            id=row.pk,
            person=by_hash.get(bytes(row.address_hash)),
            scope=row.scope,  # type: ignore[arg-type]
            list=row.mailing_list.slug if row.mailing_list else None,
            reason=row.reason,
            at=row.at,
            note=str(row.note),
            removed_at=row.removed_at,
            can_be_lifted=row.removed_at is None and can_staff_remove(row),
        )
        for row in rows
    ]
