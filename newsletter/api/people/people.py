"""API calls about one person: list, read, change, merge, erase. A person is named by id; addresses are masked."""

from typing import Annotated

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Status
from pydantic import BaseModel, Field
from wagtail.log_actions import log

from newsletter.api.calls.access import get_key, label_caller, require_all_lists
from newsletter.api.calls.pages import Page, PageParams, read_page, read_prepared_page
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.problems import Problem
from newsletter.api.people.describe_people import describe_people
from newsletter.api.people.key_scope import (
    find_list_id,
    list_visible_people,
    lock_visible_people_to_delete,
    lock_visible_person,
    log_data,
)
from newsletter.api.people.people_schemas import Merge, PersonAnswer, PersonValues
from newsletter.api.people.router import ERASING, READING, WRITING, router
from newsletter.common.database.prepared_rows import PreparedIds
from newsletter.models import ApiKey
from subscribers.erasing.erasure import erase_person
from subscribers.models import Subscriber, Subscription
from subscribers.people.bulk_update import Outcome, PersonUpdate, update_people
from subscribers.people.lookup import UnknownPerson
from subscribers.people.merge import merge_people
from subscribers.people.rename import rename_person


class PeopleFilter(BaseModel):
    list: str = Field("", description="Only people with an open subscription to this list.", max_length=80)


def _keep_those_on(mailing_list: int, people: QuerySet[Subscriber]) -> QuerySet[Subscriber]:
    on_it = Subscription.objects.filter(subscriber=OuterRef("pk"), mailing_list=mailing_list).open()
    return people.filter(Exists(on_it))


_EVERYBODY = PreparedIds(lambda: Subscriber.objects.values_list("pk"))
_ON_A_LIST = PreparedIds(lambda mailing_list: _keep_those_on(mailing_list, Subscriber.objects.all()).values_list("pk"))


@router.get("people", auth=READING, response=Page[PersonAnswer], summary="List people")
def all_people(request: HttpRequest, page: PageParams, only: Annotated[PeopleFilter, Query()]) -> dict[str, object]:
    """Return people in the order in which they came, with masked addresses."""
    key = get_key(request)
    mailing_list = find_list_id(key, only.list) if only.list else None
    if key.all_lists and mailing_list is None:
        ids, following = read_prepared_page(request, _EVERYBODY, page)
    elif key.all_lists and mailing_list is not None:
        ids, following = read_prepared_page(request, _ON_A_LIST, page, mailing_list)
    else:
        people = list_visible_people(key)
        people = people if mailing_list is None else _keep_those_on(mailing_list, people)
        ids, following = read_page(request, people.values_list("pk", flat=True), page)
    return {"items": describe_people(key, ids), "next": following}


@router.get("people/{int:person}", auth=READING, response=PersonAnswer, summary="Read a person by id")
def read_person(request: HttpRequest, person: int) -> PersonAnswer:
    """Return what sending needs to know of a person. `people/find` returns everything, for an address."""
    return _read(get_key(request), person)


@router.patch("people/{int:person}", auth=WRITING, response=PersonAnswer, summary="Change a person")
@transaction.atomic
def change_person(request: HttpRequest, person: int, data: PersonValues) -> PersonAnswer:
    """Change name, giving status, topics, location or attributes. It changes no consent."""
    key, now = get_key(request), timezone.now()
    row = lock_visible_person(key, person)
    check_unchanged(request, _read(key, person))
    update = PersonUpdate(
        email=row.email,
        giving=data.giving,
        topics=data.topics,
        country=data.country,
        region=data.region,
        town=data.city,
        attributes=data.attributes,
    )
    (result,) = update_people([update], by=label_caller(key), now=now)
    if result.outcome == Outcome.REFUSED:
        raise Problem(422, "A field is invalid", result.reason, code="invalid_field")
    if data.name is not None:
        row.refresh_from_db()
        rename_person(person=row, name=data.name, now=now)
    log(instance=row, action="newsletter.api_changed", data={**log_data(key), "fields": sorted(data.model_fields_set)})
    return _read(key, person)


@router.post(
    "people/{int:person}/merge", auth=ERASING, response=PersonAnswer, summary="Merge two records of one person"
)
@transaction.atomic
def merge(request: HttpRequest, person: int, data: Merge) -> PersonAnswer:
    """Merge another record into this person. The choices of this one win; consent, subscriptions and old links stay."""
    key, now = get_key(request), timezone.now()
    require_all_lists(key, "A person may be on any list.")
    if data.absorb == person:
        raise Problem(422, "A person cannot be merged with themselves", "Send two ids.", code="refused")
    people = lock_visible_people_to_delete(key, (person, data.absorb))
    keep, absorb = people[person], people[data.absorb]
    merge_people(keep=keep, absorb=absorb, now=now)
    details = {**log_data(key), "absorbed": data.absorb, "reason": data.reason}
    log(instance=keep, action="newsletter.api_merged", data=details)
    return _read(key, person)


@router.delete("people/{int:person}", auth=ERASING, response={204: None}, summary="Erase a person")
@transaction.atomic
def erase(request: HttpRequest, person: int) -> Status[None]:
    """Delete a person and all rows about them. Keyed hashes of their addresses stay, so that no import adds them again."""
    key = get_key(request)
    require_all_lists(key, "A person may be on any list.")
    row = lock_visible_people_to_delete(key, [person])[person]
    check_unchanged(request, _read(key, person))
    log(instance=row, action="subscribers.erase", data=log_data(key))
    erase_person(subscriber=row, by=label_caller(key), now=timezone.now())
    return Status(204, None)


def _read(key: ApiKey, pk: int) -> PersonAnswer:
    is_visible = pk < 2**63 and (key.all_lists or list_visible_people(key).filter(pk=pk).exists())
    described = describe_people(key, [pk]) if is_visible else []
    if not described:
        raise UnknownPerson("No person has the id %(id)s.", id=pk)
    return described[0]
