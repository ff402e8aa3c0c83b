"""Exports of people: up to 500 alone in a day, more with a second person's approval, once, within a day.

Single downloads and revealed addresses count towards the 500, so that many small ones are no way round. The approval is for a
number of people; if the list has grown past it, the export has to be requested again. A key of the API never exports alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser, User
from django.db import models, transaction
from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from newsletter.common.errors import DomainError
from subscribers.exporting.csv_export import people_to_export
from subscribers.models import Disclosure, ExportRequest, MailingList
from subscribers.models.exports import GROWTH_DIVISOR, MAX_PEOPLE_WITHOUT_APPROVAL

DAY = timedelta(days=1)
REQUEST_LIFETIME = timedelta(days=7)
EXPORT_RECORD_RETENTION = timedelta(days=30)
EXPORT_PERMISSIONS = ("subscribers.add_importbatch", "subscribers.reveal")


class CannotExport(DomainError):
    """This person may not export these people, or not any more."""


class ExportState(models.TextChoices):
    WAITING = "waiting"
    ALLOWED = "allowed"
    TAKEN = "taken"
    EXPIRED = "expired"


@dataclass(frozen=True)
class KeyAsker:
    """A key of the API that asks for an export: its id, its name for people, and who made it."""

    id: int
    label: str
    maker: str


@transaction.atomic
def request_export(
    *,
    by: User | AnonymousUser,
    mailing_list: MailingList | None,
    reason: str,
    has_bom: bool,
    now: datetime,
    person_ids: Sequence[int] | None = None,
) -> ExportRequest:
    """Record that somebody wants an export. `without_approval` means that they may download it at once.

    `person_ids` limits it to people who were chosen.
    """
    person = _lock(by)
    people = people_to_export(mailing_list, person_ids=person_ids).count()
    alone = people + _taken_alone(by, now=now) <= MAX_PEOPLE_WITHOUT_APPROVAL
    return ExportRequest.objects.create(
        asked_by=person,
        asked_at=now,
        reason=reason.strip(),
        mailing_list=mailing_list,
        person_ids=None if person_ids is None else list(person_ids),
        has_bom=has_bom,
        people_when_asked=people,
        max_people=people if alone else people + people // GROWTH_DIVISOR,
        without_approval=alone,
    )


def request_export_by_key(
    *, key: KeyAsker, mailing_list: MailingList | None, reason: str, now: datetime
) -> ExportRequest:
    """Record that a system wants an export. However small it is, a person must allow it."""
    people = people_to_export(mailing_list).count()
    return ExportRequest.objects.create(
        asked_by_key=key.id,
        key_label=key.label,
        key_maker=key.maker,
        asked_at=now,
        reason=reason.strip(),
        mailing_list=mailing_list,
        has_bom=False,
        people_when_asked=people,
        max_people=people + people // GROWTH_DIVISOR,
    )


def allow_export(*, request: ExportRequest, by: User | AnonymousUser, now: datetime) -> None:
    """Record a second person's approval, which holds for a day. Raises `CannotExport`."""
    if request.asked_by_id == by.pk:
        raise CannotExport(_("You asked for this file. A second person has to allow it."))
    if request.key_maker and request.key_maker == by.get_username():
        raise CannotExport(_("You made the key that asked for this file. A second person has to allow it."))
    _check_not_grown(request)
    allowed = _waiting(now).filter(pk=request.pk).exclude(asked_by=by.pk)
    if not allowed.update(allowed_by=by, allowed_at=now, expires_at=now + DAY):
        raise CannotExport(_("This file is not waiting any more: it was allowed already, or asked for a week ago."))


def take_export(*, request: ExportRequest, by: User | AnonymousUser, now: datetime) -> None:
    """Record the download, which is possible once, with at most `taken` people. Raises `CannotExport`."""
    if request.asked_by_id is None or request.asked_by_id != by.pk:
        raise CannotExport(_("Only the person who asked for this file can download it."))
    _take(request, now=now)


def take_export_by_key(*, request: ExportRequest, key: KeyAsker, now: datetime) -> None:
    """Record the download by the key that asked. Raises `CannotExport`, also for any other key."""
    if request.asked_by_key != key.id:
        raise CannotExport(_("Only the person who asked for this file can download it."))
    _take(request, now=now)


def _take(request: ExportRequest, *, now: datetime) -> None:
    if request.allowed_by and not _may_still_allow(request.allowed_by):
        raise CannotExport(
            _("%(name)s allowed this file and may not allow exports any more. Nothing was downloaded. Ask again.")
            % {"name": request.allowed_by}
        )
    people = request.people_when_asked if request.without_approval else _check_not_grown(request)
    free = ExportRequest.objects.filter(pk=request.pk, used_at__isnull=True)
    if not free.filter(Q(without_approval=True) | Q(expires_at__gte=now)).update(used_at=now, people_in_file=people):
        raise CannotExport(
            _(
                "This file cannot be downloaded: nobody has allowed it yet, it was downloaded already, or a day has passed. "
                "Ask again."
            )
        )
    request.refresh_from_db()


@transaction.atomic
def record_disclosure(
    *, by: User | AnonymousUser, kind: Disclosure.Kind, people: int, about: int, now: datetime
) -> None:
    """Record that this person sees or downloads this number of full addresses. Raises `CannotExport` above 500 in a day."""
    person = _lock(by)
    seen = _taken_alone(by, now=now)
    if seen + people > MAX_PEOPLE_WITHOUT_APPROVAL:
        raise CannotExport(
            _(
                "You have downloaded or viewed %(taken)s people in the last 24 hours, and this is %(people)s more. The limit "
                "for one person is %(limit)s. Ask for a file under “Export people”: a second person can allow it."
            )
            % {"taken": f"{seen:,}", "people": f"{people:,}", "limit": f"{MAX_PEOPLE_WITHOUT_APPROVAL:,}"}
        )
    Disclosure.objects.create(by=person, at=now, kind=kind, people=people, about=about)


def list_waiting_exports(*, now: datetime) -> QuerySet[ExportRequest]:
    """Return requests of the last week that nobody has approved yet, oldest first."""
    return _waiting(now).select_related("asked_by", "mailing_list").order_by("asked_at", "pk")


def list_exports_to_allow(*, by: User | AnonymousUser, now: datetime) -> QuerySet[ExportRequest]:
    """Return waiting requests that are not this person's own, nor those of a key that they made."""
    return list_waiting_exports(now=now).exclude(asked_by=by.pk).exclude(key_maker=by.get_username())


def can_anybody_else_allow(*, by: User | AnonymousUser) -> bool:
    """Return True if there is a second person who may allow exports."""
    others = User.objects.filter(is_active=True).exclude(username=by.get_username())
    return any(_may_still_allow(person) for person in others)


def find_export_state(request: ExportRequest, *, now: datetime) -> ExportState:
    """Return the state of a request with approval: waiting, allowed, downloaded, or ended without a download."""
    if request.used_at is not None:
        return ExportState.TAKEN
    if request.allowed_by and request.expires_at is not None:
        is_allowed = request.expires_at >= now and _may_still_allow(request.allowed_by)
        return ExportState.ALLOWED if is_allowed else ExportState.EXPIRED
    return ExportState.WAITING if request.asked_at > now - REQUEST_LIFETIME else ExportState.EXPIRED


def describe_export(request: ExportRequest) -> dict[str, object]:
    """Return the details of an export for the staff log."""
    mailing_list = request.mailing_list
    return {
        "export": request.pk,
        "reason": request.reason,
        "list": mailing_list.slug if mailing_list else "all",
        "list_id": mailing_list.pk if mailing_list else None,
        "people": request.people_when_asked,
        "chosen": request.person_ids is not None,
        "most": request.max_people,
        **({"taken": request.people_in_file} if request.people_in_file is not None else {}),
    }


def list_ready_exports(*, by: User | AnonymousUser, now: datetime) -> list[ExportRequest]:
    """Return approved requests that this person can download and has not downloaded."""
    ready = ExportRequest.objects.filter(asked_by=by.pk, used_at__isnull=True, expires_at__gte=now)
    rows = ready.select_related("allowed_by", "mailing_list").order_by("asked_at", "pk")
    return [row for row in rows if row.allowed_by and _may_still_allow(row.allowed_by)]


def delete_old_exports(*, now: datetime) -> None:
    """Delete requests older than a month. The staff log keeps who downloaded what."""
    ExportRequest.objects.filter(asked_at__lt=now - EXPORT_RECORD_RETENTION).delete()
    Disclosure.objects.filter(at__lt=now - EXPORT_RECORD_RETENTION).delete()


def _may_still_allow(person: User) -> bool:
    return person.is_active and person.has_perms(EXPORT_PERMISSIONS)


def _check_not_grown(request: ExportRequest) -> int:
    """Return how many people would be exported now. Raises `CannotExport` if they are more than requested."""
    people = people_to_export(request.mailing_list, person_ids=request.person_ids).count()
    if people > request.max_people:
        raise CannotExport(
            _(
                "There are %(people)s people now. The file was asked for %(asked)s, and may hold %(limit)s at most. "
                "Ask for it again, so that a second person sees the new number."
            )
            % {"people": f"{people:,}", "asked": f"{request.people_when_asked:,}", "limit": f"{request.max_people:,}"}
        )
    return people


def _waiting(now: datetime) -> QuerySet[ExportRequest]:
    return ExportRequest.objects.filter(
        without_approval=False, used_at__isnull=True, allowed_at__isnull=True, asked_at__gt=now - REQUEST_LIFETIME
    )


def _lock(by: User | AnonymousUser) -> User:
    """Return the person, locked until the transaction ends: two requests at once would not count each other."""
    return User.objects.select_for_update().get(username=by.get_username())


def _taken_alone(by: User | AnonymousUser, *, now: datetime) -> int:
    """Return how many people this person exported alone, downloaded singly, or was shown in the last day."""
    exports = ExportRequest.objects.filter(asked_by=by.pk, without_approval=True, asked_at__gt=now - DAY)
    disclosures = Disclosure.objects.filter(by=by.pk, at__gt=now - DAY)
    alone = exports.aggregate(all=Sum("people_when_asked"))["all"] or 0
    return int(alone) + int(disclosures.aggregate(all=Sum("people"))["all"] or 0)
